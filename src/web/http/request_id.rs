//! The id of a request, by which its lines in the log are found.

use std::fmt;

use actix_web::Error;
use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::middleware::Next;
use futures::future::Either;

/// The header of a response that has the id.
const HEADER: HeaderName = HeaderName::from_static("x-request-id");

tokio::task_local! {
    static CURRENT: RequestId;
}

/// The id of a request. It is always made here: what a client sends could be anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RequestId(u64);

impl RequestId {
    /// The id of the request that the current task works for; `None` outside of requests.
    pub fn current() -> Option<Self> {
        CURRENT.try_with(|id| *id).ok()
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// Middleware that gives each request an id, and tells it in the response.
pub(crate) async fn identify(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<impl MessageBody + 'static>, Error> {
    let id = RequestId(rand::random());
    let mut response = CURRENT.scope(id, next.call(request)).await?;
    let value = HeaderValue::try_from(id.to_string()).expect("digits are a value");
    response.headers_mut().insert(HEADER, value);
    Ok(response)
}

/// A future that works for the same request as the current task, even when it is spawned.
pub(crate) fn inherited<F: Future>(
    id: Option<RequestId>,
    future: F,
) -> impl Future<Output = F::Output> {
    // Not an async function, which would keep room for the future twice.
    match id {
        Some(id) => Either::Left(CURRENT.scope(id, future)),
        None => Either::Right(future),
    }
}
