//! The path below which a proxy publishes the server.

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::Uri;
use actix_web::http::uri::PathAndQuery;
use actix_web::middleware::Next;
use actix_web::web::Data;
use actix_web::{Error, HttpRequest};

use super::public_url::PublicUrl;

/// Middleware that strips the path of the public URL from the path of a request, for proxies that do not.
pub(crate) async fn strip_prefix(
    mut request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<impl MessageBody + 'static>, Error> {
    if let Some(uri) = stripped(request.request()) {
        request.match_info_mut().get_mut().update(&uri);
        request.head_mut().uri = uri;
    }
    next.call(request).await
}

fn stripped(request: &HttpRequest) -> Option<Uri> {
    let public = request.app_data::<Data<PublicUrl>>()?;
    let rest = request.uri().path_and_query()?.as_str();
    // With the slash at the end of the prefix.
    let rest = rest.strip_prefix(public.path().trim_end_matches('/'))?;
    if public.path() == "/" || !rest.starts_with('/') {
        return None;
    }
    let mut parts = request.uri().clone().into_parts();
    parts.path_and_query = Some(rest.parse::<PathAndQuery>().ok()?);
    Uri::from_parts(parts).ok()
}

/// The path below which clients reach the server, with a slash at both ends.
pub(crate) fn base_path(request: &HttpRequest) -> &str {
    let public = request.app_data::<Data<PublicUrl>>();
    public.map_or("/", |public| public.path())
}

/// Returns `true` if clients reach the server by HTTPS.
pub(crate) fn is_secure(request: &HttpRequest) -> bool {
    match request.app_data::<Data<PublicUrl>>() {
        Some(public) => public.is_secure(),
        None => request.connection_info().scheme() == "https",
    }
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    #[test]
    fn only_the_prefix_itself_is_stripped() {
        let stripped = |public: &str, uri: &str| {
            let public: PublicUrl = public.parse().unwrap();
            let request = TestRequest::with_uri(uri).app_data(Data::new(public));
            stripped(&request.to_http_request()).map(|uri| uri.to_string())
        };
        let party = "https://photos.example/party/";
        assert_eq!(
            stripped(party, "/party/images?limit=1").as_deref(),
            Some("/images?limit=1")
        );
        assert_eq!(stripped(party, "/party/").as_deref(), Some("/"));
        for other in ["/images", "/partyimages", "/party", "/"] {
            assert_eq!(stripped(party, other), None, "{other}");
        }
        assert_eq!(stripped("https://photos.example/", "/images"), None);
    }
}
