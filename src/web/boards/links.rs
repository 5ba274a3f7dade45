//! The links of a board.

use actix_web::http::header;
use actix_web::web::{Bytes, Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use serde::{Deserialize, Serialize};

use super::body::{LinkJson, checked, parse};
use crate::image::Timestamp;
use crate::store::{Link, MAX_LINKS, Role, Store};
use crate::web::access::Access;
use crate::web::access::grant::Grant;
use crate::web::http::problem::Problem;

/// `GET /boards/{board}/links`
pub(crate) async fn list(grant: Grant) -> HttpResponse {
    #[derive(Serialize)]
    struct Body<'a> {
        links: Vec<LinkJson<'a>>,
    }
    let links = grant.board.links.iter().map(LinkJson::from);
    HttpResponse::Ok()
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .json(Body {
            links: links.collect(),
        })
}

/// `POST /boards/{board}/links`: makes a link. Its address is in the answer and is not shown again.
pub(crate) async fn make(
    request: HttpRequest,
    grant: Grant,
    body: Bytes,
    access: Data<Access>,
    store: Data<Store>,
) -> Result<HttpResponse, Problem> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields, rename_all = "camelCase")]
    struct New {
        role: Role,
        name: Option<String>,
        expires_at: Option<Timestamp>,
    }
    let New {
        role,
        name,
        expires_at,
    } = parse(&body)?;
    if role > Role::Host {
        return Err(Problem::bad_request(
            "role must be view, add, edit or host.",
        ));
    }
    if expires_at.is_some_and(|at| at <= Timestamp::now()) {
        return Err(Problem::bad_request("expiresAt must be in the future."));
    }
    let (link, token) = Link::new(role, checked("name", name)?, expires_at);
    let board = store.add_link(grant.board.id, &link).await?;
    let board = board.ok_or_else(Problem::no_such_board)?;
    if board.links.iter().all(|other| other.id != link.id) {
        let detail =
            format!("A board has at most {MAX_LINKS} links. Revoke some that are not used.");
        return Err(Problem::bad_request(detail));
    }
    access.directory.update(board);
    Ok(HttpResponse::Created()
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .json(LinkJson::with_url(&link, &token, &request)))
}

/// `DELETE /boards/{board}/links/{link}`: revokes a link and ends its sessions.
pub(crate) async fn revoke(
    path: Path<(String, String)>,
    grant: Grant,
    access: Data<Access>,
    store: Data<Store>,
) -> Result<HttpResponse, Problem> {
    let (_, link) = path.into_inner();
    if grant.board.links.iter().all(|other| other.id != link) {
        return Err(Problem::not_found("There is no such link."));
    }
    let board = store.remove_link(grant.board.id, &link).await?;
    access
        .directory
        .update(board.ok_or_else(Problem::no_such_board)?);
    log::info!("revoked link {link} of board {}", grant.board.id);
    Ok(HttpResponse::NoContent().finish())
}
