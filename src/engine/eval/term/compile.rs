//! Compilation of JSON to terms.

use std::borrow::Cow;
use std::sync::Arc;

use super::kind::TermKind;
use super::position::TermPosition;
use super::tree::{Call, Term};
use crate::engine::datum::json::Node;
use crate::engine::datum::{self, Datum};
use crate::engine::error::ReqlError;
use crate::engine::eval::env::ARRAY_LIMIT;

/// A string, borrowed from the query's text where possible.
type Text<'a> = Cow<'a, str>;

impl Term {
    /// Compiles parsed JSON.
    ///
    /// # Errors
    /// A compile error for an unknown or unimplemented term, for a term that is not allowed in its position, or for
    /// arguments that it does not accept.
    pub(crate) fn compile(node: Node<'_>) -> Result<Self, ReqlError> {
        Self::compile_at(TermPosition::default(), node)
    }

    fn compile_at(position: TermPosition, node: Node<'_>) -> Result<Self, ReqlError> {
        match node {
            Node::Array(items) => Self::compile_call(position, items),
            Node::Object(fields) => Self::compile_object(position, fields),
            constant => Ok(Self::constant(datum::from_node(constant))),
        }
    }

    fn constant(value: Result<Datum, ReqlError>) -> Self {
        value.map_or_else(Self::Invalid, Self::Datum)
    }

    fn compile_object(
        position: TermPosition,
        fields: Vec<(Text<'_>, Node<'_>)>,
    ) -> Result<Self, ReqlError> {
        // Without compiling the fields first, because a constant may hold a large binary.
        if fields.iter().all(|(_, value)| is_constant(value)) {
            return Ok(Self::constant(datum::from_fields(fields)));
        }
        let position = position.field();
        let compile = |(name, value): (Text<'_>, _)| {
            Ok((Arc::from(name), Self::compile_at(position, value)?))
        };
        let fields = fields
            .into_iter()
            .map(compile)
            .collect::<Result<Vec<_>, _>>()?;
        if !fields
            .iter()
            .all(|(_, value)| matches!(value, Self::Datum(_)))
        {
            return Ok(Self::Object(fields.into()));
        }
        let constants = fields.into_iter().filter_map(|(name, value)| match value {
            Self::Datum(datum) => Some((name, datum)),
            _ => None,
        });
        Ok(Self::constant(datum::pseudotype(constants.collect())))
    }

    fn compile_call(position: TermPosition, items: Vec<Node<'_>>) -> Result<Self, ReqlError> {
        let (kind, args, optargs) = take_apart(items)?;
        if kind == TermKind::MakeObj {
            return Self::compile_object(position, optargs);
        }
        position.check(kind)?;
        if let Some((name, _)) = optargs.iter().find(|(name, _)| !kind.accepts(name)) {
            return Err(ReqlError::compile(format!(
                "Unrecognized optional argument `{name}`."
            )));
        }
        let args = Self::compile_args(position, kind, args)?;
        let mut call = Call {
            kind,
            args,
            optargs: Vec::new(),
        };
        // With `args`, the number of arguments is checked after the expansion.
        if !call.has_args()
            && let Some(message) = kind.wrong_count(call.args.len())
        {
            return Err(ReqlError::compile(message));
        }
        call.optargs = optargs
            .into_iter()
            .map(|(name, value)| {
                let position = position.argument(kind, false);
                Ok((Arc::from(name), Self::compile_at(position, value)?))
            })
            .collect::<Result<Vec<_>, _>>()?;
        Ok(fold_array(call))
    }

    fn compile_args(
        position: TermPosition,
        kind: TermKind,
        args: Vec<Node<'_>>,
    ) -> Result<Vec<Self>, ReqlError> {
        let inner = match kind {
            TermKind::Func => position.body(args.first()),
            _ => position,
        };
        args.into_iter()
            .enumerate()
            .map(|(index, arg)| Self::compile_at(inner.argument(kind, index == 0), arg))
            .collect()
    }
}

/// The parts of `[number, [argument…], {name: argument…}]`.
type Parts<'a> = (TermKind, Vec<Node<'a>>, Vec<(Text<'a>, Node<'a>)>);

fn take_apart(items: Vec<Node<'_>>) -> Result<Parts<'_>, ReqlError> {
    let mut items = items.into_iter();
    let number = match items.next() {
        Some(Node::Number(number)) => number,
        _ => return Err(ReqlError::compile("Expected a TermType as a NUMBER.")),
    };
    let args = match items.next() {
        Some(Node::Array(args)) => args,
        None => Vec::new(),
        Some(_) => {
            return Err(ReqlError::compile(
                "Expected the arguments of a term as an ARRAY.",
            ));
        }
    };
    let optargs = match items.next() {
        Some(Node::Object(optargs)) => optargs,
        None => Vec::new(),
        Some(_) => {
            return Err(ReqlError::compile(
                "Expected the optional arguments of a term as an OBJECT.",
            ));
        }
    };
    if items.next().is_some() {
        return Err(ReqlError::compile("Expected at most 3 items in a term."));
    }
    Ok((TermKind::parse(number)?, args, optargs))
}

/// Turns an array of constants into a constant.
fn fold_array(call: Call) -> Term {
    // The length of a longer array is checked when it is evaluated.
    let is_constant = call.kind == TermKind::MakeArray
        && call.args.len() <= ARRAY_LIMIT
        && call.args.iter().all(|arg| matches!(arg, Term::Datum(_)));
    if !is_constant {
        return Term::Call(Arc::new(call));
    }
    let items = call.args.into_iter().filter_map(|arg| match arg {
        Term::Datum(datum) => Some(datum),
        _ => None,
    });
    Term::Datum(items.collect::<Vec<_>>().into())
}

/// Returns `true` if the JSON contains no term. In ReQL, an array always is one.
fn is_constant(node: &Node<'_>) -> bool {
    match node {
        Node::Array(_) => false,
        Node::Object(fields) => fields.iter().all(|(_, value)| is_constant(value)),
        _ => true,
    }
}
