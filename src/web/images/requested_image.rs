//! The image that a path names.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};

use crate::image::ImageId;
use crate::web::http::problem::Problem;

/// An extractor for the `{id}` of a path. A malformed id is answered with 404, like an unknown one.
pub(crate) struct RequestedImage(pub(crate) ImageId);

impl FromRequest for RequestedImage {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let id = request.match_info().query("id").parse();
        ready(id.map(Self).map_err(|_| Problem::no_such_image()))
    }
}
