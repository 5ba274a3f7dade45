//! The images in `tests/files`, for unit tests.

use std::path::PathBuf;

use bytes::Bytes;
use image::{DynamicImage, ImageFormat};
use proptest::sample::Index;

/// The folder of the images.
pub(super) fn folder() -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "tests", "files"]
        .iter()
        .collect()
}

/// The contents of an image.
pub(super) fn read(name: &str) -> Bytes {
    std::fs::read(folder().join(name)).unwrap().into()
}

/// An image as a file.
pub(super) fn encoded(image: &DynamicImage, format: ImageFormat) -> Bytes {
    let mut file = std::io::Cursor::new(Vec::new());
    image.write_to(&mut file, format).unwrap();
    file.into_inner().into()
}

/// A file with changed bytes, cut off at `cut`.
pub(super) fn damaged(file: &[u8], changes: &[(Index, u8)], cut: Option<Index>) -> Bytes {
    let mut bytes = file.to_vec();
    for (position, byte) in changes {
        let position = position.index(bytes.len());
        bytes[position] = *byte;
    }
    if let Some(cut) = cut {
        bytes.truncate(cut.index(bytes.len()));
    }
    bytes.into()
}
