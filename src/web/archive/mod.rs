//! `GET /images/download`: the whole board as a ZIP file, while it is read from the database.

mod names;
mod zip;

use std::time::Duration;

use actix_web::http::Method;
use actix_web::http::header;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use async_stream::try_stream;
use bytes::Bytes;
use futures::{Stream, StreamExt as _, TryStreamExt as _};
use tokio::sync::OwnedSemaphorePermit;

use self::names::Names;
use self::zip::{Archive, File};
use crate::image::{ImageRecord, Timestamp};
use crate::store::{ListQuery, Store, StoreError};
use crate::web::http::body::{SLICE, Watch};
use crate::web::http::connection::Connection;
use crate::web::http::disposition::disposition;
use crate::web::http::problem::Problem;
use crate::web::state::State;

/// How many archives may be under way, each of which holds one image in memory.
pub(crate) const AT_ONCE: usize = 4;

/// How long a client may read nothing of its archive. The database may take half a minute for an image meanwhile.
const PATIENCE: Duration = Duration::from_secs(60);

/// How many records are listed at a time.
const PAGE: usize = 1000;

/// The handler. Images that are deleted meanwhile may be missing, and those that are added are. Should the database fail,
/// the transfer breaks off, so that nobody takes the half for the whole.
pub(crate) async fn download(
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
    let connection = request.conn_data::<Connection>().cloned();
    // Who reads nothing would keep others from their archives.
    let watch = connection.map(|connection| Watch::new(connection, PATIENCE));
    let pieces = pieces(state.store.clone(), records, permit)
        .inspect_ok(move |_| watch.iter().for_each(Watch::taken))
        .inspect_err(|error| log::warn!("an archive broke off: {error}"));
    Ok(response.streaming(pieces.boxed_local()))
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
