//! HTTP building blocks that every area uses: errors, conditional requests, bodies and middleware.

pub(crate) mod body;
pub(crate) mod conditional;
pub(crate) mod connection;
pub(crate) mod disposition;
pub(crate) mod guard;
pub(crate) mod headers;
pub(crate) mod problem;
