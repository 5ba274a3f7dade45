//! What is kept of a picture while its scans come.

/// The picture that the scans fill.
pub(super) struct Frame {
    pub(super) is_progressive: bool,
    pub(super) width: u32,
    pub(super) height: u32,
    pub(super) components: Vec<Component>,
    /// The largest sampling factors of any component.
    pub(super) max_across: u32,
    pub(super) max_down: u32,
    /// How many waves each way are kept of a block.
    pub(super) waves: usize,
}

/// One of the colours.
pub(super) struct Component {
    pub(super) id: u8,
    /// The sampling factors.
    pub(super) across: u32,
    pub(super) down: u32,
    /// Which quantization table it uses, and that table as it was when the first scan came, in zigzag order.
    pub(super) table: usize,
    pub(super) quantization: Option<[u16; 64]>,
    /// How many blocks lie side by side and one above the other, those outside the picture too.
    pub(super) columns: usize,
    pub(super) rows: usize,
    /// The waves that are kept of each block, row by row.
    pub(super) coefficients: Vec<i16>,
    /// For each block of a progressive picture, a bit for each coefficient that is not zero, whether it is kept or not.
    /// Empty if only mean values are kept.
    pub(super) nonzero: Vec<u64>,
}

impl Component {
    pub(super) fn new(id: u8, across: u32, down: u32, table: usize) -> Self {
        Self {
            id,
            across,
            down,
            table,
            quantization: None,
            columns: 0,
            rows: 0,
            coefficients: Vec::new(),
            nonzero: Vec::new(),
        }
    }
}

impl Frame {
    pub(super) fn new(
        is_progressive: bool,
        width: u32,
        height: u32,
        waves: usize,
        mut components: Vec<Component>,
    ) -> Self {
        let largest = |factor: fn(&Component) -> u32| components.iter().map(factor).max();
        let max_across = largest(|component| component.across).unwrap_or(1);
        let max_down = largest(|component| component.down).unwrap_or(1);
        let (units_across, units_down) = (
            width.div_ceil(8 * max_across),
            height.div_ceil(8 * max_down),
        );
        for component in &mut components {
            component.columns = (units_across * component.across) as usize;
            component.rows = (units_down * component.down) as usize;
            let blocks = component.columns * component.rows;
            component.coefficients = vec![0; blocks * waves * waves];
            if is_progressive && waves > 1 {
                component.nonzero = vec![0; blocks];
            }
        }
        Self {
            is_progressive,
            width,
            height,
            components,
            max_across,
            max_down,
            waves,
        }
    }

    /// How many units of several blocks lie side by side and one above the other.
    pub(super) fn units(&self) -> (usize, usize) {
        let across = self.width.div_ceil(8 * self.max_across);
        let down = self.height.div_ceil(8 * self.max_down);
        (across as usize, down as usize)
    }

    /// How many blocks of a component lie in the picture, side by side and one above the other: those that a scan of this
    /// component alone has.
    pub(super) fn blocks(&self, component: &Component) -> (usize, usize) {
        let across = (self.width * component.across).div_ceil(8 * self.max_across);
        let down = (self.height * component.down).div_ceil(8 * self.max_down);
        (across as usize, down as usize)
    }
}
