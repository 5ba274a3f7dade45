//! The queries that clients send.

use std::sync::Arc;

use crate::engine::datum::json::Node;
use crate::engine::error::{ErrorKind, ReqlError};
use crate::engine::eval::term::Term;

/// A request of a client (`Query.QueryType` in `ql2.proto`).
#[derive(Debug)]
pub(crate) enum Query {
    /// Evaluate a term.
    Start(Start),
    /// Send more of the stream that this token started.
    Continue,
    /// End the stream that this token started.
    Stop,
    /// Respond once every `noreply` query has completed.
    NoreplyWait,
    /// Report the server's id and name.
    ServerInfo,
}

/// A term to evaluate.
#[derive(Debug)]
pub(crate) struct Start {
    /// The compiled term, or the error to respond with.
    pub(crate) term: Result<Term, ReqlError>,
    /// The global optional arguments, such as `db`.
    pub(crate) optargs: Vec<(Arc<str>, Term)>,
    /// `true` if the client expects no response.
    pub(crate) noreply: bool,
}

impl Start {
    /// Returns `true` if the evaluation takes only microseconds and does not block.
    pub(crate) fn is_immediate(&self) -> bool {
        let is_constant = |(_, term): &(_, Term)| matches!(term, Term::Datum(_));
        self.term.as_ref().is_ok_and(Term::only_opens_feed) && self.optargs.iter().all(is_constant)
    }
}

/// Parses the JSON of a client's frame.
///
/// # Errors
/// A client error if the text is not a query. An error in the term is kept in [`Start`] instead.
pub(crate) fn parse_query(body: &[u8]) -> Result<Query, ReqlError> {
    let client_error = |message: String| ReqlError::new(ErrorKind::Client, message);
    let Ok(Node::Array(items)) = Node::parse(body) else {
        return Err(client_error(
            "Client is buggy (failed to deserialize query).".into(),
        ));
    };
    let mut items = items.into_iter();
    let kind = match items.next() {
        Some(Node::Number(kind)) => kind,
        _ => {
            return Err(client_error(
                "Server could not parse query: Expected a query type as a NUMBER.".into(),
            ));
        }
    };
    // The guards reject fractions such as 1.5.
    match kind as i64 {
        1 if kind == 1.0 => parse_start(items.next(), items.next()).map(Query::Start),
        2 if kind == 2.0 => Ok(Query::Continue),
        3 if kind == 3.0 => Ok(Query::Stop),
        4 if kind == 4.0 => Ok(Query::NoreplyWait),
        5 if kind == 5.0 => Ok(Query::ServerInfo),
        _ => Err(client_error(format!(
            "Server could not parse query: Unrecognized QueryType: {kind}."
        ))),
    }
}

/// RethinkDB's global optional arguments (`global_optargs` in `optargs.cc`).
const GLOBAL_OPTARGS: &[&str] = &[
    "array_limit",
    "binary_format",
    "changefeed_queue_size",
    "db",
    "durability",
    "first_batch_scaledown_factor",
    "group_format",
    "identifier_format",
    "max_batch_bytes",
    "max_batch_rows",
    "max_batch_seconds",
    "min_batch_rows",
    "noreply",
    "profile",
    "read_mode",
    "time_format",
    "use_outdated",
    "user",
];

fn parse_start(term: Option<Node<'_>>, optargs: Option<Node<'_>>) -> Result<Start, ReqlError> {
    let term = term.ok_or_else(|| {
        ReqlError::new(
            ErrorKind::Client,
            "Server could not parse query: Expected a term in a START query.",
        )
    })?;
    let optargs = match optargs {
        Some(Node::Object(optargs)) => optargs,
        _ => Vec::new(),
    };
    // Read before the term is compiled: a `noreply` query with an error gets no response either.
    let noreply = optargs
        .iter()
        .any(|(name, value)| name == "noreply" && *value == Node::Bool(true));
    let mut compiled = Vec::new();
    let mut failure = None;
    for (name, value) in optargs {
        if !GLOBAL_OPTARGS.contains(&&*name) {
            failure = Some(ReqlError::compile(format!(
                "Unrecognized global optional argument `{name}`."
            )));
            break;
        }
        match Term::compile(value) {
            Ok(term) => compiled.push((Arc::from(name), term)),
            Err(error) => failure = Some(error),
        }
    }
    let term = Term::compile(term).and_then(|term| failure.map_or(Ok(term), Err));
    Ok(Start {
        term,
        optargs: compiled,
        noreply,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_immediate(text: &str) -> bool {
        match parse_query(text.as_bytes()) {
            Ok(Query::Start(start)) => start.is_immediate(),
            _ => panic!("{text} starts no query"),
        }
    }

    #[test]
    fn only_feeds_that_read_nothing_are_immediate() {
        const TABLE: &str = r#"[15,[[14,["d"]],"t"]]"#;
        let of = |rows: &str, options: &str| format!("[1,[152,[{rows}],{{{options}}}],{{}}]");
        let by_index = format!(r#"[78,[{TABLE},"main"],{{"index":"board"}}]"#);
        assert!(is_immediate(&of(TABLE, "")));
        assert!(is_immediate(&of(&by_index, r#""include_states":true"#)));

        assert!(!is_immediate(&of(TABLE, r#""include_initial":true"#)));
        assert!(
            !is_immediate(&of(&format!(r#"[16,[{TABLE},"id"]]"#), "")),
            "reads a row"
        );
        let by_row = format!("[78,[{TABLE},[16,[{TABLE},1]]]]");
        assert!(
            !is_immediate(&of(&by_row, "")),
            "reads a row to know which to follow"
        );
        assert!(!is_immediate(&format!("[1,{TABLE},{{}}]")));
    }
}
