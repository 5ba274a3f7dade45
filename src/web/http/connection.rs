//! Access to the TCP connection under a request.

use std::any::Any;
use std::net::Shutdown;
use std::rc::Rc;

use actix_tls::accept::rustls_0_23::TlsStream;
use actix_web::dev::Extensions;
use actix_web::rt::net::TcpStream;
use socket2::{SockRef, Socket};

/// A duplicate handle of a connection's socket.
///
/// actix-web cannot end a connection while it waits to write to a client that does not read; this handle can. Drop it soon
/// after the connection has ended, because it keeps the file descriptor open.
#[derive(Clone)]
pub(crate) struct ConnectionHandle(Rc<Socket>);

impl ConnectionHandle {
    /// A hook for `HttpServer::on_connect` that stores a handle with each connection and enables `TCP_NODELAY`.
    pub(crate) fn attach(io: &dyn Any, extensions: &mut Extensions) {
        let plain = io.downcast_ref::<TcpStream>();
        let encrypted = io.downcast_ref::<TlsStream<TcpStream>>();
        let Some(stream) = plain.or_else(|| encrypted.map(|stream| stream.get_ref().0)) else {
            return;
        };
        let socket = SockRef::from(stream);
        // Nagle's algorithm would hold back a small event until the previous one is acknowledged.
        let duplicate = socket
            .set_tcp_nodelay(true)
            .and_then(|()| socket.try_clone());
        match duplicate {
            Ok(socket) => drop(extensions.insert(Self(Rc::new(socket)))),
            Err(error) => log::warn!("cannot duplicate the handle of a connection: {error}"),
        }
    }

    /// Sets the size of the kernel's send buffer; Linux doubles it.
    pub(crate) fn limit_send_buffer(&self, bytes: usize) {
        if let Err(error) = self.0.set_send_buffer_size(bytes) {
            log::debug!("cannot set the size of a send buffer: {error}");
        }
    }

    /// Ends the connection at once and discards unsent bytes.
    pub(crate) fn abort(&self) {
        // Fails only if the connection has already ended.
        let _ = self.0.shutdown(Shutdown::Both);
    }
}
