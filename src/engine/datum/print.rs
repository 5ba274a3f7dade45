//! Values as JSON: compact for the wire, indented for error messages.

use std::io::Write;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::value::{Datum, MAX_SAFE_INTEGER};
use crate::engine::error::ReqlError;

/// The bytes in one line of base64. RethinkDB wraps after 76 characters (golden:
/// `binary_is_wrapped_every_76_characters`).
const LINE_BYTES: usize = 57;
const LINE_CHARACTERS: usize = LINE_BYTES / 3 * 4;

impl Datum {
    /// Appends the value as JSON. Blocks on the disk if it has to read stored binaries.
    ///
    /// # Errors
    /// `minval` or `maxval`, which JSON cannot express, or a stored binary that cannot be read.
    pub(crate) fn write_json(&self, out: &mut Vec<u8>) -> Result<(), ReqlError> {
        match self {
            Self::MinVal => return Err(not_json("minval")),
            Self::MaxVal => return Err(not_json("maxval")),
            Self::Null => out.extend(b"null"),
            Self::Bool(true) => out.extend(b"true"),
            Self::Bool(false) => out.extend(b"false"),
            Self::Number(number) => write_number(*number, out),
            Self::String(text) => write_string(text, out),
            Self::Array(items) => {
                out.push(b'[');
                for (i, item) in items.iter().enumerate() {
                    if i > 0 {
                        out.push(b',');
                    }
                    item.write_json(out)?;
                }
                out.push(b']');
            }
            Self::Object(fields) => {
                out.push(b'{');
                for (i, (name, value)) in fields.iter().enumerate() {
                    if i > 0 {
                        out.push(b',');
                    }
                    write_string(name, out);
                    out.push(b':');
                    value.write_json(out)?;
                }
                out.push(b'}');
            }
            Self::Binary(binary) => write_binary(&binary.bytes()?, out),
            Self::Time(time) => {
                out.extend(br#"{"$reql_type$":"TIME","epoch_time":"#);
                write_number(time.epoch_seconds, out);
                out.extend(br#","timezone":"#);
                write_string(&time.timezone, out);
                out.push(b'}');
            }
        }
        Ok(())
    }

    /// The value as JSON.
    ///
    /// # Errors
    /// As [`Datum::write_json`].
    pub(crate) fn to_json(&self) -> Result<String, ReqlError> {
        let mut out = Vec::new();
        self.write_json(&mut out)?;
        Ok(String::from_utf8_lossy(&out).into_owned())
    }

    /// The value as in RethinkDB's error messages: indented with tabs, one field or item per line.
    pub(crate) fn print(&self) -> String {
        let mut out = Vec::new();
        self.lay_out(0, &mut out);
        String::from_utf8_lossy(&out).into_owned()
    }

    /// The value as [`Datum::print`] prints it, cut off where it is long.
    pub(crate) fn print_short(&self) -> String {
        /// RethinkDB's `trunc_len` (`rdb_protocol/datum.hpp`).
        const MAX_BYTES: usize = 300;
        let mut text = self.print();
        if text.len() > MAX_BYTES {
            let end = (0..=MAX_BYTES - 3)
                .rev()
                .find(|end| text.is_char_boundary(*end))
                .unwrap_or(0);
            text.truncate(end);
            text.push_str("...");
        }
        text
    }

    fn lay_out(&self, depth: usize, out: &mut Vec<u8>) {
        match self {
            Self::Array(items) if items.is_empty() => out.extend(b"[]"),
            Self::Array(items) => {
                for (i, item) in items.iter().enumerate() {
                    out.extend(if i == 0 { b"[\n" } else { b",\n" });
                    indent(depth + 1, out);
                    item.lay_out(depth + 1, out);
                }
                out.push(b'\n');
                indent(depth, out);
                out.push(b']');
            }
            Self::Object(fields) if fields.is_empty() => out.extend(b"{}"),
            Self::Object(fields) => {
                for (i, (name, value)) in fields.iter().enumerate() {
                    out.extend(if i == 0 { b"{\n" } else { b",\n" });
                    indent(depth + 1, out);
                    write_string(name, out);
                    out.extend(b":\t");
                    value.lay_out(depth + 1, out);
                }
                out.push(b'\n');
                indent(depth, out);
                out.push(b'}');
            }
            Self::Binary(binary) => {
                // RethinkDB prints the base64 in full, but an image has no place in an error message.
                out.extend(format!("<binary, {} bytes>", binary.len()).bytes());
            }
            Self::Time(time) => {
                let fields = [
                    ("$reql_type$", "TIME".into()),
                    ("epoch_time", Self::Number(time.epoch_seconds)),
                    ("timezone", Self::from(&*time.timezone)),
                ];
                Self::object(fields).lay_out(depth, out);
            }
            Self::MinVal => out.extend(b"r.minval"),
            Self::MaxVal => out.extend(b"r.maxval"),
            // All others can be encoded.
            other => other.write_json(out).unwrap_or_default(),
        }
    }
}

/// RethinkDB's error for a value that JSON cannot express.
fn not_json(name: &str) -> ReqlError {
    ReqlError::logic(format!("Cannot convert `r.{name}` to JSON."))
}

fn indent(depth: usize, out: &mut Vec<u8>) {
    out.extend(std::iter::repeat_n(b'\t', depth));
}

/// The shortest digits that are this number, in the notation of RapidJSON's `Prettify`, which RethinkDB uses.
fn write_number(number: f64, out: &mut Vec<u8>) {
    // -0 is not an integer here: as `0` it would lose its sign.
    let is_negative_zero = number == 0.0 && number.is_sign_negative();
    let written = if number.fract() == 0.0 && number.abs() <= MAX_SAFE_INTEGER && !is_negative_zero
    {
        write!(out, "{}", number as i64)
    } else if number != 0.0 && !(1e-6..1e21).contains(&number.abs()) {
        write!(out, "{number:e}")
    } else {
        let point = if number.fract() == 0.0 { ".0" } else { "" };
        write!(out, "{number}{point}")
    };
    written.expect("writing to a vector cannot fail");
}

/// Appends a JSON string.
pub(crate) fn write_string(text: &str, out: &mut Vec<u8>) {
    serde_json::to_writer(out, text)
        .expect("writing to a vector cannot fail, and a string is JSON");
}

fn write_binary(bytes: &[u8], out: &mut Vec<u8>) {
    let lines = bytes.len().div_ceil(LINE_BYTES);
    out.reserve(lines * (LINE_CHARACTERS + 4) + 48);
    out.extend(br#"{"$reql_type$":"BINARY","data":""#);
    for (i, line) in bytes.chunks(LINE_BYTES).enumerate() {
        if i > 0 {
            out.extend(br"\r\n");
        }
        let start = out.len();
        out.resize(start + LINE_CHARACTERS, 0);
        let written = STANDARD
            .encode_slice(line, &mut out[start..])
            .expect("a line of base64 fits its line");
        out.truncate(start + written);
    }
    out.extend(br#""}"#);
}
