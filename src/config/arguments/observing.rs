//! Options of metrics and the log.

use std::net::SocketAddr;

use crate::config::settings::LogFormat;

/// The address of the metrics, and the form of the log.
#[derive(clap::Args)]
pub(super) struct ObservingArguments {
    /// Serve metrics for Prometheus at this address, below /metrics. Whoever reaches it may read them: they tell how
    /// much the server is used, and nothing of what is stored
    #[arg(long, value_name = "ADDR:PORT", env = "REALTIME_PHOTO_METRICS_LISTEN")]
    pub(super) metrics_listen: Option<SocketAddr>,

    /// The form of the lines in the log, on standard error: text for people, or json with an object a line
    #[arg(
        long,
        value_name = "FORMAT",
        env = "REALTIME_PHOTO_LOG_FORMAT",
        default_value = "text"
    )]
    pub(super) log_format: LogFormat,
}
