//! A proxy in front of the database that makes faults at random, but from a seed.

use std::collections::BTreeMap;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use socket2::SockRef;
use tokio::io::{
    AsyncBufRead, AsyncBufReadExt as _, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _,
    BufReader,
};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::sleep;

/// Of a thousand messages, those that are delayed, that stall half-way, and whose connection is closed or reset
/// half-way.
const DELAYED: u32 = 40;
const STALLED: u32 = 4;
const CLOSED: u32 = 3;
const RESET: u32 = 3;

/// The longest delay of a message.
const MAX_DELAY_MS: u64 = 250;

/// The longest stall. Longer than the time limit of a query, so some of them are given up meanwhile.
const MAX_STALL_MS: u64 = 14_000;

/// The longest time after which a connection is reset although it may be idle.
const MAX_LIFETIME_MS: u64 = 60_000;

/// The faults that the proxy causes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Weather {
    /// Forwards everything.
    Calm,
    /// Makes faults.
    Faulty,
    /// Forwards nothing on any connection, and closes none.
    Frozen,
}

/// Forwards connections to the database.
pub(super) struct FaultProxy {
    pub(super) address: SocketAddr,
    shared: Arc<Shared>,
}

struct Shared {
    target: String,
    seed: u64,
    weather: watch::Sender<Weather>,
    connections: AtomicU64,
    /// The number of faults of each kind.
    faults: Mutex<BTreeMap<&'static str, u64>>,
}

/// The fate of a message. Bytes are counted from its start.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Fault {
    Delay(Duration),
    /// The first bytes are forwarded, the others later.
    Stall(usize, Duration),
    /// The connection is closed after these bytes.
    Close(usize),
    /// The connection is reset after these bytes.
    Reset(usize),
}

/// The way in which a connection ends.
#[derive(Debug, Clone, Copy, PartialEq)]
enum End {
    Closed,
    Reset,
}

/// The messages in one direction: those of the handshake, and then the frames of queries or answers.
struct Messages {
    /// The bytes before the first message of the handshake: the number of the version, from the client.
    prefix: usize,
    /// The messages of the handshake still to come. Each ends with a zero byte.
    handshake: usize,
}

impl FaultProxy {
    /// Starts a calm proxy, on a thread of its own: the server stops after the runtime of the test.
    pub(super) fn start(target: String, seed: u64) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared {
            target,
            seed,
            weather: watch::Sender::new(Weather::Calm),
            connections: AtomicU64::new(0),
            faults: Mutex::default(),
        });
        let accepting = shared.clone();
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(async move {
                let listener = tokio::net::TcpListener::from_std(listener).unwrap();
                while let Ok((client, _)) = listener.accept().await {
                    tokio::spawn(accepting.clone().serve(client));
                }
            });
        });
        Self { address, shared }
    }

    pub(super) fn set_weather(&self, weather: Weather) {
        if weather == Weather::Frozen {
            self.shared.count("freezes of all connections");
        }
        self.shared.weather.send_replace(weather);
    }

    /// The number of faults of each kind so far.
    pub(super) fn faults(&self) -> BTreeMap<&'static str, u64> {
        self.shared.faults.lock().unwrap().clone()
    }
}

impl Shared {
    async fn serve(self: Arc<Self>, mut client: TcpStream) {
        let number = self.connections.fetch_add(1, Ordering::Relaxed);
        self.count("connections");
        let Ok(mut server) = TcpStream::connect(&self.target).await else {
            return;
        };
        let _ = client.set_nodelay(true);
        let _ = server.set_nodelay(true);
        // An error is an end that the other side made.
        let end = self.forward(number, &mut client, &mut server).await;
        if end.is_ok_and(|end| end == End::Reset) {
            for stream in [&client, &server] {
                let _ = SockRef::from(stream).set_linger(Some(Duration::ZERO));
            }
        }
    }

    /// Forwards both directions until the first end of one.
    async fn forward(
        &self,
        number: u64,
        client: &mut TcpStream,
        server: &mut TcpStream,
    ) -> io::Result<End> {
        let (from_client, to_client) = client.split();
        let (from_server, to_server) = server.split();
        let random = |stream| StdRng::seed_from_u64(self.seed ^ (number << 2 | stream));
        let queries = self.pump(
            BufReader::new(from_client),
            to_server,
            Messages::of_client(),
            random(0),
        );
        let answers = self.pump(
            BufReader::new(from_server),
            to_client,
            Messages::of_server(),
            random(1),
        );
        let lifetime = Duration::from_millis(random(2).random_range(0..MAX_LIFETIME_MS));
        tokio::select! {
            end = queries => end,
            end = answers => end,
            () = self.faulty_for(lifetime) => {
                self.count("resets at any time");
                Ok(End::Reset)
            }
        }
    }

    async fn pump(
        &self,
        mut from: impl AsyncBufRead + Unpin,
        mut to: impl AsyncWrite + Unpin,
        mut messages: Messages,
        mut random: StdRng,
    ) -> io::Result<End> {
        let mut weather = self.weather.subscribe();
        loop {
            let message = messages.next(&mut from).await?;
            if message.is_empty() {
                return Ok(End::Closed);
            }
            let _ = weather
                .wait_for(|weather| *weather != Weather::Frozen)
                .await;
            let fault = Fault::draw(&mut random, message.len());
            let mut sent = 0;
            if let Some(fault) = fault
                && *weather.borrow() == Weather::Faulty
            {
                self.count(fault.name());
                sent = fault.bytes_before();
                to.write_all(&message[..sent]).await?;
                match fault {
                    Fault::Delay(time) | Fault::Stall(_, time) => self.pause(time).await,
                    Fault::Close(_) => return Ok(End::Closed),
                    Fault::Reset(_) => return Ok(End::Reset),
                }
            }
            to.write_all(&message[sent..]).await?;
        }
    }

    /// Waits for this time, or until it is calm.
    async fn pause(&self, time: Duration) {
        let mut weather = self.weather.subscribe();
        tokio::select! {
            () = sleep(time) => {}
            _ = weather.wait_for(|weather| *weather == Weather::Calm) => {}
        }
    }

    /// Waits until the weather has not been calm for this time. Forever, if it stays calm.
    async fn faulty_for(&self, time: Duration) {
        let mut weather = self.weather.subscribe();
        loop {
            let _ = weather.wait_for(|weather| *weather != Weather::Calm).await;
            tokio::select! {
                () = sleep(time) => return,
                _ = weather.wait_for(|weather| *weather == Weather::Calm) => {}
            }
        }
    }

    fn count(&self, what: &'static str) {
        *self.faults.lock().unwrap().entry(what).or_default() += 1;
    }
}

impl Fault {
    /// Draws the fate of a message of this length, if it has any. Always draws as many numbers.
    fn draw(random: &mut StdRng, length: usize) -> Option<Self> {
        let kind = random.random_range(0..1000);
        let bytes = random.random_range(0..length);
        let delay = Duration::from_millis(random.random_range(1..MAX_DELAY_MS));
        let stall = Duration::from_millis(random.random_range(500..MAX_STALL_MS));
        let faults = [
            (DELAYED, Self::Delay(delay)),
            (STALLED, Self::Stall(bytes, stall)),
            (CLOSED, Self::Close(bytes)),
            (RESET, Self::Reset(bytes)),
        ];
        let mut limit = 0;
        faults.into_iter().find_map(|(share, fault)| {
            limit += share;
            (kind < limit).then_some(fault)
        })
    }

    /// The bytes of the message that are forwarded before the fault.
    fn bytes_before(self) -> usize {
        match self {
            Self::Delay(_) => 0,
            Self::Stall(bytes, _) | Self::Close(bytes) | Self::Reset(bytes) => bytes,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Delay(_) => "delays",
            Self::Stall(..) => "stalls in a message",
            Self::Close(_) => "cuts in a message",
            Self::Reset(_) => "resets in a message",
        }
    }
}

impl Messages {
    fn of_client() -> Self {
        Self {
            prefix: 4,
            handshake: 2,
        }
    }

    fn of_server() -> Self {
        Self {
            prefix: 0,
            handshake: 3,
        }
    }

    /// Reads the next message; empty at the end.
    async fn next(&mut self, from: &mut (impl AsyncBufRead + Unpin)) -> io::Result<Vec<u8>> {
        let mut message = Vec::new();
        if self.handshake > 0 {
            let prefix = std::mem::take(&mut self.prefix) as u64;
            (&mut *from).take(prefix).read_to_end(&mut message).await?;
            from.read_until(0, &mut message).await?;
            self.handshake -= 1;
            return Ok(message);
        }
        // The token, and the length of what follows.
        let header = (&mut *from).take(12).read_to_end(&mut message).await?;
        if let Some(length) = message.get(8..12) {
            let length = u32::from_le_bytes(length.try_into().unwrap()).into();
            from.take(length).read_to_end(&mut message).await?;
        } else if header > 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(message)
    }
}
