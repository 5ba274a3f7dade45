//! The closing handshake (RFC 6455, section 7).

use std::time::Duration;

use actix_ws::AggregatedMessage;
use tokio::time::timeout;

use super::outbox::Outbox;
use super::protocol::client_messages::ClientMessages;
use super::protocol::frame::{self, CloseCode};
use crate::web::http::connection::ConnectionHandle;

/// The time limit for each half of the handshake.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);

/// Sends a close frame and ends the connection.
pub(crate) async fn close(
    code: CloseCode,
    outbox: &Outbox,
    messages: ClientMessages,
    connection: &ConnectionHandle,
) {
    outbox.push(frame::close(code));
    let may_abort = match code {
        // The client has closed too, and may be waiting for the connection to end.
        CloseCode::Normal => true,
        CloseCode::Away | CloseCode::Unsupported | CloseCode::NoLink | CloseCode::NoBoard => {
            let _ = timeout(CLOSE_TIMEOUT, client_closes(messages, outbox)).await;
            true
        }
        // The client's bytes are unintelligible. The server drops them for a while, so that the close frame is not lost
        // in a reset connection.
        CloseCode::Protocol | CloseCode::Invalid | CloseCode::TooBig => false,
    };
    outbox.finish();
    let sent = timeout(CLOSE_TIMEOUT, outbox.disconnected()).await;
    if may_abort || sent.is_err() {
        connection.abort();
    }
}

/// Waits for the client's close frame or the end of the connection.
async fn client_closes(mut messages: ClientMessages, outbox: &Outbox) {
    loop {
        tokio::select! {
            () = outbox.disconnected() => return,
            message = messages.next() => match message {
                Ok(AggregatedMessage::Close(_)) | Err(_) => return,
                Ok(_) => {}
            }
        }
    }
}
