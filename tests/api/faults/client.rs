//! A client that works on the board at random, and builds its view from what its socket sends.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use reqwest::{Client, Response, StatusCode};
use serde_json::{Value, json};
use tokio::time::{Instant, timeout, timeout_at};
use uuid::Uuid;

use super::history::{Begun, History, Register};
use crate::files::sized;
use crate::helpers::file_form;
use crate::viewer::Viewer;

/// The longest time for the answer to a request or command, whatever the database does. The longest chain of time
/// limits of the server is shorter.
const ANSWER_LIMIT: Duration = Duration::from_secs(100);

/// The largest file of most uploads, and of a few.
const SMALL: usize = 60_000;
const LARGE: usize = 1_500_000;

/// The most images that are tidied at once.
const MAX_TIDIED: usize = 20;

/// The number of images that all clients prefer.
const CONTENDED: usize = 4;

/// A client with a socket.
pub(super) struct FaultClient {
    address: SocketAddr,
    http: Client,
    random: StdRng,
    history: History,
    socket: Viewer,
    view: View,
    pub(super) reconnects: usize,
    pub(super) refusals: usize,
}

/// The board as the messages of a socket built it.
#[derive(Default)]
struct View {
    images: BTreeMap<String, Value>,
    /// The images sent since `initializing`.
    initial: BTreeSet<String>,
    is_ready: bool,
    interruptions: usize,
}

impl View {
    fn apply(&mut self, mut event: Value) {
        let mut data = event["data"].take();
        match event["event"].as_str().unwrap() {
            "Image:update" => {
                let id = data["id"].as_str().unwrap().to_owned();
                self.initial.insert(id.clone());
                self.images.insert(id, data);
            }
            "Image:delete" => {
                self.images.remove(data["id"].as_str().unwrap());
            }
            "Feed:state" => match data["state"].take().as_str().unwrap() {
                "initializing" => self.initial.clear(),
                "ready" => {
                    self.is_ready = true;
                    let initial = std::mem::take(&mut self.initial);
                    self.images.retain(|id, _| initial.contains(id));
                }
                _ => {
                    self.is_ready = false;
                    self.interruptions += 1;
                }
            },
            _ => {}
        }
    }
}

impl FaultClient {
    pub(super) async fn connect(address: SocketAddr, seed: u64, history: History) -> Self {
        // Answers of the server only: a client of its own for each, and no connection that is used again.
        let http = Client::builder().pool_max_idle_per_host(0);
        Self {
            address,
            http: http.timeout(ANSWER_LIMIT).build().unwrap(),
            random: StdRng::seed_from_u64(seed),
            history,
            socket: Viewer::connect(address, "/ws").await,
            view: View::default(),
            reconnects: 0,
            refusals: 0,
        }
    }

    /// Works until `end`.
    pub(super) async fn work(&mut self, end: Instant) {
        while Instant::now() < end {
            match self.random.random_range(0..100) {
                0..25 => self.upload().await,
                25..55 => self.move_one().await,
                55..65 => self.caption().await,
                65..73 => self.tidy().await,
                73..79 => self.delete().await,
                79..82 => self.restore().await,
                82..92 => self.look().await,
                92..96 => self.reconnect().await,
                _ => self.watch().await,
            }
        }
    }

    /// Reads messages until the view is that of the database, or until `end`. Returns whether it is.
    pub(super) async fn settle(&mut self, images: &BTreeMap<String, Value>, end: Instant) -> bool {
        while !self.view.is_ready || self.view.images != *images {
            match timeout_at(end, self.socket.event()).await {
                Ok(event) => self.view.apply(event),
                Err(_) => return false,
            }
        }
        true
    }

    /// The differences of the view from the records of the database.
    pub(super) fn differences(&self, images: &BTreeMap<String, Value>) -> Vec<String> {
        let view = &self.view.images;
        let ids: BTreeSet<&String> = view.keys().chain(images.keys()).collect();
        let ids = ids
            .into_iter()
            .filter(|id| view.get(*id) != images.get(*id));
        ids.map(|id| format!("{:?} instead of {:?}", view.get(id), images.get(id)))
            .collect()
    }

    /// The number of times that the feed of this client was interrupted.
    pub(super) fn interruptions(&self) -> usize {
        self.view.interruptions
    }

    /// An image of the view. Every other one is among the few oldest, which clients therefore change at the same time.
    fn any_image(&mut self) -> Option<String> {
        let count = match self.random.random_bool(0.5) {
            true => self.view.images.len(),
            false => self.view.images.len().min(CONTENDED),
        };
        let number = (count > 0).then(|| self.random.random_range(0..count))?;
        self.view.images.keys().nth(number).cloned()
    }

    fn any_position(&mut self) -> (f64, f64) {
        let mut coordinate = || f64::from(self.random.random_range(-90_000_000..90_000_000)) / 64.0;
        (coordinate(), coordinate())
    }

    async fn upload(&mut self) {
        let id = Uuid::now_v7().to_string();
        let largest = if self.random.random_bool(0.1) {
            LARGE
        } else {
            SMALL
        };
        let (length, seed) = (
            self.random.random_range(5_000..largest),
            self.random.random(),
        );
        self.history.upload(&id, length, seed);
        // A client that gets no acknowledgement sends the image again.
        for _ in 0..4 {
            let form =
                file_form(&format!("{seed}.png"), sized(length, seed)).text("id", id.clone());
            let request = self.http.post(self.url("/image")).multipart(form).send();
            let answer = self.reading(request).await.expect("the upload is answered");
            match answer.status() {
                StatusCode::OK | StatusCode::CREATED => {
                    return self.history.acknowledge_upload(&id);
                }
                // Another client saw it and deleted it.
                StatusCode::CONFLICT => {
                    assert!(self.history.may_be_deleted(&id), "{id}: a conflict");
                    return;
                }
                status => assert_eq!(status, 503, "{}", answer.text().await.unwrap()),
            }
            self.refusals += 1;
        }
    }

    async fn move_one(&mut self) {
        let Some(id) = self.any_image() else { return };
        let (x, y) = self.any_position();
        let begun = self.begin(&id, Register::Position, json!([x, y]));
        let change = json!({"id": id, "x": x, "y": y});
        self.change("Image:update", change, vec![begun]).await;
    }

    async fn caption(&mut self) {
        let Some(id) = self.any_image() else { return };
        let caption = format!("caption {:016x}", self.random.random::<u64>());
        let begun = self.begin(&id, Register::Caption, json!(caption));
        let change = json!({"id": id, "caption": caption});
        self.change("Image:update", change, vec![begun]).await;
    }

    async fn tidy(&mut self) {
        let count = self.random.random_range(1..MAX_TIDIED);
        let ids: BTreeSet<String> = (0..count).filter_map(|_| self.any_image()).collect();
        if ids.is_empty() {
            return;
        }
        let mut places = Vec::new();
        let mut begun = Vec::new();
        for id in ids {
            let (x, y) = self.any_position();
            let value = json!([x, y]);
            begun.push(self.history.begin(&id, Register::Position, value, true));
            places.push(json!({"id": id, "x": x, "y": y}));
        }
        let change = json!({"places": places});
        self.change("Image:arrange", change, begun).await;
    }

    async fn delete(&mut self) {
        let Some(id) = self.any_image() else { return };
        let was_deleted = self.history.may_be_deleted(&id);
        let begun = self.begin(&id, Register::Deleted, json!(true));
        let answer = self
            .change("Image:delete", json!({"id": id}), vec![begun])
            .await;
        if !was_deleted && answer["message"] == "there is no such photo" {
            // Others may have begun to delete it meanwhile; this client alone cannot have been told so.
            assert!(self.history.deletes(&id) > 1, "{id}: {answer}");
        }
    }

    async fn restore(&mut self) {
        let Some(id) = self.history.any_deleted(&mut self.random) else {
            return;
        };
        let begun = self.begin(&id, Register::Deleted, json!(false));
        self.change("Image:restore", json!({"id": id}), vec![begun])
            .await;
    }

    /// Gets an image, which must be what was sent, or an error.
    async fn look(&mut self) {
        let Some(id) = self.any_image() else { return };
        let request = self.http.get(self.url(&format!("/image/{id}"))).send();
        let answer = self
            .reading(request)
            .await
            .expect("the request is answered");
        match answer.status().as_u16() {
            200 => self.expect_file(&id, answer).await,
            404 => assert!(self.history.may_be_deleted(&id), "{id} is missing"),
            status => {
                assert_eq!(status, 503, "{}", answer.text().await.unwrap());
                self.refusals += 1;
            }
        }
    }

    async fn expect_file(&mut self, id: &str, answer: Response) {
        let (length, seed) = self.history.file(id);
        let bytes = self
            .reading(answer.bytes())
            .await
            .expect("the image comes whole");
        assert!(bytes == sized(length, seed), "{id} has other bytes");
    }

    async fn reconnect(&mut self) {
        self.socket = Viewer::connect(self.address, "/ws").await;
        self.view = View {
            interruptions: self.view.interruptions,
            ..View::default()
        };
        self.reconnects += 1;
        self.watch().await;
    }

    /// Reads messages for a moment.
    async fn watch(&mut self) {
        let moment = Duration::from_millis(self.random.random_range(0..500));
        self.reading(tokio::time::sleep(moment)).await;
    }

    fn begin(&self, id: &str, register: Register, value: Value) -> Begun {
        self.history.begin(id, register, value, false)
    }

    /// Sends a command. Returns its answer, and notes it for these writes.
    async fn change(&mut self, event: &str, data: Value, begun: Vec<Begun>) -> Value {
        let reference = self.random.random::<u32>();
        let command = json!({"event": event, "data": data, "ref": reference});
        self.socket.send(command.to_string()).await;
        let answered = async {
            loop {
                let mut event = self.socket.event().await;
                if event["event"] == "Ack" && event["data"]["ref"] == reference {
                    return event["data"].take();
                }
                self.view.apply(event);
            }
        };
        let answer = timeout(ANSWER_LIMIT, answered).await;
        let answer = answer.unwrap_or_else(|_| panic!("{event} is not answered"));
        for begun in begun {
            self.history.end(&begun, answer["ok"] == true);
        }
        if answer["ok"] != true {
            self.refusals += 1;
        }
        answer
    }

    /// Reads messages while something else goes on.
    async fn reading<T>(&mut self, other: impl Future<Output = T>) -> T {
        tokio::pin!(other);
        loop {
            tokio::select! {
                output = &mut other => return output,
                event = self.socket.event() => self.view.apply(event),
            }
        }
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }
}
