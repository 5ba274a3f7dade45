//! The pages and their files, from the folder `static`. A release build embeds them; a debug build reads them from disk.

use std::borrow::Cow;

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{self, Accept, ETag, EntityTag, Header as _, HeaderValue};
use actix_web::http::{Method, StatusCode};
use actix_web::middleware::Next;
use actix_web::{Error, HttpRequest, HttpResponse, mime};
use rust_embed::Embed;

use super::access::credentials::{has_owner_cookie, owner_cookie};
use super::http::conditional::is_not_modified;
use super::http::headers::{PageKind, PagePolicies};
use super::http::prefix::{base_path, is_secure};
use super::http::problem::Problem;

#[derive(Embed)]
#[folder = "static/"]
#[allow_missing = true]
struct Files;

const BOARD_PAGE: &str = "index.html";

const LATEST_PAGE: &str = "latest.html";

const NOT_FOUND_PAGE: &str = "404.html";

/// Shown to whoever has no link.
const REFUSED_PAGE: &str = "refused.html";

/// `GET /` and `GET /b/{board}`: the board. Gives the browser a cookie by which it recognises the images that it adds.
pub(crate) async fn board(request: HttpRequest) -> Result<HttpResponse, Problem> {
    let mut page = file(&request, BOARD_PAGE)?;
    if !has_owner_cookie(&request) {
        let cookie = owner_cookie(base_path(&request), is_secure(&request));
        // Fails only for a cookie that is no header.
        let _ = page.add_cookie(&cookie);
    }
    Ok(page)
}

/// `GET /boards`: all boards, for administrators.
pub(crate) async fn boards(request: HttpRequest) -> Result<HttpResponse, Problem> {
    file(&request, "boards.html")
}

/// `GET /latest`: the latest image alone, as in the tutorial.
pub(crate) async fn latest(request: HttpRequest) -> Result<HttpResponse, Problem> {
    file(&request, LATEST_PAGE)
}

/// `GET /static/{path}`: a file of the pages.
pub(crate) async fn asset(request: HttpRequest) -> Result<HttpResponse, Problem> {
    file(&request, request.match_info().query("path"))
}

fn file(request: &HttpRequest, path: &str) -> Result<HttpResponse, Problem> {
    let missing = || Problem::not_found("There is nothing at this address.");
    let file = Files::get(path).ok_or_else(missing)?;
    let hash = file.metadata.sha256_hash();
    let etag = EntityTag::new_strong(
        hash[..16]
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect(),
    );
    let is_cached = is_not_modified(request, &etag);
    let mut response = if is_cached {
        HttpResponse::NotModified()
    } else {
        HttpResponse::Ok()
    };
    response
        // A new version has the same name, so browsers must revalidate.
        .insert_header((header::CACHE_CONTROL, "no-cache"))
        .insert_header((
            header::CONTENT_SECURITY_POLICY,
            PagePolicies::of(request, kind_of(path)),
        ))
        .insert_header(ETag(etag));
    if is_cached {
        return Ok(response.finish());
    }
    let data = below(base_path(request), path, file.data);
    Ok(response
        .insert_header((header::CONTENT_TYPE, mime_type(path)))
        .body(data))
}

/// Images can be dragged to the board and to the page of the latest image.
fn kind_of(path: &str) -> PageKind {
    match path {
        BOARD_PAGE | LATEST_PAGE => PageKind::TakesImages,
        _ => PageKind::Other,
    }
}

/// A file as it is served below `base`: a page names its other files by their path.
fn below(base: &str, path: &str, data: Cow<'static, [u8]>) -> Vec<u8> {
    if base == "/" || !path.ends_with(".html") {
        return data.into_owned();
    }
    let page = String::from_utf8_lossy(&data);
    let page = page.replace("href=\"/", &format!("href=\"{base}"));
    page.replace("src=\"/", &format!("src=\"{base}"))
        .into_bytes()
}

/// Middleware that replaces a 401 and a 404 by a page if a browser navigated to the address.
pub(crate) async fn show_error_pages(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse, Error> {
    let wants_page = is_navigation(request.request());
    let response = next.call(request).await?;
    let status = response.status();
    let page = match status {
        StatusCode::NOT_FOUND => NOT_FOUND_PAGE,
        StatusCode::UNAUTHORIZED => REFUSED_PAGE,
        _ => return Ok(response.map_into_boxed_body()),
    };
    let (request, response) = response.into_parts();
    let mut response = match Files::get(page) {
        Some(file) if wants_page => HttpResponse::build(status)
            .insert_header((header::CACHE_CONTROL, "no-store"))
            .insert_header((
                header::CONTENT_SECURITY_POLICY,
                PagePolicies::of(&request, kind_of(page)),
            ))
            .content_type(mime_type(page))
            .body(below(base_path(&request), page, file.data)),
        _ => response.map_into_boxed_body(),
    };
    response
        .headers_mut()
        .append(header::VARY, HeaderValue::from_static("Accept"));
    Ok(ServiceResponse::new(request, response))
}

/// Returns whether a browser shows the response as a page. Only then does `Accept` name `text/html`; `fetch`, `<img>` and
/// scripts send `*/*` or other types.
pub(crate) fn is_navigation(request: &HttpRequest) -> bool {
    matches!(*request.method(), Method::GET | Method::HEAD)
        && Accept::parse(request).is_ok_and(|accept| {
            accept
                .iter()
                .any(|accepted| accepted.item.essence_str() == mime::TEXT_HTML)
        })
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
