//! Functions.

use std::sync::Arc;

use super::env::Env;
use super::scope::Scope;
use super::term::{Call, Term, TermKind};
use crate::engine::datum::Datum;
use crate::engine::error::ReqlError;

/// A function and the scope in which it was defined.
#[derive(Debug, Clone)]
pub(crate) struct Func {
    parameters: Arc<[i64]>,
    body: Term,
    scope: Scope,
}

impl Func {
    /// The function of a `FUNC` term: `[[2,[parameters…]], body]`.
    ///
    /// # Errors
    /// Parameters that are not numbers.
    pub(crate) fn new(call: &Call, scope: &Scope) -> Result<Self, ReqlError> {
        let Term::Datum(Datum::Array(parameters)) = &call.args[0] else {
            return Err(ReqlError::compile(
                "Expected the parameters of a function as an array of numbers.",
            ));
        };
        let parameters = parameters
            .iter()
            .map(Datum::as_integer)
            .collect::<Result<Vec<_>, _>>()?;
        Ok(Self {
            parameters: parameters.into(),
            body: call.args[1].clone(),
            scope: scope.clone(),
        })
    }

    /// A function without parameters, for a value used in place of a function.
    pub(crate) fn constant(body: Term, scope: &Scope) -> Self {
        Self {
            parameters: Arc::from([]),
            body,
            scope: scope.clone(),
        }
    }

    /// The function that gets a field of its argument.
    pub(crate) fn field(name: &str) -> Self {
        // Drivers number their variables from 1, so this one shadows none.
        const ROW: i64 = -1;
        let row = Term::call(TermKind::Var, vec![Term::Datum(Datum::Number(ROW as f64))]);
        let body = Term::call(TermKind::Bracket, vec![row, Term::Datum(name.into())]);
        Self {
            parameters: Arc::from([ROW]),
            body,
            scope: Scope::default(),
        }
    }

    /// Returns `true` if equal arguments always yield equal results.
    pub(crate) fn is_deterministic(&self) -> bool {
        self.body.is_deterministic()
    }

    /// The term that the function evaluates.
    pub(crate) fn body(&self) -> &Term {
        &self.body
    }

    /// Returns `true` if the function can be called with this number of arguments.
    pub(crate) fn takes(&self, arguments: usize) -> bool {
        self.parameters.is_empty() || self.parameters.len() == arguments
    }

    /// The number of parameters.
    pub(crate) fn arity(&self) -> usize {
        self.parameters.len()
    }

    /// Returns `true` if the result is an object to compare with instead of a condition: the function is a value in
    /// place of one, or its body is an object.
    pub(crate) fn is_pattern(&self) -> bool {
        self.parameters.is_empty()
            || matches!(self.body, Term::Object(_) | Term::Datum(Datum::Object(_)))
    }

    /// Calls the function.
    ///
    /// # Errors
    /// A wrong number of arguments, or a failure in the body.
    pub(crate) fn call(&self, env: &Env, arguments: &[Datum]) -> Result<Datum, ReqlError> {
        env.eval(&self.body, &self.bind(arguments)?)?
            .into_datum(env)
    }

    /// The scope of the body for a call.
    ///
    /// # Errors
    /// A wrong number of arguments.
    pub(crate) fn bind(&self, arguments: &[Datum]) -> Result<Scope, ReqlError> {
        if !self.parameters.is_empty() && self.parameters.len() != arguments.len() {
            let (wanted, found) = (self.parameters.len(), arguments.len());
            let plural = if wanted == 1 { "" } else { "s" };
            return Err(ReqlError::logic(format!(
                "Expected function with {found} argument{} but found function with {wanted} argument{plural}.",
                if found == 1 { "" } else { "s" },
            )));
        }
        // In a function of several parameters, `r.row` would be ambiguous.
        let is_implicit = self.parameters.len() == 1;
        let bind = |scope: Scope, (variable, value): (&i64, &Datum)| {
            scope.bind(*variable, value.clone(), is_implicit)
        };
        Ok(self
            .parameters
            .iter()
            .zip(arguments)
            .fold(self.scope.clone(), bind))
    }
}
