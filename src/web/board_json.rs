//! A board as JSON, for answers over HTTP and events on the socket.

use serde::Serialize;

use super::access::Access;
use super::access::grant::Grant;
use crate::image::{BoardId, OwnerId, Timestamp};
use crate::store::{BoardRecord, BoardSettings, Role};

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
