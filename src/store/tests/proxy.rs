//! A proxy between store and database that fails on demand.

use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;

/// Forwards connections to one address. Connections stay open when it is dropped.
pub(super) struct Proxy {
    pub(super) address: SocketAddr,
    state: Arc<State>,
}

struct State {
    target: SocketAddr,
    open: AtomicUsize,
    closed: Notify,
    /// Once cancelled, nothing is forwarded any more on the connections that were open. Replaced then.
    stalled: Mutex<CancellationToken>,
    /// Once cancelled, nothing is forwarded and nothing closed, as if a cable had been pulled.
    frozen: CancellationToken,
    /// The answer to the next query of more bytes than this is dropped, and its connection closed.
    lose_answer_to: AtomicUsize,
    lost: AtomicBool,
    /// While set, queries are taken and not forwarded.
    are_queries_held: watch::Sender<bool>,
}

impl Proxy {
    pub(super) async fn new(target: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::new(State {
            target,
            open: AtomicUsize::new(0),
            closed: Notify::new(),
            stalled: Mutex::default(),
            frozen: CancellationToken::new(),
            lose_answer_to: AtomicUsize::new(usize::MAX),
            lost: AtomicBool::new(false),
            are_queries_held: watch::Sender::new(false),
        });
        let accepting = state.clone();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(accepting.clone().serve(client));
            }
        });
        Self { address, state }
    }

    /// Stops to forward on the connections that are open, and closes none.
    pub(super) fn stall_open_connections(&self) {
        std::mem::take(&mut *self.state.stalled.lock().unwrap()).cancel();
    }

    pub(super) fn freeze(&self) {
        self.state.frozen.cancel();
    }

    /// Drops the answer to the next query of more than `bytes`, and closes its connection.
    pub(super) fn lose_answer_to(&self, bytes: usize) {
        self.state.lose_answer_to.store(bytes, Ordering::SeqCst);
    }

    pub(super) fn lost_an_answer(&self) -> bool {
        self.state.lost.load(Ordering::SeqCst)
    }

    /// Takes queries without forwarding them, or forwards what it has taken, also if its sender has gone.
    pub(super) fn hold_queries(&self, are_held: bool) {
        self.state.are_queries_held.send_replace(are_held);
    }

    pub(super) fn open(&self) -> usize {
        self.state.open.load(Ordering::SeqCst)
    }

    /// Waits until at most `limit` connections are open.
    pub(super) async fn until_open_at_most(&self, limit: usize) {
        loop {
            let closed = self.state.closed.notified();
            if self.open() <= limit {
                return;
            }
            closed.await;
        }
    }
}

impl State {
    async fn serve(self: Arc<Self>, client: TcpStream) {
        self.open.fetch_add(1, Ordering::SeqCst);
        if self.frozen.is_cancelled() {
            std::future::pending::<()>().await;
        }
        let server = TcpStream::connect(self.target).await.unwrap();
        // When either side closes, both are closed.
        let _ = self.forward(client, server).await;
        self.open.fetch_sub(1, Ordering::SeqCst);
        self.closed.notify_waiters();
    }

    async fn forward(&self, mut client: TcpStream, mut server: TcpStream) -> io::Result<()> {
        let mut to_server = vec![0; 1 << 16];
        let mut to_client = vec![0; 1 << 16];
        let stalled = self.stalled.lock().unwrap().clone();
        let mut held = self.are_queries_held.subscribe();
        let mut was_held = false;
        let mut query = 0;
        loop {
            tokio::select! {
                () = self.frozen.cancelled() => std::future::pending::<()>().await,
                () = stalled.cancelled() => std::future::pending::<()>().await,
                read = client.read(&mut to_server) => {
                    let read = read?;
                    if read == 0 {
                        if was_held {
                            // The server learns only then that nobody waits for its answer.
                            server.read(&mut to_client).await?;
                        }
                        return Ok(());
                    }
                    was_held = *held.borrow_and_update();
                    let _ = held.wait_for(|are_held| !are_held).await;
                    query += read;
                    server.write_all(&to_server[..read]).await?;
                }
                read = server.read(&mut to_client) => {
                    let read = read?;
                    let armed = &self.lose_answer_to;
                    if query > armed.load(Ordering::SeqCst) {
                        armed.store(usize::MAX, Ordering::SeqCst);
                        self.lost.store(true, Ordering::SeqCst);
                        return Ok(());
                    }
                    if read == 0 {
                        return Ok(());
                    }
                    query = 0;
                    client.write_all(&to_client[..read]).await?;
                }
            }
        }
    }
}
