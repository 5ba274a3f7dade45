//! Slows the guessing of tokens.

use std::net::IpAddr;
use std::time::Duration;

use quick_cache::sync::Cache;

use crate::store::TokenHash;
use crate::web::http::client_address::ClientAddress;
use crate::web::http::limiter::{Limiter, Rate, Refusals};
use crate::web::http::problem::Problem;

/// The number of tokens that a client may try: at first enough for a party whose links have all expired, then a few a
/// second. A token that the client has tried before does not count, so the phones behind one address count as one when
/// they follow one link.
const TRIES: Rate = Rate {
    burst: 60,
    per_second: 3,
};

/// The number of tries that are remembered: about 3 MB.
const MAX_REMEMBERED: usize = 16_384;

/// Counts the different tokens that each client has tried, except those of links. Links are random, so nobody finds one
/// by trying, and a guesser must not keep newcomers of the same address from following theirs. The operator's token is
/// chosen by a person and counts also if it is right: if only wrong ones were refused, the answer would reveal it.
pub(crate) struct Guesses {
    tried: Cache<(IpAddr, [u8; 32]), ()>,
    limiter: Limiter<IpAddr>,
}

impl Guesses {
    pub(crate) fn new(refusals: &Refusals) -> Self {
        Self {
            tried: Cache::new(MAX_REMEMBERED),
            limiter: Limiter::new(TRIES, refusals.of("tokens")),
        }
    }

    /// Counts a token that a client gives, before it is compared with that of the operator. `is_link` tells whether it
    /// is that of a link.
    ///
    /// # Errors
    ///
    /// 429 if the client has tried too many.
    pub(crate) fn check(
        &self,
        client: ClientAddress,
        token: &TokenHash,
        is_link: impl FnOnce() -> bool,
    ) -> Result<(), Problem> {
        let client = client.network();
        let try_ = (client, *token.as_bytes());
        if self.tried.get(&try_).is_some() {
            return Ok(());
        }
        let refuse = |wait: Duration| {
            log::info!("refused a link from {client}: too many others were tried");
            let detail = "Too many links were tried from your address. Try again in a moment.";
            Problem::too_many(detail, wait)
        };
        if !is_link() {
            self.limiter.take(&client).map_err(refuse)?;
        }
        self.tried.insert(try_, ());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;
    use crate::store::Token;

    fn client(address: &str) -> ClientAddress {
        let peer = format!("{address}:1").parse().unwrap();
        ClientAddress::of(&TestRequest::default().peer_addr(peer).to_http_request())
    }

    fn hash(text: String) -> TokenHash {
        text.parse::<Token>().unwrap().hash()
    }

    #[test]
    fn a_client_that_tries_many_tokens_must_wait_and_others_need_not() {
        let guesses = Guesses::new(&Refusals::default());
        let known = hash("known".to_owned());
        let (guesser, other) = (client("192.0.2.1"), client("192.0.2.2"));
        let check = |client, token: &TokenHash| guesses.check(client, token, || false);
        check(guesser, &known).unwrap();
        let tried = (0..1000).map(|number| check(guesser, &hash(format!("guess{number}"))));
        let allowed = tried.filter(Result::is_ok).count();
        // More than the burst only if this takes long.
        assert!((59..200).contains(&allowed), "{allowed}");
        let new = hash("new".to_owned());
        assert_eq!(check(guesser, &known), Ok(()));
        assert_eq!(check(other, &new), Ok(()));
        assert!(check(guesser, &new).is_err());
        assert_eq!(guesses.check(guesser, &new, || true), Ok(()));
    }
}
