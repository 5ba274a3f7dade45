//! `GET` and `HEAD /image/{id}/thumb`: the small version of an image that the board shows at a distance. With
//! `?deleted=true`, that of an image in the bin.

use actix_web::body::BoxBody;
use actix_web::http::Method;
use actix_web::http::header::{self, ETag, EntityTag};
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};

use super::image_cache::ImageCache;
use super::serve::DownloadTimeout;
use crate::image::sniff;
use crate::web::access::action::Action;
use crate::web::access::check::RequestedImage;
use crate::web::access::grant::Grant;
use crate::web::http::body::{SlicedBody, head_body};
use crate::web::http::conditional::is_not_modified;
use crate::web::http::connection::ConnectionHandle;
use crate::web::http::headers::IMMUTABLE;
use crate::web::http::problem::Problem;

/// The handler.
pub(crate) async fn show(
    request: HttpRequest,
    RequestedImage(image): RequestedImage,
    grant: Grant,
    cache: Data<ImageCache>,
    timeout: Data<DownloadTimeout>,
) -> Result<HttpResponse, Problem> {
    let record = image.record;
    let is_shown = if image.is_deleted {
        // Only those see an image in the bin who can restore it.
        wants_deleted(request.query_string())
            && grant.permits(Action::Change)
            && grant.may_change(&record.meta)
    } else {
        !wants_deleted(request.query_string())
    };
    if !is_shown {
        return Err(Problem::no_such_image());
    }
    if !record.has_thumb() {
        return Err(Problem::no_thumbnail());
    }
    // The thumbnail of an image is made once, so the hash of the image identifies it.
    let etag = EntityTag::new_strong(format!("{}-thumb", record.meta.sha256));
    if is_not_modified(&request, &etag) {
        return Ok(HttpResponse::NotModified()
            .insert_header((header::CACHE_CONTROL, IMMUTABLE))
            .insert_header(ETag(etag))
            .finish());
    }
    let bytes = cache.thumbnail(record.meta.id).await?;
    let bytes = bytes.ok_or_else(Problem::no_thumbnail)?;
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

/// Returns `true` for `deleted=true`.
fn wants_deleted(query: &str) -> bool {
    query.split('&').any(|part| part == "deleted=true")
}
