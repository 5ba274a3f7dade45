//! The TCP connection below a request.

use std::any::Any;
use std::net::Shutdown;
use std::rc::Rc;

use actix_web::dev::Extensions;
use actix_web::rt::net::TcpStream;
use socket2::{SockRef, Socket};

/// A second handle on a connection, through which it can be ended when the server waits to write and the client does not
/// read: actix-web has no other way. Drop it soon after the connection ended, for it keeps the socket open.
#[derive(Clone)]
pub(crate) struct Connection(Rc<Socket>);

impl Connection {
    /// For `HttpServer::on_connect`: keeps the handle with the connection.
    pub(crate) fn remember(io: &dyn Any, extensions: &mut Extensions) {
        let Some(stream) = io.downcast_ref::<TcpStream>() else {
            return;
        };
        let socket = SockRef::from(stream);
        // A small message must not wait for the answer to the one before it.
        let clone = socket
            .set_tcp_nodelay(true)
            .and_then(|()| socket.try_clone());
        match clone {
            Ok(socket) => drop(extensions.insert(Self(Rc::new(socket)))),
            Err(error) => log::warn!("a connection has no second handle: {error}"),
        }
    }

    /// Bounds what the system holds for this client; Linux takes twice as much for itself.
    pub(crate) fn limit_send_buffer(&self, bytes: usize) {
        if let Err(error) = self.0.set_send_buffer_size(bytes) {
            log::debug!("the send buffer keeps its size: {error}");
        }
    }

    /// Ends the connection now, whatever waits to be sent.
    pub(crate) fn cut(&self) {
        // It fails only if the connection has ended already.
        let _ = self.0.shutdown(Shutdown::Both);
    }
}
