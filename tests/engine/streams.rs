//! Streams and feeds on the wire: batches, concurrent changes, and queries without an end.

use std::collections::{HashMap, HashSet};
use std::time::Instant;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::client::Client;
use crate::wire::{VERY_LONG, engine_with_table, table, wait_until};

#[test]
fn an_endless_query_ends_when_it_is_stopped_or_its_client_disconnects() {
    let (engine, mut client) = engine_with_table();
    let endless = json!([1, [43, [[173, [VERY_LONG]]]], {}]);
    client.send(5, &endless);
    client.send_raw(5, b"[3]");
    for _ in 0..2 {
        assert_eq!(client.receive().unwrap().1["t"], 2);
    }
    client.send(6, &endless);
    drop(client);
    wait_until("the session ends", || engine.engine.sessions() == 0);
    assert_eq!(engine.connect().ask(json!(1))["t"], 1);
}

#[test]
fn a_table_is_streamed_in_batches_and_its_token_can_be_used_again() {
    let (_engine, mut client) = engine_with_table();
    let pad = "x".repeat(10_000);
    for chunk in 0..3 {
        let documents: Vec<Value> = (0..100)
            .map(|i| json!({"id": chunk * 100 + i, "pad": pad}))
            .collect();
        assert_eq!(
            client.ask(json!([56, [table(), [2, documents]]]))["r"][0]["inserted"],
            100
        );
    }
    client.send(9, &json!([1, table(), {}]));
    let (mut batches, mut ids) = (0, Vec::new());
    loop {
        let (_, answer) = client.receive().unwrap();
        batches += 1;
        ids.extend(
            answer["r"]
                .as_array()
                .unwrap()
                .iter()
                .map(|row| row["id"].as_u64().unwrap()),
        );
        if answer["t"] == 2 {
            break;
        }
        assert_eq!(answer["t"], 3, "{answer}");
        client.send_raw(9, b"[2]");
    }
    assert!(batches >= 3, "{batches} batches");
    assert_eq!(ids, (0..300).collect::<Vec<_>>());
    client.send(9, &json!([1, 1, {}]));
    assert_eq!(client.receive().unwrap().1["t"], 1);
}

#[test]
fn a_stream_reflects_changes_of_the_table_between_its_batches() {
    let (engine, mut client) = engine_with_table();
    let pad = "x".repeat(100_000);
    let documents: Vec<Value> = (0..30).map(|i| json!({"id": i, "pad": pad})).collect();
    client.ask(json!([56, [table(), [2, documents]]]));
    client.send(9, &json!([1, table(), {}]));
    let (_, first) = client.receive().unwrap();
    assert_eq!(first["t"], 3);
    let mut other = engine.connect();
    other.ask(json!([54, [[16, [table(), 0]]]]));
    other.ask(json!([54, [[16, [table(), 20]]]]));
    other.ask(json!([56, [table(), {"id": 25.5}]]));
    let mut ids: Vec<f64> = first["r"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["id"].as_f64().unwrap())
        .collect();
    loop {
        client.send_raw(9, b"[2]");
        let (_, answer) = client.receive().unwrap();
        ids.extend(
            answer["r"]
                .as_array()
                .unwrap()
                .iter()
                .map(|row| row["id"].as_f64().unwrap()),
        );
        if answer["t"] == 2 {
            break;
        }
        assert_eq!(answer["t"], 3, "{answer}");
    }
    let mut wanted: Vec<f64> = (0..30).filter(|id| *id != 20).map(f64::from).collect();
    wanted.insert(25, 25.5);
    assert_eq!(ids, wanted);
}

/// Reads a feed up to the first element for which `is_last` holds, and returns all elements.
fn follow(feed: &mut Client, mut is_last: impl FnMut(&Value) -> bool) -> Vec<Value> {
    let mut elements = Vec::new();
    loop {
        let (_, answer) = feed.receive().unwrap();
        assert_eq!(answer["t"], 3, "{answer}");
        for element in answer["r"].as_array().unwrap() {
            elements.push(element.clone());
            if is_last(element) {
                return elements;
            }
        }
        feed.send_raw(1, b"[2]");
    }
}

#[test]
fn a_feed_with_initial_values_misses_and_repeats_no_concurrent_change() {
    let (engine, mut client) = engine_with_table();
    let pad = "x".repeat(20_000);
    let documents: Vec<Value> = (0..200)
        .map(|i| json!({"id": i, "v": 0, "pad": pad}))
        .collect();
    client.ask(json!([56, [table(), [2, documents]]]));
    let address = engine.engine.address();
    let writer = std::thread::spawn(move || {
        let mut client = Client::log_in(address, "").unwrap();
        for round in 1..=10 {
            for id in [0, 50, 100, 150, 199] {
                client
                    .ask(json!([53, [[16, [table(), id]], {"v": round}], {"durability": "soft"}]));
            }
        }
        client.ask(json!([56, [table(), {"id": "last"}]]));
    });
    let mut feed = engine.connect();
    let options = json!({"include_initial": true, "include_states": true});
    feed.send(1, &json!([1, [152, [table()], options], {}]));
    // "last" may be an initial value, sent before the changes of documents that were read earlier.
    let mut missing: HashSet<String> = ["0", "50", "100", "150", "199", "\"last\"", "ready"]
        .map(String::from)
        .into();
    let elements = follow(&mut feed, |element| {
        let (document, state) = (&element["new_val"], &element["state"]);
        if document["v"] == 10 || document["id"] == "last" {
            missing.remove(&document["id"].to_string());
        }
        if state == "ready" {
            missing.remove("ready");
        }
        missing.is_empty()
    });
    writer.join().unwrap();
    let mut seen = HashMap::new();
    for element in elements.iter().filter(|element| element["state"].is_null()) {
        let (id, v) = (
            element["new_val"]["id"].to_string(),
            element["new_val"]["v"].as_i64().unwrap_or(0),
        );
        if let Some(before) = seen.insert(id.clone(), v) {
            assert_eq!(
                element["old_val"]["v"], before,
                "{id}: each change begins where the last one ended"
            );
            assert_eq!(v, before + 1, "{id}: no change is missing or doubled");
        }
    }
    assert_eq!(seen.len(), 201);
    for id in [0, 50, 100, 150, 199] {
        assert_eq!(seen[&id.to_string()], 10, "{id}");
    }
    assert!(elements.contains(&json!({"state": "ready"})));
}

#[test]
fn a_feed_without_a_field_does_not_send_it() {
    let (engine, mut client) = engine_with_table();
    let mut feed = engine.connect();
    feed.send(1, &json!([1, [152, [[34, [table(), "file"]]]], {}]));
    feed.receive().unwrap();
    feed.send_raw(1, b"[2]");
    let file = json!({"$reql_type$": "BINARY", "data": STANDARD.encode(vec![7; 100_000])});
    client.ask(json!([56, [table(), {"id": 1, "file": file}]]));
    assert_eq!(
        feed.receive().unwrap().1["r"],
        json!([{"new_val": {"id": 1}, "old_val": null}])
    );
}

#[test]
fn endless_queries_delay_no_other_client_and_end_with_their_own() {
    let (engine, mut other) = engine_with_table();
    let mut client = engine.connect();
    for token in 0..40 {
        client.send(
            token,
            &json!([1, [43, [[173, [VERY_LONG]]]], {"noreply": token % 2 == 0}]),
        );
    }
    client.send(99, &json!([4]));
    assert_eq!(other.ask(json!([43, [table()]]))["r"], json!([0]));
    drop(client);
    wait_until("the session ends", || engine.engine.sessions() == 1);
    let inserted = other.ask(json!([56, [table(), {"id": 1}]]));
    assert_eq!(inserted["r"][0]["inserted"], 1);
}

#[test]
fn an_endless_function_of_a_feed_or_a_write_does_not_block_writes() {
    let (engine, mut client) = engine_with_table();
    let endless = json!([69, [[2, [1]], [21, [[43, [[173, [VERY_LONG]]]], 0]]]]);
    let mut feed = engine.connect();
    feed.send(1, &json!([1, [152, [[39, [table(), endless]]]], {}]));
    feed.receive().unwrap();
    feed.send_raw(1, b"[2]");
    assert_eq!(
        client.ask(json!([56, [table(), {"id": 1}]]))["r"][0]["inserted"],
        1
    );
    assert_eq!(
        feed.receive().unwrap().1["e"],
        4_100_000,
        "the feed is ended"
    );
    let answer = client.ask(json!([53, [[16, [table(), 1]], endless]]));
    assert!(
        answer["r"][0]["first_error"]
            .as_str()
            .unwrap()
            .contains("elements"),
        "{answer}"
    );
    assert_eq!(
        client.ask(json!([56, [table(), {"id": 2}]]))["r"][0]["inserted"],
        1
    );
}

#[test]
fn a_feed_with_a_squash_interval_merges_the_changes_within_it() {
    let (engine, mut client) = engine_with_table();
    // On a busy machine the writes may take longer than a short interval, which then need not merge them.
    let merged = [0.5, 4.0, 32.0]
        .into_iter()
        .enumerate()
        .any(|(id, interval)| {
            let mut feed = engine.connect();
            feed.send(1, &json!([1, [152, [table()], {"squash": interval}], {}]));
            feed.receive().unwrap();
            feed.send_raw(1, b"[2]");
            let start = Instant::now();
            for v in 0..3 {
                client.ask(json!([56, [table(), {"id": id, "v": v}], {"conflict": "replace"}]));
            }
            let in_time = start.elapsed().as_secs_f64() < interval;
            let answer = feed.receive().unwrap().1;
            if in_time {
                assert_eq!(
                    answer["r"],
                    json!([{"new_val": {"id": id, "v": 2}, "old_val": null}])
                );
            }
            in_time
        });
    assert!(merged, "three writes take longer than 32 s");
}
