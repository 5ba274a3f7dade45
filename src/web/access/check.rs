//! The check that every request passes before its handler runs.

use std::collections::HashMap;
use std::future::{Ready, ready};

use actix_web::body::MessageBody;
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderValue};
use actix_web::middleware::Next;
use actix_web::web::{Data, Query};
use actix_web::{Error, FromRequest, HttpMessage as _, HttpRequest, ResponseError as _};

use super::Access;
use super::action::Action;
use super::credentials::Credentials;
use super::grant::{Grant, NoAccess};
use crate::image::{BoardId, ImageId};
use crate::store::{Role, Store, StoredImage};
use crate::web::http::client_address::ClientAddress;
use crate::web::http::metrics::route;
use crate::web::http::problem::Problem;

/// Middleware of a route: answers 401, 403 or 404 unless the caller may do `action`. Gives the handler the [`Grant`],
/// and the [`StoredImage`] that the path names.
pub(crate) async fn check(
    action: Action,
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse, Error> {
    match permit(action, request.request()).await {
        Ok(()) => next
            .call(request)
            .await
            .map(ServiceResponse::map_into_boxed_body),
        Err(problem) => Ok(request.into_response(problem.error_response())),
    }
}

async fn permit(action: Action, request: &HttpRequest) -> Result<(), Problem> {
    if action == Action::Public {
        return Ok(());
    }
    let access = data::<Access>(request)?;
    if !access.directory.is_loaded().await {
        return Err(Problem::busy("The database cannot be used right now."));
    }
    let image = named_image(request).await?;
    let board = match &image {
        None => requested_board(request)?,
        Some(Some(image)) => image.record.meta.board,
        Some(None) => BoardId::MAIN,
    };
    let credentials = Credentials::of(request, board);
    let unknown = match image {
        None => Problem::no_such_board,
        Some(_) => Problem::no_such_image,
    };
    let grant = grant(action, request, access, &credentials, board, unknown)?;
    match image {
        None => may(&grant, action)?,
        Some(Some(image)) => {
            may_with(&grant, action, &image)?;
            request.extensions_mut().insert(image);
        }
        Some(None) => return Err(unknown()),
    }
    request.extensions_mut().insert(grant);
    request.extensions_mut().insert(credentials);
    Ok(())
}

fn data<T: 'static>(request: &HttpRequest) -> Result<&Data<T>, Problem> {
    request.app_data().ok_or_else(Problem::internal)
}

/// Returns the image that the path names: `None` if it names none, `Some(None)` if there is no such image.
async fn named_image(request: &HttpRequest) -> Result<Option<Option<StoredImage>>, Problem> {
    let Some(id) = request.match_info().get("id") else {
        return Ok(None);
    };
    let store = data::<Store>(request)?;
    // A malformed id is like an unknown one.
    let found = match id.parse::<ImageId>() {
        Ok(id) => store.stored(id).await?,
        Err(_) => None,
    };
    Ok(Some(found))
}

/// Finds out what the caller may do on a board.
///
/// # Errors
///
/// 401 if the caller has no link to anything. `unknown` if the board does not exist, or none of the caller's links
/// leads to it: the answer does not tell which. 429 if the client has tried too many tokens.
fn grant(
    action: Action,
    request: &HttpRequest,
    access: &Access,
    credentials: &Credentials,
    board: BoardId,
    unknown: impl Fn() -> Problem,
) -> Result<Grant, Problem> {
    let client = ClientAddress::of(request);
    access.count_guesses(client, credentials.hashes())?;
    match access.grant(credentials, board) {
        Ok(grant) => Ok(grant),
        Err(NoAccess::NoBoard) => Err(unknown()),
        Err(NoAccess::NoLink) if !access.is_known_anywhere(request, credentials, client)? => {
            let problem = Problem::new(StatusCode::UNAUTHORIZED, "You need a link to this board.");
            let bearer = HeaderValue::from_static("Bearer");
            Err(problem.with_header(header::WWW_AUTHENTICATE, bearer))
        }
        // Boards together belong to no board, so there is nothing to conceal.
        Err(NoAccess::NoLink) if action == Action::Administer => Err(needs(Role::Admin)),
        Err(NoAccess::NoLink) => Err(unknown()),
    }
}

/// Checks what the caller may do with an image.
fn may_with(grant: &Grant, action: Action, image: &StoredImage) -> Result<(), Problem> {
    let image = &image.record.meta;
    if !grant.sees(image) {
        return Err(Problem::no_such_image());
    }
    may(grant, action)?;
    if action == Action::Change && !grant.may_change(image) {
        let detail = "This link lets you change only what you have added.";
        return Err(Problem::forbidden(detail));
    }
    Ok(())
}

/// Checks again what a long request may do: its link may have been revoked meanwhile, or its board deleted, locked or
/// set to moderated.
///
/// # Errors
///
/// 403 if it may not any more.
pub(crate) fn check_again(
    access: &Access,
    credentials: &Credentials,
    board: BoardId,
    action: Action,
) -> Result<Grant, Problem> {
    let gone = |_| Problem::forbidden("This board or your link to it has been deleted.");
    let grant = access.grant(credentials, board).map_err(gone)?;
    may(&grant, action)?;
    Ok(grant)
}

/// Checks the role.
fn may(grant: &Grant, action: Action) -> Result<(), Problem> {
    if grant.permits(action) {
        return Ok(());
    }
    match action.required_role() {
        Some(required) if grant.role < required => Err(needs(required)),
        _ => Err(Problem::forbidden("The board is locked.")),
    }
}

fn needs(role: Role) -> Problem {
    Problem::forbidden(format!("This needs a link with the role {role}."))
}

/// The board that a path or query names: `main` if none is named.
fn requested_board(request: &HttpRequest) -> Result<BoardId, Problem> {
    let named = match request.match_info().get("board") {
        Some(board) => Some(board.to_owned()),
        None => {
            let unreadable = |_| Problem::bad_request("The query cannot be read.");
            let query = Query::<HashMap<String, String>>::from_query(request.query_string());
            query.map_err(unreadable)?.remove("board")
        }
    };
    let Some(named) = named else {
        return Ok(BoardId::MAIN);
    };
    named.parse().map_err(|_| Problem::no_such_board())
}

/// The access of the caller, which [`check`] has found.
impl FromRequest for Grant {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(from_check(request))
    }
}

/// The credentials of the caller, which [`check`] has read.
impl FromRequest for Credentials {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(from_check(request))
    }
}

/// The image that the path names, which [`check`] has read.
pub(crate) struct RequestedImage(pub(crate) StoredImage);

impl FromRequest for RequestedImage {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(from_check(request).map(Self))
    }
}

fn from_check<T: Clone + 'static>(request: &HttpRequest) -> Result<T, Problem> {
    let found = request.extensions().get::<T>().cloned();
    found.ok_or_else(|| {
        log::error!("{} has no access check", route(request));
        Problem::internal()
    })
}
