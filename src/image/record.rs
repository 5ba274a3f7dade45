//! Image records: the fields that the database stores, HTTP answers contain and changefeeds carry.

use std::fmt;
use std::str::FromStr;

use bytes::Bytes;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::board_id::BoardId;
use super::id::ImageId;
use super::owner_id::OwnerId;
use super::timestamp::Timestamp;

/// An image format that the board accepts. Serialized as its MIME type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ImageType {
    /// `image/png`, including APNG.
    Png,
    /// `image/jpeg`.
    Jpeg,
    /// `image/gif`, including animations.
    Gif,
    /// `image/webp`, including animations.
    Webp,
    /// `image/avif`, including image sequences.
    Avif,
}

/// A MIME type that names no [`ImageType`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not an accepted image type")]
pub struct UnknownType(String);

/// Position, size and stacking order of an image on the board, in board units (CSS pixels at 100 %).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Placement {
    /// Left edge.
    pub x: f64,
    /// Top edge.
    pub y: f64,
    /// Displayed width. The height follows from the image's aspect ratio.
    pub w: f64,
    /// Stacking order; higher values are in front.
    pub z: f64,
}

/// The part of a placement that an uploader asks for. The server chooses each field that is `None`.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct RequestedPlacement {
    /// Left edge.
    pub x: Option<f64>,
    /// Top edge.
    pub y: Option<f64>,
    /// Displayed width.
    pub w: Option<f64>,
}

/// Description of an image without its bytes and placement: the fields that both tables store.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ImageMeta {
    /// Primary key in both tables.
    pub id: ImageId,
    /// The board that it is on. Not stored for the main board.
    #[serde(default, skip_serializing_if = "BoardId::is_main")]
    pub board: BoardId,
    /// Base name, 1 to 255 characters, without control characters.
    pub file_name: String,
    /// Alternative text. Clients remove it by writing an empty text, which reads back as `None`.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "unless_empty"
    )]
    pub alt: Option<String>,
    /// Format, determined from the bytes; the type that the client declares is ignored.
    #[serde(rename = "type")]
    pub kind: ImageType,
    /// Length of the stored file in bytes.
    pub size: u64,
    /// Width in pixels, after the EXIF orientation is applied.
    pub width: u32,
    /// Height in pixels, after the EXIF orientation is applied.
    pub height: u32,
    /// SHA-256 of the uploaded bytes (before metadata removal), 64 lower case hexadecimal digits.
    pub sha256: String,
    /// Display name that the uploader chose.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub author: Option<String>,
    /// The browser that added it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<OwnerId>,
    /// The image waits until a host approves it. Stored only if `true`.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub waiting: bool,
    /// The file has a flaw, such as a missing end or a wrong checksum, although browsers show it. Stored only if
    /// `true`.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub damaged: bool,
    /// Time of the upload by the clock of the server, or of the id if that was made up to ten seconds before.
    pub created_at: Timestamp,
}

/// An image on the board: a document of the table `placements`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ImageRecord {
    /// Metadata, without the placement.
    #[serde(flatten)]
    pub meta: ImageMeta,
    /// Placement on the board.
    #[serde(flatten)]
    pub placement: Placement,
    /// `true` if a thumbnail is stored, `false` if the image needs none or none can be made, `None` if not yet
    /// determined.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thumb: Option<bool>,
    /// ThumbHash of the image, as base64 of about 28 bytes: what pages show until the thumbnail is there. Stored as an
    /// empty text if none can be made.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "unless_empty"
    )]
    pub thumbhash: Option<String>,
    /// Caption, shown below the image. Clients remove them by writing an empty text.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "unless_empty"
    )]
    pub caption: Option<String>,
    /// Display name of the person who last moved or resized it, empty if that person has none; `None` if nobody did.
    #[serde(rename = "movedBy", default, skip_serializing_if = "Option::is_none")]
    pub moved_by: Option<String>,
    /// Display name of the person who last restored it from the bin; `None` if nobody did, or that person has no name.
    #[serde(
        rename = "restoredBy",
        default,
        skip_serializing_if = "Option::is_none"
    )]
    pub restored_by: Option<String>,
}

/// A validated image that is ready to be stored.
#[derive(Clone)]
pub struct NewImage {
    /// Metadata, without the placement.
    pub meta: ImageMeta,
    /// Placement that the uploader asked for.
    pub requested: RequestedPlacement,
    /// The bytes of the file to store.
    pub file: Bytes,
    /// Encoded thumbnail; `None` if the file itself serves as one, or none can be made.
    pub thumb: Option<Bytes>,
    /// ThumbHash, as base64; see [`ImageRecord::thumbhash`].
    pub thumbhash: Option<String>,
}

impl ImageType {
    /// Every accepted type.
    pub const ALL: [Self; 5] = [Self::Png, Self::Jpeg, Self::Gif, Self::Webp, Self::Avif];

    /// The MIME type.
    pub fn mime(self) -> &'static str {
        match self {
            Self::Png => "image/png",
            Self::Jpeg => "image/jpeg",
            Self::Gif => "image/gif",
            Self::Webp => "image/webp",
            Self::Avif => "image/avif",
        }
    }

    /// The type with exactly this MIME type; the comparison is case-sensitive and allows no parameters.
    pub fn from_mime(mime: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.mime() == mime)
    }

    /// The usual file name extension, without the dot.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Png => "png",
            Self::Jpeg => "jpg",
            Self::Gif => "gif",
            Self::Webp => "webp",
            Self::Avif => "avif",
        }
    }
}

impl fmt::Display for ImageType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.mime())
    }
}

impl FromStr for ImageType {
    type Err = UnknownType;

    fn from_str(mime: &str) -> Result<Self, Self::Err> {
        Self::from_mime(mime).ok_or_else(|| UnknownType(mime.chars().take(80).collect()))
    }
}

impl Serialize for ImageType {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.mime())
    }
}

impl<'de> Deserialize<'de> for ImageType {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(de::Error::custom)
    }
}

impl ImageRecord {
    /// The record of an image that nobody has moved or captioned yet.
    pub fn new(meta: ImageMeta, placement: Placement, thumb: Option<bool>) -> Self {
        Self {
            meta,
            placement,
            thumb,
            thumbhash: None,
            caption: None,
            moved_by: None,
            restored_by: None,
        }
    }

    /// Returns `true` if a thumbnail is stored.
    pub fn has_thumb(&self) -> bool {
        self.thumb == Some(true)
    }
}

impl fmt::Debug for NewImage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Image bytes must not reach the log.
        f.debug_struct("NewImage")
            .field("meta", &self.meta)
            .field("requested", &self.requested)
            .field("file", &format_args!("{} bytes", self.file.len()))
            .field("thumb", &self.thumb.as_ref().map(Bytes::len))
            .finish()
    }
}

fn unless_empty<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    Ok(Option::<String>::deserialize(deserializer)?.filter(|text| !text.is_empty()))
}

#[cfg(test)]
impl ImageRecord {
    /// A record for the tests of all modules that write or read one.
    pub(crate) fn example() -> Self {
        Self {
            thumbhash: None,
            caption: None,
            moved_by: None,
            restored_by: None,
            meta: ImageMeta {
                id: "0194bd2c-7a00-7000-8000-000000000001".parse().unwrap(),
                board: BoardId::MAIN,
                file_name: "cat \"1\".png".into(),
                alt: None,
                kind: ImageType::Png,
                size: 3,
                width: 2,
                height: 1,
                sha256: "ab".repeat(32),
                author: Some("Åsa".into()),
                owner: None,
                waiting: false,
                damaged: false,
                created_at: Timestamp::from_millis(1_738_324_800_000),
            },
            placement: Placement {
                x: -1.5,
                y: 0.0,
                w: 240.0,
                z: 7.0,
            },
            thumb: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_one_flat_document_without_absent_fields() {
        assert_eq!(
            serde_json::to_value(ImageRecord::example()).unwrap(),
            serde_json::json!({
                "id": "0194bd2c-7a00-7000-8000-000000000001", "fileName": "cat \"1\".png", "type": "image/png",
                "size": 3, "width": 2, "height": 1, "sha256": "ab".repeat(32), "author": "Åsa",
                "createdAt": "2025-01-31T12:00:00.000Z", "x": -1.5, "y": 0.0, "w": 240.0, "z": 7.0,
            })
        );
    }

    #[test]
    fn deserializing_ignores_unknown_fields_and_empty_texts() {
        let mut document = serde_json::to_value(ImageRecord::example()).unwrap();
        document["deletedAt"] = serde_json::Value::Null;
        document["z"] = serde_json::json!(7);
        document["alt"] = serde_json::json!("");
        document["caption"] = serde_json::json!("");
        assert_eq!(
            serde_json::from_value::<ImageRecord>(document).unwrap(),
            ImageRecord::example()
        );
    }

    #[test]
    fn an_image_type_parses_from_its_mime_type_only() {
        for kind in ImageType::ALL {
            assert_eq!(kind.mime().parse::<ImageType>(), Ok(kind));
        }
        assert!("image/svg+xml".parse::<ImageType>().is_err());
    }

    #[test]
    fn debug_output_of_a_new_image_contains_no_bytes() {
        let image = NewImage {
            meta: ImageRecord::example().meta,
            requested: RequestedPlacement::default(),
            file: Bytes::from_static(b"secret"),
            thumb: Some(Bytes::from_static(b"hidden")),
            thumbhash: None,
        };
        let debug = format!("{image:?}");
        assert!(debug.contains("file: 6 bytes"), "{debug}");
        assert!(!debug.contains("secret") && !debug.contains("hidden"));
    }
}
