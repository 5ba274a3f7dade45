//! The kinds of terms and their arguments.
//!
//! Numbers, argument counts and optional arguments are those of RethinkDB 2.4 (`ql2.proto` and
//! `rdb_protocol/terms/*.cc`).

use crate::engine::error::ReqlError;

/// Declares the implemented terms: number, name, fewest and most arguments, optional arguments.
macro_rules! terms {
    ($($number:literal $variant:ident $name:literal $min:literal .. $max:tt [$($optarg:literal),*];)*) => {
        /// The operation of a term.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum TermKind { $(#[doc = $name] $variant,)* }

        impl TermKind {
            fn from_number(number: u32) -> Option<Self> {
                match number { $($number => Some(Self::$variant),)* _ => None }
            }

            /// The number in the protocol (`Term.TermType` in `ql2.proto`).
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

/// The arguments that a term accepts.
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
    156 IndexRename "index_rename" 3..3 ["overwrite"];
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

/// The terms of ReQL that the engine does not implement, for an error that names them.
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

impl TermKind {
    /// The kind with this number in the protocol.
    ///
    /// # Errors
    /// A compile error for an unknown number or a term that the engine does not implement.
    pub(super) fn parse(number: f64) -> Result<Self, ReqlError> {
        let known = if number.fract() == 0.0 && number >= 0.0 {
            number as u32
        } else {
            u32::MAX
        };
        if let Some(kind) = Self::from_number(known) {
            return Ok(kind);
        }
        let other = NOT_IMPLEMENTED.iter().find(|(other, _)| *other == known);
        Err(ReqlError::compile(match other {
            Some((_, name)) => format!(
                "The embedded engine does not implement the term `{name}`. Run the board beside a RethinkDB to use it."
            ),
            None => format!("Unrecognized TermType: {number}."),
        }))
    }

    /// The error message for `found` arguments; `None` if the term accepts that many.
    pub(super) fn wrong_count(self, found: usize) -> Option<String> {
        let Spec { min, max, .. } = self.spec();
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

    /// Returns `true` if the term accepts the optional argument.
    pub(super) fn accepts(self, optarg: &str) -> bool {
        self.spec().optargs.contains(&optarg)
    }
}
