//! Protection against requests from other web sites (CSRF, DNS rebinding).
//!
//! A page of another site, open in the user's browser, can reach this server as easily as the board's own page.
//!
//! - A changing request or a socket upgrade is rejected if its `Origin` differs from the requested host. Browsers
//!   always send `Origin` with these; a request without one is no browser's, unless `Sec-Fetch-Site` says otherwise.
//! - With a public URL, only requests for its host and for loopback names are answered, and changes need its origin.
//! - While the server listens on loopback, a request for any host that is not a loopback name is rejected. A foreign
//!   name that resolves to 127.0.0.1 (DNS rebinding) would make a foreign page same-origin. The port is not compared:
//!   the attack needs a name, and forwarded ports are common.

use std::net::IpAddr;

use actix_web::HttpRequest;
use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{self, HeaderMap, HeaderName};
use actix_web::http::{Method, Uri};
use actix_web::middleware::Next;
use actix_web::web::{Data, ServiceConfig};
use actix_web::{Error, ResponseError as _};

use super::client_address::ClientAddress;
use super::host::{is_loopback_name, requested_host};
use super::metrics::route;
use super::problem::Problem;
use super::public_url::PublicUrl;

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// The `Host` names that the server accepts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum HostPolicy {
    /// That of the public URL, and loopback names.
    Public(PublicUrl),
    /// Any name.
    Any,
    /// `localhost`, `127.0.0.1` and `[::1]`.
    LoopbackNames,
}

impl HostPolicy {
    fn new(address: IpAddr, public: Option<PublicUrl>) -> Self {
        if let Some(public) = public {
            Self::Public(public)
        } else if address.to_canonical().is_loopback() {
            Self::LoopbackNames
        } else {
            Self::Any
        }
    }
}

/// Returns the configuration for a server that listens on `address`.
pub(crate) fn configuration(
    address: IpAddr,
    public: Option<PublicUrl>,
) -> impl Fn(&mut ServiceConfig) + Clone {
    let policy = Data::new(HostPolicy::new(address, public.clone()));
    let public = public.map(Data::new);
    move |config| {
        config.app_data(policy.clone());
        if let Some(public) = &public {
            config.app_data(public.clone());
        }
    }
}

/// Middleware that answers 403 to requests from other sites.
pub(crate) async fn reject_foreign_requests(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse, Error> {
    let policy = request.app_data::<Data<HostPolicy>>();
    // The strict policy if the app is not configured.
    let policy = policy.map_or(&HostPolicy::LoopbackNames, |policy| policy);
    match check(request.request(), policy) {
        Ok(()) => next
            .call(request)
            .await
            .map(ServiceResponse::map_into_boxed_body),
        Err(problem) => {
            log::info!(
                "rejected {} {} from {}: {problem}",
                request.method(),
                route(request.request()),
                ClientAddress::of(request.request())
            );
            Ok(request.into_response(problem.error_response()))
        }
    }
}

fn check(request: &HttpRequest, policy: &HostPolicy) -> Result<(), Problem> {
    // Health checks of HTTP/1.0 name no host. They change and reveal nothing.
    if matches!(request.path(), "/healthz" | "/readyz") {
        return Ok(());
    }
    let host = requested_host(request)?;
    let is_loopback = is_loopback_name(&host);
    match policy {
        HostPolicy::Public(public) if !is_loopback && !public.is_host(&host) => {
            return Err(Problem::forbidden(format!(
                "This server does not answer for that host. Open {public}"
            )));
        }
        HostPolicy::LoopbackNames if !is_loopback => {
            return Err(Problem::forbidden(
                "This server does not answer for that host. If a proxy publishes it, start it with --public-url.",
            ));
        }
        _ => {}
    }
    let is_change = !matches!(
        *request.method(),
        Method::GET | Method::HEAD | Method::OPTIONS
    );
    if is_change || request.headers().contains_key(header::UPGRADE) {
        check_origin(request.headers(), &host, policy)?;
    }
    Ok(())
}

fn check_origin(headers: &HeaderMap, host: &str, policy: &HostPolicy) -> Result<(), Problem> {
    let foreign = || Problem::forbidden("This request comes from another web site.");
    let mut origins = headers.get_all(header::ORIGIN);
    match (origins.next(), origins.next()) {
        (None, _) => match headers.get(SEC_FETCH_SITE).map(|site| site.as_bytes()) {
            None | Some(b"same-origin" | b"none") => Ok(()),
            Some(_) => Err(foreign()),
        },
        (Some(origin), None)
            if origin
                .to_str()
                .is_ok_and(|origin| is_own_origin(origin, host, policy)) =>
        {
            Ok(())
        }
        _ => Err(foreign()),
    }
}

/// Returns `true` for the origin of the server's own pages. Behind a proxy, `Host` may be that of the server itself.
fn is_own_origin(origin: &str, host: &str, policy: &HostPolicy) -> bool {
    match policy {
        HostPolicy::Public(public) => {
            public.is_origin(origin) || is_loopback_name(host) && is_same_origin(origin, host)
        }
        HostPolicy::Any | HostPolicy::LoopbackNames => is_same_origin(origin, host),
    }
}

/// Compares an origin with the requested host. Both schemes match: behind a TLS proxy the browser uses `https`.
fn is_same_origin(origin: &str, host: &str) -> bool {
    let Ok(origin) = origin.parse::<Uri>() else {
        return false;
    };
    let default_port = match origin.scheme_str() {
        Some("http") => ":80",
        Some("https") => ":443",
        _ => return false,
    };
    let normalized = |name: &str| {
        let name = name.to_ascii_lowercase();
        name.strip_suffix(default_port)
            .map(str::to_owned)
            .unwrap_or(name)
    };
    origin.path_and_query().is_none_or(|path| path == "/")
        && origin
            .authority()
            .is_some_and(|authority| normalized(authority.as_str()) == normalized(host))
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    fn policy(on_loopback: bool) -> HostPolicy {
        if on_loopback {
            HostPolicy::LoopbackNames
        } else {
            HostPolicy::Any
        }
    }

    fn status(method: Method, headers: &[(&'static str, &'static str)], on_loopback: bool) -> u16 {
        let mut request = TestRequest::with_uri("/image").method(method);
        for header in headers {
            request = request.append_header(*header);
        }
        match check(&request.to_http_request(), &policy(on_loopback)) {
            Ok(()) => 200,
            Err(problem) => problem.status_code().as_u16(),
        }
    }

    #[test]
    fn on_loopback_only_loopback_names_are_accepted() {
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
    fn every_loopback_address_accepts_loopback_names_only() {
        for (address, is_loopback) in [
            ("127.0.0.1", true),
            ("::1", true),
            ("::ffff:127.0.0.1", true),
            ("0.0.0.0", false),
            ("::ffff:192.0.2.1", false),
        ] {
            let policy = HostPolicy::new(address.parse().unwrap(), None);
            let found = matches!(policy, HostPolicy::LoopbackNames);
            assert_eq!(found, is_loopback, "{address}");
        }
    }

    #[test]
    fn a_change_needs_the_origin_of_the_page_or_none() {
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
    fn behind_a_proxy_the_public_host_and_origin_are_accepted_and_no_others() {
        let policy = HostPolicy::Public("https://photos.example/party/".parse().unwrap());
        let status = |method: Method, host, origin: Option<&'static str>| {
            let mut request = TestRequest::with_uri("/image").method(method);
            request = request.append_header(("host", host));
            if let Some(origin) = origin {
                request = request.append_header(("origin", origin));
            }
            match check(&request.to_http_request(), &policy) {
                Ok(()) => 200,
                Err(problem) => problem.status_code().as_u16(),
            }
        };
        let own = Some("https://photos.example");
        for host in ["photos.example", "127.0.0.1:8000", "localhost"] {
            assert_eq!(status(Method::GET, host, None), 200, "{host}");
            assert_eq!(status(Method::POST, host, own), 200, "{host}");
            assert_eq!(status(Method::POST, host, Some("http://evil.example")), 403);
        }
        // A name that resolves to this machine makes a foreign page same-origin.
        let rebound = status(
            Method::POST,
            "evil.example:8000",
            Some("http://evil.example:8000"),
        );
        assert_eq!(rebound, 403);
        assert_eq!(status(Method::GET, "192.168.1.7:8000", None), 403);
        let insecure = status(
            Method::POST,
            "photos.example",
            Some("http://photos.example"),
        );
        assert_eq!(insecure, 403);
    }

    #[test]
    fn a_health_check_names_no_host() {
        let request = TestRequest::with_uri("/readyz").to_http_request();
        assert!(check(&request, &HostPolicy::LoopbackNames).is_ok());
    }

    #[test]
    fn the_default_port_of_a_scheme_may_be_omitted() {
        let from =
            |host, origin| status(Method::DELETE, &[("host", host), ("origin", origin)], false);
        assert_eq!(from("board.example", "https://board.example"), 200);
        assert_eq!(from("board.example:443", "https://board.example"), 200);
        assert_eq!(from("board.example", "http://board.example:80"), 200);
        assert_eq!(from("board.example:80", "https://board.example"), 403);
    }

    #[test]
    fn without_an_origin_sec_fetch_site_decides() {
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
    fn a_socket_upgrade_is_checked_like_a_change_and_a_read_is_not() {
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
