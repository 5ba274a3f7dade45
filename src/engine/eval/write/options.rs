//! The optional arguments of writes.

use super::stats::ReturnChanges;
use crate::engine::datum::Datum;
use crate::engine::error::ReqlError;
use crate::engine::eval::env::Env;
use crate::engine::eval::scope::Scope;
use crate::engine::eval::selection::Table;
use crate::engine::eval::term::Call;
use crate::engine::storage::Durability;

/// The optional arguments of a write.
#[derive(Clone, Copy)]
pub(super) struct Options {
    pub(super) durability: Durability,
    pub(super) return_changes: ReturnChanges,
}

impl Options {
    /// Evaluates the arguments. The durability defaults to that of the query, then to that of the table.
    ///
    /// # Errors
    /// RethinkDB's errors for invalid ones.
    pub(super) fn new(
        env: &Env,
        call: &Call,
        scope: &Scope,
        table: &Table,
    ) -> Result<Self, ReqlError> {
        if env.optarg(call, scope, "return_vals")?.is_some() {
            return Err(ReqlError::logic(
                "Error: encountered obsolete optarg `return_vals`.  Use `return_changes` instead.",
            ));
        }
        let return_changes = parse_return_changes(env.optarg(call, scope, "return_changes")?)?;
        let durability = match env.optarg(call, scope, "durability")? {
            Some(durability) => Some(durability),
            None => env.global("durability").cloned(),
        };
        let durability = match durability {
            Some(durability) => parse_durability(durability.as_str()?)?,
            None if table.is_soft => Durability::Soft,
            None => Durability::Hard,
        };
        Ok(Self {
            durability,
            return_changes,
        })
    }
}

/// `true`, `false` or `"always"`.
fn parse_return_changes(value: Option<Datum>) -> Result<ReturnChanges, ReqlError> {
    match value {
        None => Ok(ReturnChanges::No),
        Some(Datum::String(text)) if &*text == "always" => Ok(ReturnChanges::Always),
        Some(Datum::String(text)) => Err(ReqlError::logic(format!(
            "Invalid return_changes value `{text}` (options are `true`, `false`, and `'always'`.)"
        ))),
        Some(flag) if flag.is_truthy() => Ok(ReturnChanges::Changed),
        Some(_) => Ok(ReturnChanges::No),
    }
}

/// `"hard"` or `"soft"`.
///
/// # Errors
/// RethinkDB's error for anything else.
pub(crate) fn parse_durability(text: &str) -> Result<Durability, ReqlError> {
    match text {
        "hard" => Ok(Durability::Hard),
        "soft" => Ok(Durability::Soft),
        other => Err(ReqlError::logic(format!(
            "Durability option `{other}` unrecognized (options are \"hard\" and \"soft\")."
        ))),
    }
}
