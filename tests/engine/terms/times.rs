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
    let (class, message) = session.error(parse(json!({"default_timezone": "7"})));
    assert_eq!(class, LOGIC);
    assert!(
        message.starts_with("Invalid time zone string `7`."),
        "{message}"
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
