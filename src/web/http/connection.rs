//! Access to the TCP connection under a request.

use std::any::Any;
use std::net::Shutdown;
use std::rc::Rc;
#[cfg(any(target_os = "linux", target_os = "android"))]
use std::time::Duration;

use actix_tls::accept::rustls_0_23::TlsStream;
use actix_web::dev::Extensions;
use actix_web::rt::net::TcpStream;
use socket2::{SockRef, Socket};

/// The time after which the kernel ends a connection whose client takes none of the bytes that wait for it, or does not
/// acknowledge them. Nothing else ends the connection of a client that does not read a page or an error.
#[cfg(any(target_os = "linux", target_os = "android"))]
const UNREAD_LIMIT: Duration = Duration::from_secs(60);

/// The kernel's send buffer of a connection; Linux doubles it. It would grow to megabytes for a client that does not
/// read.
const SEND_BUFFER: usize = 256 << 10;

/// A duplicate handle of a connection's socket.
///
/// actix-web cannot end a connection while it waits to write to a client that does not read; this handle can. Drop it
/// soon after the connection has ended, because it keeps the file descriptor open.
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
        limit_unread(&socket);
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

/// Bounds what waits for a client that does not read, and for how long.
fn limit_unread(socket: &SockRef<'_>) {
    let limited = socket.set_send_buffer_size(SEND_BUFFER);
    #[cfg(any(target_os = "linux", target_os = "android"))]
    let limited = limited.and_then(|()| socket.set_tcp_user_timeout(Some(UNREAD_LIMIT)));
    if let Err(error) = limited {
        log::debug!("cannot limit what waits for a client: {error}");
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::net::{TcpListener, TcpStream};

    use super::*;

    #[test]
    fn what_waits_for_a_client_is_bounded() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let stream = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let socket = SockRef::from(&stream);
        limit_unread(&socket);
        assert_eq!(socket.tcp_user_timeout().unwrap(), Some(UNREAD_LIMIT));
        assert!(socket.send_buffer_size().unwrap() <= 2 * SEND_BUFFER);
    }
}
