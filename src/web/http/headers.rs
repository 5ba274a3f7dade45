//! Security and caching headers.

use actix_web::http::header;
use actix_web::middleware::DefaultHeaders;

/// Content Security Policy of the pages: their own origin only, and `blob:` previews of files before they are uploaded.
/// `connect-src` allows other sites, since the page itself fetches a photo that is dragged over from one.
pub(crate) const PAGE_POLICY: &str = "default-src 'self'; connect-src 'self' http: https: data: blob:; \
     img-src 'self' blob: data:; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

/// Content Security Policy of all other responses: nothing loads or runs, should a browser show one as a page.
const STRICT_POLICY: &str =
    "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; sandbox";

/// `Cache-Control` of an image and its thumbnail, whose bytes never change. `private`, because access to a board is not for
/// a shared cache to grant.
pub(crate) const IMMUTABLE: &str = "private, max-age=31536000, immutable";

/// Features of the browser that the pages do not use.
const PERMISSIONS: &str = "camera=(), geolocation=(), microphone=(), payment=(), usb=()";

/// Browsers use HTTPS for a year after they have seen this.
const STRICT_TRANSPORT: &str = "max-age=31536000";

/// Middleware that adds the security headers to every response that has none of its own.
pub(crate) fn security_headers(is_secure: bool) -> DefaultHeaders {
    let headers = DefaultHeaders::new();
    let headers = if is_secure {
        headers.add((header::STRICT_TRANSPORT_SECURITY, STRICT_TRANSPORT))
    } else {
        headers
    };
    headers
        .add((header::PERMISSIONS_POLICY, PERMISSIONS))
        .add((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .add((header::REFERRER_POLICY, "no-referrer"))
        .add((header::CROSS_ORIGIN_RESOURCE_POLICY, "same-origin"))
        .add((header::CONTENT_SECURITY_POLICY, STRICT_POLICY))
}
