//! The results of writes.

use std::sync::Arc;

use crate::engine::datum::{Datum, Object};
use crate::engine::error::ReqlError;

/// The changes in the result of a write: the option `return_changes`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ReturnChanges {
    No,
    /// The changed documents.
    Changed,
    /// All documents that the write examined.
    Always,
}

/// The result of a write.
#[derive(Debug)]
pub(super) struct Stats {
    pub(super) generated_keys: Vec<Datum>,
    return_changes: ReturnChanges,
    /// The most items of each array in the result.
    array_limit: usize,
    is_truncated: bool,
    inserted: usize,
    replaced: usize,
    unchanged: usize,
    skipped: usize,
    deleted: usize,
    errors: usize,
    first_error: Option<String>,
    changes: Vec<Datum>,
}

impl Stats {
    pub(super) fn new(return_changes: ReturnChanges, array_limit: usize) -> Self {
        Self {
            generated_keys: Vec::new(),
            return_changes,
            array_limit,
            is_truncated: false,
            inserted: 0,
            replaced: 0,
            unchanged: 0,
            skipped: 0,
            deleted: 0,
            errors: 0,
            first_error: None,
            changes: Vec::new(),
        }
    }

    /// Counts a rejected document.
    pub(super) fn failed(&mut self, error: ReqlError, old: &Datum) {
        if self.return_changes == ReturnChanges::Always {
            self.push(Datum::object([
                ("error", error.message.as_str().into()),
                ("new_val", old.clone()),
                ("old_val", old.clone()),
            ]));
        }
        self.errors += 1;
        self.first_error.get_or_insert(error.message);
    }

    /// Sets the error to report in place of those counted later.
    pub(super) fn report_first(&mut self, error: &ReqlError) {
        self.first_error
            .get_or_insert_with(|| error.message.clone());
    }

    /// Counts a document that was written or left unchanged. Null stands for no document.
    pub(super) fn written(&mut self, old: Datum, new: Datum, is_same: bool) {
        let count = match (&old, &new) {
            (Datum::Null, Datum::Null) => &mut self.skipped,
            _ if is_same => &mut self.unchanged,
            (Datum::Null, _) => &mut self.inserted,
            (_, Datum::Null) => &mut self.deleted,
            _ => &mut self.replaced,
        };
        *count += 1;
        let wanted = match self.return_changes {
            ReturnChanges::No => false,
            ReturnChanges::Changed => !is_same,
            ReturnChanges::Always => true,
        };
        if wanted {
            self.push(Datum::object([("new_val", new), ("old_val", old)]));
        }
    }

    /// Adds the result of another batch of the same write.
    pub(super) fn add(&mut self, part: Self) {
        self.inserted += part.inserted;
        self.replaced += part.replaced;
        self.unchanged += part.unchanged;
        self.skipped += part.skipped;
        self.deleted += part.deleted;
        self.errors += part.errors;
        self.is_truncated |= part.is_truncated;
        self.first_error = self.first_error.take().or(part.first_error);
        part.changes
            .into_iter()
            .for_each(|change| self.push(change));
    }

    /// The result as ReQL returns it.
    pub(super) fn into_datum(self) -> Datum {
        let counts = [
            ("deleted", self.deleted),
            ("errors", self.errors),
            ("inserted", self.inserted),
            ("replaced", self.replaced),
            ("skipped", self.skipped),
            ("unchanged", self.unchanged),
        ];
        let mut fields: Object = counts
            .map(|(name, count)| (Arc::from(name), count.into()))
            .into();
        if let Some(error) = self.first_error {
            fields.insert("first_error".into(), error.into());
        }
        if self.return_changes != ReturnChanges::No {
            fields.insert("changes".into(), self.changes.into());
        }
        let generated = self.generated_keys.len();
        if generated > 0 {
            let mut keys = self.generated_keys;
            keys.truncate(self.array_limit);
            fields.insert("generated_keys".into(), keys.into());
        }
        if self.is_truncated {
            add_warning(&mut fields, truncated_changes(self.array_limit));
        }
        if generated > self.array_limit {
            let limit = self.array_limit;
            let warning =
                format!("Too many generated keys ({generated}), array truncated to {limit}.");
            add_warning(&mut fields, warning);
        }
        fields.into()
    }

    /// Adds a change, unless the array has reached its limit.
    fn push(&mut self, change: Datum) {
        if self.changes.len() < self.array_limit {
            self.changes.push(change);
        } else {
            self.is_truncated = true;
        }
    }
}

/// The sum of the results of several writes, as `for_each` returns it.
pub(super) struct Total {
    fields: Object,
    array_limit: usize,
    is_truncated: bool,
}

impl Total {
    /// Nothing written yet. Arrays are cut off at the limit.
    pub(super) fn new(array_limit: usize) -> Self {
        Self {
            fields: Object::new(),
            array_limit,
            is_truncated: false,
        }
    }

    /// Adds the result of one write: adds numbers, joins arrays and keeps the first string.
    ///
    /// # Errors
    /// Fields of different types.
    pub(super) fn add(&mut self, result: &Object) -> Result<(), ReqlError> {
        for (name, value) in result {
            let sum = match (self.fields.get(name), value) {
                (None, value) => value.clone(),
                (Some(Datum::Number(a)), Datum::Number(b)) => Datum::Number(a + b),
                (Some(Datum::Array(a)), Datum::Array(b)) => {
                    self.is_truncated |= a.len() + b.len() > self.array_limit;
                    let joined = a.iter().chain(b.iter()).take(self.array_limit);
                    joined.cloned().collect::<Vec<_>>().into()
                }
                (Some(first @ Datum::String(_)), Datum::String(_)) => first.clone(),
                (Some(other), value) => return Err(not_addable(other, value)),
            };
            self.fields.insert(name.clone(), sum);
        }
        Ok(())
    }

    /// The sum as ReQL returns it.
    pub(super) fn into_datum(self) -> Datum {
        let Self {
            mut fields,
            array_limit,
            is_truncated,
        } = self;
        if is_truncated {
            add_warning(&mut fields, truncated_changes(array_limit));
        }
        fields.into()
    }
}

/// RethinkDB's error for results that are not those of writes.
fn not_addable(left: &Datum, right: &Datum) -> ReqlError {
    let (left_type, right_type) = (left.type_name(), right.type_name());
    let (left, right) = (left.print_short(), right.print_short());
    ReqlError::logic(format!(
        "Cannot merge statistics `{left}` (type {left_type}) and `{right}` (type {right_type})."
    ))
}

fn truncated_changes(array_limit: usize) -> String {
    format!("Too many changes, array truncated to {array_limit}.")
}

/// Adds a warning to the result of a write, unless it has the same one already.
fn add_warning(fields: &mut Object, warning: String) {
    let warning = Datum::from(warning);
    let mut warnings = match fields.get("warnings") {
        Some(Datum::Array(warnings)) => warnings.to_vec(),
        _ => Vec::new(),
    };
    let is_known = warnings
        .iter()
        .any(|known| matches!((known, &warning), (Datum::String(a), Datum::String(b)) if a == b));
    if !is_known {
        warnings.push(warning);
    }
    fields.insert("warnings".into(), warnings.into());
}
