//! Ranges of document keys and the direction of scans.

use std::ops::Bound;

/// The order in which a scan visits the keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// From the smallest key to the largest.
    Ascending,
    /// From the largest key to the smallest.
    Descending,
}

impl Direction {
    /// Returns `true` if a key comes after the last one. On a damaged page it may not.
    pub(super) fn follows(self, last: Option<&[u8]>, key: &[u8]) -> bool {
        last.is_none_or(|last| match self {
            Self::Ascending => last < key,
            Self::Descending => last > key,
        })
    }

    /// The next item of `range` in this direction.
    pub(super) fn next<I: DoubleEndedIterator>(self, range: &mut I) -> Option<I::Item> {
        match self {
            Self::Ascending => range.next(),
            Self::Descending => range.next_back(),
        }
    }
}

/// Bounds as redb expects them.
pub(super) fn borrow<'a>(
    lower: &'a Bound<Vec<u8>>,
    upper: &'a Bound<Vec<u8>>,
) -> (Bound<&'a [u8]>, Bound<&'a [u8]>) {
    (
        lower.as_ref().map(Vec::as_slice),
        upper.as_ref().map(Vec::as_slice),
    )
}

/// Returns `true` if no key lies between the bounds. Must be checked first: redb panics if they are in the wrong order.
pub(super) fn is_empty(lower: &Bound<Vec<u8>>, upper: &Bound<Vec<u8>>) -> bool {
    use Bound::{Excluded, Included, Unbounded};
    match (lower, upper) {
        (Unbounded, _) | (_, Unbounded) => false,
        (Included(lower), Included(upper)) => lower > upper,
        (Included(lower) | Excluded(lower), Included(upper) | Excluded(upper)) => lower >= upper,
    }
}
