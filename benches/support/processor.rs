//! Processor time of processes, from Linux's `/proc`.

use std::fs;
use std::time::Duration;

/// The unit of processor time in `/proc/PID/stat`: `USER_HZ` is 100 on all of Linux's usual platforms (`man 5 proc`).
const TICK: Duration = Duration::from_millis(10);

/// The processor time of a process and its threads until now.
pub(crate) fn time(pid: u32) -> Duration {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    // The name, which may hold spaces, is in parentheses. `utime` and `stime` are the 14th and 15th field.
    let (_, fields) = stat.rsplit_once(") ").unwrap();
    let ticks = fields.split(' ').skip(11).take(2);
    TICK * ticks.map(|ticks| ticks.parse::<u32>().unwrap()).sum()
}

/// The processor time of all processes with this name.
pub(crate) fn time_of_all(name: &str) -> Duration {
    let processes = fs::read_dir("/proc").unwrap();
    let pids = processes.filter_map(|entry| entry.unwrap().file_name().to_str()?.parse().ok());
    pids.filter(|pid| {
        // A process may have ended meanwhile.
        fs::read_to_string(format!("/proc/{pid}/comm")).is_ok_and(|comm| comm.trim_end() == name)
    })
    .map(time)
    .sum()
}
