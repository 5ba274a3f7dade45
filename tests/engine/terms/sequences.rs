//! Sequences.

use serde_json::{Value, json};

use super::{
    LOGIC, MISSING, Session, array, call, call_with, failure, field, func, numbers, t, table, var,
};

/// A function of two parameters that returns both.
fn pair() -> Value {
    json!([t::FUNC, [[t::MAKE_ARRAY, [1, 2]], array([var(1), var(2)])]])
}

fn endless() -> Value {
    call(t::RANGE, &[])
}

#[test]
fn contains_needs_an_element_for_each_value() {
    let mut session = Session::new();
    let contains = |picks: &[Value]| {
        let mut arguments = vec![numbers(&[1, 2, 2])];
        arguments.extend_from_slice(picks);
        call(t::CONTAINS, &arguments)
    };
    let is_two = func(1, call(t::EQ, &[var(1), json!(2)]));
    let is_one = func(1, call(t::EQ, &[var(1), json!(1)]));
    for (picks, found) in [
        (vec![json!(2), json!(2)], true),
        (vec![json!(1), json!(1)], false),
        (vec![is_two.clone(), is_two.clone()], true),
        (vec![is_one.clone(), is_one.clone()], false),
        // A value and a function may share an element.
        (vec![json!(1), is_one], true),
        (vec![], true),
    ] {
        assert_eq!(session.value(contains(&picks)), json!(found), "{picks:?}");
    }
    let lacks_field = func(1, call(t::EQ, &[field(var(1), "a"), json!(1)]));
    assert_eq!(
        session.error(call(t::CONTAINS, &[array([json!({})]), lacks_field])),
        failure(MISSING, "No attribute `a` in object:\n{}")
    );
}

#[test]
fn map_over_several_sequences_ends_with_the_shortest() {
    let mut session = Session::new();
    let pairs = call(t::MAP, &[endless(), numbers(&[7, 8]), pair()]);
    assert_eq!(session.value(pairs.clone()), json!([[0, 7], [1, 8]]));
    assert_eq!(session.value(call(t::TYPE_OF, &[pairs])), "STREAM");
    let arrays = call(t::MAP, &[numbers(&[1]), numbers(&[2]), pair()]);
    assert_eq!(session.value(call(t::TYPE_OF, &[arrays])), "ARRAY");
    let both_endless = call(t::MAP, &[endless(), endless(), pair()]);
    let two = call(t::LIMIT, &[both_endless, json!(2)]);
    assert_eq!(session.value(two), json!([[0, 0], [1, 1]]));
}

#[test]
fn map_checks_the_parameters_of_its_function() {
    let mut session = Session::new();
    assert_eq!(
        session.error(call(t::MAP, &[numbers(&[]), pair()])),
        failure(
            LOGIC,
            "The function passed to `map` expects 2 arguments, but 1 sequence was found."
        )
    );
    assert_eq!(
        session.error(call(t::MAP, &[numbers(&[]), numbers(&[]), func(1, var(1))])),
        failure(
            LOGIC,
            "The function passed to `map` expects 1 argument, but 2 sequences were found."
        )
    );
}

#[test]
fn endless_streams_cannot_be_read_to_their_end() {
    let mut session = Session::new();
    let message = "Cannot use an infinite stream with an aggregation function (`reduce`, `count`, etc.) or coerce it \
                   to an array.";
    for query in [
        call(t::COUNT, &[endless()]),
        call(t::COERCE_TO, &[endless(), json!("array")]),
        call(t::CONTAINS, &[endless(), json!(-1)]),
        call(t::NTH, &[endless(), json!(-1)]),
        call(t::COUNT, &[call(t::UNION, &[numbers(&[1]), endless()])]),
        call(t::COUNT, &[call(t::MAP, &[endless(), endless(), pair()])]),
    ] {
        assert_eq!(session.error(query), failure(LOGIC, message));
    }
    let third = call(t::NTH, &[endless(), json!(2)]);
    assert_eq!(session.value(third), 2);
}

#[test]
fn streams_are_not_cut_from_their_end() {
    let mut session = Session::with_documents((0..5).map(|id| json!({"id": id})));
    let slice = |sequence, arguments: &[i64], options| {
        let arguments = arguments.iter().map(|index| json!(index));
        let arguments: Vec<Value> = [sequence].into_iter().chain(arguments).collect();
        call_with(t::SLICE, &arguments, options)
    };
    for (arguments, message) in [
        (
            &[-1, 2][..],
            "Cannot use a negative left index on a stream.",
        ),
        (&[0, -2], "Cannot use a right index < -1 on a stream."),
        (
            &[0, -1],
            "Cannot slice to an open right index of -1 on a stream.",
        ),
    ] {
        let query = slice(table(), arguments, json!({}));
        assert_eq!(session.error(query), failure(LOGIC, message));
    }
    let count = |query| call(t::COUNT, &[query]);
    for (arguments, options, found) in [
        (&[1][..], json!({}), 4),
        (&[1, -1], json!({"right_bound": "closed"}), 4),
        (&[1, 3], json!({"right_bound": "closed"}), 3),
        (&[1, 3], json!({"left_bound": "open"}), 1),
        (&[3, 1], json!({}), 0),
    ] {
        let query = count(slice(table(), arguments, options));
        assert_eq!(session.value(query), found, "{arguments:?}");
    }
    let of_array = slice(numbers(&[1, 2, 3, 4]), &[-3, -1], json!({}));
    assert_eq!(session.value(of_array), json!([2, 3]));
    assert_eq!(
        session.error(call(t::NTH, &[table(), json!(-2)])),
        failure(LOGIC, "Cannot use an index < -1 (-2) on a stream.")
    );
    assert_eq!(
        session.error(call(t::LIMIT, &[table(), json!(-1)])),
        failure(LOGIC, "LIMIT takes a non-negative argument (got -1)")
    );
}

#[test]
fn an_object_in_place_of_a_condition_is_a_pattern() {
    let mut session = Session::new();
    let elements = array([
        json!({"a": 1, "b": 1}),
        json!({"a": 1, "b": 2}),
        json!({"c": {"d": 1, "e": 2}}),
    ]);
    let filter = |pattern| call(t::FILTER, &[elements.clone(), pattern]);
    let same = func(1, json!({"a": field(var(1), "b")}));
    assert_eq!(session.value(filter(same)), json!([{"a": 1, "b": 1}]));
    let constant = func(1, json!({"b": 2}));
    assert_eq!(
        session.value(filter(constant.clone())),
        json!([{"a": 1, "b": 2}])
    );
    assert_eq!(
        session.value(call(t::COUNT, &[elements.clone(), constant])),
        1
    );
    let inside = json!({"c": {"d": 1}});
    assert_eq!(
        session
            .value(filter(inside.clone()))
            .as_array()
            .unwrap()
            .len(),
        1
    );
    let whole = json!({"c": [t::LITERAL, [{"d": 1}]]});
    assert_eq!(session.value(filter(whole)), json!([]));
    let whole = json!([t::LITERAL, [{"a": 1, "b": 2}]]);
    assert_eq!(session.value(filter(whole)), json!([{"a": 1, "b": 2}]));
    // A missing field is an error, so the option `default` applies.
    let with_default = call_with(
        t::FILTER,
        &[elements, json!({"a": 1})],
        json!({"default": true}),
    );
    assert_eq!(session.value(with_default).as_array().unwrap().len(), 3);
}

#[test]
fn sort_keys_are_names_or_deterministic_functions() {
    let mut session = Session::with_table();
    let order = |key| call(t::ORDER_BY, &[numbers(&[2, 1]), key]);
    assert_eq!(
        session.error(order(numbers(&[1]))),
        failure(LOGIC, "Expected type STRING but found ARRAY.")
    );
    assert_eq!(
        session.error(order(func(1, call(t::COUNT, &[table()])))),
        failure(
            LOGIC,
            "Sorting by a non-deterministic function is not supported."
        )
    );
    assert_eq!(
        session.error(order(call(t::ARGS, &[array([json!("a")])]))),
        failure(
            LOGIC,
            "r.args is not supported in an order_by or union command yet."
        )
    );
}
