//! `minval` and `maxval`.

use serde_json::{Value, json};

use super::{LOGIC, Session, array, call, call_with, failure, func, numbers, t, table, var};

fn minval() -> Value {
    call(t::MINVAL, &[])
}

fn maxval() -> Value {
    call(t::MAXVAL, &[])
}

#[test]
fn they_are_below_and_above_every_value() {
    let mut session = Session::new();
    for value in [
        json!(null),
        json!(-1e300),
        json!("zzz"),
        json!({"a": 1}),
        numbers(&[1]),
        json!({"$reql_type$": "TIME", "epoch_time": 0, "timezone": "Z"}),
    ] {
        assert_eq!(
            session.value(call(t::LT, &[minval(), value.clone(), maxval()])),
            true
        );
    }
    assert_eq!(session.value(call(t::EQ, &[minval(), minval()])), true);
    assert_eq!(session.value(call(t::EQ, &[minval(), maxval()])), false);
    assert_eq!(session.value(call(t::TYPE_OF, &[maxval()])), "MAXVAL");
}

#[test]
fn they_can_be_items_of_arrays_and_sorted() {
    let mut session = Session::new();
    let sorted = call(
        t::ORDER_BY,
        &[array([maxval(), json!(1), minval()]), func(1, var(1))],
    );
    let types = call(t::MAP, &[sorted, func(1, call(t::TYPE_OF, &[var(1)]))]);
    assert_eq!(session.value(types), json!(["MINVAL", "NUMBER", "MAXVAL"]));
}

#[test]
fn they_can_be_neither_sent_nor_stored() {
    let mut session = Session::with_table();
    for query in [
        maxval(),
        array([maxval()]),
        call(t::COERCE_TO, &[maxval(), json!("string")]),
    ] {
        let error = failure(LOGIC, "Cannot convert `r.maxval` to JSON.");
        assert_eq!(session.error(query), error);
    }
    for value in [minval(), array([minval()])] {
        let insert = call_with(
            t::INSERT,
            &[table(), json!({"id": 1, "value": value})],
            json!({"return_changes": "always"}),
        );
        let result = session.value(insert);
        let message = "`r.minval` and `r.maxval` cannot be written to disk.";
        assert_eq!(result["first_error"], message);
        assert_eq!(
            result["changes"],
            json!([{"error": message, "new_val": null, "old_val": null}])
        );
    }
}

#[test]
fn ranges_of_compound_keys_may_end_at_them() {
    let keys = [[1, 1], [1, 5], [2, 0]];
    let mut session = Session::with_documents(keys.map(|key| json!({"id": numbers(&key)})));
    let between = call(
        t::BETWEEN,
        &[
            table(),
            array([json!(1), minval()]),
            array([json!(1), maxval()]),
        ],
    );
    let ids = call(
        t::GET_FIELD,
        &[call(t::ORDER_BY, &[between, json!("id")]), json!("id")],
    );
    assert_eq!(session.value(ids), json!([[1, 1], [1, 5]]));
}
