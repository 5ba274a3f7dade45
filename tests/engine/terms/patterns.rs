//! `match`.

use serde_json::json;

use super::{LOGIC, Session, array, call, failure, func, t, var};

#[test]
fn patterns_have_the_syntax_of_re2() {
    let mut session = Session::new();
    let find = |text: &str, pattern: &str| call(t::MATCH, &[json!(text), json!(pattern)]);
    assert_eq!(
        session.value(find("xAbc", r"(?i)(a)(\d)?b")),
        json!({
            "str": "Ab",
            "start": 1,
            "end": 3,
            "groups": [{"str": "A", "start": 1, "end": 2}, null],
        })
    );
    assert_eq!(session.value(find("٣", r"\d")), json!(null));
    assert_eq!(session.value(find("a{", "a{"))["str"], "a{");
    assert_eq!(
        session.error(find("", r"a\8")),
        failure(
            LOGIC,
            r"Error in regexp `a\8` (portion `\8`): invalid escape sequence: \8"
        )
    );
}

#[test]
fn a_query_may_use_many_patterns() {
    let mut session = Session::new();
    let patterns = (0..40).map(|number| json!(format!("^{}$", number % 20)));
    let find = call(t::MATCH, &[json!("13"), var(1)]);
    let found = call(t::FILTER, &[array(patterns), func(1, find)]);
    assert_eq!(session.value(found), json!(["^13$", "^13$"]));
}
