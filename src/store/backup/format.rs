//! The format of a backup: JSON, one value a line. A header, a line for each row, and a line with the number of rows
//! and the SHA-256 of all lines before it, without which the backup is incomplete.

use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::image::Timestamp;

/// The version of the format.
const VERSION: u32 = 1;

/// The longest first line in bytes. A file that is no backup is refused after this many.
const MAX_HEADER: u64 = 4096;

/// The longest other line in bytes. The row of the largest image that a server accepts takes 120 MiB.
const MAX_LINE: u64 = 192 << 20;

/// A part of a backup.
#[derive(Debug, Clone, PartialEq)]
pub enum BackupPart {
    /// A row, with bytes as RethinkDB's pseudotype `BINARY`.
    Row {
        /// The table.
        table: String,
        /// All its fields.
        row: Value,
    },
    /// An image that could not be read, because it is damaged. Its row and placement are left out.
    Damaged {
        /// The key in the table `images`.
        id: String,
        /// The damage.
        reason: String,
    },
}

/// A line.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase")]
enum Line {
    /// The first line.
    RealtimePhotoBackup { version: u32, created_at: String },
    /// A row.
    Row { table: String, row: Value },
    /// An image that could not be read.
    Damaged { id: String, reason: String },
    /// The last line.
    End { rows: u64, sha256: String },
}

/// Writes the lines of a backup.
pub(crate) struct BackupWriter {
    hash: Sha256,
    rows: u64,
}

impl BackupWriter {
    /// Returns the writer and the first line.
    pub(crate) fn new() -> (Self, String) {
        let mut writer = Self {
            hash: Sha256::new(),
            rows: 0,
        };
        let header = writer.line(&Line::RealtimePhotoBackup {
            version: VERSION,
            created_at: Timestamp::now().to_string(),
        });
        (writer, header)
    }

    /// The line of a part.
    pub(crate) fn part(&mut self, part: BackupPart) -> String {
        let line = match part {
            BackupPart::Row { table, row } => {
                self.rows += 1;
                Line::Row { table, row }
            }
            BackupPart::Damaged { id, reason } => Line::Damaged { id, reason },
        };
        self.line(&line)
    }

    /// The last line.
    pub(crate) fn end(mut self) -> String {
        let (rows, sha256) = (self.rows, HEXLOWER.encode(&self.hash.clone().finalize()));
        self.line(&Line::End { rows, sha256 })
    }

    fn line(&mut self, line: &Line) -> String {
        let mut text = serde_json::to_string(line).expect("a line has only string keys");
        text.push('\n');
        self.hash.update(&text);
        text
    }
}

/// Why a backup cannot be used.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum InvalidBackup {
    #[error("it is not a backup of realtime-photo")]
    Header,
    #[error("it has the format {0}, which this version does not know: use a newer one")]
    Version(u32),
    #[error("line {0} is damaged")]
    Line(u64),
    #[error("it is incomplete: the last line is missing")]
    Incomplete,
    #[error("it is damaged: the checksum or the number of rows does not match")]
    Checksum,
}

/// Reads, and verifies, the lines of a backup.
#[derive(Default)]
pub(crate) struct BackupReader {
    hash: Sha256,
    lines: u64,
    rows: u64,
    is_complete: bool,
}

impl BackupReader {
    /// The most bytes that the next line may have.
    pub(crate) fn max_line(&self) -> u64 {
        match self.lines {
            0 => MAX_HEADER,
            _ => MAX_LINE,
        }
    }

    /// Reads a line with its line feed; `None` if it is the first or the last one.
    ///
    /// # Errors
    /// The defect of an invalid line.
    pub(crate) fn line(&mut self, text: &[u8]) -> Result<Option<BackupPart>, InvalidBackup> {
        let is_cut = !text.ends_with(b"\n");
        if is_cut && self.lines > 0 && (text.len() as u64) < MAX_LINE {
            return Err(InvalidBackup::Incomplete);
        }
        self.lines += 1;
        let invalid = match self.lines {
            1 => InvalidBackup::Header,
            line => InvalidBackup::Line(line),
        };
        if self.is_complete || is_cut {
            return Err(invalid);
        }
        let line = serde_json::from_slice::<Line>(text);
        let line = match line {
            Ok(line) if (self.lines == 1) == matches!(line, Line::RealtimePhotoBackup { .. }) => {
                line
            }
            _ => return Err(invalid),
        };
        let part = match line {
            Line::RealtimePhotoBackup { version, .. } if version != VERSION => {
                return Err(InvalidBackup::Version(version));
            }
            Line::RealtimePhotoBackup { .. } => None,
            Line::Row { table, row } => {
                self.rows += 1;
                Some(BackupPart::Row { table, row })
            }
            Line::Damaged { id, reason } => Some(BackupPart::Damaged { id, reason }),
            Line::End { rows, sha256 } => {
                if rows != self.rows || sha256 != HEXLOWER.encode(&self.hash.clone().finalize()) {
                    return Err(InvalidBackup::Checksum);
                }
                self.is_complete = true;
                None
            }
        };
        self.hash.update(text);
        Ok(part)
    }

    /// The number of rows of a complete backup.
    ///
    /// # Errors
    /// If the last line was not read.
    pub(crate) fn end(self) -> Result<u64, InvalidBackup> {
        if self.is_complete {
            Ok(self.rows)
        } else {
            Err(InvalidBackup::Incomplete)
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn lines() -> Vec<String> {
        let (mut writer, header) = BackupWriter::new();
        let row = |id: &str| BackupPart::Row {
            table: "images".to_owned(),
            row: json!({ "id": id }),
        };
        let damaged = BackupPart::Damaged {
            id: "c".to_owned(),
            reason: "its checksum".to_owned(),
        };
        let parts = [row("a"), row("b"), damaged].map(|part| writer.part(part));
        [vec![header], parts.to_vec(), vec![writer.end()]].concat()
    }

    fn read(lines: &[String]) -> Result<u64, InvalidBackup> {
        let mut reader = BackupReader::default();
        for line in lines {
            reader.line(line.as_bytes())?;
        }
        reader.end()
    }

    #[test]
    fn a_backup_is_read_as_it_was_written() {
        let lines = lines();
        assert_eq!(read(&lines), Ok(2));
        let mut reader = BackupReader::default();
        assert_eq!(reader.line(lines[0].as_bytes()), Ok(None));
        let row = BackupPart::Row {
            table: "images".to_owned(),
            row: json!({ "id": "a" }),
        };
        assert_eq!(reader.line(lines[1].as_bytes()), Ok(Some(row)));
    }

    #[test]
    fn a_damaged_or_incomplete_backup_is_refused() {
        let lines = lines();
        assert_eq!(read(&lines[..4]), Err(InvalidBackup::Incomplete));
        assert_eq!(read(&lines[1..]), Err(InvalidBackup::Header));
        assert_eq!(read(&["{}\n".to_owned()]), Err(InvalidBackup::Header));
        let mut changed = lines.clone();
        changed[2] = changed[2].replace("\"b\"", "\"x\"");
        assert_eq!(read(&changed), Err(InvalidBackup::Checksum));
        changed.remove(2);
        assert_eq!(read(&changed), Err(InvalidBackup::Checksum));
        changed[1] = "{\n".to_owned();
        assert_eq!(read(&changed), Err(InvalidBackup::Line(2)));
        let mut cut = lines.clone();
        cut.truncate(3);
        cut[2].pop();
        assert_eq!(read(&cut), Err(InvalidBackup::Incomplete));
        let mut reader = BackupReader::default();
        assert_eq!(
            reader.line(&[0xff, 0xd8, b'\n']),
            Err(InvalidBackup::Header)
        );
        let newer = lines[0].replace("\"version\":1", "\"version\":2");
        assert_eq!(read(&[newer]), Err(InvalidBackup::Version(2)));
    }
}
