//! Arithmetic on numbers, times, strings and arrays.

use super::env::Env;
use super::scope::Scope;
use super::term::{Call, TermKind};
use super::time::later;
use crate::engine::datum::{Datum, Time};
use crate::engine::error::{ErrorKind, ReqlError};

/// The longest string that a term may build: as long as the longest query (`MAX_QUERY_SIZE` in RethinkDB's
/// `client_protocol/protocols.hpp`).
const MAX_TEXT_BYTES: usize = 134_217_727;

/// `add`, `sub`, `mul` and `div`, evaluated from the left.
pub(crate) fn arithmetic(env: &Env, call: &Call, scope: &Scope) -> Result<Datum, ReqlError> {
    let mut result = env.datum(&call.args[0], scope)?;
    // With one argument, only `add` accepts any type.
    if call.args.len() == 1 && call.kind != TermKind::Add {
        result.as_number()?;
    }
    for other in &call.args[1..] {
        env.check_interrupted()?;
        let other = env.datum(other, scope)?;
        result = match call.kind {
            TermKind::Add => add(env, &result, &other)?,
            TermKind::Sub => sub(&result, &other)?,
            TermKind::Mul => mul(env, &result, &other)?,
            _ => div(&result, &other)?,
        };
    }
    Ok(result)
}

fn add(env: &Env, a: &Datum, b: &Datum) -> Result<Datum, ReqlError> {
    match a {
        Datum::Time(time) => later(time, b.as_number()?),
        Datum::Number(a) => match b {
            Datum::Time(time) => later(time, *a),
            b => finite(a + b.as_number()?),
        },
        Datum::String(a) => {
            let b = b.as_str()?;
            if a.len() + b.len() > MAX_TEXT_BYTES {
                return Err(ReqlError::new(
                    ErrorKind::ResourceLimit,
                    "The text is too long.",
                ));
            }
            Ok(format!("{a}{b}").into())
        }
        Datum::Array(a) => {
            let b = b.as_array()?;
            env.check_length(a.len() + b.len())?;
            Ok(a.iter().chain(b.iter()).cloned().collect::<Vec<_>>().into())
        }
        other => Err(ReqlError::expected("NUMBER", other.type_name())),
    }
}

fn sub(a: &Datum, b: &Datum) -> Result<Datum, ReqlError> {
    match (a, b) {
        (Datum::Time(a), Datum::Time(b)) => {
            // The difference of two whole numbers of milliseconds is one, too, but not always as doubles.
            finite(Time::round(a.epoch_seconds - b.epoch_seconds))
        }
        (Datum::Time(a), b) => later(a, -b.as_number()?),
        (a, b) => finite(a.as_number()? - b.as_number()?),
    }
}

fn mul(env: &Env, a: &Datum, b: &Datum) -> Result<Datum, ReqlError> {
    let (items, times) = match (a, b) {
        (Datum::Array(items), times) | (times, Datum::Array(items)) => (items, times.as_integer()?),
        (a, b) => return finite(a.as_number()? * b.as_number()?),
    };
    let times = usize::try_from(times)
        .map_err(|_| ReqlError::logic("Cannot multiply an ARRAY by a negative number."))?;
    env.check_length(items.len().saturating_mul(times))?;
    Ok(items
        .iter()
        .cycle()
        .take(items.len() * times)
        .cloned()
        .collect::<Vec<_>>()
        .into())
}

fn div(a: &Datum, b: &Datum) -> Result<Datum, ReqlError> {
    let (dividend, divisor) = (a.as_number()?, b.as_number()?);
    if divisor == 0.0 {
        return Err(ReqlError::logic("Cannot divide by zero."));
    }
    finite(dividend / divisor)
}

/// A finite number.
///
/// # Errors
/// An infinity or NaN.
pub(crate) fn finite(number: f64) -> Result<Datum, ReqlError> {
    if number.is_finite() {
        return Ok(number.into());
    }
    let number = number.to_string().to_lowercase();
    Err(ReqlError::logic(format!("Non-finite number: {number}")))
}

/// `mod`.
pub(crate) fn modulo(env: &Env, call: &Call, scope: &Scope) -> Result<Datum, ReqlError> {
    let (a, b) = (
        env.datum(&call.args[0], scope)?.as_integer()?,
        env.datum(&call.args[1], scope)?.as_integer()?,
    );
    if b == 0 {
        return Err(ReqlError::logic("Cannot take a number modulo 0."));
    }
    Ok(Datum::Number((a % b) as f64))
}

/// `floor`, `ceil` and `round`.
pub(crate) fn rounding(env: &Env, call: &Call, scope: &Scope) -> Result<Datum, ReqlError> {
    let number = env.datum(&call.args[0], scope)?.as_number()?;
    Ok(Datum::Number(match call.kind {
        TermKind::Floor => number.floor(),
        TermKind::Ceil => number.ceil(),
        _ => number.round(),
    }))
}
