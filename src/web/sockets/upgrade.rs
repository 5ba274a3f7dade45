//! `GET /ws`: upgrades a connection and starts its session.

use std::collections::HashMap;

use actix_web::body::BoxBody;
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderValue};
use actix_web::web::{Data, Payload, Query};
use actix_web::{FromRequest as _, HttpRequest, HttpResponse};

use super::initial_batches::BatchOptions;
use super::outbox::Outbox;
use super::protocol::client_messages::{ClientMessages, scanned};
use super::protocol::deflate;
use super::session::Session;
use super::session_access::SessionAccess;
use super::session_context::SessionContext;
use super::viewer_feed::FeedKind;
use crate::store::Area;
use crate::web::access::credentials::Credentials;
use crate::web::access::grant::Grant;
use crate::web::http::client_address::ClientAddress;
use crate::web::http::connection::ConnectionHandle;
use crate::web::http::problem::Problem;
use crate::web::http::request_id::{RequestId, inherited};

/// The kernel's send buffer for a session; Linux doubles it. Small, so that a viewer that stops reading is noticed soon
/// and costs little memory; large enough for 25 MB/s at a round-trip time of 10 ms.
const SEND_BUFFER: usize = 128 << 10;

/// The handler.
pub(crate) async fn open(
    request: HttpRequest,
    payload: Payload,
    grant: Grant,
    credentials: Credentials,
    context: Data<SessionContext>,
) -> Result<HttpResponse, Problem> {
    let is_compressed = offers_compression(&request);
    let kind = requested_feed(request.query_string(), is_compressed)?;
    if !request.headers().contains_key(header::UPGRADE) {
        let problem = Problem::new(
            StatusCode::UPGRADE_REQUIRED,
            "This address is for WebSockets.",
        );
        return Err(problem.with_header(header::UPGRADE, HeaderValue::from_static("websocket")));
    }
    let connection = request.conn_data::<ConnectionHandle>().cloned();
    let connection =
        connection.ok_or_else(|| Problem::busy("The server cannot open another session now."))?;
    if context.shutdown.is_cancelled() {
        return Err(Problem::busy("The server is shutting down."));
    }
    let client = ClientAddress::of(&request);
    let place = context.limits.open(client, &grant)?;
    let malformed = |_| Problem::bad_request("The WebSocket handshake is malformed.");
    let (mut payload, scan_result) = scanned(payload.into_inner(), is_compressed);
    let payload = Payload::from_request(&request, &mut payload);
    let (mut response, _, messages) =
        actix_ws::handle(&request, payload.await.map_err(malformed)?).map_err(malformed)?;
    if is_compressed {
        let accepted = HeaderValue::from_static(deflate::ACCEPTED);
        let headers = response.headers_mut();
        headers.insert(header::SEC_WEBSOCKET_EXTENSIONS, accepted);
    }
    let messages = ClientMessages::new(messages, scan_result);
    let mut outbox = None;
    let response = response.map_body(|_, handshake| {
        let (sender, body) = Outbox::new(handshake, context.metrics.queue_time.clone());
        outbox = Some(sender);
        BoxBody::new(body)
    });
    let outbox = outbox.expect("map_body calls its function");
    connection.limit_send_buffer(SEND_BUFFER);
    let access = SessionAccess::new(context.access.clone(), credentials, grant);
    let session = Session::new(
        context.clone().into_inner(),
        kind,
        access,
        outbox,
        messages,
        connection,
        context.limits.throttle(client),
    );
    let running = Box::new(session).run(place);
    actix_web::rt::spawn(inherited(RequestId::current(), running));
    Ok(response)
}

/// Parses `?feed=board` with `batch=1` and `around=x,y,w,h`, or `?feed=latest`.
fn requested_feed(query: &str, is_compressed: bool) -> Result<FeedKind, Problem> {
    let unreadable = |_| Problem::bad_request("The query cannot be read.");
    let query = Query::<HashMap<String, String>>::from_query(query).map_err(unreadable)?;
    match query.get("feed").map(String::as_str) {
        None | Some("board") => {
            let around = query
                .get("around")
                .map(|area| parse_area(area))
                .transpose()?;
            Ok(match query.get("batch").map(String::as_str) {
                None | Some("0") => FeedKind::Board,
                Some("1") => FeedKind::BatchedBoard(BatchOptions {
                    around,
                    is_compressed,
                }),
                Some(_) => return Err(Problem::bad_request("batch must be 0 or 1.")),
            })
        }
        Some("latest") => Ok(FeedKind::Latest),
        Some(_) => Err(Problem::bad_request("feed must be board or latest.")),
    }
}

fn parse_area(text: &str) -> Result<Area, Problem> {
    let numbers: Option<Vec<f64>> = text.split(',').map(|number| number.parse().ok()).collect();
    match numbers.as_deref() {
        Some(&[x, y, w, h]) if [x, y, w, h].iter().all(|number| number.is_finite()) => {
            Ok(Area { x, y, w, h })
        }
        _ => Err(Problem::bad_request(
            "around must be four numbers: x,y,w,h.",
        )),
    }
}

/// Returns `true` if the client understands compressed messages.
fn offers_compression(request: &HttpRequest) -> bool {
    let offers = request.headers().get_all(header::SEC_WEBSOCKET_EXTENSIONS);
    let mut offers = offers.filter_map(|offer| offer.to_str().ok());
    offers.any(deflate::is_acceptable)
}
