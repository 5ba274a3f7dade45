//! Tests of the layout, with the images of other servers known late.

use std::collections::HashMap;

use proptest::prelude::*;

use super::area::Area;
use super::layout::Layout;
use super::occupied::Occupied;
use super::planner::{Planner, Stale, Wanted};
use super::rows::{GAP, ROW_HEIGHT, Size};
use crate::image::ImageId;

const NEVER: i64 = i64::MAX;

/// A board, and servers that share its layout.
#[derive(Default)]
struct TestBoard {
    layout: Layout,
    /// The areas in the database.
    stored: HashMap<ImageId, Area>,
    /// The areas that a server knows of.
    known: Occupied,
    /// Images that somebody has moved.
    moved: std::collections::HashSet<ImageId>,
    /// The server stops after each write of the layout, before it moves images.
    stops_before_moves: bool,
}

impl TestBoard {
    fn planned<T>(&mut self, change: impl Fn(&mut Planner<'_>) -> Result<T, Stale>) -> T {
        for is_fresh in [false, true] {
            if is_fresh {
                self.learn();
            }
            let mut planner = Planner {
                layout: self.layout.clone(),
                occupied: &self.known,
                is_fresh,
            };
            if let Ok(value) = change(&mut planner) {
                self.layout = planner.layout;
                if !self.stops_before_moves {
                    self.write_moves();
                }
                return value;
            }
        }
        panic!("a plan with all images is not stale");
    }

    /// Moves the images as the server does after it has written the layout.
    fn write_moves(&mut self) {
        let moves = self.layout.moves().clone();
        for (id, planned) in &moves {
            if let Some(area) = self.stored.get_mut(id)
                && planned.from.iter().any(|from| from.is_at(*area))
            {
                *area = planned.to;
            }
        }
        let written: Vec<_> = moves
            .iter()
            .map(|(&id, planned)| (id, planned.to))
            .collect();
        self.layout.remove_moves(&written);
    }

    /// Reads all images from the database.
    fn learn(&mut self) {
        self.known = Occupied::default();
        for (&id, &area) in &self.stored {
            self.known.set(id, area, false);
        }
    }

    fn reserve(&mut self, id: ImageId, size: Size, wanted: Wanted) -> Area {
        self.planned(|planner| planner.place(id, size, wanted, NEVER))
    }

    fn store(&mut self, id: ImageId, area: Area) {
        self.stored.insert(id, area);
        self.planned(|planner| {
            planner.confirm(id, area, NEVER);
            Ok(())
        });
    }

    /// Adds an image as an upload without a position does.
    fn add(&mut self, width: u32, height: u32) -> ImageId {
        let id = ImageId::new();
        let area = self.reserve(id, Size::of(width, height, None), Wanted::Next);
        self.store(id, area);
        id
    }

    fn put(&mut self, area: Area) -> ImageId {
        let id = ImageId::new();
        self.stored.insert(id, area);
        self.moved.insert(id);
        id
    }

    fn bounds(&self) -> Area {
        self.stored.values().copied().reduce(Area::union).unwrap()
    }

    /// The first two images that overlap although nobody has moved either.
    fn overlap(&self) -> Option<(Area, Area)> {
        let unmoved = self
            .stored
            .iter()
            .filter(|(id, _)| !self.moved.contains(id));
        let areas: Vec<Area> = unmoved.map(|(_, &area)| area.grown(-0.01)).collect();
        for (at, &area) in areas.iter().enumerate() {
            if let Some(&other) = areas[..at].iter().find(|other| other.overlaps(area)) {
                return Some((area, other));
            }
        }
        None
    }
}

fn area(x: f64, y: f64, w: f64, h: f64) -> Area {
    Area { x, y, w, h }
}

#[test]
fn a_full_row_fills_the_width_and_the_next_one_starts_below() {
    let mut board = TestBoard::default();
    let ids: Vec<ImageId> = (0..5).map(|_| board.add(4000, 3000)).collect();
    let areas: Vec<Area> = ids.iter().map(|id| board.stored[id]).collect();
    assert!((areas[3].right() - 1280.0).abs() < 0.02, "{areas:?}");
    for pair in areas[..4].windows(2) {
        assert!((pair[0].right() + GAP - pair[1].x).abs() < 0.02);
        assert!((pair[0].h - pair[1].h).abs() < 1e-9 && pair[0].y == pair[1].y);
        assert!((pair[0].w / pair[0].h - 4.0 / 3.0).abs() < 1e-3);
    }
    // The row that is not full keeps its height.
    assert_eq!((areas[4].x, areas[4].h), (0.0, ROW_HEIGHT));
    assert!(areas[4].y > areas[3].bottom());
    assert_eq!(board.overlap(), None);
}

#[test]
fn the_board_stays_about_as_wide_as_a_screen() {
    let shapes = [
        (4000, 3000),
        (3000, 4000),
        (1920, 1080),
        (1080, 2400),
        (900, 900),
    ];
    let mut board = TestBoard::default();
    for number in 1..=1500 {
        let (width, height) = shapes[number * 7 % 5];
        board.add(width, height);
        if number % 50 == 0 {
            board.learn();
            let Area { w, h, .. } = board.bounds();
            assert!((1.2..2.2).contains(&(w / h)), "{number}: {w} × {h}");
        }
    }
    assert_eq!(board.overlap(), None);
    let covered: f64 = board.stored.values().map(|area| area.w * area.h).sum();
    let Area { w, h, .. } = board.bounds();
    assert!(covered / (w * h) > 0.7, "{}", covered / (w * h));
}

#[test]
fn rows_avoid_images_that_lie_elsewhere() {
    let mut board = TestBoard::default();
    board.add(4000, 3000);
    // An obstacle in the row, which ends there.
    let obstacle = board.put(area(500.0, 100.0, 300.0, 200.0));
    board.learn();
    let second = board.add(4000, 3000);
    assert!(board.stored[&second].y > board.stored[&obstacle].bottom());
    assert_eq!(board.stored[&second].x, 0.0);
    // Another obstacle, in the next row.
    let y = board.stored[&second].bottom();
    board.put(area(900.0, y + 100.0, 300.0, 200.0));
    board.learn();
    for _ in 0..20 {
        board.add(4000, 3000);
        board.learn();
    }
    board.moved.clear();
    assert_eq!(board.overlap(), None);
}

#[test]
fn an_empty_board_starts_again_at_the_origin() {
    let mut board = TestBoard::default();
    for _ in 0..7 {
        board.add(4000, 3000);
    }
    board.stored.clear();
    board.learn();
    let first = board.add(4000, 3000);
    assert_eq!(board.stored[&first], area(0.0, 0.0, 320.0, 240.0));
}

#[test]
fn images_are_added_beside_a_board_that_was_arranged_anew() {
    let mut board = TestBoard::default();
    let ids: Vec<ImageId> = (0..40).map(|_| board.add(4000, 3000)).collect();
    board.learn();
    for (number, id) in ids.iter().enumerate() {
        let (x, y) = ((number % 8) as f64 * 110.0, (number / 8) as f64 * 90.0);
        board
            .stored
            .insert(*id, area(x + 5e4, y - 9e4, 100.0, 75.0));
    }
    board.learn();
    let added = board.add(4000, 3000);
    let near = area(5e4, -9e4, 880.0, 450.0).grown(100.0);
    assert!(
        near.overlaps(board.stored[&added]),
        "{:?}",
        board.stored[&added]
    );
    assert_eq!(board.overlap(), None);
}

#[test]
fn a_board_of_an_earlier_release_is_continued() {
    let mut board = TestBoard::default();
    for number in 0..100 {
        let (x, y) = (
            f64::from(number % 12) * 264.0,
            f64::from(number / 12) * 264.0,
        );
        board.put(area(x, y, 240.0, 180.0));
    }
    board.moved.clear();
    board.learn();
    for _ in 0..50 {
        board.add(4000, 3000);
    }
    assert_eq!(board.overlap(), None);
    let Area { w, h, .. } = board.bounds();
    assert!((1.0..2.2).contains(&(w / h)), "{w} × {h}");
}

#[test]
fn a_chosen_position_moves_aside_and_an_exact_one_does_not() {
    let mut board = TestBoard::default();
    for _ in 0..12 {
        board.add(4000, 3000);
    }
    board.learn();
    let size = Size::of(4000, 3000, None);
    let dropped = ImageId::new();
    let at = board.reserve(dropped, size, Wanted::Near(300.0, 300.0));
    board.store(dropped, at);
    assert_eq!(board.overlap(), None);
    assert!(at.y < 1200.0 && at.x < 1700.0, "{at:?}");
    let exact = board.reserve(ImageId::new(), size, Wanted::At(300.0, 300.0));
    assert_eq!((exact.x, exact.y), (300.0, 300.0));
    // The same id keeps its reservation.
    assert_eq!(board.reserve(dropped, size, Wanted::Next), at);
}

#[test]
fn an_upload_that_was_reserved_in_a_row_moves_with_it() {
    let mut board = TestBoard::default();
    let slow = ImageId::new();
    let size = Size::of(4000, 3000, None);
    let reserved = board.reserve(slow, size, Wanted::Next);
    for _ in 0..4 {
        board.add(4000, 3000);
    }
    let justified = board.reserve(slow, size, Wanted::Next);
    assert!(justified.w < reserved.w, "{justified:?}");
    // Stored by a server that has not read the new layout.
    board.store(slow, reserved);
    assert!(board.stored[&slow].is_at(justified));
    assert_eq!(board.overlap(), None);
}

#[test]
fn an_upload_does_not_cover_what_was_moved_to_its_reserved_placement() {
    for wanted in [Wanted::Next, Wanted::Near(0.0, 0.0)] {
        let mut board = TestBoard::default();
        let (id, size) = (ImageId::new(), Size::of(4000, 3000, None));
        let reserved = board.reserve(id, size, wanted);
        assert_eq!(board.reserve(id, size, wanted), reserved);
        let moved = board.put(reserved);
        board.learn();
        let area = board.reserve(id, size, wanted);
        assert!(!area.overlaps(board.stored[&moved]), "{area:?}");
        board.store(id, area);
        board.learn();
        if wanted != Wanted::Next {
            // It is still reserved for the image that lies there.
            assert_eq!(board.reserve(id, size, wanted), area);
        }
    }
}

#[test]
fn a_row_that_a_server_left_half_moved_is_completed_with_the_next_change() {
    let mut board = TestBoard {
        stops_before_moves: true,
        ..TestBoard::default()
    };
    for _ in 0..4 {
        board.add(4000, 3000);
    }
    assert!(
        board.overlap().is_some(),
        "the last image lies in a row that is not scaled"
    );
    board.stops_before_moves = false;
    board.add(4000, 3000);
    assert_eq!(board.overlap(), None);
}

#[test]
fn a_reservation_that_expires_leaves_no_gap() {
    let mut board = TestBoard::default();
    board.planned(|planner| {
        planner.place(ImageId::new(), Size::of(4000, 3000, None), Wanted::Next, 5)
    });
    board.planned(|planner| {
        planner.forget(5);
        Ok(())
    });
    let next = board.add(4000, 3000);
    assert_eq!(board.stored[&next].x, 0.0);
}

#[test]
fn the_placement_of_a_canceled_upload_is_used_again() {
    let mut board = TestBoard::default();
    let canceled = ImageId::new();
    let size = Size::of(4000, 3000, None);
    let area = board.reserve(canceled, size, Wanted::Next);
    board.planned(|planner| {
        planner.release(canceled);
        Ok(())
    });
    let next = board.add(4000, 3000);
    assert_eq!(board.stored[&next], area);
}

#[derive(Debug, Clone)]
enum Step {
    Add(u32, u32, Option<f64>),
    Reserve(u32, u32),
    Store(usize),
    Drop(f64, f64),
    Move(usize, f64, f64),
    Remove(usize),
    Learn,
}

fn step() -> impl Strategy<Value = Step> {
    let requested = proptest::option::weighted(0.1, 16.0..20_000.0);
    prop_oneof![
        8 => (1u32..9000, 1u32..9000, requested).prop_map(|(w, h, requested)| Step::Add(w, h, requested)),
        4 => (1u32..9000, 1u32..9000).prop_map(|(w, h)| Step::Reserve(w, h)),
        4 => any::<usize>().prop_map(Step::Store),
        2 => (-1500.0..3000.0, -1500.0..3000.0).prop_map(|(x, y)| Step::Drop(x, y)),
        1 => (any::<usize>(), -1500.0..3000.0, -1500.0..3000.0).prop_map(|(at, x, y)| Step::Move(at, x, y)),
        1 => any::<usize>().prop_map(Step::Remove),
        3 => Just(Step::Learn),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn images_that_nobody_has_moved_never_overlap(steps in proptest::collection::vec(step(), 1..150)) {
        let mut board = TestBoard::default();
        let mut order: Vec<ImageId> = Vec::new();
        let mut uploads: Vec<(ImageId, Area)> = Vec::new();
        for step in steps {
            match step {
                Step::Add(width, height, requested) => {
                    let id = ImageId::new();
                    let area = board.reserve(id, Size::of(width, height, requested), Wanted::Next);
                    board.store(id, area);
                    order.push(id);
                }
                Step::Reserve(width, height) => {
                    let id = ImageId::new();
                    let area = board.reserve(id, Size::of(width, height, None), Wanted::Next);
                    uploads.push((id, area));
                }
                Step::Store(at) if !uploads.is_empty() => {
                    let (id, area) = uploads.swap_remove(at % uploads.len());
                    board.store(id, area);
                    order.push(id);
                }
                Step::Drop(x, y) => {
                    let id = ImageId::new();
                    let area = board.reserve(id, Size::of(400, 300, None), Wanted::Near(x, y));
                    board.store(id, area);
                    order.push(id);
                }
                Step::Move(at, x, y) if !order.is_empty() => {
                    let id = order[at % order.len()];
                    let area = Area { x, y, ..board.stored[&id] };
                    board.stored.insert(id, area);
                    board.moved.insert(id);
                    // A placement that a row skips may be one that another server reserves before it knows of the move.
                    board.learn();
                }
                Step::Remove(at) if !order.is_empty() => {
                    let id = order.swap_remove(at % order.len());
                    board.stored.remove(&id);
                }
                Step::Learn => board.learn(),
                Step::Store(_) | Step::Move(..) | Step::Remove(_) => {}
            }
            let overlap = board.overlap();
            prop_assert!(overlap.is_none(), "{:?}", overlap);
        }
    }
}
