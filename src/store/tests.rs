//! Tests against a database.
