//! The variables of functions.

use std::sync::Arc;

use crate::engine::datum::Datum;
use crate::engine::error::ReqlError;

/// The variables visible to a term, innermost first. Cloning is cheap.
#[derive(Debug, Clone, Default)]
pub(crate) struct Scope(Option<Arc<Binding>>);

#[derive(Debug)]
struct Binding {
    variable: i64,
    value: Datum,
    /// `true` if `r.row` stands for this variable: the only parameter of its function.
    is_implicit: bool,
    outer: Scope,
}

impl Scope {
    /// Returns `true` if no variable is bound.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// The scope with one more variable.
    pub(super) fn bind(&self, variable: i64, value: Datum, is_implicit: bool) -> Self {
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
    /// A variable that no enclosing function declares.
    pub(crate) fn variable(&self, variable: i64) -> Result<Datum, ReqlError> {
        let found = self.find(|binding| binding.variable == variable);
        found
            .cloned()
            .ok_or_else(|| ReqlError::compile(format!("Variable name not found: {variable}.")))
    }

    /// The value of `r.row`.
    ///
    /// # Errors
    /// A term outside any function of one parameter.
    pub(crate) fn implicit(&self) -> Result<Datum, ReqlError> {
        self.find(|binding| binding.is_implicit)
            .cloned()
            .ok_or_else(|| ReqlError::compile("r.row is not defined in this context."))
    }
}
