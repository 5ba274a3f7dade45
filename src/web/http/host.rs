//! The host that a request names.

use actix_web::HttpRequest;
use actix_web::http::{Version, header};

use super::problem::Problem;

/// Returns the `Host` header in lower case, or its equivalent of HTTP/2. An absolute request target must name the same
/// host.
pub(crate) fn requested_host(request: &HttpRequest) -> Result<String, Problem> {
    // RFC 9113, section 8.3.1: `:authority` takes the place of `Host`.
    if request.version() == Version::HTTP_2
        && !request.headers().contains_key(header::HOST)
        && let Some(authority) = request.uri().authority()
    {
        return Ok(authority.as_str().to_ascii_lowercase());
    }
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

/// Returns `true` for a `Host` that names this machine itself.
pub(crate) fn is_loopback_name(host: &str) -> bool {
    let name = without_port(host);
    matches!(name, "localhost" | "127.0.0.1" | "[::1]")
}

/// Strips a well-formed port.
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
