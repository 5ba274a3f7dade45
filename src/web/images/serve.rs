//! `GET /image/{id}` and `GET /image/download/{id}`: the bytes of an image. With `deleted=true`, those of an image in the
//! bin.

use std::time::Duration;

use actix_web::body::BoxBody;
use actix_web::http::header::{self, ETag, EntityTag, HeaderValue};
use actix_web::http::{Method, StatusCode};
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder};
use bytes::Bytes;

use super::image_cache::ImageCache;
use crate::image::ImageRecord;
use crate::store::StoredImage;
use crate::web::access::action::Action;
use crate::web::access::check::RequestedImage;
use crate::web::access::grant::Grant;
use crate::web::http::body::{SlicedBody, head_body};
use crate::web::http::conditional::is_not_modified;
use crate::web::http::connection::ConnectionHandle;
use crate::web::http::disposition::{Disposition, disposition};
use crate::web::http::headers::{IMAGE_POLICY, IMMUTABLE};
use crate::web::http::problem::Problem;
use crate::web::http::ranges::{RequestedRange, requested_range};

/// The time after which a client that reads nothing of a download is disconnected.
pub(crate) struct DownloadTimeout(pub(crate) Duration);

/// `GET` and `HEAD /image/{id}`: the image, to be shown.
pub(crate) async fn show(
    request: HttpRequest,
    image: RequestedImage,
    grant: Grant,
    cache: Data<ImageCache>,
    timeout: Data<DownloadTimeout>,
) -> Result<HttpResponse, Problem> {
    let image = shown(&request, image, &grant)?;
    respond(&request, &image, &cache, &timeout, Disposition::Inline).await
}

/// `GET` and `HEAD /image/download/{id}`: the image, to be saved as a file.
pub(crate) async fn download(
    request: HttpRequest,
    image: RequestedImage,
    grant: Grant,
    cache: Data<ImageCache>,
    timeout: Data<DownloadTimeout>,
) -> Result<HttpResponse, Problem> {
    let image = shown(&request, image, &grant)?;
    respond(&request, &image, &cache, &timeout, Disposition::Attachment).await
}

/// The image if the caller may see it: one in the bin only with `deleted=true`, and only if the caller can restore it.
pub(super) fn shown(
    request: &HttpRequest,
    RequestedImage(image): RequestedImage,
    grant: &Grant,
) -> Result<StoredImage, Problem> {
    let mut parts = request.query_string().split('&');
    let wants_deleted = parts.any(|part| part == "deleted=true");
    let may_restore = grant.permits(Action::Change) && grant.may_change(&image.record.meta);
    if image.is_deleted == wants_deleted && (may_restore || !image.is_deleted) {
        Ok(image)
    } else {
        Err(Problem::no_such_image())
    }
}

async fn respond(
    request: &HttpRequest,
    image: &StoredImage,
    cache: &ImageCache,
    timeout: &DownloadTimeout,
    kind: Disposition,
) -> Result<HttpResponse, Problem> {
    let record = &image.record;
    let etag = EntityTag::new_strong(record.meta.sha256.clone());
    if is_not_modified(request, &etag) {
        let mut response = HttpResponse::NotModified();
        return Ok(add_headers(&mut response, record, &etag, kind).finish());
    }
    if request.method() == Method::HEAD {
        let mut response = HttpResponse::Ok();
        let body = head_body(record.meta.size);
        return Ok(add_headers(&mut response, record, &etag, kind).body(body));
    }
    let bytes = cache.file_of(image).await?;
    let bytes = bytes.ok_or_else(Problem::no_such_image)?;
    let (mut response, part) = requested_part(request, &etag, bytes)?;
    let connection = request.conn_data::<ConnectionHandle>().cloned();
    let body = SlicedBody::new(part, connection, timeout.0);
    Ok(add_headers(&mut response, record, &etag, kind).body(BoxBody::new(body)))
}

/// Cuts the requested range out of an image: 200, 206 or 416.
fn requested_part(
    request: &HttpRequest,
    etag: &EntityTag,
    bytes: Bytes,
) -> Result<(HttpResponseBuilder, Bytes), Problem> {
    let total = bytes.len();
    match requested_range(request.headers(), etag, total) {
        RequestedRange::Whole => Ok((HttpResponse::Ok(), bytes)),
        RequestedRange::Part(range) => {
            let mut response = HttpResponse::PartialContent();
            let content_range = format!("bytes {}-{}/{total}", range.start, range.end - 1);
            response.insert_header((header::CONTENT_RANGE, content_range));
            Ok((response, bytes.slice(range)))
        }
        RequestedRange::Unsatisfiable => {
            let problem = Problem::new(
                StatusCode::RANGE_NOT_SATISFIABLE,
                "The image has no such bytes.",
            );
            let content_range = HeaderValue::try_from(format!("bytes */{total}")).expect("digits");
            Err(problem.with_header(header::CONTENT_RANGE, content_range))
        }
    }
}

fn add_headers<'a>(
    response: &'a mut HttpResponseBuilder,
    record: &ImageRecord,
    etag: &EntityTag,
    kind: Disposition,
) -> &'a mut HttpResponseBuilder {
    response
        .insert_header((header::CONTENT_TYPE, record.meta.kind.mime()))
        .insert_header((header::CONTENT_SECURITY_POLICY, IMAGE_POLICY))
        .insert_header((
            header::CONTENT_DISPOSITION,
            disposition(kind, &record.meta.file_name),
        ))
        .insert_header((header::CACHE_CONTROL, IMMUTABLE))
        .insert_header((header::ACCEPT_RANGES, "bytes"))
        .insert_header(ETag(etag.clone()))
}
