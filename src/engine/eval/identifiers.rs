//! The names of things in system tables: the optional argument `identifier_format` of `table`.

use std::sync::Arc;

use super::env::Env;
use super::read_options::IdentifierFormat;
use super::stream::Stream;
use super::system;
use crate::engine::datum::{Datum, Object};
use crate::engine::error::ReqlError;

/// The rows of a system table with databases and servers named as the query wants them. System tables have names.
///
/// # Errors
/// A failing disk.
pub(super) fn name_things(
    env: &Env,
    rows: Stream,
    format: IdentifierFormat,
) -> Result<Stream, ReqlError> {
    if format == IdentifierFormat::Name {
        return Ok(rows);
    }
    let rows = rows.collect(env)?;
    let rows = rows.into_iter().map(|row| with_ids(env, row));
    rows.collect::<Result<_, _>>().map(Stream::items)
}

/// The row of a table with ids in place of names. Other rows stay as they are.
fn with_ids(env: &Env, row: Datum) -> Result<Datum, ReqlError> {
    let Some(Datum::String(db)) = row.field("db").cloned() else {
        return Ok(row);
    };
    let database = system::db_config(env, &db)?;
    let id = database.field("id").cloned().unwrap_or(Datum::Null);
    let (server_id, server_name) = env.server();
    let mut row = replace_text(&row, &server_name, &server_id);
    if let Datum::Object(fields) = &mut row {
        Arc::make_mut(fields).insert("db".into(), id);
    }
    Ok(row)
}

/// Replaces a name in the parts of a row that describe its shards, where it can only be the server's.
fn replace_text(row: &Datum, name: &str, id: &str) -> Datum {
    fn replace(value: &Datum, name: &str, id: &str) -> Datum {
        match value {
            Datum::String(text) if **text == *name => id.into(),
            Datum::Array(items) => items
                .iter()
                .map(|item| replace(item, name, id))
                .collect::<Vec<_>>()
                .into(),
            Datum::Object(fields) => fields
                .iter()
                .map(|(field, value)| (field.clone(), replace(value, name, id)))
                .collect::<Object>()
                .into(),
            other => other.clone(),
        }
    }
    let Datum::Object(fields) = row else {
        return row.clone();
    };
    let fields = fields.iter().map(|(field, value)| {
        let value = match &**field {
            "shards" | "raft_leader" => replace(value, name, id),
            _ => value.clone(),
        };
        (field.clone(), value)
    });
    fields.collect::<Object>().into()
}
