//! A streaming writer of ZIP files (PKWARE's APPNOTE 6.3.10). Files are stored uncompressed, as images are compressed
//! already.
//!
//! Size and checksum of a file are known when its header is written, so there are no data descriptors, which streaming
//! readers cannot handle for stored files. A file is smaller than 4 GiB; the archive may be larger and may have more
//! than 65,535 files, which needs a Zip64 directory.

use time::OffsetDateTime;

use crate::image::Timestamp;

/// Names are UTF-8 (4.4.4, bit 11).
const FLAGS: u16 = 1 << 11;

/// Stored, not compressed (4.4.5).
const STORED: u16 = 0;

/// The version needed to extract (4.4.3), without and with Zip64.
const VERSION: u16 = 20;
const VERSION_64: u16 = 45;

/// Made on Unix (4.4.2), which gives the external attributes their meaning.
const MADE_BY: u16 = 3 << 8 | VERSION_64;

/// A regular file with mode 644.
const ATTRIBUTES: u32 = 0o100_644 << 16;

/// Produces the headers of an archive. The caller writes the bytes of each file between them.
#[derive(Default)]
pub(crate) struct Archive {
    /// The length of the archive so far.
    length: u64,
    files: u64,
    /// The central directory of the files so far.
    directory: Vec<u8>,
}

/// The metadata of a file in the archive.
pub(crate) struct File<'a> {
    /// A name without folders, at most 65,535 bytes long.
    pub(crate) name: &'a str,
    pub(crate) modified: Timestamp,
    pub(crate) crc32: u32,
    pub(crate) size: u32,
}

impl Archive {
    /// Returns the header to write before the bytes of `file`.
    pub(crate) fn begin_file(&mut self, file: &File<'_>) -> Vec<u8> {
        let common = common(file);
        let mut header = Vec::with_capacity(64 + file.name.len());
        put32(&mut header, 0x0403_4b50);
        put16(&mut header, VERSION);
        header.extend_from_slice(&common);
        let modified = modified(file.modified);
        put16(&mut header, length16(file.name.as_bytes()));
        put16(&mut header, length16(&modified));
        header.extend_from_slice(file.name.as_bytes());
        header.extend_from_slice(&modified);
        self.add_to_directory(file, &common, &modified);
        self.files += 1;
        self.length += header.len() as u64 + u64::from(file.size);
        header
    }

    /// Adds a file, which starts at the current length, to the central directory.
    fn add_to_directory(&mut self, file: &File<'_>, common: &[u8], modified: &[u8]) {
        let offset = u32::try_from(self.length).ok().filter(|&n| n < u32::MAX);
        let mut extra = modified.to_vec();
        if offset.is_none() {
            // Zip64 extra field (4.5.3): only the values that do not fit their own field.
            put16(&mut extra, 1);
            put16(&mut extra, 8);
            put64(&mut extra, self.length);
        }
        let directory = &mut self.directory;
        put32(directory, 0x0201_4b50);
        put16(directory, MADE_BY);
        put16(
            directory,
            if offset.is_some() {
                VERSION
            } else {
                VERSION_64
            },
        );
        directory.extend_from_slice(common);
        put16(directory, length16(file.name.as_bytes()));
        put16(directory, length16(&extra));
        // No comment, disk 0, no internal attributes.
        directory.extend_from_slice(&[0; 6]);
        put32(directory, ATTRIBUTES);
        put32(directory, offset.unwrap_or(u32::MAX));
        directory.extend_from_slice(file.name.as_bytes());
        directory.extend_from_slice(&extra);
    }

    /// Returns the central directory to write after the last file. Readers reject an archive without it.
    pub(crate) fn finish(self) -> Vec<u8> {
        let (files, offset, size) = (self.files, self.length, self.directory.len() as u64);
        let mut end = self.directory;
        let needs_64 = files >= u64::from(u16::MAX) || offset + size >= u64::from(u32::MAX);
        if needs_64 {
            put32(&mut end, 0x0606_4b50);
            put64(&mut end, 44);
            put16(&mut end, MADE_BY);
            put16(&mut end, VERSION_64);
            put64(&mut end, 0);
            put64(&mut end, files);
            put64(&mut end, files);
            put64(&mut end, size);
            put64(&mut end, offset);
            put32(&mut end, 0x0706_4b50);
            put32(&mut end, 0);
            put64(&mut end, offset + size);
            put32(&mut end, 1);
        }
        put32(&mut end, 0x0605_4b50);
        put32(&mut end, 0);
        let files = u16::try_from(files).unwrap_or(u16::MAX);
        put16(&mut end, files);
        put16(&mut end, files);
        put32(&mut end, u32::try_from(size).unwrap_or(u32::MAX));
        put32(&mut end, u32::try_from(offset).unwrap_or(u32::MAX));
        put16(&mut end, 0);
        end
    }
}

/// The fields that the local header and the directory share, from the flags to the sizes.
fn common(file: &File<'_>) -> Vec<u8> {
    let mut common = Vec::with_capacity(20);
    put16(&mut common, FLAGS);
    put16(&mut common, STORED);
    let (time, date) = dos_time(file.modified);
    put16(&mut common, time);
    put16(&mut common, date);
    put32(&mut common, file.crc32);
    put32(&mut common, file.size);
    put32(&mut common, file.size);
    common
}

/// Info-ZIP's extra field "extended timestamp": seconds in UTC, where the DOS time has no time zone.
fn modified(time: Timestamp) -> Vec<u8> {
    let seconds = time.as_millis().div_euclid(1000);
    let mut field = Vec::with_capacity(9);
    put16(&mut field, 0x5455);
    put16(&mut field, 5);
    field.push(1);
    put32(&mut field, u32::try_from(seconds).unwrap_or(u32::MAX));
    field
}

/// Time and date in MS-DOS format: from 1980 to 2107, in steps of two seconds.
fn dos_time(time: Timestamp) -> (u16, u16) {
    const FIRST: i64 = 315_532_800;
    const LAST: i64 = 4_354_819_198;
    let seconds = time.as_millis().div_euclid(1000).clamp(FIRST, LAST);
    let time = OffsetDateTime::from_unix_timestamp(seconds)
        .expect("the bounds above are within the range of the type");
    let (hour, minute, second) = time.to_hms();
    let year = u16::try_from(time.year() - 1980).unwrap_or_default();
    (
        u16::from(hour) << 11 | u16::from(minute) << 5 | u16::from(second / 2),
        year << 9 | u16::from(u8::from(time.month())) << 5 | u16::from(time.day()),
    )
}

fn length16(bytes: &[u8]) -> u16 {
    u16::try_from(bytes.len()).expect("names and extra fields are short")
}

fn put16(to: &mut Vec<u8>, value: u16) {
    to.extend_from_slice(&value.to_le_bytes());
}

fn put32(to: &mut Vec<u8>, value: u32) {
    to.extend_from_slice(&value.to_le_bytes());
}

fn put64(to: &mut Vec<u8>, value: u64) {
    to.extend_from_slice(&value.to_le_bytes());
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Seek as _, SeekFrom, Write as _};

    use zip::ZipArchive;

    use super::*;

    fn file(name: &str, bytes: &[u8]) -> (Vec<u8>, File<'static>) {
        let name: &'static str = name.to_owned().leak();
        let file = File {
            name,
            modified: Timestamp::from_millis(1_738_324_805_999),
            crc32: crc32fast::hash(bytes),
            size: bytes.len() as u32,
        };
        (bytes.to_vec(), file)
    }

    #[test]
    fn another_implementation_reads_an_archive() {
        let mut archive = Archive::default();
        let mut written = Vec::new();
        let files = [
            ("cat.png", &b"meow"[..]),
            ("😀 ü.gif", b""),
            ("c", &[0; 70_000]),
        ];
        for (name, bytes) in files {
            let (bytes, file) = file(name, bytes);
            written.extend(archive.begin_file(&file));
            written.extend(bytes);
        }
        written.extend(archive.finish());
        let mut archive = ZipArchive::new(std::io::Cursor::new(written)).unwrap();
        assert_eq!(archive.len(), 3);
        for (number, (name, bytes)) in files.into_iter().enumerate() {
            let mut file = archive.by_index(number).unwrap();
            assert_eq!(file.name().unwrap(), name);
            let modified = file.last_modified().unwrap();
            assert_eq!(modified.to_string(), "2025-01-31 12:00:04");
            let mut read = Vec::new();
            file.read_to_end(&mut read).unwrap();
            assert_eq!(read, bytes);
        }
    }

    #[test]
    fn an_archive_without_files_is_valid() {
        let end = Archive::default().finish();
        assert_eq!(ZipArchive::new(std::io::Cursor::new(end)).unwrap().len(), 0);
    }

    #[test]
    fn an_archive_over_4_gib_and_65535_files_is_readable() {
        // Sparse regions take no space on disk.
        let mut disk = tempfile::tempfile().unwrap();
        let mut archive = Archive::default();
        for number in 0..5_u32 {
            let hole = File {
                name: &format!("hole {number}"),
                modified: Timestamp::from_millis(0),
                crc32: 0,
                size: 1 << 30,
            };
            disk.write_all(&archive.begin_file(&hole)).unwrap();
            disk.seek(SeekFrom::Current(1 << 30)).unwrap();
        }
        for number in 0..66_000_u32 {
            let (bytes, file) = file(&format!("{number}.png"), b"meow");
            disk.write_all(&archive.begin_file(&file)).unwrap();
            disk.write_all(&bytes).unwrap();
        }
        disk.write_all(&archive.finish()).unwrap();
        let mut archive = ZipArchive::new(std::io::BufReader::new(disk)).unwrap();
        assert_eq!(archive.len(), 66_005);
        for name in ["0.png", "65999.png"] {
            let mut read = String::new();
            let mut file = archive.by_name(name).unwrap();
            file.read_to_string(&mut read).unwrap();
            assert_eq!(read, "meow");
        }
    }

    #[test]
    fn times_outside_the_dos_range_are_clamped() {
        let year = |ms| dos_time(Timestamp::from_millis(ms)).1 >> 9;
        assert_eq!((year(0), year(i64::MAX)), (0, 127));
    }
}
