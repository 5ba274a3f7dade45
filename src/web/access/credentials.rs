//! What a request carries to prove who sent it.

use std::collections::HashSet;

use actix_web::HttpRequest;
use actix_web::cookie::time::Duration;
use actix_web::cookie::{Cookie, SameSite};
use actix_web::http::header;

use super::directory::{Directory, KnownLink};
use crate::image::{BoardId, OwnerId};
use crate::store::{Token, TokenHash};

/// The cookie with the token of an administrator.
const ADMIN_COOKIE: &str = "photo-admin";

/// The cookie by which a browser recognises the images that it has added. Its value is a secret like a token.
const OWNER_COOKIE: &str = "photo-owner";

/// The time for which browsers keep the cookies. Browsers keep none for longer than 400 days.
const COOKIE_AGE: Duration = Duration::days(400);

/// The tokens of a request, and who it is from.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Credentials {
    tokens: Vec<TokenHash>,
    pub(crate) owner: Option<OwnerId>,
}

impl Credentials {
    /// Reads `Authorization: Bearer`, or else the cookies for a board.
    pub(crate) fn of(request: &HttpRequest, board: BoardId) -> Self {
        let owner = cookie_token(request, OWNER_COOKIE).map(|token| owner_id(&token));
        let tokens = match bearer(request) {
            Some(token) => token.into_iter().collect(),
            None => [ADMIN_COOKIE, &cookie_name(Some(board))]
                .iter()
                .filter_map(|name| cookie_token(request, name))
                .collect::<Vec<Token>>(),
        };
        Self {
            tokens: tokens.iter().map(Token::hash).collect(),
            owner,
        }
    }

    /// The links to a board that the tokens belong to, and the one to all boards.
    pub(crate) fn links(
        &self,
        directory: &Directory,
        board: BoardId,
    ) -> impl Iterator<Item = KnownLink> {
        self.tokens
            .iter()
            .filter_map(move |hash| directory.link(board, hash))
    }

    /// The hashes of the tokens.
    pub(crate) fn hashes(&self) -> &[TokenHash] {
        &self.tokens
    }
}

/// The number of cookies with tokens that are looked at. Browsers send no more than a few hundred cookies to a site.
const MAX_COOKIES: usize = 64;

/// The different tokens of boards that a request carries in its first [`MAX_COOKIES`] cookies with one.
pub(crate) fn cookie_tokens(request: &HttpRequest) -> Vec<TokenHash> {
    let Ok(cookies) = request.cookies() else {
        return Vec::new();
    };
    let of_boards = cookies.iter().filter(|cookie| {
        cookie.name().starts_with(cookie_prefix()) && cookie.name() != OWNER_COOKIE
    });
    let tokens: HashSet<&str> = of_boards
        .take(MAX_COOKIES)
        .map(|cookie| cookie.value())
        .collect();
    tokens
        .into_iter()
        .filter_map(|token| token.parse::<Token>().ok())
        .map(|token| token.hash())
        .collect()
}

/// `Authorization: Bearer TOKEN`. A malformed token gives no access: `Some(None)`.
fn bearer(request: &HttpRequest) -> Option<Option<Token>> {
    let header = request.headers().get(header::AUTHORIZATION)?;
    let text = header.to_str().unwrap_or_default();
    let (scheme, token) = text.split_once(' ').unwrap_or_default();
    let is_bearer = scheme.eq_ignore_ascii_case("bearer");
    Some(token.trim().parse().ok().filter(|_| is_bearer))
}

fn cookie_token(request: &HttpRequest, name: &str) -> Option<Token> {
    request.cookie(name)?.value().parse().ok()
}

const fn cookie_prefix() -> &'static str {
    "photo-"
}

fn cookie_name(board: Option<BoardId>) -> String {
    match board {
        None => ADMIN_COOKIE.to_owned(),
        Some(board) => format!("{}board-{board}", cookie_prefix()),
    }
}

/// The cookie that a followed link sets. `path` is that of the server.
pub(crate) fn link_cookie(
    link: &KnownLink,
    token: &Token,
    path: &str,
    is_secure: bool,
) -> Cookie<'static> {
    cookie(cookie_name(link.board), token, path, is_secure)
}

/// A new cookie that identifies a browser.
pub(crate) fn owner_cookie(path: &str, is_secure: bool) -> Cookie<'static> {
    cookie(OWNER_COOKIE.to_owned(), &Token::random(), path, is_secure)
}

/// Returns `true` if the browser has a cookie that identifies it.
pub(crate) fn has_owner_cookie(request: &HttpRequest) -> bool {
    cookie_token(request, OWNER_COOKIE).is_some()
}

fn cookie(name: String, token: &Token, path: &str, is_secure: bool) -> Cookie<'static> {
    Cookie::build(name, token.reveal().to_owned())
        .path(path.to_owned())
        .http_only(true)
        // Lax, so that browsers send it when a link from a mail or a QR code is opened; the guard rejects changes from
        // other sites.
        .same_site(SameSite::Lax)
        .secure(is_secure)
        .max_age(COOKIE_AGE)
        .finish()
}

/// The public id of the holder of an owner cookie, from which nobody can find the cookie.
fn owner_id(token: &Token) -> OwnerId {
    OwnerId::from_hash(token.hash().as_bytes())
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    fn hashes(request: TestRequest) -> Vec<TokenHash> {
        Credentials::of(&request.to_http_request(), BoardId::MAIN).tokens
    }

    fn hash(text: &str) -> TokenHash {
        text.parse::<Token>().unwrap().hash()
    }

    #[test]
    fn a_bearer_token_counts_instead_of_the_cookies() {
        let cookies = TestRequest::default()
            .cookie(Cookie::new("photo-admin", "a"))
            .cookie(Cookie::new("photo-board-main", "b"))
            .cookie(Cookie::new("photo-board-other", "c"));
        assert_eq!(hashes(cookies), [hash("a"), hash("b")]);
        let both = TestRequest::default()
            .cookie(Cookie::new("photo-admin", "a"))
            .insert_header(("authorization", "bearer x"));
        assert_eq!(hashes(both), [hash("x")]);
        for unknown in ["Basic YTph", "Bearer", "Bearer a b", ""] {
            let other = TestRequest::default()
                .cookie(Cookie::new("photo-admin", "a"))
                .insert_header(("authorization", unknown));
            assert_eq!(hashes(other), [], "{unknown}");
        }
    }

    #[test]
    fn many_cookies_cost_no_more_than_a_few() {
        let with = |tokens: &mut dyn Iterator<Item = String>| {
            let request =
                tokens
                    .enumerate()
                    .fold(TestRequest::default(), |request, (number, token)| {
                        request.cookie(Cookie::new(format!("photo-board-{number}"), token))
                    });
            cookie_tokens(&request.to_http_request())
        };
        assert_eq!(with(&mut (0..40).map(|_| "a".to_owned())), [hash("a")]);
        let different = with(&mut (0..4_000).map(|number| format!("token{number}")));
        assert_eq!(different.len(), MAX_COOKIES);
    }

    #[test]
    fn the_public_id_of_an_owner_does_not_contain_the_cookie() {
        let cookie = owner_cookie("/", true);
        assert!(cookie.http_only() == Some(true) && cookie.secure() == Some(true));
        let request = TestRequest::default().cookie(cookie.clone());
        let owner = Credentials::of(&request.to_http_request(), BoardId::MAIN).owner;
        let owner = owner.unwrap().to_string();
        assert!(!cookie.value().contains(&owner) && owner.len() == 12);
    }
}
