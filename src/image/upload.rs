//! From what a client sent to an image that may be stored.

use bytes::Bytes;

use super::check::{Limits, Unfit, check};
use super::metadata::without_metadata;
use super::text::{clean_file_name, clean_text};
use super::thumbnail::{Thumbnail, thumbnail};
use super::{ImageId, ImageMeta, ImageType, NewImage, RequestedPlacement, Timestamp};

/// The longest name of an uploader, in characters.
pub const MAX_AUTHOR: usize = 80;
/// The longest description, in characters.
pub const MAX_ALT: usize = 1000;
/// How far from the origin an image may lie, in board units. Doubles are exact to a billionth there.
pub const MAX_COORDINATE: f64 = 1e7;
/// The smallest and the largest shown width, in board units.
pub const SHOWN_WIDTHS: std::ops::RangeInclusive<f64> = 16.0..=20_000.0;

/// An upload as it came: nothing in it is checked, but for its hash.
#[derive(Clone, Default)]
pub struct Upload {
    /// The client's own id, so that it can repeat the upload safely.
    pub id: Option<ImageId>,
    /// Any path or none.
    pub file_name: Option<String>,
    /// A description.
    pub alt: Option<String>,
    /// The uploader's name.
    pub author: Option<String>,
    /// Placement that the uploader asks for.
    pub requested: RequestedPlacement,
    /// The bytes.
    pub file: Bytes,
    /// The SHA-256 of the bytes, 64 lower case hexadecimal digits.
    pub sha256: String,
}

/// What becomes of what a file tells besides its picture: where and with what a photograph was taken, and by whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Metadata {
    /// It is taken out before the image is stored.
    Remove,
    /// It stays.
    Keep,
}

/// Why an upload is not stored.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// A field is not what it must be.
    #[error("{field} {rule}")]
    Field {
        /// Its name.
        field: &'static str,
        /// What it must be.
        rule: &'static str,
    },
    /// There are no bytes.
    #[error("the file is empty")]
    Empty,
    /// The bytes are no image for the board.
    #[error(transparent)]
    Unfit(#[from] Unfit),
}

impl NewImage {
    /// Checks an upload and takes out its metadata. It reads the whole image, so it computes for up to [`Limits::time`]:
    /// call it where nobody waits for the thread.
    ///
    /// # Errors
    /// What is wrong with the upload, in words for its sender.
    pub fn parse(upload: Upload, limits: Limits, metadata: Metadata) -> Result<Self, Refused> {
        let requested = checked_placement(upload.requested)?;
        let author = short_text(
            "author",
            upload.author,
            MAX_AUTHOR,
            "must have at most 80 characters",
        )?;
        let alt = checked_alt(upload.alt)?;
        if upload.file.is_empty() {
            return Err(Refused::Empty);
        }
        let facts = check(&upload.file, limits)?;
        let file = match metadata {
            Metadata::Remove => without_metadata(&upload.file, facts.kind)?,
            Metadata::Keep => upload.file,
        };
        let given_name = upload.file_name.as_deref().and_then(clean_file_name);
        let meta = ImageMeta {
            id: upload.id.unwrap_or_else(ImageId::new),
            file_name: given_name.unwrap_or_else(|| format!("image.{}", facts.kind.extension())),
            alt,
            kind: facts.kind,
            size: file.len() as u64,
            width: facts.width,
            height: facts.height,
            sha256: upload.sha256,
            author,
            created_at: Timestamp::now(),
        };
        Ok(Self {
            meta,
            requested,
            file,
            thumb: None,
        })
    }
}

/// The thumbnail of an image that was checked, unless the image serves as well or none can be made. It computes for up to
/// [`Limits::time`].
pub fn thumbnail_to_store(file: &Bytes, kind: ImageType, limits: Limits) -> Option<Bytes> {
    match thumbnail(file, kind, limits) {
        Ok(Thumbnail::Made { bytes, .. }) => Some(bytes),
        Ok(Thumbnail::Itself) => None,
        Err(error) => {
            log::info!("a {kind} has no thumbnail: {error}");
            None
        }
    }
}

/// At most about how many bytes of memory it takes to make the thumbnail of an image, besides its file.
pub fn thumbnail_memory(meta: &ImageMeta) -> u64 {
    let pixels = u64::from(meta.width) * u64::from(meta.height);
    match meta.kind {
        // These are painted as a whole. A JPEG takes 3 bytes a pixel, and up to 8 more while its scans come one after another;
        // a WebP up to 8, an animated one 16.
        ImageType::Jpeg => pixels * 11,
        ImageType::Webp => pixels * 16,
        ImageType::Avif => 0,
        _ => pixels.min(100 << 20),
    }
}

/// Returns the requested placement if it is within the bounds of the board.
///
/// # Errors
/// The first field that is out of bounds.
pub fn checked_placement(requested: RequestedPlacement) -> Result<RequestedPlacement, Refused> {
    let far = |value: Option<f64>| {
        value.is_some_and(|value| !(-MAX_COORDINATE..=MAX_COORDINATE).contains(&value))
    };
    let rule = "must be a number between -10000000 and 10000000";
    if far(requested.x) {
        return Err(Refused::Field { field: "x", rule });
    }
    if far(requested.y) {
        return Err(Refused::Field { field: "y", rule });
    }
    if requested.w.is_some_and(|w| !SHOWN_WIDTHS.contains(&w)) {
        return Err(Refused::Field {
            field: "w",
            rule: "must be a number between 16 and 20000",
        });
    }
    Ok(requested)
}

/// A description without control characters; `None` if nothing of it is left.
///
/// # Errors
/// If it is longer than [`MAX_ALT`].
pub fn checked_alt(alt: Option<String>) -> Result<Option<String>, Refused> {
    short_text("alt", alt, MAX_ALT, "must have at most 1000 characters")
}

fn short_text(
    field: &'static str,
    text: Option<String>,
    max: usize,
    rule: &'static str,
) -> Result<Option<String>, Refused> {
    let text = text.as_deref().and_then(clean_text);
    if text.as_ref().is_some_and(|text| text.chars().count() > max) {
        return Err(Refused::Field { field, rule });
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn upload() -> Upload {
        let file = include_bytes!(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/tests/files/still.gif"
        ));
        Upload {
            file: Bytes::from_static(file),
            ..Upload::default()
        }
    }

    fn field(upload: Upload) -> Option<&'static str> {
        match NewImage::parse(upload, Limits::default(), Metadata::Remove) {
            Err(Refused::Field { field, .. }) => Some(field),
            _ => None,
        }
    }

    #[test]
    fn an_upload_without_a_name_is_named_after_its_type() {
        let image = NewImage::parse(upload(), Limits::default(), Metadata::Keep).unwrap();
        assert_eq!(image.meta.file_name, "image.gif");
        assert_eq!((image.meta.kind, image.meta.size), (ImageType::Gif, 1811));
        assert_eq!((image.meta.alt, image.meta.author), (None, None));
    }

    #[test]
    fn a_requested_placement_must_be_on_the_board() {
        for x in [f64::NAN, f64::INFINITY, 1e9] {
            assert_eq!(
                field(Upload {
                    requested: RequestedPlacement {
                        x: Some(x),
                        ..RequestedPlacement::default()
                    },
                    ..upload()
                }),
                Some("x")
            );
            assert_eq!(
                field(Upload {
                    requested: RequestedPlacement {
                        y: Some(-x),
                        ..RequestedPlacement::default()
                    },
                    ..upload()
                }),
                Some("y")
            );
        }
        for w in [f64::NAN, -1.0, 0.0, 15.9, 1e6] {
            assert_eq!(
                field(Upload {
                    requested: RequestedPlacement {
                        w: Some(w),
                        ..RequestedPlacement::default()
                    },
                    ..upload()
                }),
                Some("w")
            );
        }
        let requested = RequestedPlacement {
            x: Some(-1e7),
            y: Some(0.5),
            w: Some(16.0),
        };
        assert_eq!(
            NewImage::parse(
                Upload {
                    requested,
                    ..upload()
                },
                Limits::default(),
                Metadata::Keep,
            )
            .unwrap()
            .requested,
            requested
        );
    }

    #[test]
    fn texts_have_their_limits() {
        assert_eq!(
            field(Upload {
                author: Some("a".repeat(81)),
                ..upload()
            }),
            Some("author")
        );
        assert_eq!(
            field(Upload {
                alt: Some("a".repeat(1001)),
                ..upload()
            }),
            Some("alt")
        );
        let upload = Upload {
            author: Some(format!(" {}", "é".repeat(80))),
            alt: Some(" ".into()),
            ..upload()
        };
        let image = NewImage::parse(upload, Limits::default(), Metadata::Remove).unwrap();
        assert_eq!(
            (image.meta.author, image.meta.alt),
            (Some("é".repeat(80)), None)
        );
    }

    #[test]
    fn an_empty_file_and_a_text_are_refused() {
        let parse = |file: &'static [u8]| {
            NewImage::parse(
                Upload {
                    file: Bytes::from_static(file),
                    ..upload()
                },
                Limits::default(),
                Metadata::Keep,
            )
            .unwrap_err()
        };
        assert_eq!(parse(b""), Refused::Empty);
        assert_eq!(parse(b"not a picture"), Refused::Unfit(Unfit::Unknown));
    }
}
