//! `union` with an order.

use serde_json::{Value, json};

use super::{LOGIC, Session, array, call, call_with, failure, field, func, numbers, t, table, var};

fn elements(numbers: &[i64]) -> Value {
    array(numbers.iter().map(|number| json!({"n": number})))
}

#[test]
fn ordered_sequences_are_merged() {
    let mut session = Session::new();
    let sequences = [elements(&[1, 4, 5]), elements(&[2, 4]), elements(&[])];
    let union = |order: Value| call_with(t::UNION, &sequences, json!({"interleave": order}));
    let merged = json!([{"n": 1}, {"n": 2}, {"n": 4}, {"n": 4}, {"n": 5}]);
    let by_function = func(1, field(var(1), "n"));
    for order in [
        json!("n"),
        by_function.clone(),
        array([json!("n")]),
        array([by_function, json!("missing")]),
    ] {
        assert_eq!(session.value(union(order)), merged);
    }
    let one_after_the_other = json!([{"n": 1}, {"n": 4}, {"n": 5}, {"n": 2}, {"n": 4}]);
    assert_eq!(session.value(union(json!(false))), one_after_the_other);
    assert_eq!(
        session.error(union(call(t::DESC, &[json!("n")]))),
        failure(
            LOGIC,
            "The streams given as arguments are not ordered by given ordering."
        )
    );
}

#[test]
fn equal_elements_come_in_the_order_of_the_sequences() {
    let mut session = Session::new();
    let marked = |mark: &str| array([json!({"n": 1, "in": mark}), json!({"n": 0, "in": mark})]);
    let descending = array([call(t::DESC, &[json!("n")])]);
    let union = call_with(
        t::UNION,
        &[marked("a"), marked("b")],
        json!({"interleave": descending}),
    );
    let marks = call(t::GET_FIELD, &[union, json!("in")]);
    assert_eq!(session.value(marks), json!(["a", "b", "a", "b"]));
}

#[test]
fn a_union_is_an_array_if_all_its_parts_are() {
    let mut session = Session::with_documents((0..3).map(|id| json!({"id": id})));
    let kind = |parts: &[Value]| {
        let union = call_with(t::UNION, parts, json!({"interleave": "id"}));
        call(t::TYPE_OF, &[union])
    };
    let ordered = call(t::ORDER_BY, &[table(), json!("id")]);
    assert_eq!(session.value(kind(&[numbers(&[]), numbers(&[])])), "ARRAY");
    assert_eq!(session.value(kind(&[ordered, table()])), "STREAM");
}
