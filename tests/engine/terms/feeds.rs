//! Changefeeds that gather changes.

use serde_json::json;

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
