//! The wire format of a session: events, and the frames that carry them.

pub(crate) mod batch;
pub(crate) mod client_messages;
pub(crate) mod deflate;
pub(crate) mod events;
pub(crate) mod frame;
pub(crate) mod frame_scanner;
pub(crate) mod json_object;
