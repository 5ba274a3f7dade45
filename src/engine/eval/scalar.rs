//! Arithmetic, logic, comparisons, text and time.

use std::cmp::Ordering;

use regex::Regex;

use super::func::Scope;
use super::value::{ARRAY_LIMIT, Value};
use super::{Env, MAX_TEXT_BYTES};
use crate::engine::datum::{Datum, Time};
use crate::engine::error::{ErrorKind, ReqlError};
use crate::engine::eval::term::{Call, TermKind};

/// `add`, `sub`, `mul` and `div`, from the left.
pub(crate) fn arithmetic(env: &Env, call: &Call, scope: &Scope) -> Result<Datum, ReqlError> {
    let mut result = env.datum(&call.args[0], scope)?;
    if call.args.len() == 1 && call.kind != TermKind::Add {
        result.as_number()?;
    }
    for other in &call.args[1..] {
        env.check_interrupted()?;
        let other = env.datum(other, scope)?;
        result = match call.kind {
            TermKind::Add => add(&result, &other)?,
            TermKind::Sub => sub(&result, &other)?,
            TermKind::Mul => mul(&result, &other)?,
            _ => {
                let (dividend, divisor) = (result.as_number()?, other.as_number()?);
                if divisor == 0.0 {
                    return Err(ReqlError::logic("Cannot divide by zero."));
                }
                finite(dividend / divisor)?
            }
        };
    }
    Ok(result)
}

fn add(a: &Datum, b: &Datum) -> Result<Datum, ReqlError> {
    match a {
        Datum::Time(time) => moved(time, b.as_number()?),
        Datum::Number(a) => match b {
            Datum::Time(time) => moved(time, *a),
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
            check_length(a.len() + b.len())?;
            Ok(a.iter().chain(b.iter()).cloned().collect::<Vec<_>>().into())
        }
        other => Err(ReqlError::expected("NUMBER", other.type_name())),
    }
}

fn sub(a: &Datum, b: &Datum) -> Result<Datum, ReqlError> {
    match (a, b) {
        (Datum::Time(a), Datum::Time(b)) => finite(a.epoch_seconds - b.epoch_seconds),
        (Datum::Time(a), b) => moved(a, -b.as_number()?),
        (a, b) => finite(a.as_number()? - b.as_number()?),
    }
}

/// A time so many seconds later.
fn moved(time: &Time, seconds: f64) -> Result<Datum, ReqlError> {
    finite(time.epoch_seconds + seconds)?;
    Ok(Datum::Time(Time::new(
        time.epoch_seconds + seconds,
        time.timezone.clone(),
    )))
}

fn mul(a: &Datum, b: &Datum) -> Result<Datum, ReqlError> {
    let (items, times) = match (a, b) {
        (Datum::Array(items), times) | (times, Datum::Array(items)) => (items, times.as_integer()?),
        (a, b) => return finite(a.as_number()? * b.as_number()?),
    };
    let times = usize::try_from(times)
        .map_err(|_| ReqlError::logic("Cannot multiply an ARRAY by a negative number."))?;
    check_length(items.len().saturating_mul(times))?;
    Ok(items
        .iter()
        .cycle()
        .take(items.len() * times)
        .cloned()
        .collect::<Vec<_>>()
        .into())
}

/// A number that a double can hold.
///
/// # Errors
/// Infinity and what is no number.
pub(crate) fn finite(number: f64) -> Result<Datum, ReqlError> {
    if number.is_finite() {
        return Ok(number.into());
    }
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

/// `eq`, `ne`, `lt`, `le`, `gt` and `ge`, between each argument and the next.
pub(crate) fn comparison(env: &Env, call: &Call, scope: &Scope) -> Result<Datum, ReqlError> {
    let mut left = env.datum(&call.args[0], scope)?;
    for right in &call.args[1..] {
        let right = env.datum(right, scope)?;
        let order = left.compare(&right)?;
        let holds = match call.kind {
            TermKind::Lt => order == Ordering::Less,
            TermKind::Le => order != Ordering::Greater,
            TermKind::Gt => order == Ordering::Greater,
            TermKind::Ge => order != Ordering::Less,
            _ => order == Ordering::Equal,
        };
        if !holds {
            return Ok((call.kind == TermKind::Ne).into());
        }
        left = right;
    }
    Ok((call.kind != TermKind::Ne).into())
}

/// `and` and `or`: the first value that decides, or the last one.
pub(crate) fn logic(env: &Env, call: &Call, scope: &Scope) -> Result<Datum, ReqlError> {
    let is_and = call.kind == TermKind::And;
    let mut last = Datum::Bool(is_and);
    for arg in &call.args {
        last = env.datum(arg, scope)?;
        if last.is_truthy() != is_and {
            break;
        }
    }
    Ok(last)
}

/// `branch`: the value after the first test that holds, or the last one.
pub(crate) fn branch(env: &Env, call: &Call, scope: &Scope) -> Result<Value, ReqlError> {
    if call.args.len().is_multiple_of(2) {
        return Err(ReqlError::logic(
            "Cannot call `branch` term with an even number of arguments.",
        ));
    }
    for pair in call.args.chunks(2) {
        match pair {
            [test, value] => {
                if env.datum(test, scope)?.is_truthy() {
                    return env.eval(value, scope);
                }
            }
            [otherwise] => return env.eval(otherwise, scope),
            _ => break,
        }
    }
    Ok(Value::Datum(Datum::Null))
}

/// `default`: another value where the first is null or missing. A user's error is not caught.
pub(crate) fn default(env: &Env, call: &Call, scope: &Scope) -> Result<Value, ReqlError> {
    let missing = match env.eval(&call.args[0], scope) {
        Ok(Value::Datum(Datum::Null)) => None,
        Ok(Value::Row(row)) if matches!(row.value, Datum::Null) => None,
        Ok(value) => return Ok(value),
        Err(error) if error.kind == ErrorKind::NonExistence => Some(error),
        Err(error) => return Err(error),
    };
    let other = env.func_or_constant(&call.args[1], scope)?;
    let message = missing.map_or(Datum::Null, |error| error.message.into());
    other.call(env, &[message]).map(Value::Datum)
}

/// `match`: the first place where a regular expression fits a text, or null.
pub(crate) fn find_match(env: &Env, call: &Call, scope: &Scope) -> Result<Datum, ReqlError> {
    let text = env.datum(&call.args[0], scope)?.as_str()?.clone();
    let pattern = env.datum(&call.args[1], scope)?.as_str()?.clone();
    let regex = Regex::new(&pattern).map_err(|error| {
        ReqlError::logic(format!(
            "Error in regexp `{pattern}` (portion `{pattern}`): {error}"
        ))
    })?;
    let Some(captures) = regex.captures(&text) else {
        return Ok(Datum::Null);
    };
    // RethinkDB counts in bytes.
    let place = |found: regex::Match<'_>| {
        let fields = [
            ("str", Datum::from(found.as_str())),
            ("start", found.start().into()),
        ];
        (fields, found.end())
    };
    let whole = captures.get(0).map(place);
    let groups: Vec<Datum> = captures
        .iter()
        .skip(1)
        .map(|group| {
            group.map_or(Datum::Null, |group| {
                let (fields, end) = place(group);
                Datum::object(fields.into_iter().chain([("end", end.into())]))
            })
        })
        .collect();
    let Some((fields, end)) = whole else {
        return Ok(Datum::Null);
    };
    Ok(Datum::object(
        fields
            .into_iter()
            .chain([("end", end.into()), ("groups", groups.into())]),
    ))
}

/// `iso8601`, `to_iso8601`, `epoch_time`, `to_epoch_time` and `now`.
pub(crate) fn time(env: &Env, call: &Call, scope: &Scope) -> Result<Datum, ReqlError> {
    if call.kind == TermKind::Now {
        return Ok(Datum::Time(env.now.clone()));
    }
    let subject = env.datum(&call.args[0], scope)?;
    let as_time = || match &subject {
        Datum::Time(time) => Ok(time),
        other => Err(ReqlError::expected("PTYPE<TIME>", other.type_name())),
    };
    Ok(match call.kind {
        TermKind::Iso8601 => {
            let zone = call
                .optarg("default_timezone")
                .map(|zone| env.datum(zone, scope))
                .transpose()?;
            let zone = zone.as_ref().map(Datum::as_str).transpose()?;
            Datum::Time(Time::from_iso8601(
                subject.as_str()?,
                zone.map(|zone| &**zone),
            )?)
        }
        TermKind::ToIso8601 => as_time()?.to_iso8601()?.into(),
        TermKind::EpochTime => moved(&Time::utc(0.0), subject.as_number()?)?,
        _ => as_time()?.epoch_seconds.into(),
    })
}

/// `append`, `prepend` and `set_difference`.
pub(crate) fn array(env: &Env, call: &Call, scope: &Scope) -> Result<Datum, ReqlError> {
    let items = env.datum(&call.args[0], scope)?.as_array()?.to_vec();
    let other = env.datum(&call.args[1], scope)?;
    let items: Vec<Datum> = match call.kind {
        TermKind::Append => items.into_iter().chain([other]).collect(),
        TermKind::Prepend => [other].into_iter().chain(items).collect(),
        _ => {
            let mut kept: Vec<Datum> = Vec::new();
            for item in items {
                env.check_interrupted()?;
                let is_same = |other: &Datum| item.equals(other);
                if !any(other.as_array()?, is_same)? && !any(&kept, is_same)? {
                    kept.push(item);
                }
            }
            kept
        }
    };
    check_length(items.len())?;
    Ok(items.into())
}

fn any(
    items: &[Datum],
    test: impl Fn(&Datum) -> Result<bool, ReqlError>,
) -> Result<bool, ReqlError> {
    for item in items {
        if test(item)? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Fails for an array that is too long.
///
/// # Errors
/// RethinkDB's own.
pub(crate) fn check_length(length: usize) -> Result<(), ReqlError> {
    if length > ARRAY_LIMIT {
        let message = format!("Array over size limit `{ARRAY_LIMIT}`.");
        return Err(ReqlError::new(ErrorKind::ResourceLimit, message));
    }
    Ok(())
}
