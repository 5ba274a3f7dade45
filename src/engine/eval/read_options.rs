//! The optional arguments of `table`, which may also be given for a whole query.

use super::env::Env;
use super::scope::Scope;
use super::term::Call;
use crate::engine::datum::Datum;
use crate::engine::error::ReqlError;

/// Checks the optional arguments of `table` and evaluates none but `identifier_format`: with one server, all read modes
/// read the same.
///
/// # Errors
/// RethinkDB's errors for unknown values, and for `use_outdated`, which it no longer supports.
pub(super) fn check(env: &Env, call: &Call, scope: &Scope) -> Result<IdentifierFormat, ReqlError> {
    if find(env, call, scope, "use_outdated")?.is_some() {
        return Err(ReqlError::logic(
            "The `use_outdated` optarg is no longer supported.  Use the `read_mode` optarg instead.",
        ));
    }
    if let Some(mode) = find(env, call, scope, "read_mode")? {
        let mode = mode.as_str()?;
        if !matches!(
            &**mode,
            "majority" | "single" | "outdated" | "_debug_direct"
        ) {
            return Err(ReqlError::logic(format!(
                "Read mode `{mode}` unrecognized (options are \"majority\", \"single\", and \"outdated\")."
            )));
        }
    }
    let Some(format) = find(env, call, scope, "identifier_format")? else {
        return Ok(IdentifierFormat::Name);
    };
    match &**format.as_str()? {
        "name" => Ok(IdentifierFormat::Name),
        "uuid" => Ok(IdentifierFormat::Uuid),
        other => Err(ReqlError::logic(format!(
            "Identifier format `{other}` unrecognized (options are \"name\" and \"uuid\")."
        ))),
    }
}

/// The form in which system tables name databases, tables and servers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum IdentifierFormat {
    Name,
    Uuid,
}

/// An optional argument of the term, or of the query.
fn find(env: &Env, call: &Call, scope: &Scope, name: &str) -> Result<Option<Datum>, ReqlError> {
    match env.optarg(call, scope, name)? {
        Some(value) => Ok(Some(value)),
        None => Ok(env.global(name).cloned()),
    }
}
