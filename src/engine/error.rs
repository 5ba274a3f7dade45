//! What can go wrong in the engine, in the classes that ReQL clients know.

use thiserror::Error;

/// A failed ReQL query, as the client is told of it.
///
/// The numbers are those of `Response.ResponseType` and `Response.ErrorType` in RethinkDB's `ql2.proto`.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{message}")]
pub struct ReqlError {
    /// The class of the error.
    pub kind: ErrorKind,
    /// The text for the client.
    pub message: String,
}

/// The class of a [`ReqlError`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// The client broke the protocol (`CLIENT_ERROR`).
    Client,
    /// The query is not well formed (`COMPILE_ERROR`).
    Compile,
    /// A fault of the server (`RUNTIME_ERROR`, `INTERNAL`).
    Internal,
    /// A limit was passed (`RUNTIME_ERROR`, `RESOURCE_LIMIT`).
    ResourceLimit,
    /// The query makes no sense (`RUNTIME_ERROR`, `QUERY_LOGIC`).
    Logic,
    /// Something that the query named is not there (`RUNTIME_ERROR`, `NON_EXISTENCE`); `default` catches it.
    NonExistence,
    /// The operation was not carried out (`RUNTIME_ERROR`, `OP_FAILED`).
    OpFailed,
    /// It is unknown whether the operation was carried out (`RUNTIME_ERROR`, `OP_INDETERMINATE`).
    OpIndeterminate,
    /// Raised by `r.error` (`RUNTIME_ERROR`, `USER`).
    User,
}

impl ErrorKind {
    /// The `t` of the answer (`Response.ResponseType`).
    pub fn response_type(self) -> u32 {
        match self {
            Self::Client => 16,
            Self::Compile => 17,
            _ => 18,
        }
    }

    /// The `e` of the answer (`Response.ErrorType`); only runtime errors have one.
    pub fn error_type(self) -> Option<u32> {
        match self {
            Self::Client | Self::Compile => None,
            Self::Internal => Some(1_000_000),
            Self::ResourceLimit => Some(2_000_000),
            Self::Logic => Some(3_000_000),
            Self::NonExistence => Some(3_100_000),
            Self::OpFailed => Some(4_100_000),
            Self::OpIndeterminate => Some(4_200_000),
            Self::User => Some(5_000_000),
        }
    }
}

impl ReqlError {
    /// An error of the given class.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
        }
    }

    /// The query makes no sense.
    pub fn logic(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Logic, message)
    }

    /// Something that the query named is not there.
    pub fn missing(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::NonExistence, message)
    }

    /// The operation was not carried out.
    pub fn op_failed(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::OpFailed, message)
    }

    /// The query is not well formed.
    pub fn compile(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Compile, message)
    }

    /// A value of another type was wanted, in RethinkDB's words and classes: null counts as something that is missing.
    pub fn expected(wanted: &str, found: &str) -> Self {
        Self::of_type(found, format!("Expected type {wanted} but found {found}."))
    }

    /// A complaint about a value of the type `found`.
    pub fn of_type(found: &str, message: impl Into<String>) -> Self {
        match found {
            "NULL" => Self::missing(message),
            _ => Self::logic(message),
        }
    }
}
