//! JSON of links in answers, and of requests.

use actix_web::HttpRequest;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::image::{Timestamp, checked_name};
use crate::store::{Link, LinkId, Role, Token};
use crate::web::http::problem::Problem;

/// A link, without its secret.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct LinkJson<'a> {
    id: &'a LinkId,
    role: Role,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    created_at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<Timestamp>,
    /// The address with the secret, only in the answer that makes the link.
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<String>,
}

impl<'a> From<&'a Link> for LinkJson<'a> {
    fn from(link: &'a Link) -> Self {
        Self {
            id: &link.id,
            role: link.role,
            name: link.name.as_deref(),
            created_at: link.created_at,
            expires_at: link.expires_at,
            url: None,
        }
    }
}

impl<'a> LinkJson<'a> {
    /// The link with its address.
    pub(crate) fn with_url(link: &'a Link, token: &Token, request: &HttpRequest) -> Self {
        let base = crate::web::invite::base_url(request);
        Self {
            url: Some(format!("{base}join/{}", token.reveal())),
            ..Self::from(link)
        }
    }
}

/// Parses the JSON body of a request.
pub(crate) fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    let invalid = |error| Problem::bad_request(format!("The JSON is not as expected: {error}."));
    serde_json::from_slice(body).map_err(invalid)
}

/// Checks a title or the name of a link.
pub(crate) fn checked(
    field: &'static str,
    text: Option<String>,
) -> Result<Option<String>, Problem> {
    Ok(checked_name(field, text)?)
}
