//! The order of values, across types.

use std::cmp::Ordering;

use super::binary::Binary;
use super::value::Datum;
use crate::engine::error::ReqlError;

impl Datum {
    /// Compares two values: by type (minval, array, bool, null, number, object, binary, time, string, maxval), then by
    /// value. Blocks on the disk if it has to read stored binaries.
    ///
    /// # Errors
    /// A stored binary that cannot be read.
    pub(crate) fn compare(&self, other: &Self) -> Result<Ordering, ReqlError> {
        Ok(match (self, other) {
            (Self::Null, Self::Null) => Ordering::Equal,
            (Self::Bool(a), Self::Bool(b)) => a.cmp(b),
            // Numbers and times are finite, so they always compare; -0 equals 0.
            (Self::Number(a), Self::Number(b)) => a.partial_cmp(b).unwrap_or(Ordering::Equal),
            (Self::String(a), Self::String(b)) => a.as_bytes().cmp(b.as_bytes()),
            (Self::Time(a), Self::Time(b)) => a
                .epoch_seconds
                .partial_cmp(&b.epoch_seconds)
                .unwrap_or(Ordering::Equal),
            (Self::Binary(a), Self::Binary(b)) => compare_binaries(a, b)?,
            (Self::Array(a), Self::Array(b)) => {
                for (a, b) in a.iter().zip(b.iter()) {
                    let order = a.compare(b)?;
                    if order != Ordering::Equal {
                        return Ok(order);
                    }
                }
                a.len().cmp(&b.len())
            }
            (Self::Object(a), Self::Object(b)) => {
                for ((name, value), (other_name, other_value)) in a.iter().zip(b.iter()) {
                    let order = name.cmp(other_name);
                    let order = if order.is_eq() {
                        value.compare(other_value)?
                    } else {
                        order
                    };
                    if order != Ordering::Equal {
                        return Ok(order);
                    }
                }
                a.len().cmp(&b.len())
            }
            _ => self.rank().cmp(&other.rank()),
        })
    }

    /// Returns `true` if two values are equal.
    ///
    /// # Errors
    /// As [`Datum::compare`].
    pub(crate) fn equals(&self, other: &Self) -> Result<bool, ReqlError> {
        Ok(self.compare(other)?.is_eq())
    }

    /// The rank of the type. RethinkDB sorts types by name (`datum_t::type_t` in `datum.hpp`), and pseudotypes as
    /// `PTYPE<…>`.
    fn rank(&self) -> u8 {
        match self {
            Self::MinVal => 0,
            Self::Array(_) => 1,
            Self::Bool(_) => 2,
            Self::Null => 3,
            Self::Number(_) => 4,
            Self::Object(_) => 5,
            Self::Binary(_) => 6,
            Self::Time(_) => 7,
            Self::String(_) => 8,
            Self::MaxVal => 9,
        }
    }
}

/// Sorts with a comparison that may fail. The sort is stable.
///
/// # Errors
/// The first failed comparison.
pub(crate) fn sort_by<T>(
    items: &mut [T],
    mut compare: impl FnMut(&T, &T) -> Result<Ordering, ReqlError>,
) -> Result<(), ReqlError> {
    let mut failure = None;
    items.sort_by(|a, b| match compare(a, b) {
        Ok(order) => order,
        Err(error) => {
            failure.get_or_insert(error);
            Ordering::Equal
        }
    });
    failure.map_or(Ok(()), Err)
}

fn compare_binaries(a: &Binary, b: &Binary) -> Result<Ordering, ReqlError> {
    // Blobs are immutable, so equal numbers mean equal bytes, without reading them.
    if let (Binary::Stored { blob: a, .. }, Binary::Stored { blob: b, .. }) = (a, b)
        && a == b
    {
        return Ok(Ordering::Equal);
    }
    Ok(a.bytes()?.cmp(&b.bytes()?))
}
