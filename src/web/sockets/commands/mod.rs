//! Commands of clients: text messages `{"event": …, "data": …, "ref"?: …}`.

pub(crate) mod command;
mod data;
mod parse;
pub(crate) mod request;
