//! The small versions of an image that the board shows at a distance. With `deleted=true`, those of an image in the
//! bin.

use actix_web::body::BoxBody;
use actix_web::http::Method;
use actix_web::http::header::{self, ETag, EntityTag};
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use bytes::Bytes;

use super::image_cache::ImageCache;
use super::serve::{DownloadTimeout, shown};
use crate::image::{SMALL, SmallSide, sniff};
use crate::store::StoreError;
use crate::web::access::check::RequestedImage;
use crate::web::access::grant::Grant;
use crate::web::http::body::{SlicedBody, head_body};
use crate::web::http::conditional::is_not_modified;
use crate::web::http::connection::ConnectionHandle;
use crate::web::http::headers::IMMUTABLE;
use crate::web::http::problem::Problem;

/// `GET` and `HEAD /image/{id}/thumb`
pub(crate) async fn show(
    request: HttpRequest,
    image: RequestedImage,
    grant: Grant,
    cache: Data<ImageCache>,
    timeout: Data<DownloadTimeout>,
) -> Result<HttpResponse, Problem> {
    let record = shown(&request, image, &grant)?.record;
    if !record.has_thumb() {
        return Err(Problem::no_thumbnail());
    }
    // The thumbnail of an image is made once, so the hash of the image identifies it.
    let etag = EntityTag::new_strong(format!("{}-thumb", record.meta.sha256));
    let read = cache.thumbnail(record.meta.id);
    respond(&request, etag, read, &timeout).await
}

/// `GET` and `HEAD /image/{id}/thumbnail?size=64`: a smaller version of the thumbnail, or of a small image without one.
pub(crate) async fn show_smaller(
    request: HttpRequest,
    image: RequestedImage,
    grant: Grant,
    cache: Data<ImageCache>,
    timeout: Data<DownloadTimeout>,
) -> Result<HttpResponse, Problem> {
    let image = shown(&request, image, &grant)?;
    let record = &image.record;
    let side = requested_side(request.query_string())?;
    if !record.has_thumb() && record.meta.size > SMALL as u64 {
        return Err(Problem::no_thumbnail());
    }
    let pixels = side.pixels();
    let etag = EntityTag::new_strong(format!("{}-thumb-{pixels}", record.meta.sha256));
    let read = cache.smaller_thumbnail(&image, side);
    respond(&request, etag, read, &timeout).await
}

async fn respond(
    request: &HttpRequest,
    etag: EntityTag,
    read: impl Future<Output = Result<Option<Bytes>, StoreError>>,
    timeout: &DownloadTimeout,
) -> Result<HttpResponse, Problem> {
    if is_not_modified(request, &etag) {
        return Ok(HttpResponse::NotModified()
            .insert_header((header::CACHE_CONTROL, IMMUTABLE))
            .insert_header(ETag(etag))
            .finish());
    }
    let bytes = read.await?.ok_or_else(Problem::no_thumbnail)?;
    let kind = sniff(&bytes).ok_or_else(Problem::no_thumbnail)?;
    let body = if request.method() == Method::HEAD {
        head_body(bytes.len() as u64)
    } else {
        let connection = request.conn_data::<ConnectionHandle>().cloned();
        BoxBody::new(SlicedBody::new(bytes, connection, timeout.0))
    };
    Ok(HttpResponse::Ok()
        .insert_header((header::CONTENT_TYPE, kind.mime()))
        .insert_header((header::CACHE_CONTROL, IMMUTABLE))
        .insert_header(ETag(etag))
        .body(body))
}

/// Parses `size=64` or `size=160`.
fn requested_side(query: &str) -> Result<SmallSide, Problem> {
    let mut sizes = query
        .split('&')
        .filter_map(|part| part.strip_prefix("size="));
    let size = sizes.next().and_then(|size| size.parse().ok());
    let mut sides = SmallSide::ALL.into_iter();
    sides
        .find(|side| Some(side.pixels()) == size)
        .ok_or_else(|| Problem::bad_request("size must be 64 or 160."))
}
