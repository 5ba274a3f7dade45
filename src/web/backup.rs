//! `GET /backup`: all rows of the database, for `realtime-photo backup`.

use actix_web::HttpResponse;
use actix_web::http::header;
use actix_web::web::{Bytes, Data};
use async_stream::try_stream;
use futures::{Stream, StreamExt as _, TryStreamExt as _};

use crate::store::{BackupWriter, Store, StoreError};

/// The handler. If the database fails, the connection breaks, so that no client mistakes a part for the whole.
pub(crate) async fn download(store: Data<Store>) -> HttpResponse {
    log::info!("sending a backup");
    let lines = lines(store.get_ref().clone())
        .inspect_err(|error| log::warn!("a backup is incomplete: {error}"));
    HttpResponse::Ok()
        .insert_header((header::CONTENT_TYPE, "application/x-ndjson"))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .insert_header((
            header::CONTENT_DISPOSITION,
            "attachment; filename=\"backup.jsonl\"",
        ))
        .streaming(lines.boxed_local())
}

fn lines(store: Store) -> impl Stream<Item = Result<Bytes, StoreError>> {
    try_stream! {
        let (mut writer, header) = BackupWriter::new();
        yield Bytes::from(header);
        let mut parts = std::pin::pin!(store.backup());
        while let Some(part) = parts.next().await {
            yield Bytes::from(writer.part(part?));
        }
        yield Bytes::from(writer.end());
    }
}
