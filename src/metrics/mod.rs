//! What all areas need to count and measure: each registers its own metrics, of which `/metrics` shows the values.

mod on_scrape;
mod process;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;

pub use prometheus_client::registry::Registry;

pub(crate) use self::on_scrape::{Kind, register};

/// The beginning of the names of all metrics but those of the process, whose names are the same for all programs.
const PREFIX: &str = "realtime_photo";

/// Upper bounds of durations, in seconds: from what memory answers to the longest time limits.
const SECONDS: [f64; 12] = [
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0,
];

/// Creates a registry with the metrics of the process and the version.
pub fn registry() -> Registry {
    #[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
    struct Version {
        version: &'static str,
    }
    let mut registry = Registry::default();
    process::register(&mut registry);
    let version = env!("CARGO_PKG_VERSION");
    let info = Info::new(Version { version });
    own(&mut registry).register("build", "The version of the program", info);
    registry
}

/// The part of a registry for this program's own metrics.
pub(crate) fn own(registry: &mut Registry) -> &mut Registry {
    registry.sub_registry_with_prefix(PREFIX)
}

/// A histogram of durations in seconds.
pub(crate) fn seconds() -> Histogram {
    Histogram::new(SECONDS)
}

#[cfg(test)]
mod tests {
    use prometheus_client::encoding::prometheus_text;

    use super::*;

    #[test]
    fn a_registry_shows_the_version_and_the_process() {
        let mut text = String::new();
        prometheus_text::encode(&mut text, &registry()).unwrap();
        let version = env!("CARGO_PKG_VERSION");
        let expected = format!("realtime_photo_build_info{{version=\"{version}\"}} 1\n");
        assert!(text.contains(&expected), "{text}");
        if cfg!(target_os = "linux") {
            let of = |name: &str| {
                let line = text.lines().find(|line| line.starts_with(name)).unwrap();
                line.rsplit(' ').next().unwrap().parse::<f64>().unwrap()
            };
            assert!(of("process_resident_memory_bytes ") > 1e6, "{text}");
            assert!(of("process_open_fds ") >= 3.0, "{text}");
            assert!(of("process_max_fds ") >= of("process_open_fds "), "{text}");
            assert!(of("process_cpu_seconds_total ") >= 0.0, "{text}");
            assert!(of("process_start_time_seconds ") > 1.7e9, "{text}");
        }
    }
}
