//! Answers recorded from RethinkDB 2.4.4 to single queries, each on a table with the same documents.
//!
//! The order of the elements of streams is not compared, nor are `n`, `b`, `p`, estimates and the changes
//! of configurations.

use std::sync::Arc;

use libtest_mimic::Trial;
use serde_json::{Map, Value, json};

use crate::client::Client;
use crate::pool::EnginePool;
use crate::test_engine::TestEngine;

/// The books of answers, each with the number of its answers.
const BOOKS: [(&str, &str, usize); 3] = [
    ("terms", include_str!("terms.json"), 329),
    ("results", include_str!("results.json"), 273),
    ("indexes", include_str!("indexes.json"), 307),
];

/// A test for each answer, named by its book, number and query.
pub(crate) fn tests(engines: &EnginePool) -> Vec<Trial> {
    BOOKS
        .iter()
        .flat_map(|(title, text, expected)| book(engines, title, text, *expected))
        .collect()
}

fn book(engines: &EnginePool, title: &str, text: &str, expected: usize) -> Vec<Trial> {
    let book: Arc<Value> = Arc::new(serde_json::from_str(text).unwrap());
    let answers = book["answers"].as_array().unwrap();
    let mut tests: Vec<Trial> = (0..answers.len())
        .map(|number| {
            let query = &answers[number]["query"];
            let name = format!("answers::{title}::{number:03} {query}");
            let (engines, book) = (engines.clone(), Arc::clone(&book));
            Trial::test(name, move || {
                let recorded = &book["answers"][number];
                Ok(engines.with_engine(|engine| compare(engine, &book, recorded))?)
            })
        })
        .collect();
    let found = tests.len();
    let name = format!("answers::{title}::no_answer_is_missing");
    tests.push(Trial::test(name, move || {
        if found == expected {
            Ok(())
        } else {
            Err(format!("{found} of {expected} answers were found").into())
        }
    }));
    tests
}

fn compare(engine: &TestEngine, book: &Value, recorded: &Value) -> Result<(), String> {
    let mut client = engine.connect();
    prepare_table(&mut client, book, &recorded["query"]);
    let expected = comparable(&recorded["answer"]);
    let received = answer(&mut client, &recorded["query"]);
    if received == expected {
        Ok(())
    } else {
        Err(format!(
            "\n    expected {expected}\n    received {received}"
        ))
    }
}

/// Leaves the table with the documents, and with the indexes that the query names.
fn prepare_table(client: &mut Client, book: &Value, query: &Value) {
    let table = json!([15, [[14, ["golden"]], "t"]]);
    // The first two fail if an earlier test has used the engine.
    client.ask(json!([57, ["golden"]]));
    client.ask(json!([60, [[14, ["golden"]], "t"]]));
    client.ask(json!([54, [table]]));
    let left = client.ask(json!([77, [table]]));
    for name in left["r"][0].as_array().unwrap() {
        client.ask(json!([76, [table, name]]));
    }
    let inserted = client.ask(json!([56, [table, book["documents"]]]));
    assert_eq!(inserted["r"][0]["errors"], 0, "{inserted}");
    let creates_index = query[0] == 75;
    for (name, index) in book["indexes"].as_object().unwrap() {
        if query.to_string().contains(&format!("{name:?}")) && !creates_index {
            let (function, options) = (&index["function"], &index["options"]);
            let created = client.ask(json!([75, [table, name, function], options]));
            assert_eq!(created["r"][0]["created"], 1, "{created}");
            client.ask(json!([140, [table, name]]));
        }
    }
}

fn answer(client: &mut Client, query: &Value) -> Value {
    let answer = client.ask(query.clone());
    if answer["t"] == 3 {
        client.send_raw(1, b"[3]");
        client.receive().unwrap();
    }
    comparable(&answer)
}

/// An answer without the parts that differ from run to run, and with the elements of a stream sorted.
fn comparable(answer: &Value) -> Value {
    let mut answer = normal(answer);
    if (answer["t"] == 2.0 || answer["t"] == 3.0)
        && let Some(elements) = answer["r"].as_array_mut()
    {
        elements.sort_by_key(Value::to_string);
    }
    answer
}

/// A value without the parts that differ from run to run, and with all numbers as floats.
fn normal(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            let kept = fields.iter().filter(|(name, _)| {
                !matches!(
                    name.as_str(),
                    "b" | "p" | "n" | "config_changes" | "doc_count_estimates"
                )
            });
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
