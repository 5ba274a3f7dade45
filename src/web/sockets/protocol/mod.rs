//! The messages of a session and the frames that carry them.

pub(crate) mod client_messages;
pub(crate) mod frame;
pub(crate) mod frame_scanner;
pub(crate) mod message;
pub(crate) mod object;
