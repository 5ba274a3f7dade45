//! The box `moov`: the tracks of an image sequence.

use super::items;
use super::locations::part_of;
use super::plan::Plan;
use super::shown::{Shown, damaged, short};
use crate::image::InvalidImage;
use crate::image::bmff::{BoxAt, boxes, find};
use crate::image::reader::{Reader, Truncated};

/// The limit on samples in a file, an hour at 60 frames a second.
const MAX_SAMPLES: usize = 216_000;

/// The length of the fields of a description of pictures, which come before its boxes (ISO/IEC 14496-12, 12.1.3).
const VISUAL_SAMPLE_ENTRY: usize = 78;

/// The result of reading a movie.
#[derive(Default)]
pub(super) struct Movie {
    /// There are tracks, of any kind.
    pub(super) has_tracks: bool,
    /// The first track of pictures.
    pub(super) shown: Option<Shown>,
}

/// Adds the tracks to the plan.
pub(super) fn read(source: &[u8], movie: &BoxAt, plan: &mut Plan) -> Result<Movie, InvalidImage> {
    let mut read = Movie::default();
    for found in boxes(source, movie.data.clone())? {
        match &found.name {
            b"mvhd" => blank_times(source, &found, plan)?,
            b"trak" => {
                read.has_tracks = true;
                let size = track(source, &found, plan)?;
                read.shown = read.shown.or(size);
            }
            b"meta" => {
                items::read(source, &found, plan)?;
            }
            _ => plan.blank(&found),
        }
    }
    Ok(read)
}

fn track(source: &[u8], track: &BoxAt, plan: &mut Plan) -> Result<Option<Shown>, InvalidImage> {
    let found = boxes(source, track.data.clone())?;
    let Some(media) = find(&found, b"mdia") else {
        plan.blank(track);
        return Ok(None);
    };
    let parts = boxes(source, media.data.clone())?;
    let handler = find(&parts, b"hdlr").and_then(|handler| source.get(handler.data.clone()));
    let kind = handler.and_then(|handler| handler.get(8..12));
    if !matches!(kind, Some(b"pict" | b"auxv" | b"vide")) {
        // Sound, text or positions, which an image has no use for. Their samples go with all others that are no
        // pictures.
        plan.blank(track);
        return Ok(None);
    }
    let mut size = None;
    for found in &found {
        match &found.name {
            b"tkhd" => {
                blank_times(source, found, plan)?;
                size = Some(track_size(&source[found.data.clone()]).map_err(short)?);
            }
            b"tref" | b"edts" | b"trgr" | b"mdia" => {}
            b"meta" => {
                items::read(source, found, plan)?;
            }
            _ => plan.blank(found),
        }
    }
    let mut is_sideways = false;
    for found in &parts {
        match &found.name {
            b"mdhd" => blank_times(source, found, plan)?,
            b"minf" => is_sideways |= add_samples(source, found, plan)?,
            b"hdlr" | b"elng" => {}
            _ => plan.blank(found),
        }
    }
    let is_shown = kind == Some(b"pict");
    Ok(size
        .filter(|_| is_shown)
        .map(|size| Shown { size, is_sideways }))
}

/// Overwrites the times of creation and modification, the first two numbers in the headers of movies, tracks and media.
fn blank_times(source: &[u8], header: &BoxAt, plan: &mut Plan) -> Result<(), InvalidImage> {
    let version = source[header.data.clone()].first();
    let length = if version == Some(&0) { 8 } else { 16 };
    if header.data.len() < 4 + length {
        return Err(damaged("a box is too short"));
    }
    let start = header.data.start + 4;
    plan.unwanted.push(start..start + length);
    Ok(())
}

/// The last two numbers of a track header, with 16 bits before the point.
fn track_size(header: &[u8]) -> Result<(u32, u32), Truncated> {
    let start = header.len().checked_sub(8).ok_or(Truncated)?;
    let mut reader = Reader::new(&header[start..]);
    Ok((reader.be32()? >> 16, reader.be32()? >> 16))
}

/// Adds the samples of a track of pictures (ISO/IEC 14496-12, 8.7). Returns whether they are shown sideways.
fn add_samples(source: &[u8], information: &BoxAt, plan: &mut Plan) -> Result<bool, InvalidImage> {
    let found = boxes(source, information.data.clone())?;
    let Some(table) = find(&found, b"stbl") else {
        return Err(damaged("a box is missing"));
    };
    let found = boxes(source, table.data.clone())?;
    let data = |name| find(&found, name).map(|found| &source[found.data.clone()]);
    let (Some(sizes), Some(runs)) = (data(b"stsz"), data(b"stsc")) else {
        return Err(damaged("a box is missing"));
    };
    let offsets = match (data(b"stco"), data(b"co64")) {
        (Some(offsets), _) => chunk_offsets(offsets, false),
        (None, Some(offsets)) => chunk_offsets(offsets, true),
        (None, None) => return Err(damaged("a box is missing")),
    };
    let table = SampleTable {
        sizes: sample_sizes(sizes).map_err(short)?,
        runs: sample_runs(runs).map_err(short)?,
        offsets: offsets.map_err(short)?,
    };
    for (offset, size) in table.samples() {
        let (range, is_cut) = part_of(&(0..source.len()), offset, size);
        plan.is_damaged |= is_cut;
        plan.pictures.push(range);
    }
    match find(&found, b"stsd") {
        Some(descriptions) => is_sideways(source, descriptions),
        None => Err(damaged("a box is missing")),
    }
}

/// Returns `true` if the description of the samples turns them by a quarter. The orientation of a still image in the
/// same file does not count.
fn is_sideways(source: &[u8], descriptions: &BoxAt) -> Result<bool, InvalidImage> {
    let entries = descriptions.data.start + 8..descriptions.data.end;
    for entry in boxes(source, entries)? {
        let properties = entry.data.start + VISUAL_SAMPLE_ENTRY..entry.data.end;
        let properties = boxes(source, properties)?;
        if let Some(rotation) = find(&properties, b"irot") {
            let turns = source[rotation.data.clone()].first();
            return Ok(turns.is_some_and(|turns| turns & 1 == 1));
        }
    }
    Ok(false)
}

/// The lengths of samples, how many of them are in each chunk, and where the chunks are.
struct SampleTable {
    sizes: Vec<u32>,
    /// From this chunk on, from 1, so many samples in each.
    runs: Vec<(u32, u32)>,
    offsets: Vec<u64>,
}

impl SampleTable {
    /// The offset and length of each sample.
    fn samples(&self) -> Vec<(u64, u64)> {
        let mut sizes = self.sizes.iter();
        let mut runs = self.runs.iter().peekable();
        let mut samples = Vec::new();
        let mut per_chunk = 0;
        for (chunk, &offset) in (1..).zip(&self.offsets) {
            while let Some(&(_, count)) = runs.next_if(|&&(first, _)| first <= chunk) {
                per_chunk = count;
            }
            let mut offset = offset;
            for &size in sizes.by_ref().take(per_chunk as usize) {
                // A length of 0 would stand for all that follows.
                if size > 0 {
                    samples.push((offset, size.into()));
                }
                offset = offset.saturating_add(size.into());
            }
        }
        samples
    }
}

/// The number of entries, if the limit allows that many.
fn count(reader: &mut Reader<'_>) -> Result<usize, Truncated> {
    let count = reader.be32()? as usize;
    if count > MAX_SAMPLES {
        return Err(Truncated);
    }
    Ok(count)
}

fn sample_sizes(stsz: &[u8]) -> Result<Vec<u32>, Truncated> {
    let mut reader = Reader::new(stsz);
    reader.take(4)?;
    let common = reader.be32()?;
    let count = count(&mut reader)?;
    if common > 0 {
        return Ok(vec![common; count]);
    }
    (0..count).map(|_| reader.be32()).collect()
}

fn sample_runs(stsc: &[u8]) -> Result<Vec<(u32, u32)>, Truncated> {
    let mut reader = Reader::new(stsc);
    reader.take(4)?;
    let count = count(&mut reader)?;
    (0..count)
        .map(|_| {
            let run = (reader.be32()?, reader.be32()?);
            reader.take(4)?;
            Ok(run)
        })
        .collect()
}

fn chunk_offsets(stco: &[u8], is_wide: bool) -> Result<Vec<u64>, Truncated> {
    let mut reader = Reader::new(stco);
    reader.take(4)?;
    let count = count(&mut reader)?;
    (0..count)
        .map(|_| {
            if is_wide {
                reader.be64()
            } else {
                reader.be32().map(u64::from)
            }
        })
        .collect()
}
