//! Escapes.

use super::input::{Flaw, Input};

/// The part of a pattern in which an escape stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum EscapeContext {
    Pattern,
    Class,
}

/// Translates an escape, whose backslash has been read.
pub(super) fn translate_escape(
    input: &mut Input<'_>,
    context: EscapeContext,
    out: &mut String,
) -> Result<(), Flaw> {
    let c = input.peek();
    let translated = match (c, context) {
        // A class within a class is their union.
        (Some(c), _) if perl_class(c).is_some() => perl_class(c),
        (Some('b'), EscapeContext::Pattern) => Some(r"(?-u:\b)"),
        (Some('B'), EscapeContext::Pattern) => Some(r"(?-u:\B)"),
        (Some('A'), EscapeContext::Pattern) => Some(r"\A"),
        (Some('z'), EscapeContext::Pattern) => Some(r"\z"),
        // A byte in RE2. Strings are UTF-8, so a character is what it can be.
        (Some('C'), EscapeContext::Pattern) => Some("(?s:.)"),
        _ => None,
    };
    if let Some(translated) = translated {
        input.next();
        out.push_str(translated);
        return Ok(());
    }
    match (c, context) {
        (Some('Q'), EscapeContext::Pattern) => quote(input, out),
        (Some('p' | 'P'), _) => unicode_class(input, out),
        _ => push_literal(literal(input)?, out),
    }
    Ok(())
}

/// The character of an escape, whose backslash has been read.
pub(super) fn literal(input: &mut Input<'_>) -> Result<char, Flaw> {
    let start = input.position() - 1;
    let Some(c) = input.next() else {
        return Err(Flaw::new(r"trailing \", ""));
    };
    let character = match c {
        'a' => Some('\x07'),
        'f' => Some('\x0c'),
        'n' => Some('\n'),
        'r' => Some('\r'),
        't' => Some('\t'),
        'v' => Some('\x0b'),
        'x' => hexadecimal(input),
        '0' => Some(octal(input, 0)),
        // One digit would be a reference to a group, which RE2 does not have.
        '1'..='7' if input.peek().is_some_and(|next| next.is_digit(8)) => {
            Some(octal(input, c.to_digit(8).unwrap_or_default()))
        }
        c if c.is_ascii() && !c.is_ascii_alphanumeric() && c != '_' => Some(c),
        _ => None,
    };
    character.ok_or_else(|| Flaw::new("invalid escape sequence", input.since(start)))
}

/// Appends a character without any meaning.
pub(super) fn push_literal(c: char, out: &mut String) {
    // Escaped wherever that is allowed. Letters and digits have no meaning without a backslash, `<` and `>` must not
    // have one.
    if c.is_ascii_punctuation() && !matches!(c, '<' | '>') {
        out.push('\\');
    }
    out.push(c);
}

/// The class of `\d`, `\s` or `\w`, or of its opposite.
fn perl_class(c: char) -> Option<&'static str> {
    Some(match c {
        'd' => "[0-9]",
        'D' => "[^0-9]",
        's' => r"[\t\n\f\r ]",
        'S' => r"[^\t\n\f\r ]",
        'w' => "[0-9A-Za-z_]",
        'W' => "[^0-9A-Za-z_]",
        _ => return None,
    })
}

/// Copies `\pL` or `\p{Greek}`. The names are the same, and the `regex` crate reports unknown ones.
fn unicode_class(input: &mut Input<'_>, out: &mut String) {
    out.push('\\');
    out.extend(input.next());
    let rest = input.rest();
    let length = match rest.chars().next() {
        Some('{') => rest.find('}').map_or(rest.len(), |end| end + 1),
        Some(first) => first.len_utf8(),
        None => 0,
    };
    out.push_str(&rest[..length]);
    input.skip(&rest[..length]);
}

/// Copies text up to `\E` as literals.
fn quote(input: &mut Input<'_>, out: &mut String) {
    input.skip("Q");
    let rest = input.rest();
    let text = rest.split(r"\E").next().unwrap_or(rest);
    text.chars().for_each(|c| push_literal(c, out));
    input.skip(text);
    if input.rest().starts_with(r"\E") {
        input.skip(r"\E");
    }
}

/// The character of `\x41` or `\x{263a}`.
fn hexadecimal(input: &mut Input<'_>) -> Option<char> {
    let rest = input.rest();
    let (digits, length) = match rest.strip_prefix('{') {
        Some(inside) => {
            let end = inside.find('}')?;
            (&inside[..end], end + 2)
        }
        None => (rest.get(..2)?, 2),
    };
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    let code = u32::from_str_radix(digits, 16).ok().filter(|_| is_number)?;
    input.skip(&rest[..length]);
    char::from_u32(code)
}

/// The character of up to three octal digits, the first of which has been read.
fn octal(input: &mut Input<'_>, first: u32) -> char {
    let mut code = first;
    for _ in 0..2 {
        let Some(digit) = input.peek().and_then(|c| c.to_digit(8)) else {
            break;
        };
        input.next();
        code = code * 8 + digit;
    }
    // At most 0o777.
    char::from_u32(code).unwrap_or('\0')
}
