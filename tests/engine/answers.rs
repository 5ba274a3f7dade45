//! Answers recorded from RethinkDB 2.4.4 to single queries, each on a table with the same few documents.
//!
//! The elements of streams are in no order. `n`, `b`, `p` and the changes of configurations are left out.

use serde_json::{Map, Value, json};

use crate::client::{Client, TestEngine};

#[test]
fn single_queries_are_answered_as_rethinkdb_does() {
    let book: Value = serde_json::from_str(include_str!("answers.json")).unwrap();
    let engine = TestEngine::start();
    let mut client = engine.connect();
    client.ask(json!([57, ["golden"]]));
    client.ask(json!([60, [[14, ["golden"]], "t"]]));
    let answers = book["answers"].as_array().unwrap();
    assert!(answers.len() > 300, "answers are missing");
    let differing: Vec<String> = answers
        .iter()
        .filter_map(|recorded| {
            let table = json!([15, [[14, ["golden"]], "t"]]);
            client.ask(json!([54, [table]]));
            client.ask(json!([56, [table, book["documents"]]]));
            let found = answer(&mut client, &recorded["query"]);
            let (query, wanted) = (&recorded["query"], comparable(&recorded["answer"]));
            (found != wanted).then(|| format!("{query}\n    wanted {wanted}\n     found {found}"))
        })
        .collect();
    assert!(
        differing.is_empty(),
        "{} differ:\n{}",
        differing.len(),
        differing.join("\n")
    );
}

fn answer(client: &mut Client, query: &Value) -> Value {
    let answer = client.ask(query.clone());
    if answer["t"] == 3 {
        client.send_raw(1, b"[3]");
        client.receive().unwrap();
    }
    comparable(&answer)
}

/// An answer without what differs from run to run.
fn comparable(answer: &Value) -> Value {
    let mut answer = normal(answer);
    if (answer["t"] == 2.0 || answer["t"] == 3.0)
        && let Some(elements) = answer["r"].as_array_mut()
    {
        elements.sort_by_key(Value::to_string);
    }
    answer
}

/// A value without what differs from run to run, and with its numbers written in one way.
fn normal(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            let kept = fields
                .iter()
                .filter(|(name, _)| !matches!(name.as_str(), "b" | "p" | "n" | "config_changes"));
            let kept = kept.map(|(name, value)| (name.clone(), normal(value)));
            let mut kept: Map<String, Value> = kept.collect();
            if kept.get("type") == Some(&json!("DB")) {
                kept.remove("id");
            }
            kept.into()
        }
        Value::Array(items) => items.iter().map(normal).collect(),
        Value::Number(number) => json!(number.as_f64().unwrap() + 0.0),
        Value::String(text) if is_uuid(text) => "<uuid>".into(),
        other => other.clone(),
    }
}

fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(i, b)| match i {
            8 | 13 | 18 | 23 => b == b'-',
            _ => b.is_ascii_hexdigit(),
        })
}
