//! Images and what is known about them: one, its bytes, a page of them, their removal and its undoing.

pub(crate) mod image_cache;
pub(crate) mod thumbnail;

use std::collections::HashMap;

use actix_web::body::BoxBody;
use actix_web::http::header::{self, ETag, EntityTag, HeaderValue};
use actix_web::http::{Method, StatusCode};
use actix_web::web::{Data, Query};
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder};
use serde::Serialize;

use crate::image::{ImageId, ImageRecord};
use crate::store::ListQuery;
use crate::web::http::body::{LengthOnly, Slices};
use crate::web::http::conditional::{Requested, is_known, requested_range};
use crate::web::http::connection::Connection;
use crate::web::http::disposition::disposition;
use crate::web::http::problem::Problem;
use crate::web::record::RecordJson;
use crate::web::state::State;

/// An image's bytes never change: a new picture has a new id. Only for this user, since who may see it is not for a shared
/// cache to say.
pub(crate) const IMMUTABLE: &str = "private, max-age=31536000, immutable";

/// How many images a page of the list has if the client does not say.
const DEFAULT_PAGE: usize = 100;

/// The most that it can have.
const LARGEST_PAGE: usize = 1000;

/// `GET` and `HEAD /image/{id}`: the bytes.
pub(crate) async fn show(
    request: HttpRequest,
    state: Data<State>,
) -> Result<HttpResponse, Problem> {
    answer(&request, &state, "inline").await
}

/// `GET` and `HEAD /image/download/{id}`: the bytes as a file.
pub(crate) async fn download(
    request: HttpRequest,
    state: Data<State>,
) -> Result<HttpResponse, Problem> {
    answer(&request, &state, "attachment").await
}

/// `DELETE /image/{id}`
pub(crate) async fn delete(
    request: HttpRequest,
    state: Data<State>,
) -> Result<HttpResponse, Problem> {
    let id = requested_id(&request)?;
    state.invalidate(id);
    if state.store.delete(id).await? {
        log::info!("deleted image {id}");
        Ok(HttpResponse::NoContent().finish())
    } else {
        Err(Problem::no_such_image())
    }
}

/// `POST /image/{id}/restore`: undoes a delete.
pub(crate) async fn restore(
    request: HttpRequest,
    state: Data<State>,
) -> Result<HttpResponse, Problem> {
    let id = requested_id(&request)?;
    if state.store.restore(id).await? {
        log::info!("restored image {id}");
        Ok(HttpResponse::NoContent().finish())
    } else {
        Err(Problem::no_such_image())
    }
}

/// `GET /images`: a page of records, newest first.
pub(crate) async fn list(
    request: HttpRequest,
    state: Data<State>,
) -> Result<HttpResponse, Problem> {
    #[derive(Serialize)]
    struct Body<T> {
        images: Vec<T>,
        next: Option<ImageId>,
    }
    let page = state
        .store
        .list(list_query(request.query_string())?)
        .await?;
    let images = page.images.iter().map(RecordJson::from).collect();
    let body = Body {
        images,
        next: page.next,
    };
    Ok(HttpResponse::Ok()
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .json(body))
}

fn list_query(query: &str) -> Result<ListQuery, Problem> {
    let query = Query::<HashMap<String, String>>::from_query(query)
        .map_err(|_| Problem::bad_request("The query cannot be read."))?;
    let limit = match query.get("limit").map(|limit| limit.parse::<usize>()) {
        None => DEFAULT_PAGE,
        Some(Ok(limit @ 1..)) => limit.min(LARGEST_PAGE),
        Some(_) => {
            return Err(Problem::bad_request(
                "limit must be a number from 1 to 1000.",
            ));
        }
    };
    let before = match query.get("before").map(|id| id.parse()) {
        None => None,
        Some(Ok(id)) => Some(id),
        Some(Err(_)) => return Err(Problem::bad_request("before must be the id of an image.")),
    };
    let sha256 = query.get("sha256").map(|hash| hash.to_ascii_lowercase());
    if sha256
        .as_ref()
        .is_some_and(|hash| hash.len() != 64 || !hash.bytes().all(|byte| byte.is_ascii_hexdigit()))
    {
        return Err(Problem::bad_request(
            "sha256 must have 64 hexadecimal digits.",
        ));
    }
    Ok(ListQuery {
        limit,
        before,
        sha256,
    })
}

pub(crate) fn requested_id(request: &HttpRequest) -> Result<ImageId, Problem> {
    request
        .match_info()
        .query("id")
        .parse()
        .map_err(|_| Problem::no_such_image())
}

async fn answer(request: &HttpRequest, state: &State, kind: &str) -> Result<HttpResponse, Problem> {
    let id = requested_id(request)?;
    // Asked for every time, since the bytes may still be in memory when another server has deleted the image.
    let record = state
        .store
        .record(id)
        .await?
        .ok_or_else(Problem::no_such_image)?;
    let etag = EntityTag::new_strong(record.meta.sha256.clone());
    if is_known(request, &etag) {
        return Ok(headers(&mut HttpResponse::NotModified(), &record, &etag, kind).finish());
    }
    if request.method() == Method::HEAD {
        let body = BoxBody::new(LengthOnly(record.meta.size));
        return Ok(headers(&mut HttpResponse::Ok(), &record, &etag, kind).body(body));
    }
    let bytes = state
        .image_cache
        .get(&state.store, id)
        .await?
        .ok_or_else(Problem::no_such_image)?;
    let total = bytes.len();
    let (mut response, part) = match requested_range(request.headers(), &etag, total) {
        Requested::Whole => (HttpResponse::Ok(), bytes),
        Requested::Part(range) => {
            let mut response = HttpResponse::PartialContent();
            let content_range = format!("bytes {}-{}/{total}", range.start, range.end - 1);
            response.insert_header((header::CONTENT_RANGE, content_range));
            (response, bytes.slice(range))
        }
        Requested::Unsatisfiable => {
            let content_range = HeaderValue::try_from(format!("bytes */{total}")).expect("digits");
            let problem = Problem::new(
                StatusCode::RANGE_NOT_SATISFIABLE,
                "The image has no such bytes.",
            );
            return Err(problem.with_header(header::CONTENT_RANGE, content_range));
        }
    };
    let connection = request.conn_data::<Connection>().cloned();
    let body = Slices::new(part, connection, state.settings.download_patience);
    Ok(headers(&mut response, &record, &etag, kind).body(BoxBody::new(body)))
}

fn headers<'a>(
    response: &'a mut HttpResponseBuilder,
    record: &ImageRecord,
    etag: &EntityTag,
    kind: &str,
) -> &'a mut HttpResponseBuilder {
    response
        .insert_header((header::CONTENT_TYPE, record.meta.kind.mime()))
        .insert_header((
            header::CONTENT_DISPOSITION,
            disposition(kind, &record.meta.file_name),
        ))
        .insert_header((header::CACHE_CONTROL, IMMUTABLE))
        .insert_header((header::ACCEPT_RANGES, "bytes"))
        .insert_header(ETag(etag.clone()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_has_at_most_a_thousand_images() {
        let limit = |query| list_query(query).map(|query| query.limit).ok();
        assert_eq!(limit(""), Some(100));
        assert_eq!(limit("limit=7"), Some(7));
        assert_eq!(limit("limit=5000"), Some(1000));
        for wrong in [
            "limit=0",
            "limit=-1",
            "limit=x",
            "limit=",
            "before=x",
            "before=",
            "sha256=abc",
            "limit=%ff",
        ] {
            assert_eq!(limit(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_hash_may_be_in_capitals() {
        let query = list_query(&format!("sha256={}&unknown=1", "AB".repeat(32))).unwrap();
        assert_eq!(query.sha256, Some("ab".repeat(32)));
    }
}
