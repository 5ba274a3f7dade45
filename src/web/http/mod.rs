//! HTTP building blocks that all areas use: errors, conditional requests, bodies and middleware.

pub(crate) mod body;
pub(crate) mod client_address;
pub(crate) mod conditional;
pub(crate) mod connection;
pub(crate) mod disposition;
pub(crate) mod embedding;
pub(crate) mod fallback;
pub(crate) mod guard;
pub(crate) mod headers;
pub(crate) mod host;
pub(crate) mod limiter;
pub(crate) mod metrics;
pub(crate) mod prefix;
pub(crate) mod problem;
pub(crate) mod public_url;
pub(crate) mod ranges;
pub(crate) mod readable_size;
pub(crate) mod request_id;
