//! `GET /images/download`: streams the whole board as a ZIP file, reading one image at a time from the database.

use std::sync::Arc;
use std::time::Duration;

use actix_web::http::Method;
use actix_web::http::header;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use async_stream::try_stream;
use bytes::Bytes;
use futures::{Stream, StreamExt as _, TryStreamExt as _};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::file_names::UniqueNames;
use super::zip::{Archive, File};
use crate::image::{ImageRecord, Timestamp};
use crate::store::{ListQuery, Store, StoreError};
use crate::web::access::grant::Grant;
use crate::web::http::body::{ReadTimeout, SLICE};
use crate::web::http::connection::ConnectionHandle;
use crate::web::http::disposition::{Disposition, disposition};
use crate::web::http::problem::Problem;

/// The largest number of concurrent archives, each of which holds one image in memory. Further requests are answered
/// with 503.
const MAX_ARCHIVES: usize = 4;

/// The time after which a client that reads nothing is disconnected. It includes the time of a database read, up to 30
/// s.
const READ_TIMEOUT: Duration = Duration::from_secs(60);

/// The number of records that are listed at a time.
const PAGE: usize = 1000;

/// The file in place of an image that is damaged in the database: it must not keep the others from being saved.
const DAMAGED: &str = "This photo is damaged on the server's disk and could not be saved.\n";

/// Permits for concurrent archives.
pub(crate) struct ArchiveSlots(Arc<Semaphore>);

impl Default for ArchiveSlots {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(MAX_ARCHIVES)))
    }
}

/// The handler. Images that are added or deleted while the archive is sent may be missing. If the database fails, the
/// connection breaks, so that no client mistakes a part for the whole.
pub(crate) async fn download(
    request: HttpRequest,
    grant: Grant,
    store: Data<Store>,
    slots: Data<ArchiveSlots>,
) -> Result<HttpResponse, Problem> {
    let name = format!("board-{:.10}.zip", Timestamp::now().to_string());
    let mut response = HttpResponse::Ok();
    response
        .insert_header((header::CONTENT_TYPE, "application/zip"))
        .insert_header((
            header::CONTENT_DISPOSITION,
            disposition(Disposition::Attachment, &name),
        ))
        .insert_header((header::CACHE_CONTROL, "no-store"));
    if request.method() == Method::HEAD {
        return Ok(response.finish());
    }
    let permit = slots.0.clone().try_acquire_owned();
    let permit = permit.map_err(|_| Problem::busy("The board is being downloaded by others."))?;
    let records = oldest_first(&store, &grant).await?;
    log::info!("sending an archive of {} images", records.len());
    let connection = request.conn_data::<ConnectionHandle>().cloned();
    // A stalled client would keep its slot.
    let timeout = connection.map(|connection| ReadTimeout::start(connection, READ_TIMEOUT));
    let pieces = pieces(store, records, permit)
        .inspect_ok(move |_| timeout.iter().for_each(ReadTimeout::restart))
        .inspect_err(|error| log::warn!("an archive is incomplete: {error}"));
    Ok(response.streaming(pieces.boxed_local()))
}

async fn oldest_first(store: &Store, grant: &Grant) -> Result<Vec<ImageRecord>, StoreError> {
    let board = store.board(grant.board.id);
    let mut records = Vec::new();
    let mut query = ListQuery {
        limit: PAGE,
        before: None,
        sha256: None,
    };
    loop {
        let page = board.list(query.clone()).await?;
        let seen = page.images.into_iter();
        records.extend(seen.filter(|image| grant.sees(&image.meta)));
        if page.next.is_none() {
            break;
        }
        query.before = page.next;
    }
    records.reverse();
    Ok(records)
}

/// The bytes of the archive. One image is in memory at a time.
fn pieces(
    store: Data<Store>,
    records: Vec<ImageRecord>,
    permit: OwnedSemaphorePermit,
) -> impl Stream<Item = Result<Bytes, StoreError>> {
    try_stream! {
        let _permit = permit;
        let mut names = UniqueNames::default();
        let mut archive = Archive::default();
        for ImageRecord { meta, .. } in records {
            let (name, mut bytes) = match store.file(meta.id).await {
                Ok(Some((_, bytes))) => (meta.file_name, bytes),
                // An image that has been deleted since it was listed is skipped.
                Ok(None) => continue,
                Err(StoreError::Damaged(_)) => {
                    (format!("{} is damaged.txt", meta.file_name), DAMAGED.into())
                }
                Err(error) => Err(error)?,
            };
            let file = File {
                name: &names.unique(&name),
                modified: meta.created_at,
                crc32: crc32fast::hash(&bytes),
                size: u32::try_from(bytes.len()).expect("a document is smaller than 4 GiB"),
            };
            yield Bytes::from(archive.begin_file(&file));
            while !bytes.is_empty() {
                yield bytes.split_to(bytes.len().min(SLICE));
            }
        }
        yield Bytes::from(archive.finish());
    }
}
