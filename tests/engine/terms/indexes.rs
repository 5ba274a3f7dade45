//! Secondary indexes.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::{LOGIC, Session, array, call, call_with, failure, field, func, t, table, var};

/// A session with documents and an index on a field of them.
pub(super) fn with_index(
    name: &str,
    options: Value,
    documents: impl IntoIterator<Item = Value>,
) -> Session {
    let mut session = Session::with_documents(documents);
    session.value(call_with(t::INDEX_CREATE, &[table(), json!(name)], options));
    session.value(call(t::INDEX_WAIT, &[table()]));
    session
}

fn ids(documents: &Value) -> Vec<u64> {
    let documents = documents.as_array().unwrap();
    documents
        .iter()
        .map(|document| document["id"].as_u64().unwrap())
        .collect()
}

/// More documents of a value than are read at once.
fn rows() -> Vec<Value> {
    (0..300)
        .map(|id| json!({"id": id, "a": id % 2, "b": (id * 7) % 300}))
        .collect()
}

#[test]
fn keys_sort_the_documents_with_one_value_of_an_index() {
    let mut session = with_index("a", json!({}), rows());
    for (direction, descending) in [(json!("a"), false), (call(t::DESC, &[json!("a")]), true)] {
        let sorted = call_with(
            t::ORDER_BY,
            &[table(), json!("b")],
            json!({"index": direction}),
        );
        let mut expected = rows();
        expected.sort_by_key(|row| {
            let a = row["a"].as_i64().unwrap();
            (if descending { -a } else { a }, row["b"].as_i64())
        });
        let expected: Vec<u64> = expected
            .iter()
            .map(|row| row["id"].as_u64().unwrap())
            .collect();
        // A stream, so an array is asked for.
        let all = session.value(call(t::COERCE_TO, &[sorted.clone(), json!("array")]));
        assert_eq!(ids(&all), expected);
        let first = session.value(call(t::LIMIT, &[sorted.clone(), json!(5)]));
        assert_eq!(ids(&first), expected[..5]);
        assert_eq!(
            session.value(call(t::TYPE_OF, &[sorted])),
            "SELECTION<STREAM>"
        );
    }
    // Each document has a primary key of its own.
    let by_key = call_with(t::ORDER_BY, &[table(), json!("b")], json!({"index": "id"}));
    let first = session.value(call(t::LIMIT, &[by_key, json!(4)]));
    assert_eq!(ids(&first), [0, 1, 2, 3]);
}

#[test]
fn a_sequence_is_sliced_by_one_index_alone() {
    let mut session = with_index("a", json!({}), rows());
    let by =
        |subject: Value, index: &str| call_with(t::ORDER_BY, &[subject], json!({"index": index}));
    let twice = "Cannot perform multiple indexed ORDER_BYs on the same table.";
    for (first, second) in [("id", "a"), ("a", "id"), ("a", "a"), ("id", "id")] {
        let query = by(by(table(), first), second);
        assert_eq!(session.error(query), failure(LOGIC, twice));
    }
    let sorted = call_with(t::ORDER_BY, &[table(), json!("a")], json!({"index": "id"}));
    let between = call(t::BETWEEN, &[sorted.clone(), json!(1), json!(2)]);
    let message = "Expected type TABLE_SLICE but found SELECTION:\nSELECTION ON table(t)";
    assert_eq!(session.error(between), failure(LOGIC, message));
    let (class, message) = session.error(by(sorted, "a"));
    assert_eq!(class, LOGIC);
    assert!(
        message.starts_with("Indexed order_by can only be performed on a TABLE or TABLE_SLICE.")
    );
}

#[test]
fn a_function_that_depends_on_the_time_makes_no_index() {
    let mut session = Session::with_table();
    let message = "Could not prove function deterministic.  Index functions must be deterministic.";
    let later = func(1, call(t::GT, &[field(var(1), "at"), call(t::NOW, &[])]));
    let create = call(t::INDEX_CREATE, &[table(), json!("later"), later.clone()]);
    assert_eq!(session.error(create), failure(LOGIC, message));
    // Nor does one that is given as `index_status` returns it.
    let saved = |text: &str| {
        let bytes = STANDARD.encode(format!("$realtime_photo_index_function${text}"));
        let binary = json!({"$reql_type$": "BINARY", "data": bytes});
        call(t::INDEX_CREATE, &[table(), json!("saved"), binary])
    };
    assert_eq!(
        session.error(saved(&later.to_string())),
        failure(LOGIC, message)
    );
    for text in ["1", "[24,[1,2]]", "{}", "x"] {
        session.error(saved(text));
    }
    let name = func(1, field(var(1), "name"));
    assert_eq!(session.value(saved(&name.to_string()))["created"], 1);
}

#[test]
fn a_cursor_of_an_index_that_is_dropped_ends_with_an_error() {
    let large = "x".repeat(20_000);
    let rows = (0..300).map(|id| json!({"id": id, "a": 1, "text": large}));
    let mut session = with_index("a", json!({}), rows);
    let all = call_with(t::GET_ALL, &[table(), json!(1)], json!({"index": "a"}));
    session.client.send(7, &json!([1, all, {}]));
    assert_eq!(session.client.receive().unwrap().1["t"], 3, "more follows");
    session.value(call(t::INDEX_DROP, &[table(), json!("a")]));
    session.client.send(7, &json!([2]));
    let (_, answer) = session.client.receive().unwrap();
    assert_eq!(answer["r"][0], "The index does not exist any more.");
    // Which is no damage.
    let named = func(1, field(var(1), "name"));
    let names = call(t::MAP, &[array([json!({"name": "works"})]), named]);
    assert_eq!(session.value(names), json!(["works"]));
}

/// Values of all types that have an order, each with what differs in their encoding: signs, zeros, prefixes, bytes 0
/// and 1, and keys that RethinkDB would cut.
fn values() -> Vec<Value> {
    let text = |end: &str| json!("x".repeat(300) + end);
    let binary = |base64: &str| json!({"$reql_type$": "BINARY", "data": base64});
    let time = |seconds: f64| call(t::EPOCH_TIME, &[json!(seconds)]);
    let mut values = vec![
        json!(-1e300),
        json!(-1),
        json!(-0.0),
        json!(0),
        json!(1e-300),
        json!(1),
        json!(1.5),
        json!(256),
        json!(""),
        json!("\u{1}"),
        json!("a"),
        json!("a\u{1}"),
        json!("ab"),
        json!("é"),
        text("a"),
        text("b"),
        json!(true),
        json!(false),
        binary(""),
        binary("AA=="),
        binary("AAE="),
        binary("AQ=="),
        binary("AQA="),
        binary("/w=="),
        time(-1.5),
        time(0.0),
        time(1.0),
    ];
    values.extend([
        array([]),
        array([json!(1)]),
        array([json!(1), json!("a")]),
        array([json!("")]),
        array([json!("a")]),
        array([json!("a"), json!(0)]),
        array([json!("a\u{1}")]),
        array([array([json!("a")])]),
        array([binary("AA=="), json!(1)]),
        array([array([]), array([])]),
    ]);
    values
}

fn both(tests: impl IntoIterator<Item = Value>) -> Value {
    call(t::AND, &tests.into_iter().collect::<Vec<_>>())
}

#[test]
fn an_index_finds_what_a_filter_finds_whatever_the_values() {
    let values = values();
    let indexed = values.iter().map(Some).chain([None]);
    let mut documents: Vec<Value> = (0..)
        .zip(indexed)
        .map(|(id, value)| match value {
            Some(value) => json!({"id": id, "a": value}),
            None => json!({"id": id}),
        })
        .collect();
    // These have no entries.
    documents.extend([
        json!({"id": 900, "a": null}),
        json!({"id": 901, "a": {"b": 1}}),
    ]);
    let mut session = with_index("a", json!({}), documents);
    let a = || field(var(1), "a");
    let kind = || call(t::TYPE_OF, &[a()]);
    let is_key = || {
        both([
            call(t::NE, &[kind(), json!("NULL")]),
            call(t::NE, &[kind(), json!("OBJECT")]),
        ])
    };
    let mut sorted_ids = |query: Value| {
        let found = call(t::MAP, &[query, func(2, field(var(2), "id"))]);
        let found = session.value(call(t::COERCE_TO, &[found, json!("array")]));
        let mut ids: Vec<u64> = serde_json::from_value(found).unwrap();
        ids.sort_unstable();
        ids
    };
    for (at, lower) in values.iter().enumerate() {
        let all = call_with(t::GET_ALL, &[table(), lower.clone()], json!({"index": "a"}));
        let equal = func(1, call(t::EQ, &[a(), lower.clone()]));
        let filtered = call(t::FILTER, &[table(), equal]);
        assert_eq!(sorted_ids(all), sorted_ids(filtered), "{lower}");
        for (upper, combination) in values.iter().zip(at..) {
            let (left_open, right_open) = (combination % 2 == 0, combination % 4 < 2);
            let bound = |is_open| if is_open { "open" } else { "closed" };
            let between = call_with(
                t::BETWEEN,
                &[table(), lower.clone(), upper.clone()],
                json!({"index": "a", "left_bound": bound(left_open), "right_bound": bound(right_open)}),
            );
            let above = if left_open { t::GT } else { t::GE };
            let below = if right_open { t::LT } else { t::LE };
            let tests = [
                is_key(),
                call(above, &[a(), lower.clone()]),
                call(below, &[a(), upper.clone()]),
            ];
            let filtered = call(t::FILTER, &[table(), func(1, both(tests))]);
            assert_eq!(sorted_ids(between), sorted_ids(filtered), "{lower} {upper}");
        }
    }
    // In the order of the values, and of the keys of equal ones.
    for descending in [false, true] {
        let key = |name: &str| match descending {
            true => call(t::DESC, &[json!(name)]),
            false => json!(name),
        };
        let by_index = call_with(t::ORDER_BY, &[table()], json!({"index": key("a")}));
        let by_index = session.value(call(t::COERCE_TO, &[by_index, json!("array")]));
        let keys = call(t::FILTER, &[table(), func(1, is_key())]);
        let by_keys = session.value(call(t::ORDER_BY, &[keys, key("a"), key("id")]));
        assert_eq!(ids(&by_index), ids(&by_keys));
    }
}

#[test]
fn a_multi_index_finds_a_document_once_for_each_of_its_values() {
    let values = values();
    let count = values.len();
    // Which values a document has: some twice.
    let chosen = |id: usize| [id, (id * 7 + 3) % count, (id * 5) % count, id];
    let documents = (0..count).map(|id| {
        let items = chosen(id).into_iter().take(1 + id % 4);
        let items = items.map(|at| values[at].clone());
        json!({"id": id, "m": array(items)})
    });
    let mut session = with_index("m", json!({"multi": true}), documents);
    for (wanted, value) in values.iter().enumerate() {
        let all = call_with(t::GET_ALL, &[table(), value.clone()], json!({"index": "m"}));
        let found = session.value(call(t::COERCE_TO, &[all, json!("array")]));
        let mut found = ids(&found);
        found.sort_unstable();
        // 0 and -0 are equal.
        let is_wanted =
            |at: usize| at == wanted || [at, wanted].iter().all(|at| [2, 3].contains(at));
        let mut expected = Vec::new();
        for id in 0..count {
            let chosen = &chosen(id)[..1 + id % 4];
            expected.extend(
                chosen
                    .iter()
                    .filter(|at| is_wanted(**at))
                    .map(|_| id as u64),
            );
        }
        assert_eq!(found, expected, "{value}");
    }
}
