//! Times in ISO 8601.

use std::str::Chars;
use std::sync::Arc;

use time::{Date, Month, PrimitiveDateTime, UtcOffset};

use crate::engine::error::ReqlError;

/// Parses the forms of ISO 8601 that RethinkDB accepts (`sanitize` in its `pseudo_time.cc`): a year, a month, a day or
/// an ordinal date, then possibly `T` with hours, minutes, seconds and their fraction, and an offset. Hyphens and
/// colons may be left out. Returns the seconds since 1970 and the offset.
///
/// # Errors
/// Any other text, a date that does not exist, or neither an offset nor a default.
pub(super) fn parse(
    text: &str,
    default_timezone: Option<&str>,
) -> Result<(f64, Arc<str>), ReqlError> {
    let (date, clock) = match text.split_once('T') {
        Some((date, clock)) => (date, Some(clock)),
        None => (text, None),
    };
    let date = parse_date(date)?;
    let (clock, timezone) = match clock {
        None => (Clock::default(), default_timezone),
        Some(clock) => {
            let zone = clock.find('-').or(clock.find('+')).or(clock.find('Z'));
            let (clock, zone) = clock.split_at(zone.unwrap_or(clock.len()));
            let zone = Some(zone).filter(|zone| !zone.is_empty());
            (parse_clock(clock)?, zone.or(default_timezone))
        }
    };
    let timezone = parse_timezone(timezone.ok_or_else(|| {
        ReqlError::logic("ISO 8601 string has no time zone, and no default time zone was provided.")
    })?)?;
    let midnight = PrimitiveDateTime::new(date, time::Time::MIDNIGHT).assume_utc();
    let seconds = midnight.unix_timestamp() as f64 + clock.seconds;
    let offset = f64::from(offset_of(&timezone).whole_seconds());
    Ok((seconds - offset, timezone))
}

/// Parses an offset from UTC: `Z`, `±hh:mm`, `±hhmm` or `±hh`. Returns it as `±hh:mm`.
///
/// # Errors
/// RethinkDB's error for any other text.
pub(super) fn parse_timezone(text: &str) -> Result<Arc<str>, ReqlError> {
    if text == "Z" {
        return Ok("+00:00".into());
    }
    let (Some(sign @ ('+' | '-')), true) = (text.chars().next(), text.is_ascii()) else {
        return Err(ReqlError::logic(format!(
            "Timezone `{text}` does not start with `-` or `+`."
        )));
    };
    let mut rest = Digits::new(text, &text[1..]);
    let hours = rest.number(2)?;
    let minutes = if rest.is_empty() {
        0
    } else {
        rest.optional(':');
        rest.number(2)?
    };
    rest.end("timezone")?;
    // RFC 3339 gives this one a meaning of its own.
    if sign == '-' && hours == 0 && minutes == 0 {
        return Err(ReqlError::logic(format!(
            "`{text}` is not a valid time offset."
        )));
    }
    for (part, value, end) in [("Hours", hours, 25), ("Minutes", minutes, 60)] {
        if value >= end {
            return Err(ReqlError::logic(format!(
                "{part} out of range in `{text}`."
            )));
        }
    }
    Ok(format!("{sign}{hours:02}:{minutes:02}").into())
}

/// The offset that a result of [`parse_timezone`] stands for.
pub(super) fn offset_of(timezone: &str) -> UtcOffset {
    let part = |range: std::ops::Range<usize>| {
        let digits = timezone.get(range).unwrap_or_default();
        digits.parse::<i32>().unwrap_or_default()
    };
    let seconds = part(1..3) * 3600 + part(4..6) * 60;
    let seconds = if timezone.starts_with('-') {
        -seconds
    } else {
        seconds
    };
    UtcOffset::from_whole_seconds(seconds).unwrap_or(UtcOffset::UTC)
}

fn parse_date(text: &str) -> Result<Date, ReqlError> {
    let mut rest = Digits::new(text, text);
    let year = rest.number(4)?;
    if year < 1400 {
        return Err(ReqlError::logic(
            "Error in time logic: Year is out of valid range: 1400..10000.",
        ));
    }
    let year = i32::from(year);
    if rest.is_empty() {
        return calendar_date(year, 1, 1);
    }
    let has_hyphen = rest.optional('-');
    if rest.optional('W') {
        return Err(ReqlError::logic(format!(
            "RethinkDB does not support ISO week dates such as `{text}`."
        )));
    }
    if rest.len() == 3 {
        let day = rest.number(3)?;
        return Date::from_ordinal_date(year, day).map_err(|_| no_such_day());
    }
    let month = rest.number(2)?;
    // Without the hyphen, it would be a day of the short year `YYMMDD`.
    if has_hyphen && rest.is_empty() {
        return calendar_date(year, month, 1);
    }
    if rest.optional('-') != has_hyphen {
        return Err(ReqlError::logic(format!(
            "Date string `{text}` must have 0 or 2 hyphens."
        )));
    }
    let day = rest.number(2)?;
    rest.end("date")?;
    calendar_date(year, month, day)
}

fn calendar_date(year: i32, month: u16, day: u16) -> Result<Date, ReqlError> {
    let small = |number: u16| u8::try_from(number).unwrap_or(u8::MAX);
    let month = Month::try_from(small(month)).map_err(|_| {
        ReqlError::logic("Error in time logic: Month number is out of range 1..12.")
    })?;
    Date::from_calendar_date(year, month, small(day)).map_err(|_| no_such_day())
}

fn no_such_day() -> ReqlError {
    ReqlError::logic("Error in time logic: Day of month is not valid for year.")
}

/// A time of day.
#[derive(Default)]
struct Clock {
    /// The seconds since midnight.
    seconds: f64,
}

fn parse_clock(text: &str) -> Result<Clock, ReqlError> {
    let mut rest = Digits::new(text, text);
    let hours = rest.number(2)?;
    let (mut minutes, mut seconds, mut fraction) = (0, 0, 0.0);
    if !rest.is_empty() {
        let has_colon = rest.optional(':');
        minutes = rest.number(2)?;
        if !rest.is_empty() {
            if rest.optional(':') != has_colon {
                return Err(ReqlError::logic(format!(
                    "Time string `{text}` must have 0 or 2 colons."
                )));
            }
            seconds = rest.number(2)?;
            if rest.optional('.') {
                fraction = rest.fraction()?;
            }
        }
    }
    rest.end("time")?;
    if hours > 23 || minutes > 59 || seconds > 59 {
        return Err(ReqlError::logic(format!(
            "Failed to parse `{text}` as ISO 8601 time."
        )));
    }
    let whole = f64::from(hours) * 3600.0 + f64::from(minutes) * 60.0 + f64::from(seconds);
    Ok(Clock {
        seconds: whole + fraction,
    })
}

/// Reads groups of digits.
struct Digits<'a> {
    /// The text as a whole, for errors.
    text: &'a str,
    rest: Chars<'a>,
}

impl<'a> Digits<'a> {
    fn new(text: &'a str, rest: &'a str) -> Self {
        Self {
            text,
            rest: rest.chars(),
        }
    }

    fn is_empty(&self) -> bool {
        self.rest.as_str().is_empty()
    }

    fn len(&self) -> usize {
        self.rest.as_str().len()
    }

    fn digit(&mut self) -> Result<u16, ReqlError> {
        let text = self.text;
        let Some(c) = self.rest.next() else {
            // RethinkDB says this also of dates and times that are too short.
            return Err(ReqlError::logic(format!(
                "Invalid time zone string `{text}`. Valid time zones are `+hh:mm`, `-hh:mm`, `+hhmm`, `-hhmm`, `+hh`, \
                 `-hh` and `Z`."
            )));
        };
        let digit = c.to_digit(10).and_then(|digit| u16::try_from(digit).ok());
        digit.ok_or_else(|| {
            ReqlError::logic(format!(
                "Invalid date string `{text}` (got `{c}` but expected a digit)."
            ))
        })
    }

    /// The number of the next `count` digits, at most 4.
    fn number(&mut self, count: usize) -> Result<u16, ReqlError> {
        let mut number = 0;
        for _ in 0..count {
            number = number * 10 + self.digit()?;
        }
        Ok(number)
    }

    /// The digits after a decimal point, up to the end.
    fn fraction(&mut self) -> Result<f64, ReqlError> {
        let (mut fraction, mut unit) = (0.0, 0.1);
        while !self.is_empty() {
            fraction += f64::from(self.digit()?) * unit;
            unit /= 10.0;
        }
        Ok(fraction)
    }

    /// Skips a character if it comes next.
    fn optional(&mut self, c: char) -> bool {
        let is_next = self.rest.as_str().starts_with(c);
        if is_next {
            self.rest.next();
        }
        is_next
    }

    fn end(&self, kind: &str) -> Result<(), ReqlError> {
        let (text, rest) = (self.text, self.rest.as_str());
        if rest.is_empty() {
            return Ok(());
        }
        Err(ReqlError::logic(format!(
            "Garbage characters `{rest}` at end of {kind} string `{text}`."
        )))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::engine::datum::Time;

    fn printed(text: &str) -> String {
        let time = Time::from_iso8601(text, Some("+01:00"));
        time.unwrap().to_iso8601().unwrap()
    }

    #[test]
    fn all_forms_are_read() {
        for (text, expected) in [
            ("2016", "2016-01-01T00:00:00+01:00"),
            ("2016-05", "2016-05-01T00:00:00+01:00"),
            ("2016-05-04", "2016-05-04T00:00:00+01:00"),
            ("20160504", "2016-05-04T00:00:00+01:00"),
            ("2016-060", "2016-02-29T00:00:00+01:00"),
            ("2016366", "2016-12-31T00:00:00+01:00"),
            ("2016-05-04T10", "2016-05-04T10:00:00+01:00"),
            ("2016-05-04T10Z", "2016-05-04T10:00:00+00:00"),
            ("2016-05-04T1030-0730", "2016-05-04T10:30:00-07:30"),
            ("20160504T103015.5+02", "2016-05-04T10:30:15.500+02:00"),
            (
                "2016-05-04T10:30:15.12345-07:00",
                "2016-05-04T10:30:15.123-07:00",
            ),
        ] {
            assert_eq!(printed(text), expected, "{text}");
        }
    }

    #[test]
    fn other_texts_are_refused() {
        for text in [
            "",
            "201",
            "201605",
            "2016-05-4",
            "2016-0504",
            "201605-04",
            "2016-13",
            "2016-02-30",
            "2015-366",
            "2016-W05-1",
            "1399-12-31",
            "2016-05-04 10:30",
            "2016-05-04T",
            "2016-05-04T1",
            "2016-05-04T24:00",
            "2016-05-04T10:60",
            "2016-05-04T10:30:60Z",
            "2016-05-04T10:3015Z",
            "2016-05-04T10:30:15,5Z",
            "2016-05-04T10:30Z1",
            "2016-05-04T10:30+1",
            "２０１６",
        ] {
            assert!(parse(text, Some("+01:00")).is_err(), "{text}");
        }
        assert!(parse("2016", None).is_err());
        assert!(parse("2016", Some("CET")).is_err());
    }

    #[test]
    fn offsets_are_written_in_full() {
        for (text, expected) in [
            ("Z", "+00:00"),
            ("+00", "+00:00"),
            ("-0730", "-07:30"),
            ("+05:45", "+05:45"),
            ("+24", "+24:00"),
        ] {
            assert_eq!(&*parse_timezone(text).unwrap(), expected);
        }
        for text in [
            "", "+", "7", "z", "-00", "-00:00", "-0000", "+25:00", "+1:00", "+01:60", "+01:0",
            "+é0", "+0:100",
        ] {
            assert!(parse_timezone(text).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn printed_times_are_read_again(milliseconds in -17_000_000_000_000_i64..253_000_000_000_000, hours in -11_i32..12) {
            let zone = format!("{}{:02}:00", if hours < 0 { '-' } else { '+' }, hours.abs());
            let time = Time::new(milliseconds as f64 / 1000.0, parse_timezone(&zone).unwrap());
            let read = Time::from_iso8601(&time.to_iso8601().unwrap(), None).unwrap();
            prop_assert_eq!(read.epoch_seconds, time.epoch_seconds);
            prop_assert_eq!(read.timezone, time.timezone);
        }

        #[test]
        fn any_text_is_read_or_refused(text in r"[0-9TZW:.+\-é]{0,30}") {
            drop(parse(&text, None));
        }
    }
}
