//! The results of writes.

use std::sync::Arc;

use crate::engine::datum::{Datum, Object};
use crate::engine::error::ReqlError;
use crate::engine::eval::array::ARRAY_LIMIT;

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
    pub(super) fn new(return_changes: ReturnChanges) -> Self {
        Self {
            generated_keys: Vec::new(),
            return_changes,
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
        if !self.generated_keys.is_empty() {
            let keys = self
                .generated_keys
                .into_iter()
                .take(ARRAY_LIMIT)
                .collect::<Vec<_>>();
            fields.insert("generated_keys".into(), keys.into());
        }
        fields.into()
    }

    /// Adds a change, unless the array has reached its limit.
    fn push(&mut self, change: Datum) {
        if self.changes.len() < ARRAY_LIMIT {
            self.changes.push(change);
        }
    }
}

/// Adds the result of one write to a total: adds numbers, joins arrays and keeps the first string.
///
/// # Errors
/// Fields of different types.
pub(super) fn add_up(total: &mut Object, result: &Object) -> Result<(), ReqlError> {
    for (name, value) in result {
        let sum = match (total.get(name), value) {
            (None, value) => value.clone(),
            (Some(Datum::Number(a)), Datum::Number(b)) => Datum::Number(a + b),
            (Some(Datum::Array(a)), Datum::Array(b)) => {
                a.iter().chain(b.iter()).cloned().collect::<Vec<_>>().into()
            }
            (Some(first @ Datum::String(_)), Datum::String(_)) => first.clone(),
            (Some(other), value) => {
                return Err(ReqlError::expected(other.type_name(), value.type_name()));
            }
        };
        total.insert(name.clone(), sum);
    }
    Ok(())
}
