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

/// The time limit for connecting, and for each piece: a large image is read from the database before its line is sent.
const TIMEOUT: Duration = Duration::from_secs(60);

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
        /// The cause.
        reason: String,
    },
    /// The file cannot be written.
    #[error("cannot write {}: {source}", file.display())]
    File {
        /// The path of the backup.
        file: PathBuf,
        /// The error of the operating system.
        source: io::Error,
    },
    /// The response of the server is not a backup.
    #[error("{server} sent no whole backup: {reason}")]
    Invalid {
        /// The address that was given.
        server: String,
        /// The defect.
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
    let mut pieces = request(server, token).await?.bytes_stream();
    let mut receiver = Receiver::create(file, server)?;
    while let Some(piece) = pieces.next().await {
        receiver.add(&piece.map_err(|error| broken(server, &error))?)?;
    }
    receiver.finish()
}

async fn request(server: &str, token: Option<&Token>) -> Result<reqwest::Response, BackupError> {
    // A proxy of the environment would be sent the token.
    let client = reqwest::Client::builder()
        .no_proxy()
        .connect_timeout(TIMEOUT)
        .read_timeout(TIMEOUT)
        .build();
    let client = client.map_err(|error| broken(server, &error))?;
    let mut request = client.get(format!("{}/backup", server.trim_end_matches('/')));
    if let Some(token) = token {
        request = request.bearer_auth(token.reveal());
    }
    let response = request
        .send()
        .await
        .map_err(|error| broken(server, &error))?;
    let hint = match response.status().as_u16() {
        200 => return Ok(response),
        401 | 403 => " (give the admin's token with --token)",
        _ => "",
    };
    Err(BackupError::Server {
        server: server.to_owned(),
        reason: format!("it answered {}{hint}", response.status()),
    })
}

fn broken(server: &str, error: &reqwest::Error) -> BackupError {
    BackupError::Server {
        server: server.to_owned(),
        reason: causes(error),
    }
}

/// Verifies a backup and writes it to a file.
struct Receiver<'a> {
    file: &'a Path,
    server: &'a str,
    /// The name of the file until it is complete.
    partial: PathBuf,
    out: BufWriter<fs::File>,
    reader: BackupReader,
    /// The start of the next line.
    line: Vec<u8>,
    /// The images that the backup lacks: their keys, and the damage.
    damaged: Vec<(String, String)>,
    progress: Progress,
}

impl<'a> Receiver<'a> {
    fn create(file: &'a Path, server: &'a str) -> Result<Self, BackupError> {
        let mut partial = file.as_os_str().to_owned();
        partial.push(".part");
        let partial = PathBuf::from(partial);
        let out = create(&partial).map_err(|source| unwritable(file, source))?;
        Ok(Self {
            file,
            server,
            partial,
            out: BufWriter::new(out),
            reader: BackupReader::default(),
            line: Vec::new(),
            damaged: Vec::new(),
            progress: Progress::default(),
        })
    }

    fn add(&mut self, piece: &[u8]) -> Result<(), BackupError> {
        let written = self.out.write_all(piece);
        written.map_err(|source| unwritable(self.file, source))?;
        self.progress.add(piece.len());
        for part in piece.split_inclusive(|byte| *byte == b'\n') {
            self.line.extend_from_slice(part);
            if !part.ends_with(b"\n") && (self.line.len() as u64) < self.reader.max_line() {
                continue;
            }
            let read = self.reader.line(&self.line);
            match read.map_err(|reason| invalid(self.server, &reason))? {
                Some(BackupPart::Damaged { id, reason }) => self.damaged.push((id, reason)),
                Some(BackupPart::Row { .. }) => self.progress.rows += 1,
                None => {}
            }
            self.line.clear();
        }
        Ok(())
    }

    fn finish(self) -> Result<ExitCode, BackupError> {
        let rows = self.reader.end();
        let rows = rows.map_err(|reason| invalid(self.server, &reason))?;
        let written = self
            .out
            .into_inner()
            .map_err(io::IntoInnerError::into_error);
        written
            .and_then(|written| written.sync_all())
            .and_then(|()| fs::rename(&self.partial, self.file))
            .map_err(|source| unwritable(self.file, source))?;
        eprintln!(
            "{}: {rows} rows, {} bytes, verified.",
            self.file.display(),
            self.progress.bytes
        );
        for (id, reason) in &self.damaged {
            eprintln!("NOT IN THE BACKUP: image {id} is damaged ({reason})");
        }
        Ok(match self.damaged.is_empty() {
            true => ExitCode::SUCCESS,
            false => DAMAGED.into(),
        })
    }
}

fn unwritable(file: &Path, source: io::Error) -> BackupError {
    BackupError::File {
        file: file.to_owned(),
        source,
    }
}

fn invalid(server: &str, reason: &InvalidBackup) -> BackupError {
    BackupError::Invalid {
        server: server.to_owned(),
        reason: reason.to_string(),
    }
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
