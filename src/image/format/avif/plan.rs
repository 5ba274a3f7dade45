//! The bytes of a file that have to go.

use std::ops::Range;

use super::shown::damaged;
use crate::image::InvalidImage;
use crate::image::bmff::BoxAt;
use crate::image::exif;
use crate::image::format::parts::Parts;

/// The ranges of a file, by what becomes of them.
#[derive(Default)]
pub(super) struct Plan {
    /// The insides of `mdat` and `idat`, where items and samples may be.
    pub(super) media: Vec<Range<usize>>,
    /// The items and samples that make up the pictures.
    pub(super) pictures: Vec<Range<usize>>,
    /// The items that are EXIF data; each may lie in several ranges.
    pub(super) exif: Vec<Vec<Range<usize>>>,
    /// All other items.
    pub(super) others: Vec<Range<usize>>,
    /// Insides of boxes, and times.
    pub(super) unwanted: Vec<Range<usize>>,
    /// The names of boxes that become `free`.
    names: Vec<Range<usize>>,
    /// An item or a sample lies behind the end of the file.
    pub(super) is_damaged: bool,
}

/// The new contents of a range.
enum New {
    Zeros,
    Free,
    /// A part of an item of EXIF data, from this byte on.
    Exif {
        from: usize,
        total: usize,
    },
}

impl Plan {
    /// Turns a box into `free`.
    pub(super) fn blank(&mut self, found: &BoxAt) {
        self.names.push(found.name_at..found.name_at + 4);
        self.unwanted.push(found.data.clone());
    }

    /// Refuses a file in which metadata overlap with something that stays. `end` is where the last box ends.
    pub(super) fn check(&mut self, end: usize) -> Result<(), InvalidImage> {
        self.media.sort_by_key(|media| media.start);
        let is_media = |item: &Range<usize>| {
            let behind = self
                .media
                .partition_point(|media| media.start <= item.start);
            item.is_empty() || behind > 0 && item.end <= self.media[behind - 1].end
        };
        let items = || self.exif.iter().flatten().chain(&self.others);
        if !items().all(is_media) {
            return Err(damaged("its metadata are outside its media data"));
        }
        let written = items().chain(&self.unwanted).chain(&self.names);
        if overlap(&self.pictures, written) {
            return Err(damaged("its metadata are inside its pixels"));
        }
        if self.pictures.iter().any(|picture| picture.end > end) {
            return Err(damaged("its pixels are behind its end"));
        }
        Ok(())
    }

    /// Writes the new file to `parts`.
    pub(super) fn write(&self, source: &[u8], end: usize, parts: &mut Parts<'_>) {
        let mut patches = self.patches();
        patches.retain(|(range, _)| !range.is_empty());
        patches.sort_by_key(|(range, _)| range.start);
        let mut position = 0_usize;
        for (range, new) in patches {
            // Nested ranges: the inside of a box that goes as a whole.
            let skipped = position.saturating_sub(range.start);
            if skipped >= range.len() {
                continue;
            }
            let start = range.start + skipped;
            parts.keep(position..start);
            let bytes = new.bytes(range.len()).skip(skipped).collect();
            parts.replace(start..range.end, bytes);
            position = range.end;
        }
        parts.keep(position..end.min(source.len()));
    }

    fn patches(&self) -> Vec<(Range<usize>, New)> {
        let gaps = self.gaps();
        let zeros = self.others.iter().chain(&self.unwanted).chain(&gaps);
        let mut patches: Vec<_> = zeros.map(|range| (range.clone(), New::Zeros)).collect();
        for ranges in &self.exif {
            let total = ranges.iter().map(Range::len).sum();
            let mut from = 0;
            for range in ranges {
                patches.push((range.clone(), New::Exif { from, total }));
                from += range.len();
            }
        }
        patches.extend(self.names.iter().map(|range| (range.clone(), New::Free)));
        patches
    }

    /// The media data that belong to no picture and to no EXIF data.
    fn gaps(&self) -> Vec<Range<usize>> {
        let used = self.pictures.iter().chain(self.exif.iter().flatten());
        let mut used: Vec<_> = used.collect();
        used.sort_by_key(|range| range.start);
        let mut used = used.into_iter().peekable();
        let (mut gaps, mut used_to) = (Vec::new(), 0);
        for media in &self.media {
            let mut free = used_to.max(media.start);
            while let Some(range) = used.next_if(|range| range.start < media.end) {
                if range.start > free {
                    gaps.push(free..range.start);
                }
                used_to = used_to.max(range.end);
                free = free.max(used_to);
            }
            if free < media.end {
                gaps.push(free..media.end);
            }
        }
        gaps
    }
}

/// Returns `true` if a picture and a range to be written have a byte in common.
fn overlap<'a>(
    pictures: &'a [Range<usize>],
    written: impl Iterator<Item = &'a Range<usize>>,
) -> bool {
    let pictures = pictures.iter().map(|range| (range, 0));
    let mut ranges: Vec<_> = pictures.chain(written.map(|range| (range, 1))).collect();
    ranges.retain(|(range, _)| !range.is_empty());
    ranges.sort_by_key(|(range, _)| range.start);
    // The end of the ranges of each kind that start before the current one.
    let mut reach = [0, 0];
    ranges.into_iter().any(|(range, kind)| {
        reach[kind] = range.end.max(reach[kind]);
        range.start < reach[1 - kind]
    })
}

impl New {
    /// The new bytes of a range of this length.
    fn bytes(&self, length: usize) -> impl Iterator<Item = u8> {
        let part: &[u8] = match self {
            Self::Zeros => &[],
            Self::Free => b"free",
            Self::Exif { from, total } => exif_item(*total).get(*from..).unwrap_or_default(),
        };
        part.iter()
            .copied()
            .chain(std::iter::repeat(0))
            .take(length)
    }
}

/// The start of an EXIF item of this length without entries; zeros follow. Its first four bytes are the offset of the
/// TIFF header, which readers insist on.
fn exif_item(length: usize) -> &'static [u8] {
    const WITH_DIRECTORY: [u8; 4 + exif::EMPTY.len()] = {
        let mut item = [0; 4 + exif::EMPTY.len()];
        let mut index = 0;
        while index < exif::EMPTY.len() {
            item[4 + index] = exif::EMPTY[index];
            index += 1;
        }
        item
    };
    if length >= WITH_DIRECTORY.len() {
        &WITH_DIRECTORY
    } else if length >= 12 {
        b"\0\0\0\0MM\0\x2a"
    } else {
        &[]
    }
}
