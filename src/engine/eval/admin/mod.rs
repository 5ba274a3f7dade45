//! The terms that create, drop, list and describe databases, tables and indexes.

mod config_change;
mod database;
mod index;
mod saved_function;
mod table;

pub(crate) use database::{db_create, db_drop, db_list};
pub(crate) use index::{
    index_create, index_drop, index_list, index_rename, index_status, index_wait,
};
pub(crate) use table::{describe, sync, table_create, table_drop, table_list, wait};
