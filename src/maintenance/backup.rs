//! `realtime-photo backup FILE`: fetches a backup from a running server, verifies it and writes it to a file.

use std::fs::{self, OpenOptions};
use std::io::{self, BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use futures::StreamExt as _;

use crate::store::{BackupPart, BackupReader, InvalidBackup, Token};

/// The exit code if the backup lacks images that are damaged.
const DAMAGED: u8 = 1;

/// The pause between two lines of progress.
const PROGRESS: Duration = Duration::from_secs(2);

/// Why no backup was made.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The server cannot be reached, or the connection broke.
    #[error("cannot fetch a backup from {server}: {reason}")]
    Server {
        /// The address that was given.
        server: String,
        /// What went wrong.
        reason: String,
    },
    /// The file cannot be written.
    #[error("cannot write {}: {source}", file.display())]
    File {
        /// The file.
        file: PathBuf,
        /// The error of the operating system.
        source: io::Error,
    },
    /// What the server sent is no backup.
    #[error("{server} sent no whole backup: {reason}")]
    Invalid {
        /// The address that was given.
        server: String,
        /// What is wrong.
        reason: String,
    },
}

/// Fetches a backup from `server` and writes it to `file`, which appears once it is complete. Prints the progress to
/// standard error.
///
/// # Errors
///
/// See [`BackupError`].
pub async fn backup(
    file: &Path,
    server: &str,
    token: Option<&Token>,
) -> Result<ExitCode, BackupError> {
    let broken = |error: reqwest::Error| BackupError::Server {
        server: server.to_owned(),
        reason: causes(&error),
    };
    let invalid = |reason: InvalidBackup| BackupError::Invalid {
        server: server.to_owned(),
        reason: reason.to_string(),
    };
    let unwritable = |source: io::Error| BackupError::File {
        file: file.to_owned(),
        source,
    };
    let mut request =
        reqwest::Client::new().get(format!("{}/backup", server.trim_end_matches('/')));
    if let Some(token) = token {
        request = request.bearer_auth(token.reveal());
    }
    let response = request.send().await.map_err(broken)?;
    if response.status() != 200 {
        let needs_token = matches!(response.status().as_u16(), 401 | 403);
        let hint = match needs_token {
            true => " (give the admin's token with --token)",
            false => "",
        };
        return Err(BackupError::Server {
            server: server.to_owned(),
            reason: format!("it answered {}{hint}", response.status()),
        });
    }
    let mut partial = file.as_os_str().to_owned();
    partial.push(".part");
    let partial = PathBuf::from(partial);
    let mut out = BufWriter::new(create(&partial).map_err(unwritable)?);
    let mut pieces = response.bytes_stream();
    let mut reader = BackupReader::default();
    let mut line = Vec::new();
    let mut damaged = Vec::new();
    let mut progress = Progress::default();
    while let Some(piece) = pieces.next().await {
        let piece = piece.map_err(broken)?;
        out.write_all(&piece).map_err(unwritable)?;
        progress.add(piece.len());
        for part in piece.split_inclusive(|byte| *byte == b'\n') {
            line.extend_from_slice(part);
            if !line.ends_with(b"\n") && (line.len() as u64) < reader.max_line() {
                continue;
            }
            match reader.line(&line).map_err(invalid)? {
                Some(BackupPart::Damaged { id, reason }) => damaged.push((id, reason)),
                Some(BackupPart::Row { .. }) => progress.rows += 1,
                None => {}
            }
            line.clear();
        }
    }
    let rows = reader.end().map_err(invalid)?;
    let written = out.into_inner().map_err(io::IntoInnerError::into_error);
    written
        .and_then(|written| written.sync_all())
        .and_then(|()| fs::rename(&partial, file))
        .map_err(unwritable)?;
    eprintln!(
        "{}: {rows} rows, {} bytes, verified.",
        file.display(),
        progress.bytes
    );
    for (id, reason) in &damaged {
        eprintln!("NOT IN THE BACKUP: image {id} is damaged ({reason})");
    }
    Ok(if damaged.is_empty() {
        ExitCode::SUCCESS
    } else {
        DAMAGED.into()
    })
}

/// A file that only its owner can read, as the data folder.
fn create(path: &Path) -> io::Result<fs::File> {
    let mut options = OpenOptions::new();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.write(true).create(true).truncate(true).open(path)
}

/// An error with its causes, which its text leaves out.
fn causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}

/// The progress, printed every two seconds.
pub(super) struct Progress {
    pub(super) rows: u64,
    bytes: usize,
    printed: Instant,
}

impl Default for Progress {
    fn default() -> Self {
        Self {
            rows: 0,
            bytes: 0,
            printed: Instant::now(),
        }
    }
}

impl Progress {
    pub(super) fn add(&mut self, bytes: usize) {
        self.bytes += bytes;
        if self.printed.elapsed() >= PROGRESS {
            self.printed = Instant::now();
            eprintln!("{} rows, {} MB …", self.rows, self.bytes / 1_000_000);
        }
    }
}
