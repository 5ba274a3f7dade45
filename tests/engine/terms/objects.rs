//! Fields of objects.

use serde_json::{Value, json};

use super::{LOGIC, MISSING, Session, array, call, failure, func, numbers, t, table, var};

fn now() -> Value {
    json!({"$reql_type$": "TIME", "epoch_time": 1, "timezone": "Z"})
}

#[test]
fn times_are_not_objects_with_fields() {
    let mut session = Session::new();
    for (term, name, argument) in [
        (t::BRACKET, "bracket", json!("epoch_time")),
        (t::GET_FIELD, "get_field", json!("epoch_time")),
        (t::PLUCK, "pluck", json!("epoch_time")),
        (t::HAS_FIELDS, "has_fields", json!("epoch_time")),
        (t::MERGE, "merge", json!({"a": 1})),
    ] {
        assert_eq!(
            session.error(call(term, &[now(), argument])),
            failure(
                LOGIC,
                &format!("Cannot call `{name}` on objects of type `PTYPE<TIME>`.")
            )
        );
    }
    assert_eq!(
        session.error(call(t::MERGE, &[json!({"a": 1}), now()])),
        failure(LOGIC, "Cannot merge objects of type `PTYPE<TIME>`.")
    );
    let nested = json!({"a": now()});
    assert_eq!(
        session.value(call(t::MERGE, &[json!({}), nested]))["a"]["timezone"],
        "+00:00"
    );
}

#[test]
fn sequences_of_sequences_have_no_fields() {
    let mut session = Session::new();
    let nested = array([array([json!({"a": 1})])]);
    assert_eq!(
        session.error(call(t::PLUCK, &[nested.clone(), json!("a")])),
        failure(LOGIC, "Cannot perform pluck on a sequence of sequences.")
    );
    assert_eq!(
        session.error(call(t::MERGE, &[numbers(&[1]), json!({"a": 1})])),
        failure(
            LOGIC,
            "Cannot perform merge on a non-object non-sequence `1`."
        )
    );
}

#[test]
fn null_elements_lack_every_field() {
    let mut session = Session::new();
    let elements = array([json!(null), json!({"a": 1})]);
    for (term, kept) in [
        (t::GET_FIELD, json!([1])),
        (t::BRACKET, json!([1])),
        (t::HAS_FIELDS, json!([{"a": 1}])),
        (t::WITH_FIELDS, json!([{"a": 1}])),
    ] {
        assert_eq!(
            session.value(call(term, &[elements.clone(), json!("a")])),
            kept
        );
    }
    assert_eq!(
        session.error(call(t::PLUCK, &[elements, json!("a")])),
        failure(
            MISSING,
            "Cannot perform pluck on a non-object non-sequence `null`."
        )
    );
}

#[test]
fn with_fields_needs_a_sequence() {
    let mut session = Session::new();
    assert_eq!(
        session.error(call(t::WITH_FIELDS, &[json!(1)])),
        failure(
            LOGIC,
            "Cannot perform has_fields on a non-object non-sequence `1`."
        )
    );
    assert_eq!(
        session.error(call(t::WITH_FIELDS, &[json!({"a": 1}), json!("a")])),
        failure(
            LOGIC,
            "Cannot perform pluck on a non-object non-sequence `true`."
        )
    );
}

#[test]
fn long_values_are_cut_off_in_errors() {
    let mut session = Session::new();
    let (_, message) = session.error(call(t::PLUCK, &[json!("é".repeat(400)), json!("a")]));
    assert!(message.len() < 400, "{message}");
    assert!(message.ends_with("...`."), "{message}");
}

#[test]
fn objects_are_no_sequences() {
    let mut session = Session::with_documents([json!({"id": 1, "a": 2})]);
    let object = json!({"a": 1, "b": 2});
    let document = call(t::GET, &[table(), json!(1)]);
    let identity = func(1, var(1));
    assert_eq!(
        session.error(call(t::MAP, &[object.clone(), identity.clone()])),
        failure(LOGIC, "Cannot convert OBJECT to SEQUENCE")
    );
    assert_eq!(
        session.error(call(t::MAP, &[document.clone(), identity])),
        failure(
            LOGIC,
            "Expected type SEQUENCE but found SINGLE_SELECTION:\n{\n\t\"a\":\t2,\n\t\"id\":\t1\n}"
        )
    );
    assert_eq!(
        session.error(call(t::NTH, &[document.clone(), json!(0)])),
        failure(LOGIC, "Expected type ARRAY but found OBJECT.")
    );
    assert_eq!(
        session.error(call(t::SLICE, &[object.clone(), json!(0), json!(1)])),
        failure(
            LOGIC,
            "Expected ARRAY, BINARY, or STRING, but found OBJECT."
        )
    );
    for (value, pairs) in [
        (object, json!([["a", 1], ["b", 2]])),
        (document, json!([["a", 2], ["id", 1]])),
    ] {
        let count = call(t::COUNT, std::slice::from_ref(&value));
        assert_eq!(session.value(count), 2);
        let array = call(t::COERCE_TO, &[value, json!("array")]);
        assert_eq!(session.value(array.clone()), pairs);
        let object = call(t::COERCE_TO, &[array, json!("object")]);
        assert!(session.value(object).is_object());
    }
}
