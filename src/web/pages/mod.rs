//! The pages and their files.

mod bundle;
mod files;

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{
    self, Accept, AcceptEncoding, ContentEncoding, ETag, Encoding, Header as _, HeaderValue,
};
use actix_web::http::{Method, StatusCode};
use actix_web::middleware::Next;
use actix_web::web::{Data, ServiceConfig};
use actix_web::{Error, HttpRequest, HttpResponse, mime};

use self::files::ENCODINGS;
pub(crate) use self::files::PageFiles;
use super::access::credentials::{has_owner_cookie, owner_cookie};
use super::http::conditional::is_not_modified;
use super::http::headers::{PageKind, PagePolicies};
use super::http::prefix::{base_path, is_secure};
use super::http::problem::Problem;
use super::http::public_url::PublicUrl;

const BOARD_PAGE: &str = "index.html";

const LATEST_PAGE: &str = "latest.html";

const NOT_FOUND_PAGE: &str = "404.html";

/// Shown to whoever has no link.
const REFUSED_PAGE: &str = "refused.html";

/// Returns the configuration that gives the handlers their files.
pub(crate) fn configuration(
    public_url: Option<&PublicUrl>,
) -> impl Fn(&mut ServiceConfig) + Clone + use<> {
    let files = Data::new(PageFiles::new(public_url.map_or("/", PublicUrl::path)));
    move |config| {
        config.app_data(files.clone());
    }
}

/// `GET /` and `GET /b/{board}`: the board. Gives the browser a cookie by which it recognises the images that it adds.
pub(crate) async fn board(
    request: HttpRequest,
    files: Data<PageFiles>,
) -> Result<HttpResponse, Problem> {
    let mut page = file(&request, &files, BOARD_PAGE).await?;
    if !has_owner_cookie(&request) {
        let cookie = owner_cookie(base_path(&request), is_secure(&request));
        // Fails only for a cookie that is no header.
        let _ = page.add_cookie(&cookie);
    }
    Ok(page)
}

/// `GET /boards`: all boards, for administrators.
pub(crate) async fn boards(
    request: &HttpRequest,
    files: &PageFiles,
) -> Result<HttpResponse, Problem> {
    file(request, files, "boards.html").await
}

/// `GET /latest`: the latest image alone, as in the tutorial.
pub(crate) async fn latest(
    request: HttpRequest,
    files: Data<PageFiles>,
) -> Result<HttpResponse, Problem> {
    file(&request, &files, LATEST_PAGE).await
}

/// `GET /static/{path}`: a file of the pages.
pub(crate) async fn asset(
    request: HttpRequest,
    files: Data<PageFiles>,
) -> Result<HttpResponse, Problem> {
    file(&request, &files, request.match_info().query("path")).await
}

async fn file(
    request: &HttpRequest,
    files: &PageFiles,
    path: &str,
) -> Result<HttpResponse, Problem> {
    let missing = || Problem::not_found("There is nothing at this address.");
    let file = files.get(path).ok_or_else(missing)?;
    let encoding = accepted_encoding(request);
    let etag = file.etag(encoding);
    let is_cached = is_not_modified(request, &etag);
    let mut response = if is_cached {
        HttpResponse::NotModified()
    } else {
        HttpResponse::Ok()
    };
    response
        // A new version has the same name, so browsers must revalidate.
        // Private, because an answer may set the cookie that recognizes a browser.
        .insert_header((header::CACHE_CONTROL, "private, no-cache"))
        .insert_header((header::VARY, "Accept-Encoding"))
        .insert_header((
            header::CONTENT_SECURITY_POLICY,
            PagePolicies::of(request, kind_of(path)),
        ))
        .insert_header(ETag(etag));
    if is_cached {
        return Ok(response.finish());
    }
    if encoding != ContentEncoding::Identity {
        response.insert_header(encoding);
    }
    let mime = file.mime();
    Ok(response
        .insert_header((header::CONTENT_TYPE, mime))
        .body(file.encoded(encoding).await))
}

/// Images can be dragged to the board and to the page of the latest image.
fn kind_of(path: &str) -> PageKind {
    match path {
        BOARD_PAGE | LATEST_PAGE => PageKind::TakesImages,
        _ => PageKind::Other,
    }
}

/// The best encoding that the client accepts.
fn accepted_encoding(request: &HttpRequest) -> ContentEncoding {
    let offered = ENCODINGS.map(Encoding::Known);
    let accepted = AcceptEncoding::parse(request).ok();
    match accepted.and_then(|accepted| accepted.negotiate(offered.iter())) {
        Some(Encoding::Known(encoding)) => encoding,
        _ => ContentEncoding::Identity,
    }
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
    let files = request.app_data::<Data<PageFiles>>();
    let mut response = match files.and_then(|files| files.get(page)) {
        Some(file) if wants_page => HttpResponse::build(status)
            .insert_header((header::CACHE_CONTROL, "no-store"))
            .insert_header((
                header::CONTENT_SECURITY_POLICY,
                PagePolicies::of(&request, kind_of(page)),
            ))
            .content_type(file.mime())
            .body(file.plain()),
        _ => response.map_into_boxed_body(),
    };
    response
        .headers_mut()
        .append(header::VARY, HeaderValue::from_static("Accept"));
    Ok(ServiceResponse::new(request, response))
}

/// Returns whether a browser shows the response as a page. Only then does `Accept` name `text/html`; `fetch`, `<img>`
/// and scripts send `*/*` or other types.
pub(crate) fn is_navigation(request: &HttpRequest) -> bool {
    matches!(*request.method(), Method::GET | Method::HEAD)
        && Accept::parse(request).is_ok_and(|accept| {
            accept
                .iter()
                .any(|accepted| accepted.item.essence_str() == mime::TEXT_HTML)
        })
}
