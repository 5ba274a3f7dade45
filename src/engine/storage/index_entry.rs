//! The keys of index entries: the indexed value, a separator, the primary key, and the position of the value.
//!
//! Values are stored whole, so entries sort as their values compare, and entries of one value by primary key.

use std::ops::{Bound, RangeBounds};

/// Ends the value. No encoded value is the prefix of another one followed by this byte, and all bytes that can continue
/// a value are higher.
const SEPARATOR: u8 = 0;

/// The size in bytes of the position at the end of an entry.
const POSITION_BYTES: usize = size_of::<u32>();

/// The key of the entry of a document. `position` is that of the value in the array of a multi index, which can contain
/// a value twice; otherwise 0.
pub(super) fn entry(value: &[u8], primary_key: &[u8], position: u32) -> Vec<u8> {
    [
        value,
        &[SEPARATOR],
        primary_key,
        &u32::to_be_bytes(position),
    ]
    .concat()
}

/// The value and the position in an entry of the document with this primary key; `None` if the entry is damaged.
pub(super) fn parse<'a>(entry: &'a [u8], primary_key: &[u8]) -> Option<(&'a [u8], u32)> {
    let (rest, position) = entry.split_last_chunk::<POSITION_BYTES>()?;
    let value = rest.strip_suffix(primary_key)?.strip_suffix(&[SEPARATOR])?;
    Some((value, u32::from_be_bytes(*position)))
}

/// A range of the entries of an index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EntryRange {
    pub(super) lower: Bound<Vec<u8>>,
    pub(super) upper: Bound<Vec<u8>>,
}

impl EntryRange {
    /// The entries of the values between two bounds.
    pub fn between(lower: Bound<&[u8]>, upper: Bound<&[u8]>) -> Self {
        Self {
            lower: match lower {
                Bound::Unbounded => Bound::Unbounded,
                Bound::Included(value) => Bound::Included(before(value)),
                Bound::Excluded(value) => Bound::Included(after(value)),
            },
            upper: match upper {
                Bound::Unbounded => Bound::Unbounded,
                Bound::Included(value) => Bound::Excluded(after(value)),
                Bound::Excluded(value) => Bound::Excluded(before(value)),
            },
        }
    }

    /// The entries of one value.
    pub fn of(value: &[u8]) -> Self {
        Self::between(Bound::Included(value), Bound::Included(value))
    }

    /// All entries.
    pub fn all() -> Self {
        Self::between(Bound::Unbounded, Bound::Unbounded)
    }

    /// No entries.
    pub fn none() -> Self {
        Self::between(Bound::Included(&[]), Bound::Excluded(&[]))
    }

    /// Returns `true` if the range has the entries of a value.
    pub fn contains(&self, value: &[u8]) -> bool {
        let bounds = (
            self.lower.as_ref().map(Vec::as_slice),
            self.upper.as_ref().map(Vec::as_slice),
        );
        <(Bound<&[u8]>, Bound<&[u8]>) as RangeBounds<[u8]>>::contains(
            &bounds,
            before(value).as_slice(),
        )
    }

    /// Removes the entries up to and including this one.
    pub fn start_after(&mut self, entry: Vec<u8>) {
        self.lower = Bound::Excluded(entry);
    }

    /// Removes this entry and those after it.
    pub fn end_before(&mut self, entry: Vec<u8>) {
        self.upper = Bound::Excluded(entry);
    }

    /// Removes the entries up to and including those of this value.
    pub fn start_after_value(&mut self, value: &[u8]) {
        self.lower = Bound::Included(after(value));
    }
}

/// A key below all entries of a value, and above those of lower values.
fn before(value: &[u8]) -> Vec<u8> {
    [value, &[SEPARATOR]].concat()
}

/// A key above all entries of a value, and below or equal to those of higher values.
fn after(value: &[u8]) -> Vec<u8> {
    [value, &[SEPARATOR + 1]].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_parsed_only_with_its_own_primary_key() {
        let key = entry(b"Sblue", b"Sa", 7);
        assert_eq!(parse(&key, b"Sa"), Some((&b"Sblue"[..], 7)));
        assert_eq!(parse(&key, b"Sb"), None);
        assert_eq!(parse(b"S", b"Sa"), None);
    }

    #[test]
    fn a_range_has_the_values_between_its_bounds() {
        let range = EntryRange::between(Bound::Excluded(b"Sa"), Bound::Included(b"Sc"));
        let contained = [&b"Sa"[..], b"Sa\x01", b"Sb", b"Sc", b"Sc\x01", b"Sd"]
            .map(|value| range.contains(value));
        assert_eq!(contained, [false, true, true, true, false, false]);
        assert!(EntryRange::all().contains(b"Sa"));
        assert!(!EntryRange::none().contains(b""));
        assert!(EntryRange::of(b"Sa").contains(b"Sa") && !EntryRange::of(b"Sa").contains(b"Sab"));
    }
}
