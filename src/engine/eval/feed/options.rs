//! The optional arguments of `changes`.

use std::time::Duration;

use crate::engine::datum::Datum;
use crate::engine::error::ReqlError;
use crate::engine::eval::env::Env;
use crate::engine::eval::scope::Scope;
use crate::engine::eval::term::Call;

/// RethinkDB's default `changefeed_queue_size`, in changes.
const DEFAULT_QUEUE_SIZE: usize = 100_000;

/// The longest squash interval. It only prevents an overflow in the conversion to a [`Duration`].
const MAX_SQUASH_SECONDS: f64 = 3600.0;

/// The optional arguments of `changes`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Options {
    pub(super) include_initial: bool,
    pub(super) include_states: bool,
    pub(super) include_types: bool,
    pub(super) squash: bool,
    /// The time for which changes are gathered before they are sent.
    pub(super) squash_interval: Duration,
    /// The most changes queued for the client.
    pub(super) queue_size: usize,
}

impl Options {
    /// Evaluates the arguments.
    ///
    /// # Errors
    /// RethinkDB's errors for invalid ones.
    pub(super) fn new(env: &Env, call: &Call, scope: &Scope) -> Result<Self, ReqlError> {
        let (squash, squash_interval) = parse_squash(env.optarg(call, scope, "squash")?)?;
        if env.flag(call, scope, "include_offsets")? {
            return Err(ReqlError::logic("Cannot include offsets for range subs."));
        }
        let queue_size = match env.optarg(call, scope, "changefeed_queue_size")? {
            Some(size) => Some(size),
            None => env.global("changefeed_queue_size").cloned(),
        };
        let queue_size =
            queue_size.map_or(Ok(DEFAULT_QUEUE_SIZE), |size| parse_queue_size(&size))?;
        Ok(Self {
            include_initial: env.flag(call, scope, "include_initial")?,
            include_states: env.flag(call, scope, "include_states")?,
            include_types: env.flag(call, scope, "include_types")?,
            squash,
            squash_interval,
            queue_size,
        })
    }
}

/// `true`, `false`, or the number of seconds for which changes are gathered.
fn parse_squash(squash: Option<Datum>) -> Result<(bool, Duration), ReqlError> {
    match squash {
        None => Ok((false, Duration::ZERO)),
        Some(Datum::Bool(squash)) => Ok((squash, Duration::ZERO)),
        Some(Datum::Number(seconds)) if seconds > 0.0 => {
            let interval = Duration::from_secs_f64(seconds.min(MAX_SQUASH_SECONDS));
            Ok((true, interval))
        }
        Some(Datum::Number(_)) => Err(ReqlError::logic(
            "Expected BOOL or a positive NUMBER but found a negative NUMBER.",
        )),
        Some(other) => {
            let found = other.type_name();
            Err(ReqlError::logic(format!(
                "Expected BOOL or NUMBER but found {found}."
            )))
        }
    }
}

fn parse_queue_size(size: &Datum) -> Result<usize, ReqlError> {
    let size = size.as_integer()?;
    match usize::try_from(size) {
        Ok(valid) if valid > 0 => Ok(valid),
        _ => Err(ReqlError::logic(format!(
            "Illegal changefeed queue size `{size}`.  (Must be >= 1.)"
        ))),
    }
}
