//! Security and caching headers.

use actix_web::HttpRequest;
use actix_web::http::header::{self, HeaderValue};
use actix_web::middleware::DefaultHeaders;
use actix_web::web::{Data, ServiceConfig};

use super::embedding::EmbeddingOrigin;

/// Content Security Policy of all responses but pages and images: nothing loads or runs, should a browser show one as a
/// page.
const STRICT_POLICY: &str = "default-src 'none'; frame-ancestors 'none'; sandbox";

/// Content Security Policy of an image. The browser's own page around an image that is opened in a tab has inline
/// styles.
pub(crate) const IMAGE_POLICY: &str =
    "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; sandbox";

/// `Cache-Control` of an image and its thumbnail, whose bytes never change. `private`, because a shared cache would
/// give it to clients without access to the board.
pub(crate) const IMMUTABLE: &str = "private, max-age=31536000, immutable";

/// Features of the browser that the pages do not use.
const PERMISSIONS: &str = "accelerometer=(), browsing-topics=(), camera=(), display-capture=(), \
     geolocation=(), gyroscope=(), hid=(), magnetometer=(), microphone=(), midi=(), payment=(), serial=(), usb=()";

/// Browsers use HTTPS for a year after they have seen this.
const STRICT_TRANSPORT: &str = "max-age=31536000";

/// The servers that a page or one of its files can reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PageKind {
    /// It takes images that are dragged over from other sites, which it fetches itself.
    TakesImages,
    /// It can reach only this server.
    Other,
}

/// The Content Security Policies of the pages: their own origin only, and `blob:` previews of files before they are
/// uploaded.
#[derive(Debug, Clone)]
pub(crate) struct PagePolicies {
    takes_images: HeaderValue,
    other: HeaderValue,
}

impl PagePolicies {
    /// `is_secure` is for pages that browsers reach by HTTPS; `embedding` names the sites that may show pages in a
    /// frame.
    pub(crate) fn new(is_secure: bool, embedding: &[EmbeddingOrigin]) -> Self {
        // Browsers do not let an HTTPS page fetch over HTTP.
        let http = if is_secure { "" } else { " http:" };
        let takes_images = format!("connect-src 'self'{http} https: data: blob:; ");
        let ancestors: Vec<String> = embedding.iter().map(ToString::to_string).collect();
        let ancestors = match ancestors.is_empty() {
            true => "'none'".to_owned(),
            false => format!("'self' {}", ancestors.join(" ")),
        };
        let policy = |connect: &str| {
            let policy = format!(
                "default-src 'self'; {connect}img-src 'self' blob: data:; object-src 'none'; base-uri 'none'; \
                 form-action 'self'; frame-ancestors {ancestors}"
            );
            HeaderValue::try_from(policy).expect("origins are ASCII")
        };
        Self {
            takes_images: policy(&takes_images),
            other: policy(""),
        }
    }

    /// The policy of a page or one of its files.
    pub(crate) fn of(request: &HttpRequest, kind: PageKind) -> HeaderValue {
        let policies = request.app_data::<Data<Self>>();
        match (policies, kind) {
            (Some(policies), PageKind::TakesImages) => policies.takes_images.clone(),
            (Some(policies), PageKind::Other) => policies.other.clone(),
            // The strict policy if the app is not configured.
            (None, _) => HeaderValue::from_static(STRICT_POLICY),
        }
    }
}

/// Returns the configuration that gives the pages their policies.
pub(crate) fn configuration(policies: PagePolicies) -> impl Fn(&mut ServiceConfig) + Clone {
    let policies = Data::new(policies);
    move |config| {
        config.app_data(policies.clone());
    }
}

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
