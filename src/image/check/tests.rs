use std::path::PathBuf;

use super::*;

/// Every file, its kind, and its width and height as browsers show it.
const FILES: [(&str, ImageType, u32, u32); 27] = [
    ("16bit.png", ImageType::Png, 24, 18),
    ("1bit.png", ImageType::Png, 64, 48),
    ("animated.png", ImageType::Png, 20, 15),
    ("interlaced.png", ImageType::Png, 64, 48),
    ("palette.png", ImageType::Png, 64, 48),
    ("plain.png", ImageType::Png, 64, 48),
    ("rotated.png", ImageType::Png, 48, 64),
    ("baseline.jpg", ImageType::Jpeg, 64, 48),
    ("cmyk.jpg", ImageType::Jpeg, 64, 48),
    ("gray.jpg", ImageType::Jpeg, 64, 48),
    ("progressive.jpg", ImageType::Jpeg, 64, 48),
    ("restart.jpg", ImageType::Jpeg, 30, 20),
    ("rotated.jpg", ImageType::Jpeg, 48, 64),
    ("trailing.jpg", ImageType::Jpeg, 64, 48),
    ("animated.gif", ImageType::Gif, 40, 30),
    ("interlaced.gif", ImageType::Gif, 64, 48),
    ("still.gif", ImageType::Gif, 64, 48),
    ("alpha.webp", ImageType::Webp, 32, 24),
    ("animated.webp", ImageType::Webp, 40, 30),
    ("lossless.webp", ImageType::Webp, 32, 24),
    ("lossy.webp", ImageType::Webp, 64, 48),
    // Chromium does not turn a WebP, although this one asks for it.
    ("rotated.webp", ImageType::Webp, 64, 48),
    ("alpha.avif", ImageType::Avif, 32, 24),
    ("animated.avif", ImageType::Avif, 40, 30),
    ("grid.avif", ImageType::Avif, 256, 128),
    ("rotated.avif", ImageType::Avif, 48, 64),
    ("still.avif", ImageType::Avif, 64, 48),
];

fn read(name: &str) -> Vec<u8> {
    let path: PathBuf = [env!("CARGO_MANIFEST_DIR"), "tests", "files", name]
        .iter()
        .collect();
    std::fs::read(path).unwrap()
}

fn check_default(bytes: &[u8]) -> Result<Facts, Unfit> {
    check(bytes, Limits::default())
}

#[test]
fn real_files_of_every_kind_are_taken_with_their_upright_size() {
    for (name, kind, width, height) in FILES {
        assert_eq!(
            check_default(&read(name)),
            Ok(Facts {
                kind,
                width,
                height
            }),
            "{name}"
        );
    }
}

#[test]
fn bytes_after_the_end_of_an_image_are_not_looked_at() {
    for (name, kind, width, height) in FILES {
        for tail in [&[0; 40][..], b"\0\0\0\0MotionPhoto_Data", &[0xff; 3]] {
            let bytes = [&read(name), tail].concat();
            assert_eq!(
                check_default(&bytes),
                Ok(Facts {
                    kind,
                    width,
                    height
                }),
                "{name} {tail:?}"
            );
        }
    }
}

#[test]
fn a_file_cut_anywhere_is_refused() {
    for (name, ..) in FILES {
        // The first of the two images in it is complete; what follows may be cut.
        if name == "trailing.jpg" {
            continue;
        }
        let whole = read(name);
        for length in 0..whole.len() {
            let result = check_default(&whole[..length]);
            let refused = matches!(
                result,
                Err(Unfit::Truncated(_) | Unfit::Unknown | Unfit::Damaged(..))
            );
            assert!(
                refused,
                "{name} cut to {length} of {}: {result:?}",
                whole.len()
            );
        }
        let half = check_default(&whole[..whole.len() / 2]);
        assert!(matches!(half, Err(Unfit::Truncated(_))), "{name}: {half:?}");
    }
}

#[test]
fn no_damage_makes_the_check_panic() {
    for (name, ..) in FILES {
        let whole = read(name);
        for position in 0..whole.len() {
            let mut damaged = whole.clone();
            damaged[position] ^= [0x01, 0x80, 0xff][position % 3];
            let _ = check(
                &damaged,
                Limits {
                    max_pixels: 1 << 20,
                    ..Limits::default()
                },
            );
        }
    }
}

#[test]
fn what_is_no_image_is_unknown() {
    let heic = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic";
    for bytes in [
        &b""[..],
        b"hello, world",
        b"<svg xmlns=\"http://www.w3.org/2000/svg\"/>",
        b"BM\0\0",
        heic,
    ] {
        assert_eq!(check_default(bytes), Err(Unfit::Unknown));
    }
}

/// An AVIF whose first size property claims this.
fn avif_claiming(name: &str, width: u32, height: u32) -> Vec<u8> {
    let mut avif = read(name);
    let property = avif.windows(4).position(|name| name == b"ispe").unwrap() + 8;
    avif[property..property + 4].copy_from_slice(&width.to_be_bytes());
    avif[property + 4..property + 8].copy_from_slice(&height.to_be_bytes());
    avif
}

#[test]
fn an_avif_must_have_the_size_that_it_claims() {
    for (name, width, height) in [
        ("still.avif", 64, 48),
        ("rotated.avif", 64, 48),
        ("alpha.avif", 32, 24),
        ("animated.avif", 40, 30),
        ("grid.avif", 256, 128),
    ] {
        let honest = avif_claiming(name, width, height);
        assert!(honest == read(name) && check_default(&honest).is_ok());
        for (width, height) in [
            (9000, 9000),
            (width + 1, height),
            (width, height - 1),
            (1, 1),
        ] {
            assert_eq!(
                check_default(&avif_claiming(name, width, height)),
                Err(Unfit::Damaged("AVIF", "its pixels have another size")),
                "{name} {width} {height}"
            );
        }
    }
    // The grid's own record claims the same, but the tiles do not fill it.
    let mut grid = avif_claiming("grid.avif", 9000, 9000);
    let record = [0, 0, 0, 1, 1, 0, 0, 128];
    let record = grid.windows(8).position(|bytes| bytes == record).unwrap();
    grid[record + 4..record + 8].copy_from_slice(&[0x23, 0x28, 0x23, 0x28]);
    assert!(matches!(check_default(&grid), Err(Unfit::Damaged(..))));
}

/// A PNG whose header claims this size; the checksum is right.
fn png_claiming(width: u32, height: u32) -> Vec<u8> {
    let mut png = read("plain.png");
    png[16..20].copy_from_slice(&width.to_be_bytes());
    png[20..24].copy_from_slice(&height.to_be_bytes());
    let checksum = crc32fast::hash(&png[12..29]);
    png[29..33].copy_from_slice(&checksum.to_be_bytes());
    png
}

#[test]
fn a_header_that_claims_too_many_pixels_is_refused_before_they_are_decoded() {
    let bomb = check_default(&png_claiming(100_000, 100_000));
    assert_eq!(
        bomb,
        Err(Unfit::TooLarge {
            width: 100_000,
            height: 100_000,
            max_pixels: 100_000_000
        })
    );
    for (name, _, width, height) in FILES {
        let limits = Limits {
            max_pixels: u64::from(width) * u64::from(height) - 1,
            ..Limits::default()
        };
        assert!(
            matches!(check(&read(name), limits), Err(Unfit::TooLarge { .. })),
            "{name}"
        );
    }
}

#[test]
fn a_header_that_claims_more_pixels_than_there_are_is_a_lie() {
    let lies = |bytes: &[u8], what: &str| {
        let result = check_default(bytes);
        assert!(
            matches!(result, Err(Unfit::Damaged(..) | Unfit::Truncated(_))),
            "{what}: {result:?}"
        );
    };
    lies(&png_claiming(64, 480), "png");
    for name in [
        "baseline.jpg",
        "progressive.jpg",
        "cmyk.jpg",
        "gray.jpg",
        "restart.jpg",
    ] {
        let mut jpeg = read(name);
        let frame = jpeg
            .windows(2)
            .position(|mark| matches!(mark, [0xff, 0xc0..=0xc2]))
            .unwrap();
        jpeg[frame + 5..frame + 7].copy_from_slice(&800_u16.to_be_bytes());
        lies(&jpeg, name);
    }
    let mut gif = read("still.gif");
    let frame = gif
        .windows(9)
        .position(|bytes| bytes == [0x2c, 0, 0, 0, 0, 64, 0, 48, 0])
        .unwrap();
    gif[frame + 7] = 200;
    lies(&gif, "gif");
}

#[test]
fn an_image_without_pixels_is_refused() {
    assert!(matches!(
        check_default(&png_claiming(0, 10)),
        Err(Unfit::Damaged(..))
    ));
}
