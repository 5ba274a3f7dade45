//! What a session may do, which can change while it runs.

use std::time::Duration;

use actix_web::web::Data;
use tokio::sync::watch;
use tokio::time::sleep;

use super::protocol::frame::CloseCode;
use crate::image::Timestamp;
use crate::web::access::Access;
use crate::web::access::credentials::Credentials;
use crate::web::access::grant::{Grant, NoAccess};

/// The longest time after which a session notices that its link has expired because the clock was set.
const MAX_WAIT: Duration = Duration::from_secs(60);

/// The access of a session.
pub(crate) struct SessionAccess {
    access: Data<Access>,
    credentials: Credentials,
    changes: watch::Receiver<u64>,
    pub(crate) grant: Grant,
}

impl SessionAccess {
    pub(crate) fn new(access: Data<Access>, credentials: Credentials, grant: Grant) -> Self {
        let mut changes = access.directory.changes();
        // The grant may be older than the subscription.
        changes.mark_changed();
        Self {
            access,
            credentials,
            changes,
            grant,
        }
    }

    pub(crate) fn access(&self) -> &Access {
        &self.access
    }

    /// Waits until the access of the session has changed, and returns what it was before. Cancellation safe.
    ///
    /// # Errors
    ///
    /// The code to close the session with, once there is no access any more.
    pub(crate) async fn changed(&mut self) -> Result<Grant, CloseCode> {
        loop {
            tokio::select! {
                // Fails during shutdown only.
                changed = self.changes.changed() => if changed.is_err() {
                    std::future::pending::<()>().await;
                },
                () = until(self.grant.expires_at) => {}
            }
            let board = self.grant.board.id;
            let grant = self.access.grant(&self.credentials, board);
            let grant = grant.map_err(|reason| match reason {
                NoAccess::NoLink => CloseCode::NoLink,
                NoAccess::NoBoard => CloseCode::NoBoard,
            })?;
            if grant != self.grant {
                return Ok(std::mem::replace(&mut self.grant, grant));
            }
        }
    }
}

/// Waits until a time, or forever. At most for [`MAX_WAIT`], after which the caller looks again.
async fn until(at: Option<Timestamp>) {
    let Some(at) = at else {
        return std::future::pending().await;
    };
    let ms = at.as_millis() - Timestamp::now().as_millis();
    let rest = Duration::from_millis(u64::try_from(ms).unwrap_or_default());
    sleep(rest.min(MAX_WAIT)).await;
}
