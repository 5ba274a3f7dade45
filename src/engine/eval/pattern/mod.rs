//! Regular expressions in the syntax of RE2, which RethinkDB uses, for Rust's `regex` crate.
//!
//! Both crates have the same semantics, but not the same syntax. `\d`, `\s`, `\w` and `\b` are ASCII in RE2, `[` and
//! `&&` have no meaning in its classes, an incomplete `{` is a literal, and `\Q…\E` quotes.

mod class;
mod escape;
mod input;
mod repetition;

use regex::Regex;

use self::class::translate_class;
use self::escape::{EscapeContext, translate_escape};
use self::input::{Flaw, Input};
use self::repetition::{check_count, repetition_operator};
use crate::engine::error::ReqlError;

/// Compiles a regular expression.
///
/// # Errors
/// RethinkDB's error for one that RE2 does not accept.
pub(super) fn compile(pattern: &str) -> Result<Regex, ReqlError> {
    let translated = translate(pattern).map_err(|flaw| flaw.explain(pattern))?;
    Regex::new(&translated).map_err(|error| {
        // The last line says what is wrong, the others show where in the translation.
        let text = error.to_string();
        let reason = text.lines().last().unwrap_or_default();
        Flaw::new(reason.trim_start_matches("error: "), "").explain(pattern)
    })
}

/// Translates a pattern.
fn translate(pattern: &str) -> Result<String, Flaw> {
    let mut input = Input::new(pattern);
    let mut out = String::with_capacity(pattern.len());
    let mut depth = 0_usize;
    // The start of the repetition that has just ended.
    let mut repetition: Option<usize> = None;
    let mut has_operand = false;
    while let Some(c) = input.peek() {
        let start = input.position();
        if let Some(operator) = repetition_operator(&mut input) {
            if let Some(earlier) = repetition {
                let both = input.since(earlier);
                return Err(Flaw::new("bad repetition operator", both));
            }
            if !has_operand {
                return Err(Flaw::new(
                    "no argument for repetition operator",
                    input.since(start),
                ));
            }
            check_count(operator)?;
            out.push_str(operator);
            repetition = Some(start);
            continue;
        }
        repetition = None;
        has_operand = !matches!(c, '(' | '|');
        input.next();
        match c {
            '\\' => translate_escape(&mut input, EscapeContext::Pattern, &mut out)?,
            '[' => translate_class(&mut input, &mut out)?,
            '(' => {
                depth += 1;
                has_operand = translate_group(&mut input, &mut out, &mut depth)?;
            }
            ')' => {
                depth = depth
                    .checked_sub(1)
                    .ok_or_else(|| Flaw::new("missing )", input.whole()))?;
                out.push(')');
            }
            '{' => out.push_str(r"\{"),
            other => out.push(other),
        }
    }
    match depth {
        0 => Ok(out),
        _ => Err(Flaw::new("missing )", pattern)),
    }
}

/// Translates the rest of `(`, `(?:`, `(?P<name>` or `(?flags)`. Returns `true` if the group is complete and can be
/// repeated, which only flags are, as RE2 sees it.
fn translate_group(
    input: &mut Input<'_>,
    out: &mut String,
    depth: &mut usize,
) -> Result<bool, Flaw> {
    out.push('(');
    if input.peek() != Some('?') {
        return Ok(false);
    }
    let start = input.position() - 1;
    input.next();
    out.push('?');
    if input.rest().starts_with("P<") {
        // The `regex` crate knows the same names, and finds the end of the name.
        input.skip("P<");
        out.push_str("P<");
        return Ok(false);
    }
    while let Some(c) = input.next() {
        match c {
            'i' | 'm' | 's' | 'U' | '-' => out.push(c),
            ':' => {
                out.push(c);
                return Ok(false);
            }
            ')' => {
                out.push(c);
                *depth -= 1;
                return Ok(true);
            }
            _ => return Err(Flaw::new("invalid perl operator", input.since(start))),
        }
    }
    Err(Flaw::new("missing )", input.whole()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn found(pattern: &str, text: &str) -> Option<String> {
        let regex = compile(pattern).unwrap_or_else(|error| panic!("{pattern}: {error}"));
        regex.find(text).map(|found| found.as_str().to_owned())
    }

    fn matches(pattern: &str, text: &str) -> bool {
        found(pattern, text).is_some()
    }

    fn reason(pattern: &str) -> String {
        let message = compile(pattern).unwrap_err().message;
        let start = format!("Error in regexp `{pattern}` (portion ");
        message.strip_prefix(&start).unwrap_or(&message).to_owned()
    }

    #[test]
    fn perl_classes_are_ascii() {
        assert!(!matches(r"\d", "٣"));
        assert!(!matches(r"[\d]", "٣"));
        assert!(matches(r"^\D$", "٣"));
        assert!(!matches(r"\w", "é"));
        assert!(matches(r"^[\W]$", "é"));
        assert!(!matches(r"\s", "\u{a0}"));
        assert!(!matches(r"\s", "\u{b}"));
        // Between `é` and `a` is a boundary, because `é` is no letter here.
        assert_eq!(found(r"\ba", "éa").as_deref(), Some("a"));
        assert!(!matches(r"\B", "a"));
    }

    #[test]
    fn flags_work_as_in_re2() {
        assert!(matches("(?i)straSSE", "STRASSE"));
        assert!(matches("(?i)É", "é"));
        assert_eq!(found("(?U)a+", "aaa").as_deref(), Some("a"));
        assert_eq!(found("(?s).+", "a\nb").as_deref(), Some("a\nb"));
        assert_eq!(found("(?m)^b$", "a\nb").as_deref(), Some("b"));
        assert!(matches("(?i-s:A.)", "ab"));
        for other in ["(?x)a", "(?u)a", "(?R)a", "(?=a)", "(?!a)", "(?<=a)"] {
            assert!(reason(other).contains("invalid perl operator"), "{other}");
        }
    }

    #[test]
    fn classes_have_no_operators() {
        assert_eq!(found("[[a]+", "[a[").as_deref(), Some("[a["));
        assert_eq!(found("[a&&b]+", "&a&b").as_deref(), Some("&a&b"));
        assert_eq!(found("[b~~c-]+", "b-~c").as_deref(), Some("b-~c"));
        assert_eq!(found("[]a]+", "a]").as_deref(), Some("a]"));
        assert_eq!(found("[^]]", "]b").as_deref(), Some("b"));
        assert_eq!(found("[a-c-]+", "b-d").as_deref(), Some("b-"));
        assert_eq!(
            found("[[:alpha:][:^alnum:]]+", "a-1").as_deref(),
            Some("a-")
        );
        assert_eq!(found(r"[\pL]+", "é1").as_deref(), Some("é"));
        assert_eq!(found(r"[\]\-\\]+", r"-]\a").as_deref(), Some(r"-]\"));
    }

    #[test]
    fn escapes_are_those_of_re2() {
        assert!(matches(r"^\Qa.b\E.$", "a.bc"));
        assert!(matches(r"^\Q(", "("));
        assert!(matches(r"^\x41\x{263a}\101\0$", "A☺A\0"));
        assert!(matches(r"^\<\>\!\ \/$", "<>! /"));
        assert!(matches(r"^\C\z", "a"));
        assert!(matches(r"^\p{Greek}\pL$", "αb"));
        for (pattern, expected) in [
            (r"a\9", r"`\9`): invalid escape sequence: \9"),
            (r"a\1", r"`\1`): invalid escape sequence: \1"),
            (r"\y", r"`\y`): invalid escape sequence: \y"),
            (r"\_", r"`\_`): invalid escape sequence: \_"),
            (r"[\b]", r"`\b`): invalid escape sequence: \b"),
            (r"[\é]", r"`\é`): invalid escape sequence: \é"),
            ("a\\", r"``): trailing \"),
        ] {
            assert_eq!(reason(pattern), expected);
        }
    }

    #[test]
    fn an_incomplete_repetition_is_a_literal() {
        for pattern in ["^a{$", "^a{,2}$", "^a{x}$", "^a{1$", "^{1a}$"] {
            let text = pattern.trim_start_matches('^').trim_end_matches('$');
            assert!(matches(pattern, text), "{pattern}");
        }
        assert!(matches("^a{2}$", "aa"));
        assert!(matches("^a{1,}?$", "aaa"));
    }

    #[test]
    fn flaws_are_named_as_in_re2() {
        for (pattern, expected) in [
            ("a**", "`**`): bad repetition operator: **"),
            ("a{2}{3}", "`{2}{3}`): bad repetition operator: {2}{3}"),
            ("*a", "`*`): no argument for repetition operator: *"),
            ("a|+", "`+`): no argument for repetition operator: +"),
            ("a{1001}", "`{1001}`): invalid repetition size: {1001}"),
            ("a{3,2}", "`{3,2}`): invalid repetition size: {3,2}"),
            ("(a", "`(a`): missing ): (a"),
            ("a)", "`a)`): missing ): a)"),
            ("[a", "`[a`): missing ]: [a"),
            ("[z-a]", "`z-a`): invalid character class range: z-a"),
            (
                "[[:word]:]",
                "`[:word]:]`): invalid character class range: [:word]:]",
            ),
        ] {
            assert_eq!(reason(pattern), expected, "{pattern}");
        }
    }

    proptest! {
        /// No pattern panics.
        #[test]
        fn any_pattern_is_compiled_or_refused(pattern in r"[a-c\\\[\](){}?*+|^$.:\-&~0-9PpQEdwb<>é]{0,24}") {
            drop(compile(&pattern));
        }
    }
}
