//! JSON of boards and links, in answers and requests.

use actix_web::HttpRequest;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::image::{BoardId, OwnerId, Timestamp, checked_name};
use crate::store::{BoardRecord, BoardSettings, Link, LinkId, Role, Token};
use crate::web::access::Access;
use crate::web::access::grant::Grant;
use crate::web::http::problem::Problem;

/// A board, without its links.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct BoardJson<'a> {
    id: BoardId,
    title: &'a str,
    created_at: Timestamp,
    settings: BoardSettings,
}

/// A board as its viewer sees it: the answer of `GET /boards/{board}` and the data of `Board:update`.
#[derive(Serialize)]
pub(crate) struct GrantJson<'a> {
    #[serde(flatten)]
    board: BoardJson<'a>,
    role: Role,
    /// The `owner` of the images that the viewer has added.
    me: Option<&'a OwnerId>,
    /// `links`, or `open` if nobody needs a link.
    access: &'static str,
}

/// A link, without its secret.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct LinkJson<'a> {
    id: &'a LinkId,
    role: Role,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    created_at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<Timestamp>,
    /// The address with the secret, only in the answer that makes the link.
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<String>,
}

impl<'a> From<&'a BoardRecord> for BoardJson<'a> {
    fn from(board: &'a BoardRecord) -> Self {
        Self {
            id: board.id,
            title: &board.title,
            created_at: board.created_at,
            settings: board.settings,
        }
    }
}

impl<'a> GrantJson<'a> {
    pub(crate) fn new(grant: &'a Grant, access: &Access) -> Self {
        Self {
            board: BoardJson::from(&*grant.board),
            role: grant.role,
            me: grant.owner.as_ref(),
            access: if access.policy.is_open() {
                "open"
            } else {
                "links"
            },
        }
    }
}

impl<'a> From<&'a Link> for LinkJson<'a> {
    fn from(link: &'a Link) -> Self {
        Self {
            id: &link.id,
            role: link.role,
            name: link.name.as_deref(),
            created_at: link.created_at,
            expires_at: link.expires_at,
            url: None,
        }
    }
}

impl<'a> LinkJson<'a> {
    /// The link with its address.
    pub(crate) fn with_url(link: &'a Link, token: &Token, request: &HttpRequest) -> Self {
        let base = crate::web::invite::base_url(request);
        Self {
            url: Some(format!("{base}join/{}", token.reveal())),
            ..Self::from(link)
        }
    }
}

/// Parses the JSON body of a request.
pub(crate) fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    let invalid = |error| Problem::bad_request(format!("The JSON is not as expected: {error}."));
    serde_json::from_slice(body).map_err(invalid)
}

/// Checks a title or the name of a link.
pub(crate) fn checked(
    field: &'static str,
    text: Option<String>,
) -> Result<Option<String>, Problem> {
    Ok(checked_name(field, text)?)
}
