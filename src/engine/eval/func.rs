//! Functions and what their variables are bound to.

use std::sync::Arc;

use super::Env;
use crate::engine::datum::Datum;
use crate::engine::error::ReqlError;
use crate::engine::eval::term::{Call, Term, TermKind};

/// The bindings that a term can see, innermost first.
#[derive(Debug, Clone, Default)]
pub(crate) struct Scope(Option<Arc<Binding>>);

#[derive(Debug)]
struct Binding {
    variable: i64,
    value: Datum,
    /// Whether `r.row` means this one: the variable of a function that has no other.
    is_implicit: bool,
    outer: Scope,
}

impl Scope {
    /// Whether nothing is bound: the term means the same wherever it stands.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    fn bind(&self, variable: i64, value: Datum, is_implicit: bool) -> Self {
        Self(Some(Arc::new(Binding {
            variable,
            value,
            is_implicit,
            outer: self.clone(),
        })))
    }

    fn find(&self, wanted: impl Fn(&Binding) -> bool) -> Option<&Datum> {
        let mut scope = self;
        while let Some(binding) = &scope.0 {
            if wanted(binding) {
                return Some(&binding.value);
            }
            scope = &binding.outer;
        }
        None
    }

    /// The value of a variable.
    ///
    /// # Errors
    /// A variable that no function around it declares.
    pub(crate) fn variable(&self, variable: i64) -> Result<Datum, ReqlError> {
        let found = self.find(|binding| binding.variable == variable);
        found
            .cloned()
            .ok_or_else(|| ReqlError::compile(format!("Variable name not found: {variable}.")))
    }

    /// The value of `r.row`.
    ///
    /// # Errors
    /// When there is no function around it.
    pub(crate) fn implicit(&self) -> Result<Datum, ReqlError> {
        self.find(|binding| binding.is_implicit)
            .cloned()
            .ok_or_else(|| ReqlError::compile("r.row is not defined in this context."))
    }
}

/// A function with the bindings of the place where it was written.
#[derive(Debug, Clone)]
pub(crate) struct Func {
    parameters: Arc<[i64]>,
    body: Term,
    scope: Scope,
}

impl Func {
    /// The function that a `FUNC` term describes: `[[2,[parameters…]], body]`.
    ///
    /// # Errors
    /// Parameters that are no list of numbers.
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

    /// A function that is always the same value: what stands where a function could.
    pub(crate) fn constant(body: Term, scope: &Scope) -> Self {
        Self {
            parameters: Arc::from([]),
            body,
            scope: scope.clone(),
        }
    }

    /// The function that takes a field out of its argument.
    pub(crate) fn field(name: &str) -> Self {
        const ROW: i64 = -1;
        let row = Term::call(TermKind::Var, vec![Term::Datum(Datum::Number(ROW as f64))]);
        let body = Term::call(TermKind::Bracket, vec![row, Term::Datum(name.into())]);
        Self {
            parameters: Arc::from([ROW]),
            body,
            scope: Scope::default(),
        }
    }

    /// Whether it gives the same value for the same arguments, always.
    pub(crate) fn is_deterministic(&self) -> bool {
        self.body.is_deterministic()
    }

    /// What the function says.
    pub(crate) fn body(&self) -> &Term {
        &self.body
    }

    /// Whether it looks at its arguments at all.
    pub(crate) fn is_constant(&self) -> bool {
        self.parameters.is_empty()
    }

    /// Whether it can be called with so many arguments.
    pub(crate) fn takes(&self, arguments: usize) -> bool {
        self.parameters.is_empty() || self.parameters.len() == arguments
    }

    /// Evaluates the function.
    ///
    /// # Errors
    /// Another number of arguments than it has parameters, and whatever fails in its body.
    pub(crate) fn call(&self, env: &Env, arguments: &[Datum]) -> Result<Datum, ReqlError> {
        env.eval(&self.body, &self.bind(arguments)?)?
            .into_datum(env)
    }

    /// The bindings that the body sees.
    ///
    /// # Errors
    /// Another number of arguments than it has parameters.
    pub(crate) fn bind(&self, arguments: &[Datum]) -> Result<Scope, ReqlError> {
        if !self.parameters.is_empty() && self.parameters.len() != arguments.len() {
            let (wanted, found) = (self.parameters.len(), arguments.len());
            let plural = if wanted == 1 { "" } else { "s" };
            return Err(ReqlError::logic(format!(
                "Expected function with {found} argument{} but found function with {wanted} argument{plural}.",
                if found == 1 { "" } else { "s" },
            )));
        }
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
