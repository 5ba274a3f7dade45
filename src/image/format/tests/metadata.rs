use image::codecs::gif::GifDecoder;
use image::codecs::png::PngDecoder;
use image::codecs::webp::WebPDecoder;
use image::{AnimationDecoder, Frame};

use super::*;

/// Images of every format with metadata in each place that the format has for them.
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

/// Byte strings that must be gone: the camera and the author (all of them are called `Telltale` in these files), the
/// position in degrees (EXIF) and as text (XMP), and the heads of structures that hold such things.
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

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

#[test]
fn no_metadata_are_left() {
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
fn everything_that_decides_the_look_is_left() {
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
        let kind = inspected(&original).kind;
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
fn the_pixels_of_an_avif_stay_where_they_are() {
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
fn every_kind_of_jpeg_loses_comments_and_exif_data() {
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

/// The file with these bytes at this offset.
fn with(bytes: &Bytes, at: usize, new: &[u8]) -> Bytes {
    let mut changed = bytes.to_vec();
    changed[at..at + new.len()].copy_from_slice(new);
    changed.into()
}

fn position(bytes: &[u8], part: &[u8]) -> usize {
    bytes
        .windows(part.len())
        .position(|window| window == part)
        .unwrap()
}

#[test]
fn an_avif_whose_metadata_cannot_be_overwritten_is_refused() {
    let original = read("metadata/everything.avif");
    let refused = |bytes: &Bytes| inspect(bytes, Limits::default(), Metadata::Remove).is_err();
    assert!(!refused(&original));
    let iloc = position(&original, b"iloc") + 4;
    // Three items of 14 bytes each, behind 8 bytes: number, base of its offset, number of parts, offset, length.
    let item = |index: usize| iloc + 8 + 14 * index;
    let picture = &original[item(0) + 6..item(0) + 14];
    // The EXIF data are where the pixels are, in the header, in another file.
    assert!(refused(&with(&original, item(1) + 6, picture)));
    assert!(refused(&with(&original, item(1) + 6, &0_u32.to_be_bytes())));
    assert!(refused(&with(&original, item(1) + 2, &[0, 1])));
    // So many parts without a length.
    assert!(refused(&with(&original, iloc + 4, &[0, 0, 0xff, 0xff])));
}

#[test]
fn a_track_of_sound_is_removed_from_an_avif() {
    let original = read("damaged/sound.avif");
    let clean = cleaned(&original);
    assert!(contains(&original, b"soun") && contains(&original, b"Telltale"));
    assert!(!contains(&clean, b"soun") && !contains(&clean, b"Telltale"));
    assert_eq!(clean.len(), original.len());
}

/// The tables of a file are no longer where they were, as after an error in transmission: in a PNG the length of the
/// pixels, in a GIF that of a block, in a WebP that of the image covers the metadata behind it.
#[test]
fn metadata_that_a_wrong_length_hides_among_the_pixels_are_removed() {
    let png = read("metadata/everything.png");
    let pixels = position(&png, b"IDAT");
    let hidden = with(&png, pixels - 2, &[0x7f, 0xff]);
    let webp = read("metadata/everything.webp");
    let pixels = [&b"VP8 "[..], b"VP8L"]
        .into_iter()
        .find(|name| contains(&webp, name))
        .map(|name| position(&webp, name))
        .unwrap();
    let length = u32::try_from(webp.len() - pixels - 8).unwrap();
    let webp = with(&webp, pixels + 4, &length.to_le_bytes());
    for (name, hidden) in [("png", hidden), ("webp", webp)] {
        if let Ok(inspection) = inspect(&hidden, Limits::default(), Metadata::Remove) {
            for telltale in TELLTALES {
                let text = telltale.escape_ascii();
                assert!(!contains(&inspection.file, telltale), "{name}: {text}");
            }
        }
    }
}

#[test]
fn metadata_in_damaged_files_are_removed() {
    for name in TELLING {
        let original = read(name);
        for length in 0..original.len() {
            let cut = original.slice(..length);
            let Ok(inspection) = inspect(&cut, Limits::default(), Metadata::Remove) else {
                continue;
            };
            for telltale in TELLTALES {
                let text = telltale.escape_ascii();
                let is_left = contains(&inspection.file, telltale);
                assert!(!is_left, "{name} cut to {length}: {text}");
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn a_file_without_metadata_is_inspected_as_the_original(
        file in prop::sample::select(all_files()),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
        cut in prop::option::of(any::<prop::sample::Index>()),
    ) {
        let file = damaged(&read(&file), &changes, cut);
        let limits = Limits { max_pixels: 1 << 20, ..Limits::default() };
        if let Ok(first) = inspect(&file, limits, Metadata::Remove) {
            let second = inspect(&first.file, limits, Metadata::Remove);
            prop_assert!(second.is_ok(), "{:?}", second);
            let second = second.unwrap();
            prop_assert_eq!((second.kind, second.width, second.height), (first.kind, first.width, first.height));
            prop_assert_eq!(second.file, first.file);
        }
    }
}
