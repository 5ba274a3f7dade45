//! The term `for_each`.

use super::stats::add_up;
use crate::engine::datum::{Datum, Object};
use crate::engine::error::ReqlError;
use crate::engine::eval::env::Env;
use crate::engine::eval::scope::Scope;
use crate::engine::eval::term::Call;
use crate::engine::eval::value::Value;

/// `for_each`: one or more writes for each element.
pub(crate) fn for_each(env: &Env, call: &Call, scope: &Scope) -> Result<Value, ReqlError> {
    const FAILURE: &str = "FOR_EACH expects one or more basic write queries.";
    let mut stream = env.eval(&call.args[0], scope)?.into_stream()?;
    stream.refuse_feed()?;
    let Value::Func(function) = env.eval(&call.args[1], scope)? else {
        return Err(ReqlError::logic(FAILURE));
    };
    let mut total = Object::new();
    while let Some(element) = stream.next(env)? {
        let results = match env
            .eval(function.body(), &function.bind(&[element])?)?
            .into_datum(env)?
        {
            Datum::Array(results) => results.to_vec(),
            result => vec![result],
        };
        for result in results {
            let Datum::Object(result) = result else {
                return Err(ReqlError::logic(FAILURE));
            };
            add_up(&mut total, &result)?;
        }
    }
    Ok(Value::Datum(total.into()))
}
