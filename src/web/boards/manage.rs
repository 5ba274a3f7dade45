//! Making, changing and deleting boards, and what hosts do with all images of one.

use actix_web::http::header;
use actix_web::web::{Bytes, Data};
use actix_web::{HttpRequest, HttpResponse};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use serde::{Deserialize, Serialize};

use super::DataDisk;
use super::body::{LinkJson, checked, parse};
use crate::store::{BoardChange, BoardRecord, BoardUsage, Link, Role, Store};
use crate::web::access::Access;
use crate::web::access::grant::Grant;
use crate::web::board_json::{BoardJson, GrantJson};
use crate::web::http::prefix::base_path;
use crate::web::http::problem::Problem;
use crate::web::pages;
use crate::web::sockets::SessionContext;

/// The number of boards whose images are counted at once.
const MAX_COUNTING: usize = 8;

/// `GET /boards`: the page, or `{"boards"}` for scripts.
pub(crate) async fn list(
    request: HttpRequest,
    files: Data<pages::PageFiles>,
    access: Data<Access>,
    store: Data<Store>,
    sessions: Data<SessionContext>,
    disk: Data<DataDisk>,
) -> Result<HttpResponse, Problem> {
    #[derive(Serialize)]
    struct Listed<'a> {
        #[serde(flatten)]
        board: BoardJson<'a>,
        /// The number of images, with those in the bin.
        images: u64,
        /// The bytes of their files.
        bytes: u64,
        /// Number of sessions on this server.
        people: usize,
    }
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Body<'a> {
        boards: Vec<Listed<'a>>,
        version: &'static str,
        /// The space that is left on the disk of the images, if they are on this machine.
        #[serde(skip_serializing_if = "Option::is_none")]
        free_bytes: Option<u64>,
    }
    if pages::is_navigation(&request) {
        return pages::boards(&request, &files).await;
    }
    let boards = access.directory.boards();
    let usages = stream::iter(&boards)
        .map(|board| {
            let board = store.board(board.id);
            async move { board.usage().await }
        })
        .buffered(MAX_COUNTING);
    let usages: Vec<BoardUsage> = usages.try_collect().await?;
    let listed = boards.iter().zip(usages).map(|(board, usage)| Listed {
        board: BoardJson::from(&**board),
        images: usage.images,
        bytes: usage.bytes,
        people: sessions.presence.count(board.id),
    });
    Ok(no_store().json(Body {
        boards: listed.collect(),
        version: env!("CARGO_PKG_VERSION"),
        free_bytes: disk.available_bytes().await,
    }))
}

/// `POST /boards`: makes a board with a link for its host and one for guests.
pub(crate) async fn create(
    request: HttpRequest,
    body: Bytes,
    access: Data<Access>,
    store: Data<Store>,
) -> Result<HttpResponse, Problem> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct New {
        title: String,
    }
    #[derive(Serialize)]
    struct Created<'a> {
        #[serde(flatten)]
        board: BoardJson<'a>,
        links: Vec<LinkJson<'a>>,
    }
    let New { title } = parse(&body)?;
    let title = checked("title", Some(title))?.ok_or_else(no_title)?;
    let links = [Role::Host, Role::Add].map(|role| Link::new(role, None, None));
    let mut board = BoardRecord::new(title);
    board.links = links.iter().map(|(link, _)| link.clone()).collect();
    store.create_board(&board).await?;
    access.directory.update(board.clone());
    log::info!("made board {}", board.id);
    let links = links.iter();
    let links = links.map(|(link, token)| LinkJson::with_url(link, token, &request));
    Ok(HttpResponse::Created()
        .insert_header((
            header::LOCATION,
            format!("{}boards/{}", base_path(&request), board.id),
        ))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .json(Created {
            board: BoardJson::from(&board),
            links: links.collect(),
        }))
}

/// `GET /boards/{board}`: the board, and what the caller may do there.
pub(crate) async fn show(grant: Grant, access: Data<Access>) -> HttpResponse {
    no_store().json(GrantJson::new(&grant, &access))
}

/// `PATCH /boards/{board}`: changes title and settings.
pub(crate) async fn change(
    grant: Grant,
    body: Bytes,
    access: Data<Access>,
    store: Data<Store>,
) -> Result<HttpResponse, Problem> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Change {
        title: Option<String>,
        locked: Option<bool>,
        moderated: Option<bool>,
    }
    let Change {
        title,
        locked,
        moderated,
    } = parse(&body)?;
    let title = match title {
        None => None,
        some => Some(checked("title", some)?.ok_or_else(no_title)?),
    };
    let change = BoardChange {
        title,
        locked,
        moderated,
    };
    let board = store.change_board(grant.board.id, change).await?;
    let board = board.ok_or_else(Problem::no_such_board)?;
    access.directory.update(board.clone());
    Ok(no_store().json(BoardJson::from(&board)))
}

/// `DELETE /boards/{board}`: deletes a board with its images.
pub(crate) async fn delete(
    grant: Grant,
    access: Data<Access>,
    store: Data<Store>,
) -> Result<HttpResponse, Problem> {
    let id = grant.board.id;
    if id.is_main() {
        return Err(Problem::bad_request(
            "The main board cannot be deleted, only cleared.",
        ));
    }
    let board = store.delete_board(id).await?;
    access
        .directory
        .update(board.ok_or_else(Problem::no_such_board)?);
    log::info!("deleted board {id}");
    // The sweep removes the images for good after the undo window.
    store.board(id).clear(None).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// `DELETE /images`: deletes all images of a board.
pub(crate) async fn clear(grant: Grant, store: Data<Store>) -> Result<HttpResponse, Problem> {
    #[derive(Serialize)]
    struct Cleared {
        deleted: u64,
    }
    let deleted = store.board(grant.board.id).clear(None).await?;
    log::info!("cleared board {}: {deleted} images", grant.board.id);
    Ok(no_store().json(Cleared { deleted }))
}

/// `POST /images/approve`: approves all images of a board.
pub(crate) async fn approve_all(grant: Grant, store: Data<Store>) -> Result<HttpResponse, Problem> {
    #[derive(Serialize)]
    struct Approved {
        approved: u64,
    }
    let approved = store.board(grant.board.id).approve(None).await?;
    Ok(no_store().json(Approved { approved }))
}

fn no_store() -> actix_web::HttpResponseBuilder {
    let mut response = HttpResponse::Ok();
    response.insert_header((header::CACHE_CONTROL, "no-store"));
    response
}

fn no_title() -> Problem {
    Problem::bad_request("The board needs a title.")
}
