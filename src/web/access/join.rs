//! `GET /join/{token}`: follows a link.

use actix_web::http::header;
use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};

use super::Access;
use super::credentials::{Credentials, has_owner_cookie, link_cookie, owner_cookie};
use super::directory::KnownLink;
use crate::image::BoardId;
use crate::store::{Role, Token};
use crate::web::http::client_address::ClientAddress;
use crate::web::http::prefix::{base_path, is_secure};
use crate::web::http::problem::Problem;

/// The handler. Sets the cookie of the link and redirects to its board, so that the secret does not stay in the
/// address.
pub(crate) async fn join(
    request: HttpRequest,
    token: Path<String>,
    access: Data<Access>,
) -> Result<HttpResponse, Problem> {
    let unknown = || Problem::not_found("This link is not valid any more. Ask for a new one.");
    let token: Token = token.parse().map_err(|_| unknown())?;
    if !access.directory.is_loaded().await {
        return Err(Problem::busy("The database cannot be used right now."));
    }
    let hash = token.hash();
    access.count_guesses(ClientAddress::of(&request), &[hash])?;
    let link = if access.policy.is_admin(&hash) {
        Some(KnownLink {
            board: None,
            role: Role::Admin,
            expires_at: None,
        })
    } else {
        access.directory.any_link(&hash)
    };
    let link = link.ok_or_else(unknown)?;
    let (path, is_secure) = (base_path(&request), is_secure(&request));
    let mut response = HttpResponse::SeeOther();
    response
        .insert_header((
            header::LOCATION,
            format!("{path}{}", board_path(link.board.unwrap_or_default())),
        ))
        .insert_header((header::CACHE_CONTROL, "no-store"));
    if !has_more(&request, &access, &link) {
        response.cookie(link_cookie(&link, &token, path, is_secure));
    }
    if !has_owner_cookie(&request) {
        response.cookie(owner_cookie(path, is_secure));
    }
    Ok(response.finish())
}

/// Returns `true` if the browser has a link to the same board with a larger role. It keeps that: the link of a guest
/// must not take the role of a host who follows it.
fn has_more(request: &HttpRequest, access: &Access, link: &KnownLink) -> bool {
    let Some(board) = link.board else {
        return false;
    };
    let credentials = Credentials::of(request, board);
    let mut known = credentials.links(&access.directory, board);
    known.any(|known| known.board == link.board && known.role > link.role)
}

/// The path of the page of a board below that of the server, without a slash at its beginning.
pub(crate) fn board_path(board: BoardId) -> String {
    if board.is_main() {
        String::new()
    } else {
        format!("b/{board}")
    }
}
