//! Counts the blocks of a scan: every code is read, no pixel is computed.

use super::huffman::{Bits, HuffmanTable, NoSuchCode};
use super::{Bounds, Unfit, damaged};

/// The picture that the scans fill.
pub(super) struct Frame {
    pub(super) is_progressive: bool,
    pub(super) width: u32,
    pub(super) height: u32,
    pub(super) components: Vec<Component>,
    /// The largest sampling factors of any component.
    max_across: u32,
    max_down: u32,
}

/// One of the colours.
pub(super) struct Component {
    pub(super) id: u8,
    across: u32,
    down: u32,
    pub(super) quantization: usize,
    /// Whether a scan with its mean values came.
    pub(super) seen: bool,
    /// For each block, a bit for each coefficient that is not zero: a progressive refinement depends on them. Empty until
    /// the first scan that sets any.
    nonzero: Vec<u64>,
}

/// The head of a scan.
pub(super) struct Scan {
    pub(super) parts: Vec<ScanPart>,
    /// The first coefficient.
    pub(super) first: u8,
    /// The last one.
    pub(super) last: u8,
    /// Whether it adds one bit to what earlier scans gave.
    pub(super) is_refinement: bool,
}

/// A component's part in a scan.
pub(super) struct ScanPart {
    pub(super) component: usize,
    pub(super) dc_table: usize,
    pub(super) ac_table: usize,
}

/// The tables as they stand when a scan begins.
#[derive(Clone, Copy)]
pub(super) struct Tables<'a> {
    pub(super) dc: &'a [Option<HuffmanTable>; 4],
    pub(super) ac: &'a [Option<HuffmanTable>; 4],
}

impl Component {
    pub(super) fn new(id: u8, across: u32, down: u32, quantization: usize) -> Self {
        Self {
            id,
            across,
            down,
            quantization,
            seen: false,
            nonzero: Vec::new(),
        }
    }
}

impl Frame {
    pub(super) fn new(
        is_progressive: bool,
        width: u32,
        height: u32,
        components: Vec<Component>,
    ) -> Self {
        let max_across = components
            .iter()
            .map(|component| component.across)
            .max()
            .unwrap_or(1);
        let max_down = components
            .iter()
            .map(|component| component.down)
            .max()
            .unwrap_or(1);
        Self {
            is_progressive,
            width,
            height,
            components,
            max_across,
            max_down,
        }
    }

    /// How many units a scan has, and how many blocks of each part a unit has (ITU-T T.81, A.2): with one component, its own
    /// blocks; with several, one rectangle of all of them.
    fn units(&self, scan: &Scan) -> (u64, Vec<u32>) {
        if let [part] = &scan.parts[..] {
            let component = &self.components[part.component];
            let across = (self.width * component.across)
                .div_ceil(self.max_across)
                .div_ceil(8);
            let down = (self.height * component.down)
                .div_ceil(self.max_down)
                .div_ceil(8);
            return (u64::from(across) * u64::from(down), vec![1]);
        }
        let across = self.width.div_ceil(8 * self.max_across);
        let down = self.height.div_ceil(8 * self.max_down);
        let blocks = scan
            .parts
            .iter()
            .map(|part| &self.components[part.component]);
        (
            u64::from(across) * u64::from(down),
            blocks
                .map(|component| component.across * component.down)
                .collect(),
        )
    }
}

impl Scan {
    /// Whether the standard allows such a scan.
    pub(super) fn is_possible(&self, is_progressive: bool) -> bool {
        let distinct = self.parts.iter().enumerate().all(|(index, part)| {
            self.parts[..index]
                .iter()
                .all(|other| other.component != part.component)
        });
        let bands = if !is_progressive {
            true
        } else if self.first == 0 {
            self.last == 0
        } else {
            self.first <= self.last && self.last <= 63 && self.parts.len() == 1
        };
        (1..=4).contains(&self.parts.len()) && distinct && bands
    }
}

/// Decodes the entropy-coded data at the beginning of `bytes`. The answer: where the mark after it stands.
pub(super) fn decode(
    bytes: &[u8],
    frame: &mut Frame,
    scan: &Scan,
    tables: Tables<'_>,
    restart_interval: u32,
    bounds: Bounds,
) -> Result<usize, Unfit> {
    let (units, blocks) = frame.units(scan);
    let mut bits = Bits::new(bytes);
    let mut coder = Coder::new(frame, scan, tables, units)?;
    let mut unit = 0;
    while unit < units {
        let left = match u64::from(restart_interval) {
            0 => units - unit,
            interval => interval - unit % interval,
        };
        let done = coder
            .run(&mut bits, unit, left.min(units - unit), &blocks)
            .map_err(|_| damaged("an unknown code"))?;
        unit += done;
        if bits.overran() {
            // Real encoders leave out the last bits of the last block: only what lacks more than that is cut.
            if unit < units {
                return Err(missing_pixels(bytes, &bits));
            }
            break;
        }
        let at_restart = restart_interval > 0
            && unit < units
            && unit.is_multiple_of(u64::from(restart_interval));
        if at_restart {
            coder.zero_run = 0;
            if !bits.restart() {
                return Err(missing_pixels(bytes, &bits));
            }
        }
        bounds.time()?;
    }
    coder.give_back(frame, scan);
    Ok(bits.position_of_marker())
}

/// The data broke off: with the file, or before a mark?
fn missing_pixels(bytes: &[u8], bits: &Bits<'_>) -> Unfit {
    if bits.position_of_marker() == bytes.len() {
        Unfit::Truncated(super::KIND)
    } else {
        damaged("it has fewer pixels than it says")
    }
}

/// How many units are decoded between looks at the clock.
const UNITS_PER_LOOK: u64 = 4096;

/// What one scan needs at hand.
struct Coder<'a> {
    parts: Vec<PartTables<'a>>,
    kind: Kind,
    first: u32,
    last: u32,
    /// How many more blocks have no coefficients of their own.
    zero_run: u64,
    nonzero: Vec<u64>,
}

/// How the blocks of a scan are coded.
enum Kind {
    Sequential,
    DcFirst,
    DcRefinement,
    AcFirst,
    AcRefinement,
}

struct PartTables<'a> {
    dc: Option<&'a HuffmanTable>,
    ac: Option<&'a HuffmanTable>,
}

impl<'a> Coder<'a> {
    fn new(frame: &mut Frame, scan: &Scan, tables: Tables<'a>, units: u64) -> Result<Self, Unfit> {
        let kind = match (frame.is_progressive, scan.first, scan.is_refinement) {
            (false, ..) => Kind::Sequential,
            (true, 0, false) => Kind::DcFirst,
            (true, 0, true) => Kind::DcRefinement,
            (true, _, false) => Kind::AcFirst,
            (true, _, true) => Kind::AcRefinement,
        };
        let needs_dc = matches!(kind, Kind::Sequential | Kind::DcFirst);
        let needs_ac = matches!(kind, Kind::Sequential | Kind::AcFirst | Kind::AcRefinement);
        let mut parts = Vec::with_capacity(scan.parts.len());
        for part in &scan.parts {
            let (dc, ac) = (
                tables.dc[part.dc_table].as_ref(),
                tables.ac[part.ac_table].as_ref(),
            );
            if (needs_dc && dc.is_none()) || (needs_ac && ac.is_none()) {
                return Err(damaged("a table is missing"));
            }
            parts.push(PartTables { dc, ac });
        }
        let mut nonzero = Vec::new();
        if matches!(kind, Kind::AcFirst | Kind::AcRefinement) {
            nonzero = std::mem::take(&mut frame.components[scan.parts[0].component].nonzero);
            // The pixel limit bounds it: eight bytes for 64 pixels.
            nonzero.resize(usize::try_from(units).map_err(|_| Unfit::TooSlow)?, 0);
        }
        Ok(Self {
            parts,
            kind,
            first: u32::from(scan.first),
            last: u32::from(scan.last),
            zero_run: 0,
            nonzero,
        })
    }

    fn give_back(self, frame: &mut Frame, scan: &Scan) {
        if !self.nonzero.is_empty() {
            frame.components[scan.parts[0].component].nonzero = self.nonzero;
        }
    }

    /// Decodes up to `count` units, fewer if the bits end or if it is time to look at the clock; answers how many.
    fn run(
        &mut self,
        bits: &mut Bits<'_>,
        from: u64,
        count: u64,
        blocks: &[u32],
    ) -> Result<u64, NoSuchCode> {
        let mut done = 0;
        while done < count.min(UNITS_PER_LOOK) && !bits.overran() {
            if self.zero_run > 0 && matches!(self.kind, Kind::AcFirst) {
                let run = self.zero_run.min(count - done);
                self.zero_run -= run;
                done += run;
                continue;
            }
            for (part, &blocks) in blocks.iter().enumerate() {
                for _ in 0..blocks {
                    self.block(bits, part, from + done)?;
                }
            }
            done += 1;
        }
        Ok(done)
    }

    fn block(&mut self, bits: &mut Bits<'_>, part: usize, unit: u64) -> Result<(), NoSuchCode> {
        let tables = &self.parts[part];
        match self.kind {
            Kind::Sequential => {
                mean_value(bits, tables.dc.ok_or(NoSuchCode)?)?;
                coefficients(bits, tables.ac.ok_or(NoSuchCode)?)
            }
            Kind::DcFirst => mean_value(bits, tables.dc.ok_or(NoSuchCode)?),
            Kind::DcRefinement => {
                bits.skip(1);
                Ok(())
            }
            Kind::AcFirst => {
                let table = tables.ac.ok_or(NoSuchCode)?;
                let band = Band {
                    first: self.first,
                    last: self.last,
                };
                band.first_bits(
                    bits,
                    table,
                    &mut self.zero_run,
                    &mut self.nonzero[unit as usize],
                )
            }
            Kind::AcRefinement => {
                let table = tables.ac.ok_or(NoSuchCode)?;
                let band = Band {
                    first: self.first,
                    last: self.last,
                };
                band.refine(
                    bits,
                    table,
                    &mut self.zero_run,
                    &mut self.nonzero[unit as usize],
                )
            }
        }
    }
}

fn mean_value(bits: &mut Bits<'_>, table: &HuffmanTable) -> Result<(), NoSuchCode> {
    let length = bits.symbol(table)?;
    if length > 16 {
        return Err(NoSuchCode);
    }
    bits.skip(u32::from(length));
    Ok(())
}

fn coefficients(bits: &mut Bits<'_>, table: &HuffmanTable) -> Result<(), NoSuchCode> {
    let mut index = 1;
    while index < 64 {
        let symbol = u32::from(bits.symbol(table)?);
        let (zeros, length) = (symbol >> 4, symbol & 15);
        if length == 0 && zeros < 15 {
            break;
        }
        bits.skip(length);
        index += zeros + 1;
    }
    Ok(())
}

/// The coefficients of a progressive scan (ITU-T T.81, G.1.2 and G.2).
struct Band {
    first: u32,
    last: u32,
}

impl Band {
    fn first_bits(
        &self,
        bits: &mut Bits<'_>,
        table: &HuffmanTable,
        zero_run: &mut u64,
        nonzero: &mut u64,
    ) -> Result<(), NoSuchCode> {
        let mut index = self.first;
        while index <= self.last {
            let symbol = u32::from(bits.symbol(table)?);
            let (zeros, length) = (symbol >> 4, symbol & 15);
            if length == 0 && zeros < 15 {
                *zero_run = u64::from((1 << zeros) - 1 + bits.take(zeros));
                break;
            }
            index += zeros;
            if length > 0 && index < 64 {
                bits.skip(length);
                *nonzero |= 1 << index;
            }
            index += 1;
        }
        Ok(())
    }

    fn refine(
        &self,
        bits: &mut Bits<'_>,
        table: &HuffmanTable,
        zero_run: &mut u64,
        nonzero: &mut u64,
    ) -> Result<(), NoSuchCode> {
        let mut index = self.first;
        while *zero_run == 0 && index <= self.last {
            let symbol = u32::from(bits.symbol(table)?);
            let (mut zeros, length) = (symbol >> 4, symbol & 15);
            if length == 0 && zeros < 15 {
                *zero_run = u64::from((1 << zeros) + bits.take(zeros));
                break;
            }
            // The sign of the coefficient that becomes one.
            bits.skip(length.min(1));
            while index <= self.last {
                if *nonzero >> index & 1 == 1 {
                    bits.skip(1);
                } else if zeros == 0 {
                    break;
                } else {
                    zeros -= 1;
                }
                index += 1;
            }
            if length > 0 && index <= self.last {
                *nonzero |= 1 << index;
            }
            index += 1;
        }
        if *zero_run > 0 {
            *zero_run -= 1;
            let rest = self.mask_from(index);
            bits.skip((*nonzero & rest).count_ones());
        }
        Ok(())
    }

    /// The coefficients from `index` to the last of the band.
    fn mask_from(&self, index: u32) -> u64 {
        let up_to_last = u64::MAX >> (63 - self.last);
        up_to_last & u64::MAX.checked_shl(index).unwrap_or(0)
    }
}
