//! The terms of a query: JSON in, a checked tree out.
//!
//! Numbers, argument counts and optional arguments are those of RethinkDB 2.4 (`ql2.proto` and `terms/*.cc`).

use std::borrow::Cow;
use std::sync::Arc;

use crate::engine::datum::json::Node;
use crate::engine::datum::{self, Datum};
use crate::engine::error::ReqlError;

/// A string that may still lie in the query's text.
type Text<'a> = Cow<'a, str>;

/// A node of a query.
#[derive(Debug, Clone)]
pub(crate) enum Term {
    /// A constant.
    Datum(Datum),
    /// An object some of whose values must be evaluated.
    Object(Arc<[(Arc<str>, Term)]>),
    /// Anything else.
    Call(Arc<Call>),
    /// A constant that is none: the error comes when it is evaluated, as RethinkDB's does.
    Invalid(ReqlError),
}

/// A term with its arguments.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    pub(crate) kind: TermKind,
    pub(crate) args: Vec<Term>,
    pub(crate) optargs: Vec<(Arc<str>, Term)>,
}

/// Declares the terms that the engine has: number, name, fewest and most arguments, optional arguments.
macro_rules! terms {
    ($($number:literal $variant:ident $name:literal $min:literal .. $max:tt [$($optarg:literal),*];)*) => {
        /// What a term does.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum TermKind { $(#[doc = $name] $variant,)* }

        impl TermKind {
            fn from_number(number: u32) -> Option<Self> {
                match number { $($number => Some(Self::$variant),)* _ => None }
            }

            /// The number on the wire.
            pub(crate) fn number(self) -> u32 {
                match self { $(Self::$variant => $number,)* }
            }

            fn spec(self) -> Spec {
                match self { $(Self::$variant => Spec { min: $min, max: terms!(@max $max), optargs: &[$($optarg),*] },)* }
            }
        }
    };
    (@max any) => { usize::MAX };
    (@max $max:literal) => { $max };
}

struct Spec {
    min: usize,
    max: usize,
    optargs: &'static [&'static str],
}

terms! {
    2 MakeArray "make_array" 0..any [];
    3 MakeObj "make_obj" 0..0 [];
    10 Var "var" 1..1 [];
    12 Error "error" 0..1 [];
    13 ImplicitVar "implicit_var" 0..0 [];
    14 Db "db" 1..1 [];
    15 Table "table" 1..2 ["read_mode", "use_outdated", "identifier_format"];
    16 Get "get" 2..2 [];
    17 Eq "eq" 2..any [];
    18 Ne "ne" 2..any [];
    19 Lt "lt" 2..any [];
    20 Le "le" 2..any [];
    21 Gt "gt" 2..any [];
    22 Ge "ge" 2..any [];
    23 Not "not" 1..1 [];
    24 Add "add" 1..any [];
    25 Sub "sub" 1..any [];
    26 Mul "mul" 1..any [];
    27 Div "div" 1..any [];
    28 Mod "mod" 2..2 [];
    29 Append "append" 2..2 [];
    30 Slice "slice" 2..3 ["left_bound", "right_bound"];
    31 GetField "get_field" 2..2 ["_NO_RECURSE_"];
    32 HasFields "has_fields" 1..any ["_NO_RECURSE_"];
    33 Pluck "pluck" 1..any ["_NO_RECURSE_"];
    34 Without "without" 1..any ["_NO_RECURSE_"];
    35 Merge "merge" 1..any ["_NO_RECURSE_"];
    38 Map "map" 2..any [];
    39 Filter "filter" 2..2 ["default"];
    40 ConcatMap "concat_map" 2..2 [];
    41 OrderBy "order_by" 1..any ["index"];
    42 Distinct "distinct" 1..1 ["index"];
    43 Count "count" 1..2 [];
    44 Union "union" 0..any ["interleave"];
    45 Nth "nth" 2..2 [];
    51 CoerceTo "coerce_to" 2..2 [];
    52 TypeOf "type_of" 1..1 [];
    53 Update "update" 2..2 ["non_atomic", "durability", "return_vals", "return_changes", "ignore_write_hook"];
    54 Delete "delete" 1..1 ["durability", "return_vals", "return_changes", "ignore_write_hook"];
    55 Replace "replace" 2..2 ["non_atomic", "durability", "return_vals", "return_changes", "ignore_write_hook"];
    56 Insert "insert" 2..2 ["conflict", "durability", "return_vals", "return_changes", "ignore_write_hook"];
    57 DbCreate "db_create" 1..1 [];
    58 DbDrop "db_drop" 1..1 [];
    59 DbList "db_list" 0..0 [];
    60 TableCreate "table_create" 1..2 ["primary_key", "shards", "replicas", "nonvoting_replica_tags",
        "primary_replica_tag", "durability"];
    61 TableDrop "table_drop" 1..2 [];
    62 TableList "table_list" 0..1 [];
    64 Funcall "funcall" 1..any ["_SHORTCUT_", "_EVAL_FLAGS_"];
    65 Branch "branch" 3..any [];
    66 Or "or" 0..any [];
    67 And "and" 0..any [];
    68 ForEach "for_each" 2..2 [];
    69 Func "func" 2..2 [];
    70 Skip "skip" 2..2 [];
    71 Limit "limit" 2..2 [];
    73 Asc "asc" 1..1 [];
    74 Desc "desc" 1..1 [];
    75 IndexCreate "index_create" 2..3 ["multi", "geo"];
    76 IndexDrop "index_drop" 2..2 [];
    77 IndexList "index_list" 1..1 [];
    78 GetAll "get_all" 1..any ["index"];
    79 Info "info" 1..1 [];
    80 Prepend "prepend" 2..2 [];
    86 IsEmpty "is_empty" 1..1 [];
    91 SetDifference "set_difference" 2..2 [];
    92 Default "default" 2..2 [];
    93 Contains "contains" 1..any [];
    94 Keys "keys" 1..1 [];
    96 WithFields "with_fields" 1..any [];
    97 Match "match" 2..2 [];
    99 Iso8601 "iso8601" 1..1 ["default_timezone"];
    100 ToIso8601 "to_iso8601" 1..1 [];
    101 EpochTime "epoch_time" 1..1 [];
    102 ToEpochTime "to_epoch_time" 1..1 [];
    103 Now "now" 0..0 [];
    137 Literal "literal" 0..1 [];
    138 Sync "sync" 1..1 [];
    139 IndexStatus "index_status" 1..any [];
    140 IndexWait "index_wait" 1..any [];
    145 Sum "sum" 1..2 [];
    146 Avg "avg" 1..2 [];
    147 Min "min" 1..2 ["index"];
    148 Max "max" 1..2 ["index"];
    154 Args "args" 1..1 [];
    155 Binary "binary" 1..1 [];
    152 Changes "changes" 1..1 ["squash", "changefeed_queue_size", "include_initial", "include_offsets",
        "include_states", "include_types"];
    169 Uuid "uuid" 0..1 [];
    170 Bracket "bracket" 2..2 ["_NO_RECURSE_"];
    173 Range "range" 0..2 [];
    174 Config "config" 1..1 [];
    175 Status "status" 1..1 [];
    177 Wait "wait" 0..1 ["timeout", "wait_for"];
    180 MinVal "minval" 0..0 [];
    181 MaxVal "maxval" 0..0 [];
    182 Between "between" 3..3 ["left_bound", "right_bound", "index"];
    183 Floor "floor" 1..1 [];
    184 Ceil "ceil" 1..1 [];
    185 Round "round" 1..1 [];
    186 Values "values" 1..1 [];
    190 GetWriteHook "get_write_hook" 1..1 [];
}

/// ReQL's other terms: refused by name.
const NOT_IMPLEMENTED: &[(u32, &str)] = &[
    (11, "javascript"),
    (36, "between_deprecated"),
    (37, "reduce"),
    (48, "inner_join"),
    (49, "outer_join"),
    (50, "eq_join"),
    (72, "zip"),
    (81, "sample"),
    (82, "insert_at"),
    (83, "delete_at"),
    (84, "change_at"),
    (85, "splice_at"),
    (87, "offsets_of"),
    (88, "set_insert"),
    (89, "set_intersection"),
    (90, "set_union"),
    (95, "difference"),
    (98, "json"),
    (104, "in_timezone"),
    (105, "during"),
    (106, "date"),
    (107, "monday"),
    (108, "tuesday"),
    (109, "wednesday"),
    (110, "thursday"),
    (111, "friday"),
    (112, "saturday"),
    (113, "sunday"),
    (114, "january"),
    (115, "february"),
    (116, "march"),
    (117, "april"),
    (118, "may"),
    (119, "june"),
    (120, "july"),
    (121, "august"),
    (122, "september"),
    (123, "october"),
    (124, "november"),
    (125, "december"),
    (126, "time_of_day"),
    (127, "timezone"),
    (128, "year"),
    (129, "month"),
    (130, "day"),
    (131, "day_of_week"),
    (132, "day_of_year"),
    (133, "hours"),
    (134, "minutes"),
    (135, "seconds"),
    (136, "time"),
    (141, "upcase"),
    (142, "downcase"),
    (143, "object"),
    (144, "group"),
    (149, "split"),
    (150, "ungroup"),
    (151, "random"),
    (153, "http"),
    (156, "index_rename"),
    (157, "geojson"),
    (158, "to_geojson"),
    (159, "point"),
    (160, "line"),
    (161, "polygon"),
    (162, "distance"),
    (163, "intersects"),
    (164, "includes"),
    (165, "circle"),
    (166, "get_intersecting"),
    (167, "fill"),
    (168, "get_nearest"),
    (171, "polygon_sub"),
    (172, "to_json_string"),
    (176, "reconfigure"),
    (179, "rebalance"),
    (187, "fold"),
    (188, "grant"),
    (189, "set_write_hook"),
    (191, "bit_and"),
    (192, "bit_or"),
    (193, "bit_xor"),
    (194, "bit_not"),
    (195, "bit_sal"),
    (196, "bit_sar"),
    (197, "format"),
];

impl Term {
    /// Checks parsed JSON and makes a tree of it.
    ///
    /// # Errors
    /// A compile error for a term that is unknown, that the engine does not have, or whose arguments do not fit.
    pub(crate) fn compile(node: Node<'_>) -> Result<Self, ReqlError> {
        match node {
            Node::Array(items) => Self::compile_call(items),
            Node::Object(fields) => Self::compile_object(fields),
            constant => Ok(Self::constant(datum::from_node(constant))),
        }
    }

    /// A term that the engine makes itself.
    pub(crate) fn call(kind: TermKind, args: Vec<Term>) -> Self {
        Self::Call(Arc::new(Call {
            kind,
            args,
            optargs: Vec::new(),
        }))
    }

    fn constant(value: Result<Datum, ReqlError>) -> Self {
        value.map_or_else(Self::Invalid, Self::Datum)
    }

    fn compile_object(fields: Vec<(Text<'_>, Node<'_>)>) -> Result<Self, ReqlError> {
        if fields.iter().all(|(_, value)| is_constant(value)) {
            return Ok(Self::constant(datum::from_fields(fields)));
        }
        let compile = |(name, value): (Text<'_>, _)| Ok((Arc::from(name), Self::compile(value)?));
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

    fn compile_call(items: Vec<Node<'_>>) -> Result<Self, ReqlError> {
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
        let kind = kind_of(number)?;
        if kind == TermKind::MakeObj {
            return Self::compile_object(optargs);
        }
        check_optargs(kind, &optargs)?;
        let count = args.len();
        let args = args
            .into_iter()
            .map(Self::compile)
            .collect::<Result<Vec<_>, _>>()?;
        if let Some(message) = wrong_count(kind, count).filter(|_| !args.iter().any(is_args)) {
            return Err(ReqlError::compile(message));
        }
        let optargs = optargs
            .into_iter()
            .map(|(name, value)| Ok((Arc::from(name), Self::compile(value)?)))
            .collect::<Result<Vec<_>, _>>()?;
        Ok(fold_array(Call {
            kind,
            args,
            optargs,
        }))
    }

    /// Whether the value could be another one when it is evaluated again: what `update` and `changes` must refuse.
    pub(crate) fn is_deterministic(&self) -> bool {
        match self {
            Self::Datum(_) | Self::Invalid(_) => true,
            Self::Object(fields) => fields.iter().all(|(_, value)| value.is_deterministic()),
            Self::Call(call) => {
                let is_fixed = match call.kind {
                    TermKind::Table
                    | TermKind::Changes
                    | TermKind::DbList
                    | TermKind::TableList => false,
                    TermKind::Uuid => !call.args.is_empty(),
                    _ => true,
                };
                is_fixed
                    && call.args.iter().all(Self::is_deterministic)
                    && call
                        .optargs
                        .iter()
                        .all(|(_, value)| value.is_deterministic())
            }
        }
    }

    /// The term as JSON, the same text for the same tree: what names a feed query.
    pub(crate) fn to_json(&self) -> Result<String, ReqlError> {
        let mut out = Vec::new();
        self.write_json(&mut out)?;
        Ok(String::from_utf8_lossy(&out).into_owned())
    }

    fn write_json(&self, out: &mut Vec<u8>) -> Result<(), ReqlError> {
        match self {
            Self::Datum(Datum::Array(items)) => {
                let items: Vec<Term> = items.iter().cloned().map(Self::Datum).collect();
                write_call(TermKind::MakeArray, &items, &[], out)
            }
            Self::Datum(Datum::Object(fields)) => {
                let fields: Vec<_> = fields
                    .iter()
                    .map(|(name, value)| (name.clone(), Self::Datum(value.clone())))
                    .collect();
                write_object(&fields, out)
            }
            Self::Datum(datum) => datum.write_json(out),
            Self::Object(fields) => write_object(fields, out),
            Self::Call(call) => write_call(call.kind, &call.args, &call.optargs, out),
            Self::Invalid(error) => Err(error.clone()),
        }
    }
}

impl Call {
    /// The same term with other arguments.
    ///
    /// # Errors
    /// When the term does not take so many.
    pub(crate) fn with_args(&self, args: Vec<Term>) -> Result<Self, ReqlError> {
        match wrong_count(self.kind, args.len()) {
            Some(message) => Err(ReqlError::logic(message)),
            None => Ok(Self {
                kind: self.kind,
                args,
                optargs: self.optargs.clone(),
            }),
        }
    }

    /// Whether an argument stands for any number of them.
    pub(crate) fn has_args(&self) -> bool {
        self.args.iter().any(is_args)
    }

    /// The optional argument of that name.
    pub(crate) fn optarg(&self, name: &str) -> Option<&Term> {
        self.optargs
            .iter()
            .find(|(other, _)| &**other == name)
            .map(|(_, term)| term)
    }
}

fn kind_of(number: f64) -> Result<TermKind, ReqlError> {
    let known = if number.fract() == 0.0 && number >= 0.0 {
        number as u32
    } else {
        u32::MAX
    };
    if let Some(kind) = TermKind::from_number(known) {
        return Ok(kind);
    }
    Err(
        match NOT_IMPLEMENTED.iter().find(|(other, _)| *other == known) {
            Some((_, name)) => ReqlError::compile(format!(
                "The embedded engine does not implement the term `{name}`. Run the board beside a RethinkDB to use it."
            )),
            None => ReqlError::compile(format!("Unrecognized TermType: {number}.")),
        },
    )
}

/// How many arguments a term wants, where `found` are none of them.
fn wrong_count(kind: TermKind, found: usize) -> Option<String> {
    let Spec { min, max, .. } = kind.spec();
    if (min..=max).contains(&found) {
        return None;
    }
    let wanted = match (min, max) {
        (1, 1) => "1 argument".to_owned(),
        (min, max) if min == max => format!("{min} arguments"),
        (min, usize::MAX) => format!("{min} or more arguments"),
        (min, max) => format!("between {min} and {max} arguments"),
    };
    Some(format!("Expected {wanted} but found {found}."))
}

fn check_optargs(kind: TermKind, optargs: &[(Text<'_>, Node<'_>)]) -> Result<(), ReqlError> {
    let known = kind.spec().optargs;
    match optargs.iter().find(|(name, _)| !known.contains(&&**name)) {
        Some((name, _)) => Err(ReqlError::compile(format!(
            "Unrecognized optional argument `{name}`."
        ))),
        None => Ok(()),
    }
}

/// Whether an argument is `args`: then how many there are is known only when it is evaluated.
fn is_args(term: &Term) -> bool {
    matches!(term, Term::Call(call) if call.kind == TermKind::Args)
}

/// An array of constants is a constant.
fn fold_array(call: Call) -> Term {
    let is_constant = call.kind == TermKind::MakeArray
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

fn is_constant(node: &Node<'_>) -> bool {
    match node {
        Node::Array(_) => false,
        Node::Object(fields) => fields.iter().all(|(_, value)| is_constant(value)),
        _ => true,
    }
}

fn write_object(fields: &[(Arc<str>, Term)], out: &mut Vec<u8>) -> Result<(), ReqlError> {
    out.push(b'{');
    for (i, (name, value)) in fields.iter().enumerate() {
        if i > 0 {
            out.push(b',');
        }
        datum::print::write_string(name, out);
        out.push(b':');
        value.write_json(out)?;
    }
    out.push(b'}');
    Ok(())
}

fn write_call(
    kind: TermKind,
    args: &[Term],
    optargs: &[(Arc<str>, Term)],
    out: &mut Vec<u8>,
) -> Result<(), ReqlError> {
    out.extend(format!("[{},[", kind.number()).bytes());
    for (i, arg) in args.iter().enumerate() {
        if i > 0 {
            out.push(b',');
        }
        arg.write_json(out)?;
    }
    out.push(b']');
    if !optargs.is_empty() {
        out.push(b',');
        write_object(optargs, out)?;
    }
    out.push(b']');
    Ok(())
}
