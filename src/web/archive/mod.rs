//! `GET /images/download`: the whole board as a ZIP file, while it is read from the database.

mod names;
mod zip;

use std::cell::Cell;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use actix_web::http::Method;
use actix_web::http::header;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use async_stream::try_stream;
use bytes::Bytes;
use futures::stream::{LocalBoxStream, StreamExt as _};
use futures::{Stream, TryStreamExt as _};
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, sleep};
use tokio_util::sync::{CancellationToken, DropGuard};

use self::names::Names;
use self::zip::{Archive, File};
use super::connection::Connection;
use super::disposition::disposition;
use super::problem::Problem;
use super::state::State;
use crate::image::{ImageRecord, Timestamp};
use crate::store::{ListQuery, Store, StoreError};

/// How many archives may be under way, each of which holds one image in memory.
pub(super) const AT_ONCE: usize = 4;

/// How long a client may read nothing of its archive.
const PATIENCE: Duration = Duration::from_secs(60);

/// How often that is looked at.
const LOOK: Duration = Duration::from_secs(5);

/// How many records are listed at a time.
const PAGE: usize = 1000;

/// How much of an image is handed to the connection at a time.
const SLICE: usize = 64 << 10;

/// The handler. Images that are deleted meanwhile may be missing, and those that are added are. Should the database fail,
/// the transfer breaks off, so that nobody takes the half for the whole.
pub(super) async fn download(
    request: HttpRequest,
    state: Data<State>,
) -> Result<HttpResponse, Problem> {
    let name = format!("board-{:.10}.zip", Timestamp::now().to_string());
    let mut response = HttpResponse::Ok();
    response
        .insert_header((header::CONTENT_TYPE, "application/zip"))
        .insert_header((
            header::CONTENT_DISPOSITION,
            disposition("attachment", &name),
        ))
        .insert_header((header::CACHE_CONTROL, "no-store"));
    if request.method() == Method::HEAD {
        return Ok(response.finish());
    }
    let permit = state.archives.clone().try_acquire_owned();
    let permit = permit.map_err(|_| Problem::busy("The board is being downloaded by others."))?;
    let records = oldest_first(&state.store).await?;
    log::info!(
        "sending the board as an archive of {} images",
        records.len()
    );
    let pieces = pieces(state.store.clone(), records, permit);
    let pieces = pieces.inspect_err(|error| log::warn!("an archive broke off: {error}"));
    let connection = request.conn_data::<Connection>().cloned();
    Ok(response.streaming(Watched::new(pieces.boxed_local(), connection)))
}

async fn oldest_first(store: &Store) -> Result<Vec<ImageRecord>, StoreError> {
    let mut records = Vec::new();
    let mut query = ListQuery {
        limit: PAGE,
        before: None,
        sha256: None,
    };
    loop {
        let page = store.list(query.clone()).await?;
        records.extend(page.images);
        if page.next.is_none() {
            break;
        }
        query.before = page.next;
    }
    records.reverse();
    Ok(records)
}

/// The archive, of which one image is in memory at a time.
fn pieces(
    store: Store,
    records: Vec<ImageRecord>,
    permit: OwnedSemaphorePermit,
) -> impl Stream<Item = Result<Bytes, StoreError>> {
    try_stream! {
        let _permit = permit;
        let mut names = Names::default();
        let mut archive = Archive::default();
        for ImageRecord { meta, .. } in records {
            // None: it was deleted meanwhile.
            let Some((_, mut bytes)) = store.file(meta.id).await? else { continue };
            let file = File {
                name: &names.unique(&meta.file_name),
                modified: meta.created_at,
                crc32: crc32fast::hash(&bytes),
                size: u32::try_from(bytes.len()).expect("no document has 4 GiB"),
            };
            yield Bytes::from(archive.begin(&file));
            while !bytes.is_empty() {
                yield bytes.split_to(bytes.len().min(SLICE));
            }
        }
        yield Bytes::from(archive.end());
    }
}

/// A body whose reader is disconnected when they do not read: they would keep others from their archives.
struct Watched {
    pieces: LocalBoxStream<'static, Result<Bytes, StoreError>>,
    asked: Rc<Cell<Instant>>,
    _watch: DropGuard,
}

impl Watched {
    fn new(
        pieces: LocalBoxStream<'static, Result<Bytes, StoreError>>,
        connection: Option<Connection>,
    ) -> Self {
        let asked = Rc::new(Cell::new(Instant::now()));
        let over = CancellationToken::new();
        let watch = over.clone().drop_guard();
        if let Some(connection) = connection {
            let asked = asked.clone();
            let watching = async move {
                while asked.get().elapsed() < PATIENCE {
                    sleep(LOOK).await;
                }
                log::info!("disconnected a reader of an archive who reads nothing");
                connection.cut();
            };
            actix_web::rt::spawn(async move { over.run_until_cancelled(watching).await });
        }
        Self {
            pieces,
            asked,
            _watch: watch,
        }
    }
}

impl Stream for Watched {
    type Item = Result<Bytes, StoreError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.asked.set(Instant::now());
        let next = self.pieces.poll_next_unpin(context);
        if next.is_ready() {
            self.asked.set(Instant::now());
        }
        next
    }
}
