//! The term `for_each`.

use super::stats::Total;
use crate::engine::datum::Datum;
use crate::engine::error::ReqlError;
use crate::engine::eval::env::Env;
use crate::engine::eval::scope::Scope;
use crate::engine::eval::term::Call;
use crate::engine::eval::value::Value;

/// `for_each`: one or more writes for each element.
pub(crate) fn for_each(env: &Env, call: &Call, scope: &Scope) -> Result<Value, ReqlError> {
    let mut stream = env.eval(&call.args[0], scope)?.into_stream()?;
    stream.refuse_endless()?;
    let mut total = Total::new(env.array_limit());
    match env.eval(&call.args[1], scope)? {
        Value::Func(function) => {
            while let Some(element) = stream.next(env)? {
                let result = env.eval(function.body(), &function.bind(&[element])?)?;
                add(env, &mut total, result)?;
            }
        }
        // A write in place of a function is done once, but counts for each element: RethinkDB takes its result for a
        // constant (`CONSTANT_SHORTCUT` in `terms/writes.cc`).
        result => {
            let result = result.into_datum(env)?;
            while stream.next(env)?.is_some() {
                add(env, &mut total, Value::Datum(result.clone()))?;
            }
        }
    }
    Ok(Value::Datum(total.into_datum()))
}

/// Adds the result of a function: that of one write, or an array of them.
fn add(env: &Env, total: &mut Total, result: Value) -> Result<(), ReqlError> {
    let result = match result {
        Value::Table(_) | Value::Db(_) | Value::Func(_) | Value::Stream(_) => {
            return Err(ReqlError::logic(NO_WRITE));
        }
        other => other.into_datum(env)?,
    };
    if let Datum::Object(result) = &result {
        return total.add(result);
    }
    for result in result.as_array().map_err(not_a_write)?.iter() {
        total.add(result.as_object().map_err(not_a_write)?)?;
    }
    Ok(())
}

/// The error for a function that does not write.
const NO_WRITE: &str = "FOR_EACH expects one or more basic write queries.";

fn not_a_write(error: ReqlError) -> ReqlError {
    ReqlError::new(error.kind, format!("{NO_WRITE}  {}", error.message))
}
