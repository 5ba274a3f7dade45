//! Answers recorded from RethinkDB 2.4.4 to single queries, each on a table with the same documents.
//!
//! The order of the elements of streams is not compared, nor are `n`, `b`, `p` and the changes of configurations.

use libtest_mimic::Trial;
use serde_json::{Map, Value, json};

use crate::client::Client;
use crate::pool::EnginePool;
use crate::test_engine::TestEngine;

/// The number of recorded answers.
const ANSWERS: usize = 329;

/// A test for each answer, named by its number and query.
pub(crate) fn tests(engines: &EnginePool) -> Vec<Trial> {
    let book: Value = serde_json::from_str(include_str!("answers.json")).unwrap();
    let documents = &book["documents"];
    let answers = book["answers"].as_array().unwrap();
    let mut tests: Vec<Trial> = answers
        .iter()
        .enumerate()
        .map(|(number, recorded)| {
            let name = format!("answers::{number:03} {}", recorded["query"]);
            let engines = engines.clone();
            let (recorded, documents) = (recorded.clone(), documents.clone());
            Trial::test(name, move || {
                Ok(engines.with_engine(|engine| compare(engine, &documents, &recorded))?)
            })
        })
        .collect();
    let found = tests.len();
    tests.push(Trial::test("answers::no_answer_is_missing", move || {
        if found == ANSWERS {
            Ok(())
        } else {
            Err(format!("{found} of {ANSWERS} answers were found").into())
        }
    }));
    tests
}

fn compare(engine: &TestEngine, documents: &Value, recorded: &Value) -> Result<(), String> {
    let mut client = engine.connect();
    prepare_table(&mut client, documents, &recorded["query"]);
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

/// Leaves the table with the documents, and with the index that the query uses.
fn prepare_table(client: &mut Client, documents: &Value, query: &Value) {
    let table = json!([15, [[14, ["golden"]], "t"]]);
    // The first three fail, depending on whether an earlier test has used the engine.
    client.ask(json!([57, ["golden"]]));
    client.ask(json!([60, [[14, ["golden"]], "t"]]));
    client.ask(json!([76, [table, "ix"]]));
    client.ask(json!([54, [table]]));
    let inserted = client.ask(json!([56, [table, documents]]));
    assert_eq!(inserted["r"][0]["errors"], 0, "{inserted}");
    let creates_index = query[0] == 75;
    if query.to_string().contains("\"ix\"") && !creates_index {
        let by_n = json!([69, [[2, [1]], [170, [[10, [1]], "n"]]]]);
        let created = client.ask(json!([75, [table, "ix", by_n]]));
        assert_eq!(created["r"][0]["created"], 1, "{created}");
        client.ask(json!([140, [table, "ix"]]));
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
