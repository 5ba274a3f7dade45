//! The pixels of thumbnails, compared with those of other decoders.

use image::{GenericImageView as _, Rgba, RgbaImage};

use super::{decoded, is_near};
use crate::image::pixels::small_size;
use crate::image::test_files::read;

/// The means of the areas that the pixels of a small bitmap cover, computed in the simplest way.
fn expected(name: &str) -> RgbaImage {
    let large = image::load_from_memory(&read(name)).unwrap().to_rgba8();
    let (width, height) = small_size(large.width(), large.height());
    let parts = |small: u32, of: u32, index: u32| {
        let cell = f64::from(of) / f64::from(small);
        let (start, end) = (f64::from(index) * cell, f64::from(index + 1) * cell);
        (start as u32..(end.ceil() as u32).min(of)).map(move |place| {
            let covered = end.min(f64::from(place) + 1.0) - start.max(f64::from(place));
            (place, covered.max(0.0) / cell)
        })
    };
    RgbaImage::from_fn(width, height, |x, y| {
        let mut mean = [0.0; 4];
        for (row, down) in parts(height, large.height(), y) {
            for (column, across) in parts(width, large.width(), x) {
                let Rgba(pixel) = *large.get_pixel(column, row);
                let opacity = f64::from(pixel[3]) / 255.0;
                for (channel, mean) in mean.iter_mut().enumerate() {
                    let weight = if channel == 3 { 1.0 } else { opacity };
                    *mean += f64::from(pixel[channel]) * weight * down * across;
                }
            }
        }
        let opacity = mean[3] / 255.0;
        let colour = |value: f64| if opacity > 0.0 { value / opacity } else { 0.0 };
        let [red, green, blue, alpha] = mean;
        Rgba([colour(red), colour(green), colour(blue), alpha].map(|value| (value + 0.5) as u8))
    })
}

/// The distance between the decoded bitmap and the expected one: on average and at most.
fn distance(name: &str) -> (f64, u8) {
    let bitmap = decoded(name).bitmap;
    let expected = expected(name);
    assert_eq!((bitmap.width, bitmap.height), expected.dimensions());
    let (mut sum, mut most) = (0.0, 0);
    for (found, expected) in bitmap.pixels.iter().zip(expected.pixels()) {
        for (a, b) in found.iter().zip(expected.0) {
            sum += f64::from(a.abs_diff(b));
            most = most.max(a.abs_diff(b));
        }
    }
    (sum / (bitmap.pixels.len() * 4) as f64, most)
}

#[test]
fn pictures_without_loss_become_the_means_of_their_pixels() {
    for name in [
        "plain.png",
        "interlaced.png",
        "palette.png",
        "1bit.png",
        "animated.png",
        "upright/3.png",
        "still.gif",
        "interlaced.gif",
        "animated.gif",
        "lossless.webp",
        "alpha.webp",
        "lossy.webp",
        "animated.webp",
    ] {
        let (_, most) = distance(name);
        assert!(most <= 1, "{name}: {most}");
    }
    // 16 bits are cut here and rounded there.
    assert!(distance("16bit.png").1 <= 1);
}

#[test]
fn a_jpeg_that_is_decoded_whole_becomes_the_means_of_its_pixels() {
    // The means are those of another decoder, which rounds in its own way.
    let (_, most) = distance("large/inks.jpg");
    assert!(most <= 2, "{most}");
}

/// The means of squares of eight by eight pixels.
fn squares(bitmap: &RgbaImage) -> Vec<[u32; 4]> {
    let (across, down) = (bitmap.width() / 8, bitmap.height() / 8);
    let places = (0..down).flat_map(|y| (0..across).map(move |x| (x, y)));
    let mean = |(x, y)| {
        let square = image::imageops::crop_imm(bitmap, x * 8, y * 8, 8, 8);
        let mut sums = [0; 4];
        for (.., Rgba(pixel)) in square.pixels() {
            for (sum, value) in sums.iter_mut().zip(pixel) {
                *sum += u32::from(value);
            }
        }
        sums.map(|sum| (sum + 32) / 64)
    };
    places.map(mean).collect()
}

#[test]
fn a_jpeg_that_is_decoded_at_a_scale_keeps_its_brightness_everywhere() {
    // A scaled inverse DCT leaves out high frequencies, which sharpens edges, but hardly makes a square brighter or
    // darker.
    for (name, mean) in [
        ("whole", 0.25),
        ("half", 1.0),
        ("quarter", 2.5),
        ("eighth", 0.25),
    ] {
        let name = format!("large/{name}.jpg");
        let found = distance(&name).0;
        assert!(found <= mean, "{name}: {found}");
        let bitmap = decoded(&name).bitmap;
        let pixels = bitmap.pixels.concat();
        let decoded = RgbaImage::from_raw(bitmap.width, bitmap.height, pixels).unwrap();
        for (found, expected) in squares(&decoded).into_iter().zip(squares(&expected(&name))) {
            let is_equal = found.iter().zip(expected).all(|(a, b)| a.abs_diff(b) <= 4);
            assert!(is_equal, "{name}: {found:?} {expected:?}");
        }
    }
}

#[test]
fn the_pixels_of_a_jpeg_are_those_of_libjpeg() {
    // As djpeg of libjpeg-turbo 2.1 gives them. The colours of two by two pixels are stored once, and each decoder
    // smoothes them in its own way.
    let places = [(8, 6), (56, 6), (8, 42), (56, 42)];
    let colours = [[81, 170, 76], [134, 139, 98], [91, 5, 44], [44, 48, 31]];
    let inks = [[82, 174, 76], [132, 137, 91], [90, 6, 46], [52, 54, 41]];
    let gray = [149, 130, 25, 49].map(|gray| [gray; 3]);
    for (name, expected, distance) in [
        ("baseline.jpg", colours, 4),
        ("cmyk.jpg", inks, 4),
        ("gray.jpg", gray, 1),
    ] {
        let bitmap = decoded(name).bitmap;
        for ((x, y), [red, green, blue]) in places.into_iter().zip(expected) {
            let found = Rgba(bitmap.pixels[y * bitmap.width as usize + x]);
            let is_near = is_near(found, [red, green, blue, 255], distance);
            assert!(is_near, "{name} at {x} {y}: {found:?}");
        }
    }
}
