//! Validation of uploads.

use bytes::Bytes;

use super::format::{Inspection, Metadata, inspect};
use super::text::{clean_file_name, clean_text};
use super::{
    BoardId, ImageId, ImageMeta, InvalidImage, Limits, NewImage, OwnerId, Preview,
    RequestedPlacement, Timestamp,
};

/// The time before the beginning of an upload at which its id may have been made to count as its time, in milliseconds.
/// More than the uploads of one drop that begin together are apart, and little enough for wrong clocks of senders not
/// to matter.
const MAX_ID_AGE_MS: i64 = 10_000;

/// The limit on the name of an uploader, in characters.
pub const MAX_AUTHOR: usize = 80;
/// The limit on an alternative text, in characters.
pub const MAX_ALT: usize = 1000;
/// The limit on a caption, in characters.
pub const MAX_CAPTION: usize = 280;
/// The limit on the distance from the origin on either axis, in board units. Doubles are exact to a billionth there.
pub const MAX_COORDINATE: f64 = 1e7;
/// The displayed widths that a placement may have, in board units.
pub const SHOWN_WIDTHS: std::ops::RangeInclusive<f64> = 16.0..=20_000.0;

/// An upload before validation. Only its hash is trusted.
#[derive(Clone, Default)]
pub struct Upload {
    /// The client's own id, which makes repeating the upload safe.
    pub id: Option<ImageId>,
    /// The board to put it on.
    pub board: BoardId,
    /// The browser that sends it.
    pub owner: Option<OwnerId>,
    /// The image must wait until a host approves it.
    pub waiting: bool,
    /// A file name or a path.
    pub file_name: Option<String>,
    /// Alternative text.
    pub alt: Option<String>,
    /// Display name of the uploader.
    pub author: Option<String>,
    /// Placement that the uploader asks for.
    pub requested: RequestedPlacement,
    /// File contents.
    pub file: Bytes,
    /// SHA-256 of the file, 64 lower case hexadecimal digits.
    pub sha256: String,
    /// When the server began to receive it; `None` is now.
    pub began_at: Option<Timestamp>,
}

/// The reason to refuse an upload.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidUpload {
    /// A field is invalid.
    #[error("{field} {rule}")]
    Field {
        /// Its name.
        field: &'static str,
        /// The condition that it does not meet.
        rule: &'static str,
    },
    /// The file has no bytes.
    #[error("the file is empty")]
    Empty,
    /// The file is not an image that browsers show.
    #[error(transparent)]
    Image(#[from] InvalidImage),
}

impl NewImage {
    /// Validates an upload by the structure of its file, and removes metadata. Pixels are not decoded: see
    /// [`preview`](super::preview).
    ///
    /// # Errors
    /// If a field or the file is invalid. The message is meant for the uploader.
    pub fn parse(
        upload: Upload,
        limits: Limits,
        metadata: Metadata,
    ) -> Result<Self, InvalidUpload> {
        let requested = checked_placement(upload.requested)?;
        let author = checked_name("author", upload.author)?;
        let alt = checked_alt(upload.alt)?;
        if upload.file.is_empty() {
            return Err(InvalidUpload::Empty);
        }
        let Inspection {
            kind,
            width,
            height,
            is_damaged,
            file,
        } = inspect(&upload.file, limits, metadata)?;
        let given_name = upload.file_name.as_deref().and_then(clean_file_name);
        let id = upload.id.unwrap_or_else(ImageId::new);
        let meta = ImageMeta {
            id,
            board: upload.board,
            owner: upload.owner,
            waiting: upload.waiting,
            file_name: given_name.unwrap_or_else(|| format!("image.{}", kind.extension())),
            alt,
            kind,
            size: file.len() as u64,
            width,
            height,
            sha256: upload.sha256,
            author,
            damaged: is_damaged,
            created_at: creation_time(id, upload.began_at.unwrap_or_else(Timestamp::now)),
        };
        Ok(Self {
            meta,
            requested,
            file,
            thumb: None,
            thumbhash: None,
        })
    }

    /// Adds the result of decoding.
    pub fn add_preview(&mut self, preview: Preview) {
        self.thumb = preview.thumb;
        self.thumbhash = preview.thumbhash;
        self.meta.damaged |= preview.is_damaged;
    }
}

/// The time of an upload: when the server began to receive it, so the order of images does not depend on the clocks of
/// their senders. If the id was made just before, its time counts, so that images sent together stay in their order.
fn creation_time(id: ImageId, began_at: Timestamp) -> Timestamp {
    let just_before = began_at.as_millis() - MAX_ID_AGE_MS..=began_at.as_millis();
    match id.ms() {
        ms if just_before.contains(&ms) => Timestamp::from_millis(ms),
        _ => began_at,
    }
}

/// Returns the requested placement if it is within the bounds of the board.
///
/// # Errors
/// The first field that is out of bounds.
pub fn checked_placement(
    requested: RequestedPlacement,
) -> Result<RequestedPlacement, InvalidUpload> {
    let far = |value: Option<f64>| {
        value.is_some_and(|value| !(-MAX_COORDINATE..=MAX_COORDINATE).contains(&value))
    };
    let rule = "must be a number between -10000000 and 10000000";
    if far(requested.x) {
        return Err(InvalidUpload::Field { field: "x", rule });
    }
    if far(requested.y) {
        return Err(InvalidUpload::Field { field: "y", rule });
    }
    if requested.w.is_some_and(|w| !SHOWN_WIDTHS.contains(&w)) {
        return Err(InvalidUpload::Field {
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
pub fn checked_alt(alt: Option<String>) -> Result<Option<String>, InvalidUpload> {
    short_text("alt", alt, MAX_ALT, "must have at most 1000 characters")
}

/// A caption without control characters; `None` if nothing of it is left.
///
/// # Errors
/// If it is longer than [`MAX_CAPTION`].
pub fn checked_caption(caption: Option<String>) -> Result<Option<String>, InvalidUpload> {
    short_text(
        "caption",
        caption,
        MAX_CAPTION,
        "must have at most 280 characters",
    )
}

/// The display name of a person, without control characters; `None` if nothing of it is left.
///
/// # Errors
/// If it is longer than [`MAX_AUTHOR`]. The message names it as `field`.
pub fn checked_name(
    field: &'static str,
    name: Option<String>,
) -> Result<Option<String>, InvalidUpload> {
    let name = name.map(|name| name.replace(['\r', '\n'], " "));
    short_text(field, name, MAX_AUTHOR, "must have at most 80 characters")
}

fn short_text(
    field: &'static str,
    text: Option<String>,
    max: usize,
    rule: &'static str,
) -> Result<Option<String>, InvalidUpload> {
    let text = text.as_deref().and_then(clean_text);
    if text.as_ref().is_some_and(|text| text.chars().count() > max) {
        return Err(InvalidUpload::Field { field, rule });
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::ImageType;

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
            Err(InvalidUpload::Field { field, .. }) => Some(field),
            _ => None,
        }
    }

    #[test]
    fn a_wrong_clock_of_the_sender_does_not_determine_the_time() {
        let now = Timestamp::from_millis(2_000_000_000_000);
        let created = |ms: u64| {
            let id = format!("{:012x}", ms);
            let id = format!("{}-{}-7000-8000-000000000001", &id[..8], &id[8..]);
            creation_time(id.parse().unwrap(), now).as_millis() - now.as_millis()
        };
        assert_eq!(created(2_000_000_000_000), 0);
        assert_eq!(created(1_999_999_995_000), -5_000);
        assert_eq!(created(1_999_999_940_000), 0);
        assert_eq!(created(2_000_000_005_000), 0);
        assert_eq!(created(2_031_536_000_000), 0);
        assert_eq!(created(1_000_000_000_000), 0);
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
        assert_eq!(parse(b""), InvalidUpload::Empty);
        assert_eq!(
            parse(b"not a picture"),
            InvalidUpload::Image(InvalidImage::Unknown(None))
        );
    }
}
