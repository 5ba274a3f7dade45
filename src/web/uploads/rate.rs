//! Limits on how many uploads a client may send, and how many may be sent with one link.

use std::net::IpAddr;
use std::time::Duration;

use crate::web::access::credentials::Credentials;
use crate::web::access::grant::Grant;
use crate::web::http::client_address::ClientAddress;
use crate::web::http::limiter::{Limiter, Rate, Refusals};
use crate::web::http::problem::Problem;

/// The uploads of one client: a hundred photos from each of thirty phones behind one address, all at once, and then
/// more than most lines carry.
const OF_CLIENT: Rate = Rate {
    burst: 3000,
    per_second: 30,
};

/// The uploads with one link, which the guests of a party share.
const OF_LINK: Rate = Rate {
    burst: 10_000,
    per_second: 100,
};

/// Counts the uploads of each client and of each link.
pub(crate) struct UploadRates {
    of_client: Limiter<IpAddr>,
    of_link: Limiter<[u8; 32]>,
}

impl UploadRates {
    pub(crate) fn new(refusals: &Refusals) -> Self {
        Self {
            of_client: Limiter::new(OF_CLIENT, refusals.of("uploads_of_client")),
            of_link: Limiter::new(OF_LINK, refusals.of("uploads_of_link")),
        }
    }

    /// Counts an upload. Those of an administrator on this machine do not count: scripts fill a board from there.
    ///
    /// # Errors
    ///
    /// 429 if there are too many.
    pub(crate) fn count(
        &self,
        client: ClientAddress,
        grant: &Grant,
        credentials: &Credentials,
    ) -> Result<(), Problem> {
        if grant.is_local_admin(client) {
            return Ok(());
        }
        let refuse = |whose: &'static str| {
            move |wait: Duration| {
                log::info!("rejected an upload from {client}: too many {whose}");
                let detail = format!("Too many photos at once {whose}. Try again in a moment.");
                Problem::too_many(detail, wait)
            }
        };
        let of_client = self.of_client.take(&client.network());
        of_client.map_err(refuse("from your address"))?;
        // All links that were sent: a made-up one must not hide the one that leads to the board.
        for link in credentials.hashes() {
            let of_link = self.of_link.take(link.as_bytes());
            of_link.map_err(refuse("with this link"))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use actix_web::ResponseError as _;
    use actix_web::test::TestRequest;

    use super::*;
    use crate::image::BoardId;
    use crate::store::{BoardRecord, Role};

    fn client(address: &str) -> ClientAddress {
        let peer = format!("{address}:1").parse().unwrap();
        ClientAddress::of(&TestRequest::default().peer_addr(peer).to_http_request())
    }

    fn grant(role: Role) -> Grant {
        Grant {
            board: Arc::new(BoardRecord::main()),
            role,
            owner: None,
            expires_at: None,
        }
    }

    fn link(token: &str) -> Credentials {
        let request = TestRequest::default().insert_header(("authorization", token));
        Credentials::of(&request.to_http_request(), BoardId::MAIN)
    }

    #[test]
    fn too_many_uploads_from_one_address_or_with_one_link_must_wait() {
        let rates = UploadRates::new(&Refusals::default());
        let (guest, one) = (grant(Role::Add), link("Bearer one"));
        let many = |client| {
            let counted = (0..20_000).map(|_| rates.count(client, &guest, &one));
            counted.take_while(Result::is_ok).count()
        };
        for number in 1..4 {
            let count = many(client(&format!("192.0.2.{number}")));
            assert!((3000..4000).contains(&count), "{count}");
        }
        let rest = many(client("192.0.2.4"));
        assert!(
            (500..3000).contains(&rest),
            "the link has its own limit: {rest}"
        );
        // On a busy machine the link has got a few more uploads by now.
        let newcomer = client("192.0.2.5");
        let mut refusals = (0..500).filter_map(|_| rates.count(newcomer, &guest, &one).err());
        assert_eq!(refusals.next().unwrap().status_code(), 429);
        let other = link("Bearer other");
        assert_eq!(rates.count(newcomer, &guest, &other), Ok(()));
    }

    #[test]
    fn an_administrator_on_this_machine_is_not_limited() {
        let rates = UploadRates::new(&Refusals::default());
        let count = |role| {
            let counted =
                (0..5000).map(|_| rates.count(client("127.0.0.1"), &grant(role), &link("")));
            counted.filter(Result::is_ok).count()
        };
        assert_eq!(count(Role::Admin), 5000);
        assert!(count(Role::Add) < 5000);
    }
}
