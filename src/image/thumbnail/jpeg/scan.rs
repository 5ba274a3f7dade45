//! The codes of a scan (ITU-T T.81, annexes F and G).

use super::components::{Component, Frame};
use super::{Bounds, Unfit, damaged};
use crate::image::check::jpeg::huffman::{Bits, HuffmanTable, NoSuchCode};

/// A scan and the tables as they stand when it begins.
pub(super) struct Scan<'a> {
    parts: Vec<Part<'a>>,
    kind: Kind,
    /// The first and the last coefficient.
    first: usize,
    last: usize,
    /// How many bits later scans will add.
    shift: u32,
}

/// A component's part in a scan.
pub(super) struct Part<'a> {
    pub(super) component: usize,
    pub(super) dc: Option<&'a HuffmanTable>,
    pub(super) ac: Option<&'a HuffmanTable>,
}

/// How the blocks of a scan are coded.
#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Sequential,
    DcFirst,
    DcRefinement,
    AcFirst,
    AcRefinement,
}

/// For each coefficient in zigzag order, its row and column.
pub(super) const ZIGZAG: [(u8, u8); 64] = zigzag();

const fn zigzag() -> [(u8, u8); 64] {
    let mut order = [(0, 0); 64];
    let (mut row, mut column) = (0_u8, 0_u8);
    let mut index = 0;
    while index < 64 {
        order[index] = (row, column);
        // Up and to the right on every second diagonal, down and to the left on the others.
        if (row + column) % 2 == 0 {
            if column == 7 {
                row += 1;
            } else if row == 0 {
                column += 1;
            } else {
                row -= 1;
                column += 1;
            }
        } else if row == 7 {
            column += 1;
        } else if column == 0 {
            row += 1;
        } else {
            row += 1;
            column -= 1;
        }
        index += 1;
    }
    order
}

impl<'a> Scan<'a> {
    /// `band` is the end of the scan's head: the first and the last coefficient, and how many bits came and will come. `None`
    /// if the standard allows no such scan.
    pub(super) fn new(parts: Vec<Part<'a>>, frame: &Frame, band: [u8; 3]) -> Option<Self> {
        let [first, last, approximation] = band;
        let (kind, first, last, shift) = match (frame.is_progressive, first, approximation >> 4) {
            (false, ..) => (Kind::Sequential, 0, 63, 0),
            (true, 0, 0) => (Kind::DcFirst, 0, 0, approximation & 15),
            (true, 0, _) => (Kind::DcRefinement, 0, 0, approximation & 15),
            (true, _, 0) => (Kind::AcFirst, first, last, approximation & 15),
            (true, ..) => (Kind::AcRefinement, first, last, approximation & 15),
        };
        let is_band = matches!(kind, Kind::AcFirst | Kind::AcRefinement);
        let is_possible = (1..=4).contains(&parts.len())
            && !(is_band && (parts.len() > 1 || first > last || last > 63))
            && shift < 14;
        is_possible.then_some(Self {
            parts,
            kind,
            first: usize::from(first),
            last: usize::from(last),
            shift: u32::from(shift),
        })
    }

    /// Decodes the data at the beginning of `bytes`. The answer: where the mark behind them stands.
    pub(super) fn decode(
        &self,
        bytes: &[u8],
        frame: &mut Frame,
        restart_interval: u32,
        bounds: Bounds,
    ) -> Result<usize, Unfit> {
        let mut bits = Bits::new(bytes);
        // Of a picture of mean values, no other scan is needed.
        let is_needed = frame.waves > 1 || !matches!(self.kind, Kind::AcFirst | Kind::AcRefinement);
        if is_needed {
            let run = Run {
                scan: self,
                slots: slots(frame.waves),
                previous: [0; 4],
                zero_run: 0,
            };
            run.units(&mut bits, frame, restart_interval, bounds)?;
        }
        Ok(bits.position_of_marker())
    }
}

/// For each coefficient in zigzag order, where it is kept, if it is.
fn slots(waves: usize) -> [Option<u8>; 64] {
    ZIGZAG.map(|(row, column)| {
        let is_kept = usize::from(row) < waves && usize::from(column) < waves;
        is_kept.then_some(row * waves as u8 + column)
    })
}

/// A scan while it is decoded.
struct Run<'a> {
    scan: &'a Scan<'a>,
    slots: [Option<u8>; 64],
    /// The mean value of the last block of each part.
    previous: [i32; 4],
    /// How many more blocks have no coefficients of their own.
    zero_run: u32,
}

/// What is kept of one block.
struct Block<'a> {
    coefficients: &'a mut [i16],
    nonzero: Option<&'a mut u64>,
}

impl Run<'_> {
    fn units(
        mut self,
        bits: &mut Bits<'_>,
        frame: &mut Frame,
        restart_interval: u32,
        bounds: Bounds,
    ) -> Result<(), Unfit> {
        let alone = match &self.scan.parts[..] {
            [part] => Some(part.component),
            _ => None,
        };
        let (across, down) = match alone {
            Some(component) => frame.blocks(&frame.components[component]),
            None => frame.units(),
        };
        let mut until_restart = restart_interval;
        for y in 0..down {
            bounds.time()?;
            for x in 0..across {
                if restart_interval > 0 && until_restart == 0 {
                    (self.previous, self.zero_run) = ([0; 4], 0);
                    until_restart = restart_interval;
                    if !bits.restart() {
                        return Ok(());
                    }
                }
                until_restart = until_restart.saturating_sub(1);
                let unknown = |_| damaged("an unknown code");
                match alone {
                    Some(component) => {
                        let component = &mut frame.components[component];
                        self.block(bits, component, frame.waves, (x, y), 0)
                            .map_err(unknown)?;
                    }
                    None => self.unit(bits, frame, (x, y)).map_err(unknown)?,
                }
                // What lacks is gray, as in browsers; the board's check refuses such an image.
                if bits.overran() {
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    /// A rectangle of blocks of each component.
    fn unit(
        &mut self,
        bits: &mut Bits<'_>,
        frame: &mut Frame,
        (x, y): (usize, usize),
    ) -> Result<(), NoSuchCode> {
        let waves = frame.waves;
        for (index, part) in self.scan.parts.iter().enumerate() {
            let component = &mut frame.components[part.component];
            let (across, down) = (component.across as usize, component.down as usize);
            for row in 0..down {
                for column in 0..across {
                    let place = (x * across + column, y * down + row);
                    self.block(bits, component, waves, place, index)?;
                }
            }
        }
        Ok(())
    }

    fn block(
        &mut self,
        bits: &mut Bits<'_>,
        component: &mut Component,
        waves: usize,
        (x, y): (usize, usize),
        part: usize,
    ) -> Result<(), NoSuchCode> {
        let index = y * component.columns + x;
        let kept = waves * waves;
        let mut block = Block {
            coefficients: &mut component.coefficients[index * kept..][..kept],
            nonzero: component.nonzero.get_mut(index),
        };
        let tables = &self.scan.parts[part];
        match self.scan.kind {
            Kind::Sequential => {
                self.mean(bits, &mut block, tables.dc, part)?;
                self.all(bits, &mut block, tables.ac.ok_or(NoSuchCode)?)
            }
            Kind::DcFirst => self.mean(bits, &mut block, tables.dc, part),
            Kind::DcRefinement => {
                block.coefficients[0] |= (bits.take(1) << self.scan.shift) as i16;
                Ok(())
            }
            Kind::AcFirst => self.first_bits(bits, &mut block, tables.ac.ok_or(NoSuchCode)?),
            Kind::AcRefinement => self.refine(bits, &mut block, tables.ac.ok_or(NoSuchCode)?),
        }
    }

    fn mean(
        &mut self,
        bits: &mut Bits<'_>,
        block: &mut Block<'_>,
        table: Option<&HuffmanTable>,
        part: usize,
    ) -> Result<(), NoSuchCode> {
        let length = bits.symbol(table.ok_or(NoSuchCode)?)?;
        if length > 16 {
            return Err(NoSuchCode);
        }
        let previous = &mut self.previous[part];
        *previous = previous.wrapping_add(signed(bits, u32::from(length)));
        block.coefficients[0] = clamped(*previous << self.scan.shift);
        Ok(())
    }

    fn all(
        &self,
        bits: &mut Bits<'_>,
        block: &mut Block<'_>,
        table: &HuffmanTable,
    ) -> Result<(), NoSuchCode> {
        let mut index = 1;
        while index < 64 {
            let symbol = bits.symbol(table)?;
            let (zeros, length) = (symbol >> 4, u32::from(symbol & 15));
            if length == 0 && zeros < 15 {
                break;
            }
            index += usize::from(zeros);
            match self.slots.get(index) {
                Some(&Some(slot)) => {
                    block.coefficients[usize::from(slot)] = clamped(signed(bits, length));
                }
                _ => bits.skip(length),
            }
            index += 1;
        }
        Ok(())
    }

    fn first_bits(
        &mut self,
        bits: &mut Bits<'_>,
        block: &mut Block<'_>,
        table: &HuffmanTable,
    ) -> Result<(), NoSuchCode> {
        if self.zero_run > 0 {
            self.zero_run -= 1;
            return Ok(());
        }
        let mut index = self.scan.first;
        while index <= self.scan.last {
            let symbol = bits.symbol(table)?;
            let (zeros, length) = (u32::from(symbol >> 4), u32::from(symbol & 15));
            if length == 0 && zeros < 15 {
                self.zero_run = (1 << zeros) - 1 + bits.take(zeros);
                break;
            }
            index += zeros as usize;
            if length > 0 && index < 64 {
                let value = signed(bits, length) << self.scan.shift;
                self.set(block, index, value);
            }
            index += 1;
        }
        Ok(())
    }

    fn refine(
        &mut self,
        bits: &mut Bits<'_>,
        block: &mut Block<'_>,
        table: &HuffmanTable,
    ) -> Result<(), NoSuchCode> {
        let mut index = self.scan.first;
        while self.zero_run == 0 && index <= self.scan.last {
            let symbol = bits.symbol(table)?;
            let (mut zeros, length) = (u32::from(symbol >> 4), symbol & 15);
            if length == 0 && zeros < 15 {
                self.zero_run = (1 << zeros) + bits.take(zeros);
                break;
            }
            // A coefficient that becomes one or minus one.
            let new = match length {
                0 => 0,
                _ if bits.take(1) == 1 => 1 << self.scan.shift,
                _ => -1 << self.scan.shift,
            };
            while index <= self.scan.last {
                if block.is_set(index) {
                    self.correct(bits, block, index);
                } else if zeros == 0 {
                    break;
                } else {
                    zeros -= 1;
                }
                index += 1;
            }
            if new != 0 && index <= self.scan.last {
                self.set(block, index, new);
            }
            index += 1;
        }
        if self.zero_run > 0 {
            self.zero_run -= 1;
            for index in index..=self.scan.last {
                if block.is_set(index) {
                    self.correct(bits, block, index);
                }
            }
        }
        Ok(())
    }

    fn set(&self, block: &mut Block<'_>, index: usize, value: i32) {
        if let Some(nonzero) = &mut block.nonzero {
            **nonzero |= 1 << index;
        }
        if let Some(slot) = self.slots[index] {
            block.coefficients[usize::from(slot)] = clamped(value);
        }
    }

    /// Adds one bit to a coefficient, away from zero.
    fn correct(&self, bits: &mut Bits<'_>, block: &mut Block<'_>, index: usize) {
        let bit = (bits.take(1) << self.scan.shift) as i16;
        if let Some(slot) = self.slots[index] {
            let coefficient = &mut block.coefficients[usize::from(slot)];
            *coefficient = if *coefficient < 0 {
                coefficient.saturating_sub(bit)
            } else {
                coefficient.saturating_add(bit)
            };
        }
    }
}

impl Block<'_> {
    fn is_set(&self, index: usize) -> bool {
        self.nonzero
            .as_ref()
            .is_some_and(|nonzero| **nonzero >> index & 1 == 1)
    }
}

/// A number of so many bits; those that begin with a zero are negative.
fn signed(bits: &mut Bits<'_>, length: u32) -> i32 {
    if length == 0 {
        return 0;
    }
    let value = bits.take(length) as i32;
    if value < 1 << (length - 1) {
        value - (1 << length) + 1
    } else {
        value
    }
}

fn clamped(value: i32) -> i16 {
    value.clamp(i16::MIN.into(), i16::MAX.into()) as i16
}
