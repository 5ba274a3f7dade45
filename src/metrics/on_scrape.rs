//! Metrics whose value is read when somebody asks for it.

use std::fmt;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric as _};
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Registry;

/// The kind of a metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// It only grows.
    Counter,
    /// It rises and falls.
    Gauge,
}

struct OnScrape<F> {
    kind: Kind,
    name: &'static str,
    help: &'static str,
    read: F,
}

/// Registers a metric that `read` reads. Without a value it is left out.
pub(crate) fn register(
    registry: &mut Registry,
    kind: Kind,
    name: &'static str,
    help: &'static str,
    read: impl Fn() -> Option<f64> + Send + Sync + 'static,
) {
    registry.register_collector(Box::new(OnScrape {
        kind,
        name,
        help,
        read,
    }));
}

impl<F: Fn() -> Option<f64> + Send + Sync + 'static> Collector for OnScrape<F> {
    fn encode(&self, mut encoder: DescriptorEncoder) -> Result<(), fmt::Error> {
        let Some(value) = (self.read)() else {
            return Ok(());
        };
        // The encoder adds the full stop of the sentence only to what is registered.
        let help = format!("{}.", self.help);
        match self.kind {
            Kind::Counter => {
                let metric = ConstCounter::new(value);
                let kind = prometheus_client::encoding::EncodeMetric::metric_type(&metric);
                metric.encode(encoder.encode_descriptor(self.name, &help, None, kind)?)
            }
            Kind::Gauge => {
                let metric = ConstGauge::new(value);
                let kind = prometheus_client::encoding::EncodeMetric::metric_type(&metric);
                metric.encode(encoder.encode_descriptor(self.name, &help, None, kind)?)
            }
        }
    }
}

impl<F> fmt::Debug for OnScrape<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}
