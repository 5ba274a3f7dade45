//! The grid of cells that images without a requested position fill, row by row.
//!
//! The grid starts at the origin of the board, has [`COLUMNS`] columns and grows downwards. An image is scaled to fit one
//! cell and centred in it; one with a larger requested width takes several cells. A cell is free if no image on the board
//! overlaps it, including images that were dropped or moved there.

use std::collections::HashMap;

use crate::image::{ImageId, SHOWN_WIDTHS};

/// Longer side of an image that fills one cell, in board units.
const IMAGE_SIDE: f64 = 240.0;

/// Distance between the images of adjacent cells.
const GAP: f64 = 24.0;

/// Distance from one cell to the next.
const CELL: f64 = IMAGE_SIDE + GAP;

/// Number of cells in a row.
const COLUMNS: usize = 12;

/// Number of rows, limited by the largest coordinate that an image may have (10,000,000 board units).
const ROWS: usize = 37_000;

/// Maximum height of an image on the grid, in board units.
const MAX_HEIGHT: f64 = 20_000.0;

/// A rectangle on the board, in board units.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Area {
    pub(super) x: f64,
    pub(super) y: f64,
    pub(super) w: f64,
    pub(super) h: f64,
}

/// Maps images to the cells that they overlap.
#[derive(Debug, Default)]
pub(super) struct Grid {
    images: HashMap<ImageId, Cells>,
    /// Number of images that overlap each cell, row by row. Cells beyond the end are free.
    overlapping: Vec<u32>,
    /// Index of the first cell that may be free. Makes filling the grid linear rather than quadratic.
    full_until: usize,
    /// Cells and positions examined by searches, for tests of the complexity.
    #[cfg(test)]
    examined: usize,
}

/// A rectangle of cells, as half-open ranges.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Cells {
    columns: (usize, usize),
    rows: (usize, usize),
}

/// Width and height at which an image of `width` × `height` pixels is displayed: with the requested width, or else fitting
/// one cell.
pub(super) fn display_size(width: u32, height: u32, requested: Option<f64>) -> (f64, f64) {
    let height_of = |w: f64| w * f64::from(height) / f64::from(width.max(1));
    if let Some(w) = requested {
        return (w, height_of(w));
    }
    let ratio = f64::from(width.max(1)) / f64::from(height.max(1));
    let w = IMAGE_SIDE.min(IMAGE_SIDE * ratio);
    // A very tall image, such as a screenshot of a long page, may exceed its cell rather than become narrower than the minimum.
    let w = w.max(SHOWN_WIDTHS.start().min(MAX_HEIGHT * ratio));
    (w, height_of(w))
}

impl Grid {
    /// Sets the area of an image, on the board or reserved.
    pub(super) fn set(&mut self, id: ImageId, area: Area) {
        let cells = Cells::overlapped_by(area);
        match self.images.insert(id, cells) {
            Some(before) if before == cells => return,
            Some(before) => self.release(before),
            None => {}
        }
        self.occupy(cells);
    }

    /// Removes an image.
    pub(super) fn remove(&mut self, id: ImageId) {
        if let Some(cells) = self.images.remove(&id) {
            self.release(cells);
        }
    }

    /// Reserves the first free cells that hold an image of this size. An image wider than the grid or taller than
    /// [`MAX_HEIGHT`] is scaled down; the returned area has its final size.
    pub(super) fn allocate(&mut self, id: ImageId, w: f64, h: f64) -> Area {
        self.remove(id);
        let widest = COLUMNS as f64 * CELL - GAP;
        let scale = (widest / w).min(MAX_HEIGHT / h).min(1.0);
        let (w, h) = (w * scale, h * scale);
        let (columns, rows) = (cells_for(w), cells_for(h));
        let (column, row) = self.first_free(columns, rows);
        let centred = |cell: usize, cells: usize, length: f64| {
            let middle = cell as f64 * CELL + (cells as f64 * CELL - GAP - length) / 2.0;
            // The gap absorbs the rounding.
            (middle * 100.0).round() / 100.0
        };
        let area = Area {
            x: centred(column, columns, w),
            y: centred(row, rows, h),
            w,
            h,
        };
        // Every reserved cell, not only those that the centred image overlaps.
        let cells = Cells {
            columns: (column, column + columns),
            rows: (row, row + rows),
        };
        self.images.insert(id, cells);
        self.occupy(cells);
        area
    }

    /// Returns the column and row of the first rectangle of free cells of this size.
    fn first_free(&mut self, columns: usize, rows: usize) -> (usize, usize) {
        while self
            .overlapping
            .get(self.full_until)
            .is_some_and(|&n| n > 0)
        {
            self.full_until += 1;
            self.count_examined();
        }
        let mut first = self.full_until;
        loop {
            self.count_examined();
            let (column, row) = (first % COLUMNS, first / COLUMNS);
            if row + rows > ROWS {
                // The grid is full: the last cells are used again.
                return (0, ROWS - rows);
            }
            let cells = Cells {
                columns: (column, column + columns),
                rows: (row, row + rows),
            };
            if column + columns > COLUMNS {
                first = (row + 1) * COLUMNS;
            } else if let Some(occupied) = self.last_occupied_column(cells) {
                first = row * COLUMNS + occupied + 1;
            } else {
                return (column, row);
            }
        }
    }

    /// Returns the last column that contains an occupied cell.
    fn last_occupied_column(&self, cells: Cells) -> Option<usize> {
        let is_occupied = |&column: &usize| {
            (cells.rows.0..cells.rows.1).any(|row| {
                let overlapping = self.overlapping.get(row * COLUMNS + column);
                overlapping.is_some_and(|&n| n > 0)
            })
        };
        (cells.columns.0..cells.columns.1).rev().find(is_occupied)
    }

    /// Counts a step of a search, in tests.
    fn count_examined(&mut self) {
        #[cfg(test)]
        {
            self.examined += 1;
        }
    }

    fn occupy(&mut self, cells: Cells) {
        if cells.is_empty() {
            return;
        }
        let length = cells.rows.1 * COLUMNS;
        if self.overlapping.len() < length {
            self.overlapping.resize(length, 0);
        }
        for cell in cells.iter() {
            self.overlapping[cell] += 1;
        }
    }

    fn release(&mut self, cells: Cells) {
        for cell in cells.iter() {
            self.overlapping[cell] -= 1;
            if self.overlapping[cell] == 0 {
                self.full_until = self.full_until.min(cell);
            }
        }
    }
}

impl Cells {
    fn overlapped_by(area: Area) -> Self {
        // A cell includes half of the gaps around it. Casting saturates, and maps NaN to 0.
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

    /// Indices of the cells.
    fn iter(self) -> impl Iterator<Item = usize> {
        let columns = self.columns.0..self.columns.1;
        (self.rows.0..self.rows.1)
            .flat_map(move |row| columns.clone().map(move |column| row * COLUMNS + column))
    }
}

/// Number of cells that a length needs.
fn cells_for(length: f64) -> usize {
    // A length that was scaled to fit must not need one more cell because of rounding.
    ((length + GAP - 1e-6) / CELL).ceil().max(1.0) as usize
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use proptest::prelude::*;

    use super::*;

    fn area(x: f64, y: f64, w: f64, h: f64) -> Area {
        Area { x, y, w, h }
    }

    fn overlap(a: Area, b: Area) -> bool {
        // Adjacent areas may touch, up to rounding.
        let apart = |a: f64, a_length: f64, b: f64, b_length: f64| {
            a + a_length <= b + 1e-6 || b + b_length <= a + 1e-6
        };
        !(apart(a.x, a.w, b.x, b.w) || apart(a.y, a.h, b.y, b.h))
    }

    #[test]
    fn images_fill_rows_of_twelve_centred_in_their_cells() {
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
    fn cells_that_a_dropped_image_overlaps_are_skipped() {
        let mut grid = Grid::default();
        let dropped = ImageId::new();
        grid.set(dropped, area(-100.0, -5.0, 300.0, 20.0));
        let put = |grid: &mut Grid| grid.allocate(ImageId::new(), 240.0, 240.0).x;
        assert_eq!(put(&mut grid), 264.0);
        // In the gap behind the second cell, it still occupies that cell and the third.
        grid.set(dropped, area(264.0 + 245.0, 0.0, 16.0, 16.0));
        assert_eq!(put(&mut grid), 0.0);
        assert_eq!(put(&mut grid), 3.0 * 264.0);
        grid.remove(dropped);
        assert_eq!(put(&mut grid), 2.0 * 264.0);
        // Outside the grid: right of it, and above it.
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
        assert_eq!(tower.h, MAX_HEIGHT);
        // A small image fills a cell that was left free.
        assert_eq!(put(&mut grid, 240.0, 240.0).y, 0.0);
    }

    #[test]
    fn an_image_is_displayed_at_the_size_of_a_cell_unless_a_width_is_requested() {
        assert_eq!(display_size(4000, 3000, None), (240.0, 180.0));
        assert_eq!(display_size(3000, 4000, None), (180.0, 240.0));
        assert_eq!(display_size(10, 10, None), (240.0, 240.0));
        assert_eq!(display_size(30_000, 10, None), (240.0, 0.08));
        assert_eq!(display_size(100, 2000, None), (16.0, 320.0));
        let (w, h) = display_size(1, 100_000, None);
        assert!(w > 0.0 && (h - MAX_HEIGHT).abs() < 1e-6, "{w} × {h}");
        assert_eq!(display_size(100, 50, Some(500.0)), (500.0, 250.0));
    }

    #[test]
    fn filling_the_grid_examines_each_cell_about_once() {
        let mut grid = Grid::default();
        let mut positions = std::collections::HashSet::new();
        for _ in 0..10_000 {
            let area = grid.allocate(ImageId::new(), 240.0, 240.0);
            assert!(positions.insert((area.x as i64, area.y as i64)));
        }
        for number in 0..100 {
            grid.allocate(ImageId::new(), 3000.0, 10.0 * f64::from(number));
        }
        // A search that always starts at the first cell examines 50 million.
        assert!(grid.examined < 50_000, "{}", grid.examined);
    }

    #[test]
    fn a_full_grid_still_accepts_images() {
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
        let requested = proptest::option::of(16.0..20_000.0);
        prop_oneof![
            4 => (1u32..9000, 1u32..9000, requested).prop_map(|(w, h, requested)| Step::Put(w, h, requested)),
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
        fn an_allocated_area_overlaps_no_image(steps in proptest::collection::vec(step(), 1..80)) {
            let mut grid = Grid::default();
            let mut board: HashMap<ImageId, Area> = HashMap::new();
            let mut order: Vec<ImageId> = Vec::new();
            for step in steps {
                match step {
                    Step::Put(width, height, requested) => {
                        let id = ImageId::new();
                        let (w, h) = display_size(width, height, requested);
                        let put = grid.allocate(id, w, h);
                        for other in board.values() {
                            prop_assert!(!overlap(put, *other), "{:?} on {:?}", put, other);
                        }
                        prop_assert!(put.x >= 0.0 && put.x + put.w <= 3144.01 && put.y >= 0.0);
                        // The feed reports the area that was allocated.
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
            prop_assert!(grid.overlapping.iter().all(|&n| n == 0));
        }
    }
}
