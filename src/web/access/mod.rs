//! Who may do what: links, roles and the check of every request.
//!
//! [`check`] runs before every handler, and a session checks each of its commands with the same [`Grant`]. The roles stand in
//! [`action`] alone.

pub(crate) mod action;
pub(crate) mod check;
pub(crate) mod credentials;
pub(crate) mod directory;
pub(crate) mod grant;
pub(crate) mod join;
mod policy;

use actix_web::web::{Data, ServiceConfig};
use tokio_util::sync::CancellationToken;

use self::credentials::Credentials;
use self::directory::Directory;
use self::grant::{Grant, NoAccess};
pub use self::policy::AccessPolicy;
use crate::image::BoardId;
use crate::store::Store;

/// What is known of boards, links and who needs one. Shared by all workers.
pub(crate) struct Access {
    pub(crate) directory: Directory,
    pub(crate) policy: AccessPolicy,
}

impl Access {
    /// Finds out what the holder of credentials may do on a board.
    pub(crate) fn grant(
        &self,
        credentials: &Credentials,
        board: BoardId,
    ) -> Result<Grant, NoAccess> {
        Grant::find(&self.directory, &self.policy, credentials, board)
    }
}

/// Starts following the boards, until `shutdown`. Must be called within a tokio runtime.
pub(crate) fn start(
    store: &Store,
    policy: AccessPolicy,
    shutdown: CancellationToken,
) -> Data<Access> {
    let access = Data::new(Access {
        directory: Directory::new(),
        policy,
    });
    let (following, store) = (access.clone(), store.clone());
    tokio::spawn(async move {
        shutdown
            .run_until_cancelled(following.directory.follow(store))
            .await
    });
    access
}

/// Returns the configuration that gives the check its data.
pub(crate) fn configuration(access: Data<Access>) -> impl Fn(&mut ServiceConfig) + Clone {
    move |config| {
        config.app_data(access.clone());
    }
}
