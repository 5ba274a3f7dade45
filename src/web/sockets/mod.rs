//! `GET /ws`: a viewer's session, with a changefeed of its own.

mod announcements;
mod commands;
mod feed;
mod follow;
mod outbox;
pub(crate) mod presence;
mod protocol;
mod session;

use std::collections::HashMap;

use actix_web::body::BoxBody;
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderValue};
use actix_web::web::{Data, Payload, Query};
use actix_web::{FromRequest as _, HttpRequest, HttpResponse};

pub(crate) use self::announcements::Announcements;
use self::feed::FeedKind;
use self::outbox::Outbox;
use self::protocol::client_messages::{ClientMessages, checked};
use self::session::Session;
use crate::web::http::connection::Connection;
use crate::web::http::problem::Problem;
use crate::web::state::State;

/// What the system may hold for a viewer; it takes twice as much. Small, so that a viewer who stopped reading shows soon and
/// costs little; large enough for 25 MB/s at 10 ms.
const SEND_BUFFER: usize = 128 << 10;

/// The handler: upgrades the connection and leaves it to a session.
pub(crate) async fn open(
    request: HttpRequest,
    payload: Payload,
    state: Data<State>,
) -> Result<HttpResponse, Problem> {
    let kind = requested_feed(request.query_string())?;
    if !request.headers().contains_key(header::UPGRADE) {
        return Err(Problem::new(
            StatusCode::UPGRADE_REQUIRED,
            "This address is for WebSockets.",
        )
        .with_header(header::UPGRADE, HeaderValue::from_static("websocket")));
    }
    let connection = request.conn_data::<Connection>().cloned();
    let connection =
        connection.ok_or_else(|| Problem::busy("The server cannot take another session now."))?;
    if state.shutdown.is_cancelled() {
        return Err(Problem::busy("The server is stopping."));
    }
    let malformed = |_| Problem::bad_request("The WebSocket handshake is malformed.");
    let (mut payload, refusal) = checked(payload.into_inner());
    let payload = Payload::from_request(&request, &mut payload);
    let (response, _, messages) =
        actix_ws::handle(&request, payload.await.map_err(malformed)?).map_err(malformed)?;
    let messages = ClientMessages::new(messages, refusal);
    let mut outbox = None;
    let response = response.map_body(|_, handshake| {
        let (sender, body) = Outbox::new(handshake);
        outbox = Some(sender);
        BoxBody::new(body)
    });
    let outbox = outbox.expect("map_body calls its function");
    connection.limit_send_buffer(SEND_BUFFER);
    actix_web::rt::spawn(Session::new(state, kind, outbox, messages, connection).run());
    Ok(response)
}

/// `?feed=board` or `?feed=latest`.
fn requested_feed(query: &str) -> Result<FeedKind, Problem> {
    let unreadable = |_| Problem::bad_request("The query cannot be read.");
    let query = Query::<HashMap<String, String>>::from_query(query).map_err(unreadable)?;
    match query.get("feed").map(String::as_str) {
        None | Some("board") => Ok(FeedKind::Board),
        Some("latest") => Ok(FeedKind::Latest),
        Some(_) => Err(Problem::bad_request("feed must be board or latest.")),
    }
}
