//! Terms over sequences.

use std::cmp::Ordering;
use std::collections::VecDeque;

use super::Env;
use super::func::{Func, Scope};
use super::index::{self, Direction, IndexScan, Wanted};
use super::step::{Predicate, Step};
use super::stream::{Source, Stream, key_of};
use super::value::{Row, Table, Value};
use crate::engine::datum::{Binary, Datum, order};
use crate::engine::error::{ErrorKind, ReqlError};
use crate::engine::term::{Call, Term, TermKind};

/// `map`, `filter` and `concat_map`.
pub(crate) fn transform(env: &Env, call: &Call, scope: &Scope) -> Result<Value, ReqlError> {
    if call.kind == TermKind::Map && call.args.len() > 2 {
        return map_many(env, call, scope);
    }
    let stream = env.eval(&call.args[0], scope)?.into_stream(env)?;
    let function = env.func_or_constant(&call.args[1], scope)?;
    Ok(Value::Stream(match call.kind {
        TermKind::Map => stream.then(Step::Map(function)),
        TermKind::Filter => {
            let default = filter_default(env, call, scope)?;
            stream.then(Step::Filter(Predicate {
                test: function,
                default,
            }))
        }
        _ => {
            let is_array = stream.is_array;
            Stream::wrap(
                Source::ConcatMap(Box::new(stream), function, VecDeque::new()),
                None,
                is_array,
            )
        }
    }))
}

/// What `filter` makes of an element that lacks a field: the optional argument `default`.
fn filter_default(
    env: &Env,
    call: &Call,
    scope: &Scope,
) -> Result<Result<bool, ReqlError>, ReqlError> {
    match call.optarg("default") {
        None => Ok(Ok(false)),
        Some(default) => match env.datum(default, scope) {
            Ok(value) => Ok(Ok(value.is_truthy())),
            // `r.error()` as the default lets the error through.
            Err(error) if matches!(error.kind, ErrorKind::User | ErrorKind::NonExistence) => {
                Ok(Err(error))
            }
            Err(error) => Err(error),
        },
    }
}

/// `map` over several sequences at once, as long as the shortest.
fn map_many(env: &Env, call: &Call, scope: &Scope) -> Result<Value, ReqlError> {
    let (last, first) = call.args.split_last().expect("map has arguments");
    let function = env.func_or_constant(last, scope)?;
    let mut streams = Vec::new();
    for sequence in first {
        let mut stream = env.eval(sequence, scope)?.into_stream(env)?;
        stream.refuse_feed()?;
        streams.push(stream);
    }
    let mut items = Vec::new();
    'rows: loop {
        let mut row = Vec::new();
        for stream in &mut streams {
            match stream.next(env)? {
                Some(item) => row.push(item),
                None => break 'rows,
            }
        }
        items.push(function.call(env, &row)?);
    }
    Ok(Value::Stream(Stream::array(items)))
}

/// `skip`, `limit` and `slice`.
pub(crate) fn cut(env: &Env, call: &Call, scope: &Scope) -> Result<Value, ReqlError> {
    let subject = env.eval(&call.args[0], scope)?;
    if let Value::Datum(datum @ (Datum::Binary(_) | Datum::String(_))) = &subject
        && call.kind == TermKind::Slice
    {
        return slice_bytes(env, datum, call, scope).map(Value::Datum);
    }
    let stream = subject.into_stream(env)?;
    if call.kind == TermKind::Slice {
        return slice(env, stream, call, scope);
    }
    let count = non_negative(env.datum(&call.args[1], scope)?.as_integer()?)?;
    let (selection, is_array) = (stream.selection.clone(), stream.is_array);
    let source = match call.kind {
        TermKind::Skip => Source::Skip(Box::new(stream), count),
        _ => Source::Limit(Box::new(stream), count),
    };
    Ok(Value::Stream(Stream::wrap(source, selection, is_array)))
}

fn non_negative(count: i64) -> Result<usize, ReqlError> {
    usize::try_from(count).map_err(|_| ReqlError::logic("LIMIT takes a non-negative argument."))
}

/// `slice` of a sequence. Indexes from the end need the whole of it.
fn slice(env: &Env, stream: Stream, call: &Call, scope: &Scope) -> Result<Value, ReqlError> {
    let (selection, is_array) = (stream.selection.clone(), stream.is_array);
    let (left, right) = (
        env.datum(&call.args[1], scope)?.as_integer()?,
        right_index(env, call, scope)?,
    );
    if left >= 0
        && right.is_none_or(|right| right >= 0)
        && !call.optargs.iter().any(|(name, _)| name.ends_with("bound"))
    {
        let left = left as usize;
        let rest = Stream::wrap(
            Source::Skip(Box::new(stream), left),
            selection.clone(),
            is_array,
        );
        let Some(right) = right else {
            return Ok(Value::Stream(rest));
        };
        let count = (right as usize).saturating_sub(left);
        return Ok(Value::Stream(Stream::wrap(
            Source::Limit(Box::new(rest), count),
            selection,
            is_array,
        )));
    }
    let items = stream.collect(env)?;
    let (from, to) = bounds(env, call, scope, items.len())?;
    let source = Source::Items(items[from..to].to_vec().into());
    Ok(Value::Stream(Stream::wrap(source, selection, true)))
}

/// `slice` of a binary by bytes, or of a text by characters.
fn slice_bytes(env: &Env, datum: &Datum, call: &Call, scope: &Scope) -> Result<Datum, ReqlError> {
    match datum {
        Datum::Binary(binary) => {
            let bytes = binary.bytes()?;
            let (from, to) = bounds(env, call, scope, bytes.len())?;
            Ok(Datum::Binary(Binary::Inline(bytes.slice(from..to))))
        }
        other => {
            let characters: Vec<char> = other.as_str()?.chars().collect();
            let (from, to) = bounds(env, call, scope, characters.len())?;
            Ok(characters[from..to].iter().collect::<String>().into())
        }
    }
}

fn right_index(env: &Env, call: &Call, scope: &Scope) -> Result<Option<i64>, ReqlError> {
    call.args
        .get(2)
        .map(|right| env.datum(right, scope)?.as_integer())
        .transpose()
}

/// The bounds of a slice within `len` items: `left_bound` is closed and `right_bound` open unless the query says else.
fn bounds(env: &Env, call: &Call, scope: &Scope, len: usize) -> Result<(usize, usize), ReqlError> {
    let index = |index: i64, shift: bool| {
        let index = if index < 0 { index + len as i64 } else { index } + i64::from(shift);
        index.clamp(0, len as i64) as usize
    };
    let left_open = env.is_open(call, scope, "left_bound", false)?;
    let from = index(env.datum(&call.args[1], scope)?.as_integer()?, left_open);
    let right_closed = !env.is_open(call, scope, "right_bound", true)?;
    let to = right_index(env, call, scope)?.map_or(len, |right| index(right, right_closed));
    Ok((from, to.max(from)))
}

/// `nth`.
pub(crate) fn nth(env: &Env, call: &Call, scope: &Scope) -> Result<Value, ReqlError> {
    let subject = env.eval(&call.args[0], scope)?;
    nth_of(env, subject, &call.args[1], scope)
}

/// The element of a sequence at an index; a negative one counts from the end.
///
/// # Errors
/// An index that is no number or past the end.
pub(crate) fn nth_of(
    env: &Env,
    subject: Value,
    index: &Term,
    scope: &Scope,
) -> Result<Value, ReqlError> {
    let mut stream = subject.into_stream(env)?;
    let wanted = env.datum(index, scope)?.as_integer()?;
    let out_of_bounds = || ReqlError::missing(format!("Index out of bounds: {wanted}"));
    let selection = stream.selection.clone();
    let found = if wanted < 0 {
        let items = stream.collect(env)?;
        let index = items.len() as i64 + wanted;
        usize::try_from(index)
            .ok()
            .and_then(|index| items.get(index).cloned())
    } else {
        let mut left = wanted;
        loop {
            match stream.next(env)? {
                Some(element) if left == 0 => break Some(element),
                None => break None,
                Some(_) => left -= 1,
            }
        }
    };
    element(selection, found.ok_or_else(out_of_bounds)?)
}

/// An element that may still be a document of its table.
fn element(selection: Option<Table>, value: Datum) -> Result<Value, ReqlError> {
    Ok(match selection {
        Some(table) => {
            let key = value
                .field(&table.primary_key)
                .cloned()
                .unwrap_or(Datum::Null);
            Value::Row(Row { table, key, value })
        }
        None => Value::Datum(value),
    })
}

/// `count`, of a sequence, a binary or a text, and of what a predicate or a value picks.
pub(crate) fn count(env: &Env, call: &Call, scope: &Scope) -> Result<Value, ReqlError> {
    let subject = env.eval(&call.args[0], scope)?;
    let picked = call
        .args
        .get(1)
        .map(|pick| env.eval(pick, scope))
        .transpose()?;
    let count = match (&subject, &picked) {
        (Value::Datum(Datum::Binary(binary)), None) => binary.len(),
        (Value::Datum(Datum::String(text)), None) => text.chars().count(),
        (Value::Table(table), None) => env.snapshot()?.count(table.id)? as usize,
        _ => {
            let mut stream = subject.into_stream(env)?;
            stream.refuse_feed()?;
            let mut count = 0;
            while let Some(element) = stream.next(env)? {
                count += usize::from(match &picked {
                    None => true,
                    Some(pick) => is_picked(env, pick, &element)?,
                });
            }
            count
        }
    };
    Ok(Value::Datum(count.into()))
}

/// Whether a function says yes to an element, or a value is the same.
fn is_picked(env: &Env, pick: &Value, element: &Datum) -> Result<bool, ReqlError> {
    match pick {
        Value::Func(function) => match function.call(env, std::slice::from_ref(element)) {
            Ok(answer) => Ok(answer.is_truthy()),
            Err(error) if error.kind == ErrorKind::NonExistence => Ok(false),
            Err(error) => Err(error),
        },
        Value::Datum(value) => value.equals(element),
        Value::Row(row) => row.value.equals(element),
        other => Err(ReqlError::expected("DATUM", other.type_name())),
    }
}

/// `contains`: whether each value or predicate fits some element.
pub(crate) fn contains(env: &Env, call: &Call, scope: &Scope) -> Result<Value, ReqlError> {
    let mut stream = env.eval(&call.args[0], scope)?.into_stream(env)?;
    stream.refuse_feed()?;
    let mut missing = call.args[1..]
        .iter()
        .map(|pick| env.eval(pick, scope))
        .collect::<Result<Vec<_>, _>>()?;
    while !missing.is_empty() {
        let Some(element) = stream.next(env)? else {
            break;
        };
        let mut still_missing = Vec::new();
        for pick in missing {
            if !is_picked(env, &pick, &element)? {
                still_missing.push(pick);
            }
        }
        missing = still_missing;
    }
    Ok(Value::Datum(missing.is_empty().into()))
}

/// `is_empty`.
pub(crate) fn is_empty(env: &Env, call: &Call, scope: &Scope) -> Result<Value, ReqlError> {
    let mut stream = env.eval(&call.args[0], scope)?.into_stream(env)?;
    stream.refuse_feed()?;
    Ok(Value::Datum(stream.next(env)?.is_none().into()))
}

/// `sum`, `avg`, `min` and `max`, of the elements or of what a function or field gives for each.
pub(crate) fn aggregate(env: &Env, call: &Call, scope: &Scope) -> Result<Value, ReqlError> {
    let subject = env.eval(&call.args[0], scope)?;
    if let Some(index) = call.optarg("index") {
        return extreme_of_index(env, call, subject, &env.datum(index, scope)?, scope);
    }
    let mut stream = subject.into_stream(env)?;
    stream.refuse_feed()?;
    let selection = stream.selection.clone();
    let by = call
        .args
        .get(1)
        .map(|by| env.func_or_field(by, scope))
        .transpose()?;
    let (mut sum, mut count, mut best) = (0.0, 0usize, None::<(Datum, Datum)>);
    while let Some(element) = stream.next(env)? {
        let value = match &by {
            None => element.clone(),
            Some(by) => match by.call(env, std::slice::from_ref(&element)) {
                Ok(value) => value,
                Err(error) if error.kind == ErrorKind::NonExistence => continue,
                Err(error) => return Err(error),
            },
        };
        if matches!(call.kind, TermKind::Sum | TermKind::Avg) {
            sum += value.as_number()?;
            count += 1;
            continue;
        }
        let wanted = if call.kind == TermKind::Min {
            Ordering::Less
        } else {
            Ordering::Greater
        };
        let is_better = match &best {
            None => true,
            Some((best, _)) => value.compare(best)? == wanted,
        };
        if is_better {
            best = Some((value, element));
        }
    }
    let empty = |name: &str| {
        ReqlError::missing(format!(
            "Cannot take the {name} of an empty stream.  (If you passed `{name}` a field name, it may be that no \
             elements of the stream had that field.)"
        ))
    };
    match call.kind {
        TermKind::Sum => Ok(Value::Datum(sum.into())),
        TermKind::Avg if count == 0 => Err(empty("average")),
        TermKind::Avg => Ok(Value::Datum((sum / count as f64).into())),
        kind => {
            let name = if kind == TermKind::Min { "min" } else { "max" };
            let (_, element) = best.ok_or_else(|| empty(name))?;
            self::element(selection, element)
        }
    }
}

/// `min` and `max` by an index: its first or last document.
fn extreme_of_index(
    env: &Env,
    call: &Call,
    subject: Value,
    index: &Datum,
    scope: &Scope,
) -> Result<Value, ReqlError> {
    let direction = if call.kind == TermKind::Min {
        Direction::Ascending
    } else {
        Direction::Descending
    };
    let stream = by_index(env, subject, index.as_str()?, direction)?;
    nth_of(
        env,
        Value::Stream(stream),
        &Term::Datum(Datum::Number(0.0)),
        scope,
    )
}

/// `distinct`: each value once, in order.
pub(crate) fn distinct(env: &Env, call: &Call, scope: &Scope) -> Result<Value, ReqlError> {
    let subject = env.eval(&call.args[0], scope)?;
    let mut items = match call.optarg("index") {
        None => subject.into_stream(env)?.collect(env)?,
        Some(index) => {
            let name = env.datum(index, scope)?.as_str()?.clone();
            let stream = by_index(env, subject, &name, Direction::Ascending)?;
            stream.then(Step::GetField(name)).collect(env)?
        }
    };
    order::sort_by(&mut items, Datum::compare)?;
    let mut kept: Vec<Datum> = Vec::with_capacity(items.len());
    for item in items {
        if !kept
            .last()
            .map(|last| last.equals(&item))
            .transpose()?
            .unwrap_or(false)
        {
            kept.push(item);
        }
    }
    Ok(Value::Datum(kept.into()))
}

/// `union`.
pub(crate) fn union(env: &Env, call: &Call, scope: &Scope) -> Result<Value, ReqlError> {
    let mut streams = VecDeque::new();
    for sequence in &call.args {
        let mut stream = env.eval(sequence, scope)?.into_stream(env)?;
        if stream.feed().is_some() {
            return Err(ReqlError::logic(
                "The embedded engine does not implement a `union` of changefeeds.",
            ));
        }
        streams.push_back(stream);
    }
    let is_array = streams.iter().all(|stream| stream.is_array);
    Ok(Value::Stream(Stream::wrap(
        Source::Union(streams),
        None,
        is_array,
    )))
}

/// `range`.
pub(crate) fn range(env: &Env, call: &Call, scope: &Scope) -> Result<Value, ReqlError> {
    let bounds = call
        .args
        .iter()
        .map(|bound| env.datum(bound, scope)?.as_integer())
        .collect::<Result<Vec<_>, _>>()?;
    let (start, end) = match bounds[..] {
        [] => (0.0, f64::INFINITY),
        [end] => (0.0, end as f64),
        [start, end, ..] => (start as f64, end as f64),
    };
    Ok(Value::Stream(Stream::wrap(
        Source::Range(start, end),
        None,
        false,
    )))
}

/// `asc` and `desc`: a key of `order_by` with its direction.
pub(crate) fn order_key(env: &Env, call: &Call, scope: &Scope) -> Result<Value, ReqlError> {
    let key = Box::new(env.eval(&call.args[0], scope)?);
    Ok(Value::Order {
        key,
        descending: call.kind == TermKind::Desc,
    })
}

/// `order_by`, by an index, by keys, or by an index and then by keys.
pub(crate) fn order_by(env: &Env, call: &Call, scope: &Scope) -> Result<Value, ReqlError> {
    let subject = env.eval(&call.args[0], scope)?;
    let keys = call.args[1..]
        .iter()
        .map(|key| sort_key(env.eval(key, scope)?))
        .collect::<Result<Vec<_>, _>>()?;
    let stream = match call.optarg("index") {
        None => subject.into_stream(env)?,
        Some(index) => {
            let (name, direction) = match env.eval(index, scope)? {
                Value::Order {
                    key,
                    descending: true,
                } => (key.into_datum(env)?, Direction::Descending),
                Value::Order {
                    key,
                    descending: false,
                } => (key.into_datum(env)?, Direction::Ascending),
                other => (other.into_datum(env)?, Direction::Ascending),
            };
            by_index(env, subject, name.as_str()?, direction)?
        }
    };
    if keys.is_empty() {
        return match call.optarg("index") {
            Some(_) => Ok(Value::Stream(stream)),
            None => Err(ReqlError::logic("Must specify something to order by.")),
        };
    }
    let selection = stream.selection.clone();
    let items = sort(env, stream.collect(env)?, &keys)?;
    Ok(Value::Stream(Stream {
        selection,
        ..Stream::array(items)
    }))
}

struct SortKey {
    function: Func,
    descending: bool,
}

fn sort_key(value: Value) -> Result<SortKey, ReqlError> {
    let (value, descending) = match value {
        Value::Order { key, descending } => (*key, descending),
        value => (value, false),
    };
    let function = match value {
        Value::Func(function) => function,
        Value::Datum(Datum::String(name)) => Func::field(&name),
        other => return Err(ReqlError::expected("FUNCTION", other.type_name())),
    };
    Ok(SortKey {
        function,
        descending,
    })
}

/// Sorts by several keys; what lacks a key comes first.
fn sort(env: &Env, items: Vec<Datum>, keys: &[SortKey]) -> Result<Vec<Datum>, ReqlError> {
    let mut keyed = Vec::with_capacity(items.len());
    for item in items {
        let mut values = Vec::with_capacity(keys.len());
        for key in keys {
            values.push(match key.function.call(env, std::slice::from_ref(&item)) {
                Ok(value) => Some(value),
                Err(error) if error.kind == ErrorKind::NonExistence => None,
                Err(error) => return Err(error),
            });
        }
        keyed.push((values, item));
    }
    order::sort_by(&mut keyed, |(a, _), (b, _)| {
        for ((a, b), key) in a.iter().zip(b).zip(keys) {
            let order = match (a, b) {
                (Some(a), Some(b)) => a.compare(b)?,
                (a, b) => a.is_some().cmp(&b.is_some()),
            };
            if order.is_ne() {
                return Ok(if key.descending {
                    order.reverse()
                } else {
                    order
                });
            }
        }
        Ok(Ordering::Equal)
    })?;
    Ok(keyed.into_iter().map(|(_, item)| item).collect())
}

/// The documents of a table, or of a range of it, in the order of an index.
fn by_index(
    env: &Env,
    subject: Value,
    name: &str,
    direction: Direction,
) -> Result<Stream, ReqlError> {
    let mut stream = match subject {
        Value::Table(table) => Stream::scan(table),
        Value::Stream(stream) if stream.selection.is_some() && stream.steps.is_empty() => stream,
        Value::Stream(_) => {
            return Err(ReqlError::logic(
                "Indexed order_by can only be performed on a TABLE or TABLE_SLICE.",
            ));
        }
        other => {
            return Err(ReqlError::expected(
                "TABLE_SLICE",
                other.into_datum(env)?.type_name(),
            ));
        }
    };
    let conflict = |other: &str| {
        ReqlError::logic(format!(
            "Cannot order by index `{name}` after calling BETWEEN on index `{other}`."
        ))
    };
    match &mut stream.source {
        Source::Scan(scan) if *scan.table.primary_key == *name => {
            scan.direction = direction;
            scan.is_ordered = true;
        }
        Source::Scan(scan) => {
            let table = scan.table.clone();
            let is_whole = scan.contains(&[]) && scan.contains(&[0xff; 256]);
            if !is_whole {
                return Err(conflict(&table.primary_key));
            }
            let index = index::find(&table, name)?;
            let mut scan = IndexScan::new(table.clone(), index, Wanted::All);
            scan.order(direction);
            stream = Stream::wrap(Source::Index(scan), Some(table), false);
        }
        Source::Index(scan) if scan.index_name() == name => scan.order(direction),
        Source::Index(scan) => return Err(conflict(scan.index_name())),
        _ => {
            return Err(ReqlError::logic(
                "Indexed order_by can only be performed on a TABLE or TABLE_SLICE.",
            ));
        }
    }
    Ok(stream)
}

/// The keys of the documents of a selection, for a write.
///
/// # Errors
/// As [`Stream::next`].
pub(crate) fn keys_of(
    env: &Env,
    table: &Table,
    mut stream: Stream,
) -> Result<Vec<Vec<u8>>, ReqlError> {
    stream.refuse_feed()?;
    let mut keys = Vec::new();
    while let Some(document) = stream.next(env)? {
        keys.push(key_of(table, &document)?);
    }
    Ok(keys)
}
