//! The bits of a scan, and the codes that they make up.

/// Codes up to this length are found in one step.
const FAST_BITS: u32 = 9;

/// A canonical Huffman code with up to 16 bits (ITU-T T.81, annex C).
pub(super) struct HuffmanTable {
    /// For each value of the next bits: the symbol and the length of its code, or a length of 0.
    fast: [(u8, u8); 1 << FAST_BITS],
    /// For each length: the first code that is larger than all of this length, on 16 bits.
    limits: [u32; 17],
    /// For each length: what to add to a code for the index of its symbol.
    offsets: [i32; 17],
    symbols: [u8; 256],
}

impl HuffmanTable {
    /// The table with so many codes of each length from 1 to 16; `None` if there are too many.
    pub(super) fn new(counts: &[u8; 16], symbols: &[u8]) -> Option<Self> {
        let mut table = Self {
            fast: [(0, 0); 1 << FAST_BITS],
            limits: [0; 17],
            offsets: [0; 17],
            symbols: [0; 256],
        };
        table
            .symbols
            .get_mut(..symbols.len())?
            .copy_from_slice(symbols);
        let (mut code, mut index) = (0_u32, 0_usize);
        for length in 1..=16_u32 {
            let count = usize::from(counts[length as usize - 1]);
            table.offsets[length as usize] = index as i32 - code as i32;
            for _ in 0..count {
                if code >= 1 << length {
                    return None;
                }
                table.enter(code, length, symbols[index]);
                code += 1;
                index += 1;
            }
            table.limits[length as usize] = code << (16 - length);
            code <<= 1;
        }
        Some(table)
    }

    fn enter(&mut self, code: u32, length: u32, symbol: u8) {
        if length <= FAST_BITS {
            let first = (code << (FAST_BITS - length)) as usize;
            self.fast[first..first + (1 << (FAST_BITS - length))].fill((symbol, length as u8));
        }
    }

    /// The symbol that these 16 bits begin with and the length of its code.
    fn find(&self, bits: u32) -> Option<(u8, u32)> {
        let (symbol, length) = self.fast[(bits >> (16 - FAST_BITS)) as usize];
        if length > 0 {
            return Some((symbol, u32::from(length)));
        }
        let length = (FAST_BITS + 1..=16).find(|&length| bits < self.limits[length as usize])?;
        let index = (bits >> (16 - length)) as i32 + self.offsets[length as usize];
        Some((*self.symbols.get(usize::try_from(index).ok()?)?, length))
    }
}

/// A code that the table does not have.
pub(super) struct NoSuchCode;

/// The bits of the entropy-coded data up to the next mark, without the stuffed zeros. After their end come zeros for ever;
/// [`Bits::overran`] tells whether any of these was used.
pub(super) struct Bits<'a> {
    bytes: &'a [u8],
    position: usize,
    /// The next bits, from the highest down.
    window: u64,
    count: u32,
    /// How many of the bits in the window are made up.
    made_up: u32,
}

impl<'a> Bits<'a> {
    /// Entropy-coded data with whatever follows it.
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self {
            bytes,
            position: 0,
            window: 0,
            count: 0,
            made_up: 0,
        }
    }

    /// Where the mark after the data stands, or the end of the bytes. Stuffed zeros and restart marks are passed.
    pub(super) fn position_of_marker(&self) -> usize {
        let mut position = self.position;
        loop {
            match self.bytes[position..] {
                [] | [_] => return self.bytes.len(),
                [0xff, 0x00 | 0xd0..=0xd7, ..] => position += 2,
                [0xff, 0xff, ..] => position += 1,
                [0xff, ..] => return position,
                _ => position += 1,
            }
        }
    }

    /// Whether more bits were used than there are.
    pub(super) fn overran(&self) -> bool {
        self.made_up > self.count
    }

    /// Goes on after the next restart mark; false if another mark comes first, or none at all.
    pub(super) fn restart(&mut self) -> bool {
        (self.window, self.count, self.made_up) = (0, 0, 0);
        loop {
            match self.bytes[self.position..] {
                [] | [_] => return false,
                [0xff, 0xd0..=0xd7, ..] => {
                    self.position += 2;
                    return true;
                }
                [0xff, 0x00, ..] => self.position += 2,
                [0xff, other, ..] if other != 0xff => return false,
                _ => self.position += 1,
            }
        }
    }

    fn fill(&mut self) {
        while self.count <= 56 {
            let byte = match self.bytes[self.position..] {
                [0xff, 0x00, ..] => {
                    self.position += 2;
                    0xff
                }
                [0xff, ..] | [] => {
                    self.made_up += 8;
                    0
                }
                [byte, ..] => {
                    self.position += 1;
                    byte
                }
            };
            self.window |= u64::from(byte) << (56 - self.count);
            self.count += 8;
        }
    }

    /// Passes over up to 63 bits.
    pub(super) fn skip(&mut self, count: u32) {
        for part in [count / 2, count - count / 2] {
            if self.count < part {
                self.fill();
            }
            self.window <<= part;
            self.count -= part;
        }
    }

    /// The next up to 16 bits.
    pub(super) fn take(&mut self, count: u32) -> u32 {
        if self.count < 16 {
            self.fill();
        }
        let bits = if count == 0 {
            0
        } else {
            (self.window >> (64 - count)) as u32
        };
        self.window <<= count;
        self.count -= count;
        bits
    }

    /// The symbol of the next code.
    pub(super) fn symbol(&mut self, table: &HuffmanTable) -> Result<u8, NoSuchCode> {
        if self.count < 16 {
            self.fill();
        }
        let (symbol, length) = table.find((self.window >> 48) as u32).ok_or(NoSuchCode)?;
        self.window <<= length;
        self.count -= length;
        Ok(symbol)
    }
}
