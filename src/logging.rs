//! Logging to standard error, as `RUST_LOG` says: this program's messages of level `info`, warnings of the others if it
//! says nothing. What any client can cause by sending nonsense is not logged then: it is the client's error, which it
//! is told.

use std::fmt::Display;
use std::io::Write as _;

use env_logger::{Env, Logger};
use log::{Level, Log, Metadata, Record};
use realtime_photo::config::LogFormat;
use realtime_photo::web::RequestId;
use serde_json::{Value, json};

/// Filter in use if `RUST_LOG` is not set.
const DEFAULT_FILTER: &str = "warn,realtime_photo=info,actix_http::h1::dispatcher=off,actix_http::h1::decoder=off,actix_http::ws=off";

/// Starts logging. Must be called once.
pub(crate) fn start(format: LogFormat) {
    let environment = Env::default().default_filter_or(DEFAULT_FILTER);
    let mut builder = env_logger::Builder::from_env(environment);
    if format == LogFormat::Json {
        builder.format(|buffer, record| {
            let line = json_line(buffer.timestamp_millis(), record, RequestId::current());
            writeln!(buffer, "{line}")
        });
    } else {
        builder.format(|buffer, record| {
            let (time, style) = (
                buffer.timestamp_millis(),
                buffer.default_level_style(record.level()),
            );
            let (level, target, text) = (record.level(), record.target(), record.args());
            write!(
                buffer,
                "[{time} {style}{level:<5}{style:#} {target}] {text}"
            )?;
            match RequestId::current() {
                Some(id) => writeln!(buffer, " (request {id})"),
                None => writeln!(buffer),
            }
        });
    }
    let logger = builder.build();
    log::set_max_level(logger.filter());
    // It fails if there is a logger already, which is as good.
    let _ = log::set_boxed_logger(Box::new(WithoutPayloads(logger)));
}

/// A record of the log as an object.
fn json_line(time: impl Display, record: &Record<'_>, request: Option<RequestId>) -> Value {
    let mut line = json!({
        "time": time.to_string(),
        "level": record.level().as_str(),
        "target": record.target(),
        "message": record.args().to_string(),
    });
    if let Some(id) = request {
        line["request"] = id.to_string().into();
    }
    line
}

/// Drops the driver's trace messages, whatever `RUST_LOG` says: each of them prints a whole query or answer, images and
/// all.
struct WithoutPayloads(Logger);

impl Log for WithoutPayloads {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        let payload = metadata.level() == Level::Trace && metadata.target().starts_with("reql");
        !payload && self.0.enabled(metadata)
    }

    fn log(&self, record: &Record<'_>) {
        if self.enabled(record.metadata()) {
            self.0.log(record);
        }
    }

    fn flush(&self) {
        self.0.flush();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clients_cannot_fill_the_log_with_their_errors() {
        let mut builder = env_logger::Builder::new();
        let logger = builder.parse_filters(DEFAULT_FILTER).build();
        let enabled = |target| {
            let metadata = Metadata::builder()
                .target(target)
                .level(Level::Error)
                .build();
            logger.enabled(&metadata)
        };
        for target in [
            "actix_http::h1::dispatcher",
            "actix_http::h1::decoder",
            "actix_http::ws::codec",
        ] {
            assert!(!enabled(target), "{target}");
        }
        for target in ["actix_http::h1::service", "actix_server::worker", "reql"] {
            assert!(enabled(target), "{target}");
        }
    }

    #[test]
    fn the_drivers_payloads_are_never_logged() {
        let mut builder = env_logger::Builder::new();
        let logger = WithoutPayloads(builder.filter_level(log::LevelFilter::Trace).build());
        let enabled = |target, level| {
            let metadata = Metadata::builder().target(target).level(level).build();
            logger.enabled(&metadata)
        };
        assert!(!enabled("reql::cmd::run", Level::Trace));
        assert!(enabled("reql::cmd::run", Level::Debug));
        assert!(enabled("realtime_photo::store", Level::Trace));
    }
}
