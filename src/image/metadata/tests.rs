use std::path::PathBuf;

use image::codecs::gif::GifDecoder;
use image::codecs::png::PngDecoder;
use image::codecs::webp::WebPDecoder;
use image::{AnimationDecoder, Frame};
use proptest::prelude::*;

use super::*;
use crate::image::check::{Facts, Limits, check};

/// Images of every kind with metadata in every place that it has for them.
const TELLING: [&str; 9] = [
    "metadata/camera.jpg",
    "metadata/everything.png",
    "metadata/animated.png",
    "metadata/everything.webp",
    "metadata/animated.webp",
    "metadata/comments.gif",
    "metadata/everything.avif",
    "metadata/inline.avif",
    "metadata/animated.avif",
];

/// What an image must not say any more: the camera and the author (all of them are called `Telltale` in these files), the
/// position in degrees (EXIF) and as text (XMP), and the heads of what may hold such things.
const TELLTALES: [&[u8]; 13] = [
    b"Telltale",
    b"GPS",
    b"\x00\x00\x00\x0c\x00\x00\x00\x01\x00\x00\x00\x14",
    b"12,20.7",
    b"12.345678",
    b"2021:02:03",
    b"<x:xmpmeta",
    b"http://ns.adobe.com",
    b"Photoshop 3.0",
    b"8BIM",
    b"MPF\0",
    b"XMP Data",
    b"Tellta",
];

fn read(name: &str) -> Bytes {
    let path: PathBuf = [env!("CARGO_MANIFEST_DIR"), "tests", "files", name]
        .iter()
        .collect();
    std::fs::read(path).unwrap().into()
}

/// All files that the board's check is tested with, and those of these tests.
fn all_files() -> Vec<String> {
    let folder: PathBuf = [env!("CARGO_MANIFEST_DIR"), "tests", "files"]
        .iter()
        .collect();
    let mut files = Vec::new();
    for place in ["", "upright/", "metadata/"] {
        for entry in folder.join(place).read_dir().unwrap() {
            let entry = entry.unwrap();
            if entry.file_type().unwrap().is_file() && !entry.path().ends_with("README.md") {
                files.push(format!("{place}{}", entry.file_name().to_str().unwrap()));
            }
        }
    }
    files.sort();
    files
}

fn facts(bytes: &[u8]) -> Facts {
    check(bytes, Limits::default()).unwrap()
}

fn cleaned(bytes: &Bytes) -> Bytes {
    without_metadata(bytes, facts(bytes).kind).unwrap()
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

#[test]
fn nothing_that_tells_of_the_maker_is_left() {
    for telltale in TELLTALES {
        let is_somewhere = TELLING.iter().any(|name| contains(&read(name), telltale));
        assert!(is_somewhere, "no file has {telltale:?}");
    }
    for name in TELLING {
        let original = read(name);
        assert!(contains(&original, b"Telltale"), "{name}");
        let clean = cleaned(&original);
        for telltale in TELLTALES {
            let telltale_text = telltale.escape_ascii();
            assert!(!contains(&clean, telltale), "{name}: {telltale_text}");
        }
    }
}

#[test]
fn what_decides_how_the_picture_looks_is_left() {
    for name in all_files() {
        let original = read(&name);
        let clean = cleaned(&original);
        assert_eq!(facts(&clean), facts(&original), "{name}");
        // Of the ICC profile: its signature, and the name that the profile in these files has.
        let has_profile = |bytes: &[u8]| contains(bytes, b"acsp") && contains(bytes, b"Wide");
        assert_eq!(has_profile(&clean), has_profile(&original), "{name}");
    }
    for (name, part) in [
        ("metadata/comments.gif", &b"NETSCAPE2.0\x03\x01\0\0\0"[..]),
        ("metadata/everything.png", b"iCCP"),
        ("metadata/animated.png", b"acTL"),
        ("cmyk.jpg", b"Adobe"),
    ] {
        assert!(contains(&cleaned(&read(name)), part), "{name}");
    }
}

/// Every frame with its time and place, as RGBA.
fn frames(bytes: &[u8], kind: ImageType) -> Vec<Frame> {
    let reader = std::io::Cursor::new(bytes);
    let still = || {
        let image = image::load_from_memory(bytes).unwrap();
        vec![Frame::new(image.to_rgba8())]
    };
    match kind {
        ImageType::Gif => {
            let decoder = GifDecoder::new(reader).unwrap();
            decoder.into_frames().collect_frames().unwrap()
        }
        ImageType::Webp => {
            let decoder = WebPDecoder::new(reader).unwrap();
            if !decoder.has_animation() {
                return still();
            }
            decoder.into_frames().collect_frames().unwrap()
        }
        ImageType::Png => {
            let decoder = PngDecoder::new(reader).unwrap();
            if !decoder.is_apng().unwrap() {
                return still();
            }
            let frames = decoder.apng().unwrap().into_frames();
            frames.collect_frames().unwrap()
        }
        _ => still(),
    }
}

#[test]
fn pixels_stay_as_they_are() {
    for name in all_files() {
        let original = read(&name);
        let kind = facts(&original).kind;
        if kind == ImageType::Avif {
            continue;
        }
        let (before, after) = (frames(&original, kind), frames(&cleaned(&original), kind));
        assert_eq!(before.len(), after.len(), "{name}");
        for (before, after) in before.iter().zip(&after) {
            assert_eq!(before.delay(), after.delay(), "{name}");
            assert!(before.buffer() == after.buffer(), "{name}");
        }
    }
}

#[test]
fn what_is_shown_of_an_avif_stays_in_its_place() {
    for name in ["metadata/everything.avif", "metadata/inline.avif"] {
        let original = read(name);
        let clean = cleaned(&original);
        // A temporal delimiter and the sequence header.
        let start = original
            .windows(4)
            .position(|bytes| bytes == [0x12, 0x00, 0x0a, 0x09])
            .unwrap();
        assert_eq!(clean[start..start + 64], original[start..start + 64]);
        assert!(contains(&clean, b"\0\0\0\x09irot\x03"));
        assert!(contains(&clean, b"\0\0\0\0MM\0\x2a\0\0\0\x08\0\0\0\0\0\0"));
    }
    let sequence = read("metadata/animated.avif");
    let clean = cleaned(&sequence);
    assert_eq!(clean.len(), sequence.len());
    for header in [b"mvhd", b"tkhd", b"mdhd"] {
        let times = |bytes: &[u8]| {
            let name = bytes.windows(4).position(|name| name == header).unwrap();
            bytes[name + 8..name + 24].to_vec()
        };
        assert_ne!(times(&sequence), [0; 16]);
        assert_eq!(times(&clean), [0; 16]);
    }
}

#[test]
fn an_image_without_metadata_is_not_copied() {
    for name in all_files() {
        let once = cleaned(&read(&name));
        let twice = cleaned(&once);
        assert_eq!(twice.as_ptr(), once.as_ptr(), "{name}");
        assert_eq!(twice.len(), once.len(), "{name}");
    }
    for name in ["restart.jpg", "gray.jpg", "lossless.webp", "still.avif"] {
        let original = read(name);
        assert_eq!(cleaned(&original).as_ptr(), original.as_ptr(), "{name}");
    }
}

#[test]
fn each_orientation_stays() {
    for (kind, head) in [("jpg", &b"Exif\0\0"[..]), ("png", b"eXIf")] {
        for orientation in 1..=8 {
            let name = format!("upright/{orientation}.{kind}");
            let clean = cleaned(&read(&name));
            let tag = [b"\x01\x12\0\x03\0\0\0\x01\0", &[orientation][..]].concat();
            assert_eq!(contains(&clean, head), orientation > 1, "{name}");
            assert_eq!(contains(&clean, &tag), orientation > 1, "{name}");
        }
    }
}

#[test]
fn the_orientation_of_a_webp_goes() {
    for orientation in 1..=8 {
        let name = format!("upright/{orientation}.webp");
        let clean = cleaned(&read(&name));
        assert!(!contains(&clean, b"EXIF"), "{name}");
        // With nothing in it, the file may have no VP8X, or one whose flag is off.
        let flag = clean.get(20).filter(|_| &clean[12..16] == b"VP8X");
        assert!(flag.is_none_or(|flag| flag & 8 == 0), "{name}");
    }
}

#[test]
fn every_kind_of_jpeg_loses_a_comment_and_a_camera() {
    let camera = read("metadata/camera.jpg");
    let segments = camera
        .windows(4)
        .position(|bytes| bytes == b"Exif")
        .unwrap()
        - 4;
    let length = usize::from(u16::from_be_bytes([
        camera[segments + 2],
        camera[segments + 3],
    ]));
    let exif = &camera[segments..segments + 2 + length];
    for name in [
        "baseline.jpg",
        "cmyk.jpg",
        "gray.jpg",
        "progressive.jpg",
        "restart.jpg",
    ] {
        let original = read(name);
        let comment = b"\xff\xff\xff\xfe\0\x0aTelltale";
        // Directly behind the beginning, and before the scan.
        let scan = original
            .windows(2)
            .position(|mark| mark == [0xff, 0xda])
            .unwrap();
        let telling = [
            &original[..2],
            comment,
            exif,
            &original[2..scan],
            comment,
            &original[scan..],
            b"Telltale",
        ]
        .concat();
        let clean = cleaned(&telling.into());
        assert_eq!(clean.len(), cleaned(&original).len() + 36, "{name}");
        assert!(!contains(&clean, b"Telltale"), "{name}");
    }
}

/// The file with these bytes at this place.
fn with(bytes: &Bytes, at: usize, new: &[u8]) -> Bytes {
    let mut changed = bytes.to_vec();
    changed[at..at + new.len()].copy_from_slice(new);
    changed.into()
}

#[test]
fn an_avif_that_is_not_understood_is_refused() {
    let original = read("metadata/everything.avif");
    let refused = |bytes: &Bytes| without_metadata(bytes, ImageType::Avif).is_err();
    assert!(!refused(&original));
    let iloc = original
        .windows(4)
        .position(|name| name == b"iloc")
        .unwrap()
        + 4;
    // Three items of 14 bytes each, behind 8 bytes: number, place of its data, how many parts, offset, length.
    let item = |index: usize| iloc + 8 + 14 * index;
    let picture = &original[item(0) + 6..item(0) + 14];
    // The EXIF data are where the picture is, in the header, in another file.
    assert!(refused(&with(&original, item(1) + 6, picture)));
    assert!(refused(&with(&original, item(1) + 6, &0_u32.to_be_bytes())));
    assert!(refused(&with(&original, item(1) + 2, &[0, 1])));
    // So many parts without a length.
    assert!(refused(&with(&original, iloc + 4, &[0, 0, 0xff, 0xff])));
    let moved = original
        .windows(4)
        .position(|name| name == b"uuid")
        .unwrap();
    assert!(refused(&with(&original, moved, b"moof")));
    // A track of something else than pictures.
    let sequence = read("metadata/animated.avif");
    let handler = sequence
        .windows(4)
        .rposition(|name| name == b"auxv")
        .unwrap();
    assert!(refused(&with(&sequence, handler, b"meta")));
}

#[test]
fn a_cut_image_is_refused() {
    for name in TELLING.iter().filter(|name| !name.ends_with("avif")) {
        let whole = cleaned(&read(name));
        let kind = facts(&whole).kind;
        for length in 0..whole.len() {
            let cut = whole.slice(..length);
            assert!(
                without_metadata(&cut, kind).is_err(),
                "{name} cut to {length}"
            );
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn whatever_passes_the_check_still_does_without_its_metadata(
        file in prop::sample::select(all_files()),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
        cut in prop::option::of(any::<prop::sample::Index>()),
    ) {
        let original = read(&file);
        let kind = facts(&original).kind;
        let mut bytes = original.to_vec();
        for (place, byte) in changes {
            let place = place.index(bytes.len());
            bytes[place] = byte;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        let bytes = Bytes::from(bytes);
        let clean = without_metadata(&bytes, kind);
        let limits = Limits { max_pixels: 1 << 20, ..Limits::default() };
        if let Ok(facts) = check(&bytes, limits) {
            prop_assert_eq!(facts.kind, kind);
            // Of an AVIF, more has to be understood than the check looks at.
            prop_assert!(clean.is_ok() || kind == ImageType::Avif, "{:?}", clean);
            if let Ok(clean) = clean {
                prop_assert_eq!(check(&clean, limits), Ok(facts));
                prop_assert_eq!(without_metadata(&clean, kind), Ok(clean));
            }
        }
    }
}
