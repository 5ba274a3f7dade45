//! What can be done, and the role that each needs.

use crate::store::Role;

/// Something that a request or a command does. Every route and every command has one; see [`Action::required_role`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Action {
    /// Nothing that belongs to a board: health checks, the files of the pages, following a link.
    Public,
    /// Seeing a board and its images.
    See,
    /// Adding images.
    Add,
    /// Changing, deleting and restoring images. With the role `add`, only one's own.
    Change,
    /// Settings and links of a board, approving and clearing.
    Host,
    /// Making, listing and deleting boards.
    Administer,
}

impl Action {
    /// The least role that may do it; `None` if nobody needs one.
    pub(crate) fn required_role(self) -> Option<Role> {
        match self {
            Self::Public => None,
            Self::See => Some(Role::View),
            Self::Add | Self::Change => Some(Role::Add),
            Self::Host => Some(Role::Host),
            Self::Administer => Some(Role::Admin),
        }
    }
}
