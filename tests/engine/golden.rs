//! Conversations recorded from RethinkDB 2.4.4, replayed against the engine.
//!
//! Each conversation starts on a database `golden` with an empty table `t`. Before comparing, UUIDs, server times,
//! backtraces, profiles and the fields that the conversation ignores are removed on both sides.

use std::collections::HashMap;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use libtest_mimic::Trial;
use regex::Regex;
use serde_json::{Map, Value, json};

use crate::client::{Client, MAGIC};
use crate::pool::EnginePool;

/// The number of conversations in all books.
const CONVERSATIONS: usize = 119;

/// The time for which a connection is watched when nothing may arrive.
const QUIET: Duration = Duration::from_millis(300);

/// A test for each conversation, and one that none is missing.
pub(crate) fn tests(engines: &EnginePool) -> Vec<Trial> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/engine/golden");
    let mut tests = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let book: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        let title = path.file_stem().unwrap().to_str().unwrap().to_owned();
        for conversation in book["conversations"].as_array().unwrap() {
            let name = conversation["name"].as_str().unwrap();
            let (engines, conversation) = (engines.clone(), conversation.clone());
            tests.push(Trial::test(format!("golden::{title}::{name}"), move || {
                Ok(engines.with_engine(|engine| {
                    Player::new(engine.engine.address(), &conversation).play(&conversation)
                })?)
            }));
        }
    }
    let found = tests.len();
    tests.push(Trial::test(
        "golden::no_conversation_is_missing",
        move || {
            if found == CONVERSATIONS {
                Ok(())
            } else {
                Err(format!("{found} of {CONVERSATIONS} conversations were found").into())
            }
        },
    ));
    tests
}

/// Plays the client's part of one conversation.
struct Player {
    address: SocketAddr,
    clients: HashMap<String, Client>,
    /// Elements of streams that were received but not yet compared.
    elements: HashMap<(String, i64), Vec<Value>>,
    ignored: Vec<String>,
    hides_times: bool,
    uuid: Regex,
}

impl Player {
    fn new(address: SocketAddr, conversation: &Value) -> Self {
        let ignored = conversation["ignore"].as_array().into_iter().flatten();
        Self {
            address,
            clients: HashMap::new(),
            elements: HashMap::new(),
            ignored: ignored
                .map(|name| name.as_str().unwrap().to_owned())
                .collect(),
            hides_times: conversation["now"] == true,
            uuid: Regex::new("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}").unwrap(),
        }
    }

    fn play(mut self, conversation: &Value) -> Result<(), String> {
        let mut client = Client::log_in(self.address, "").unwrap();
        client.ask(json!([58, ["golden"]]));
        client.ask(json!([57, ["golden"]]));
        client.ask(json!([60, [[14, ["golden"]], "t"]]));
        for (i, step) in conversation["steps"].as_array().unwrap().iter().enumerate() {
            self.step(step)
                .map_err(|difference| format!("step {i}: {difference}"))?;
        }
        Ok(())
    }

    fn step(&mut self, step: &Value) -> Result<(), String> {
        if step["do"] == "handshake" {
            return self.check(step, shake_hands(self.address, step));
        }
        let name = step["conn"].as_str().unwrap().to_owned();
        let token = step["token"].as_i64().unwrap_or_default();
        let address = self.address;
        let client = self
            .clients
            .entry(name.clone())
            .or_insert_with(|| Client::log_in(address, "").unwrap());
        match step["do"].as_str().unwrap() {
            "send" => client.send(token, &step["body"]),
            "sendraw" => client.send_raw(token, step["text"].as_str().unwrap().as_bytes()),
            "recv" => {
                let (answered, answer) = client.receive().map_err(|error| error.to_string())?;
                assert_eq!(answered, token, "the answer has another token");
                return self.check(step, answer);
            }
            "open" => {
                client.send(token, &step["body"]);
                let (_, mut answer) = client.receive().map_err(|error| error.to_string())?;
                if is_stream(&answer) {
                    let elements = answer.as_object_mut().unwrap().remove("r").unwrap();
                    self.elements
                        .insert((name, token), elements.as_array().unwrap().clone());
                }
                return self.check(step, answer);
            }
            "quiet" => {
                let time = Duration::from_millis(step["ms"].as_u64().unwrap());
                return if is_quiet_for(client, time) {
                    Ok(())
                } else {
                    Err("an unexpected answer arrived".into())
                };
            }
            "collect" => return self.collect(step, &name, token),
            other => panic!("unknown step {other}"),
        }
        Ok(())
    }

    /// Reads as many elements of a stream as the step says.
    fn collect(&mut self, step: &Value, name: &str, token: i64) -> Result<(), String> {
        let count = step["count"].as_u64().unwrap() as usize;
        let mut elements = self
            .elements
            .remove(&(name.to_owned(), token))
            .unwrap_or_default();
        let client = self.clients.get_mut(name).unwrap();
        while elements.len() < count {
            client.send_raw(token, b"[2]");
            let (_, answer) = client.receive().map_err(|error| error.to_string())?;
            if !is_stream(&answer) {
                elements.push(answer);
                break;
            }
            elements.extend(answer["r"].as_array().unwrap().iter().cloned());
            if answer["t"] == 2 {
                break;
            }
        }
        let rest = elements.split_off(count.min(elements.len()));
        self.elements.insert((name.to_owned(), token), rest);
        if step["unordered"] == true {
            elements.sort_by_key(Value::to_string);
        }
        self.check(step, elements.into())
    }

    fn check(&self, step: &Value, found: Value) -> Result<(), String> {
        let (wanted, found) = (self.normal(&step["want"]), self.normal(&found));
        if wanted == found {
            Ok(())
        } else {
            Err(format!(
                "{}\n    expected {wanted}\n    received {found}",
                step["do"]
            ))
        }
    }

    /// A value without the parts that differ from run to run.
    fn normal(&self, value: &Value) -> Value {
        match value {
            Value::Object(fields)
                if self.hides_times && fields.get("$reql_type$") == Some(&json!("TIME")) =>
            {
                json!("<now>")
            }
            Value::Object(fields) => {
                let is_kept = |name: &str| {
                    !matches!(name, "b" | "p") && !self.ignored.iter().any(|other| other == name)
                };
                let kept = fields.iter().filter(|(name, _)| is_kept(name));
                kept.map(|(name, value)| (name.clone(), self.normal(value)))
                    .collect::<Map<_, _>>()
                    .into()
            }
            Value::Array(items) => items.iter().map(|item| self.normal(item)).collect(),
            Value::String(text) => self.uuid.replace_all(text, "<uuid>").into(),
            // 1 and 1.0 are the same number, and so are 0 and -0.
            Value::Number(number) => json!(number.as_f64().unwrap() + 0.0),
            other => other.clone(),
        }
    }
}

fn is_stream(answer: &Value) -> bool {
    answer["t"] == 2 || answer["t"] == 3
}

/// Sends raw messages. Returns the answers, and whether the server then closed the connection.
fn shake_hands(address: SocketAddr, step: &Value) -> Value {
    let mut client = Client::open(address);
    for chunk in step["chunks"].as_array().unwrap() {
        match chunk.as_str().unwrap() {
            "<magic>" => client.socket.write_all(&MAGIC).unwrap(),
            text => match text.strip_prefix("hex:") {
                Some(hex) => client.socket.write_all(&from_hex(hex)).unwrap(),
                None => client
                    .socket
                    .write_all(format!("{text}\0").as_bytes())
                    .unwrap(),
            },
        }
    }
    let challenge = Regex::new("r=[^,]*,s=[^,]*").unwrap();
    let answers: Vec<Value> = (0..step["answers"].as_u64().unwrap())
        .map(|_| {
            let text = client.read_text().unwrap();
            let Ok(Value::Object(mut answer)) = serde_json::from_str(&text) else {
                return text.into();
            };
            answer.remove("server_version");
            if let Some(Value::String(authentication)) = answer.get_mut("authentication") {
                *authentication = challenge
                    .replace(authentication, "r=<nonce>,s=<salt>")
                    .into_owned();
            }
            answer.into()
        })
        .collect();
    // A connection that is to be closed may take its time; one that is to stay open is watched for a while.
    let closed = if step["want"]["closed"] == true {
        client.is_closed_by_server()
    } else {
        !is_quiet_for(&mut client, QUIET)
    };
    json!({"answers": answers, "closed": closed})
}

/// Returns `true` if nothing arrives for this time, not even the end of the connection.
fn is_quiet_for(client: &mut Client, time: Duration) -> bool {
    let timeout = client.socket.read_timeout().unwrap();
    client.socket.set_read_timeout(Some(time)).unwrap();
    let quiet = matches!(
        client.socket.peek(&mut [0]).map_err(|error| error.kind()),
        Err(io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut)
    );
    client.socket.set_read_timeout(timeout).unwrap();
    quiet
}

fn from_hex(text: &str) -> Vec<u8> {
    (0..text.len())
        .step_by(2)
        .map(|i| u8::from_str_radix(&text[i..i + 2], 16).unwrap())
        .collect()
}
