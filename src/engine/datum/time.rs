//! The pseudotype `TIME`.

use std::sync::Arc;

use time::format_description::well_known::Rfc3339;
use time::{OffsetDateTime, UtcOffset};

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

    /// Parses ISO 8601 in the form that the drivers write: a full date, `T`, a full time and an offset. A missing time
    /// is midnight, a missing offset is `default_timezone`.
    ///
    /// # Errors
    /// Any other text, or neither an offset nor a default.
    pub(crate) fn from_iso8601(
        text: &str,
        default_timezone: Option<&str>,
    ) -> Result<Self, ReqlError> {
        let fail =
            |what: &str| ReqlError::logic(format!("{what} in ISO 8601 time string `{text}`."));
        let mut full = text.replace(' ', "T");
        if !full.contains('T') {
            full.push_str("T00:00:00");
        }
        let clock = &full[full.find('T').unwrap_or(0)..];
        if !clock.contains(['Z', '+', '-']) {
            let zone = default_timezone.ok_or_else(|| {
                ReqlError::logic(
                    "ISO 8601 string has no time zone, and no default time zone was provided.",
                )
            })?;
            full.push_str(&Self::parse_timezone(zone).ok_or_else(|| invalid_timezone(zone))?);
        }
        let parsed =
            OffsetDateTime::parse(&full, &Rfc3339).map_err(|_| fail("Invalid date or time"))?;
        let (hours, minutes, _) = parsed.offset().as_hms();
        let sign = if parsed.offset().is_negative() {
            '-'
        } else {
            '+'
        };
        let timezone = format!("{sign}{:02}:{:02}", hours.abs(), minutes.abs());
        let epoch_seconds = parsed.unix_timestamp_nanos() as f64 / 1e9;
        Ok(Self::new(epoch_seconds, timezone.into()))
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
        if text == "Z" || text == "z" {
            return Some("+00:00".into());
        }
        let sign = text.chars().next().filter(|c| matches!(c, '+' | '-'))?;
        let digits: String = text[1..].chars().filter(|c| *c != ':').collect();
        if !digits.bytes().all(|b| b.is_ascii_digit()) || !matches!(digits.len(), 2 | 4) {
            return None;
        }
        let hours: u8 = digits[..2].parse().ok()?;
        let minutes: u8 = digits
            .get(2..)
            .filter(|m| !m.is_empty())
            .unwrap_or("0")
            .parse()
            .ok()?;
        (hours < 24 && minutes < 60).then(|| format!("{sign}{hours:02}:{minutes:02}").into())
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
        let part = |range: std::ops::Range<usize>| {
            self.timezone
                .get(range)
                .and_then(|text| text.parse::<i32>().ok())
        };
        let seconds = part(1..3).unwrap_or(0) * 3600 + part(4..6).unwrap_or(0) * 60;
        let sign = if self.timezone.starts_with('-') {
            -1
        } else {
            1
        };
        UtcOffset::from_whole_seconds(sign * seconds).unwrap_or(UtcOffset::UTC)
    }
}

/// RethinkDB's error for an offset that it does not accept.
pub(crate) fn invalid_timezone(text: &str) -> ReqlError {
    ReqlError::logic(format!(
        "Invalid time zone string `{text}`. Valid time zones are `+hh:mm`, `-hh:mm`, `+hhmm`, `-hhmm`, `+hh`, `-hh` and `Z`."
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn iso_8601_round_trips() {
        for text in [
            "2015-03-24T11:05:22-07:00",
            "1970-01-01T00:00:00+00:00",
            "2025-01-31T12:00:00.120+05:30",
        ] {
            assert_eq!(
                Time::from_iso8601(text, None)
                    .unwrap()
                    .to_iso8601()
                    .unwrap(),
                text
            );
        }
    }

    #[test]
    fn iso_8601_requires_an_offset_or_a_default() {
        assert!(Time::from_iso8601("2015-03-24T11:05:22", None).is_err());
        let time = Time::from_iso8601("2015-03-24", Some("+01:00")).unwrap();
        assert_eq!(time.to_iso8601().unwrap(), "2015-03-24T00:00:00+01:00");
    }

    #[test]
    fn timezones_are_validated() {
        assert_eq!(Time::parse_timezone("Z").as_deref(), Some("+00:00"));
        assert_eq!(Time::parse_timezone("-0730").as_deref(), Some("-07:30"));
        for bad in ["", "+", "7", "+25:00", "+1:00", "+é0"] {
            assert_eq!(Time::parse_timezone(bad), None, "{bad}");
        }
    }
}
