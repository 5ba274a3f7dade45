//! AVIF: everything points to places in the file, so nothing moves. What has to go is overwritten where it lies.
//!
//! In a still picture every byte of the media data (`mdat`, `idat`) that belongs to no picture becomes zero, EXIF data
//! become EXIF data without entries, boxes that are not needed become `free`. An image sequence has its pictures in the
//! same media data; there, only what items call metadata is overwritten. The orientation is not in EXIF data here, but in
//! the properties `irot` and `imir`, and stays.
//!
//! Refused: metadata that share bytes with a picture or lie outside the media data, items in other files or inside other
//! items, fragments, and tracks of anything but pictures (they may hold positions).

mod boxes;
mod items;

use std::ops::Range;

use bytes::Bytes;

use self::boxes::{Found, boxes, find};
use super::exif;
use crate::image::check::Unfit;
use crate::image::check::reader::Reader;

const KIND: &str = "AVIF";

pub(super) fn blanked(bytes: &Bytes) -> Result<Bytes, Unfit> {
    let mut plan = Plan::default();
    let end = plan.file(bytes)?;
    plan.require_places(end)?;
    let whole = bytes.slice(..end);
    let patches = plan.patches();
    let is_clean = patches.iter().all(|(place, new)| {
        whole[place.clone()]
            .iter()
            .copied()
            .eq(new.bytes(place.len()))
    });
    if is_clean {
        return Ok(whole);
    }
    let mut new_file = whole.to_vec();
    for (place, new) in patches {
        let bytes = new.bytes(place.len());
        for (old, new) in new_file[place].iter_mut().zip(bytes) {
            *old = new;
        }
    }
    Ok(new_file.into())
}

fn damaged(how: &'static str) -> Unfit {
    Unfit::Damaged(KIND, how)
}

/// What is known of the bytes of a file.
#[derive(Default)]
struct Plan {
    /// Where pictures and other items may lie: the insides of `mdat` and `idat`.
    media: Vec<Range<usize>>,
    /// The items that make up the pictures.
    pictures: Vec<Range<usize>>,
    /// The items that are EXIF data; each may lie in several places.
    exif: Vec<Vec<Range<usize>>>,
    /// All other items.
    others: Vec<Range<usize>>,
    /// Insides of boxes, and times.
    unwanted: Vec<Range<usize>>,
    /// The names of boxes that become `free`.
    names: Vec<Range<usize>>,
    /// Whether there are tracks, whose pictures lie at places that are not known here.
    has_tracks: bool,
}

/// What to write in a place.
enum New {
    Zeros,
    Free,
    /// A part of the file's new EXIF data, from this byte on.
    Exif {
        from: usize,
        total: usize,
    },
}

impl Plan {
    /// Looks at the whole file. The answer: where its last box ends.
    fn file(&mut self, source: &[u8]) -> Result<usize, Unfit> {
        let (found, end) = boxes(source, 0..source.len())?;
        for found in found {
            match &found.name {
                b"ftyp" => {}
                b"mdat" => self.media.push(found.data),
                b"meta" => self.meta(source, &found)?,
                b"moov" => self.movie(source, &found)?,
                b"moof" | b"imda" => return Err(damaged("it is in fragments")),
                _ => self.blank(&found),
            }
        }
        Ok(end)
    }

    /// Makes a box `free`.
    fn blank(&mut self, found: &Found) {
        self.names.push(found.name_at..found.name_at + 4);
        self.unwanted.push(found.data.clone());
    }

    fn movie(&mut self, source: &[u8], movie: &Found) -> Result<(), Unfit> {
        self.has_tracks = true;
        for found in boxes(source, movie.data.clone())?.0 {
            match &found.name {
                b"mvhd" => self.times(source, &found)?,
                b"trak" => self.track(source, &found)?,
                b"meta" => self.meta(source, &found)?,
                b"mvex" => return Err(damaged("it is in fragments")),
                _ => self.blank(&found),
            }
        }
        Ok(())
    }

    fn track(&mut self, source: &[u8], track: &Found) -> Result<(), Unfit> {
        for found in boxes(source, track.data.clone())?.0 {
            match &found.name {
                b"tkhd" => self.times(source, &found)?,
                b"tref" | b"edts" | b"trgr" => {}
                b"mdia" => self.track_media(source, &found)?,
                b"meta" => self.meta(source, &found)?,
                _ => self.blank(&found),
            }
        }
        Ok(())
    }

    fn track_media(&mut self, source: &[u8], media: &Found) -> Result<(), Unfit> {
        let found = boxes(source, media.data.clone())?.0;
        let handler = find(&found, b"hdlr").and_then(|handler| source.get(handler.data.clone()));
        if !matches!(
            handler.and_then(|handler| handler.get(8..12)),
            Some(b"pict" | b"auxv" | b"vide")
        ) {
            return Err(damaged("a track that is no picture"));
        }
        for found in found {
            match &found.name {
                b"mdhd" => self.times(source, &found)?,
                b"hdlr" | b"minf" | b"elng" => {}
                _ => self.blank(&found),
            }
        }
        Ok(())
    }

    /// When it was made and changed: the first two numbers in the headers of movies, tracks and their media.
    fn times(&mut self, source: &[u8], header: &Found) -> Result<(), Unfit> {
        let mut reader = Reader::new(KIND, &source[header.data.clone()]);
        let [version, ..] = reader.array::<4>()?;
        let length = if version == 0 { 8 } else { 16 };
        reader.take(length)?;
        let start = header.data.start + 4;
        self.unwanted.push(start..start + length);
        Ok(())
    }

    /// Refuses a file in which what goes lies where something else is, or a picture lies behind the last box.
    fn require_places(&mut self, end: usize) -> Result<(), Unfit> {
        self.media.sort_by_key(|media| media.start);
        let is_media = |item: &Range<usize>| {
            let behind = self
                .media
                .partition_point(|media| media.start <= item.start);
            behind > 0 && item.end <= self.media[behind - 1].end
        };
        let mut items = self.exif.iter().flatten().chain(&self.others);
        if !items.all(is_media) {
            return Err(damaged("its metadata lie outside its media data"));
        }
        let items = self.exif.iter().flatten().chain(&self.others);
        let written = items.chain(&self.unwanted).chain(&self.names);
        if overlap(&self.pictures, written) {
            return Err(damaged("its metadata lie inside its pixels"));
        }
        if self.pictures.iter().any(|picture| picture.end > end) {
            return Err(damaged("its pixels lie behind its end"));
        }
        Ok(())
    }

    /// What to write, in this order.
    fn patches(mut self) -> Vec<(Range<usize>, New)> {
        if !self.has_tracks {
            self.unwanted.extend(self.gaps());
        }
        let zeros = self.others.into_iter().chain(self.unwanted);
        let mut patches: Vec<_> = zeros.map(|place| (place, New::Zeros)).collect();
        for places in self.exif {
            let total = places.iter().map(Range::len).sum();
            let mut from = 0;
            for place in places {
                let length = place.len();
                patches.push((place, New::Exif { from, total }));
                from += length;
            }
        }
        patches.extend(self.names.into_iter().map(|place| (place, New::Free)));
        patches
    }

    /// The media data that belong to no picture and are not written anew either.
    fn gaps(&self) -> Vec<Range<usize>> {
        let used = self.pictures.iter().chain(self.exif.iter().flatten());
        let mut used: Vec<_> = used.collect();
        used.sort_by_key(|place| place.start);
        let mut used = used.into_iter().peekable();
        let (mut gaps, mut used_to) = (Vec::new(), 0);
        for media in &self.media {
            let mut free = used_to.max(media.start);
            while let Some(place) = used.next_if(|place| place.start < media.end) {
                if place.start > free {
                    gaps.push(free..place.start);
                }
                used_to = used_to.max(place.end);
                free = free.max(used_to);
            }
            if free < media.end {
                gaps.push(free..media.end);
            }
        }
        gaps
    }
}

/// Whether any byte is in a place of both kinds.
fn overlap<'a>(
    pictures: &'a [Range<usize>],
    written: impl Iterator<Item = &'a Range<usize>>,
) -> bool {
    let pictures = pictures.iter().map(|place| (place, 0));
    let mut places: Vec<_> = pictures.chain(written.map(|place| (place, 1))).collect();
    places.retain(|(place, _)| !place.is_empty());
    places.sort_by_key(|(place, _)| place.start);
    // How far the places of each kind reach that begin before the one that is looked at.
    let mut reach = [0, 0];
    places.into_iter().any(|(place, kind)| {
        reach[kind] = place.end.max(reach[kind]);
        place.start < reach[1 - kind]
    })
}

impl New {
    /// So many new bytes.
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

/// How an item of EXIF data of this length begins when there is nothing in it; zeros follow. Its first four bytes say how
/// far the TIFF header is, which readers insist on.
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
