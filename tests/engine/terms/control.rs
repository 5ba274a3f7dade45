//! Errors, defaults, functions, and the places where terms are allowed.

use serde_json::json;

use super::{
    LOGIC, MISSING, Session, array, call, call_with, failure, field, func, numbers, t, table, var,
};

#[test]
fn an_empty_error_in_a_default_stands_for_what_it_would_replace() {
    let mut session = Session::new();
    let empty_error = call(t::ERROR, &[]);
    let default = |value| call(t::DEFAULT, &[value, empty_error.clone()]);
    assert_eq!(session.value(default(json!(null))), json!(null));
    assert_eq!(session.value(default(json!(3))), json!(3));
    assert_eq!(
        session.error(default(field(json!({}), "a"))),
        failure(MISSING, "No attribute `a` in object:\n{}")
    );
    let in_function = call(t::DEFAULT, &[json!(null), func(1, empty_error.clone())]);
    assert_eq!(session.value(in_function), json!(null));
    assert_eq!(
        session.error(empty_error),
        failure(LOGIC, "Empty ERROR term outside a default block.")
    );
}

#[test]
fn a_default_may_be_a_sequence() {
    let mut session = Session::with_documents([json!({"id": 1})]);
    let default = call(t::DEFAULT, &[json!(null), table()]);
    assert_eq!(session.value(default), json!([{"id": 1}]));
}

#[test]
fn writes_are_not_allowed_in_functions_of_streams() {
    let mut session = Session::with_table();
    let message = "Cannot nest writes or meta ops in stream operations.  Use FOR_EACH instead.";
    let insert = call(t::INSERT, &[table(), json!({"a": 1})]);
    let function = func(1, insert.clone());
    for query in [
        call(t::MAP, &[numbers(&[1]), function.clone()]),
        call(t::FILTER, &[numbers(&[1]), function.clone()]),
        call(t::COUNT, &[numbers(&[1]), function.clone()]),
        call(
            t::UPDATE,
            &[table(), json!({"a": field(insert.clone(), "inserted")})],
        ),
        call(
            t::MAP,
            &[
                numbers(&[1]),
                func(
                    1,
                    call(t::ADD, &[field(insert.clone(), "inserted"), json!(1)]),
                ),
            ],
        ),
    ] {
        assert_eq!(session.error(query), failure(0, message));
    }
    assert_eq!(session.value(call(t::COUNT, &[table()])), 0);
    // The sequence itself may come from a write, and `for_each` exists for writes.
    let changes = field(
        call_with(
            t::INSERT,
            &[table(), json!({"id": 1})],
            json!({"return_changes": true}),
        ),
        "changes",
    );
    let ids = call(
        t::MAP,
        &[changes, func(1, field(field(var(1), "new_val"), "id"))],
    );
    assert_eq!(session.value(ids), json!([1]));
    let each = call(t::FOR_EACH, &[numbers(&[5]), func(1, insert)]);
    assert_eq!(session.value(each)["inserted"], 1);
}

#[test]
fn directions_are_only_allowed_in_orders() {
    let mut session = Session::new();
    let descending = call(t::DESC, &[json!("a")]);
    let message = "DESC may only be used as an argument to ORDER_BY or UNION.";
    for query in [
        descending.clone(),
        call(t::COUNT, std::slice::from_ref(&descending)),
        array([descending.clone()]),
        json!({"a": descending.clone()}),
    ] {
        assert_eq!(session.error(query), failure(0, message));
    }
    let order = call(
        t::ORDER_BY,
        &[array([json!({"a": 1}), json!({"a": 2})]), descending],
    );
    assert_eq!(session.value(order), json!([{"a": 2}, {"a": 1}]));
}

#[test]
fn the_row_is_the_parameter_of_a_single_function_around_it() {
    let mut session = Session::new();
    let row = call(t::ROW, &[]);
    let above = call(t::GT, &[row.clone(), json!(1)]);
    let filter = |sequence, test| call(t::FILTER, &[sequence, func(1, test)]);
    assert_eq!(
        session.value(filter(numbers(&[1, 2]), above.clone())),
        json!([2])
    );
    let nested = filter(array([numbers(&[1, 2])]), filter(row.clone(), above));
    assert_eq!(
        session.error(nested),
        failure(
            0,
            "Cannot use r.row in nested queries.  Use functions instead."
        )
    );
    assert_eq!(
        session.error(row),
        failure(0, "r.row is not defined in this context.")
    );
}

#[test]
fn errors_about_types_show_the_class_of_the_value() {
    let mut session = Session::with_table();
    let add = |value| call(t::ADD, &[json!(1), value]);
    for (value, message) in [
        (
            table(),
            "Expected type DATUM but found TABLE:\ntable(\"t\")",
        ),
        (
            json!([t::DB, ["terms"]]),
            "Expected type DATUM but found DATABASE:\ndb(\"terms\")",
        ),
        (
            call(t::LIMIT, &[table(), json!(1)]),
            "Expected type DATUM but found SELECTION:\nSELECTION ON table(t)",
        ),
        (
            json!([t::RANGE, [2]]),
            "Expected type DATUM but found SEQUENCE:\nVALUE SEQUENCE",
        ),
    ] {
        assert_eq!(session.error(add(value)), failure(LOGIC, message));
    }
    assert_eq!(
        session.error(call(t::UPDATE, &[numbers(&[1]), json!({})])),
        failure(LOGIC, "Expected type SELECTION but found DATUM:\n[\n\t1\n]")
    );
    assert_eq!(
        session.error(call(t::LIMIT, &[numbers(&[]), json!(9.0e15 + 9.0e15)])),
        failure(LOGIC, "Number not an integer (>2^53): 18000000000000000")
    );
}
