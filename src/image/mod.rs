//! The stored file and what is known of it: validation of uploads, metadata removal, thumbnails and record types.
//!
//! Nothing here reads a socket or a database: every function takes bytes or values and returns them.

mod bmff;
mod board_id;
mod exif;
mod format;
mod id;
mod invalid;
mod large;
mod limits;
mod owner_id;
mod pixels;
mod reader;
mod record;
#[cfg(test)]
mod test_files;
mod text;
mod thumbnail;
mod timestamp;
mod unsupported;
mod upload;

pub use board_id::{BoardId, InvalidBoardId};
pub use format::{Metadata, sniff};
pub use id::{ImageId, InvalidImageId};
pub use invalid::InvalidImage;
pub use limits::Limits;
pub use owner_id::OwnerId;
pub use pixels::MAX_SIDE;
pub use record::{
    ImageMeta, ImageRecord, ImageType, NewImage, Placement, RequestedPlacement, UnknownType,
};
pub use text::clean_file_name;
pub use thumbnail::{Preview, SMALL, SmallSide, decoding_memory, preview, smaller};
pub use timestamp::{InvalidTimestamp, Timestamp};
pub use unsupported::Unsupported;
pub use upload::{
    InvalidUpload, MAX_ALT, MAX_AUTHOR, MAX_CAPTION, MAX_COORDINATE, SHOWN_WIDTHS, Upload,
    checked_alt, checked_caption, checked_name, checked_placement,
};
