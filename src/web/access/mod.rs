//! Who may do what: links, roles and the check of every request.
//!
//! [`check`] runs before every handler, and a session checks each of its commands with the same [`Grant`]. Only
//! [`action`] says which role each of them needs.

pub(crate) mod action;
pub(crate) mod check;
pub(crate) mod credentials;
pub(crate) mod directory;
pub(crate) mod grant;
mod guesses;
pub(crate) mod join;
mod policy;

use actix_web::HttpRequest;
use actix_web::web::{Data, ServiceConfig};
use tokio_util::sync::CancellationToken;

use self::credentials::{Credentials, cookie_tokens};
use self::directory::Directory;
use self::grant::{Grant, NoAccess};
use self::guesses::Guesses;
pub use self::policy::AccessPolicy;
use super::http::client_address::ClientAddress;
use super::http::limiter::Refusals;
use super::http::problem::Problem;
use crate::image::BoardId;
use crate::store::{Store, TokenHash};

/// The boards, their links and the rule for who needs one. Shared by all workers.
pub(crate) struct Access {
    pub(crate) directory: Directory,
    pub(crate) policy: AccessPolicy,
    pub(crate) guesses: Guesses,
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

    /// Counts tokens that a client gives, before they are compared with that of the operator. Counts nothing where
    /// nobody needs a token.
    ///
    /// # Errors
    ///
    /// 429 if the client has tried too many.
    fn count_guesses(&self, client: ClientAddress, tokens: &[TokenHash]) -> Result<(), Problem> {
        if self.policy.is_open() {
            return Ok(());
        }
        tokens.iter().try_for_each(|token| {
            let is_link = || self.directory.any_link(token).is_some();
            self.guesses.check(client, token, is_link)
        })
    }

    /// Returns `true` if the request carries a token that gives access to anything. A caller without one learns only
    /// that links are needed.
    ///
    /// # Errors
    ///
    /// 429 if the client has tried too many tokens.
    fn is_known_anywhere(
        &self,
        request: &HttpRequest,
        credentials: &Credentials,
        client: ClientAddress,
    ) -> Result<bool, Problem> {
        let others = cookie_tokens(request);
        self.count_guesses(client, &others)?;
        let mut tokens = credentials.hashes().iter().chain(&others);
        Ok(tokens.any(|token| self.directory.any_link(token).is_some()))
    }
}

/// Starts following the boards, until `shutdown`. Must be called within a tokio runtime.
pub(crate) fn start(
    store: &Store,
    policy: AccessPolicy,
    refusals: &Refusals,
    shutdown: CancellationToken,
) -> Data<Access> {
    let access = Data::new(Access {
        directory: Directory::new(),
        policy,
        guesses: Guesses::new(refusals),
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
