//! Secondary indexes.

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
