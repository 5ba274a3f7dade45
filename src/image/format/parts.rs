//! A new file made of ranges of an old one and a few new bytes.

use std::ops::Range;

use bytes::Bytes;

/// The parts of the new file, in order.
pub(super) struct Parts<'a> {
    source: &'a [u8],
    parts: Vec<Part>,
}

enum Part {
    Old(Range<usize>),
    New(Vec<u8>),
}

impl<'a> Parts<'a> {
    /// An empty file, to be filled with ranges of `source`.
    pub(super) fn of(source: &'a [u8]) -> Self {
        Self {
            source,
            parts: Vec::new(),
        }
    }

    /// Appends a range of the old file, which must be inside it and behind all ranges before.
    pub(super) fn keep(&mut self, range: Range<usize>) {
        if range.is_empty() {
            return;
        }
        match self.parts.last_mut() {
            Some(Part::Old(last)) if last.end == range.start => last.end = range.end,
            _ => self.parts.push(Part::Old(range)),
        }
    }

    /// Appends `new` in place of a range of the old file. If both are equal, the range is kept.
    pub(super) fn replace(&mut self, range: Range<usize>, new: Vec<u8>) {
        if self.source.get(range.clone()) == Some(&new[..]) {
            self.keep(range);
        } else {
            self.parts.push(Part::New(new));
        }
    }

    /// Appends new bytes.
    pub(super) fn add(&mut self, new: &[u8]) {
        self.parts.push(Part::New(new.to_vec()));
    }

    /// Puts `new` in front of all other parts, in place of a range at the start of the old file.
    pub(super) fn put_first(&mut self, range: Range<usize>, new: Vec<u8>) {
        let rest = std::mem::take(&mut self.parts);
        self.replace(range, new);
        for part in rest {
            match part {
                Part::Old(range) => self.keep(range),
                new => self.parts.push(new),
            }
        }
    }

    /// The length of the new file, in bytes.
    pub(super) fn len(&self) -> usize {
        self.slices().map(<[u8]>::len).sum()
    }

    /// The new file. `bytes` is the old one, and is returned without a copy if all of it is kept.
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
