//! Memory, time and files of this process, with the names that all Prometheus clients use. On Linux only.

use prometheus_client::registry::Registry;

#[cfg(not(target_os = "linux"))]
pub(super) fn register(_: &mut Registry) {}

#[cfg(target_os = "linux")]
pub(super) fn register(registry: &mut Registry) {
    use std::time::{SystemTime, UNIX_EPOCH};

    use super::on_scrape::{Kind, register};

    let started = SystemTime::now().duration_since(UNIX_EPOCH);
    let started = started.ok().map(|time| time.as_secs_f64());
    let mut gauge = |name, help, read: fn() -> Option<f64>| {
        register(registry, Kind::Gauge, name, help, read);
    };
    gauge(
        "process_resident_memory_bytes",
        "Memory of the process",
        linux::resident_bytes,
    );
    gauge(
        "process_open_fds",
        "Open files and sockets",
        linux::open_files,
    );
    gauge(
        "process_max_fds",
        "Files and sockets that may be open",
        || {
            rlimit::Resource::NOFILE
                .get()
                .ok()
                .map(|(now, _)| now as f64)
        },
    );
    register(
        registry,
        Kind::Gauge,
        "process_start_time_seconds",
        "When the process started, in seconds since 1970",
        move || started,
    );
    register(
        registry,
        Kind::Counter,
        "process_cpu_seconds",
        "Time of processors that was used",
        linux::cpu_seconds,
    );
}

#[cfg(target_os = "linux")]
mod linux {
    use std::fs;

    use rustix::param::{clock_ticks_per_second, page_size};

    /// `/proc/self/statm` has pages: all, then those in memory (proc_pid_statm(5)).
    pub(super) fn resident_bytes() -> Option<f64> {
        let text = fs::read_to_string("/proc/self/statm").ok()?;
        let pages: usize = text.split(' ').nth(1)?.parse().ok()?;
        Some((pages * page_size()) as f64)
    }

    /// The fields 14 and 15 of `/proc/self/stat` are ticks in the program and in the kernel (proc_pid_stat(5)). They
    /// are counted from the end of the name in parentheses, which may contain spaces.
    pub(super) fn cpu_seconds() -> Option<f64> {
        let text = fs::read_to_string("/proc/self/stat").ok()?;
        let (_, fields) = text.rsplit_once(") ")?;
        let ticks = fields.split(' ').skip(11).take(2);
        let ticks: u64 = ticks.filter_map(|field| field.parse::<u64>().ok()).sum();
        Some(ticks as f64 / clock_ticks_per_second() as f64)
    }

    pub(super) fn open_files() -> Option<f64> {
        Some(fs::read_dir("/proc/self/fd").ok()?.count() as f64)
    }
}
