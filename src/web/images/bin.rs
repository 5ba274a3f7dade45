//! `GET /images/deleted`: the records of the deleted images that can still be restored.

use actix_web::HttpResponse;
use actix_web::http::header;
use actix_web::web::Data;
use serde::Serialize;

use crate::image::Timestamp;
use crate::store::{DeletedImage, Store};
use crate::web::access::grant::Grant;
use crate::web::http::problem::Problem;
use crate::web::record_json::RecordJson;

/// The largest number of records in the answer.
const LIMIT: usize = 1000;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct DeletedJson<'a> {
    #[serde(flatten)]
    record: RecordJson<'a>,
    deleted_at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    deleted_by: Option<&'a str>,
}

/// The handler.
pub(crate) async fn list(grant: Grant, store: Data<Store>) -> Result<HttpResponse, Problem> {
    #[derive(Serialize)]
    struct Body<'a> {
        images: Vec<DeletedJson<'a>>,
    }
    let images = grant.changeable(&store).bin(LIMIT).await?;
    let body = Body {
        images: images.iter().map(DeletedJson::from).collect(),
    };
    Ok(HttpResponse::Ok()
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .json(body))
}

impl<'a> From<&'a DeletedImage> for DeletedJson<'a> {
    fn from(image: &'a DeletedImage) -> Self {
        Self {
            record: RecordJson::from(&image.record),
            deleted_at: image.deleted_at,
            deleted_by: image.deleted_by.as_deref(),
        }
    }
}
