//! Strings: regular expressions and UUIDs.

use uuid::Uuid;

use super::env::Env;
use super::scope::Scope;
use super::term::Call;
use crate::engine::datum::Datum;
use crate::engine::error::ReqlError;

/// The namespace of named UUIDs (ReQL API reference, `r.uuid`).
const UUID_NAMESPACE: Uuid = uuid::uuid!("91461c99-f89d-49d2-af96-d8e2e14e9b58");

/// `match`: the first match of a regular expression, or null.
pub(crate) fn find_match(env: &Env, call: &Call, scope: &Scope) -> Result<Datum, ReqlError> {
    let text = env.datum(&call.args[0], scope)?.as_str()?.clone();
    let pattern = env.datum(&call.args[1], scope)?.as_str()?.clone();
    let regex = env.regex(&pattern)?;
    let Some(captures) = regex.captures(&text) else {
        return Ok(Datum::Null);
    };
    let mut groups = captures.iter().map(|group| group.map(position));
    // Group 0 is the whole match, so it always exists.
    let Some(Some(whole)) = groups.next() else {
        return Ok(Datum::Null);
    };
    let groups: Vec<Datum> = groups
        .map(|group| group.map_or(Datum::Null, Datum::object))
        .collect();
    Ok(Datum::object(
        whole.into_iter().chain([("groups", groups.into())]),
    ))
}

/// The text and position of a match. As in RethinkDB, positions count bytes.
fn position(found: regex::Match<'_>) -> [(&'static str, Datum); 3] {
    [
        ("str", found.as_str().into()),
        ("start", found.start().into()),
        ("end", found.end().into()),
    ]
}

/// `uuid`: a random UUID, or the one named by a string (version 5).
pub(crate) fn uuid(env: &Env, call: &Call, scope: &Scope) -> Result<Datum, ReqlError> {
    let id = match call.args.first() {
        None => Uuid::new_v4(),
        Some(name) => Uuid::new_v5(
            &UUID_NAMESPACE,
            env.datum(name, scope)?.as_str()?.as_bytes(),
        ),
    };
    Ok(id.to_string().into())
}
