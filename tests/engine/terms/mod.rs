//! The results of terms, as RethinkDB 2.4.4 computes them.
//!
//! The recorded answers in `answers` cover the terms as the application uses them. These tests cover the rest of
//! what RethinkDB's documentation and sources promise of the same terms.

mod arrays;
mod control;
mod conversions;
mod extremes;
mod feeds;
mod index_functions;
mod indexes;
mod objects;
mod patterns;
mod sequences;
mod tables;
mod times;
mod unions;
mod writes;

use serde_json::{Value, json};

use crate::client::Client;
use crate::test_engine::TestEngine;

/// The numbers of terms in the protocol (`Term.TermType` in `ql2.proto`).
pub(crate) mod t {
    pub(crate) const MAKE_ARRAY: u32 = 2;
    pub(crate) const VAR: u32 = 10;
    pub(crate) const ERROR: u32 = 12;
    pub(crate) const ROW: u32 = 13;
    pub(crate) const DB: u32 = 14;
    pub(crate) const TABLE: u32 = 15;
    pub(crate) const GET: u32 = 16;
    pub(crate) const EQ: u32 = 17;
    pub(crate) const NE: u32 = 18;
    pub(crate) const LT: u32 = 19;
    pub(crate) const LE: u32 = 20;
    pub(crate) const GT: u32 = 21;
    pub(crate) const GE: u32 = 22;
    pub(crate) const ADD: u32 = 24;
    pub(crate) const SUB: u32 = 25;
    pub(crate) const SLICE: u32 = 30;
    pub(crate) const GET_FIELD: u32 = 31;
    pub(crate) const HAS_FIELDS: u32 = 32;
    pub(crate) const PLUCK: u32 = 33;
    pub(crate) const MERGE: u32 = 35;
    pub(crate) const MAP: u32 = 38;
    pub(crate) const FILTER: u32 = 39;
    pub(crate) const ORDER_BY: u32 = 41;
    pub(crate) const COUNT: u32 = 43;
    pub(crate) const UNION: u32 = 44;
    pub(crate) const NTH: u32 = 45;
    pub(crate) const COERCE_TO: u32 = 51;
    pub(crate) const TYPE_OF: u32 = 52;
    pub(crate) const UPDATE: u32 = 53;
    pub(crate) const DELETE: u32 = 54;
    pub(crate) const REPLACE: u32 = 55;
    pub(crate) const INSERT: u32 = 56;
    pub(crate) const DB_CREATE: u32 = 57;
    pub(crate) const TABLE_CREATE: u32 = 60;
    pub(crate) const AND: u32 = 67;
    pub(crate) const FOR_EACH: u32 = 68;
    pub(crate) const FUNC: u32 = 69;
    pub(crate) const LIMIT: u32 = 71;
    pub(crate) const DESC: u32 = 74;
    pub(crate) const INDEX_CREATE: u32 = 75;
    pub(crate) const INDEX_DROP: u32 = 76;
    pub(crate) const GET_ALL: u32 = 78;
    pub(crate) const INFO: u32 = 79;
    pub(crate) const DEFAULT: u32 = 92;
    pub(crate) const CONTAINS: u32 = 93;
    pub(crate) const WITH_FIELDS: u32 = 96;
    pub(crate) const MATCH: u32 = 97;
    pub(crate) const ISO8601: u32 = 99;
    pub(crate) const TO_ISO8601: u32 = 100;
    pub(crate) const EPOCH_TIME: u32 = 101;
    pub(crate) const NOW: u32 = 103;
    pub(crate) const LITERAL: u32 = 137;
    pub(crate) const INDEX_WAIT: u32 = 140;
    pub(crate) const CHANGES: u32 = 152;
    pub(crate) const ARGS: u32 = 154;
    pub(crate) const BRACKET: u32 = 170;
    pub(crate) const RANGE: u32 = 173;
    pub(crate) const WAIT: u32 = 177;
    pub(crate) const MINVAL: u32 = 180;
    pub(crate) const MAXVAL: u32 = 181;
    pub(crate) const BETWEEN: u32 = 182;
}

/// The numbers of `e` in an error (`Response.ErrorType` in `ql2.proto`).
pub(crate) const RESOURCE_LIMIT: u32 = 2_000_000;
pub(crate) const LOGIC: u32 = 3_000_000;
pub(crate) const MISSING: u32 = 3_100_000;
pub(crate) const OP_FAILED: u32 = 4_100_000;

/// A term without optional arguments.
pub(crate) fn call(term: u32, arguments: &[Value]) -> Value {
    json!([term, arguments])
}

/// A term with optional arguments.
pub(crate) fn call_with(term: u32, arguments: &[Value], options: Value) -> Value {
    json!([term, arguments, options])
}

/// An array, which is a term of its own.
pub(crate) fn array(items: impl IntoIterator<Item = Value>) -> Value {
    json!([t::MAKE_ARRAY, items.into_iter().collect::<Vec<_>>()])
}

/// An array of numbers.
pub(crate) fn numbers(items: &[i64]) -> Value {
    array(items.iter().map(|item| json!(item)))
}

/// A function of one parameter, [`var`]`(number)`.
pub(crate) fn func(number: u32, body: Value) -> Value {
    json!([t::FUNC, [[t::MAKE_ARRAY, [number]], body]])
}

pub(crate) fn var(number: u32) -> Value {
    json!([t::VAR, [number]])
}

/// The field of an object.
pub(crate) fn field(object: Value, name: &str) -> Value {
    json!([t::BRACKET, [object, name]])
}

/// The table of [`Session::with_table`].
pub(crate) fn table() -> Value {
    json!([t::TABLE, [[t::DB, ["terms"]], "t"]])
}

/// A connection to an engine of its own.
pub(crate) struct Session {
    pub(crate) client: Client,
    engine: TestEngine,
}

impl Session {
    pub(crate) fn new() -> Self {
        let engine = TestEngine::start();
        Self {
            client: engine.connect(),
            engine,
        }
    }

    /// With the empty table [`table`].
    pub(crate) fn with_table() -> Self {
        let mut session = Self::new();
        session.value(call(t::DB_CREATE, &[json!("terms")]));
        session.value(json!([t::TABLE_CREATE, [[t::DB, ["terms"]], "t"]]));
        session
    }

    /// With documents in the table.
    pub(crate) fn with_documents(documents: impl IntoIterator<Item = Value>) -> Self {
        let mut session = Self::with_table();
        let inserted = session.value(call(t::INSERT, &[table(), array(documents)]));
        assert_eq!(inserted["errors"], 0, "{inserted}");
        session
    }

    /// The answer to a query with global optional arguments.
    pub(crate) fn answer_with(&mut self, query: &Value, options: &Value) -> Value {
        self.client.send(1, &json!([1, query, options]));
        self.client.receive().unwrap().1
    }

    /// The result of a query: a value, or the elements of a stream in one batch.
    ///
    /// # Panics
    /// If the query fails.
    pub(crate) fn value(&mut self, query: Value) -> Value {
        let mut answer = self.answer_with(&query, &json!({}));
        match answer["t"].as_u64() {
            Some(1) => answer["r"][0].take(),
            Some(2) => answer["r"].take(),
            _ => panic!("{query} is answered by {answer}"),
        }
    }

    /// The class and the message of the error of a query.
    ///
    /// # Panics
    /// If the query does not fail.
    pub(crate) fn error(&mut self, query: Value) -> (u32, String) {
        let answer = self.answer_with(&query, &json!({}));
        error_of(&answer)
    }
}

/// The class and the message of an error: 0 is the class of a malformed query.
///
/// # Panics
/// If the answer is not an error.
pub(crate) fn error_of(answer: &Value) -> (u32, String) {
    assert!(
        matches!(answer["t"].as_u64(), Some(17 | 18)),
        "not an error: {answer}"
    );
    let class = answer["e"].as_u64().unwrap_or(0);
    let message = answer["r"][0].as_str().unwrap();
    (u32::try_from(class).unwrap(), message.to_owned())
}

/// An expected error.
pub(crate) fn failure(class: u32, message: &str) -> (u32, String) {
    (class, message.to_owned())
}
