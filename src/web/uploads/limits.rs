//! `GET /limits`: the limits of uploads, so that a page can reduce an image before it sends it.

use actix_web::HttpResponse;
use actix_web::http::header;
use actix_web::web::Data;
use serde::Serialize;

use super::uploader::Uploader;

/// The handler. Answers `{"maxUpload", "maxPixels"}`: bytes, and width × height.
pub(crate) async fn limits(uploader: Data<Uploader>) -> HttpResponse {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Body {
        max_upload: u64,
        max_pixels: u64,
    }
    HttpResponse::Ok()
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .json(Body {
            max_upload: uploader.max_upload(),
            max_pixels: uploader.max_pixels(),
        })
}
