//! Changefeeds that gather changes, and those of indexes.

use serde_json::{Value, json};

use super::indexes::with_index;
use super::{Session, array, call, call_with, t, table};

#[test]
fn a_squashing_feed_sends_early_when_its_queue_is_half_full() {
    let mut session = Session::with_table();
    let changes = call_with(
        t::CHANGES,
        &[table()],
        json!({"squash": 3000, "changefeed_queue_size": 6, "include_states": true}),
    );
    session.client.send(7, &json!([1, changes, {}]));
    assert_eq!(
        session.client.receive().unwrap().1["r"][0]["state"],
        "ready"
    );
    session.client.send(7, &json!([2]));
    let insert = call(
        t::INSERT,
        &[table(), array((0..4).map(|id| json!({"id": id})))],
    );
    session.client.send(8, &json!([1, insert, {}]));
    // The client waits for at most a minute, the feed would gather for 50.
    let mut changes = 0;
    let mut inserted = false;
    while changes < 4 || !inserted {
        let (token, answer) = session.client.receive().unwrap();
        if token == 8 {
            inserted = true;
            continue;
        }
        changes += answer["r"].as_array().unwrap().len();
        session.client.send(7, &json!([2]));
    }
}

/// The documents of a feed as a client knows them, each as often as the feed has it.
#[derive(Default)]
struct Viewer {
    documents: Vec<Value>,
}

impl Viewer {
    fn apply(&mut self, element: &Value) {
        if element.get("state").is_some() {
            return;
        }
        let (old, new) = (&element["old_val"], &element["new_val"]);
        if !old.is_null() {
            let known = self.documents.iter().position(|known| known == old);
            self.documents
                .swap_remove(known.unwrap_or_else(|| panic!("unknown: {element}")));
        }
        if !new.is_null() {
            self.documents.push(new.clone());
        }
    }
}

/// Document `id` with some of five tags, one perhaps twice.
fn tagged(id: u64, dice: u64) -> Value {
    let tags: Vec<_> = (0..5)
        .chain([dice % 5])
        .filter(|tag| dice >> (tag + 8) & 1 == 1)
        .map(|tag| json!(format!("tag{tag}")))
        .collect();
    let tags = array(tags);
    let board = format!("board{}", dice % 3);
    // Several batches of initial values.
    json!({"id": id, "tags": tags, "board": board, "version": dice, "text": "x".repeat(60_000)})
}

/// Returns `true` for the document that [`follow`] writes last.
fn is_marker(document: &Value) -> bool {
    document["id"] == 1000
}

/// Follows a query while documents change, also between the batches of initial values, and compares what the client
/// knows in the end with the query.
fn follow(seed: u64, sequence: &Value, options: &Value) {
    let mut dice = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut roll = move || {
        dice ^= dice << 13;
        dice ^= dice >> 7;
        dice ^= dice << 17;
        dice >> 16
    };
    let documents: Vec<_> = (0..60).map(|id| tagged(id, roll())).collect();
    let mut session = with_index("tags", json!({"multi": true}), documents);
    session.value(call(t::INDEX_CREATE, &[table(), json!("board")]));
    session.value(call(t::INDEX_WAIT, &[table()]));
    let changes = call_with(t::CHANGES, std::slice::from_ref(sequence), options.clone());
    session.client.send(7, &json!([1, changes, {}]));
    let mut viewer = Viewer::default();
    let (mut writes, mut written) = (0, 0);
    // A marker in every sequence and feed, written last.
    let tags = array([json!("tag1"), json!("tag1")]);
    let marker = json!({"id": 1000, "tags": tags, "board": "board1", "version": 0, "text": ""});
    let mut is_marked = false;
    loop {
        let (token, answer) = session.client.receive().unwrap();
        if token == 7 {
            assert_eq!(answer["t"], 3);
            for element in answer["r"].as_array().unwrap() {
                viewer.apply(element);
            }
            session.client.send(7, &json!([2]));
        } else {
            assert_eq!(answer["r"][0]["errors"], 0);
            written += 1;
        }
        // At least one after each answer, so that more follow.
        let until = writes + 1 + i64::try_from(roll() % 3).unwrap();
        while writes < until.min(120) {
            let id = roll() % 70;
            let change = match roll() % 4 {
                0 => call(t::DELETE, &[call(t::GET, &[table(), json!(id)])]),
                _ => {
                    let document = tagged(id, roll());
                    call_with(
                        t::INSERT,
                        &[table(), document],
                        json!({"conflict": "replace"}),
                    )
                }
            };
            session
                .client
                .send(100 + writes, &json!([1, change, {"durability": "soft"}]));
            writes += 1;
        }
        if written == 120 && !is_marked {
            let insert = call(t::INSERT, &[table(), marker.clone()]);
            session.client.send(99, &json!([1, insert, {}]));
            is_marked = true;
        }
        if viewer.documents.iter().any(is_marker) {
            break;
        }
    }
    session.client = session.engine.connect();
    let mut expected = session.value(call(t::COERCE_TO, &[sequence.clone(), json!("array")]));
    let expected = expected.as_array_mut().unwrap();
    for documents in [&mut *expected, &mut viewer.documents] {
        // The copies of the marker may be in separate batches.
        documents.retain(|document| !is_marker(document));
        documents.sort_by_key(ToString::to_string);
    }
    let versions = |documents: &[Value]| -> Vec<String> {
        let version = |document: &Value| format!("{}:{}", document["id"], document["version"]);
        documents.iter().map(version).collect()
    };
    assert_eq!(
        versions(&viewer.documents),
        versions(expected),
        "seed {seed}"
    );
}

#[test]
fn a_feed_of_an_index_misses_and_repeats_no_change() {
    let of = |values: &[&str], index: &str| {
        let values = values.iter().map(|value| json!(value));
        let arguments: Vec<_> = std::iter::once(table()).chain(values).collect();
        call_with(t::GET_ALL, &arguments, json!({"index": index}))
    };
    let between = call_with(
        t::BETWEEN,
        &[table(), json!("tag1"), json!("tag3")],
        json!({"index": "tags", "right_bound": "closed"}),
    );
    let sequences = [
        of(&["board1"], "board"),
        of(&["board0", "board1"], "board"),
        of(&["tag1"], "tags"),
        of(&["tag3", "tag1"], "tags"),
        between,
    ];
    for (seed, sequence) in (1..).zip(&sequences) {
        for squash in [json!(false), json!(true), json!(0.02)] {
            let options =
                json!({"include_initial": true, "include_states": true, "squash": squash});
            follow(seed, sequence, &options);
        }
    }
}
