//! What can go wrong between the application and its database.

use reql::{Driver, Error, Runtime};

/// How much of a server's message is kept: it may print whole documents, and those hold images.
const MESSAGE_LENGTH: usize = 300;

/// Why the store could not do something. No variant ever holds an image's bytes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// The database cannot be reached, does not answer in time, or has too much to do, as has this server: the same may
    /// succeed a little later.
    #[error("the database cannot be used now: {0}")]
    Unavailable(String),
    /// Wrong user or password.
    #[error("the database refuses the login: {0}")]
    Login(String),
    /// A feed is over, because the database went away or because its reader was too slow. Whoever wants to go on opens a
    /// new one, which begins with the present state.
    #[error("the feed ended: {0}")]
    FeedEnded(String),
    /// The database understood the query and will not do it: missing permissions, a limit, or a bug of ours.
    #[error("the database refuses the query: {0}")]
    Refused(String),
    /// A document is not what this application writes.
    #[error("a document cannot be read: {0}")]
    Corrupt(String),
}

impl StoreError {
    /// The end of a feed for the reason that this error gives.
    pub(super) fn into_end_of_feed(self) -> Self {
        match self {
            Self::Unavailable(reason) | Self::Refused(reason) => Self::FeedEnded(reason),
            other => other,
        }
    }

    /// A document that does not fit. The parser's own words would quote the document.
    pub(super) fn corrupt(what: &str, error: &serde_json::Error) -> Self {
        Self::Corrupt(format!("{what}: {:?} error", error.classify()))
    }
}

impl From<Error> for StoreError {
    fn from(error: Error) -> Self {
        match error {
            Error::Runtime(Runtime::Availability(error)) => {
                Self::Unavailable(shorten(&error.to_string()))
            }
            Error::Runtime(error) => Self::Refused(shorten(&error.to_string())),
            Error::Compile(message) => Self::Refused(shorten(&message)),
            Error::Driver(Driver::Auth(message)) => Self::Login(shorten(&message)),
            // It may quote the document that it could not read.
            Error::Driver(Driver::Json(_)) => {
                Self::Unavailable("the answer could not be read".to_owned())
            }
            Error::Driver(error) => Self::Unavailable(shorten(&error.to_string())),
        }
    }
}

/// Whether the session on which this error came can be used again: it was an answer, read to its end.
pub(super) fn leaves_session_usable(error: &Error) -> bool {
    matches!(error, Error::Runtime(_) | Error::Compile(_))
}

/// The beginning of a server's message; nothing of it if it holds an image.
pub(super) fn shorten(message: &str) -> String {
    // RethinkDB prints the two documents of a duplicate key, base64 included.
    if message.contains("\"BINARY\"") {
        return "(a message that holds an image)".to_owned();
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
    fn an_error_says_what_may_be_done_about_it() {
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
        let refused = Error::from(Runtime::Permission("no".into()));
        assert!(leaves_session_usable(&refused));
        assert!(matches!(refused.into(), StoreError::Refused(_)));
    }

    #[test]
    fn a_message_is_short_and_holds_no_image() {
        assert_eq!(shorten("short"), "short");
        assert_eq!(shorten(&"ü".repeat(1000)).chars().count(), 301);
        let duplicate = r#"Duplicate primary key `id`: {"file": {"$reql_type$": "BINARY", "data": "c2VjcmV0"}}"#;
        assert!(!shorten(duplicate).contains("c2Vj"));
    }
}
