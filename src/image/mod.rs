//! The stored file and what is known of it: validation of uploads, metadata removal, thumbnails and record types.
//!
//! Nothing here reads a socket or a database: every function takes bytes or values and returns them.

mod check;
mod id;
mod metadata;
mod record;
mod text;
mod thumbnail;
mod timestamp;
mod upload;

pub use check::{Limits, Unfit, sniff};
pub use id::{ImageId, InvalidImageId};
pub use metadata::without_metadata;
pub use record::{
    ImageMeta, ImageRecord, ImageType, NewImage, Placement, RequestedPlacement, UnknownType,
};
pub use text::clean_file_name;
pub use thumbnail::{MAX_SIDE, Thumbnail, thumbnail};
pub use timestamp::{InvalidTimestamp, Timestamp};
pub use upload::{
    MAX_ALT, MAX_AUTHOR, MAX_COORDINATE, Metadata, Refused, SHOWN_WIDTHS, Upload, checked_alt,
    checked_placement, thumbnail_memory, thumbnail_to_store,
};
