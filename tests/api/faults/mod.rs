//! A connection to the database that fails in every way, while clients work on one board.
//!
//! `scripts/faults.sh` runs the same for longer. The environment variables `FAULTS_SECONDS`, `FAULTS_CLIENTS` and
//! `FAULTS_SEED` set what it names.

mod client;
mod history;
mod proxy;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use realtime_photo::config::Database;
use realtime_photo::store::Address;
use serde_json::Value;
use tokio::time::{Instant, sleep, sleep_until};

use self::client::FaultClient;
use self::history::History;
use self::proxy::{FaultProxy, Weather};
use crate::files::sized;
use crate::helpers::{TestApp, spawn_beside, spawn_with_options};

/// Time without a setting. With the time to settle it is about a minute.
const SECONDS: u64 = 45;

const CLIENTS: u64 = 8;

/// Time in which every view must become that of the database once the faults have ended.
const SETTLE_LIMIT: Duration = Duration::from_secs(60);

#[tokio::test(flavor = "multi_thread")]
async fn views_and_database_agree_after_the_connection_has_failed_in_every_way() {
    let seconds = setting("FAULTS_SECONDS", SECONDS);
    let seed = setting("FAULTS_SEED", rand::random());
    println!("FAULTS_SEED={seed}, for {seconds} seconds");
    let (app, proxy) = spawn_behind_faults(seed).await;
    let history = History::default();
    let clients = (0..setting("FAULTS_CLIENTS", CLIENTS)).map(|number| {
        let seed = seed.wrapping_add(number);
        FaultClient::connect(app.address, seed, history.clone())
    });
    let clients = join_all(clients).await;

    let end = Instant::now() + Duration::from_secs(seconds);
    let working = clients.into_iter().map(|mut client| {
        tokio::spawn(async move {
            client.work(end).await;
            client
        })
    });
    let working: Vec<_> = working.collect();
    make_weather(&proxy, seed, end).await;
    let clients = join_all(working).await.into_iter().map(Result::unwrap);
    let mut clients: Vec<FaultClient> = clients.collect();

    // Without the proxy, and without anything that the first server remembers.
    let other = spawn_beside(&app, |_| {}).await;
    let images = settle(&mut clients, &app, other).await;
    let contradictions = history.contradictions(&images);
    assert!(contradictions.is_empty(), "{contradictions:#?}");
    for id in images.keys() {
        let file = app.client.get(format!("http://{other}/image/{id}"));
        let file = file.send().await.unwrap().bytes().await.unwrap();
        let (length, seed) = history.file(id);
        assert!(file == sized(length, seed), "{id} has other bytes");
    }
    report(&history, &clients, &proxy, images.len());
    assert!(history.uploads() > 0 && history.writes() > 0);
}

/// A server whose connections to the database go through a [`FaultProxy`].
async fn spawn_behind_faults(seed: u64) -> (TestApp, Arc<FaultProxy>) {
    let (sender, proxy) = std::sync::mpsc::channel();
    let app = spawn_with_options(move |settings| {
        let Database::Cluster(cluster) = &mut settings.database else {
            panic!("the tests use a cluster");
        };
        let host = &cluster.hosts[0];
        let proxy = FaultProxy::start(format!("{}:{}", host.host, host.port), seed);
        cluster.hosts = vec![Address::new("127.0.0.1", proxy.address.port())];
        sender.send(Arc::new(proxy)).unwrap();
    })
    .await;
    let proxy = proxy.recv().unwrap();
    (app, proxy)
}

/// Makes faults until `end`, and now and then freezes everything.
async fn make_weather(proxy: &FaultProxy, seed: u64, end: Instant) {
    let mut random = StdRng::seed_from_u64(seed.rotate_left(32));
    let mut pause = |limits| Duration::from_millis(random.random_range(limits));
    while Instant::now() < end {
        proxy.set_weather(Weather::Faulty);
        sleep_until(end.min(Instant::now() + pause(5_000..30_000))).await;
        proxy.set_weather(Weather::Frozen);
        sleep(pause(100..9_000)).await;
    }
    proxy.set_weather(Weather::Calm);
}

/// Waits until the views of all clients are that of the database. Returns its records.
async fn settle(
    clients: &mut [FaultClient],
    app: &TestApp,
    address: SocketAddr,
) -> BTreeMap<String, Value> {
    let end = Instant::now() + SETTLE_LIMIT;
    loop {
        let images = records(app, address).await;
        let last = Instant::now() + Duration::from_secs(2);
        let settling = clients.iter_mut();
        let settling = settling.map(|client| client.settle(&images, last));
        if join_all(settling)
            .await
            .into_iter()
            .all(|is_settled| is_settled)
        {
            return images;
        }
        if Instant::now() > end {
            for (number, client) in clients.iter().enumerate() {
                println!("client {number}: {:#?}", client.differences(&images));
            }
            panic!("the views do not become that of the database");
        }
    }
}

/// The records of all images on the board, through the server at `address`.
async fn records(app: &TestApp, address: SocketAddr) -> BTreeMap<String, Value> {
    let mut records = BTreeMap::new();
    let mut query = String::new();
    loop {
        let url = format!("http://{address}/images?limit=1000{query}");
        let answer = app.client.get(url).send().await.unwrap();
        let mut page: Value = answer.json().await.unwrap();
        for record in page["images"].as_array_mut().unwrap() {
            let id = record["id"].as_str().unwrap().to_owned();
            records.insert(id, record.take());
        }
        match page["next"].as_str() {
            Some(next) => query = format!("&before={next}"),
            None => return records,
        }
    }
}

fn report(history: &History, clients: &[FaultClient], proxy: &FaultProxy, images: usize) {
    let sum = |count: fn(&FaultClient) -> usize| clients.iter().map(count).sum::<usize>();
    println!(
        "acknowledged: {} uploads, {} changes; answered with an error: {}",
        history.uploads(),
        history.writes(),
        sum(|client| client.refusals)
    );
    println!(
        "sockets reopened by clients: {}; feeds interrupted and resumed: {}",
        sum(|client| client.reconnects),
        sum(FaultClient::interruptions)
    );
    println!("faults: {:?}", proxy.faults());
    println!("{images} images on the board: equal in the database and in all views");
}

/// The number in an environment variable.
fn setting<T: FromStr>(name: &str, default: T) -> T {
    match std::env::var(name) {
        Ok(value) => value
            .parse()
            .unwrap_or_else(|_| panic!("{name}={value} is no number")),
        Err(_) => default,
    }
}
