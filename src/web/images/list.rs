//! `GET /images`: records of images, newest first, in pages.

use std::collections::HashMap;

use actix_web::http::header;
use actix_web::web::{Data, Query};
use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;

use crate::image::ImageId;
use crate::store::{ListQuery, Store};
use crate::web::access::grant::Grant;
use crate::web::http::problem::Problem;
use crate::web::record_json::RecordJson;

/// The number of records on a page without `limit`.
const DEFAULT_LIMIT: usize = 100;

/// The largest number of records on a page. A larger `limit` is reduced to it.
const MAX_LIMIT: usize = 1000;

/// The handler.
pub(crate) async fn list(
    request: HttpRequest,
    grant: Grant,
    store: Data<Store>,
) -> Result<HttpResponse, Problem> {
    #[derive(Serialize)]
    struct Body<T> {
        images: Vec<T>,
        next: Option<ImageId>,
    }
    let board = store.board(grant.board.id);
    let page = board.list(parse_query(request.query_string())?).await?;
    let seen = page.images.iter().filter(|image| grant.sees(&image.meta));
    let images = seen.map(RecordJson::from).collect();
    let body = Body {
        images,
        next: page.next,
    };
    Ok(HttpResponse::Ok()
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .json(body))
}

fn parse_query(query: &str) -> Result<ListQuery, Problem> {
    let query = Query::<HashMap<String, String>>::from_query(query)
        .map_err(|_| Problem::bad_request("The query cannot be read."))?;
    let limit = match query.get("limit").map(|limit| limit.parse::<usize>()) {
        None => DEFAULT_LIMIT,
        Some(Ok(limit @ 1..)) => limit.min(MAX_LIMIT),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_has_at_most_a_thousand_records() {
        let limit = |query| parse_query(query).map(|query| query.limit).ok();
        assert_eq!(limit(""), Some(100));
        assert_eq!(limit("limit=7"), Some(7));
        assert_eq!(limit("limit=5000"), Some(1000));
        for invalid in [
            "limit=0",
            "limit=-1",
            "limit=x",
            "limit=",
            "before=x",
            "before=",
            "sha256=abc",
            "limit=%ff",
        ] {
            assert_eq!(limit(invalid), None, "{invalid}");
        }
    }

    #[test]
    fn a_hash_may_be_in_upper_case() {
        let query = parse_query(&format!("sha256={}&unknown=1", "AB".repeat(32))).unwrap();
        assert_eq!(query.sha256, Some("ab".repeat(32)));
    }
}
