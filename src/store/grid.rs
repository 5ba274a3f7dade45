//! The grid that images fill which come without a place: which of its cells are free.
//!
//! It begins at the origin, has [`COLUMNS`] columns and grows downwards. An image stands in the middle of its cell and is
//! made small enough for it; one whose uploader wants it larger takes several cells. A cell is free if no image on the board
//! touches it, wherever that was dropped or moved to, and whatever its size.

use std::collections::HashMap;

use crate::image::{ImageId, SHOWN_WIDTHS};

/// The longer side of an image in one cell, in board units.
pub(super) const BOX: f64 = 240.0;

/// The space between two cells' images.
const GAP: f64 = 24.0;

/// The distance from one cell to the next.
const CELL: f64 = BOX + GAP;

/// How many cells stand in a row.
pub(super) const COLUMNS: usize = 12;

/// How many rows there are: as many as lie within the coordinates that an image may have. Nobody will fill them.
const ROWS: usize = 37_000;

/// The tallest that an image is put on the grid.
const TALLEST: f64 = 20_000.0;

/// A part of the board.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Area {
    pub(super) x: f64,
    pub(super) y: f64,
    pub(super) w: f64,
    pub(super) h: f64,
}

/// Which cells are free, and which image takes which.
#[derive(Debug, Default)]
pub(super) struct Grid {
    images: HashMap<ImageId, Cells>,
    /// How many images touch a cell, row by row; cells behind the last are free.
    touching: Vec<u32>,
    /// Every cell before this one is taken.
    full_until: usize,
}

/// A rectangle of cells: from the first to before the second.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Cells {
    columns: (usize, usize),
    rows: (usize, usize),
}

/// The size at which a picture is shown: as wide as is wished; otherwise so that it fits one cell, and still can be seen.
pub(super) fn shown_size(width: u32, height: u32, wished: Option<f64>) -> (f64, f64) {
    let height_of = |w: f64| w * f64::from(height) / f64::from(width.max(1));
    if let Some(w) = wished {
        return (w, height_of(w));
    }
    let ratio = f64::from(width.max(1)) / f64::from(height.max(1));
    let w = BOX.min(BOX * ratio);
    // A strip as of a very long page is made taller than its cell rather than thinner than a line.
    let w = w.max(SHOWN_WIDTHS.start().min(TALLEST * ratio));
    (w, height_of(w))
}

impl Grid {
    /// Says where an image is, on the board or reserved for it.
    pub(super) fn set(&mut self, id: ImageId, area: Area) {
        let cells = Cells::touched_by(area);
        match self.images.insert(id, cells) {
            Some(before) if before == cells => return,
            Some(before) => self.release(before),
            None => {}
        }
        self.take(cells);
    }

    /// Forgets an image.
    pub(super) fn remove(&mut self, id: ImageId) {
        if let Some(cells) = self.images.remove(&id) {
            self.release(cells);
        }
    }

    /// Finds room for an image of this size and reserves it: the first that is free, row by row. An image larger than the
    /// grid is wide is made smaller; the area says how large it is.
    pub(super) fn allocate(&mut self, id: ImageId, w: f64, h: f64) -> Area {
        self.remove(id);
        let widest = COLUMNS as f64 * CELL - GAP;
        let scale = (widest / w).min(TALLEST / h).min(1.0);
        let (w, h) = (w * scale, h * scale);
        let (columns, rows) = (cells_for(w), cells_for(h));
        let (column, row) = self.first_free(columns, rows);
        let middle = |cell: usize, cells: usize, length: f64| {
            let middle = cell as f64 * CELL + (cells as f64 * CELL - GAP - length) / 2.0;
            // There is room to round.
            (middle * 100.0).round() / 100.0
        };
        let area = Area {
            x: middle(column, columns, w),
            y: middle(row, rows, h),
            w,
            h,
        };
        // All of its cells, so that nothing else comes between.
        let cells = Cells {
            columns: (column, column + columns),
            rows: (row, row + rows),
        };
        self.images.insert(id, cells);
        self.take(cells);
        area
    }

    /// The first column and the first row of so many free cells.
    fn first_free(&mut self, columns: usize, rows: usize) -> (usize, usize) {
        while self.touching.get(self.full_until).is_some_and(|&n| n > 0) {
            self.full_until += 1;
        }
        let mut first = self.full_until;
        loop {
            let (column, row) = (first % COLUMNS, first / COLUMNS);
            if row + rows > ROWS {
                // The board is full. What comes now lies on what is there.
                return (0, ROWS - rows);
            }
            let cells = Cells {
                columns: (column, column + columns),
                rows: (row, row + rows),
            };
            if column + columns > COLUMNS {
                first = (row + 1) * COLUMNS;
            } else if let Some(taken) = self.taken_column(cells) {
                first = row * COLUMNS + taken + 1;
            } else {
                return (column, row);
            }
        }
    }

    /// The last column in which one of the cells is taken.
    fn taken_column(&self, cells: Cells) -> Option<usize> {
        let is_taken = |&column: &usize| {
            (cells.rows.0..cells.rows.1).any(|row| {
                let touching = self.touching.get(row * COLUMNS + column);
                touching.is_some_and(|&n| n > 0)
            })
        };
        (cells.columns.0..cells.columns.1).rev().find(is_taken)
    }

    fn take(&mut self, cells: Cells) {
        if cells.is_empty() {
            return;
        }
        let length = cells.rows.1 * COLUMNS;
        if self.touching.len() < length {
            self.touching.resize(length, 0);
        }
        for cell in cells.iter() {
            self.touching[cell] += 1;
        }
    }

    fn release(&mut self, cells: Cells) {
        for cell in cells.iter() {
            self.touching[cell] -= 1;
            if self.touching[cell] == 0 {
                self.full_until = self.full_until.min(cell);
            }
        }
    }
}

impl Cells {
    fn touched_by(area: Area) -> Self {
        // A cell reaches half-way over the gaps around it.
        let range = |from: f64, length: f64, cells: usize| {
            let first = ((from + GAP / 2.0) / CELL).floor();
            let end = ((from + length.max(0.0) + GAP / 2.0) / CELL).ceil();
            let bounded = |cell: f64| cell.clamp(0.0, cells as f64) as usize;
            (bounded(first), bounded(end))
        };
        Self {
            columns: range(area.x, area.w, COLUMNS),
            rows: range(area.y, area.h, ROWS),
        }
    }

    fn is_empty(self) -> bool {
        self.columns.0 >= self.columns.1 || self.rows.0 >= self.rows.1
    }

    /// The numbers of the cells.
    fn iter(self) -> impl Iterator<Item = usize> {
        let columns = self.columns.0..self.columns.1;
        (self.rows.0..self.rows.1)
            .flat_map(move |row| columns.clone().map(move |column| row * COLUMNS + column))
    }
}

/// How many cells a length needs.
fn cells_for(length: f64) -> usize {
    // Rounding must not make a cell more of what was made to fit.
    ((length + GAP - 1e-6) / CELL).ceil().max(1.0) as usize
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;
    use std::time::{Duration, Instant};

    use proptest::prelude::*;

    use super::*;

    fn area(x: f64, y: f64, w: f64, h: f64) -> Area {
        Area { x, y, w, h }
    }

    fn overlap(a: Area, b: Area) -> bool {
        // What merely touches, but for rounding, does not overlap.
        let apart = |a: f64, a_length: f64, b: f64, b_length: f64| {
            a + a_length <= b + 1e-6 || b + b_length <= a + 1e-6
        };
        !(apart(a.x, a.w, b.x, b.w) || apart(a.y, a.h, b.y, b.h))
    }

    #[test]
    fn rows_of_twelve_are_filled_with_the_images_in_the_middle_of_their_cells() {
        let mut grid = Grid::default();
        let mut put = |w, h| grid.allocate(ImageId::new(), w, h);
        assert_eq!(put(240.0, 120.0), area(0.0, 60.0, 240.0, 120.0));
        assert_eq!(put(120.0, 240.0), area(264.0 + 60.0, 0.0, 120.0, 240.0));
        for column in 2..12 {
            assert_eq!(put(240.0, 240.0).x, f64::from(column) * 264.0);
        }
        assert_eq!(put(240.0, 240.0), area(0.0, 264.0, 240.0, 240.0));
    }

    #[test]
    fn what_was_dropped_on_the_grid_is_gone_around() {
        let mut grid = Grid::default();
        let dropped = ImageId::new();
        grid.set(dropped, area(-100.0, -5.0, 300.0, 20.0));
        let put = |grid: &mut Grid| grid.allocate(ImageId::new(), 240.0, 240.0).x;
        assert_eq!(put(&mut grid), 264.0);
        // Moved away, and into the gap behind the second cell: it keeps the third free of neighbours that close.
        grid.set(dropped, area(264.0 + 245.0, 0.0, 16.0, 16.0));
        assert_eq!(put(&mut grid), 0.0);
        assert_eq!(put(&mut grid), 3.0 * 264.0);
        grid.remove(dropped);
        assert_eq!(put(&mut grid), 2.0 * 264.0);
        // Beside the grid, and above it.
        grid.set(ImageId::new(), area(12.0 * 264.0, 0.0, 500.0, 9e6));
        grid.set(ImageId::new(), area(-600.0, -600.0, 580.0, 580.0));
        assert_eq!(put(&mut grid), 4.0 * 264.0);
    }

    #[test]
    fn a_large_image_takes_several_cells() {
        let mut grid = Grid::default();
        let put = |grid: &mut Grid, w, h| grid.allocate(ImageId::new(), w, h);
        put(&mut grid, 240.0, 240.0);
        assert_eq!(put(&mut grid, 504.0, 504.0), area(264.0, 0.0, 504.0, 504.0));
        assert_eq!(put(&mut grid, 240.0, 240.0).x, 3.0 * 264.0);
        let whole = put(&mut grid, 20_000.0, 2_000.0);
        assert_eq!((whole.w, whole.x), (3144.0, 0.0));
        assert!(whole.y > 504.0);
        let tower = put(&mut grid, 20_000.0, 9e9);
        assert_eq!(tower.h, TALLEST);
        // Small ones fill what was left.
        assert_eq!(put(&mut grid, 240.0, 240.0).y, 0.0);
    }

    #[test]
    fn a_picture_is_shown_so_that_it_fits_its_cell() {
        assert_eq!(shown_size(4000, 3000, None), (240.0, 180.0));
        assert_eq!(shown_size(3000, 4000, None), (180.0, 240.0));
        assert_eq!(shown_size(10, 10, None), (240.0, 240.0));
        assert_eq!(shown_size(30_000, 10, None), (240.0, 0.08));
        assert_eq!(shown_size(100, 2000, None), (16.0, 320.0));
        let (w, h) = shown_size(1, 100_000, None);
        assert!(w > 0.0 && (h - TALLEST).abs() < 1e-6, "{w} × {h}");
        assert_eq!(shown_size(100, 50, Some(500.0)), (500.0, 250.0));
    }

    #[test]
    fn ten_thousand_images_find_their_places_at_once() {
        let mut grid = Grid::default();
        let start = Instant::now();
        let mut taken = std::collections::HashSet::new();
        for _ in 0..10_000 {
            let area = grid.allocate(ImageId::new(), 240.0, 240.0);
            assert!(taken.insert((area.x as i64, area.y as i64)));
        }
        for number in 0..100 {
            grid.allocate(ImageId::new(), 3000.0, 10.0 * f64::from(number));
        }
        // Some 10 ms; without its memory of where it is full it would take minutes.
        assert!(start.elapsed() < Duration::from_secs(5));
    }

    #[test]
    fn a_full_board_still_takes_images() {
        let mut grid = Grid::default();
        grid.set(ImageId::new(), area(-1e7, -1e7, 2e7, 2e7 + 1e6));
        let last = grid.allocate(ImageId::new(), 240.0, 240.0);
        assert!(last.y <= 1e7 && last.x == 0.0, "{last:?}");
        grid.set(
            ImageId::new(),
            area(f64::NAN, f64::INFINITY, f64::NEG_INFINITY, f64::NAN),
        );
    }

    #[derive(Debug, Clone)]
    enum Step {
        Put(u32, u32, Option<f64>),
        Drop(f64, f64, f64, f64),
        Move(usize, f64, f64),
        Remove(usize),
    }

    fn step() -> impl Strategy<Value = Step> {
        let wished = proptest::option::of(16.0..20_000.0);
        prop_oneof![
            4 => (1u32..9000, 1u32..9000, wished).prop_map(|(w, h, wished)| Step::Put(w, h, wished)),
            2 => (-3000.0..4000.0, -3000.0..9000.0, 1.0..900.0, 1.0..3000.0)
                .prop_map(|(x, y, w, h)| Step::Drop(x, y, w, h)),
            1 => (any::<usize>(), -3000.0..4000.0, -3000.0..9000.0)
                .prop_map(|(which, x, y)| Step::Move(which, x, y)),
            1 => any::<usize>().prop_map(Step::Remove),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn what_is_put_on_the_grid_overlaps_nothing(steps in proptest::collection::vec(step(), 1..80)) {
            let mut grid = Grid::default();
            let mut board: HashMap<ImageId, Area> = HashMap::new();
            let mut order: Vec<ImageId> = Vec::new();
            for step in steps {
                match step {
                    Step::Put(width, height, wished) => {
                        let id = ImageId::new();
                        let (w, h) = shown_size(width, height, wished);
                        let put = grid.allocate(id, w, h);
                        for other in board.values() {
                            prop_assert!(!overlap(put, *other), "{:?} on {:?}", put, other);
                        }
                        prop_assert!(put.x >= 0.0 && put.x + put.w <= 3144.01 && put.y >= 0.0);
                        // The feed tells it again.
                        grid.set(id, put);
                        board.insert(id, put);
                        order.push(id);
                    }
                    Step::Drop(x, y, w, h) => {
                        let id = ImageId::new();
                        grid.set(id, area(x, y, w, h));
                        board.insert(id, area(x, y, w, h));
                        order.push(id);
                    }
                    Step::Move(which, x, y) if !order.is_empty() => {
                        let id = order[which % order.len()];
                        let moved = Area { x, y, ..board[&id] };
                        grid.set(id, moved);
                        board.insert(id, moved);
                    }
                    Step::Remove(which) if !order.is_empty() => {
                        let id = order.swap_remove(which % order.len());
                        grid.remove(id);
                        board.remove(&id);
                    }
                    _ => {}
                }
            }
            for id in order {
                grid.remove(id);
            }
            prop_assert!(grid.touching.iter().all(|&n| n == 0));
        }
    }
}
