//! The binary form in which `index_status` returns the function of an index, and in which `index_create` accepts it.
//!
//! It is that of RethinkDB 2.4 (`sindex_config_to_string` in `rdb_protocol/terms/sindex.cc`), so that a dump of either
//! can be restored into the other.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::engine::error::ReqlError;
use crate::engine::eval::term::TermKind;
use crate::engine::storage::Index;

const PREFIX: &[u8] = b"$reql_index_function$";

/// The prefix in dumps of releases up to 0.1; the `FUNC` term as JSON follows it.
const OLD_PREFIX: &[u8] = b"$realtime_photo_index_function$";

/// The numbers of the serialisation and of the language in RethinkDB 2.4 (`version.hpp`). Since 2.2, whose
/// serialisation has number 7, terms are JSON.
const SERIALISATION: u8 = 9;
const FIRST_WITH_JSON: u8 = 7;
const LANGUAGE: u8 = 7;

/// The term type of a constant, which terms in queries leave out.
const CONSTANT: u32 = 1;

/// The number with which a term refers to its place in a query. There is no query any more.
const NO_PLACE: u32 = 0;

/// The contents of the binary form of an index.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct SavedFunction {
    /// The `FUNC` term as JSON.
    pub(super) function: Arc<str>,
    pub(super) multi: bool,
    pub(super) geo: bool,
}

impl SavedFunction {
    pub(super) fn of(index: &Index) -> Self {
        Self {
            function: index.function.clone(),
            multi: index.multi,
            geo: index.geo,
        }
    }

    /// The binary form; `None` if the function is damaged.
    pub(super) fn encode(&self) -> Option<Vec<u8>> {
        let function: Value = serde_json::from_str(&self.function).ok()?;
        let parameters = function.pointer("/1/0/1")?.as_array()?;
        let body = stored_term(function.pointer("/1/1")?);
        let mut out = PREFIX.to_vec();
        // The function's kind is that of ReQL, and it uses no variables or `row` of an outer function.
        out.extend([SERIALISATION, LANGUAGE, LANGUAGE, LANGUAGE, 0, 0]);
        out.extend(0_u32.to_le_bytes());
        out.push(
            u8::try_from(parameters.len())
                .ok()
                .filter(|count| *count < 128)?,
        );
        for parameter in parameters {
            out.extend(parameter.as_i64()?.to_le_bytes());
        }
        let body = body.to_string();
        out.extend(u32::try_from(body.len() + 1).ok()?.to_le_bytes());
        out.extend(body.as_bytes());
        out.push(0);
        out.extend(NO_PLACE.to_le_bytes());
        out.extend([u8::from(self.multi), u8::from(self.geo)]);
        Some(out)
    }

    /// Decodes the output of [`Self::encode`] or of RethinkDB since 2.2.
    ///
    /// # Errors
    /// Other bytes, and functions that use JavaScript or variables of an outer function.
    pub(super) fn decode(bytes: &[u8]) -> Result<Self, ReqlError> {
        if let Some(function) = bytes.strip_prefix(OLD_PREFIX) {
            let function = str::from_utf8(function).map_err(|_| unreadable("it is no text"))?;
            return Ok(Self {
                function: function.into(),
                multi: false,
                geo: false,
            });
        }
        let Some(rest) = bytes.strip_prefix(PREFIX) else {
            return Err(ReqlError::logic(
                "Cannot create an sindex except from a reql_index_function returned from `index_status` in the field \
                 `function`.",
            ));
        };
        Reader(rest).function()
    }
}

struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn function(&mut self) -> Result<SavedFunction, ReqlError> {
        let [serialisation, _, _, _, kind] = self.array()?;
        if !(FIRST_WITH_JSON..=SERIALISATION).contains(&serialisation) {
            return Err(unreadable(
                "only functions of RethinkDB 2.2 to 2.4 are known",
            ));
        }
        if kind != 0 {
            return Err(unreadable("the embedded engine has no JavaScript"));
        }
        if self.has_captured()? {
            return Err(unreadable(
                "it uses a variable of an outer function, which the embedded engine does not implement",
            ));
        }
        let parameters = (0..self.small_count()?)
            .map(|_| Ok(i64::from_le_bytes(self.array()?)))
            .collect::<Result<Vec<_>, ReqlError>>()?;
        let length = u32::from_le_bytes(self.array()?);
        let body = self.bytes(length)?;
        let body = body.strip_suffix(b"\0").unwrap_or(body);
        let body = serde_json::from_slice(body)
            .ok()
            .and_then(|body| query_term(&body))
            .ok_or_else(|| unreadable("its term is damaged"))?;
        let [_, _, _, _, multi, geo] = self.array()?;
        let parameters = json!([TermKind::MakeArray.number(), parameters]);
        Ok(SavedFunction {
            function: json!([TermKind::Func.number(), [parameters, body]])
                .to_string()
                .into(),
            multi: multi != 0,
            geo: geo != 0,
        })
    }

    /// Returns whether the function captured variables or the `row` of an outer function.
    fn has_captured(&mut self) -> Result<bool, ReqlError> {
        if self.small_count()? > 0 {
            return Ok(true);
        }
        let row_depth = u32::from_le_bytes(self.array()?);
        Ok(row_depth == 1 && self.array() != Ok([0]))
    }

    /// A number that is encoded in one byte if it is small.
    fn small_count(&mut self) -> Result<u8, ReqlError> {
        match self.array()? {
            [count] if count < 128 => Ok(count),
            _ => Err(unreadable("it has too many variables")),
        }
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], ReqlError> {
        let (head, rest) = self.0.split_first_chunk().ok_or_else(cut_off)?;
        self.0 = rest;
        Ok(*head)
    }

    fn bytes(&mut self, length: u32) -> Result<&[u8], ReqlError> {
        let length = usize::try_from(length).map_err(|_| cut_off())?;
        let (head, rest) = self.0.split_at_checked(length).ok_or_else(cut_off)?;
        self.0 = rest;
        Ok(head)
    }
}

fn cut_off() -> ReqlError {
    unreadable("its end is missing")
}

/// The error for a binary that is no function.
pub(super) fn unreadable(reason: &str) -> ReqlError {
    ReqlError::logic(format!(
        "Binary blob passed to index create could not be interpreted as a reql_index_function ({reason})."
    ))
}

/// A term of a query as RethinkDB stores it: constants and objects are terms too, and each term ends with its place.
fn stored_term(term: &Value) -> Value {
    match term {
        Value::Array(items) => {
            let items = items.iter().map(|item| match item {
                Value::Array(args) => args.iter().map(stored_term).collect(),
                Value::Object(optargs) => stored_fields(optargs),
                kind => kind.clone(),
            });
            items.chain([NO_PLACE.into()]).collect()
        }
        Value::Object(fields) => {
            json!([TermKind::MakeObj.number(), stored_fields(fields), NO_PLACE])
        }
        constant => json!([CONSTANT, constant, NO_PLACE]),
    }
}

fn stored_fields(fields: &serde_json::Map<String, Value>) -> Value {
    let fields = fields.iter();
    Value::Object(
        fields
            .map(|(name, term)| (name.clone(), stored_term(term)))
            .collect(),
    )
}

/// The reverse of [`stored_term`]; `None` if the term is damaged.
fn query_term(term: &Value) -> Option<Value> {
    let (_place, items) = term.as_array()?.split_last()?;
    let (kind, items) = items.split_first()?;
    if kind == CONSTANT {
        return items.first().map(query_constant);
    }
    if kind == TermKind::MakeObj.number() {
        return match items.first() {
            Some(fields) => query_fields(fields.as_object()?),
            None => Some(json!({})),
        };
    }
    let items = items.iter().map(|item| match item {
        Value::Array(args) => args.iter().map(query_term).collect(),
        Value::Object(optargs) => query_fields(optargs),
        _ => None,
    });
    std::iter::once(Some(kind.clone())).chain(items).collect()
}

fn query_fields(fields: &serde_json::Map<String, Value>) -> Option<Value> {
    let fields = fields.iter();
    let fields = fields.map(|(name, term)| Some((name.clone(), query_term(term)?)));
    Some(Value::Object(fields.collect::<Option<_>>()?))
}

/// A constant in a query, where an array would be a term.
fn query_constant(constant: &Value) -> Value {
    match constant {
        Value::Array(items) => {
            let items: Vec<Value> = items.iter().map(query_constant).collect();
            json!([TermKind::MakeArray.number(), items])
        }
        Value::Object(fields) => {
            let fields = fields.iter();
            let fields = fields.map(|(name, value)| (name.clone(), query_constant(value)));
            Value::Object(fields.collect())
        }
        scalar => scalar.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn saved(function: &str) -> SavedFunction {
        SavedFunction {
            function: function.into(),
            multi: true,
            geo: false,
        }
    }

    #[test]
    fn functions_survive_the_binary_form() {
        for function in [
            r#"[69,[[2,[1]],[170,[[10,[1]],"board"]]]]"#,
            r#"[69,[[2,[-7]],[92,[[170,[[13],{"a":[2,[1.5,null,true]]}]],[2,[]]]]]]"#,
            r#"[69,[[2,[3]],[99,["2001"],{"default_timezone":"+01:00"}]]]"#,
        ] {
            let bytes = saved(function).encode().unwrap();
            assert_eq!(SavedFunction::decode(&bytes), Ok(saved(function)));
        }
    }

    #[test]
    fn the_form_of_earlier_dumps_is_read() {
        let bytes = b"$realtime_photo_index_function$[69,[[2,[1]],1]]";
        let decoded = SavedFunction::decode(bytes).unwrap();
        assert_eq!(&*decoded.function, "[69,[[2,[1]],1]]");
    }

    #[test]
    fn a_function_that_is_cut_off_is_an_error() {
        let bytes = saved(r#"[69,[[2,[1]],[170,[[10,[1]],"n"]]]]"#)
            .encode()
            .unwrap();
        for length in 0..bytes.len() {
            assert!(SavedFunction::decode(&bytes[..length]).is_err(), "{length}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_are_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
            let _ = SavedFunction::decode(&[PREFIX, &bytes].concat());
            let _ = SavedFunction::decode(&[PREFIX, &[9, 7, 7, 7, 0, 0, 0, 0, 0, 0, 1], &bytes].concat());
        }
    }
}
