//! Behaviour on the wire that no recorded conversation shows: malformed queries, limits, and clients that disconnect.

use std::collections::{HashMap, HashSet};
use std::io::Write;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::client::{Client, MAGIC};
use crate::test_engine::TestEngine;

/// The number of elements of a range that takes months to count. RethinkDB refuses to count one without an end.
const VERY_LONG: u64 = 9_007_199_254_740_991;

/// The table that the tests use.
fn table() -> Value {
    json!([15, [[14, ["golden"]], "t"]])
}

fn engine_with_table() -> (TestEngine, Client) {
    let engine = TestEngine::start();
    let mut client = engine.connect();
    client.ask(json!([57, ["golden"]]));
    assert_eq!(client.ask(json!([60, [[14, ["golden"]], "t"]]))["t"], 1);
    (engine, client)
}

/// Waits for a condition that another thread brings about.
///
/// # Panics
/// After a minute, naming the condition.
fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(
            start.elapsed() < Duration::from_secs(60),
            "still waiting: {what}"
        );
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn a_login_with_the_wrong_password_is_refused() {
    let engine = TestEngine::start_with_password("grün & \"blau\"");
    let address = engine.engine.address();
    assert!(Client::log_in(address, "grün & \"blau\"").is_ok());
    let refusal = Client::log_in(address, "").err().unwrap();
    assert_eq!(refusal["error_code"], 12);
}

#[test]
fn a_query_over_the_size_limit_is_refused_by_its_header_and_the_connection_closed() {
    let (_engine, mut client) = engine_with_table();
    let mut header = 7_i64.to_le_bytes().to_vec();
    header.extend(134_217_728_u32.to_le_bytes());
    client.socket.write_all(&header).unwrap();
    let (token, answer) = client.receive().unwrap();
    assert_eq!(token, 7);
    assert_eq!(
        answer["r"][0],
        "Query size (134217728) greater than maximum (134217727)."
    );
    assert!(client.is_closed_by_server());
}

#[test]
fn a_malformed_query_is_answered_and_the_connection_stays_open() {
    let (_engine, mut client) = engine_with_table();
    for garbage in [
        &b"\xff\xfe"[..],
        b"",
        b"{}",
        b"[]",
        b"[\"1\"]",
        b"[1]",
        b"[1,[]]",
        b"[1,[15,{}]]",
        b"[1,[15,[],[]]]",
        b"[1,[15,[],{},1]]",
        b"[1,[69,[1,2]],{}]",
        b"[1,[10,[99]],{}]",
        b"[1,[1e99,[]],{}]",
        b"[-1]",
        b"[1.5]",
    ] {
        client.send_raw(3, garbage);
        let (token, answer) = client.receive().unwrap();
        assert_eq!(token, 3);
        let kind = answer["t"].as_i64().unwrap();
        assert!((16..=18).contains(&kind), "{garbage:?}: {answer}");
    }
    assert_eq!(client.ask(json!(1))["r"], json!([1]));
}

#[test]
fn a_query_nested_too_deeply_is_refused() {
    let (_engine, mut client) = engine_with_table();
    let deep = format!(
        "[1,{}1{},{{}}]",
        "[2,[".repeat(100_000),
        "]]".repeat(100_000)
    );
    client.send_raw(1, deep.as_bytes());
    assert_eq!(client.receive().unwrap().1["t"], 16);
}

#[test]
fn a_handshake_message_over_the_size_limit_is_refused() {
    let engine = TestEngine::start();
    let mut client = Client::open(engine.engine.address());
    client.socket.write_all(&MAGIC).unwrap();
    client.read_text().unwrap();
    client.socket.write_all(&[b' '; 5000]).unwrap();
    let refusal: Value = serde_json::from_str(&client.read_text().unwrap()).unwrap();
    assert_eq!(refusal["error_code"], 7);
    assert!(client.is_closed_by_server());
}

#[test]
fn an_unsupported_term_is_refused_by_name() {
    let (_engine, mut client) = engine_with_table();
    let answer = client.ask(json!([144, [table(), "x"]]));
    assert_eq!(answer["t"], 17);
    let message = answer["r"][0].as_str().unwrap();
    assert!(
        message.contains("`group`") && message.contains("embedded engine"),
        "{message}"
    );
}

#[test]
fn min_and_max_of_a_table_compare_primary_keys() {
    let (_engine, mut client) = engine_with_table();
    let [least, greatest] = [147, 148].map(|kind| json!([kind, [table()]]));
    // Source: map_acc_term_t in RethinkDB's terms/seq.cc, and a RethinkDB 2.4.4.
    let empty = client.ask(greatest.clone());
    assert_eq!((&empty["t"], &empty["e"]), (&json!(18), &json!(3_000_000)));
    let message = "`max` found no entries in the specified index.";
    assert_eq!(empty["r"], json!([message]));
    let rows = json!([2, [{"id": "b", "a": 1}, {"id": "c", "a": 0}, {"id": "a", "a": 2}]]);
    client.ask(json!([56, [table(), rows]]));
    assert_eq!(client.ask(least)["r"], json!([{"id": "a", "a": 2}]));
    assert_eq!(client.ask(greatest)["r"], json!([{"id": "c", "a": 0}]));
}

#[test]
fn a_client_that_disconnects_leaves_no_session_and_no_feed() {
    let (engine, client) = engine_with_table();
    let mut feeds: Vec<Client> = (0..20).map(|_| engine.connect()).collect();
    for feed in &mut feeds {
        feed.send(1, &json!([1, [152, [table()]], {}]));
        feed.receive().unwrap();
        feed.send_raw(1, b"[2]");
    }
    wait_until("20 feeds share one query", || {
        engine.engine.changefeeds() == (20, 1)
    });
    // One client disconnects in the middle of a frame.
    feeds[0].socket.write_all(&[1, 2, 3]).unwrap();
    drop(feeds);
    wait_until("the sessions end", || engine.engine.sessions() == 1);
    wait_until("the feeds end", || engine.engine.changefeeds() == (0, 0));
    drop(client);
    wait_until("the last session ends", || engine.engine.sessions() == 0);
}

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
fn binaries_of_all_sizes_are_returned_unchanged_or_left_out() {
    let (_engine, mut client) = engine_with_table();
    for size in [0, 1, 1023, 1024, 200_000, 5_000_000] {
        let bytes: Vec<u8> = (0..size)
            .map(|i: u32| (i.wrapping_mul(2_654_435_761) >> 13) as u8)
            .collect();
        let file = json!({"$reql_type$": "BINARY", "data": STANDARD.encode(&bytes)});
        client.ask(json!([56, [table(), {"id": size, "file": file}]]));
        let answer = client.ask(json!([16, [table(), size]]));
        let data: String = answer["r"][0]["file"]["data"]
            .as_str()
            .unwrap()
            .split_whitespace()
            .collect();
        assert!(STANDARD.decode(data).unwrap() == bytes, "{size} bytes");
        let without = client.ask(json!([34, [[16, [table(), size]], "file"]]));
        assert_eq!(without["r"], json!([{"id": size}]));
    }
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
fn hard_and_soft_writes_survive_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let start = || {
        realtime_photo::engine::Engine::start(realtime_photo::engine::EngineSettings {
            data_dir: folder.path().to_owned(),
            listen: ([127, 0, 0, 1], 0).into(),
            password: None,
        })
    };
    let engine = start().unwrap();
    let mut client = Client::log_in(engine.address(), engine.password()).unwrap();
    client.ask(json!([57, ["golden"]]));
    client.ask(json!([60, [[14, ["golden"]], "t"]]));
    client.ask(json!([56, [table(), {"id": "hard"}]]));
    client.ask(json!([56, [table(), {"id": "soft"}], {"durability": "soft"}]));
    let second = start().err().unwrap().to_string();
    assert!(second.contains("process"), "{second}");
    drop(engine);
    assert!(client.is_closed_by_server());
    let engine = start().unwrap();
    let mut client = Client::log_in(engine.address(), engine.password()).unwrap();
    assert_eq!(client.ask(json!([43, [table()]]))["r"], json!([2]));
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
fn arrays_and_numbers_over_their_limits_are_errors() {
    let (_engine, mut client) = engine_with_table();
    let long = json!([51, [[173, [100_000]], "array"]]);
    let doubled = json!([69, [[2, [1]], [24, [[10, [1]], [10, [1]]]]]]);
    for query in [
        json!([64, [doubled, long]]),
        json!([29, [long, 1]]),
        json!([80, [long, 1]]),
    ] {
        assert_eq!(client.ask(query.clone())["e"], 2_000_000, "{query}");
    }
    for query in [
        json!([145, [[2, [1e308, 1e308]]]]),
        json!([24, [[101, [1e308]], 1e308]]),
    ] {
        assert_eq!(client.ask(query.clone())["e"], 3_000_000, "{query}");
    }
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
