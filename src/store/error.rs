//! Errors of the store.

use reql::{Driver, Error, Runtime};

/// Maximum length of a server's message in an error, in characters. RethinkDB prints whole documents in some.
const MESSAGE_LENGTH: usize = 300;

/// The embedded engine's message about a full disk.
const FULL: &str = "The disk that holds the database is full";

/// The beginnings of the embedded engine's messages about a disk that fails or is read-only, and about the time in
/// which it finds out if it works again.
const DISK_FAILED: [&str; 2] = [
    "The disk that holds the database failed",
    "The database is recovering from an error of its disk",
];

/// The beginnings of the embedded engine's messages about damage.
const DAMAGED: [&str; 2] = ["The stored data of table", "The database file is damaged"];

/// The beginning of the message of a changefeed whose queue has overflowed, also of a real RethinkDB.
const OVERFLOW: &str = "Changefeed cache over array size limit";

/// Failure of a store operation. Messages never contain bytes of an image.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// The database cannot be reached, does not answer in time or is overloaded, or this server is. The same operation
    /// may succeed later.
    #[error("the database is unavailable: {0}")]
    Unavailable(String),
    /// The disk of the database has no space for what is to be stored.
    #[error("the disk of the database is full")]
    Full,
    /// The disk of the database fails or is read-only. The same operation succeeds once the disk works.
    #[error("{0}")]
    DiskFailed(String),
    /// Wrong user name or password.
    #[error("the database refused the login: {0}")]
    Login(String),
    /// A feed has ended, because the database was lost or the reader was too slow. Open a new one to resume; it starts
    /// with the current state.
    #[error("the feed ended: {0}")]
    FeedEnded(String),
    /// The database rejected the query: missing permissions, an exceeded limit, or a bug in this application.
    #[error("the database refused the query: {0}")]
    Refused(String),
    /// The stored bytes differ from those that were written. Everything else can be read.
    #[error("stored data is damaged: {0}")]
    Damaged(String),
    /// A document does not have the fields that this application writes.
    #[error("invalid document: {0}")]
    Corrupt(String),
}

impl StoreError {
    /// Returns `true` if a feed has ended because its reader was too slow.
    pub fn is_overflow(&self) -> bool {
        matches!(self, Self::FeedEnded(reason) if reason.starts_with(OVERFLOW))
    }

    /// Converts an error that ended a changefeed.
    pub(super) fn into_feed_ended(self) -> Self {
        match self {
            Self::Unavailable(reason) | Self::Refused(reason) => Self::FeedEnded(reason),
            other => other,
        }
    }

    /// Error for a query, or a write to a document, that the database did not execute, with its message.
    pub(super) fn refused(message: &str) -> Self {
        if let Some(error) = Self::of_disk(message) {
            error
        } else if DAMAGED.iter().any(|text| message.contains(text)) {
            Self::Damaged(shorten(message))
        } else {
            Self::Refused(shorten(message))
        }
    }

    /// Error for a message that blames the disk; `None` for any other.
    fn of_disk(message: &str) -> Option<Self> {
        if message.contains(FULL) {
            return Some(Self::Full);
        }
        let is_failed = DISK_FAILED.iter().any(|text| message.contains(text));
        is_failed.then(|| Self::DiskFailed(shorten(message)))
    }

    /// Error for a document that does not deserialize. Omits serde's message, which quotes the document.
    pub(super) fn corrupt(what: &str, error: &serde_json::Error) -> Self {
        Self::Corrupt(format!("{what}: {:?} error", error.classify()))
    }
}

impl From<Error> for StoreError {
    fn from(error: Error) -> Self {
        match error {
            Error::Runtime(Runtime::Availability(error)) => {
                let message = error.to_string();
                Self::of_disk(&message).unwrap_or_else(|| Self::Unavailable(shorten(&message)))
            }
            Error::Runtime(error) => Self::refused(&error.to_string()),
            Error::Compile(message) => Self::Refused(shorten(&message)),
            Error::Driver(Driver::Auth(message)) => Self::Login(shorten(&message)),
            // Its message may quote the document.
            Error::Driver(Driver::Json(_)) => {
                Self::Unavailable("the answer is not valid JSON".to_owned())
            }
            Error::Driver(error) => Self::Unavailable(shorten(&error.to_string())),
        }
    }
}

/// Returns `true` if the session on which this error occurred can run further queries: the error is a complete answer.
pub(super) fn leaves_session_usable(error: &Error) -> bool {
    matches!(error, Error::Runtime(_) | Error::Compile(_))
}

/// Truncates a server's message. Omits it entirely if it contains an image.
pub(super) fn shorten(message: &str) -> String {
    // For a duplicate key RethinkDB prints both documents, including the base64 of the file.
    if message.contains("\"BINARY\"") {
        return "(message contains an image)".to_owned();
    }
    match message.char_indices().nth(MESSAGE_LENGTH) {
        Some((end, _)) => format!("{}…", &message[..end]),
        None => message.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use reql::Availability;

    #[test]
    fn driver_errors_map_to_variants_by_cause() {
        let unavailable = Error::from(Availability::OpFailed("Table `a.b` …".into()));
        assert!(matches!(unavailable.into(), StoreError::Unavailable(_)));
        let broken = Error::from(std::io::Error::from(std::io::ErrorKind::ConnectionReset));
        assert!(!leaves_session_usable(&broken));
        assert!(matches!(broken.into(), StoreError::Unavailable(_)));
        let login = Error::from(Driver::Auth("Wrong password".into()));
        assert_eq!(
            StoreError::from(login),
            StoreError::Login("Wrong password".into())
        );
        let full = Error::from(Availability::OpFailed(format!("{FULL}.")));
        assert_eq!(StoreError::from(full), StoreError::Full);
        for text in DISK_FAILED {
            let failed = Error::from(Availability::OpFailed(format!("{text}: …")));
            assert!(matches!(failed.into(), StoreError::DiskFailed(_)));
        }
        let damaged = Error::from(Runtime::Internal(
            "The stored data of table `a.b`, key \"c\", is damaged: …".into(),
        ));
        assert!(matches!(damaged.into(), StoreError::Damaged(_)));
        let refused = Error::from(Runtime::Permission("no".into()));
        assert!(leaves_session_usable(&refused));
        assert!(matches!(refused.into(), StoreError::Refused(_)));
    }

    #[test]
    fn a_message_is_truncated_and_contains_no_image() {
        assert_eq!(shorten("short"), "short");
        assert_eq!(shorten(&"ü".repeat(1000)).chars().count(), 301);
        let duplicate = r#"Duplicate primary key `id`: {"file": {"$reql_type$": "BINARY", "data": "c2VjcmV0"}}"#;
        assert!(!shorten(duplicate).contains("c2Vj"));
    }
}
