//! What the engine reads, as targets for a fuzzer: see [`crate::fuzzing`].

use std::sync::OnceLock;

pub use super::storage::fuzzing::storage_codec;

use super::datum::json::Node;
use super::eval::term::Term;
use super::eval::{Env, Scope, Value};
use super::protocol::handshake::{Credentials, challenge};
use super::protocol::wire::{HEADER_BYTES, MAX_QUERY_BYTES, Query, parse_header, parse_query};

/// Reads frames with queries, and the messages of a handshake.
pub fn reql_frames(data: &[u8]) {
    static CREDENTIALS: OnceLock<Credentials> = OnceLock::new();
    let credentials = CREDENTIALS.get_or_init(|| Credentials::chosen(""));
    let mut messages = data.split(|byte| *byte == 0);
    if let (Some(first), Some(last)) = (messages.next(), messages.next())
        && let Ok((challenge, _)) = challenge(first, credentials)
    {
        // The nonce is random, so no proof is right.
        assert!(challenge.verify(last, credentials).is_err());
    }
    let mut rest = data;
    while let Some((header, more)) = rest.split_first_chunk::<HEADER_BYTES>() {
        let (_, len) = parse_header(*header);
        if len > MAX_QUERY_BYTES || len as usize > more.len() {
            return;
        }
        let (body, more) = more.split_at(len as usize);
        // Either is an answer.
        let _ = parse_query(body);
        rest = more;
    }
}

/// Compiles and evaluates a query, without a database. The text of its term compiles to the same one.
pub fn reql_term(data: &[u8]) {
    let Ok(Query::Start(start)) = parse_query(data) else {
        return;
    };
    let Ok(term) = start.term else {
        return;
    };
    if let Ok(text) = term.to_json() {
        let node = Node::parse(text.as_bytes()).expect("the text of a term is JSON");
        let again = Term::compile(node).expect("the text of a term compiles");
        assert_eq!(again.to_json().ok(), Some(text));
    }
    let env = Env::detached();
    let Ok(value) = env.eval(&term, &Scope::default()) else {
        return;
    };
    match value {
        Value::Stream(mut stream) => drop(stream.next_batch(&env)),
        value => {
            let mut json = Vec::new();
            if let Ok(datum) = value.into_datum(&env)
                && datum.write_json(&mut json).is_ok()
            {
                Node::parse(&json).expect("a result is JSON");
            }
        }
    }
}
