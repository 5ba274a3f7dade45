//! The parts of a file that stay, in their order.

use std::ops::Range;

use bytes::Bytes;

/// A new file made of parts of an old one and a few new bytes.
pub(super) struct Kept<'a> {
    source: &'a [u8],
    parts: Vec<Part>,
}

enum Part {
    Old(Range<usize>),
    New(Vec<u8>),
}

impl<'a> Kept<'a> {
    /// Nothing yet of this file.
    pub(super) fn of(source: &'a [u8]) -> Self {
        Self {
            source,
            parts: Vec::new(),
        }
    }

    /// Keeps these bytes of the old file, which must lie in it and behind all that were kept before.
    pub(super) fn keep(&mut self, range: Range<usize>) {
        match self.parts.last_mut() {
            Some(Part::Old(last)) if last.end == range.start => last.end = range.end,
            _ => self.parts.push(Part::Old(range)),
        }
    }

    /// Writes these bytes where the old file has others; if it has the same, they are kept.
    pub(super) fn replace(&mut self, range: Range<usize>, new: Vec<u8>) {
        if self.source.get(range.clone()) == Some(&new[..]) {
            self.keep(range);
        } else {
            self.parts.push(Part::New(new));
        }
    }

    /// How long the new file is now.
    pub(super) fn len(&self) -> usize {
        self.slices().map(<[u8]>::len).sum()
    }

    /// The new file. `bytes` is the old one, and the answer as well if all of it was kept.
    pub(super) fn finish(self, bytes: &Bytes) -> Bytes {
        if matches!(&self.parts[..], [Part::Old(all)] if *all == (0..bytes.len())) {
            return bytes.clone();
        }
        let mut new = Vec::with_capacity(self.len());
        self.slices().for_each(|part| new.extend_from_slice(part));
        new.into()
    }

    fn slices(&self) -> impl Iterator<Item = &[u8]> {
        self.parts.iter().map(|part| match part {
            Part::Old(range) => &self.source[range.clone()],
            Part::New(bytes) => bytes,
        })
    }
}
