//! Replacing a row unless somebody else has changed it since it was read.

use reql::{Command, func, r};
use serde::Serialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::write::{CONDITION_NOT_MET, hard_replace};

/// The field that identifies the write of a row.
const REVISION: &str = "revision";

/// A revision for a row that is going to be written.
pub(super) fn new_revision() -> String {
    Uuid::new_v4().to_string()
}

/// A write that replaces a row by `after`. Its condition is that the row is `before`, null if there is none.
pub(super) fn replace_row(row: Command, before: &Value, after: &impl Serialize) -> Command {
    replace_if(row, |row| row, json!([before, after]), after)
}

/// A write that replaces a row by `after`, which has the revision `revision`. Its condition is that the row has the
/// revision `before`, which is empty for a row without one, or that there is no row.
pub(super) fn replace_revision(
    row: Command,
    before: &str,
    revision: &str,
    after: &impl Serialize,
) -> Command {
    let revision_of = |row: Command| {
        let revision = row.clone().get_field(REVISION).default(r.expr(""));
        r.branch(r.args((row.eq(()), r.expr(""), revision)))
    };
    replace_if(row, revision_of, json!([before, revision]), after)
}

/// A write that replaces a row of one of two states. The second is that of `after`: the pool repeats a query whose
/// answer was lost, and the write of its first attempt is accepted.
fn replace_if(
    row: Command,
    state_of: impl FnOnce(Command) -> Command,
    states: Value,
    after: &impl Serialize,
) -> Command {
    let replaced = func!(|row| r.branch(r.args((
        r.expr(&states).contains(state_of(row)),
        r.expr(after),
        r.error(CONDITION_NOT_MET),
    ))));
    row.replace(r.args((replaced, hard_replace())))
}
