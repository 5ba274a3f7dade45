//! The position of a term in a query, which decides whether the term is allowed there.

use super::kind::TermKind;
use crate::engine::datum::json::Node;
use crate::engine::error::ReqlError;

/// The position of a term.
///
/// The rules are those of RethinkDB's `term_walker.cc` and `terms/var.cc`.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct TermPosition {
    /// The terms around this one, innermost first. `None` for an object, or outside the query.
    parents: [Option<TermKind>; 2],
    forbids_writes: bool,
    /// The number of functions around the term whose parameter is `r.row`.
    rows: u8,
}

impl TermPosition {
    /// The position of an argument of `kind`. `is_first` is true for its first positional argument.
    pub(super) fn argument(self, kind: TermKind, is_first: bool) -> Self {
        Self {
            parents: [Some(kind), self.parents[0]],
            forbids_writes: self.forbids_writes || (!is_first && forbids_writes(kind)),
            rows: self.rows,
        }
    }

    /// The position of a field of an object.
    pub(super) fn field(self) -> Self {
        Self {
            parents: [None, self.parents[0]],
            ..self
        }
    }

    /// The position of the body of a function.
    pub(super) fn body(self, parameters: Option<&Node<'_>>) -> Self {
        Self {
            rows: self
                .rows
                .saturating_add(u8::from(parameters.is_some_and(has_one_item))),
            ..self
        }
    }

    /// Checks that a term is allowed here.
    ///
    /// # Errors
    /// RethinkDB's compile error otherwise.
    pub(super) fn check(self, kind: TermKind) -> Result<(), ReqlError> {
        if is_write(kind) && self.forbids_writes {
            return Err(ReqlError::compile(
                "Cannot nest writes or meta ops in stream operations.  Use FOR_EACH instead.",
            ));
        }
        match kind {
            TermKind::Asc if !self.accepts_direction() => Err(ReqlError::compile(
                "ASC may only be used as an argument to ORDER_BY or UNION.",
            )),
            TermKind::Desc if !self.accepts_direction() => Err(ReqlError::compile(
                "DESC may only be used as an argument to ORDER_BY or UNION.",
            )),
            TermKind::ImplicitVar if self.rows > 1 => Err(ReqlError::compile(
                "Cannot use r.row in nested queries.  Use functions instead.",
            )),
            TermKind::ImplicitVar if self.rows == 0 => {
                Err(ReqlError::compile("r.row is not defined in this context."))
            }
            _ => Ok(()),
        }
    }

    fn accepts_direction(self) -> bool {
        matches!(
            self.parents,
            [Some(TermKind::OrderBy | TermKind::Union), _]
                | [Some(TermKind::MakeArray), Some(TermKind::Union)]
        )
    }
}

/// Returns `true` for the parameters of a function of one parameter: `[2, [1]]`.
fn has_one_item(parameters: &Node<'_>) -> bool {
    match parameters {
        Node::Array(term) => {
            matches!(term.get(1), Some(Node::Array(names)) if matches!(names[..], [Node::Number(name)] if name >= 0.0))
        }
        _ => false,
    }
}

/// Returns `true` for the terms that change documents, tables or databases, or wait for one.
fn is_write(kind: TermKind) -> bool {
    use TermKind as K;
    matches!(
        kind,
        K::Update
            | K::Delete
            | K::Insert
            | K::Replace
            | K::DbCreate
            | K::DbDrop
            | K::TableCreate
            | K::TableDrop
            | K::Wait
            | K::Sync
            | K::GetWriteHook
            | K::IndexCreate
            | K::IndexDrop
            | K::IndexWait
    )
}

/// Returns `true` for the terms whose functions must not write.
fn forbids_writes(kind: TermKind) -> bool {
    use TermKind as K;
    matches!(
        kind,
        K::Map
            | K::Filter
            | K::ConcatMap
            | K::Update
            | K::Delete
            | K::Replace
            | K::Insert
            | K::Count
            | K::Sum
            | K::Avg
            | K::Min
            | K::Max
    )
}
