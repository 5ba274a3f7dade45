//! Points in time.

use super::env::Env;
use super::scope::Scope;
use super::term::{Call, TermKind};
use crate::engine::datum::{Datum, Time};
use crate::engine::error::ReqlError;

/// `iso8601`, `to_iso8601`, `epoch_time`, `to_epoch_time` and `now`.
pub(crate) fn evaluate(env: &Env, call: &Call, scope: &Scope) -> Result<Datum, ReqlError> {
    if call.kind == TermKind::Now {
        return Ok(Datum::Time(env.now().clone()));
    }
    let subject = env.datum(&call.args[0], scope)?;
    let as_time = || match &subject {
        Datum::Time(time) => Ok(time),
        other => Err(ReqlError::expected("PTYPE<TIME>", other.type_name())),
    };
    Ok(match call.kind {
        TermKind::Iso8601 => {
            let zone = env.optarg(call, scope, "default_timezone")?;
            let zone = zone.as_ref().map(Datum::as_str).transpose()?;
            Datum::Time(Time::from_iso8601(
                subject.as_str()?,
                zone.map(|zone| &**zone),
            )?)
        }
        TermKind::ToIso8601 => as_time()?.to_iso8601()?.into(),
        TermKind::EpochTime => later(&Time::utc(0.0), subject.as_number()?)?,
        _ => as_time()?.epoch_seconds.into(),
    })
}

/// The time `seconds` after `time`.
///
/// # Errors
/// A time that is not a finite number.
pub(crate) fn later(time: &Time, seconds: f64) -> Result<Datum, ReqlError> {
    let epoch_seconds = time.epoch_seconds + seconds;
    if !epoch_seconds.is_finite() {
        return Err(ReqlError::logic(format!(
            "Non-finite number: {epoch_seconds}"
        )));
    }
    Ok(Datum::Time(Time::new(epoch_seconds, time.timezone.clone())))
}
