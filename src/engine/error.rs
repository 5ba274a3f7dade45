//! Query errors in ReQL's classes.

use thiserror::Error;

/// The error of a query.
///
/// The numbers are those of `Response.ResponseType` and `Response.ErrorType` in RethinkDB's `ql2.proto`.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{message}")]
pub struct ReqlError {
    /// The class of the error.
    pub kind: ErrorKind,
    /// The message for the client.
    pub message: String,
}

/// The class of a [`ReqlError`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// A violation of the protocol (`CLIENT_ERROR`).
    Client,
    /// A malformed query (`COMPILE_ERROR`).
    Compile,
    /// A failure of the server (`RUNTIME_ERROR`, `INTERNAL`).
    Internal,
    /// An exceeded limit (`RUNTIME_ERROR`, `RESOURCE_LIMIT`).
    ResourceLimit,
    /// An invalid operation (`RUNTIME_ERROR`, `QUERY_LOGIC`).
    Logic,
    /// A missing value (`RUNTIME_ERROR`, `NON_EXISTENCE`). `default` catches it.
    NonExistence,
    /// An operation that had no effect (`RUNTIME_ERROR`, `OP_FAILED`).
    OpFailed,
    /// An operation with an unknown outcome (`RUNTIME_ERROR`, `OP_INDETERMINATE`).
    OpIndeterminate,
    /// An error raised by `r.error` (`RUNTIME_ERROR`, `USER`).
    User,
}

impl ErrorKind {
    /// The `t` of the response (`Response.ResponseType`).
    pub fn response_type(self) -> u32 {
        match self {
            Self::Client => 16,
            Self::Compile => 17,
            _ => 18,
        }
    }

    /// The `e` of the response (`Response.ErrorType`), which only runtime errors have.
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
    /// An error of any class.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
        }
    }

    /// An [`ErrorKind::Logic`].
    pub fn logic(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Logic, message)
    }

    /// An [`ErrorKind::NonExistence`].
    pub fn missing(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::NonExistence, message)
    }

    /// An [`ErrorKind::OpFailed`].
    pub fn op_failed(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::OpFailed, message)
    }

    /// An [`ErrorKind::Compile`].
    pub fn compile(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Compile, message)
    }

    /// RethinkDB's error for a value of the wrong type. Null is reported as missing, so that `default` catches it.
    pub fn expected(wanted: &str, found: &str) -> Self {
        Self::of_type(found, format!("Expected type {wanted} but found {found}."))
    }

    /// An error about a value of type `found`, in the same class as [`ReqlError::expected`].
    pub fn of_type(found: &str, message: impl Into<String>) -> Self {
        match found {
            "NULL" => Self::missing(message),
            _ => Self::logic(message),
        }
    }
}
