//! The encoding of documents on disk: a version byte, then each value with a tag in front.
//!
//! Lengths and whole numbers are LEB128 varints. For a large binary, the document holds only the number and the length
//! of its blob (see [`super::blobs`]).

use std::sync::Arc;

use bytes::Bytes;
use thiserror::Error;

use crate::engine::datum::{Binary, Datum, Object, Time};
use crate::engine::error::{ErrorKind, ReqlError};

/// The first byte of every document. Any other first byte is rejected. A document with a checksum has that in front
/// (see [`super::checksum`]).
const VERSION: u8 = 1;

/// The deepest nesting of values. Decoding is recursive, so damaged bytes could otherwise exhaust the stack.
const MAX_DEPTH: usize = 512;

/// 2^53. Whole numbers up to here become varints, because a double represents each of them exactly.
const MAX_WHOLE: f64 = 9_007_199_254_740_992.0;

const NULL: u8 = 0;
const FALSE: u8 = 1;
const TRUE: u8 = 2;
const DOUBLE: u8 = 3;
const WHOLE: u8 = 4;
const STRING: u8 = 5;
const ARRAY: u8 = 6;
const OBJECT: u8 = 7;
const INLINE: u8 = 8;
const STORED: u8 = 9;
const TIME: u8 = 10;

/// The reason why bytes are not a document.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub(super) enum DecodeError {
    #[error("it ends in the middle of a value")]
    Truncated,
    #[error("it has the unknown encoding {0}")]
    Version(u8),
    #[error("it contains the unknown tag {0}")]
    Tag(u8),
    #[error("it contains text that is not UTF-8")]
    Text,
    #[error("it contains a varint that is too long")]
    Varint,
    #[error("it is nested more than {MAX_DEPTH} levels deep")]
    Depth,
    #[error("its checksum does not match")]
    Checksum,
    #[error("it is followed by {0} extra bytes")]
    Rest(usize),
}

/// Assigns a blob number to a binary; `None` keeps its bytes in the document.
pub(super) type AssignBlob<'a> = &'a mut dyn FnMut(&Binary) -> Result<Option<u64>, ReqlError>;

/// Returns the value for the blob with the given number and length.
pub(super) type ResolveBlob<'a> = &'a mut dyn FnMut(u64, u64) -> Binary;

/// Encodes a document. `assign` is called for each binary.
///
/// # Errors
/// Those of `assign`, and a document that is nested too deeply.
pub(super) fn encode(datum: &Datum, assign: AssignBlob<'_>) -> Result<Vec<u8>, ReqlError> {
    let mut out = Vec::with_capacity(256);
    out.push(VERSION);
    write(datum, assign, &mut out, 0)?;
    Ok(out)
}

/// Decodes the output of [`encode`].
///
/// # Errors
/// When the bytes are damaged or were written by a later version.
pub(super) fn decode(bytes: &[u8], resolve: ResolveBlob<'_>) -> Result<Datum, DecodeError> {
    let mut decoder = Decoder {
        rest: bytes,
        resolve,
    };
    match decoder.byte()? {
        VERSION => {}
        other => return Err(DecodeError::Version(other)),
    }
    let datum = decoder.datum(0)?;
    match decoder.rest.len() {
        0 => Ok(datum),
        more => Err(DecodeError::Rest(more)),
    }
}

fn write(
    datum: &Datum,
    assign: AssignBlob<'_>,
    out: &mut Vec<u8>,
    depth: usize,
) -> Result<(), ReqlError> {
    // Refused when writing, because it could not be decoded again.
    if depth > MAX_DEPTH {
        return Err(ReqlError::new(
            ErrorKind::ResourceLimit,
            format!("A document may be nested at most {MAX_DEPTH} levels deep."),
        ));
    }
    match datum {
        Datum::MinVal | Datum::MaxVal => {
            return Err(ReqlError::logic(
                "`r.minval` and `r.maxval` cannot be written to disk.",
            ));
        }
        Datum::Null => out.push(NULL),
        Datum::Bool(false) => out.push(FALSE),
        Datum::Bool(true) => out.push(TRUE),
        Datum::Number(number) => write_number(*number, out),
        Datum::String(text) => {
            out.push(STRING);
            write_bytes(text.as_bytes(), out);
        }
        Datum::Array(items) => {
            out.push(ARRAY);
            write_varint(items.len() as u64, out);
            for item in items.iter() {
                write(item, assign, out, depth + 1)?;
            }
        }
        Datum::Object(fields) => {
            out.push(OBJECT);
            write_varint(fields.len() as u64, out);
            for (name, value) in fields.iter() {
                write_bytes(name.as_bytes(), out);
                write(value, assign, out, depth + 1)?;
            }
        }
        Datum::Binary(binary) => write_binary(binary, assign, out)?,
        Datum::Time(time) => {
            out.push(TIME);
            out.extend_from_slice(&time.epoch_seconds.to_bits().to_le_bytes());
            write_bytes(time.timezone.as_bytes(), out);
        }
    }
    Ok(())
}

fn write_binary(
    binary: &Binary,
    assign: AssignBlob<'_>,
    out: &mut Vec<u8>,
) -> Result<(), ReqlError> {
    if let Some(blob) = assign(binary)? {
        out.push(STORED);
        write_varint(blob, out);
        write_varint(binary.len() as u64, out);
    } else {
        out.push(INLINE);
        write_bytes(&binary.bytes()?, out);
    }
    Ok(())
}

fn write_number(number: f64, out: &mut Vec<u8>) {
    // -0 would become 0 as a varint.
    let whole = number.fract() == 0.0 && number.abs() <= MAX_WHOLE;
    if whole && !(number == 0.0 && number.is_sign_negative()) {
        let value = number as i64;
        out.push(WHOLE);
        // Zigzag gives small negative numbers short varints, too.
        write_varint(((value << 1) ^ (value >> 63)) as u64, out);
    } else {
        out.push(DOUBLE);
        out.extend_from_slice(&number.to_bits().to_le_bytes());
    }
}

fn write_bytes(bytes: &[u8], out: &mut Vec<u8>) {
    write_varint(bytes.len() as u64, out);
    out.extend_from_slice(bytes);
}

fn write_varint(mut value: u64, out: &mut Vec<u8>) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

struct Decoder<'a, 'r> {
    rest: &'a [u8],
    resolve: ResolveBlob<'r>,
}

impl<'a> Decoder<'a, '_> {
    fn datum(&mut self, depth: usize) -> Result<Datum, DecodeError> {
        if depth > MAX_DEPTH {
            return Err(DecodeError::Depth);
        }
        Ok(match self.byte()? {
            NULL => Datum::Null,
            FALSE => Datum::Bool(false),
            TRUE => Datum::Bool(true),
            DOUBLE => Datum::Number(self.double()?),
            WHOLE => {
                let value = self.varint()?;
                Datum::Number(((value >> 1) as i64 ^ -((value & 1) as i64)) as f64)
            }
            STRING => Datum::String(self.text()?),
            ARRAY => Datum::Array(self.array(depth)?),
            OBJECT => Datum::Object(Arc::new(self.object(depth)?)),
            INLINE => {
                let len = self.varint()?;
                Datum::Binary(Binary::Inline(Bytes::copy_from_slice(self.bytes(len)?)))
            }
            STORED => {
                let (blob, len) = (self.varint()?, self.varint()?);
                Datum::Binary((self.resolve)(blob, len))
            }
            TIME => {
                let (epoch_seconds, timezone) = (self.double()?, self.text()?);
                Datum::Time(Time {
                    epoch_seconds,
                    timezone,
                })
            }
            other => return Err(DecodeError::Tag(other)),
        })
    }

    fn array(&mut self, depth: usize) -> Result<Arc<[Datum]>, DecodeError> {
        let count = self.count()?;
        let mut items = Vec::with_capacity(count);
        for _ in 0..count {
            items.push(self.datum(depth + 1)?);
        }
        Ok(items.into())
    }

    fn object(&mut self, depth: usize) -> Result<Object, DecodeError> {
        let count = self.count()?;
        let mut fields = Vec::with_capacity(count);
        for _ in 0..count {
            fields.push((self.text()?, self.datum(depth + 1)?));
        }
        Ok(fields.into_iter().collect())
    }

    /// The number of values that follow. Each takes at least one byte, which bounds the allocation for a damaged count.
    fn count(&mut self) -> Result<usize, DecodeError> {
        let count = self.varint()?;
        if count > self.rest.len() as u64 {
            Err(DecodeError::Truncated)
        } else {
            Ok(count as usize)
        }
    }

    fn text(&mut self) -> Result<Arc<str>, DecodeError> {
        let len = self.varint()?;
        let text = str::from_utf8(self.bytes(len)?).map_err(|_| DecodeError::Text)?;
        Ok(text.into())
    }

    fn double(&mut self) -> Result<f64, DecodeError> {
        let (bytes, rest) = self
            .rest
            .split_first_chunk::<8>()
            .ok_or(DecodeError::Truncated)?;
        self.rest = rest;
        Ok(f64::from_bits(u64::from_le_bytes(*bytes)))
    }

    fn varint(&mut self) -> Result<u64, DecodeError> {
        let mut value = 0u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            let bits = u64::from(byte & 0x7f);
            // Nine bytes hold 63 bits, so the tenth may hold only one.
            if shift == 63 && bits > 1 {
                return Err(DecodeError::Varint);
            }
            value |= bits << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(DecodeError::Varint)
    }

    fn byte(&mut self) -> Result<u8, DecodeError> {
        let (&byte, rest) = self.rest.split_first().ok_or(DecodeError::Truncated)?;
        self.rest = rest;
        Ok(byte)
    }

    fn bytes(&mut self, len: u64) -> Result<&'a [u8], DecodeError> {
        let len = usize::try_from(len).map_err(|_| DecodeError::Truncated)?;
        let (bytes, rest) = self
            .rest
            .split_at_checked(len)
            .ok_or(DecodeError::Truncated)?;
        self.rest = rest;
        Ok(bytes)
    }
}
