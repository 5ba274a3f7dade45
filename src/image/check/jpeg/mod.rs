//! JPEG: every segment up to the end of the image, and every block of every scan, decoded as far as its codes go.
//!
//! The marks are those of ITU-T T.81. What follows the first image (a camera's preview, an MPO's second picture) is not
//! looked at.

mod huffman;
mod scan;

use self::huffman::HuffmanTable;
use self::scan::{Component, Frame, Scan, ScanPart};
use super::reader::Reader;
use super::{Bounds, Unfit, exif, upright};

const KIND: &str = "JPEG";

/// A progressive picture has about a dozen scans. libjpeg-turbo's advice is to refuse more than 500: such a file only keeps
/// decoders busy.
const MAX_SCANS: u32 = 500;

/// Width and height of a complete JPEG.
pub(super) fn check(bytes: &[u8], bounds: Bounds) -> Result<(u32, u32), Unfit> {
    let mut state = State::default();
    let mut reader = Reader::new(KIND, bytes);
    reader.take(2)?;
    loop {
        bounds.time()?;
        match next_marker(&mut reader)? {
            0xd9 => return state.finish(),
            0xd0..=0xd7 | 0x01 => {}
            0xd8 => return Err(damaged("a second image inside the first")),
            marker => state.segment(marker, &mut reader, bounds)?,
        }
    }
}

fn damaged(how: &'static str) -> Unfit {
    Unfit::Damaged(KIND, how)
}

/// The next mark; decoders skip what stands before it.
fn next_marker(reader: &mut Reader<'_>) -> Result<u8, Unfit> {
    loop {
        while reader.byte()? != 0xff {}
        let mut marker = 0xff;
        while marker == 0xff {
            marker = reader.byte()?;
        }
        if marker != 0 {
            return Ok(marker);
        }
    }
}

/// What the segments have said so far.
#[derive(Default)]
struct State {
    frame: Option<Frame>,
    sideways: bool,
    has_exif: bool,
    quantization_tables: [bool; 4],
    dc_tables: [Option<HuffmanTable>; 4],
    ac_tables: [Option<HuffmanTable>; 4],
    restart_interval: u32,
    scans: u32,
}

impl State {
    fn finish(self) -> Result<(u32, u32), Unfit> {
        let frame = self.frame.ok_or(damaged("it has no pixels"))?;
        if frame.components.iter().any(|component| !component.seen) {
            return Err(damaged("it has fewer pixels than it says"));
        }
        Ok(upright(frame.width, frame.height, self.sideways))
    }

    fn segment(
        &mut self,
        marker: u8,
        reader: &mut Reader<'_>,
        bounds: Bounds,
    ) -> Result<(), Unfit> {
        let length = usize::from(reader.be16()?);
        let data = reader.take(
            length
                .checked_sub(2)
                .ok_or(damaged("a segment without a length"))?,
        )?;
        // A segment's own bytes end where the segment does.
        let inner = || Reader::new(KIND, data);
        let result = match marker {
            0xc0..=0xc2 => self.frame(marker, inner(), bounds),
            0xc4 => self.huffman_tables(inner()),
            0xc3 | 0xc5..=0xcf => Err(damaged("browsers do not show this kind of JPEG")),
            0xda => {
                let scan = self.scan(inner()).map_err(short_segment)?;
                return self.run(&scan, reader, bounds);
            }
            0xdb => self.quantization_tables(inner()),
            0xdd => inner()
                .be16()
                .map(|interval| self.restart_interval = u32::from(interval)),
            0xe1 if !self.has_exif && data.starts_with(b"Exif\0\0") => {
                self.has_exif = true;
                self.sideways = exif::is_sideways(&data[6..]);
                Ok(())
            }
            _ => Ok(()),
        };
        result.map_err(short_segment)
    }

    fn frame(&mut self, marker: u8, mut data: Reader<'_>, bounds: Bounds) -> Result<(), Unfit> {
        if self.frame.is_some() {
            return Err(damaged("two frames"));
        }
        if data.byte()? != 8 {
            return Err(damaged("browsers do not show this kind of JPEG"));
        }
        let (height, width) = (u32::from(data.be16()?), u32::from(data.be16()?));
        bounds.size(KIND, width, height)?;
        let count = data.byte()?;
        if !(1..=4).contains(&count) {
            return Err(damaged("an impossible number of components"));
        }
        let mut components = Vec::with_capacity(usize::from(count));
        for _ in 0..count {
            let (id, sampling, quantization) = (data.byte()?, data.byte()?, data.byte()?);
            let (across, down) = (u32::from(sampling >> 4), u32::from(sampling & 15));
            if !(1..=4).contains(&across) || !(1..=4).contains(&down) || quantization > 3 {
                return Err(damaged("an impossible component"));
            }
            components.push(Component::new(id, across, down, usize::from(quantization)));
        }
        self.frame = Some(Frame::new(marker == 0xc2, width, height, components));
        Ok(())
    }

    fn quantization_tables(&mut self, mut data: Reader<'_>) -> Result<(), Unfit> {
        while !data.is_at_end() {
            let head = data.byte()?;
            let table = self.quantization_tables.get_mut(usize::from(head & 15));
            *table.ok_or(damaged("an impossible table"))? = true;
            data.take(if head >> 4 == 0 { 64 } else { 128 })?;
        }
        Ok(())
    }

    fn huffman_tables(&mut self, mut data: Reader<'_>) -> Result<(), Unfit> {
        while !data.is_at_end() {
            let head = data.byte()?;
            let tables = if head >> 4 == 0 {
                &mut self.dc_tables
            } else {
                &mut self.ac_tables
            };
            let table = tables
                .get_mut(usize::from(head & 15))
                .ok_or(damaged("an impossible table"))?;
            let counts: [u8; 16] = data.array()?;
            let symbols = data.take(counts.iter().map(|&count| usize::from(count)).sum())?;
            *table =
                Some(HuffmanTable::new(&counts, symbols).ok_or(damaged("an impossible table"))?);
        }
        Ok(())
    }

    /// Reads the head of a scan.
    fn scan(&mut self, mut data: Reader<'_>) -> Result<Scan, Unfit> {
        let frame = self
            .frame
            .as_mut()
            .ok_or(damaged("pixels before the header"))?;
        self.scans += 1;
        if self.scans > MAX_SCANS {
            return Err(Unfit::TooSlow);
        }
        let mut parts = Vec::new();
        for _ in 0..data.byte()? {
            let (id, tables) = (data.byte()?, data.byte()?);
            let component = frame
                .components
                .iter()
                .position(|component| component.id == id);
            let component = component.ok_or(damaged("pixels of an unknown component"))?;
            parts.push(ScanPart {
                component,
                dc_table: usize::from(tables >> 4) & 3,
                ac_table: usize::from(tables & 15) & 3,
            });
        }
        let (first, last, approximation) = (data.byte()?, data.byte()?, data.byte()?);
        let scan = if frame.is_progressive {
            Scan {
                parts,
                first,
                last,
                is_refinement: approximation >> 4 != 0,
            }
        } else {
            Scan {
                parts,
                first: 0,
                last: 63,
                is_refinement: false,
            }
        };
        if scan.is_possible(frame.is_progressive) {
            Ok(scan)
        } else {
            Err(damaged("an impossible scan"))
        }
    }

    /// Decodes a scan and leaves the reader at the mark after it.
    fn run(&mut self, scan: &Scan, reader: &mut Reader<'_>, bounds: Bounds) -> Result<(), Unfit> {
        let frame = self
            .frame
            .as_mut()
            .ok_or(damaged("pixels before the header"))?;
        for part in &scan.parts {
            let component = &mut frame.components[part.component];
            component.seen |= scan.first == 0;
            if !self.quantization_tables[component.quantization] {
                return Err(damaged("a table is missing"));
            }
        }
        let tables = scan::Tables {
            dc: &self.dc_tables,
            ac: &self.ac_tables,
        };
        let used = scan::decode(
            reader.rest(),
            frame,
            scan,
            tables,
            self.restart_interval,
            bounds,
        )?;
        reader.take(used)?;
        Ok(())
    }
}

/// A segment that breaks off although the file goes on.
fn short_segment(unfit: Unfit) -> Unfit {
    match unfit {
        Unfit::Truncated(_) => damaged("a segment is too short"),
        other => other,
    }
}
