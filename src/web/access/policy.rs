//! Who needs a link.

use super::credentials::Credentials;
use super::directory::Directory;
use crate::image::{BoardId, Timestamp};
use crate::store::{Role, Token, TokenHash};

/// The permissions of clients without a link.
#[derive(Debug, Clone, Default)]
pub enum AccessPolicy {
    /// Everybody may do everything.
    #[default]
    Open,
    /// Everybody needs a link.
    Links {
        /// The token of the operator, who administers all boards.
        admin: Option<Token>,
        /// The token of the link for guests that was made for this start.
        guest: Token,
    },
}

impl AccessPolicy {
    /// The role on a board, and the time at which it ends; `None` without a link to it.
    pub(crate) fn role(
        &self,
        directory: &Directory,
        credentials: &Credentials,
        board: BoardId,
    ) -> Option<(Role, Option<Timestamp>)> {
        let Self::Links { .. } = self else {
            return Some((Role::Admin, None));
        };
        if credentials.hashes().iter().any(|hash| self.is_admin(hash)) {
            return Some((Role::Admin, None));
        }
        let links = credentials.links(directory, board);
        let best = links.max_by_key(|link| (link.role, link.expires_at.is_none()))?;
        Some((best.role, best.expires_at))
    }

    /// Returns `true` for the token of the operator.
    pub(crate) fn is_admin(&self, hash: &TokenHash) -> bool {
        match self {
            Self::Links {
                admin: Some(admin), ..
            } => admin.hash() == *hash,
            _ => false,
        }
    }

    /// The token of the link for guests, if links are needed.
    pub(crate) fn guest(&self) -> Option<&Token> {
        match self {
            Self::Open => None,
            Self::Links { guest, .. } => Some(guest),
        }
    }

    /// Returns `true` if everybody may do everything.
    pub(crate) fn is_open(&self) -> bool {
        matches!(self, Self::Open)
    }
}
