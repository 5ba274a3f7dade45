//! Points in time.

use serde_json::{Value, json};

use super::{LOGIC, Session, call, call_with, failure, t};

fn time(seconds: f64) -> Value {
    json!([t::EPOCH_TIME, [seconds]])
}

#[test]
fn differences_of_times_are_whole_milliseconds() {
    let mut session = Session::new();
    let later = 1_375_147_296.681;
    for (a, b, difference) in [
        (later + 1e9, later, 1e9),
        (later, later + 1e9, -1e9),
        (0.3, 0.1, 0.2),
    ] {
        let seconds = session.value(call(t::SUB, &[time(a), time(b)]));
        assert_eq!(seconds.as_f64(), Some(difference));
    }
}

#[test]
fn a_missing_time_zone_may_have_a_default() {
    let mut session = Session::new();
    let parse = |options| call_with(t::ISO8601, &[json!("2020-02-29T10:30:00")], options);
    for (zone, text) in [
        ("-07", "2020-02-29T10:30:00-07:00"),
        ("+0530", "2020-02-29T10:30:00+05:30"),
        ("Z", "2020-02-29T10:30:00+00:00"),
    ] {
        let query = call(t::TO_ISO8601, &[parse(json!({"default_timezone": zone}))]);
        assert_eq!(session.value(query), text);
    }
    assert_eq!(
        session.error(parse(json!({}))),
        failure(
            LOGIC,
            "ISO 8601 string has no time zone, and no default time zone was provided."
        )
    );
    assert_eq!(
        session.error(parse(json!({"default_timezone": "7"}))),
        failure(LOGIC, "Timezone `7` does not start with `-` or `+`.")
    );
}

#[test]
fn years_outside_iso_8601_are_refused() {
    let mut session = Session::new();
    let print = |seconds| call(t::TO_ISO8601, &[time(seconds)]);
    assert_eq!(
        session.value(print(253_402_300_799.0)),
        "9999-12-31T23:59:59+00:00"
    );
    assert_eq!(
        session.error(print(253_402_300_800.0)),
        failure(LOGIC, "Year `10000` out of valid ISO 8601 range [0, 9999].")
    );
    assert_eq!(
        session.error(print(1e15)),
        failure(
            LOGIC,
            "Error in time logic: Year is out of valid range: 1400..10000."
        )
    );
}

#[test]
fn times_may_be_written_without_hyphens_and_colons() {
    let mut session = Session::new();
    let print = |text: &str| call(t::TO_ISO8601, &[json!([t::ISO8601, [text]])]);
    for (text, printed) in [
        ("20200229T103000Z", "2020-02-29T10:30:00+00:00"),
        ("2020-060T10:30-07", "2020-02-29T10:30:00-07:00"),
        ("2020T10Z", "2020-01-01T10:00:00+00:00"),
    ] {
        assert_eq!(session.value(print(text)), printed);
    }
    for (text, message) in [
        (
            "2020-0229T10Z",
            "Date string `2020-0229` must have 0 or 2 hyphens.",
        ),
        (
            "2020-02-30T10Z",
            "Error in time logic: Day of month is not valid for year.",
        ),
        (
            "2020-02-29T10:3000Z",
            "Time string `10:3000` must have 0 or 2 colons.",
        ),
        (
            "2020-02-29T10-00:00",
            "`-00:00` is not a valid time offset.",
        ),
    ] {
        assert_eq!(session.error(print(text)), failure(LOGIC, message));
    }
}
