//! A proxy in front of the database, whose connections can be counted and cut.

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::time::timeout;

use crate::helpers::WAIT_LIMIT;

/// Forwards connections to the database and counts the open ones.
pub(crate) struct Proxy {
    pub(crate) address: SocketAddr,
    shared: Arc<Shared>,
}

struct Shared {
    target: String,
    open: watch::Sender<usize>,
    is_up: watch::Sender<bool>,
}

impl Proxy {
    pub(crate) async fn new(target: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared {
            target,
            open: watch::Sender::new(0),
            is_up: watch::Sender::new(true),
        });
        let accepting = shared.clone();
        // On its own thread, because it must outlive the test's runtime: the server stops later.
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            let listener = listener.into_std().unwrap();
            runtime.block_on(async move {
                let listener = TcpListener::from_std(listener).unwrap();
                while let Ok((client, _)) = listener.accept().await {
                    tokio::spawn(forward(accepting.clone(), client));
                }
            });
        });
        Self { address, shared }
    }

    /// Closes all connections and accepts no new ones.
    pub(crate) fn cut(&self) {
        self.shared.is_up.send_replace(false);
    }

    /// Accepts connections again.
    pub(crate) fn mend(&self) {
        self.shared.is_up.send_replace(true);
    }

    /// The number of open connections.
    pub(crate) fn open(&self) -> usize {
        *self.shared.open.borrow()
    }

    /// Waits until `is_wanted` accepts the number of open connections.
    pub(crate) async fn until_open(&self, is_wanted: impl Fn(usize) -> bool) {
        let mut open = self.shared.open.subscribe();
        let waiting = open.wait_for(|&open| is_wanted(open));
        if timeout(WAIT_LIMIT, waiting).await.is_err() {
            panic!("{} connections to the database are open", self.open());
        }
    }
}

async fn forward(shared: Arc<Shared>, mut client: TcpStream) {
    let mut is_up = shared.is_up.subscribe();
    if !*is_up.borrow_and_update() {
        return;
    }
    shared.open.send_modify(|open| *open += 1);
    if let Ok(mut server) = TcpStream::connect(&shared.target).await {
        let _ = client.set_nodelay(true);
        let _ = server.set_nodelay(true);
        tokio::select! {
            _ = tokio::io::copy_bidirectional(&mut client, &mut server) => {}
            _ = is_up.wait_for(|is_up| !is_up) => {}
        }
    }
    shared.open.send_modify(|open| *open -= 1);
}
