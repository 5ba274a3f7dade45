//! Access to the database server.

mod binary;

pub(super) use binary::Binary;
