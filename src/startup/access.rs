//! The links that a start makes and shows.

use std::net::{IpAddr, SocketAddr};

use super::lan;
use crate::config::Access;
use crate::image::BoardId;
use crate::store::{Link, Role, Store, StoreError, Token};
use crate::web::{AccessPolicy, PublicUrl};

/// The number of starts whose links are valid, with the present one, for administrators and for guests. A printed QR
/// code so survives some restarts; a link that the host makes survives all.
const KEPT_STARTS: usize = 10;

/// The name of the links for guests.
const GUEST_LINK: &str = "Shown at the start";

/// The access of a server, and the links that were made for it.
pub(super) struct PreparedAccess {
    pub(super) policy: AccessPolicy,
    pub(super) links: Option<StartLinks>,
}

/// The links that were made for a start.
pub(super) struct StartLinks {
    /// `None` if the operator has chosen the token.
    admin: Option<Token>,
    guest: Token,
    public_url: Option<PublicUrl>,
}

/// Decides who needs a link, and makes the first ones.
///
/// # Errors
///
/// If the database is unavailable.
pub(super) async fn prepare(
    store: &Store,
    access: Access,
    address: SocketAddr,
    public_url: Option<PublicUrl>,
) -> Result<PreparedAccess, StoreError> {
    let is_local = is_loopback(address.ip()) && public_url.is_none();
    let admin = match access {
        Access::ByAddress if !is_local => None,
        Access::Links(token) => Some(token),
        Access::Open | Access::ByAddress => {
            if !is_local {
                log::warn!(
                    "--open: everybody who reaches {address} may see, add and delete images"
                );
            }
            return Ok(PreparedAccess {
                policy: AccessPolicy::Open,
                links: None,
            });
        }
    };
    let guest = make_guest_link(store).await?;
    let shown = match admin {
        Some(_) => None,
        None => {
            let (link, token) = Link::new(Role::Admin, None, None);
            store.add_admin_link(link, KEPT_STARTS).await?;
            Some(token)
        }
    };
    Ok(PreparedAccess {
        policy: AccessPolicy::Links {
            admin,
            guest: guest.clone(),
        },
        links: Some(StartLinks {
            admin: shown,
            guest,
            public_url,
        }),
    })
}

/// Makes the link for guests of the main board, and removes the oldest ones of earlier starts.
async fn make_guest_link(store: &Store) -> Result<Token, StoreError> {
    let (link, token) = Link::new(Role::Add, Some(GUEST_LINK.to_owned()), None);
    store
        .add_start_link(BoardId::MAIN, &link, KEPT_STARTS)
        .await?;
    Ok(token)
}

fn is_loopback(ip: IpAddr) -> bool {
    ip.to_canonical().is_loopback()
}

impl StartLinks {
    /// The lines to print: the address for the administrator, and the one for guests as text and QR code.
    pub(super) fn announcement(&self, url: &str, scheme: &str, addresses: &[SocketAddr]) -> String {
        let public_url = self.public_url.as_ref().map(ToString::to_string);
        let url = public_url.as_deref().unwrap_or(url);
        let admin = match &self.admin {
            Some(token) => format!(
                "Open {url}join/{} to administer the boards.\n",
                token.reveal()
            ),
            None => {
                format!("Open {url}join/ followed by your admin token to administer the boards.\n")
            }
        };
        let path = format!("join/{}", self.guest.reveal());
        let guests = match &public_url {
            Some(url) => lan::published_invitation(&format!("{url}{path}")),
            None if addresses.is_empty() => format!("Guests can open {url}{path}\n"),
            None => lan::invitation(scheme, addresses, &path),
        };
        admin + &guests
    }
}
