//! For those who watch over the server.

use actix_web::HttpResponse;
use actix_web::http::header;
use actix_web::web::Data;

use crate::web::http::problem::Problem;
use crate::web::state::State;

/// `GET /healthz`: the server runs.
pub(crate) async fn healthy() -> HttpResponse {
    fine("ok\n")
}

/// `GET /readyz`: it can reach its database.
pub(crate) async fn ready(state: Data<State>) -> Result<HttpResponse, Problem> {
    state.store.ping().await?;
    Ok(fine("ready\n"))
}

fn fine(text: &'static str) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .content_type("text/plain; charset=utf-8")
        .body(text)
}
