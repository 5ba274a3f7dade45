use super::*;
use crate::image::limits::Bounds;

/// Files with their type, and their width and height as Chromium shows them.
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

#[test]
fn intact_files_are_accepted_with_their_upright_size() {
    for (name, kind, width, height) in FILES {
        assert_eq!(facts(&read(name)), (kind, width, height, false), "{name}");
    }
}

#[test]
fn bytes_behind_the_end_of_an_image_are_ignored() {
    for (name, kind, width, height) in FILES {
        for tail in [&[0; 40][..], b"\0\0\0\0MotionPhoto_Data", &[0xff; 3]] {
            let bytes = [&read(name), tail].concat().into();
            assert_eq!(
                facts(&bytes),
                (kind, width, height, false),
                "{name} {tail:?}"
            );
        }
    }
}

/// The result of an upload: its size, and whether it is damaged; or nothing if it is refused.
fn verdict(bytes: &Bytes) -> Option<(u32, u32, bool)> {
    let limits = Limits {
        max_pixels: 1 << 20,
        ..Limits::default()
    };
    let inspection = inspect(bytes, limits, Metadata::Remove).ok()?;
    let decoded = decode(&inspection.file, inspection.kind, Bounds::start(limits));
    let is_damaged = match decoded {
        Ok(decoded) => decoded.is_damaged,
        Err(error) => error == DecodeError::Damaged,
    };
    Some((
        inspection.width,
        inspection.height,
        inspection.is_damaged || is_damaged,
    ))
}

#[test]
fn a_file_is_accepted_from_its_header_on_and_damaged_until_it_is_complete() {
    for (name, _, width, height) in FILES {
        // The first of the two images in it is complete before the file is.
        if name == "trailing.jpg" {
            continue;
        }
        let whole = read(name);
        let limits = Limits::default();
        let is_accepted =
            |length| inspect(&whole.slice(..length), limits, Metadata::Remove).is_ok();
        let accepted: Vec<_> = (0..whole.len()).map(is_accepted).collect();
        let first = accepted.iter().position(|&is_accepted| is_accepted);
        let first = first.unwrap_or_else(|| panic!("{name} is refused until it is complete"));
        let refused = (first..whole.len()).find(|&length| !accepted[length]);
        assert_eq!(refused, None, "{name} cut to this length");
        // Decoding takes longer: not of every length.
        for length in (first..whole.len()).step_by(16).chain([whole.len() - 1]) {
            let found = verdict(&whole.slice(..length));
            let expected = Some((width, height, true));
            assert_eq!(found, expected, "{name} cut to {length}");
        }
    }
}

#[test]
fn no_damage_causes_a_panic() {
    for (name, ..) in FILES {
        let whole = read(name);
        // Every position has its turn in some file; more in every run of the property test of the thumbnails.
        for position in (0..whole.len()).step_by(1 + whole.len() / 256) {
            let mut damaged = whole.to_vec();
            damaged[position] ^= [0x01, 0x80, 0xff][position % 3];
            verdict(&damaged.into());
        }
    }
}

#[test]
fn a_webp_may_claim_any_length() {
    for name in ["alpha.webp", "animated.webp", "lossless.webp", "lossy.webp"] {
        let whole = read(name);
        let lengths = (0..whole.len() as u32 + 20).chain([u32::MAX - 8, u32::MAX]);
        for length in lengths {
            let mut webp = whole.to_vec();
            webp[4..8].copy_from_slice(&length.to_le_bytes());
            let result = inspect(&webp.into(), Limits::default(), Metadata::Remove);
            if length < 20 {
                assert!(result.is_err(), "{name} of length {length}");
            }
        }
    }
}

fn refusal(bytes: &Bytes, limits: Limits) -> Option<InvalidImage> {
    inspect(bytes, limits, Metadata::Remove).err()
}

#[test]
fn a_file_of_another_type_is_refused_by_name() {
    let refused = |bytes: &'static [u8]| {
        inspect(
            &Bytes::from_static(bytes),
            Limits::default(),
            Metadata::Remove,
        )
        .unwrap_err()
    };
    for bytes in [&b""[..], b"hello, world"] {
        assert_eq!(refused(bytes), InvalidImage::Unknown(None));
    }
    let heic = refused(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic");
    assert!(
        heic.to_string()
            .starts_with("HEIC: on the iPhone choose Settings")
    );
}

/// An AVIF whose first size property claims this.
fn avif_claiming(name: &str, width: u32, height: u32) -> Bytes {
    let mut avif = read(name).to_vec();
    let property = avif.windows(4).position(|name| name == b"ispe").unwrap() + 8;
    avif[property..property + 4].copy_from_slice(&width.to_be_bytes());
    avif[property + 4..property + 8].copy_from_slice(&height.to_be_bytes());
    avif.into()
}

#[test]
fn the_size_is_what_the_header_claims() {
    for (name, size, shown) in [
        ("still.avif", (9000, 9000), (9000, 9000)),
        ("rotated.avif", (65, 48), (48, 65)),
        ("alpha.avif", (33, 24), (33, 24)),
        ("grid.avif", (9000, 9000), (9000, 9000)),
        // Of a sequence the track counts.
        ("animated.avif", (9000, 9000), (40, 30)),
    ] {
        let inspection = inspected(&avif_claiming(name, size.0, size.1));
        assert_eq!((inspection.width, inspection.height), shown, "{name}");
    }
    assert_eq!(verdict(&png_claiming(64, 480)), Some((64, 480, true)));
    for name in [
        "baseline.jpg",
        "progressive.jpg",
        "cmyk.jpg",
        "gray.jpg",
        "restart.jpg",
    ] {
        let mut jpeg = read(name).to_vec();
        let frame = jpeg
            .windows(2)
            .position(|mark| matches!(mark, [0xff, 0xc0..=0xc2]))
            .unwrap();
        jpeg[frame + 5..frame + 7].copy_from_slice(&800_u16.to_be_bytes());
        let shown = verdict(&jpeg.into());
        assert!(matches!(shown, Some((_, 800, true))), "{name}: {shown:?}");
    }
    let mut gif = read("still.gif").to_vec();
    let frame = gif
        .windows(9)
        .position(|bytes| bytes == [0x2c, 0, 0, 0, 0, 64, 0, 48, 0])
        .unwrap();
    gif[frame + 7] = 200;
    assert_eq!(verdict(&gif.into()), Some((64, 200, true)));
}

/// A PNG whose header claims this size; the checksum is right.
fn png_claiming(width: u32, height: u32) -> Bytes {
    let mut png = read("plain.png").to_vec();
    png[16..20].copy_from_slice(&width.to_be_bytes());
    png[20..24].copy_from_slice(&height.to_be_bytes());
    let checksum = crc32fast::hash(&png[12..29]);
    png[29..33].copy_from_slice(&checksum.to_be_bytes());
    png.into()
}

#[test]
fn a_header_that_claims_too_many_pixels_is_refused_before_they_are_decoded() {
    let bomb = refusal(&png_claiming(100_000, 100_000), Limits::default());
    assert_eq!(
        bomb,
        Some(InvalidImage::TooLarge {
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
        let refusal = refusal(&read(name), limits);
        assert!(
            matches!(refusal, Some(InvalidImage::TooLarge { .. })),
            "{name}"
        );
    }
}

#[test]
fn an_image_without_pixels_is_refused() {
    let refusal = refusal(&png_claiming(0, 10), Limits::default());
    assert!(matches!(refusal, Some(InvalidImage::Damaged(..))));
}

/// A file, the size that Chromium shows (nothing if it refuses the file), and whether it counts as damaged.
type Flawed = (&'static str, Option<(u32, u32)>, bool);

/// One file for each kind of flaw that Chromium tolerates, and some that it refuses.
const FLAWED: [Flawed; 18] = [
    ("alpha-without-size.avif", None, false),
    ("rotation-not-essential.avif", None, false),
    ("sound.avif", Some((32, 48)), false),
    ("cut.avif", Some((64, 48)), true),
    ("arithmetic.jpg", Some((64, 48)), false),
    ("comment-length.jpg", Some((64, 48)), false),
    ("same-components.jpg", Some((64, 48)), false),
    ("without-tables.jpg", Some((64, 48)), false),
    ("pixels.jpg", Some((64, 48)), true),
    ("cut.jpg", Some((64, 48)), true),
    ("larger-frame.gif", Some((64, 48)), false),
    ("outside-screen.gif", Some((70, 51)), false),
    ("unknown-block.gif", Some((64, 48)), true),
    ("cut.gif", Some((40, 30)), true),
    // Only the first frame is decoded.
    ("short-frame.gif", Some((40, 30)), false),
    ("checksum.png", Some((64, 48)), true),
    ("cut.png", Some((64, 48)), true),
    ("cut.webp", Some((64, 48)), true),
];

#[test]
fn each_kind_of_flaw_is_accepted_as_in_chromium() {
    for (name, size, is_damaged) in FLAWED {
        let expected = size.map(|(width, height)| (width, height, is_damaged));
        assert_eq!(
            verdict(&read(&format!("damaged/{name}"))),
            expected,
            "{name}"
        );
    }
}
