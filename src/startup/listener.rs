//! The socket on which the web server listens.

use std::io;
use std::net::{SocketAddr, TcpListener};

use socket2::{Domain, Protocol, Socket, Type};

use super::error::StartupError;

/// Connections that may wait to be accepted, so that a thousand viewers can reconnect at once. The system may allow
/// fewer.
const BACKLOG: i32 = 4096;

/// Listens on an address.
///
/// # Errors
/// If it is in use, or not an address of this machine.
pub(super) fn listen(address: SocketAddr) -> Result<TcpListener, StartupError> {
    bind(address).map_err(|error| match error.kind() {
        io::ErrorKind::AddrInUse => StartupError::AddressInUse(address),
        _ => StartupError::Listen(address, error),
    })
}

fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(
        Domain::for_address(address),
        Type::STREAM,
        Some(Protocol::TCP),
    )?;
    // A server that is started again must not wait until the system has forgotten the old one's connections. (On
    // Windows the option would let two servers share the port.)
    #[cfg(unix)]
    socket.set_reuse_address(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_taken_port_is_told_from_a_foreign_address() {
        let taken = listen("127.0.0.1:0".parse().unwrap()).unwrap();
        let address = taken.local_addr().unwrap();
        assert!(matches!(
            listen(address),
            Err(StartupError::AddressInUse(found)) if found == address
        ));
        // An address of no machine (RFC 5737).
        let foreign = listen("192.0.2.1:0".parse().unwrap());
        assert!(matches!(foreign, Err(StartupError::Listen(..))));
    }
}
