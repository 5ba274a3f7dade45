//! The realtime-photo server.

fn main() {}
