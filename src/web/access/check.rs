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

/// Middleware of a route: answers 401, 403 or 404 unless the caller may do `action`. Gives the handler the [`Grant`], and the
/// [`StoredImage`] that the path names.
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
    let missing = || Problem::internal();
    let access = request.app_data::<Data<Access>>().ok_or_else(missing)?;
    if !access.directory.is_loaded().await {
        return Err(Problem::busy("The database cannot be used right now."));
    }
    let image = match request.match_info().get("id") {
        None => None,
        Some(id) => {
            let store = request.app_data::<Data<Store>>().ok_or_else(missing)?;
            // A malformed id is like an unknown one.
            let found = match id.parse::<ImageId>() {
                Ok(id) => store.stored(id).await?,
                Err(_) => None,
            };
            Some(found)
        }
    };
    let board = match &image {
        None => requested_board(request)?,
        Some(image) => image
            .as_ref()
            .map_or(BoardId::MAIN, |image| image.record.meta.board),
    };
    let credentials = Credentials::of(request, board);
    let client = ClientAddress::of(request);
    access.count_guesses(client, credentials.hashes())?;
    let grant = access.grant(&credentials, board);
    let names_image = image.is_some();
    let unknown = || {
        if names_image {
            Problem::no_such_image()
        } else {
            Problem::no_such_board()
        }
    };
    let is_known_anywhere = match grant {
        Err(NoAccess::NoLink) => access.is_known_anywhere(request, &credentials, client)?,
        _ => false,
    };
    let grant = grant.map_err(|reason| match reason {
        NoAccess::NoBoard => unknown(),
        NoAccess::NoLink if is_known_anywhere => {
            // Boards together belong to no board, so there is nothing to conceal.
            if action == Action::Administer {
                needs(Role::Admin)
            } else {
                unknown()
            }
        }
        NoAccess::NoLink => {
            Problem::new(StatusCode::UNAUTHORIZED, "You need a link to this board.")
                .with_header(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))
        }
    })?;
    if let Some(image) = image {
        let image = image.ok_or_else(unknown)?;
        if !grant.sees(&image.record.meta) {
            return Err(unknown());
        }
        may(&grant, action)?;
        if action == Action::Change && !grant.may_change(&image.record.meta) {
            let detail = "This link lets you change only what you have added.";
            return Err(Problem::forbidden(detail));
        }
        request.extensions_mut().insert(image);
    } else {
        may(&grant, action)?;
    }
    request.extensions_mut().insert(grant);
    request.extensions_mut().insert(credentials);
    Ok(())
}

/// Checks again what a request that takes long may do: its link may have been revoked meanwhile, its board deleted, locked or
/// moderated.
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
