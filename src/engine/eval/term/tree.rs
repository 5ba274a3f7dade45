//! The tree of terms.

use std::sync::Arc;

use super::kind::TermKind;
use crate::engine::datum::Datum;
use crate::engine::error::ReqlError;
use crate::engine::eval::scope::Scope;

/// A term of a query. Cloning is cheap.
#[derive(Debug, Clone)]
pub(crate) enum Term {
    /// A constant.
    Datum(Datum),
    /// An object with at least one value that must be evaluated.
    Object(Arc<[(Arc<str>, Term)]>),
    /// Any other term.
    Call(Arc<Call>),
    /// An invalid constant. As in RethinkDB, the error is raised when it is evaluated.
    Invalid(ReqlError),
}

/// A term with arguments.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    pub(crate) kind: TermKind,
    pub(crate) args: Vec<Term>,
    pub(crate) optargs: Vec<(Arc<str>, Term)>,
}

impl Term {
    /// A term without optional arguments.
    pub(crate) fn call(kind: TermKind, args: Vec<Term>) -> Self {
        Self::Call(Arc::new(Call {
            kind,
            args,
            optargs: Vec::new(),
        }))
    }

    /// The term with the values of the variables of `scope` in their places, to be evaluated elsewhere.
    pub(crate) fn closed(&self, scope: &Scope) -> Self {
        if scope.is_empty() {
            return self.clone();
        }
        match self {
            Self::Datum(_) | Self::Invalid(_) => self.clone(),
            Self::Object(fields) => {
                let fields = fields.iter();
                Self::Object(
                    fields
                        .map(|(name, term)| (name.clone(), term.closed(scope)))
                        .collect(),
                )
            }
            Self::Call(call) => match (call.kind, &call.args[..]) {
                (TermKind::Var, [Self::Datum(variable)]) => {
                    // One without a value is a parameter of a function in this term.
                    let value = variable.as_integer().and_then(|it| scope.variable(it));
                    value.map_or_else(|_| self.clone(), Self::Datum)
                }
                _ => Self::Call(Arc::new(Call {
                    kind: call.kind,
                    args: call.args.iter().map(|arg| arg.closed(scope)).collect(),
                    optargs: (call.optargs.iter())
                        .map(|(name, term)| (name.clone(), term.closed(scope)))
                        .collect(),
                })),
            },
        }
    }

    /// Returns `true` if every evaluation in one query yields the same value. `update` and `changes` reject any other
    /// term.
    pub(crate) fn is_deterministic(&self) -> bool {
        self.all_calls(&Call::is_deterministic)
    }

    /// Returns `true` if every evaluation yields the same value, also in other queries. Indexes reject any other term.
    pub(crate) fn is_constant(&self) -> bool {
        self.is_deterministic() && !self.uses_now()
    }

    /// Returns `true` if the value depends on the time of the query. Within a query it is always the same.
    pub(crate) fn uses_now(&self) -> bool {
        !self.all_calls(&|call| call.kind != TermKind::Now)
    }

    /// Returns `true` if this only opens a feed of a table, or of rows that constants name: no document is read.
    pub(crate) fn only_opens_feed(&self) -> bool {
        use TermKind::{Between, Changes, Db, GetAll, MakeArray, Table};
        matches!(self, Self::Call(call) if call.kind == Changes && call.optarg("include_initial").is_none())
            && self.all_calls(&|call| {
                matches!(
                    call.kind,
                    Changes | Between | Db | GetAll | MakeArray | Table
                )
            })
    }

    /// Returns `true` if each call in the term is accepted.
    fn all_calls(&self, accepts: &dyn Fn(&Call) -> bool) -> bool {
        match self {
            Self::Datum(_) | Self::Invalid(_) => true,
            Self::Object(fields) => fields.iter().all(|(_, value)| value.all_calls(accepts)),
            Self::Call(call) => accepts(call) && call.parts().all(|part| part.all_calls(accepts)),
        }
    }
}

impl Call {
    /// Returns `true` if the term yields the same value for the same arguments.
    fn is_deterministic(&self) -> bool {
        match self.kind {
            TermKind::Table | TermKind::Changes | TermKind::DbList | TermKind::TableList => false,
            // A UUID named by a string is always the same.
            TermKind::Uuid => !self.args.is_empty(),
            _ => true,
        }
    }

    /// The same term with other arguments.
    ///
    /// # Errors
    /// A number of arguments that the term does not accept.
    pub(crate) fn with_args(&self, args: Vec<Term>) -> Result<Self, ReqlError> {
        match self.kind.wrong_count(args.len()) {
            Some(message) => Err(ReqlError::logic(message)),
            None => Ok(Self {
                kind: self.kind,
                args,
                optargs: self.optargs.clone(),
            }),
        }
    }

    /// All arguments.
    fn parts(&self) -> impl Iterator<Item = &Term> {
        self.args
            .iter()
            .chain(self.optargs.iter().map(|(_, value)| value))
    }

    /// Returns `true` if an argument is `args`. The number of arguments is then unknown until it is evaluated.
    pub(crate) fn has_args(&self) -> bool {
        self.args
            .iter()
            .any(|arg| matches!(arg, Term::Call(call) if call.kind == TermKind::Args))
    }

    /// The optional argument with a name.
    pub(crate) fn optarg(&self, name: &str) -> Option<&Term> {
        self.optargs
            .iter()
            .find(|(other, _)| &**other == name)
            .map(|(_, term)| term)
    }
}
