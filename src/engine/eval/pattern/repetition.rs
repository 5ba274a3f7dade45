//! Repetitions.

use super::input::{Flaw, Input};

/// The most repetitions that RE2 accepts.
const MAX_REPEAT: u32 = 1000;

/// Reads a repetition with its `?`, such as `*`, `+?` or `{2,3}`. `None` if there is none: RE2 then takes a `{` for
/// itself.
pub(super) fn repetition_operator<'a>(input: &mut Input<'a>) -> Option<&'a str> {
    let rest = input.rest();
    let mut length = match rest.chars().next()? {
        '*' | '+' | '?' => 1,
        '{' => {
            let end = rest.find('}')?;
            let (from, to) = rest[1..end].split_once(',').unwrap_or((&rest[1..end], ""));
            let is_count = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
            if from.is_empty() || !is_count(from) || !is_count(to) {
                return None;
            }
            end + 1
        }
        _ => return None,
    };
    if rest[length..].starts_with('?') {
        length += 1;
    }
    let operator = &rest[..length];
    input.skip(operator);
    Some(operator)
}

/// Checks the counts of `{2,3}`.
pub(super) fn check_count(operator: &str) -> Result<(), Flaw> {
    let Some(counts) = operator.strip_prefix('{') else {
        return Ok(());
    };
    let counts = counts.trim_end_matches('?').trim_end_matches('}');
    let (from, to) = counts.split_once(',').unwrap_or((counts, counts));
    // A number that is too long is as invalid as one that is too large.
    let parse = |text: &str| text.parse().unwrap_or(u32::MAX);
    let (from, to) = (
        parse(from),
        if to.is_empty() { MAX_REPEAT } else { parse(to) },
    );
    if from > to || to > MAX_REPEAT {
        let portion = operator.trim_end_matches('?');
        return Err(Flaw::new("invalid repetition size", portion));
    }
    Ok(())
}
