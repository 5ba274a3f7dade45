//! Character classes.

use super::escape::{EscapeContext, literal, push_literal, translate_escape};
use super::input::{Flaw, Input};

/// The names in classes like `[[:alpha:]]`.
const NAMES: &[&str] = &[
    "alnum", "alpha", "ascii", "blank", "cntrl", "digit", "graph", "lower", "print", "punct",
    "space", "upper", "word", "xdigit",
];

/// Translates a class, whose `[` has been read.
pub(super) fn translate_class(input: &mut Input<'_>, out: &mut String) -> Result<(), Flaw> {
    let start = input.position() - 1;
    out.push('[');
    if input.peek() == Some('^') {
        input.next();
        out.push('^');
    }
    let mut is_first = true;
    loop {
        match input.peek() {
            None => return Err(Flaw::new("missing ]", input.since(start))),
            // In front, it is an item.
            Some(']') if !is_first => {
                input.next();
                out.push(']');
                return Ok(());
            }
            Some(_) => item(input, out)?,
        }
        is_first = false;
    }
}

/// Translates an item: a named class, an escaped class, a character or a range.
fn item(input: &mut Input<'_>, out: &mut String) -> Result<(), Flaw> {
    let rest = input.rest();
    if let Some(named) = rest.strip_prefix("[:")
        && let Some(length) = named.find(":]")
    {
        let name = &named[..length];
        let item = &rest[..length + 4];
        if !NAMES.contains(&name.trim_start_matches('^')) {
            return Err(Flaw::new("invalid character class range", item));
        }
        out.push_str(item);
        input.skip(item);
        return Ok(());
    }
    if let Some(escape) = rest.strip_prefix('\\')
        && escape.starts_with(['d', 'D', 's', 'S', 'w', 'W', 'p', 'P'])
    {
        input.next();
        return translate_escape(input, EscapeContext::Class, out);
    }
    let start = input.position();
    let Some(low) = character(input)? else {
        return Ok(());
    };
    push_literal(low, out);
    // In front of the end, `-` is an item.
    let is_range = input.rest().starts_with('-') && !input.rest().starts_with("-]");
    if !is_range {
        return Ok(());
    }
    input.next();
    let Some(high) = character(input)? else {
        return Err(Flaw::new("missing ]", input.since(start)));
    };
    if high < low {
        let range = input.since(start);
        return Err(Flaw::new("invalid character class range", range));
    }
    out.push('-');
    push_literal(high, out);
    Ok(())
}

/// The next character, which may be an escape. `None` at the end.
fn character(input: &mut Input<'_>) -> Result<Option<char>, Flaw> {
    match input.next() {
        Some('\\') => literal(input).map(Some),
        other => Ok(other),
    }
}
