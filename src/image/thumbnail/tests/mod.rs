//! Tests of thumbnails.

mod pixels;

use std::time::Duration;

use image::{DynamicImage, ImageFormat, Rgba, RgbaImage};
use proptest::prelude::*;

use super::*;
use crate::image::Metadata;
use crate::image::pixels::{Decoded, small_size};
use crate::image::test_files::{damaged, encoded, read};

fn kind(name: &str) -> ImageType {
    let extension = name.rsplit('.').next();
    ImageType::ALL
        .into_iter()
        .find(|kind| Some(kind.extension()) == extension)
        .unwrap()
}

fn bounds() -> Bounds {
    Bounds::start(Limits::default())
}

fn decoded(name: &str) -> Decoded {
    let decoded = format::decode(&read(name), kind(name), bounds());
    decoded.unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn made(name: &str) -> Thumbnail {
    thumbnail_of(&read(name), kind(name))
}

fn thumbnail_of(bytes: &Bytes, kind: ImageType) -> Thumbnail {
    let made = thumbnail(bytes, kind, Limits::default()).unwrap();
    let (thumbnail, is_damaged) = (made.thumbnail, made.is_damaged);
    assert!(!is_damaged);
    thumbnail
}

/// The thumbnail of the image with so many bytes behind its end that it does not serve as its own.
fn made_in_any_case(name: &str) -> Thumbnail {
    let padded = [&read(name)[..], &[0; SMALL]].concat();
    thumbnail_of(&padded.into(), kind(name))
}

/// The bitmap in a thumbnail that must have been made.
fn pixels(name: &str, thumbnail: &Thumbnail) -> RgbaImage {
    let Thumbnail::Made {
        bytes,
        kind,
        width,
        height,
    } = thumbnail
    else {
        panic!("{name} is its own thumbnail");
    };
    let format = ImageFormat::from_mime_type(kind.mime()).unwrap();
    let image = image::load_from_memory_with_format(bytes, format).unwrap();
    assert_eq!((image.width(), image.height()), (*width, *height), "{name}");
    image.to_rgba8()
}

/// Returns `true` for colours as near to each other as JPEG leaves them.
fn is_near(a: Rgba<u8>, b: [u8; 4], distance: u8) -> bool {
    a.0.iter().zip(b).all(|(&a, b)| a.abs_diff(b) <= distance)
}

const RED: [u8; 4] = [224, 32, 32, 255];

const GREEN: [u8; 4] = [32, 192, 64, 255];

const BLUE: [u8; 4] = [32, 64, 224, 255];

const YELLOW: [u8; 4] = [240, 224, 32, 255];

#[track_caller]
fn assert_corners(name: &str, image: &RgbaImage) {
    let (right, bottom) = (image.width() - 3, image.height() - 3);
    for (x, y, colour) in [
        (2, 2, RED),
        (right, 2, GREEN),
        (2, bottom, BLUE),
        (right, bottom, YELLOW),
    ] {
        let found = *image.get_pixel(x, y);
        assert!(is_near(found, colour, 8), "{name} at {x} {y}: {found:?}");
    }
}

#[test]
fn each_of_the_eight_orientations_is_turned_upright() {
    for extension in ["jpg", "png"] {
        for orientation in 2..=8 {
            let name = format!("upright/{orientation}.{extension}");
            let image = pixels(&name, &made(&name));
            assert_eq!(image.dimensions(), (48, 32), "{name}");
            assert_corners(&name, &image);
        }
    }
}

#[test]
fn a_webp_is_not_turned_as_it_is_not_in_chromium() {
    for orientation in 1..=8 {
        let name = format!("upright/{orientation}.webp");
        let decoded = decoded(&name);
        assert_eq!(decoded.orientation, 1, "{name}");
        let stored = if orientation > 4 { (32, 48) } else { (48, 32) };
        assert_eq!(decoded.size, stored, "{name}");
        assert_eq!(made(&name), Thumbnail::Itself, "{name}");
    }
}

#[test]
fn a_large_image_is_turned_after_it_was_shrunk() {
    let mut stored = RgbaImage::new(600, 1200);
    for (x, y, pixel) in stored.enumerate_pixels_mut() {
        // Turned by a quarter to the right it shows the corners.
        *pixel = Rgba(match (x < 300, y < 600) {
            (true, true) => GREEN,
            (false, true) => YELLOW,
            (true, false) => RED,
            (false, false) => BLUE,
        });
    }
    let stored = DynamicImage::from(stored);
    let jpeg = encoded(&stored.to_rgb8().into(), ImageFormat::Jpeg);
    let exif =
        b"\xff\xe1\0\x22Exif\0\0MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0";
    let jpeg = [&jpeg[..2], exif, &jpeg[2..]].concat().into();
    let thumbnail = thumbnail_of(&jpeg, ImageType::Jpeg);
    let image = pixels("turned", &thumbnail);
    assert_eq!(image.dimensions(), (512, 256));
    assert_corners("turned", &image);
}

#[test]
fn a_small_upright_still_image_is_its_own_thumbnail() {
    for name in [
        "upright/1.jpg",
        "upright/1.png",
        "upright/1.webp",
        "plain.png",
        "still.gif",
        "lossy.webp",
        "alpha.webp",
        "cmyk.jpg",
        "still.avif",
        "rotated.avif",
        "animated.avif",
    ] {
        assert_eq!(made(name), Thumbnail::Itself, "{name}");
    }
    for name in [
        "animated.gif",
        "animated.png",
        "animated.webp",
        "rotated.jpg",
    ] {
        assert_ne!(made(name), Thumbnail::Itself, "{name}");
    }
}

#[test]
fn a_small_image_with_many_bytes_gets_a_thumbnail_with_fewer() {
    let mut noise = 1_u32;
    let image = RgbaImage::from_fn(200, 200, |_, _| {
        noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let [a, b, c, _] = noise.to_be_bytes();
        Rgba([a, b, c, 255])
    });
    let png = encoded(&image.into(), ImageFormat::Png);
    assert!(png.len() > SMALL);
    match thumbnail_of(&png, ImageType::Png) {
        Thumbnail::Made {
            bytes,
            width: 200,
            height: 200,
            ..
        } => assert!(bytes.len() < png.len()),
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_longest_side_has_512_pixels() {
    for (size, small) in [
        ((512, 512), (512, 512)),
        ((513, 513), (512, 512)),
        ((6000, 4000), (512, 341)),
        ((4000, 6000), (341, 512)),
        ((65_535, 3), (512, 1)),
        ((1, 70_000), (1, 512)),
        ((3, 2), (3, 2)),
    ] {
        assert_eq!(small_size(size.0, size.1), small);
    }
}

#[test]
fn transparency_is_kept() {
    let image = RgbaImage::from_fn(1000, 600, |x, y| match (x < 500, y < 300) {
        (true, true) => Rgba([255, 0, 0, 255]),
        // A colour that nobody sees must not shine into what lies beside it.
        (false, true) => Rgba([0, 0, 255, 0]),
        (true, false) => Rgba([0, 255, 0, 128]),
        (false, false) => Rgba([0, 0, 0, 0]),
    });
    let png = encoded(&image.into(), ImageFormat::Png);
    let thumbnail = thumbnail_of(&png, ImageType::Png);
    assert!(matches!(
        thumbnail,
        Thumbnail::Made {
            kind: ImageType::Webp,
            ..
        }
    ));
    let small = pixels("transparent", &thumbnail);
    assert_eq!(small.dimensions(), (512, 307));
    for pixel in small.pixels() {
        let Rgba([red, green, blue, alpha]) = *pixel;
        assert_eq!(blue, 0, "{pixel:?}");
        let is_plain = matches!((red, green), (255, 0) | (0, 255) | (0, 0));
        assert!(
            is_plain || (red.abs_diff(255 - green) <= 1 && alpha > 0),
            "{pixel:?}"
        );
    }
    assert_eq!(small.get_pixel(100, 250), &Rgba([0, 255, 0, 128]));
}

#[test]
fn a_drawing_stays_sharp_and_a_photograph_becomes_a_jpeg() {
    let kind_of = |image: RgbaImage| {
        let png = encoded(&DynamicImage::from(image), ImageFormat::Png);
        match thumbnail_of(&png, ImageType::Png) {
            Thumbnail::Made { kind, bytes, .. } => (kind, bytes.len()),
            Thumbnail::Itself => panic!("it is too large"),
        }
    };
    let drawing = RgbaImage::from_fn(900, 900, |x, y| {
        let is_line = x / 90 % 3 == 0 || y / 90 % 4 == 0;
        Rgba(if is_line { [20, 60, 90, 255] } else { [255; 4] })
    });
    assert_eq!(kind_of(drawing).0, ImageType::Webp);
    let photograph = RgbaImage::from_fn(900, 900, |x, y| {
        let wave = |a: f32, b: f32| {
            let phase = x as f32 / a + y as f32 / b;
            (phase.sin() * 90.0 + 128.0 + ((x * 7 + y * 13) % 11) as f32) as u8
        };
        Rgba([wave(31.0, 47.0), wave(53.0, 29.0), wave(71.0, 83.0), 255])
    });
    assert_eq!(kind_of(photograph).0, ImageType::Jpeg);
}

#[test]
fn an_animation_is_shown_by_its_first_frame() {
    // The stand-in for the animation is red, its first frame green, its second blue.
    let hidden = pixels("hidden", &made("upright/hidden.png"));
    assert_eq!(hidden.dimensions(), (20, 16));
    assert!(hidden.pixels().all(|&pixel| is_near(pixel, GREEN, 2)));
    for name in ["animated.gif", "animated.png", "animated.webp"] {
        let decoded = decoded(name);
        assert!(decoded.is_animated, "{name}");
    }
}

#[test]
fn colours_are_those_of_the_profile() {
    for extension in ["jpg", "png", "webp"] {
        // In these files red and green are exchanged.
        let name = format!("colours/swapped.{extension}");
        let thumbnail = made_in_any_case(&name);
        let Thumbnail::Made { bytes, .. } = &thumbnail else {
            panic!("{name} has many bytes");
        };
        let profile = b"Red and green exchanged";
        assert!(bytes.windows(profile.len()).any(|part| part == profile));
        assert_corners(&name, &pixels(&name, &thumbnail));

        // A long profile is not kept: the colours become those that it stands for.
        let name = format!("colours/swapped-long.{extension}");
        let thumbnail = made_in_any_case(&name);
        let Thumbnail::Made { bytes, .. } = &thumbnail else {
            panic!("{name} has many bytes");
        };
        assert!(!bytes.windows(4).any(|part| part == b"acsp"), "{name}");
        let image = pixels(&name, &thumbnail);
        // The same numbers, red and green the other way round; the curve is another as well.
        for (x, y, colour) in [(2, 2, [32, 224, 32, 255]), (45, 2, [192, 32, 64, 255])] {
            let found = *image.get_pixel(x, y);
            assert!(is_near(found, colour, 16), "{name} at {x} {y}: {found:?}");
        }
    }
    // A gray of 128, but linear.
    let gray = pixels("gray", &made("colours/gray.png"));
    assert!(
        gray.pixels()
            .all(|&pixel| is_near(pixel, [188, 188, 188, 255], 2))
    );
    let linear = pixels("gamma", &made("colours/gamma.png"));
    let found = *linear.get_pixel(2, 2);
    assert!(is_near(found, [240, 99, 99, 255], 3), "{found:?}");
    // The red of a wide display is more than the reddest red of sRGB.
    let wide = pixels("code points", &made("colours/code-points.png"));
    let found = *wide.get_pixel(2, 2);
    assert!(found.0[0] > 240 && found.0[1] < 25, "{found:?}");
}

#[test]
fn a_thumbnail_has_no_metadata() {
    for name in [
        "camera.jpg",
        "everything.png",
        "everything.webp",
        "comments.gif",
    ] {
        let name = format!("metadata/{name}");
        let Thumbnail::Made { bytes, .. } = made_in_any_case(&name) else {
            panic!("{name} has many bytes");
        };
        for part in [&b"Telltale"[..], b"Exif", b"EXIF", b"xmp", b"XMP"] {
            assert!(!bytes.windows(part.len()).any(|found| found == part));
        }
    }
}

#[test]
fn limits_hold() {
    for name in ["plain.png", "baseline.jpg", "still.gif", "lossy.webp"] {
        let with = |limits| thumbnail(&read(name), kind(name), limits);
        let few_pixels = Limits {
            max_pixels: 100,
            ..Limits::default()
        };
        assert_eq!(with(few_pixels), Err(DecodeError::OverLimit), "{name}");
        let no_time = Limits {
            time: Duration::ZERO,
            ..Limits::default()
        };
        assert_eq!(with(no_time), Err(DecodeError::OverLimit), "{name}");
    }
}

#[test]
fn an_image_of_another_type_cannot_be_decoded() {
    for kind in [
        ImageType::Png,
        ImageType::Jpeg,
        ImageType::Gif,
        ImageType::Webp,
    ] {
        for bytes in [
            &b""[..],
            b"RIFF",
            &[0xff; 100],
            b"GIF89a\x01\0\x01\0\0\0\0;",
        ] {
            let bytes = Bytes::from_static(bytes);
            assert!(
                thumbnail(&bytes, kind, Limits::default()).is_err(),
                "{kind}"
            );
        }
    }
}

const FILES: [&str; 24] = [
    "16bit.png",
    "interlaced.png",
    "palette.png",
    "animated.png",
    "upright/hidden.png",
    "upright/6.png",
    "colours/swapped-long.png",
    "colours/gray.png",
    "baseline.jpg",
    "progressive.jpg",
    "restart.jpg",
    "cmyk.jpg",
    "upright/6.jpg",
    "colours/swapped-long.jpg",
    "large/half.jpg",
    "large/eighth.jpg",
    "animated.gif",
    "interlaced.gif",
    "animated.webp",
    "alpha.webp",
    "lossless.webp",
    "lossy.webp",
    "colours/swapped-long.webp",
    "upright/6.webp",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn no_damage_makes_a_decoder_panic(
        file in prop::sample::select(&FILES[..]),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6),
        cut in prop::option::of(any::<prop::sample::Index>()),
    ) {
        let bytes = damaged(&read(file), &changes, cut);
        let limits = Limits { max_pixels: 1 << 20, ..Limits::default() };
        let made = thumbnail(&bytes, kind(file), limits).map(|made| made.thumbnail);
        if let Ok(Thumbnail::Made { bytes, kind, width, height }) = made {
            prop_assert!(width <= MAX_SIDE && height <= MAX_SIDE);
            let made = format::inspect(&bytes, limits, Metadata::Keep).unwrap();
            prop_assert_eq!((made.kind, made.width, made.height), (kind, width, height));
            prop_assert!(!made.is_damaged);
        }
    }
}
