//! Search for the free area nearest to a position.

use super::area::Area;

/// The least distance between two positions that are tried, in board units.
const STEP: f64 = 24.0;

/// The positions that are tried on each side of a square around the wanted one. Farther away the steps are longer.
const MAX_PER_SIDE: f64 = 64.0;

/// The distance at which the search gives up. No board is dense that far.
const MAX_DISTANCE: f64 = 4e6;

/// Returns `wanted`, moved to the nearest position that `is_free`. Tries squares of growing size around it, so the
/// result is nearest up to the distance of two positions that are tried. Returns `wanted` itself if no position is
/// free.
pub(super) fn nearest(wanted: Area, is_free: impl Fn(Area) -> bool) -> Area {
    if is_free(wanted) {
        return wanted;
    }
    let at = |dx: f64, dy: f64| Area {
        x: wanted.x + dx,
        y: wanted.y + dy,
        ..wanted
    };
    let (mut distance, mut step) = (STEP, STEP);
    while distance < MAX_DISTANCE {
        let count = (distance / step).ceil();
        let step_here = distance / count;
        let offsets = (-count as i64..=count as i64).map(|number| number as f64 * step_here);
        let sides = offsets.flat_map(|along| {
            [
                (along, -distance),
                (along, distance),
                (-distance, along),
                (distance, along),
            ]
        });
        let free = sides.filter(|&(dx, dy)| is_free(at(dx, dy)));
        let length = |(dx, dy): &(f64, f64)| dx.hypot(*dy);
        if let Some((dx, dy)) = free.min_by(|a, b| length(a).total_cmp(&length(b))) {
            return at(dx, dy);
        }
        distance += step;
        step = STEP.max(2.0 * distance / MAX_PER_SIDE);
    }
    wanted
}

#[cfg(test)]
mod tests {
    use super::*;

    fn area(x: f64, y: f64) -> Area {
        Area {
            x,
            y,
            w: 100.0,
            h: 100.0,
        }
    }

    #[test]
    fn a_free_position_is_kept_and_another_is_the_nearest() {
        let obstacle = Area {
            x: 0.0,
            y: 0.0,
            w: 1000.0,
            h: 400.0,
        };
        let find = |x, y| nearest(area(x, y), |area| !area.overlaps(obstacle));
        assert_eq!(find(-100.0, 0.0), area(-100.0, 0.0));
        let moved = find(500.0, 320.0);
        assert_eq!(moved.x, 500.0);
        assert!((400.0..424.0).contains(&moved.y), "{moved:?}");
        let moved = find(10.0, 150.0);
        assert_eq!(moved.y, 150.0);
        assert!((-124.0..=-100.0).contains(&moved.x), "{moved:?}");
    }

    #[test]
    fn a_distant_position_is_found_in_few_steps() {
        let tried = std::cell::Cell::new(0);
        let moved = nearest(area(0.0, 0.0), |area| {
            tried.set(tried.get() + 1);
            area.x.abs() > 50_000.0 || area.y.abs() > 50_000.0
        });
        assert!(moved.x.hypot(moved.y) < 55_000.0, "{moved:?}");
        assert!(tried.get() < 50_000, "{}", tried.get());
    }

    #[test]
    fn without_a_free_position_the_wanted_one_is_used() {
        assert_eq!(nearest(area(7.0, 8.0), |_| false), area(7.0, 8.0));
    }
}
