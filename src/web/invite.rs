//! `GET /invite` and `GET /invite/qr.svg`: the address with which others can open the board.

use std::net::{IpAddr, SocketAddr};

use actix_web::http::header;
use actix_web::web::{Data, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use qrcode::QrCode;
use qrcode::render::svg;
use serde::Serialize;

use super::access::Access;
use super::access::action::Action;
use super::access::grant::Grant;
use super::access::join::board_path;
use super::http::host::{is_loopback_name, requested_host};
use super::http::prefix::is_secure;
use super::http::problem::Problem;
use super::http::public_url::PublicUrl;

/// The smallest side of the QR code in CSS pixels. It is a vector graphic, which pages scale.
const SIDE: u32 = 256;

/// The URL of this server in the network, if it listens there.
pub(crate) struct NetworkAddress(Option<String>);

/// Returns the configuration that gives the handlers the URL of this server in the network.
pub(crate) fn configuration(address: Option<String>) -> impl Fn(&mut ServiceConfig) + Clone {
    let address = Data::new(NetworkAddress(address));
    move |config| {
        config.app_data(address.clone());
    }
}

/// `GET /invite`: `{"url"}`, or `{}` if there is none that the caller may share.
pub(crate) async fn show(
    request: HttpRequest,
    grant: Grant,
    access: Data<Access>,
    network: Data<NetworkAddress>,
) -> HttpResponse {
    #[derive(Serialize)]
    struct Body {
        #[serde(skip_serializing_if = "Option::is_none")]
        url: Option<String>,
    }
    HttpResponse::Ok()
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .json(Body {
            url: board_url(&request, &grant, &access, &network),
        })
}

/// `GET /invite/qr.svg`: the URL as a QR code.
pub(crate) async fn qr_code(
    request: HttpRequest,
    grant: Grant,
    access: Data<Access>,
    network: Data<NetworkAddress>,
) -> Result<HttpResponse, Problem> {
    let url = board_url(&request, &grant, &access, &network)
        .ok_or_else(|| Problem::not_found("There is no address to share."))?;
    qr_code_of(&url)
}

/// Draws an address as a QR code.
pub(crate) fn qr_code_of(url: &str) -> Result<HttpResponse, Problem> {
    let code = QrCode::new(url).map_err(|_| Problem::bad_request("The address is too long."))?;
    let image = code
        .render::<svg::Color<'_>>()
        .min_dimensions(SIDE, SIDE)
        .build();
    Ok(HttpResponse::Ok()
        .insert_header((header::CONTENT_TYPE, "image/svg+xml"))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .body(image))
}

/// The URL with which others can open the board. Where links are needed, it is that of the link for guests, and only
/// callers who may do at least as much get it.
fn board_url(
    request: &HttpRequest,
    grant: &Grant,
    access: &Access,
    network: &NetworkAddress,
) -> Option<String> {
    let base = url(request, network)?;
    if access.policy.is_open() {
        return Some(base + &board_path(grant.board.id));
    }
    let token = access.policy.guest()?;
    let is_valid = access
        .directory
        .link(grant.board.id, &token.hash())
        .is_some();
    let may_share = is_valid && grant.permits(Action::Add);
    may_share.then(|| format!("{base}join/{}", token.reveal()))
}

/// The URL of this server, as others can open it if they can at all. Ends with a slash.
pub(crate) fn base_url(request: &HttpRequest) -> String {
    let network = request.app_data::<Data<NetworkAddress>>();
    let shared = network.and_then(|network| url(request, network));
    shared.unwrap_or_else(|| {
        let host = requested_host(request).unwrap_or_default();
        let scheme = if is_secure(request) { "https" } else { "http" };
        format!("{scheme}://{host}/")
    })
}

/// The public URL, or else the one that the request came to, unless that is a loopback address, which other devices
/// cannot use.
fn url(request: &HttpRequest, network: &NetworkAddress) -> Option<String> {
    if let Some(public) = request.app_data::<Data<PublicUrl>>() {
        return Some(public.to_string());
    }
    let host = requested_host(request).ok()?;
    if is_loopback_name(&host) || is_meaningless_elsewhere(&host) {
        return network.0.clone();
    }
    let scheme = if is_secure(request) { "https" } else { "http" };
    Some(format!("{scheme}://{host}/"))
}

/// Returns `true` for an IP address with which only this machine reaches itself.
fn is_meaningless_elsewhere(host: &str) -> bool {
    let ip = match host.parse::<SocketAddr>() {
        Ok(address) => Some(address.ip()),
        Err(_) => host.trim_matches(['[', ']']).parse::<IpAddr>().ok(),
    };
    ip.is_some_and(|ip| ip.is_unspecified() || ip.to_canonical().is_loopback())
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    fn url_for(host: &'static str, network: Option<&str>) -> Option<String> {
        let request = TestRequest::default()
            .insert_header((header::HOST, host))
            .to_http_request();
        url(&request, &NetworkAddress(network.map(str::to_owned)))
    }

    #[test]
    fn a_page_on_loopback_invites_to_the_address_in_the_network() {
        let lan = "http://192.168.1.7:8000/";
        for host in [
            "LOCALHOST:8000",
            "127.0.0.1:8000",
            "[::1]:8000",
            "0.0.0.0:8000",
            "127.0.0.2",
            "[::ffff:127.0.0.1]:80",
        ] {
            assert_eq!(url_for(host, Some(lan)).as_deref(), Some(lan));
            assert_eq!(url_for(host, None), None);
        }
        let named = url_for("photos.local:8000", Some(lan));
        assert_eq!(named.as_deref(), Some("http://photos.local:8000/"));
    }
}
