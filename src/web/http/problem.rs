//! What a client is told when something is wrong: `application/problem+json` (RFC 9457).

use std::borrow::Cow;
use std::fmt;

use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderName, HeaderValue};
use actix_web::{HttpRequest, HttpResponse, ResponseError};
use serde::Serialize;

use crate::image::{InvalidImage, InvalidUpload};
use crate::store::StoreError;

/// An answer that says why there is no other. Its text is meant for the client, so it names nothing from inside.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Problem {
    status: StatusCode,
    detail: Cow<'static, str>,
    headers: Vec<(HeaderName, HeaderValue)>,
}

/// How long a client should wait before it tries again what this server could not take.
const RETRY_AFTER_SECONDS: u16 = 2;

impl Problem {
    /// A problem of this status; the detail is a sentence for the client.
    pub(crate) fn new(status: StatusCode, detail: impl Into<Cow<'static, str>>) -> Self {
        Self {
            status,
            detail: detail.into(),
            headers: Vec::new(),
        }
    }

    /// The same with a header.
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

    /// 404, for an image that is unknown, deleted, or whose id is none.
    pub(crate) fn no_such_image() -> Self {
        Self::new(StatusCode::NOT_FOUND, "There is no such image.")
    }

    /// 404, for an image without a thumbnail of its own.
    pub(crate) fn no_thumbnail() -> Self {
        Self::new(StatusCode::NOT_FOUND, "The image has no thumbnail.")
    }

    /// 503, to be tried again soon.
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
        /// `about:blank` says that the title is that of the status.
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

/// Logs what the store reports; the client learns only what it can do about it.
impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        log::warn!("a request failed: {error}");
        match error {
            StoreError::Unavailable(_) | StoreError::Login(_) | StoreError::FeedEnded(_) => {
                Self::busy("The database cannot be used right now.")
            }
            StoreError::Refused(_) | StoreError::Corrupt(_) => Self::new(
                StatusCode::INTERNAL_SERVER_ERROR,
                "The server failed. Its log says why.",
            ),
        }
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

/// An error's text as a sentence.
fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().into_iter().flat_map(char::to_uppercase);
    first.chain(letters).chain(['.']).collect()
}

/// 404 for every path that is none.
pub(crate) async fn not_found() -> Result<HttpResponse, Problem> {
    Err(Problem::new(
        StatusCode::NOT_FOUND,
        "There is nothing at this address.",
    ))
}

/// 405 for a known path, with the methods that it knows.
pub(crate) async fn method_not_allowed(request: HttpRequest) -> Result<HttpResponse, Problem> {
    let allowed = match request.match_pattern().as_deref() {
        Some("/image" | "/image/" | "/image/{id}/restore") => "POST",
        Some("/image/{id}") => "GET, HEAD, DELETE",
        Some("/ws") => "GET",
        _ => "GET, HEAD",
    };
    let detail = format!("{} is not possible here.", request.method());
    Err(Problem::new(StatusCode::METHOD_NOT_ALLOWED, detail)
        .with_header(header::ALLOW, HeaderValue::from_static(allowed)))
}

#[cfg(test)]
mod tests {
    use actix_web::body::to_bytes;

    use super::*;

    #[actix_web::test]
    async fn a_problem_is_told_as_json() {
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
    fn what_is_wrong_with_an_upload_decides_its_status() {
        let status = |invalid: InvalidUpload| Problem::from(invalid).status.as_u16();
        assert_eq!(status(InvalidUpload::Empty), 400);
        assert_eq!(status(InvalidUpload::Image(InvalidImage::Unknown(None))), 415);
        assert_eq!(status(InvalidUpload::Image(InvalidImage::Truncated("PNG"))), 422);
        assert_eq!(Problem::from(InvalidUpload::Empty).detail, "The file is empty.");
    }
}
