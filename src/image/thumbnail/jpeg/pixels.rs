//! From the waves of the components to a picture.

use std::f32::consts::PI;

use super::components::{Component, Frame};
use super::scan::ZIGZAG;
use super::{Bounds, Unfit, damaged};
use crate::image::thumbnail::colours;
use crate::image::thumbnail::picture::{Picture, byte};
use crate::image::thumbnail::shrink::{Shrink, Side};
use crate::image::thumbnail::small_size;

/// What the file says of how its components make up colours.
pub(super) struct Coding {
    pub(super) has_jfif: bool,
    /// The transformation in Adobe's segment, if there is one.
    pub(super) adobe: Option<u8>,
}

pub(super) fn picture(
    frame: Frame,
    coding: Coding,
    profile: Option<&[u8]>,
    bounds: Bounds,
) -> Result<Picture, Unfit> {
    let (width, height) = small_size(frame.width, frame.height);
    let ids: Vec<u8> = frame.components.iter().map(|part| part.id).collect();
    let mut planes = Vec::new();
    for component in &frame.components {
        planes.push(plane(&frame, component, (width, height), bounds)?);
    }
    let pixels = match &planes[..] {
        [first, second, third] => {
            let is_rgb = !coding.has_jfif
                && coding
                    .adobe
                    .map_or(ids == *b"RGB", |transform| transform == 0);
            let colour = |(([a], [b]), [c]): ((&[f32; 1], &[f32; 1]), &[f32; 1])| {
                if is_rgb {
                    [*a, *b, *c]
                } else {
                    rgb([*a, *b, *c])
                }
            };
            let colours = first.iter().zip(second).zip(third).map(colour);
            colours.map(|colour| colour.map(byte)).collect()
        }
        [first, second, third, black] => {
            let is_ycck = coding.adobe == Some(2);
            let inks = first.iter().zip(second).zip(third).zip(black);
            let inks = inks.map(|((([a], [b]), [c]), [black])| {
                let [a, b, c] = if is_ycck {
                    rgb([*a, *b, *c]).map(|colour| 255.0 - colour)
                } else {
                    [*a, *b, *c]
                };
                [a, b, c, *black].map(byte)
            });
            from_inks(&inks.collect::<Vec<_>>(), profile)
        }
        _ => planes[0].iter().map(|&[gray]| [byte(gray); 3]).collect(),
    };
    let pixels = pixels
        .into_iter()
        .map(|[red, green, blue]: [u8; 3]| [red, green, blue, 255]);
    Ok(Picture {
        width,
        height,
        pixels: pixels.collect(),
    })
}

/// From luminance and two differences of colour (JFIF 1.02).
fn rgb([luminance, blue, red]: [f32; 3]) -> [f32; 3] {
    let (blue, red) = (blue - 128.0, red - 128.0);
    [
        luminance + 1.402 * red,
        luminance - 0.344_136 * blue - 0.714_136 * red,
        luminance + 1.772 * blue,
    ]
    .map(|colour| colour.clamp(0.0, 255.0))
}

/// From cyan, magenta, yellow and black, where 255 stands for no ink: so Adobe writes them, and so browsers read them
/// whoever wrote them.
fn from_inks(inks: &[[u8; 4]], profile: Option<&[u8]>) -> Vec<[u8; 3]> {
    let amounts = || inks.iter().map(|ink| ink.map(|missing| 255 - missing));
    let converted =
        profile.and_then(|profile| colours::inks(profile, &amounts().collect::<Vec<_>>()));
    converted.unwrap_or_else(|| {
        let colour = |&[cyan, magenta, yellow, black]: &[u8; 4]| {
            [cyan, magenta, yellow].map(|ink| byte(f32::from(ink) * f32::from(black) / 255.0))
        };
        inks.iter().map(colour).collect()
    })
}

/// One component at the size of the thumbnail.
fn plane(
    frame: &Frame,
    component: &Component,
    (width, height): (u32, u32),
    bounds: Bounds,
) -> Result<Vec<[f32; 1]>, Unfit> {
    let waves = frame.waves;
    let across = Stretch::new(
        frame.width,
        component.across,
        frame.max_across,
        waves,
        width,
    );
    let down = Stretch::new(frame.height, component.down, frame.max_down, waves, height);
    let mut shrink = Shrink::<1>::new(across.side, down.side);
    let blocks = Blocks::new(component, waves).ok_or(damaged("a table is missing"))?;
    let mut rows = vec![0.0; component.columns * waves * waves];
    for block_row in 0..component.rows {
        bounds.time()?;
        blocks.paint(component, block_row, &mut rows);
        for (y, row) in rows.chunks_exact(component.columns * waves).enumerate() {
            for copy in 0..down.copies {
                let y = (block_row * waves + y) * down.copies + copy;
                let pixels = row
                    .iter()
                    .flat_map(|&value| std::iter::repeat_n([value], across.copies));
                shrink.row(y, (0, 1), pixels);
            }
        }
    }
    Ok(shrink.finish())
}

/// How one side of a component becomes one of the thumbnail.
struct Stretch {
    side: Side,
    /// How often each value is repeated, for components with fewer of them than the thumbnail.
    copies: usize,
}

impl Stretch {
    fn new(length: u32, factor: u32, max_factor: u32, waves: usize, small: u32) -> Self {
        let extent =
            f64::from(length) * f64::from(factor) / f64::from(max_factor) * waves as f64 / 8.0;
        let copies = (f64::from(small) / extent).ceil().max(1.0);
        let extent = extent * copies;
        Self {
            side: Side {
                count: extent.ceil() as usize,
                extent,
                small: small as usize,
            },
            copies: copies as usize,
        }
    }
}

/// Turns the waves of blocks into values.
struct Blocks {
    waves: usize,
    /// What each kept coefficient is multiplied by.
    quantization: Vec<f32>,
    /// For each value in a row and each wave, the wave's height there.
    heights: Vec<f32>,
}

impl Blocks {
    /// `None` if the component has no quantization table.
    fn new(component: &Component, waves: usize) -> Option<Self> {
        let table = component.quantization?;
        let mut quantization = vec![0.0; waves * waves];
        for ((row, column), factor) in ZIGZAG.iter().zip(table) {
            let (row, column) = (usize::from(*row), usize::from(*column));
            if row < waves && column < waves {
                quantization[row * waves + column] = f32::from(factor);
            }
        }
        let mut heights = vec![0.0; waves * waves];
        for place in 0..waves {
            for wave in 0..waves {
                let phase = (2 * place + 1) as f32 * wave as f32 * PI / (2 * waves) as f32;
                // So that the mean value, which is coded eight times as large, is divided by √8 each way.
                let scale = if wave == 0 { 1.0 } else { 2.0_f32.sqrt() } / 8.0_f32.sqrt();
                heights[place * waves + wave] = scale * phase.cos();
            }
        }
        Some(Self {
            waves,
            quantization,
            heights,
        })
    }

    /// Paints a row of blocks as so many rows of values.
    fn paint(&self, component: &Component, block_row: usize, rows: &mut [f32]) {
        let waves = self.waves;
        let line = component.columns * waves;
        let first = block_row * component.columns;
        let (mut scaled, mut half) = ([0.0; 64], [0.0; 64]);
        for column in 0..component.columns {
            let block = (first + column) * waves * waves;
            let coefficients = &component.coefficients[block..][..waves * waves];
            for ((scaled, &value), factor) in
                scaled.iter_mut().zip(coefficients).zip(&self.quantization)
            {
                *scaled = f32::from(value) * factor;
            }
            // Each row of waves first, then each column.
            for wave in 0..waves {
                for x in 0..waves {
                    let heights = &self.heights[x * waves..][..waves];
                    half[wave * waves + x] = sum(&scaled[wave * waves..][..waves], heights);
                }
            }
            for y in 0..waves {
                let target = &mut rows[y * line + column * waves..][..waves];
                let heights = &self.heights[y * waves..][..waves];
                for (x, target) in target.iter_mut().enumerate() {
                    let column = half[x..].iter().step_by(waves);
                    let value: f32 = column
                        .zip(heights)
                        .map(|(half, height)| half * height)
                        .sum();
                    *target = (value + 128.0).clamp(0.0, 255.0);
                }
            }
        }
    }
}

fn sum(values: &[f32], heights: &[f32]) -> f32 {
    values
        .iter()
        .zip(heights)
        .map(|(value, height)| value * height)
        .sum()
}
