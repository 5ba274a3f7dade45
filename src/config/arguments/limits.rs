//! Options for the limits of uploads and boards.

use std::path::PathBuf;
use std::time::Duration;

use bytesize::ByteSize;

use crate::image::Metadata;
use crate::store::BoardLimits;

/// The largest `--max-upload`. RethinkDB limits a query to 134,217,727 bytes, and base64 adds a third.
const LARGEST_UPLOAD: ByteSize = ByteSize::mib(90);

/// The least `--upload-memory`. With less, even photos of a few MB would be processed one by one.
const LEAST_UPLOAD_MEMORY: ByteSize = ByteSize::mib(16);

/// The longest `--undo-window`. A deleted image takes up space until it ends.
const LONGEST_UNDO_WINDOW: Duration = Duration::from_secs(365 * 86_400);

/// The largest uploads and boards, the undo window, and the metadata of photos.
#[derive(clap::Args)]
pub(super) struct LimitArguments {
    /// The largest photo accepted: bytes, or with a unit such as 500k, 16MiB (k, M and G are powers of 1,000; Ki,
    /// Mi and Gi of 1,024). At most 90MiB; RethinkDB advises against more than 16MiB
    #[arg(
        long,
        value_name = "SIZE",
        env = "REALTIME_PHOTO_MAX_UPLOAD",
        default_value = "16MiB",
        value_parser = parse_max_upload
    )]
    pub(super) max_upload: u64,

    /// The most pixels (width times height) that a photo may have
    #[arg(
        long,
        value_name = "PIXELS",
        env = "REALTIME_PHOTO_MAX_PIXELS",
        default_value = "100000000",
        value_parser = clap::value_parser!(u64).range(1..)
    )]
    pub(super) max_pixels: u64,

    /// The most photos that a board may hold, without those in the bin. Without it there is no limit
    #[arg(
        long,
        value_name = "COUNT",
        env = "REALTIME_PHOTO_MAX_IMAGES",
        value_parser = clap::value_parser!(u64).range(1..)
    )]
    pub(super) max_images: Option<u64>,

    /// The most bytes that the photos of a board may have together, without those in the bin: bytes, or with a unit as
    /// for --max-upload. Without it there is no limit
    #[arg(
        long,
        value_name = "SIZE",
        env = "REALTIME_PHOTO_MAX_BOARD_SIZE",
        value_parser = parse_max_board_size
    )]
    pub(super) max_board_size: Option<u64>,

    /// The memory that complete uploads may use while they are checked and stored: bytes, or with a unit as for
    /// --max-upload. An upload needs about five times its size; one that needs more than all is processed alone. At
    /// least 16MiB
    #[arg(
        long,
        value_name = "SIZE",
        env = "REALTIME_PHOTO_UPLOAD_MEMORY",
        default_value = "256MiB",
        value_parser = parse_upload_memory
    )]
    pub(super) upload_memory: u64,

    /// The folder for uploads that are still arriving, which needs room for as many as there are at a time. Without it:
    /// uploads in the folder that --data names, or with --rethinkdb the system's folder for temporary files
    #[arg(long, value_name = "DIR", env = "REALTIME_PHOTO_UPLOAD_DIR")]
    pub(super) upload_dir: Option<PathBuf>,

    /// For how long a deleted photo can be restored: a number of seconds, minutes, hours or days such as 90s, 10m, 1h
    /// or 7d, at most 365d. Then it is removed for good. With 0 it is removed at once
    #[arg(
        long,
        value_name = "TIME",
        env = "REALTIME_PHOTO_UNDO_WINDOW",
        default_value = "1h",
        value_parser = parse_undo_window
    )]
    pub(super) undo_window: Duration,

    /// Store photos with their metadata, such as where and with which camera they were taken. Without it, metadata is
    /// removed except for colour profile and orientation
    #[arg(
        long,
        env = "REALTIME_PHOTO_KEEP_METADATA",
        value_parser = clap::builder::FalseyValueParser::new()
    )]
    pub(super) keep_metadata: bool,
}

impl LimitArguments {
    pub(super) fn of_boards(&self) -> BoardLimits {
        BoardLimits {
            max_images: self.max_images,
            max_bytes: self.max_board_size,
        }
    }

    pub(super) fn metadata(&self) -> Metadata {
        if self.keep_metadata {
            Metadata::Keep
        } else {
            Metadata::Remove
        }
    }
}

fn parse_undo_window(text: &str) -> Result<Duration, String> {
    // Lower case first: 10M has always meant minutes here, and means months to humantime.
    match humantime::parse_duration(&text.to_ascii_lowercase()) {
        Ok(window) if window > LONGEST_UNDO_WINDOW => Err("the maximum is 365d".to_owned()),
        Ok(window) => Ok(window),
        Err(error) => Err(format!("{error}; examples: 90s, 10m, 1h, 7d")),
    }
}

fn parse_max_upload(text: &str) -> Result<u64, String> {
    match text.parse::<ByteSize>() {
        Ok(ByteSize(0)) => Err("the size must not be 0".to_owned()),
        Ok(size) if size > LARGEST_UPLOAD => {
            Err("the maximum is 90MiB, the size limit of a RethinkDB query".to_owned())
        }
        Ok(ByteSize(bytes)) => Ok(bytes),
        Err(error) => Err(format!("{error}; examples: 16MiB, 500k, 1048576")),
    }
}

fn parse_max_board_size(text: &str) -> Result<u64, String> {
    match text.parse::<ByteSize>() {
        Ok(ByteSize(0)) => Err("the size must not be 0".to_owned()),
        Ok(ByteSize(bytes)) => Ok(bytes),
        Err(error) => Err(format!("{error}; examples: 2GB, 500MiB")),
    }
}

fn parse_upload_memory(text: &str) -> Result<u64, String> {
    match text.parse::<ByteSize>() {
        Ok(size) if size < LEAST_UPLOAD_MEMORY => Err("the minimum is 16MiB".to_owned()),
        Ok(ByteSize(bytes)) => Ok(bytes),
        Err(error) => Err(format!("{error}; examples: 256MiB, 1GB")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_upload_limit_is_at_most_that_of_a_query() {
        for (size, bytes) in [
            ("1048576", 1 << 20),
            ("500k", 500_000),
            ("500kB", 500_000),
            ("16MiB", 16 << 20),
            ("16 mib", 16 << 20),
            ("16Mi", 16 << 20),
            ("2M", 2_000_000),
            ("7B", 7),
            ("90MiB", 94_371_840),
        ] {
            assert_eq!(parse_max_upload(size), Ok(bytes), "{size}");
        }
        for size in [
            "0",
            "91MiB",
            "1GiB",
            "lots",
            "",
            "MiB",
            "-1",
            "1 2",
            "1MM",
            "1bb",
            "1ib",
            "99999999999999999999",
            "18446744073709551615k",
        ] {
            assert!(parse_max_upload(size).is_err(), "{size}");
        }
    }

    #[test]
    fn the_memory_for_uploads_has_a_minimum() {
        assert_eq!(parse_upload_memory("16MiB"), Ok(16 << 20));
        for size in ["0", "15MiB", "lots", ""] {
            assert!(parse_upload_memory(size).is_err(), "{size}");
        }
    }

    #[test]
    fn the_undo_window_is_at_most_a_year() {
        assert_eq!(parse_undo_window("365d"), Ok(LONGEST_UNDO_WINDOW));
        for (window, seconds) in [
            ("0", 0),
            ("0s", 0),
            ("90s", 90),
            ("10m", 600),
            ("10 m", 600),
            ("10M", 600),
            ("1h", 3600),
            ("2H", 7200),
            ("7d", 604_800),
        ] {
            assert_eq!(
                parse_undo_window(window),
                Ok(Duration::from_secs(seconds)),
                "{window}"
            );
        }
        for window in [
            "366d",
            "1",
            "90",
            "long",
            "",
            "s",
            "-1s",
            "99999999999999999999d",
            "18446744073709551615d",
        ] {
            assert!(parse_undo_window(window).is_err(), "{window}");
        }
    }
}
