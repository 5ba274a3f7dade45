//! Real image files of every supported type.

use std::path::PathBuf;

/// Each file with its type, and its width and height as shown by browsers.
pub(crate) const IMAGES: [(&str, &str, u32, u32); 18] = [
    ("plain.png", "image/png", 64, 48),
    ("interlaced.png", "image/png", 64, 48),
    ("16bit.png", "image/png", 24, 18),
    ("animated.png", "image/png", 20, 15),
    ("baseline.jpg", "image/jpeg", 64, 48),
    ("progressive.jpg", "image/jpeg", 64, 48),
    ("cmyk.jpg", "image/jpeg", 64, 48),
    ("rotated.jpg", "image/jpeg", 48, 64),
    ("trailing.jpg", "image/jpeg", 64, 48),
    ("still.gif", "image/gif", 64, 48),
    ("animated.gif", "image/gif", 40, 30),
    ("lossy.webp", "image/webp", 64, 48),
    ("lossless.webp", "image/webp", 32, 24),
    ("animated.webp", "image/webp", 40, 30),
    ("still.avif", "image/avif", 64, 48),
    ("alpha.avif", "image/avif", 32, 24),
    ("animated.avif", "image/avif", 40, 30),
    ("rotated.avif", "image/avif", 48, 64),
];

/// The bytes of a file.
pub(crate) fn read(name: &str) -> Vec<u8> {
    let path: PathBuf = [env!("CARGO_MANIFEST_DIR"), "tests", "files", name]
        .iter()
        .collect();
    std::fs::read(path).unwrap()
}

/// A valid image of exactly `length` bytes: `plain.png` followed by noise, as cameras append data of their own. Each
/// seed gives different bytes.
pub(crate) fn sized(length: usize, seed: u64) -> Vec<u8> {
    let mut bytes = read("plain.png");
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    while bytes.len() < length {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend_from_slice(&state.to_le_bytes());
    }
    bytes.truncate(length);
    bytes
}
