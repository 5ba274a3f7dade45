//! What an image is: its bytes, what is known about it, and where it lies on the board.

mod binary;
mod check;
mod id;
mod metadata;
mod text;
mod thumbnail;
mod timestamp;
mod upload;

use std::fmt;
use std::str::FromStr;

use bytes::Bytes;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

pub use binary::Binary;
pub use check::{Limits, Unfit};
pub use id::{ImageId, InvalidImageId};
pub use metadata::without_metadata;
pub use text::clean_file_name;
pub use thumbnail::{MAX_SIDE, Thumbnail, thumbnail};
pub use timestamp::{InvalidTimestamp, Timestamp};
pub use upload::{
    MAX_ALT, MAX_AUTHOR, MAX_COORDINATE, Metadata, Refused, SHOWN_WIDTHS, Upload, checked_alt,
    checked_place, thumbnail_memory, thumbnail_to_store,
};

/// The kinds of image that the board takes. In JSON it is the MIME type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ImageType {
    /// `image/png`, an animated one too
    Png,
    /// `image/jpeg`
    Jpeg,
    /// `image/gif`, an animated one too
    Gif,
    /// `image/webp`, an animated one too
    Webp,
    /// `image/avif`, an image sequence too
    Avif,
}

/// A MIME type that is none of the board's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not the type of an image that the board takes")]
pub struct UnknownType(String);

/// Where an image lies on the board, in board units (CSS pixels at 100 %).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Placement {
    /// The left edge.
    pub x: f64,
    /// The top edge.
    pub y: f64,
    /// The shown width; the height follows from the picture.
    pub w: f64,
    /// The larger lies in front.
    pub z: f64,
}

/// Where an uploader asked for an image to be put; what is `None` is the board's choice.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Place {
    /// The left edge.
    pub x: Option<f64>,
    /// The top edge.
    pub y: Option<f64>,
    /// The shown width.
    pub w: Option<f64>,
}

/// What is known about an image apart from its bytes and its place: the fields that both tables hold.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ImageMeta {
    /// The primary key of both tables.
    pub id: ImageId,
    /// A base name without control characters, 1 to 255 characters long.
    pub file_name: String,
    /// A description for those who cannot see it. An empty one, as a client may write to remove it, counts as none.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "unless_empty"
    )]
    pub alt: Option<String>,
    /// By the bytes, never by the client's word.
    #[serde(rename = "type")]
    pub kind: ImageType,
    /// How many bytes are stored.
    pub size: u64,
    /// Pixels from left to right, as the image is shown (upright).
    pub width: u32,
    /// Pixels from top to bottom, as the image is shown (upright).
    pub height: u32,
    /// Of the bytes as they were uploaded, 64 lower case hexadecimal digits.
    pub sha256: String,
    /// The name that the uploader gave themselves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub author: Option<String>,
    /// When the server took it.
    pub created_at: Timestamp,
}

/// An image as the board shows it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ImageRecord {
    /// What is known about it.
    #[serde(flatten)]
    pub meta: ImageMeta,
    /// Where it lies.
    #[serde(flatten)]
    pub placement: Placement,
    /// Whether a thumbnail is stored. None if nobody has looked whether one can be made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thumb: Option<bool>,
}

/// An image that was checked and may be stored.
#[derive(Clone)]
pub struct NewImage {
    /// What is known about it.
    pub meta: ImageMeta,
    /// Where the uploader wants it.
    pub place: Place,
    /// The bytes.
    pub file: Bytes,
    /// Its thumbnail, if it has one of its own.
    pub thumb: Option<Bytes>,
}

impl ImageType {
    /// All of them.
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

    /// The type with this MIME type, which must be spelt as [`ImageType::mime`] does.
    pub fn from_mime(mime: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.mime() == mime)
    }

    /// The type of a file that begins like this one.
    pub fn of(bytes: &[u8]) -> Option<Self> {
        check::sniff(bytes)
    }

    /// The usual extension of a file name, without the dot.
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

impl ImageMeta {
    /// The path of the image's bytes.
    pub fn url(&self) -> String {
        format!("/image/{}", self.id)
    }
}

/// Something about an image as clients see it: with the `url` of the bytes.
#[derive(Serialize)]
pub struct Shown<'a, T> {
    #[serde(flatten)]
    about: &'a T,
    url: String,
}

impl ImageMeta {
    /// What is known about the image, as clients see it.
    pub fn shown(&self) -> Shown<'_, Self> {
        Shown {
            about: self,
            url: self.url(),
        }
    }
}

/// A record as clients see it: with the paths of the bytes and, if there is one, of the thumbnail.
#[derive(Serialize)]
pub struct ShownRecord<'a> {
    #[serde(flatten)]
    meta: Shown<'a, ImageMeta>,
    #[serde(flatten)]
    placement: &'a Placement,
    #[serde(skip_serializing_if = "Option::is_none")]
    thumb: Option<String>,
}

impl ImageRecord {
    /// Whether a thumbnail is stored.
    pub fn has_thumb(&self) -> bool {
        self.thumb == Some(true)
    }

    /// The record as clients see it.
    pub fn shown(&self) -> ShownRecord<'_> {
        ShownRecord {
            meta: self.meta.shown(),
            placement: &self.placement,
            thumb: self
                .has_thumb()
                .then(|| format!("{}/thumb", self.meta.url())),
        }
    }

    /// The record as clients see it, written out.
    pub fn to_json(&self) -> String {
        serde_json::to_string(&self.shown()).expect("a record has string keys and plain values")
    }
}

fn unless_empty<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    Ok(Option::<String>::deserialize(deserializer)?.filter(|text| !text.is_empty()))
}

impl fmt::Debug for NewImage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewImage")
            .field("meta", &self.meta)
            .field("place", &self.place)
            .field("file", &format_args!("{} bytes", self.file.len()))
            .field("thumb", &self.thumb.as_ref().map(Bytes::len))
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record() -> ImageRecord {
        ImageRecord {
            meta: ImageMeta {
                id: "0194bd2c-7a00-7000-8000-000000000001".parse().unwrap(),
                file_name: "cat \"1\".png".into(),
                alt: None,
                kind: ImageType::Png,
                size: 3,
                width: 2,
                height: 1,
                sha256: "ab".repeat(32),
                author: Some("Åsa".into()),
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

    #[test]
    fn a_record_shows_its_url_and_leaves_out_what_it_has_not() {
        let shown: serde_json::Value = serde_json::from_str(&record().to_json()).unwrap();
        assert_eq!(
            shown,
            serde_json::json!({
                "id": "0194bd2c-7a00-7000-8000-000000000001", "fileName": "cat \"1\".png", "type": "image/png",
                "size": 3, "width": 2, "height": 1, "sha256": "ab".repeat(32), "author": "Åsa",
                "createdAt": "2025-01-31T12:00:00.000Z", "x": -1.5, "y": 0.0, "w": 240.0, "z": 7.0,
                "url": "/image/0194bd2c-7a00-7000-8000-000000000001",
            })
        );
    }

    #[test]
    fn a_record_shows_the_thumbnail_once_there_is_one() {
        let shown = |thumb| {
            let record = ImageRecord { thumb, ..record() };
            serde_json::from_str::<serde_json::Value>(&record.to_json()).unwrap()["thumb"].take()
        };
        assert_eq!(
            shown(Some(true)),
            "/image/0194bd2c-7a00-7000-8000-000000000001/thumb"
        );
        assert_eq!(shown(Some(false)), serde_json::Value::Null);
    }

    #[test]
    fn a_record_is_read_back_from_the_database_whatever_else_stands_there() {
        let mut document = serde_json::to_value(record()).unwrap();
        document["deletedAt"] = serde_json::Value::Null;
        document["z"] = serde_json::json!(7);
        document["alt"] = serde_json::json!("");
        assert_eq!(
            serde_json::from_value::<ImageRecord>(document).unwrap(),
            record()
        );
    }

    #[test]
    fn a_type_is_read_from_its_mime_type_alone() {
        for kind in ImageType::ALL {
            assert_eq!(kind.mime().parse::<ImageType>(), Ok(kind));
        }
        assert!("image/svg+xml".parse::<ImageType>().is_err());
    }
}
