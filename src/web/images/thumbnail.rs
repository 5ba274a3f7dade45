//! `GET` and `HEAD /image/{id}/thumb`: what the board shows until somebody looks closer.

use actix_web::body::BoxBody;
use actix_web::http::Method;
use actix_web::http::header::{self, ETag, EntityTag};
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};

use super::{IMMUTABLE, requested_id};
use crate::image::sniff;
use crate::web::http::body::{LengthOnly, Slices};
use crate::web::http::conditional::is_known;
use crate::web::http::connection::Connection;
use crate::web::http::problem::Problem;
use crate::web::state::State;

/// The handler.
pub(crate) async fn show(
    request: HttpRequest,
    state: Data<State>,
) -> Result<HttpResponse, Problem> {
    let id = requested_id(&request)?;
    // Asked for every time, since the bytes may still be in memory when another server has deleted the image.
    let record = state.store.record(id).await?;
    let record = record.ok_or_else(Problem::no_such_image)?;
    if !record.has_thumb() {
        return Err(Problem::no_thumbnail());
    }
    // An image's thumbnail is made once.
    let etag = EntityTag::new_strong(format!("{}-thumb", record.meta.sha256));
    if is_known(&request, &etag) {
        return Ok(HttpResponse::NotModified()
            .insert_header((header::CACHE_CONTROL, IMMUTABLE))
            .insert_header(ETag(etag))
            .finish());
    }
    let bytes = state.thumbnail_cache.get(&state.store, id).await?;
    let bytes = bytes.ok_or_else(Problem::no_thumbnail)?;
    let kind = sniff(&bytes).ok_or_else(Problem::no_thumbnail)?;
    let body = if request.method() == Method::HEAD {
        BoxBody::new(LengthOnly(bytes.len() as u64))
    } else {
        let connection = request.conn_data::<Connection>().cloned();
        BoxBody::new(Slices::new(bytes, connection, state.settings.patience))
    };
    Ok(HttpResponse::Ok()
        .insert_header((header::CONTENT_TYPE, kind.mime()))
        .insert_header((header::CACHE_CONTROL, IMMUTABLE))
        .insert_header(ETag(etag))
        .body(body))
}
