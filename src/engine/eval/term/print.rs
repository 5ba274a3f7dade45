//! Terms as JSON.

use std::sync::Arc;

use super::kind::TermKind;
use super::tree::Term;
use crate::engine::datum::Datum;
use crate::engine::datum::print::write_string;
use crate::engine::error::ReqlError;

impl Term {
    /// The term as JSON. Equal trees yield equal texts, which identify feed queries.
    ///
    /// # Errors
    /// An invalid constant, or a stored binary that cannot be read.
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

fn write_object(fields: &[(Arc<str>, Term)], out: &mut Vec<u8>) -> Result<(), ReqlError> {
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
