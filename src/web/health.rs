//! Health checks for monitoring.

use actix_web::HttpResponse;
use actix_web::http::header;
use actix_web::web::Data;

use super::http::problem::Problem;
use super::uploads::Uploader;
use crate::store::{IssueKind, Store};

/// `GET /healthz`: the process serves requests.
pub(crate) async fn healthy() -> HttpResponse {
    text("ok\n")
}

/// `GET /readyz`: the database answers and can be written, and there is room for uploads. Reports whether stored data
/// is damaged, which affects only the images concerned.
///
/// Anyone may ask, so it names no table and no key; the log does.
pub(crate) async fn ready(
    store: Data<Store>,
    uploader: Data<Uploader>,
) -> Result<HttpResponse, Problem> {
    let issues = store.issues().await?;
    let count = |kind: IssueKind| issues.iter().filter(|issue| **issue == kind).count();
    if count(IssueKind::DiskFull) > 0 || uploader.is_disk_full().await {
        return Err(Problem::disk_full());
    }
    if count(IssueKind::DiskFailed) > 0 {
        return Err(Problem::disk_failed());
    }
    let mut lines = "ready\n".to_owned();
    match count(IssueKind::Damaged) {
        0 => {}
        damaged => lines.push_str(&format!(
            "damaged: {damaged} (the log names them, and `realtime-photo check` lists them)\n"
        )),
    }
    match count(IssueKind::Other) {
        0 => {}
        others => lines.push_str(&format!("issues of the database: {others}\n")),
    }
    Ok(text(lines))
}

fn text(text: impl Into<String>) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .content_type("text/plain; charset=utf-8")
        .body(text.into())
}
