//! `coerce_to`, `info`, numbers, and the base64 of binaries.

use serde_json::{Value, json};

use super::{LOGIC, MISSING, Session, call, failure, func, numbers, t, table, var};

fn coerce(value: Value, wanted: &str) -> Value {
    call(t::COERCE_TO, &[value, json!(wanted)])
}

fn binary(base64: &str) -> Value {
    json!({"$reql_type$": "BINARY", "data": base64})
}

#[test]
fn strings_become_numbers_as_in_c() {
    let mut session = Session::new();
    for (text, number) in [
        ("0x1f", 31.0),
        (" 2.5", 2.5),
        ("1e3", 1000.0),
        ("-0xa", -10.0),
    ] {
        assert_eq!(
            session.value(coerce(json!(text), "number")).as_f64(),
            Some(number)
        );
    }
    assert_eq!(
        session.error(coerce(json!("inf"), "number")),
        failure(LOGIC, "Non-finite number: inf")
    );
    assert_eq!(
        session.error(coerce(json!("2 apples"), "number")),
        failure(LOGIC, "Could not coerce `2 apples` to NUMBER.")
    );
}

#[test]
fn binaries_and_times_have_plain_types_for_conversions() {
    let mut session = Session::new();
    assert_eq!(
        session.value(coerce(binary("YWJj"), "binary")),
        binary("YWJj")
    );
    assert_eq!(session.value(coerce(binary("YWJj"), "string")), "abc");
    assert_eq!(
        session.error(coerce(binary("YWJj"), "number")),
        failure(LOGIC, "Cannot coerce BINARY to NUMBER.")
    );
    assert_eq!(
        session.error(coerce(json!(null), "number")),
        failure(MISSING, "Cannot coerce NULL to NUMBER.")
    );
    assert_eq!(
        session.error(coerce(json!(1), "cheese")),
        failure(LOGIC, "Unknown Type: CHEESE")
    );
}

#[test]
fn everything_but_false_and_null_is_true() {
    let mut session = Session::with_table();
    for (value, truth) in [
        (json!(0), true),
        (json!(""), true),
        (json!(false), false),
        (json!(null), false),
        (numbers(&[]), true),
        (table(), true),
    ] {
        assert_eq!(session.value(coerce(value, "bool")), json!(truth));
    }
}

#[test]
fn info_names_the_type_and_the_table() {
    let mut session = Session::with_table();
    let info = |value| call(t::INFO, &[value]);
    assert_eq!(session.value(info(json!(null))), json!({"type": "NULL"}));
    assert_eq!(
        session.value(info(json!(1))),
        json!({"type": "NUMBER", "value": "1"})
    );
    assert_eq!(
        session.value(info(call(t::MINVAL, &[]))),
        json!({"type": "MINVAL"})
    );
    let mapped = call(t::MAP, &[table(), func(1, var(1))]);
    assert_eq!(session.value(info(mapped)), json!({"type": "STREAM"}));
    let filtered = session.value(info(call(t::FILTER, &[table(), json!({"a": 1})])));
    assert_eq!(filtered["type"], "SELECTION<STREAM>");
    assert_eq!(filtered["table"]["name"], "t");
    let system = session.value(info(json!([t::DB, ["rethinkdb"]])));
    assert_eq!(
        (&system["name"], &system["type"]),
        (&json!("rethinkdb"), &json!("DB"))
    );
}

#[test]
fn flaws_in_base64_are_named() {
    let mut session = Session::new();
    for (base64, message) in [
        ("QUJD$UJD", "Invalid base64 character found: '$'."),
        ("QUJDé", "Invalid base64 character found: 'é'."),
        (
            "QUJDQ",
            "Invalid base64 length: 1 character remaining, cannot decode a full byte.",
        ),
        (
            "QUI=QUJD",
            "Invalid base64 format, data found after padding character '='.",
        ),
    ] {
        assert_eq!(session.error(binary(base64)), failure(LOGIC, message));
    }
    assert_eq!(session.value(binary("QUI")), binary("QUI="));
}

#[test]
fn numbers_keep_their_last_bit() {
    let mut session = Session::new();
    for number in [
        "0.1",
        "1.2345678901234568e+39",
        "2.2250738585072014e-308",
        "1375147296.681",
    ] {
        session
            .client
            .send_raw(1, format!("[1,{number},{{}}]").as_bytes());
        let (_, body) = session.client.receive_raw().unwrap();
        let text = String::from_utf8(body).unwrap();
        let wanted: f64 = number.parse().unwrap();
        let sent = text.split(['[', ']']).nth(1).unwrap();
        assert_eq!(
            sent.parse::<f64>().unwrap().to_bits(),
            wanted.to_bits(),
            "{text}"
        );
    }
}
