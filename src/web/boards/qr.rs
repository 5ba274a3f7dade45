//! `POST /qr`: the QR code of a link. The address is in the body, so that the secret reaches no log.

use actix_web::HttpRequest;
use actix_web::HttpResponse;
use actix_web::web::Bytes;
use serde::Deserialize;

use super::body::parse;
use crate::web::http::problem::Problem;
use crate::web::invite;

/// The handler. Draws only addresses of this server: otherwise other addresses could be passed off as its own.
pub(crate) async fn draw(request: HttpRequest, body: Bytes) -> Result<HttpResponse, Problem> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Code {
        text: String,
    }
    let Code { text } = parse(&body)?;
    if !text.starts_with(&invite::base_url(&request)) {
        return Err(Problem::bad_request(
            "text must be an address of this server.",
        ));
    }
    invite::qr_code_of(&text)
}
