//! The files of the pages, from the folder `static`, as they are sent: joined, minified, and compressed as far as that
//! goes.
//!
//! A release build embeds the folder, a debug build reads it from disk. Each file is prepared when it is first
//! requested. Half of the source is comments, and compressing a file takes longer than sending it, so each file is
//! minified and compressed once.

use std::collections::HashMap;
use std::io::{self, Write as _};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use actix_web::http::header::{ContentEncoding, EntityTag};
use bytes::Bytes;
use data_encoding::HEXLOWER;
use flate2::Compression;
use flate2::write::GzEncoder;
use rust_embed::Embed;
use sha2::{Digest as _, Sha256};
use tokio::task::spawn_blocking;

use super::bundle::{bundled_script, bundled_style};

#[derive(Embed)]
#[folder = "static/"]
#[allow_missing = true]
struct Files;

/// The encodings that are offered, the best first. Browsers accept Brotli over HTTPS and from this machine only.
pub(crate) const ENCODINGS: [ContentEncoding; 3] = [
    ContentEncoding::Brotli,
    ContentEncoding::Gzip,
    ContentEncoding::Identity,
];

/// The effort of Brotli, of at most 11. A debug build is started anew for each browser test, and must not compress for
/// long.
const BROTLI_QUALITY: i32 = if cfg!(debug_assertions) { 4 } else { 11 };

/// The files of the pages below one path.
pub(crate) struct PageFiles {
    /// The path of the site, with a slash at both ends. Pages name their other files by it.
    base: String,
    files: Mutex<HashMap<String, Arc<PageFile>>>,
}

/// A file of the pages.
pub(crate) struct PageFile {
    path: String,
    /// The SHA-256 of the source, which a debug build may find changed.
    source: [u8; 32],
    /// The SHA-256 of what is sent, which also depends on the path of the site.
    hash: [u8; 32],
    plain: Bytes,
    gzip: OnceLock<Bytes>,
    brotli: OnceLock<Bytes>,
}

impl PageFiles {
    pub(crate) fn new(base: &str) -> Self {
        Self {
            base: base.to_owned(),
            files: Mutex::default(),
        }
    }

    /// The file at `path` in the folder, if there is one.
    pub(crate) fn get(&self, path: &str) -> Option<Arc<PageFile>> {
        let mut files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        let known = files.get(path);
        if let Some(file) = known.filter(|_| !cfg!(debug_assertions)) {
            return Some(file.clone());
        }
        let text = source(path)?;
        let source = Sha256::digest(&text).into();
        if let Some(file) = known.filter(|file| file.source == source) {
            return Some(file.clone());
        }
        let plain = minified(path, &text, &self.base);
        let file = Arc::new(PageFile {
            path: path.to_owned(),
            source,
            hash: Sha256::digest(&plain).into(),
            plain,
            gzip: OnceLock::new(),
            brotli: OnceLock::new(),
        });
        files.insert(path.to_owned(), file.clone());
        Some(file)
    }
}

impl PageFile {
    /// Identifies the bytes of the file in an encoding.
    pub(crate) fn etag(&self, encoding: ContentEncoding) -> EntityTag {
        let suffix = match encoding {
            ContentEncoding::Brotli => "-br",
            ContentEncoding::Gzip => "-gz",
            _ => "",
        };
        EntityTag::new_strong(HEXLOWER.encode(&self.hash[..16]) + suffix)
    }

    /// The bytes of the file in one of the [`ENCODINGS`]. Compresses it if nobody has asked for that before.
    pub(crate) async fn encoded(self: Arc<Self>, encoding: ContentEncoding) -> Bytes {
        let (cell, compress): (_, Compressor) = match encoding {
            ContentEncoding::Brotli => (&self.brotli, brotli),
            ContentEncoding::Gzip => (&self.gzip, gzip),
            _ => return self.plain.clone(),
        };
        if let Some(bytes) = cell.get() {
            return bytes.clone();
        }
        let plain = self.plain.clone();
        let compressed = spawn_blocking(move || compress(&plain)).await;
        let compressed = compressed.expect("the encoder does not panic");
        let compressed = compressed.expect("a vector takes any bytes");
        cell.get_or_init(|| compressed.into()).clone()
    }

    /// The bytes of the file, not compressed.
    pub(crate) fn plain(&self) -> Bytes {
        self.plain.clone()
    }

    /// The MIME type.
    pub(crate) fn mime(&self) -> &'static str {
        mime_type(&self.path)
    }
}

type Compressor = fn(&[u8]) -> io::Result<Vec<u8>>;

/// The files that are sent with all that they import.
const ENTRIES: [&str; 4] = [
    "js/main.js",
    "js/main.css",
    "js/latest/latest.js",
    "js/boards/boards.js",
];

/// A file, and what it imports.
fn source(path: &str) -> Option<Vec<u8>> {
    let read = |path: &str| String::from_utf8(Files::get(path)?.data.into_owned()).ok();
    let bundled = match path.rsplit_once('.') {
        _ if !ENTRIES.contains(&path) => None,
        Some((_, "js")) => bundled_script(path, read),
        _ => bundled_style(path, read),
    };
    match bundled {
        Some(text) => Some(text.into_bytes()),
        None => Some(Files::get(path)?.data.into_owned()),
    }
}

fn minified(path: &str, source: &[u8], base: &str) -> Bytes {
    let Ok(text) = str::from_utf8(source) else {
        return Bytes::copy_from_slice(source);
    };
    match path.rsplit_once('.').map(|(_, extension)| extension) {
        Some("js") => minifier::js::minify(text).to_string().into(),
        Some("css") => match minifier::css::minify(text) {
            Ok(minified) => minified.to_string().into(),
            Err(_) => Bytes::copy_from_slice(source),
        },
        Some("html") => without_indentation(&below(base, text)).into(),
        _ => Bytes::copy_from_slice(source),
    }
}

/// A page as it is served below `base`: it names its other files by their path.
fn below(base: &str, page: &str) -> String {
    let page = page.replace("href=\"/", &format!("href=\"{base}"));
    page.replace("src=\"/", &format!("src=\"{base}"))
}

fn without_indentation(page: &str) -> String {
    let lines = page.lines().map(str::trim_start);
    lines.flat_map(|line| [line, "\n"]).collect()
}

fn gzip(bytes: &[u8]) -> io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes)?;
    encoder.finish()
}

fn brotli(bytes: &[u8]) -> io::Result<Vec<u8>> {
    let mut compressed = Vec::new();
    let parameters = brotli::enc::BrotliEncoderParams {
        mode: brotli::enc::backward_references::BrotliEncoderMode::BROTLI_MODE_TEXT,
        quality: BROTLI_QUALITY,
        size_hint: bytes.len(),
        ..Default::default()
    };
    brotli::BrotliCompress(&mut &*bytes, &mut compressed, &parameters)?;
    Ok(compressed)
}

fn mime_type(path: &str) -> &'static str {
    match path.rsplit_once('.').map(|(_, extension)| extension) {
        Some("html") => "text/html; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("js" | "mjs") => "text/javascript; charset=utf-8",
        Some("json" | "map") => "application/json",
        Some("webmanifest") => "application/manifest+json",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("jpg" | "jpeg") => "image/jpeg",
        Some("ico") => "image/x-icon",
        Some("woff2") => "font/woff2",
        Some("txt" | "md") => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_code_of_each_page_is_one_file() {
        for entry in ENTRIES {
            let text = String::from_utf8(source(entry).unwrap()).unwrap();
            let has_imports = text
                .lines()
                .any(|line| line.starts_with("import ") || line.starts_with("@import"));
            assert!(!has_imports, "{entry}");
        }
    }
}
