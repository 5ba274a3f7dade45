//! Makes a bitmap smaller while it is decoded.

/// Averages the pixels that come row by row, in any order: each pixel of the small bitmap becomes the mean of the area
/// that it covers. Nothing but the small bitmap is held, with `CHANNELS` numbers for each of its pixels.
pub(in crate::image) struct Shrink<const CHANNELS: usize> {
    across: Vec<Share>,
    down: Vec<Share>,
    width: usize,
    /// One row, shrunk across only.
    line: Vec<[f32; CHANNELS]>,
    means: Vec<[f32; CHANNELS]>,
}

/// The share of a row or a column of the large bitmap in those of the small one.
#[derive(Clone, Copy)]
struct Share {
    /// The first row or column of the small bitmap that it overlaps.
    index: usize,
    /// The part of that one that it covers.
    here: f32,
    /// The part of the following one that it covers.
    next: f32,
}

/// One dimension.
#[derive(Clone, Copy)]
pub(in crate::image) struct Side {
    /// The number of rows or columns of the large bitmap.
    count: usize,
    /// Their number in the small one, which is not greater.
    small: usize,
}

impl Side {
    pub(in crate::image) fn new(count: u32, small: u32) -> Self {
        Self {
            count: count as usize,
            small: small as usize,
        }
    }

    fn shares(self) -> Vec<Share> {
        let cell = self.count as f64 / self.small as f64;
        let share = |place: usize| {
            let start = place as f64;
            let end = start + 1.0;
            let index = ((start / cell) as usize).min(self.small - 1);
            let border = if index + 1 == self.small {
                end
            } else {
                (index + 1) as f64 * cell
            };
            Share {
                index,
                here: ((end.min(border) - start) / cell) as f32,
                next: ((end - border).max(0.0) / cell) as f32,
            }
        };
        (0..self.count).map(share).collect()
    }
}

impl<const CHANNELS: usize> Shrink<CHANNELS> {
    pub(in crate::image) fn new(across: Side, down: Side) -> Self {
        Self {
            across: across.shares(),
            down: down.shares(),
            width: across.small,
            line: vec![[0.0; CHANNELS]; across.small],
            means: vec![[0.0; CHANNELS]; across.small * down.small],
        }
    }

    /// Takes the pixels of the row `y`, beginning with the column `x` and then each `step` columns on. What lies
    /// outside the bitmap is not looked at.
    pub(in crate::image) fn row(
        &mut self,
        y: usize,
        (x, step): (usize, usize),
        pixels: impl Iterator<Item = [f32; CHANNELS]>,
    ) {
        let Some(down) = self.down.get(y).copied() else {
            return;
        };
        self.line.fill([0.0; CHANNELS]);
        let across = self.across.get(x..).unwrap_or_default();
        for (share, pixel) in across.iter().step_by(step).zip(pixels) {
            add(&mut self.line[share.index], pixel, share.here);
            if share.next > 0.0 {
                add(&mut self.line[share.index + 1], pixel, share.next);
            }
        }
        for (index, part) in [(down.index, down.here), (down.index + 1, down.next)] {
            if part > 0.0 {
                let row = &mut self.means[index * self.width..][..self.width];
                for (mean, &pixel) in row.iter_mut().zip(&self.line) {
                    add(mean, pixel, part);
                }
            }
        }
    }

    /// The small bitmap, row by row.
    pub(in crate::image) fn finish(self) -> Vec<[f32; CHANNELS]> {
        self.means
    }
}

fn add<const CHANNELS: usize>(sum: &mut [f32; CHANNELS], pixel: [f32; CHANNELS], part: f32) {
    // Without `zip`, which is slow in a build that is not optimized.
    for (channel, sum) in sum.iter_mut().enumerate() {
        *sum += pixel[channel] * part;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shrunk(values: &[f32], small: u32) -> Vec<f32> {
        let across = Side::new(values.len() as u32, small);
        let mut shrink = Shrink::<1>::new(across, Side::new(1, 1));
        shrink.row(0, (0, 1), values.iter().map(|&value| [value]));
        shrink.finish().into_iter().map(|[value]| value).collect()
    }

    #[test]
    fn each_pixel_is_the_mean_of_what_it_covers() {
        assert_eq!(shrunk(&[1.0, 3.0, 5.0, 7.0], 2), [2.0, 6.0]);
        assert_eq!(shrunk(&[1.0, 2.0, 3.0], 3), [1.0, 2.0, 3.0]);
        // One and a half of three.
        let [left, right] = shrunk(&[3.0, 6.0, 9.0], 2)[..] else {
            panic!("two pixels");
        };
        assert!((left - 4.0).abs() < 1e-5 && (right - 8.0).abs() < 1e-5);
    }

    #[test]
    fn a_plain_colour_stays_what_it_is() {
        for count in 1..40_u32 {
            for small in 1..=count {
                let side = Side::new(count, small);
                let mut shrink = Shrink::<2>::new(side, side);
                for y in 0..count as usize {
                    // As an interlaced bitmap comes.
                    let pixels = || std::iter::repeat([200.0, 10.0]);
                    shrink.row(y, (1, 2), pixels());
                    shrink.row(y, (0, 2), pixels());
                }
                for [a, b] in shrink.finish() {
                    assert!((a - 200.0).abs() < 0.01, "{count} {small} {a}");
                    assert!((b - 10.0).abs() < 0.01, "{count} {small} {b}");
                }
            }
        }
    }
}
