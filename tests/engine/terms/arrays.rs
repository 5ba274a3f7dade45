//! The limit of arrays.

use serde_json::json;

use super::{LOGIC, RESOURCE_LIMIT, Session, array, call, error_of, numbers, t, table};

#[test]
fn array_limit_holds_for_constants_and_results() {
    let mut session = Session::new();
    let three = json!({"array_limit": 3});
    let too_long = "Array over size limit `3`.  To raise the number of allowed elements, modify the `array_limit` \
                    option to `.run` (not available in the Data Explorer), or use an index.";
    for query in [
        numbers(&[1, 2, 3, 4]),
        array([numbers(&[1]), numbers(&[1, 2, 3, 4])]),
        json!({"a": numbers(&[1, 2, 3, 4])}),
        call(t::ADD, &[numbers(&[1, 2]), numbers(&[3, 4])]),
        call(t::UNION, &[numbers(&[1, 2]), numbers(&[3, 4])]),
        call(t::COERCE_TO, &[json!([t::RANGE, [4]]), json!("array")]),
    ] {
        let error = error_of(&session.answer_with(&query, &three));
        assert_eq!(error, (RESOURCE_LIMIT, too_long.to_owned()), "{query}");
    }
    assert_eq!(
        session.answer_with(&numbers(&[1, 2, 3]), &three)["r"][0],
        json!([1, 2, 3])
    );
}

#[test]
fn array_limit_can_be_raised_but_not_for_stored_arrays() {
    let mut session = Session::with_table();
    let raised = json!({"array_limit": 100_001});
    let long = call(
        t::COERCE_TO,
        &[json!([t::RANGE, [100_001]]), json!("array")],
    );
    let counted = session.answer_with(&call(t::COUNT, std::slice::from_ref(&long)), &raised);
    assert_eq!(counted["r"][0], 100_001);
    let insert = call(t::INSERT, &[table(), json!({"id": 1, "long": long})]);
    let inserted = session.answer_with(&insert, &raised);
    assert_eq!(
        inserted["r"][0]["first_error"],
        "Array too large for disk writes (limit 100,000 elements)."
    );
}

#[test]
fn array_limit_must_be_a_positive_whole_number() {
    let mut session = Session::new();
    for (limit, message) in [
        (json!(0), "Illegal array size limit `0`.  (Must be >= 1.)"),
        (json!(-5), "Illegal array size limit `-5`.  (Must be >= 1.)"),
        (json!("a"), "Expected type NUMBER but found STRING."),
        (json!(1.5), "Number not an integer: 1.5"),
    ] {
        let answer = session.answer_with(&json!(1), &json!({"array_limit": limit}));
        assert_eq!(error_of(&answer), (LOGIC, message.to_owned()));
    }
}

#[test]
fn changes_in_results_are_cut_off_at_the_array_limit_with_a_warning() {
    let mut session = Session::with_documents((0..5).map(|id| json!({"id": id})));
    let update = super::call_with(
        t::UPDATE,
        &[table(), json!({"a": 1})],
        json!({"return_changes": true}),
    );
    let result = &session.answer_with(&update, &json!({"array_limit": 2}))["r"][0];
    assert_eq!(result["changes"].as_array().unwrap().len(), 2);
    assert_eq!(result["replaced"], 5);
    assert_eq!(
        result["warnings"],
        json!(["Too many changes, array truncated to 2."])
    );
    let insert = call(
        t::INSERT,
        &[table(), array((0..3).map(|_| json!({"new": true})))],
    );
    let result = &session.answer_with(&insert, &json!({"array_limit": 3}))["r"][0];
    assert_eq!(result["generated_keys"].as_array().unwrap().len(), 3);
    assert_eq!(result["warnings"], json!(null));
}
