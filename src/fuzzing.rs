//! What reads bytes from outside, as targets for a fuzzer. `fuzz/` drives them; the tests feed them what it has found.
//!
//! A target panics if a property does not hold. Any bytes are valid input.

pub use crate::engine::fuzzing::{reql_frames, reql_term, storage_codec};
pub use crate::web::fuzzing::{credentials, multipart, socket_command, socket_frames};

use std::time::Duration;

use bytes::Bytes;

use crate::image::{ImageType, Limits, Metadata, NewImage, Upload, decoding_memory, preview};

/// A target: its name, which is that of its corpus, and the function.
pub type Target = (&'static str, fn(&[u8]));

/// All targets.
pub const TARGETS: [Target; 8] = [
    ("credentials", credentials),
    ("image", image),
    ("multipart", multipart),
    ("reql_frames", reql_frames),
    ("reql_term", reql_term),
    ("socket_command", socket_command),
    ("socket_frames", socket_frames),
    ("storage_codec", storage_codec),
];

/// Inspects, strips and decodes a file. What was stripped is the same image, and stays as it is when it is stripped
/// again.
pub fn image(data: &[u8]) {
    let limits = Limits {
        max_pixels: 4_000_000,
        time: Duration::from_secs(5),
    };
    let parse = |file: Bytes| {
        let upload = Upload {
            file,
            ..Upload::default()
        };
        NewImage::parse(upload, limits, Metadata::Remove)
    };
    let Ok(image) = parse(Bytes::copy_from_slice(data)) else {
        return;
    };
    let meta = &image.meta;
    let pixels = u64::from(meta.width) * u64::from(meta.height);
    assert!((1..=limits.max_pixels).contains(&pixels));
    // In a fuzzer's build the decoder of PNG verifies no checksums, but the walk over the chunks does.
    if !(cfg!(fuzzing) && meta.kind == ImageType::Png) {
        let stripped = parse(image.file.clone()).expect("a stripped file is an image");
        let sizes = |image: &NewImage| (image.meta.kind, image.meta.width, image.meta.height);
        assert_eq!(sizes(&stripped), sizes(&image));
        assert!(stripped.file == image.file, "stripped twice");
    }
    decoding_memory(&image.file, meta.kind, pixels);
    let made = preview(&image.file, meta.kind, limits);
    if let Some(thumb) = made.thumb {
        parse(thumb).expect("a thumbnail is an image");
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::{Path, PathBuf};

    use super::*;

    fn files(folder: &Path) -> Vec<PathBuf> {
        let entries = fs::read_dir(folder).unwrap();
        let paths = entries.map(|entry| entry.unwrap().path());
        paths.filter(|path| path.is_file()).collect()
    }

    #[test]
    fn every_target_takes_what_the_fuzzer_has_found() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus");
        for (name, target) in TARGETS {
            let files = files(&root.join(name));
            assert!(files.len() >= 3, "the corpus of {name} is missing");
            for file in files {
                eprintln!("{}", file.display());
                target(&fs::read(&file).unwrap());
            }
        }
    }

    #[test]
    fn every_target_takes_bytes_that_are_nearly_valid() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus");
        for (name, target) in TARGETS {
            for file in files(&root.join(name)) {
                let whole = fs::read(&file).unwrap();
                for cut in 1..8 {
                    let mut part = whole[..whole.len() * cut / 8].to_vec();
                    target(&part);
                    if let Some(last) = part.last_mut() {
                        *last ^= 1 << cut;
                        target(&part);
                    }
                }
            }
        }
    }
}
