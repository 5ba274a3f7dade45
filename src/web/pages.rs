//! The pages and what they are made of, from the folder `static`: part of the program in a release, read from disk in
//! development.

use actix_web::http::StatusCode;
use actix_web::http::header::{self, ETag, EntityTag};
use actix_web::{HttpRequest, HttpResponse};
use rust_embed::Embed;

use crate::web::http::conditional::is_known;
use crate::web::http::headers::PAGE_POLICY;
use crate::web::http::problem::Problem;

#[derive(Embed)]
#[folder = "static/"]
#[allow_missing = true]
struct Files;

/// `GET /`: the board.
pub(crate) async fn board(request: HttpRequest) -> Result<HttpResponse, Problem> {
    file(&request, "index.html")
}

/// `GET /latest`: the tutorial's page.
pub(crate) async fn latest(request: HttpRequest) -> Result<HttpResponse, Problem> {
    file(&request, "latest.html")
}

/// `GET /static/{path}`: what the pages are made of.
pub(crate) async fn part(request: HttpRequest) -> Result<HttpResponse, Problem> {
    file(&request, request.match_info().query("path"))
}

fn file(request: &HttpRequest, path: &str) -> Result<HttpResponse, Problem> {
    let missing = || Problem::new(StatusCode::NOT_FOUND, "There is nothing at this address.");
    let file = Files::get(path).ok_or_else(missing)?;
    let hash = file.metadata.sha256_hash();
    let etag = EntityTag::new_strong(
        hash[..16]
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect(),
    );
    let known = is_known(request, &etag);
    let mut response = if known {
        HttpResponse::NotModified()
    } else {
        HttpResponse::Ok()
    };
    response
        // The names stay when the contents change, so a browser asks each time.
        .insert_header((header::CACHE_CONTROL, "no-cache"))
        .insert_header((header::CONTENT_SECURITY_POLICY, PAGE_POLICY))
        .insert_header(ETag(etag));
    if known {
        return Ok(response.finish());
    }
    Ok(response
        .insert_header((header::CONTENT_TYPE, mime_type(path)))
        .body(file.data.into_owned()))
}

fn mime_type(path: &str) -> &'static str {
    match path.rsplit_once('.').map(|(_, extension)| extension) {
        Some("html") => "text/html; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("js" | "mjs") => "text/javascript; charset=utf-8",
        Some("json" | "map") => "application/json",
        Some("webmanifest") => "application/manifest+json",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("jpg" | "jpeg") => "image/jpeg",
        Some("ico") => "image/x-icon",
        Some("woff2") => "font/woff2",
        Some("txt" | "md") => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}
