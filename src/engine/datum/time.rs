//! The pseudotype `TIME`.

use std::sync::Arc;

use time::{OffsetDateTime, UtcOffset};

use super::iso8601;
use crate::engine::error::ReqlError;

/// A point in time.
#[derive(Clone, Debug)]
pub struct Time {
    /// Seconds since 1970-01-01T00:00:00Z, rounded to milliseconds.
    pub epoch_seconds: f64,
    /// The UTC offset for display: `+hh:mm` or `-hh:mm`. Comparisons ignore it.
    pub timezone: Arc<str>,
}

/// The years that RethinkDB's time library (Boost) supports: 1400 to 9999.
const YEARS: std::ops::Range<i32> = 1400..10_000;

/// The seconds of the year 10000.
const YEAR_10000: std::ops::Range<f64> = 253_402_300_800.0..253_433_923_200.0;

impl Time {
    /// A time in UTC, rounded to milliseconds as in RethinkDB.
    pub(crate) fn utc(epoch_seconds: f64) -> Self {
        Self::new(epoch_seconds, "+00:00".into())
    }

    /// A time with a UTC offset from [`Time::parse_timezone`].
    pub(crate) fn new(epoch_seconds: f64, timezone: Arc<str>) -> Self {
        Self {
            epoch_seconds: Self::round(epoch_seconds),
            timezone,
        }
    }

    /// Rounds seconds to milliseconds.
    pub(crate) fn round(seconds: f64) -> f64 {
        let milliseconds = (seconds * 1000.0).round();
        // A number too large for the multiplication has no fraction to round.
        if milliseconds.is_finite() {
            milliseconds / 1000.0
        } else {
            seconds
        }
    }

    /// Parses ISO 8601. A missing time is midnight, a missing offset is `default_timezone`.
    ///
    /// # Errors
    /// Text in another form, a date that does not exist, or neither an offset nor a default.
    pub(crate) fn from_iso8601(
        text: &str,
        default_timezone: Option<&str>,
    ) -> Result<Self, ReqlError> {
        let (seconds, timezone) = iso8601::parse(text, default_timezone)?;
        Ok(Self::new(seconds, timezone))
    }

    /// Formats the time as ISO 8601 with its offset, and with milliseconds unless they are zero.
    ///
    /// # Errors
    /// A year that RethinkDB does not support.
    pub(crate) fn to_iso8601(&self) -> Result<String, ReqlError> {
        let local = self.local()?;
        let (year, month, day) = (local.year(), u8::from(local.month()), local.day());
        let (hour, minute, second) = local.to_hms();
        let fraction = match local.millisecond() {
            0 => String::new(),
            milliseconds => format!(".{milliseconds:03}"),
        };
        let zone = &self.timezone;
        Ok(format!(
            "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}{fraction}{zone}"
        ))
    }

    /// Parses a UTC offset as RethinkDB accepts it: `Z`, `+hh:mm`, `-hh:mm`, `+hhmm` or `+hh`. Returns it as `±hh:mm`.
    pub(crate) fn parse_timezone(text: &str) -> Option<Arc<str>> {
        iso8601::parse_timezone(text).ok()
    }

    fn local(&self) -> Result<OffsetDateTime, ReqlError> {
        let milliseconds = (self.epoch_seconds * 1000.0).round();
        let local_seconds = milliseconds / 1000.0 + f64::from(self.offset().whole_seconds());
        if YEAR_10000.contains(&local_seconds) {
            // The time library of RethinkDB knows this year, but ISO 8601 does not.
            return Err(ReqlError::logic(
                "Year `10000` out of valid ISO 8601 range [0, 9999].",
            ));
        }
        let out_of_range = || {
            ReqlError::logic(format!(
                "Error in time logic: Year is out of valid range: {}..{}.",
                YEARS.start, YEARS.end
            ))
        };
        let utc = OffsetDateTime::from_unix_timestamp_nanos(milliseconds as i128 * 1_000_000)
            .map_err(|_| out_of_range())?;
        let local = utc
            .checked_to_offset(self.offset())
            .ok_or_else(out_of_range)?;
        if YEARS.contains(&local.year()) {
            Ok(local)
        } else {
            Err(out_of_range())
        }
    }

    fn offset(&self) -> UtcOffset {
        iso8601::offset_of(&self.timezone)
    }
}
