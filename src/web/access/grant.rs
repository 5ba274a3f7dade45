//! What a request or a session may do on a board.

use std::sync::Arc;

use super::action::Action;
use super::credentials::Credentials;
use super::directory::Directory;
use super::policy::AccessPolicy;
use crate::image::{BoardId, ImageMeta, OwnerId, Timestamp};
use crate::store::{Board, BoardRecord, Role, Store};
use crate::web::http::client_address::ClientAddress;

/// The access of one caller to one board, at one moment.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Grant {
    pub(crate) board: Arc<BoardRecord>,
    pub(crate) role: Role,
    pub(crate) owner: Option<OwnerId>,
    /// Time at which the access ends by itself.
    pub(crate) expires_at: Option<Timestamp>,
}

/// The reason why there is no access.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NoAccess {
    /// No link leads to this board.
    NoLink,
    /// There is no such board.
    NoBoard,
}

impl Grant {
    /// Finds out what the holder of credentials may do on a board.
    pub(crate) fn find(
        directory: &Directory,
        policy: &AccessPolicy,
        credentials: &Credentials,
        board: BoardId,
    ) -> Result<Self, NoAccess> {
        let (role, expires_at) = policy
            .role(directory, credentials, board)
            .ok_or(NoAccess::NoLink)?;
        Ok(Self {
            board: directory.board(board).ok_or(NoAccess::NoBoard)?,
            role,
            owner: credentials.owner.clone(),
            expires_at,
        })
    }

    /// Returns `true` if the caller may do it. A locked board is read-only for all roles below host.
    pub(crate) fn permits(&self, action: Action) -> bool {
        let is_read_only = self.board.settings.locked && self.role < Role::Host;
        let role = if is_read_only { Role::View } else { self.role };
        action
            .required_role()
            .is_none_or(|required| role >= required)
    }

    /// Returns `true` if the caller may change an image, provided that the board is not locked.
    pub(crate) fn may_change(&self, image: &ImageMeta) -> bool {
        self.role >= Role::Edit || self.role >= Role::Add && self.is_owner(image)
    }

    /// The images that the caller may change.
    pub(crate) fn changeable(&self, store: &Store) -> Board {
        let board = store.board(self.board.id);
        if self.role >= Role::Edit {
            board
        } else {
            let own = board.only_of(self.owner.clone());
            if self.must_wait() {
                own.moderated()
            } else {
                own
            }
        }
    }

    /// Returns `true` if the caller may see an image of the board: one that waits for approval is seen by its owner and
    /// by hosts.
    pub(crate) fn sees(&self, image: &ImageMeta) -> bool {
        !image.waiting || self.sees_waiting() || self.is_owner(image)
    }

    /// Returns `true` if the caller sees all images that wait for approval.
    pub(crate) fn sees_waiting(&self) -> bool {
        self.role >= Role::Host
    }

    /// Returns `true` if the caller has added the image.
    pub(crate) fn is_owner(&self, image: &ImageMeta) -> bool {
        self.owner.is_some() && self.owner == image.owner
    }

    /// Returns `true` for an administrator on this machine, whose scripts are not limited.
    pub(crate) fn is_local_admin(&self, client: ClientAddress) -> bool {
        self.role == Role::Admin && client.is_local()
    }

    /// Returns `true` if an image that the caller adds waits for approval.
    pub(crate) fn must_wait(&self) -> bool {
        self.board.settings.moderated && self.role < Role::Edit
    }
}
