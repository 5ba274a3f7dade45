//! Types that browsers do not show in general, recognised so that the refusal can name them.

/// A type of file that people try to add although browsers do not show it in general.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unsupported {
    /// HEIC or HEIF, as iPhones store photos.
    Heic,
    /// TIFF, or a raw format of a camera that is built on it.
    Tiff,
    /// BMP.
    Bmp,
    /// JPEG XL, bare or in its container.
    JpegXl,
    /// JPEG 2000, bare or in its container.
    Jpeg2000,
    /// SVG. Browsers show it, but it can hold scripts.
    Svg,
    /// PDF.
    Pdf,
    /// Photoshop.
    Psd,
    /// A video container.
    Video,
}

impl Unsupported {
    /// The type of a file that starts with `bytes`, if it is one of these.
    pub(super) fn of(bytes: &[u8]) -> Option<Self> {
        match bytes {
            [b'I', b'I', 42, 0, ..] | [b'M', b'M', 0, 42, ..] => Some(Self::Tiff),
            [b'B', b'M', _, _, _, _, 0, 0, 0, 0, ..] => Some(Self::Bmp),
            [0xff, 0x0a, ..] => Some(Self::JpegXl),
            [0xff, 0x4f, 0xff, 0x51, ..] => Some(Self::Jpeg2000),
            [b'%', b'P', b'D', b'F', b'-', ..] => Some(Self::Pdf),
            [b'8', b'B', b'P', b'S', ..] => Some(Self::Psd),
            // EBML: WebM and Matroska.
            [0x1a, 0x45, 0xdf, 0xa3, ..] => Some(Self::Video),
            [
                b'R',
                b'I',
                b'F',
                b'F',
                _,
                _,
                _,
                _,
                b'A',
                b'V',
                b'I',
                b' ',
                ..,
            ] => Some(Self::Video),
            [_, _, _, _, b'J', b'X', b'L', b' ', ..] => Some(Self::JpegXl),
            [_, _, _, _, b'j', b'P', b' ', b' ', ..] => Some(Self::Jpeg2000),
            [_, _, _, _, b'f', b't', b'y', b'p', brand @ ..] => Some(Self::of_brand(brand)),
            // QuickTime files of before 2001 have no `ftyp`.
            [_, _, _, _, b'm', b'o', b'o', b'v', ..] => Some(Self::Video),
            _ => is_svg(bytes).then_some(Self::Svg),
        }
    }

    /// The type of an ISO base media file by its major brand.
    fn of_brand(brand: &[u8]) -> Self {
        match brand.first_chunk() {
            Some(
                b"heic" | b"heix" | b"heim" | b"heis" | b"hevc" | b"hevx" | b"hevm" | b"hevs"
                | b"mif1" | b"mif2" | b"msf1",
            ) => Self::Heic,
            _ => Self::Video,
        }
    }

    /// One sentence that names the type and says how to get an image that can be added, without the full stop.
    pub(super) fn advice(self) -> &'static str {
        match self {
            Self::Heic => {
                "HEIC: on the iPhone choose Settings › Camera › Formats › Most Compatible, or export the photo as JPEG"
            }
            Self::Tiff => "TIFF: export the photo as JPEG or PNG",
            Self::Bmp => "BMP: save the image as PNG",
            Self::JpegXl => "JPEG XL: export the photo as JPEG or AVIF",
            Self::Jpeg2000 => "JPEG 2000: export the photo as JPEG",
            Self::Svg => "SVG: export the drawing as PNG",
            Self::Pdf => "PDF: export the page as PNG or JPEG",
            Self::Psd => "Photoshop: export the image as PNG or JPEG",
            Self::Video => {
                "Video: add a still photo, or convert a short clip to an animated WebP or GIF"
            }
        }
    }
}

/// Looks for the root element in the first KiB, after an XML declaration, comments and white space.
fn is_svg(bytes: &[u8]) -> bool {
    let head = &bytes[..bytes.len().min(1024)];
    let text = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head);
    let text = text.trim_ascii_start();
    text.starts_with(b"<") && text.windows(4).any(|tag| tag == b"<svg")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn common_types_are_recognised_by_their_first_bytes() {
        for (bytes, expected) in [
            (
                &b"\0\0\0\x18ftypheic\0\0\0\0mif1heic"[..],
                Some(Unsupported::Heic),
            ),
            (
                b"\0\0\0\x18ftypmif1\0\0\0\0mif1heic",
                Some(Unsupported::Heic),
            ),
            (
                b"\0\0\0\x18ftypisom\0\0\0\0isomavc1",
                Some(Unsupported::Video),
            ),
            (b"\0\0\0\x14ftypqt  \0\0\0\0qt  ", Some(Unsupported::Video)),
            (b"\x1a\x45\xdf\xa3\x01\0\0\0", Some(Unsupported::Video)),
            (b"II\x2a\0\x08\0\0\0", Some(Unsupported::Tiff)),
            (b"MM\0\x2a\0\0\0\x08", Some(Unsupported::Tiff)),
            (b"BM\x46\0\0\0\0\0\0\0\x36\0\0\0", Some(Unsupported::Bmp)),
            (b"\xff\x0a\xfa\x7f", Some(Unsupported::JpegXl)),
            (b"\0\0\0\x0cJXL \r\n\x87\n", Some(Unsupported::JpegXl)),
            (b"\0\0\0\x0cjP  \r\n\x87\n", Some(Unsupported::Jpeg2000)),
            (b"%PDF-1.7\n", Some(Unsupported::Pdf)),
            (b"8BPS\0\x01", Some(Unsupported::Psd)),
            (
                b"<svg xmlns=\"http://www.w3.org/2000/svg\"/>",
                Some(Unsupported::Svg),
            ),
            (
                b"\xef\xbb\xbf<?xml version=\"1.0\"?>\n<!-- a -->\n<svg>",
                Some(Unsupported::Svg),
            ),
            (b"<html><body>", None),
            (b"BMW is a maker of cars", None),
            (b"hello, world", None),
            (b"", None),
        ] {
            assert_eq!(Unsupported::of(bytes), expected, "{}", bytes.escape_ascii());
        }
    }
}
