//! Keeps other web sites out: a page from elsewhere, open in the user's browser, can send requests to this server as well
//! as the board's own page can.
//!
//! - A changing request or a socket upgrade with another `Origin` than the host that it is for is refused. Browsers
//!   always send `Origin` with these; what has none is no browser, unless `Sec-Fetch-Site` says otherwise.
//! - While the server listens on loopback, any request for a host that is not a name of loopback is refused: a foreign
//!   name that resolves to 127.0.0.1 (DNS rebinding) would make a foreign page the board's own. The port does not matter,
//!   since it is the name that the attack needs, and a forwarded port is a common thing.

use actix_web::HttpRequest;
use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{self, HeaderMap, HeaderName};
use actix_web::http::{Method, Uri};
use actix_web::middleware::Next;
use actix_web::web::Data;
use actix_web::{Error, ResponseError as _};

use super::problem::Problem;
use crate::web::state::State;

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// The middleware: answers 403 to what comes from elsewhere.
pub(crate) async fn only_for_us(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse, Error> {
    let on_loopback = request
        .app_data::<Data<State>>()
        .is_some_and(|state| state.listens_on_loopback);
    match examine(request.request(), on_loopback) {
        Ok(()) => next
            .call(request)
            .await
            .map(ServiceResponse::map_into_boxed_body),
        Err(problem) => {
            log::info!("refused {} {}: {problem}", request.method(), request.path());
            Ok(request.into_response(problem.error_response()))
        }
    }
}

fn examine(request: &HttpRequest, on_loopback: bool) -> Result<(), Problem> {
    let host = requested_host(request)?;
    if on_loopback && !is_loopback_name(&host) {
        return Err(Problem::forbidden(
            "This server does not answer for that host.",
        ));
    }
    let changes = !matches!(
        *request.method(),
        Method::GET | Method::HEAD | Method::OPTIONS
    );
    if changes || request.headers().contains_key(header::UPGRADE) {
        examine_origin(request.headers(), &host)?;
    }
    Ok(())
}

/// The `Host` header, in lower case. A request in absolute form names a host too, and it must be the same.
fn requested_host(request: &HttpRequest) -> Result<String, Problem> {
    let mut hosts = request.headers().get_all(header::HOST);
    let (Some(host), None) = (hosts.next(), hosts.next()) else {
        return Err(Problem::bad_request("The request must name one host."));
    };
    let host = host.to_str().unwrap_or_default().to_ascii_lowercase();
    match request.uri().authority() {
        Some(authority) if !authority.as_str().eq_ignore_ascii_case(&host) => {
            Err(Problem::bad_request("The request must name one host."))
        }
        _ => Ok(host),
    }
}

fn is_loopback_name(host: &str) -> bool {
    let name = without_port(host);
    matches!(name, "localhost" | "127.0.0.1" | "[::1]")
}

/// A host without its port, if it is well formed.
fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port))
            if !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()) =>
        {
            name
        }
        _ => host,
    }
}

fn examine_origin(headers: &HeaderMap, host: &str) -> Result<(), Problem> {
    let foreign = || Problem::forbidden("This request comes from another web site.");
    let mut origins = headers.get_all(header::ORIGIN);
    match (origins.next(), origins.next()) {
        (None, _) => match headers.get(SEC_FETCH_SITE).map(|site| site.as_bytes()) {
            None | Some(b"same-origin" | b"none") => Ok(()),
            Some(_) => Err(foreign()),
        },
        (Some(origin), None) if origin.to_str().is_ok_and(|origin| is_same(origin, host)) => Ok(()),
        _ => Err(foreign()),
    }
}

/// Whether an origin is the requested host. The scheme is the browser's to know: behind a TLS proxy it is `https`.
fn is_same(origin: &str, host: &str) -> bool {
    let Ok(origin) = origin.parse::<Uri>() else {
        return false;
    };
    let default_port = match origin.scheme_str() {
        Some("http") => ":80",
        Some("https") => ":443",
        _ => return false,
    };
    let plain = |name: &str| {
        let name = name.to_ascii_lowercase();
        name.strip_suffix(default_port)
            .map(str::to_owned)
            .unwrap_or(name)
    };
    origin.path_and_query().is_none_or(|path| path == "/")
        && origin
            .authority()
            .is_some_and(|authority| plain(authority.as_str()) == plain(host))
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    fn status(method: Method, headers: &[(&'static str, &'static str)], on_loopback: bool) -> u16 {
        let mut request = TestRequest::with_uri("/image").method(method);
        for header in headers {
            request = request.append_header(*header);
        }
        match examine(&request.to_http_request(), on_loopback) {
            Ok(()) => 200,
            Err(problem) => problem.status_code().as_u16(),
        }
    }

    #[test]
    fn on_loopback_only_names_of_loopback_are_answered() {
        for host in [
            "localhost",
            "localhost:8000",
            "LOCALHOST:1",
            "127.0.0.1:8000",
            "[::1]",
            "[::1]:80",
        ] {
            assert_eq!(status(Method::GET, &[("host", host)], true), 200, "{host}");
        }
        for host in [
            "evil.example",
            "localhost.evil.example:8000",
            "127.0.0.1.nip.io",
            "0.0.0.0:8000",
            "",
            ":8000",
        ] {
            assert_eq!(status(Method::GET, &[("host", host)], true), 403, "{host}");
            assert_eq!(status(Method::GET, &[("host", host)], false), 200, "{host}");
        }
        assert_eq!(status(Method::GET, &[], true), 400);
        assert_eq!(
            status(
                Method::GET,
                &[("host", "localhost"), ("host", "evil.example")],
                true
            ),
            400
        );
    }

    #[test]
    fn a_change_must_come_from_the_boards_own_page_or_from_no_page() {
        let from = |origin| {
            status(
                Method::POST,
                &[("host", "localhost:8000"), ("origin", origin)],
                true,
            )
        };
        assert_eq!(from("http://localhost:8000"), 200);
        assert_eq!(from("https://localhost:8000"), 200);
        for origin in [
            "http://localhost",
            "http://localhost:8001",
            "http://127.0.0.1:8000",
            "http://evil.example",
            "http://localhost:8000.evil.example",
            "http://evil@localhost:8000",
            "null",
            "",
            "file://",
            "ftp://localhost:8000",
        ] {
            assert_eq!(from(origin), 403, "{origin}");
        }
        let two = [
            ("host", "localhost"),
            ("origin", "http://localhost"),
            ("origin", "http://localhost"),
        ];
        assert_eq!(status(Method::POST, &two, true), 403);
    }

    #[test]
    fn the_port_that_a_scheme_implies_may_be_left_out() {
        let from =
            |host, origin| status(Method::DELETE, &[("host", host), ("origin", origin)], false);
        assert_eq!(from("board.example", "https://board.example"), 200);
        assert_eq!(from("board.example:443", "https://board.example"), 200);
        assert_eq!(from("board.example", "http://board.example:80"), 200);
        assert_eq!(from("board.example:80", "https://board.example"), 403);
    }

    #[test]
    fn without_an_origin_the_browsers_own_word_counts() {
        let site = |site| {
            status(
                Method::POST,
                &[("host", "localhost"), ("sec-fetch-site", site)],
                true,
            )
        };
        assert_eq!((site("same-origin"), site("none")), (200, 200));
        assert_eq!((site("cross-site"), site("same-site")), (403, 403));
        assert_eq!(status(Method::POST, &[("host", "localhost")], true), 200);
    }

    #[test]
    fn reading_needs_no_origin_and_a_socket_does() {
        let host = ("host", "localhost");
        let foreign = ("origin", "http://evil.example");
        assert_eq!(status(Method::GET, &[host, foreign], true), 200);
        assert_eq!(
            status(
                Method::GET,
                &[host, foreign, ("upgrade", "websocket")],
                true
            ),
            403
        );
        assert_eq!(status(Method::PUT, &[host, foreign], true), 403);
    }
}
