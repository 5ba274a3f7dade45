//! Dispatch of terms to their functions.

use std::sync::Arc;

use super::env::Env;
use super::func::Func;
use super::scope::Scope;
use super::term::{Call, Term, TermKind};
use super::value::Value;
use super::{
    admin, aggregate, arithmetic, array, coerce, control, feed, info, merge, object, seq, slice,
    sort, table, text, time, union, write,
};
use crate::engine::datum::Datum;
use crate::engine::error::ReqlError;

impl Env {
    /// Evaluates a term.
    ///
    /// # Errors
    /// The first failure in it.
    pub(crate) fn eval(&self, term: &Term, scope: &Scope) -> Result<Value, ReqlError> {
        match term {
            Term::Datum(datum) => self.constant(datum).map(Value::Datum),
            Term::Object(fields) => object::make(self, fields, scope).map(Value::Datum),
            Term::Call(call) => self.eval_call(call, scope),
            Term::Invalid(error) => Err(error.clone()),
        }
    }

    /// Evaluates a term to a datum.
    ///
    /// # Errors
    /// The first failure in it, or a value that is not a datum.
    pub(crate) fn datum(&self, term: &Term, scope: &Scope) -> Result<Datum, ReqlError> {
        match term {
            Term::Datum(datum) => self.constant(datum),
            term => self.eval(term, scope)?.into_datum(self),
        }
    }

    fn constant(&self, datum: &Datum) -> Result<Datum, ReqlError> {
        self.check_constant(datum)?;
        Ok(datum.clone())
    }

    fn eval_call(&self, call: &Arc<Call>, scope: &Scope) -> Result<Value, ReqlError> {
        use TermKind as K;
        if call.has_args() {
            match call.kind {
                // Before the arguments are expanded to constants, which are always deterministic.
                K::Update | K::Replace => write::check_deterministic(self, call, scope)?,
                K::OrderBy => {
                    return Err(ReqlError::logic(
                        "r.args is not supported in an order_by or union command yet.",
                    ));
                }
                _ => {}
            }
            return self.eval_call(&self.expand_args(call, scope)?, scope);
        }
        let datum = |value: Result<Datum, ReqlError>| value.map(Value::Datum);
        match call.kind {
            K::MakeArray => datum(array::make(self, call, scope)),
            K::MakeObj => datum(Ok(Datum::object([]))),
            K::Var => datum(scope.variable(self.datum(&call.args[0], scope)?.as_integer()?)),
            K::ImplicitVar => datum(scope.implicit()),
            K::Error => Err(control::error(self, call, scope)?),
            K::Func => Func::new(call, scope).map(Value::Func),
            K::Funcall => control::funcall(self, call, scope),
            K::Db => table::db(self, call, scope),
            K::Table => table::table(self, call, scope),
            K::Get => table::get(self, call, scope),
            K::GetAll => table::get_all(self, call, scope),
            K::Between => table::between(self, call, scope),
            K::MinVal => Ok(Value::MinVal),
            K::MaxVal => Ok(Value::MaxVal),
            K::Eq | K::Ne | K::Lt | K::Le | K::Gt | K::Ge => {
                datum(control::comparison(self, call, scope))
            }
            K::Not => datum(control::not(self, call, scope)),
            K::And | K::Or => datum(control::logic(self, call, scope)),
            K::Add | K::Sub | K::Mul | K::Div => datum(arithmetic::arithmetic(self, call, scope)),
            K::Mod => datum(arithmetic::modulo(self, call, scope)),
            K::Floor | K::Ceil | K::Round => datum(arithmetic::rounding(self, call, scope)),
            K::Append | K::Prepend | K::SetDifference => datum(array::change(self, call, scope)),
            K::Branch => control::branch(self, call, scope),
            K::Default => control::default(self, call, scope),
            K::Match => datum(text::find_match(self, call, scope)),
            K::Iso8601 | K::ToIso8601 | K::EpochTime | K::ToEpochTime | K::Now => {
                datum(time::evaluate(self, call, scope))
            }
            K::Uuid => datum(text::uuid(self, call, scope)),
            K::GetField | K::Bracket => object::bracket(self, call, scope),
            K::HasFields | K::WithFields | K::Pluck | K::Without => {
                object::fields(self, call, scope)
            }
            K::Merge => object::merge(self, call, scope),
            K::Literal => Err(merge::stray_literal()),
            K::Keys | K::Values => object::entries(self, call, scope),
            K::Map | K::Filter | K::ConcatMap => seq::transform(self, call, scope),
            K::Skip | K::Limit | K::Slice => slice::cut(self, call, scope),
            K::Nth => slice::nth(self, call, scope),
            K::Count => aggregate::count(self, call, scope),
            K::Contains => seq::contains(self, call, scope),
            K::IsEmpty => seq::is_empty(self, call, scope),
            K::Sum | K::Avg | K::Min | K::Max => aggregate::aggregate(self, call, scope),
            K::Distinct => seq::distinct(self, call, scope),
            K::Union => union::union(self, call, scope),
            K::Range => seq::range(self, call, scope),
            K::Asc | K::Desc => sort::order_key(self, call, scope),
            K::OrderBy => sort::order_by(self, call, scope),
            K::CoerceTo => coerce::coerce_to(self, call, scope),
            // As an argument of another term it was expanded above.
            K::Args => Err(ReqlError::logic("`args` can only be used as an argument.")),
            K::Binary => datum(coerce::binary(self, call, scope)),
            K::TypeOf => datum(coerce::type_of(self, call, scope)),
            K::Info => datum(info::info(self, call, scope)),
            K::Insert => write::insert(self, call, scope),
            K::Update | K::Replace | K::Delete => write::change(self, call, scope),
            K::ForEach => write::for_each(self, call, scope),
            K::DbCreate => admin::db_create(self, call, scope),
            K::DbDrop => admin::db_drop(self, call, scope),
            K::DbList => admin::db_list(self),
            K::TableCreate => admin::table_create(self, call, scope),
            K::TableDrop => admin::table_drop(self, call, scope),
            K::TableList => admin::table_list(self, call, scope),
            K::IndexCreate => admin::index_create(self, call, scope),
            K::IndexDrop => admin::index_drop(self, call, scope),
            K::IndexList => admin::index_list(self, call, scope),
            K::IndexRename => admin::index_rename(self, call, scope),
            K::IndexStatus => admin::index_status(self, call, scope),
            K::IndexWait => admin::index_wait(self, call, scope),
            K::Config | K::Status => admin::describe(self, call, scope),
            K::Wait => admin::wait(self, call, scope),
            K::Sync => admin::sync(self, call, scope),
            // The engine has no write hooks, so every table is without one.
            K::GetWriteHook => self
                .eval(&call.args[0], scope)?
                .into_table(self)
                .map(|_| Value::Datum(Datum::Null)),
            K::Changes => feed::changes(self, call, scope),
        }
    }

    /// Replaces each `args` argument with the items of its array.
    fn expand_args(&self, call: &Call, scope: &Scope) -> Result<Arc<Call>, ReqlError> {
        let mut args = Vec::with_capacity(call.args.len());
        for arg in &call.args {
            match arg {
                Term::Call(inner) if inner.kind == TermKind::Args => {
                    let items = self.eval(&inner.args[0], scope)?.materialize(self)?;
                    args.extend(items.as_array()?.iter().cloned().map(Term::Datum));
                }
                other => args.push(other.clone()),
            }
        }
        call.with_args(args).map(Arc::new)
    }
}
