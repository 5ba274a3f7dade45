//! The functions of secondary indexes.

use serde_json::{Value, json};

use super::{LOGIC, Session, array, call, call_with, failure, field, func, t, table, var};

/// The keys of the documents in the order of an index.
fn in_order(session: &mut Session, table: &Value, index: &str) -> Value {
    session.value(call(t::INDEX_WAIT, &[table.clone(), json!(index)]));
    let ordered = call_with(
        t::ORDER_BY,
        std::slice::from_ref(table),
        json!({"index": index}),
    );
    session.value(field(ordered, "id"))
}

/// The function of an index as `index_status` returns it.
fn function_of(session: &mut Session, table: &Value, index: &str) -> Value {
    let status = session.value(call(t::INDEX_WAIT, &[table.clone(), json!(index)]));
    status[0]["function"].clone()
}

#[test]
fn a_function_returned_by_index_status_makes_the_same_index() {
    let documents = [
        json!({"id": 1, "n": 3, "tags": [2, ["b", "a"]]}),
        json!({"id": 2, "n": 1, "tags": [2, ["a"]]}),
    ];
    let mut session = Session::with_documents(documents.clone());
    let other = json!([t::TABLE, [[t::DB, ["terms"]], "other"]]);
    session.value(json!([t::TABLE_CREATE, [[t::DB, ["terms"]], "other"]]));
    session.value(call(t::INSERT, &[other.clone(), array(documents)]));
    let pair = array([field(var(1), "n"), json!({"x": [2, [1, null, "é"]]})]);
    let or_zero = call(t::DEFAULT, &[field(json!([t::ROW]), "none"), json!(0.5)]);
    let created = [
        call(t::INDEX_CREATE, &[table(), json!("n")]),
        call_with(
            t::INDEX_CREATE,
            &[table(), json!("tags")],
            json!({"multi": true}),
        ),
        call(
            t::INDEX_CREATE,
            &[
                table(),
                json!("first"),
                func(1, call(t::NTH, &[pair, json!(0)])),
            ],
        ),
        call(t::INDEX_CREATE, &[table(), json!("zero"), func(4, or_zero)]),
    ];
    for query in created {
        assert_eq!(session.value(query), json!({"created": 1}));
    }
    for (index, expected) in [
        ("n", json!([2, 1])),
        ("tags", json!([1, 2, 1])),
        ("first", json!([2, 1])),
        ("zero", json!([1, 2])),
    ] {
        let function = function_of(&mut session, &table(), index);
        let copy = call(
            t::INDEX_CREATE,
            &[other.clone(), json!(index), function.clone()],
        );
        session.value(copy);
        assert_eq!(in_order(&mut session, &table(), index), expected, "{index}");
        assert_eq!(in_order(&mut session, &other, index), expected, "{index}");
        assert_eq!(function_of(&mut session, &other, index), function);
    }
    let tags = function_of(&mut session, &table(), "tags");
    let single = json!({"multi": false});
    let whole = call_with(
        t::INDEX_CREATE,
        &[other.clone(), json!("whole"), tags],
        single,
    );
    session.value(whole);
    assert_eq!(in_order(&mut session, &other, "whole"), json!([2, 1]));
}

#[test]
fn a_function_keeps_the_values_of_outer_variables() {
    let mut session = Session::with_documents([
        json!({"id": 1, "a": 2, "b": 1}),
        json!({"id": 2, "a": 1, "b": 2}),
    ]);
    let by_field = func(2, json!([t::BRACKET, [var(2), var(1)]]));
    let create = call(t::INDEX_CREATE, &[table(), var(1), by_field]);
    let names = array([json!("a"), json!("b")]);
    session.value(call(t::FOR_EACH, &[names, func(1, create)]));
    assert_eq!(in_order(&mut session, &table(), "a"), json!([2, 1]));
    assert_eq!(in_order(&mut session, &table(), "b"), json!([1, 2]));
}

#[test]
fn other_binaries_and_values_are_no_functions() {
    let mut session = Session::with_table();
    let mut refused =
        |function: Value| session.error(call(t::INDEX_CREATE, &[table(), json!("x"), function]));
    let binary = |base64: &str| json!({"$reql_type$": "BINARY", "data": base64});
    let message = "Cannot create an sindex except from a reql_index_function returned from `index_status` in the field \
                   `function`.";
    assert_eq!(refused(binary("AAAA")), failure(LOGIC, message));
    // The prefix alone.
    let (class, message) = refused(binary("JHJlcWxfaW5kZXhfZnVuY3Rpb24k"));
    assert_eq!(class, LOGIC);
    assert!(message.contains("could not be interpreted as a reql_index_function"));
    assert_eq!(
        refused(json!("n")),
        failure(LOGIC, "Expected type FUNCTION but found DATUM:\n\"n\"")
    );
}

#[test]
fn strings_with_nul_characters_are_indexed() {
    let mut session = Session::with_documents([
        json!({"id": 1, "s": "a\u{0}b"}),
        json!({"id": 2, "s": "a\u{1}"}),
        json!({"id": 3, "s": "a"}),
        json!({"id": 4, "s": [2, ["a\u{0}", 1]]}),
    ]);
    session.value(call(t::INDEX_CREATE, &[table(), json!("s")]));
    assert_eq!(in_order(&mut session, &table(), "s"), json!([4, 3, 1, 2]));
    let key = array([json!("a\u{0}"), json!(1)]);
    let found = call_with(
        t::GET_ALL,
        &[table(), json!("a\u{0}b"), key],
        json!({"index": "s"}),
    );
    assert_eq!(session.value(call(t::COUNT, &[found])), json!(2));
}
