//! Error responses: `application/problem+json` (RFC 9457).

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderName, HeaderValue};
use actix_web::{HttpResponse, ResponseError};
use serde::Serialize;

use super::readable_size::readable_size;
use crate::image::{InvalidImage, InvalidUpload};
use crate::store::{BoardFull, StoreError};

/// An error response. Its text is shown to the client and so reveals nothing of the server's internals.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Problem {
    status: StatusCode,
    detail: Cow<'static, str>,
    headers: Vec<(HeaderName, HeaderValue)>,
}

/// The `Retry-After` of a 503.
const RETRY_AFTER_SECONDS: u16 = 2;

impl Problem {
    /// Creates a problem; `detail` is a sentence for the client.
    pub(crate) fn new(status: StatusCode, detail: impl Into<Cow<'static, str>>) -> Self {
        Self {
            status,
            detail: detail.into(),
            headers: Vec::new(),
        }
    }

    /// Adds a header to the response.
    pub(crate) fn with_header(mut self, name: HeaderName, value: impl Into<HeaderValue>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// 400
    pub(crate) fn bad_request(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, detail)
    }

    /// 403
    pub(crate) fn forbidden(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::FORBIDDEN, detail)
    }

    /// 404
    pub(crate) fn not_found(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::NOT_FOUND, detail)
    }

    /// 404, for an image that is unknown or deleted, or an id that is malformed.
    pub(crate) fn no_such_image() -> Self {
        Self::not_found("There is no such photo.")
    }

    /// 404, for a board that is unknown or deleted, or that the caller may not know of.
    pub(crate) fn no_such_board() -> Self {
        Self::not_found("There is no such board.")
    }

    /// 404, for an image that is shown without a separate thumbnail.
    pub(crate) fn no_thumbnail() -> Self {
        Self::not_found("The photo has no thumbnail.")
    }

    /// 500. The cause is in the log.
    pub(crate) fn internal() -> Self {
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "The server failed. Its log says why.",
        )
    }

    /// 500, for an image whose stored bytes are not those that were uploaded. The log names it.
    pub(crate) fn damaged() -> Self {
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "This photo is damaged on the server's disk and cannot be shown. The server's log names it, and \
             `realtime-photo check` lists all damage. Restore it from a backup, or delete it and add it again.",
        )
    }

    /// 429 with `Retry-After`: the client may try again after `wait`.
    pub(crate) fn too_many(detail: impl Into<Cow<'static, str>>, wait: Duration) -> Self {
        // Rounded up, so that the next attempt is not too early.
        let seconds = wait.as_secs() + 1;
        Self::new(StatusCode::TOO_MANY_REQUESTS, detail).with_header(
            header::RETRY_AFTER,
            u16::try_from(seconds).unwrap_or(u16::MAX),
        )
    }

    /// 507
    pub(crate) fn disk_full() -> Self {
        Self::new(
            StatusCode::INSUFFICIENT_STORAGE,
            "The disk is full. Free some space on the server's disk, or delete photos and wait until they are removed \
             from the bin. Adding photos works again by itself then.",
        )
    }

    /// 503 with `Retry-After`, for a disk that fails or is read-only.
    pub(crate) fn disk_failed() -> Self {
        Self::busy(
            "The server's disk cannot be written: it fails, or is read-only. Nothing that was stored is lost, and changes \
             work again once the disk does. The server's log says more.",
        )
    }

    /// 503 with `Retry-After`.
    pub(crate) fn busy(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, detail)
            .with_header(header::RETRY_AFTER, RETRY_AFTER_SECONDS)
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.detail)
    }
}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        self.status
    }

    fn error_response(&self) -> HttpResponse {
        /// The type `about:blank` means that the title is that of the status.
        #[derive(Serialize)]
        struct Body<'a> {
            r#type: &'static str,
            title: &'static str,
            status: u16,
            detail: &'a str,
        }
        let body = Body {
            r#type: "about:blank",
            title: self.status.canonical_reason().unwrap_or("Error"),
            status: self.status.as_u16(),
            detail: &self.detail,
        };
        let mut response = HttpResponse::build(self.status);
        for (name, value) in &self.headers {
            response.insert_header((name.clone(), value.clone()));
        }
        response
            .insert_header((header::CONTENT_TYPE, "application/problem+json"))
            .insert_header((header::CACHE_CONTROL, "no-store"))
            .body(serde_json::to_string(&body).expect("strings and a number"))
    }
}

/// Logs the error, except for damage, which is logged where it is found, and only once. The client is told only what it
/// can act on.
impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        if !matches!(error, StoreError::Damaged(_)) {
            log::warn!("a request failed: {error}");
        }
        match error {
            StoreError::Damaged(_) => Self::damaged(),
            StoreError::Full => Self::disk_full(),
            StoreError::DiskFailed(_) => Self::disk_failed(),
            StoreError::Unavailable(_) | StoreError::Login(_) | StoreError::FeedEnded(_) => {
                Self::busy("The database cannot be used right now.")
            }
            StoreError::Refused(_) | StoreError::Corrupt(_) => Self::internal(),
        }
    }
}

/// 507
impl From<BoardFull> for Problem {
    fn from(full: BoardFull) -> Self {
        let detail = match full {
            BoardFull::Images(max) => format!("The board is full: it holds at most {max} photos."),
            BoardFull::Bytes(max) => {
                let size = readable_size(max);
                format!("The board is full: its photos may take at most {size} together.")
            }
        };
        Self::new(StatusCode::INSUFFICIENT_STORAGE, detail)
    }
}

impl From<InvalidUpload> for Problem {
    fn from(invalid: InvalidUpload) -> Self {
        let status = match &invalid {
            InvalidUpload::Field { .. } | InvalidUpload::Empty => StatusCode::BAD_REQUEST,
            InvalidUpload::Image(InvalidImage::Unknown(_)) => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            InvalidUpload::Image(_) => StatusCode::UNPROCESSABLE_ENTITY,
        };
        Self::new(status, sentence(&invalid.to_string()))
    }
}

/// Turns an error message into a sentence.
fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().into_iter().flat_map(char::to_uppercase);
    first.chain(letters).chain(['.']).collect()
}

#[cfg(test)]
mod tests {
    use actix_web::body::to_bytes;

    use super::*;

    #[actix_web::test]
    async fn a_problem_is_sent_as_json() {
        let response = Problem::busy("The database cannot be used right now.").error_response();
        assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(
            response.headers().get("content-type").unwrap(),
            "application/problem+json"
        );
        assert_eq!(response.headers().get("retry-after").unwrap(), "2");
        let body: serde_json::Value =
            serde_json::from_slice(&to_bytes(response.into_body()).await.unwrap()).unwrap();
        assert_eq!(
            body,
            serde_json::json!({
                "type": "about:blank", "title": "Service Unavailable", "status": 503,
                "detail": "The database cannot be used right now.",
            })
        );
    }

    #[test]
    fn the_fault_of_an_upload_decides_the_status() {
        let status = |invalid: InvalidUpload| Problem::from(invalid).status.as_u16();
        assert_eq!(status(InvalidUpload::Empty), 400);
        assert_eq!(
            status(InvalidUpload::Image(InvalidImage::Unknown(None))),
            415
        );
        assert_eq!(
            status(InvalidUpload::Image(InvalidImage::Truncated("PNG"))),
            422
        );
        assert_eq!(
            Problem::from(InvalidUpload::Empty).detail,
            "The file is empty."
        );
    }
}
