//! The part of the system database `rethinkdb` that clients and `rethinkdb-dump` use.

use uuid::Uuid;

use super::catalog::{database_missing, find};
use super::env::Env;
use super::selection::Table;
use super::stream::Stream;
use crate::engine::datum::Datum;
use crate::engine::error::ReqlError;
use crate::engine::storage::DiskState;

/// The name of the database that holds the system tables.
pub(crate) const DATABASE: &str = "rethinkdb";

/// The id of [`DATABASE`]. It is the same everywhere.
pub(crate) const DATABASE_ID: &str = "6f2c1d7e-9b0a-4c3e-8d5f-1a2b3c4d5e6f";

/// The system tables, as `table_list` returns them.
pub(crate) const TABLES: [&str; 7] = [
    "current_issues",
    "db_config",
    "jobs",
    "server_config",
    "server_status",
    "table_config",
    "table_status",
];

/// The current rows of a system table.
///
/// # Errors
/// A table that the engine does not implement.
pub(crate) fn table(env: &Env, name: &str) -> Result<Stream, ReqlError> {
    let of_tables = |describe: fn(&Env, &Table) -> Datum| -> Result<Vec<Datum>, ReqlError> {
        Ok(all_tables(env)?
            .iter()
            .map(|table| describe(env, table))
            .collect())
    };
    let rows = match name {
        "db_config" => {
            let snapshot = env.snapshot()?;
            let databases = snapshot.catalog().databases().iter();
            databases
                .map(|database| db_config(env, &database.name))
                .collect::<Result<_, _>>()?
        }
        "table_config" => of_tables(table_config)?,
        "table_status" => of_tables(table_status)?,
        "server_status" => vec![server_status(env)],
        "server_config" => vec![server_config(env)],
        "current_issues" => current_issues(env)?,
        "jobs" => Vec::new(),
        other => {
            return Err(ReqlError::op_failed(format!(
                "The embedded engine does not have the system table `{DATABASE}.{other}`."
            )));
        }
    };
    Ok(Stream::items(rows))
}

/// The problems of the disk and of the stored data. RethinkDB has the same fields, for problems of its own.
fn current_issues(env: &Env) -> Result<Vec<Datum>, ReqlError> {
    let storage = &env.context()?.storage;
    let disk = match storage.disk() {
        DiskState::Works => None,
        DiskState::Full => Some((
            "disk_full",
            "The disk that holds the database is full.".into(),
        )),
        DiskState::Failed(detail) => Some(("disk_failed", detail)),
    };
    let damage = storage.damage().into_iter();
    let issues = disk
        .into_iter()
        .chain(damage.map(|detail| ("data_damaged", detail)));
    let row = |(kind, description): (&str, String)| {
        // The same issue has the same id.
        let id = Uuid::new_v5(&Uuid::NAMESPACE_OID, description.as_bytes());
        Datum::object([
            ("critical", true.into()),
            ("description", description.as_str().into()),
            ("id", id.to_string().into()),
            ("info", Datum::object([])),
            ("type", kind.into()),
        ])
    };
    Ok(issues.map(row).collect())
}

/// The tables of a database, ordered by name.
///
/// # Errors
/// An unknown database.
pub(crate) fn tables_of(env: &Env, db: &str) -> Result<Vec<Table>, ReqlError> {
    if db == DATABASE {
        return Ok(Vec::new());
    }
    let snapshot = env.snapshot()?;
    let catalog = snapshot.catalog();
    let database = catalog.database(db).ok_or_else(|| database_missing(db))?;
    catalog
        .tables_of(database.id)
        .map(|table| find(catalog, db, &table.name))
        .collect()
}

fn all_tables(env: &Env) -> Result<Vec<Table>, ReqlError> {
    let names: Vec<String> = env
        .snapshot()?
        .catalog()
        .databases()
        .iter()
        .map(|database| database.name.clone())
        .collect();
    Ok(names
        .iter()
        .map(|name| tables_of(env, name))
        .collect::<Result<Vec<_>, _>>()?
        .concat())
}

/// The row of a database in `db_config`.
///
/// # Errors
/// An unknown database.
pub(crate) fn db_config(env: &Env, name: &str) -> Result<Datum, ReqlError> {
    let snapshot = env.snapshot()?;
    let database = snapshot.catalog().database(name);
    let database = database.ok_or_else(|| database_missing(name))?;
    Ok(Datum::object([
        ("id", database.id.to_string().into()),
        ("name", name.into()),
    ]))
}

/// The row of a table in `table_config`.
pub(crate) fn table_config(env: &Env, table: &Table) -> Datum {
    let server = server_name(env);
    let shard = Datum::object([
        ("nonvoting_replicas", Vec::new().into()),
        ("primary_replica", server.clone()),
        ("replicas", vec![server].into()),
    ]);
    let indexes: Vec<Datum> = table
        .indexes
        .iter()
        .map(|index| index.name.as_str().into())
        .collect();
    Datum::object([
        ("db", Datum::String(table.db.clone())),
        (
            "durability",
            if table.is_soft { "soft" } else { "hard" }.into(),
        ),
        ("id", table.id.to_string().into()),
        ("indexes", indexes.into()),
        ("name", Datum::String(table.name.clone())),
        ("primary_key", Datum::String(table.primary_key.clone())),
        ("shards", vec![shard].into()),
        ("write_acks", "majority".into()),
        ("write_hook", Datum::Null),
    ])
}

/// The row of a table in `table_status`. Tables are always ready.
pub(crate) fn table_status(env: &Env, table: &Table) -> Datum {
    let server = server_name(env);
    let ready = [
        "all_replicas_ready",
        "ready_for_outdated_reads",
        "ready_for_reads",
        "ready_for_writes",
    ];
    let replica = Datum::object([("server", server.clone()), ("state", "ready".into())]);
    let shard = Datum::object([
        ("primary_replicas", vec![server.clone()].into()),
        ("replicas", vec![replica].into()),
    ]);
    Datum::object([
        ("db", Datum::String(table.db.clone())),
        ("id", table.id.to_string().into()),
        ("name", Datum::String(table.name.clone())),
        ("raft_leader", server),
        ("shards", vec![shard].into()),
        (
            "status",
            Datum::object(ready.map(|name| (name, true.into()))),
        ),
    ])
}

fn server_status(env: &Env) -> Datum {
    // `rethinkdb-dump` requires `^rethinkdb \d+\.\d+\.\d+`, with a version that it supports (`utils_common.py` of the
    // Python driver).
    let version = format!(
        "rethinkdb {} (embedded engine of realtime-photo {})",
        crate::engine::version::REQL_VERSION,
        env!("CARGO_PKG_VERSION")
    );
    let process = Datum::object([
        ("pid", (std::process::id() as usize).into()),
        ("version", version.into()),
    ]);
    Datum::object([
        ("id", server_id(env)),
        ("name", server_name(env)),
        ("process", process),
    ])
}

fn server_config(env: &Env) -> Datum {
    let tags: Vec<Datum> = vec!["default".into()];
    Datum::object([
        ("cache_size_mb", "auto".into()),
        ("id", server_id(env)),
        ("name", server_name(env)),
        ("tags", tags.into()),
    ])
}

fn server_id(env: &Env) -> Datum {
    Datum::String(env.server().0)
}

fn server_name(env: &Env) -> Datum {
    Datum::String(env.server().1)
}
