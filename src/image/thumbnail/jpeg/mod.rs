//! JPEG, decoded at a smaller size from the beginning.
//!
//! A block of 8 × 8 pixels is a sum of waves. Of these, only the longest are kept, as many as a picture of at least twice the
//! thumbnail's size needs: all of them, 4 × 4, 2 × 2, or the mean value alone. So a picture of any size has at most about four
//! million numbers for each of its components here, progressive or not, and every component is shrunk on its own before
//! colours are made of them.

mod components;
mod pixels;
mod scan;

use self::components::{Component, Frame};
use self::scan::{Part, Scan};
use super::colours::Colours;
use super::{Bounds, Decoded, MAX_SIDE, Unfit};
use crate::image::check::jpeg::huffman::HuffmanTable;
use crate::image::check::reader::Reader;

const KIND: &str = "JPEG";

/// Progressive pictures with more scans only keep decoders busy, as the board's check says too.
const MAX_SCANS: u32 = 500;

pub(super) fn decode(bytes: &[u8], bounds: Bounds) -> Result<Decoded, Unfit> {
    let mut state = State::default();
    let mut reader = Reader::new(KIND, bytes);
    reader.take(2)?;
    loop {
        bounds.time()?;
        match next_marker(&mut reader)? {
            0xd9 => return state.finish(bounds),
            0xd0..=0xd8 | 0x01 => {}
            marker => state.segment(marker, &mut reader, bounds)?,
        }
    }
}

fn damaged(how: &'static str) -> Unfit {
    Unfit::Damaged(KIND, how)
}

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
    orientation: Option<u16>,
    /// The parts of the colour profile: which, and its bytes.
    profile: Vec<(u8, Vec<u8>)>,
    has_jfif: bool,
    /// How Adobe's segment says that colours are coded.
    adobe: Option<u8>,
    quantization_tables: [Option<[u16; 64]>; 4],
    dc_tables: [Option<HuffmanTable>; 4],
    ac_tables: [Option<HuffmanTable>; 4],
    restart_interval: u32,
    scans: u32,
}

impl State {
    fn finish(self, bounds: Bounds) -> Result<Decoded, Unfit> {
        let coding = pixels::Coding {
            has_jfif: self.has_jfif,
            adobe: self.adobe,
        };
        let profile = profile(self.profile);
        let frame = self.frame.ok_or(damaged("it has no pixels"))?;
        let size = (frame.width, frame.height);
        let is_inks = frame.components.len() == 4;
        let picture = pixels::picture(frame, coding, profile.as_deref(), bounds)?;
        Ok(Decoded {
            picture,
            size,
            orientation: self.orientation.unwrap_or(1),
            is_animated: false,
            is_lossless: false,
            colours: match profile {
                // A profile of inks was used for them already.
                Some(profile) if !is_inks => Colours::Profile(profile),
                _ => Colours::Srgb,
            },
        })
    }

    fn segment(
        &mut self,
        marker: u8,
        reader: &mut Reader<'_>,
        bounds: Bounds,
    ) -> Result<(), Unfit> {
        let length = usize::from(reader.be16()?).checked_sub(2);
        let data = reader.take(length.ok_or(damaged("a segment without a length"))?)?;
        let inner = Reader::new(KIND, data);
        match marker {
            0xc0..=0xc2 => self.frame(marker, inner, bounds)?,
            0xc4 => self.huffman_tables(inner)?,
            0xda => return self.scan(inner, reader, bounds),
            0xdb => self.quantization_tables(inner)?,
            0xdd => self.restart_interval = u32::from(inner.clone().be16()?),
            _ => self.application(marker, data),
        }
        Ok(())
    }

    fn application(&mut self, marker: u8, data: &[u8]) {
        match marker {
            0xe0 => self.has_jfif |= data.starts_with(b"JFIF\0"),
            0xe1 => {
                if let Some(tiff) = data.strip_prefix(b"Exif\0\0")
                    && self.orientation.is_none()
                {
                    self.orientation = Some(super::orientation(tiff));
                }
            }
            0xe2 => {
                if let Some([number, _, part @ ..]) = data.strip_prefix(b"ICC_PROFILE\0") {
                    self.profile.push((*number, part.to_vec()));
                }
            }
            0xee if data.starts_with(b"Adobe") => self.adobe = data.get(11).copied(),
            _ => {}
        }
    }

    fn frame(&mut self, marker: u8, mut data: Reader<'_>, bounds: Bounds) -> Result<(), Unfit> {
        if self.frame.is_some() || data.byte()? != 8 {
            return Err(damaged("browsers do not show this kind of JPEG"));
        }
        let (height, width) = (u32::from(data.be16()?), u32::from(data.be16()?));
        bounds.size(KIND, width, height)?;
        let mut components = Vec::new();
        for _ in 0..data.byte()? {
            let (id, sampling, table) = (data.byte()?, data.byte()?, data.byte()?);
            let (across, down) = (u32::from(sampling >> 4), u32::from(sampling & 15));
            if !(1..=4).contains(&across) || !(1..=4).contains(&down) || components.len() == 4 {
                return Err(damaged("an impossible component"));
            }
            components.push(Component::new(id, across, down, usize::from(table & 3)));
        }
        if components.is_empty() {
            return Err(damaged("it has no pixels"));
        }
        let waves = waves(width.max(height));
        self.frame = Some(Frame::new(marker == 0xc2, width, height, waves, components));
        Ok(())
    }

    fn quantization_tables(&mut self, mut data: Reader<'_>) -> Result<(), Unfit> {
        while !data.is_at_end() {
            let head = data.byte()?;
            let mut table = [0; 64];
            for entry in &mut table {
                *entry = if head >> 4 == 0 {
                    u16::from(data.byte()?)
                } else {
                    data.be16()?
                };
            }
            self.quantization_tables[usize::from(head & 3)] = Some(table);
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
            let counts: [u8; 16] = data.array()?;
            let symbols = data.take(counts.iter().map(|&count| usize::from(count)).sum())?;
            let table =
                HuffmanTable::new(&counts, symbols).ok_or(damaged("an impossible table"))?;
            tables[usize::from(head & 3)] = Some(table);
        }
        Ok(())
    }

    /// Reads the head of a scan and then its data, and leaves the reader at the mark behind them.
    fn scan(
        &mut self,
        mut head: Reader<'_>,
        reader: &mut Reader<'_>,
        bounds: Bounds,
    ) -> Result<(), Unfit> {
        self.scans += 1;
        if self.scans > MAX_SCANS {
            return Err(Unfit::TooSlow);
        }
        let frame = self.frame.as_mut();
        let frame = frame.ok_or(damaged("pixels before the header"))?;
        let mut parts = Vec::new();
        for _ in 0..head.byte()? {
            let (id, tables) = (head.byte()?, head.byte()?);
            let component = frame.components.iter().position(|part| part.id == id);
            let component = component.ok_or(damaged("pixels of an unknown component"))?;
            parts.push(Part {
                component,
                dc: self.dc_tables[usize::from(tables >> 4) & 3].as_ref(),
                ac: self.ac_tables[usize::from(tables & 15) & 3].as_ref(),
            });
        }
        for part in &parts {
            let component = &mut frame.components[part.component];
            if component.quantization.is_none() {
                component.quantization = self.quantization_tables[component.table];
            }
        }
        let band = [head.byte()?, head.byte()?, head.byte()?];
        let scan = Scan::new(parts, frame, band).ok_or(damaged("an impossible scan"))?;
        let used = scan.decode(reader.rest(), frame, self.restart_interval, bounds)?;
        reader.take(used)?;
        Ok(())
    }
}

/// How many waves each way are kept of a block: 1, 2, 4 or 8.
fn waves(longest: u32) -> usize {
    let enough = |waves: &u32| longest * waves / 8 >= 2 * MAX_SIDE;
    [1, 2, 4].into_iter().find(enough).unwrap_or(8) as usize
}

/// Puts the parts of a colour profile together; `None` if one is missing.
fn profile(mut parts: Vec<(u8, Vec<u8>)>) -> Option<Vec<u8>> {
    parts.sort_by_key(|(number, _)| *number);
    let is_whole = parts
        .iter()
        .enumerate()
        .all(|(index, (number, _))| usize::from(*number) == index + 1);
    let profile: Vec<u8> = parts.into_iter().flat_map(|(_, part)| part).collect();
    (is_whole && !profile.is_empty()).then_some(profile)
}
