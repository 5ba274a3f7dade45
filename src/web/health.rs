//! Health checks for monitoring.

use actix_web::HttpResponse;
use actix_web::http::header;
use actix_web::web::Data;

use super::http::problem::Problem;
use crate::store::Store;

/// `GET /healthz`: the process serves requests.
pub(crate) async fn healthy() -> HttpResponse {
    text("ok\n")
}

/// `GET /readyz`: the database answers.
pub(crate) async fn ready(store: Data<Store>) -> Result<HttpResponse, Problem> {
    store.ping().await?;
    Ok(text("ready\n"))
}

fn text(text: &'static str) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .content_type("text/plain; charset=utf-8")
        .body(text)
}
