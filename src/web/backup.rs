//! `GET /backup`: all rows of the database, for `realtime-photo backup`.

use std::sync::Arc;
use std::time::Duration;

use actix_web::http::header;
use actix_web::web::{Bytes, Data, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use async_stream::try_stream;
use futures::{Stream, StreamExt as _, TryStreamExt as _};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::http::body::{ReadTimeout, SLICE};
use super::http::connection::ConnectionHandle;
use super::http::problem::Problem;
use crate::store::{BackupWriter, Store, StoreError};

/// The time after which a client that reads nothing is disconnected. It includes the time of a database read, up to 30
/// s.
const READ_TIMEOUT: Duration = Duration::from_secs(60);

/// The permit for a backup, one at a time: it holds all rows in memory, without their files.
pub(crate) struct BackupSlot(Arc<Semaphore>);

/// Returns the configuration that gives the handler its data.
pub(crate) fn configuration() -> impl Fn(&mut ServiceConfig) + Clone {
    let slot = Data::new(BackupSlot(Arc::new(Semaphore::new(1))));
    move |config| {
        config.app_data(slot.clone());
    }
}

/// The handler. If the database fails, the connection breaks, so that no client mistakes a part for the whole.
pub(crate) async fn download(
    request: HttpRequest,
    store: Data<Store>,
    slot: Data<BackupSlot>,
) -> Result<HttpResponse, Problem> {
    let permit = slot.0.clone().try_acquire_owned();
    let permit = permit.map_err(|_| Problem::busy("Another backup is being made."))?;
    log::info!("sending a backup");
    let connection = request.conn_data::<ConnectionHandle>().cloned();
    // A stalled client would keep the slot.
    let timeout = connection.map(|connection| ReadTimeout::start(connection, READ_TIMEOUT));
    let lines = lines(store.get_ref().clone(), permit)
        .inspect_ok(move |_| timeout.iter().for_each(ReadTimeout::restart))
        .inspect_err(|error| log::warn!("a backup is incomplete: {error}"));
    Ok(HttpResponse::Ok()
        .insert_header((header::CONTENT_TYPE, "application/x-ndjson"))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .insert_header((
            header::CONTENT_DISPOSITION,
            "attachment; filename=\"backup.jsonl\"",
        ))
        .streaming(lines.boxed_local()))
}

fn lines(
    store: Store,
    permit: OwnedSemaphorePermit,
) -> impl Stream<Item = Result<Bytes, StoreError>> {
    try_stream! {
        let _permit = permit;
        let (mut writer, header) = BackupWriter::new();
        yield Bytes::from(header);
        let mut parts = std::pin::pin!(store.backup());
        while let Some(part) = parts.next().await {
            let mut lines = Bytes::from(writer.part(part?));
            while !lines.is_empty() {
                yield lines.split_to(lines.len().min(SLICE));
            }
        }
        yield Bytes::from(writer.end());
    }
}
