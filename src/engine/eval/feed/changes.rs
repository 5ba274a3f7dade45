//! The term `changes`.

use std::ops::Bound;
use std::sync::Arc;

use super::options::Options;
use super::sequence::Feed;
use super::visible::visible;
use crate::engine::changefeed::{Copies, FeedQuery, Range, View};
use crate::engine::datum::{Time, primary_key};
use crate::engine::error::ReqlError;
use crate::engine::eval::env::Env;
use crate::engine::eval::index::IndexScan;
use crate::engine::eval::scan::Scan;
use crate::engine::eval::scope::Scope;
use crate::engine::eval::selection::{Row, Table};
use crate::engine::eval::step::Step;
use crate::engine::eval::stream::{Source, Stream};
use crate::engine::eval::term::Call;
use crate::engine::eval::value::Value;

/// RethinkDB supports these feeds.
const ORDERED_LIMIT: &str =
    "The embedded engine does not implement `changes` after `order_by` and `limit`.";

pub(crate) fn changes(env: &Env, call: &Call, scope: &Scope) -> Result<Value, ReqlError> {
    let options = Options::new(env, call, scope)?;
    let followed = match env.eval(&call.args[0], scope)? {
        Value::Row(Row { table, key, .. }) => Followed {
            table,
            range: Range::Keys(vec![primary_key(&key)?]),
            steps: Vec::new(),
            is_point: true,
            indexed: None,
            copies: None,
        },
        other => followed(other.into_stream()?)?,
    };
    // With variables, the text does not identify the query: they may have other values in the next one.
    // So does `now`, which stays the same for the whole feed.
    let is_shared = scope.is_empty() && !options.squash && !call.args[0].uses_now();
    let text = is_shared.then(|| call.args[0].to_json()).transpose()?;
    // An index of the same name may have another function by the next query.
    let text = match &followed.indexed {
        Some(scan) => text.map(|text| format!("{text} {}", scan.index_id())),
        None => text,
    };
    let steps: Arc<[Step]> = followed.steps.into();
    let query = FeedQuery {
        table: followed.table.id,
        range: followed.range,
        view: view(&steps, env.now()),
        copies: followed.copies,
        include_types: options.include_types,
        keeps_values: options.squash,
        text,
    };
    let subscription = env
        .context()?
        .hub
        .subscribe(query, options.queue_size, options.squash);
    // Taken after the subscription, so no commit is missed: a later commit is in the queue. A commit that is in both
    // the snapshot and the queue is recognised by its number and skipped, so no change is sent twice.
    let seq = env.fresh_snapshot()?.seq();
    let feed = Feed::new(
        followed.table,
        subscription,
        steps,
        options,
        followed.is_point,
        followed.indexed,
        seq,
    );
    let source = Source::Feed(Box::new(feed));
    Ok(Value::Stream(Stream::wrap(source, None, false)))
}

/// The closure that applies the steps to both documents of a change; `None` without steps. It runs on the storage's
/// writer thread: the environment, which both documents share, bounds its work.
fn view(steps: &Arc<[Step]>, now: &Time) -> Option<View> {
    if steps.is_empty() {
        return None;
    }
    let (steps, now) = (Arc::clone(steps), now.clone());
    Some(Arc::new(move |old, new| {
        let env = Env::detached_at(now.clone());
        Ok((visible(&env, &steps, old)?, visible(&env, &steps, new)?))
    }))
}

/// The part of a table that a feed follows.
struct Followed {
    table: Table,
    range: Range,
    steps: Vec<Step>,
    is_point: bool,
    /// Finds the initial values of a feed of an index.
    indexed: Option<Box<IndexScan>>,
    /// As [`FeedQuery::copies`].
    copies: Option<Copies>,
}

/// The part of a table that a stream reads, to be followed by a feed.
///
/// # Errors
/// A stream that a feed cannot follow.
fn followed(stream: Stream) -> Result<Followed, ReqlError> {
    if stream.steps.iter().any(|step| !step.is_deterministic()) {
        return Err(ReqlError::logic(
            "Cannot call `changes` after a non-deterministic function.",
        ));
    }
    match stream.source {
        Source::Scan(scan) => Ok(Followed {
            table: scan.table,
            range: Range::Between(scan.lower, scan.upper),
            steps: stream.steps,
            is_point: false,
            indexed: None,
            copies: None,
        }),
        Source::Lookup(lookup) => Ok(Followed {
            table: lookup.table,
            range: Range::Keys(lookup.keys.into()),
            steps: stream.steps,
            is_point: false,
            indexed: None,
            copies: None,
        }),
        Source::Limit(inner, _) => Err(ReqlError::logic(match inner.source {
            Source::Scan(Scan {
                is_ordered: true, ..
            }) => ORDERED_LIMIT,
            Source::Index(scan) if scan.order().is_some() => ORDERED_LIMIT,
            Source::Items(_) => "Cannot call `changes` on an eager stream.",
            _ => "Cannot get changes on the first elements of an unordered stream.",
        })),
        Source::Index(scan) => {
            let condition = Arc::new(scan.condition()?);
            let counted = Arc::clone(&condition);
            let count: Copies = Arc::new(move |document| counted.count(document));
            let condition = Step::Indexed(condition);
            Ok(Followed {
                copies: scan.repeats().then_some(count),
                table: scan.table().clone(),
                range: Range::Between(Bound::Unbounded, Bound::Unbounded),
                steps: std::iter::once(condition).chain(stream.steps).collect(),
                is_point: false,
                indexed: Some(scan),
            })
        }
        Source::ConcatMap(..) => Err(ReqlError::logic(
            "Cannot call `changes` after `concat_map`.",
        )),
        _ => Err(ReqlError::logic(
            "Cannot call `changes` on an eager stream.",
        )),
    }
}
