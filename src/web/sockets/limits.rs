//! Limits on the sockets of a client and on their commands.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use prometheus_client::metrics::counter::Counter;

use super::commands::command::Command;
use crate::web::access::grant::Grant;
use crate::web::http::client_address::ClientAddress;
use crate::web::http::limiter::{Limiter, OwnLimiter, Rate, Refusals};
use crate::web::http::problem::Problem;

/// The sockets that a client may open: all phones of a hall behind one address, when the server has been restarted.
const OPENINGS: Rate = Rate {
    burst: 1000,
    per_second: 20,
};

/// The sockets that a client may have open.
const MAX_OPEN: usize = 2000;

/// The commands of a session. A page sends thirty moves a second while something is dragged, a script more.
const COMMANDS: Rate = Rate {
    burst: 600,
    per_second: 600,
};

/// The commands of all sessions of a client: thirty phones behind one address, on all of which something is dragged.
const COMMANDS_OF_CLIENT: Rate = Rate {
    burst: 1000,
    per_second: 1000,
};

/// The reservations of a session, which cost more: a folder of 300 photos is not delayed.
const RESERVATIONS: Rate = Rate {
    burst: 300,
    per_second: 40,
};

/// The reservations of all sessions of a client: thirty phones behind one address, each with twenty photos.
const RESERVATIONS_OF_CLIENT: Rate = Rate {
    burst: 600,
    per_second: 120,
};

/// The limits of all sockets. Shared by all sessions.
pub(crate) struct SocketLimits {
    openings: Limiter<IpAddr>,
    open: Arc<OpenSockets>,
    commands: Arc<Limiter<IpAddr>>,
    reservations: Arc<Limiter<IpAddr>>,
    own_refusals: Counter,
    open_refusals: Counter,
}

/// The number of open sockets of each client.
type OpenSockets = Mutex<HashMap<IpAddr, usize>>;

/// An open socket. Dropping it makes room for another.
#[must_use]
pub(crate) struct OpenSocket {
    client: IpAddr,
    open: Arc<OpenSockets>,
}

impl SocketLimits {
    pub(crate) fn new(refusals: &Refusals) -> Self {
        let commands = refusals.of("commands_of_client");
        Self {
            openings: Limiter::new(OPENINGS, refusals.of("socket_openings")),
            open: Arc::default(),
            commands: Arc::new(Limiter::new(COMMANDS_OF_CLIENT, commands.clone())),
            reservations: Arc::new(Limiter::new(RESERVATIONS_OF_CLIENT, commands)),
            own_refusals: refusals.of("commands_of_session"),
            open_refusals: refusals.of("open_sockets"),
        }
    }

    /// Counts a socket that a client opens, until it is closed. Those of an administrator on this machine do not count.
    ///
    /// # Errors
    ///
    /// 429 if the client has opened too many.
    pub(crate) fn open(
        &self,
        client: ClientAddress,
        grant: &Grant,
    ) -> Result<Option<OpenSocket>, Problem> {
        if grant.is_local_admin(client) {
            return Ok(None);
        }
        let refuse = |wait: Duration| {
            log::info!("refused a socket to {client}: it opens too many");
            Problem::too_many("Too many pages are open at your address.", wait)
        };
        let network = client.network();
        self.openings.take(&network).map_err(refuse)?;
        let mut open = lock(&self.open);
        let count = open.entry(network).or_default();
        if *count >= MAX_OPEN {
            self.open_refusals.inc();
            return Err(refuse(Duration::from_secs(10)));
        }
        *count += 1;
        drop(open);
        Ok(Some(OpenSocket {
            client: network,
            open: self.open.clone(),
        }))
    }

    /// The throttle of a new session of a client.
    pub(crate) fn throttle(&self, client: ClientAddress) -> CommandThrottle {
        CommandThrottle {
            client: client.network(),
            own_commands: OwnLimiter::new(COMMANDS, self.own_refusals.clone()),
            own_reservations: OwnLimiter::new(RESERVATIONS, self.own_refusals.clone()),
            commands: self.commands.clone(),
            reservations: self.reservations.clone(),
        }
    }
}

impl Drop for OpenSocket {
    fn drop(&mut self) {
        if let Entry::Occupied(mut count) = lock(&self.open).entry(self.client) {
            *count.get_mut() -= 1;
            if *count.get() == 0 {
                count.remove();
            }
        }
    }
}

fn lock(open: &OpenSockets) -> MutexGuard<'_, HashMap<IpAddr, usize>> {
    open.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Delays the commands of a session that sends too many, on this machine too: nobody may slow the others.
pub(crate) struct CommandThrottle {
    client: IpAddr,
    own_commands: OwnLimiter,
    own_reservations: OwnLimiter,
    commands: Arc<Limiter<IpAddr>>,
    reservations: Arc<Limiter<IpAddr>>,
}

impl CommandThrottle {
    /// Counts a command that is about to be executed.
    ///
    /// # Errors
    ///
    /// If it must wait. It has to be counted again then.
    pub(crate) fn take(&self, command: Option<&Command>) -> Result<(), Duration> {
        // Announcing needs no reservation, but all viewers are told.
        if let Some(Command::ReserveUpload(..) | Command::BeginUpload(_)) = command {
            self.own_reservations.take()?;
            self.reservations.take(&self.client)
        } else {
            self.own_commands.take()?;
            self.commands.take(&self.client)
        }
    }
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    fn client(number: u8) -> ClientAddress {
        let peer = format!("192.0.2.{number}:1").parse().unwrap();
        ClientAddress::of(&TestRequest::default().peer_addr(peer).to_http_request())
    }

    #[test]
    fn a_session_with_too_many_commands_must_wait_and_others_need_not() {
        let limits = SocketLimits::new(&Refusals::default());
        let (busy, other) = (limits.throttle(client(1)), limits.throttle(client(2)));
        let taken = (0..100_000).map(|_| busy.take(None));
        let taken = taken.take_while(Result::is_ok).count();
        assert!((600..100_000).contains(&taken), "{taken}");
        assert_eq!(other.take(None), Ok(()));
    }
}
