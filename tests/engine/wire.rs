//! Behaviour on the wire that no recorded conversation shows: malformed queries, limits, and clients that disconnect.

use std::io::Write;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::client::{Client, MAGIC};
use crate::test_engine::TestEngine;

/// The number of elements of a range that takes months to count. RethinkDB refuses to count one without an end.
pub(crate) const VERY_LONG: u64 = 9_007_199_254_740_991;

/// The table that the tests use.
pub(crate) fn table() -> Value {
    json!([15, [[14, ["golden"]], "t"]])
}

pub(crate) fn engine_with_table() -> (TestEngine, Client) {
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
pub(crate) fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
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
