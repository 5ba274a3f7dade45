//! Arguments common to several terms.

use std::sync::Arc;

use super::env::{Env, Globals, array_limit_of};
use super::func::Func;
use super::scope::Scope;
use super::term::{Call, Term, TermKind};
use super::value::Value;
use crate::engine::datum::Datum;
use crate::engine::error::ReqlError;

impl Env {
    /// A function. Any other term becomes a constant function.
    ///
    /// # Errors
    /// A malformed function.
    pub(super) fn func_or_constant(&self, term: &Term, scope: &Scope) -> Result<Func, ReqlError> {
        match term {
            Term::Call(call) if call.kind == TermKind::Func => Func::new(call, scope),
            other => Ok(Func::constant(other.clone(), scope)),
        }
    }

    /// A function.
    ///
    /// # Errors
    /// Any other value.
    pub(super) fn func(&self, term: &Term, scope: &Scope) -> Result<Func, ReqlError> {
        match self.eval(term, scope)? {
            Value::Func(function) => Ok(function),
            other => Err(other.mistyped(self, "FUNCTION")),
        }
    }

    /// A function. A string becomes the function that gets the field of this name.
    ///
    /// # Errors
    /// Any other value.
    pub(super) fn func_or_field(&self, term: &Term, scope: &Scope) -> Result<Func, ReqlError> {
        match self.eval(term, scope)? {
            Value::Func(function) => Ok(function),
            other => Ok(Func::field(other.into_datum(self)?.as_str()?)),
        }
    }

    /// The name of a database.
    ///
    /// # Errors
    /// Any other value.
    pub(super) fn db(&self, term: &Term, scope: &Scope) -> Result<Arc<str>, ReqlError> {
        match self.eval(term, scope)? {
            Value::Db(name) => Ok(name),
            other => Err(other.mistyped(self, "DATABASE")),
        }
    }

    /// Returns `true` if the option `left_bound` or `right_bound` excludes its end of the range.
    ///
    /// # Errors
    /// Anything but `open` and `closed`.
    pub(super) fn is_open(
        &self,
        call: &Call,
        scope: &Scope,
        name: &str,
        default: bool,
    ) -> Result<bool, ReqlError> {
        let Some(bound) = call.optarg(name) else {
            return Ok(default);
        };
        let bound = self.datum(bound, scope)?;
        match &**bound.as_str()? {
            "open" => Ok(true),
            "closed" => Ok(false),
            _ => Err(ReqlError::logic(format!(
                "Expected `open` or `closed` for optarg `{name}` (got `{}`).",
                bound.print()
            ))),
        }
    }

    /// An optional argument that is true or false; absent means false.
    ///
    /// # Errors
    /// The first failure in it.
    pub(super) fn flag(&self, call: &Call, scope: &Scope, name: &str) -> Result<bool, ReqlError> {
        Ok(self
            .optarg(call, scope, name)?
            .is_some_and(|flag| flag.is_truthy()))
    }

    /// The value of an optional argument.
    ///
    /// # Errors
    /// The first failure in it.
    pub(super) fn optarg(
        &self,
        call: &Call,
        scope: &Scope,
        name: &str,
    ) -> Result<Option<Datum>, ReqlError> {
        call.optarg(name)
            .map(|value| self.datum(value, scope))
            .transpose()
    }
}

/// Evaluates the global optional arguments of a query.
///
/// # Errors
/// The first failure in them, or an invalid `array_limit`.
pub(crate) fn globals(optargs: &[(Arc<str>, Term)]) -> Result<Globals, ReqlError> {
    // Detached, because the environment of the query is built from the result.
    let env = Env::detached();
    let evaluate = |(name, term): &(Arc<str>, Term)| {
        let value = match env.eval(term, &Scope::default())? {
            Value::Db(db) => Datum::String(db),
            other => other.into_datum(&env)?,
        };
        Ok((Arc::clone(name), value))
    };
    let globals: Globals = optargs.iter().map(evaluate).collect::<Result<_, _>>()?;
    array_limit_of(&globals)?;
    Ok(globals)
}
