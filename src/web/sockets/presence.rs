//! Who views each board on this server: the number of sessions, and the names of those that have one.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, watch};

use super::protocol::events::{self, Person};
use super::protocol::frame::Frame;
use crate::image::BoardId;

/// The shortest time between two published lists. Without it, each of a thousand viewers that connects would cost a
/// thousand messages.
const INTERVAL: Duration = Duration::from_secs(1);

/// The number of people that are listed. The others are only counted.
const MAX_LISTED: usize = 100;

/// The colours of people, each legible on white and below white text (WCAG AA, 4.5:1).
const COLOURS: [&str; 12] = [
    "#b3261e", "#8a4b00", "#6b5c00", "#3d6a00", "#00695c", "#006783", "#1a5fb4", "#4355b9",
    "#6a3fb5", "#8e3a9c", "#a62c6c", "#705147",
];

/// The sessions of this server, by board. Publishes those of a board to all of them at most once a second.
pub(crate) struct Presence {
    registry: Arc<Registry>,
}

struct Registry {
    rooms: Mutex<Rooms>,
    changed: Notify,
}

#[derive(Default)]
struct Rooms {
    last_id: u64,
    boards: HashMap<BoardId, Room>,
}

/// The sessions on one board. It exists while there is one.
struct Room {
    count: usize,
    people: BTreeMap<u64, Person>,
    /// The sessions have changed since they were published.
    has_changed: bool,
    /// The event with the published state, encoded once for all sessions.
    published: watch::Sender<Frame>,
}

/// The membership of a session, until it is dropped.
pub(crate) struct PresenceGuard {
    registry: Arc<Registry>,
    board: BoardId,
    id: u64,
    published: watch::Receiver<Frame>,
}

impl Presence {
    pub(crate) fn new() -> Self {
        let registry = Registry {
            rooms: Mutex::default(),
            changed: Notify::new(),
        };
        Self {
            registry: Arc::new(registry),
        }
    }

    /// Adds a session to a board, without a name.
    pub(crate) fn join(&self, board: BoardId) -> PresenceGuard {
        let mut rooms = self.registry.rooms();
        rooms.last_id += 1;
        let id = rooms.last_id;
        let room = rooms.boards.entry(board).or_insert_with(Room::new);
        room.count += 1;
        room.has_changed = true;
        let published = room.published.subscribe();
        drop(rooms);
        self.registry.changed.notify_one();
        PresenceGuard {
            registry: self.registry.clone(),
            board,
            id,
            published,
        }
    }

    /// The number of sessions on a board.
    pub(crate) fn count(&self, board: BoardId) -> usize {
        let rooms = self.registry.rooms();
        rooms.boards.get(&board).map_or(0, |room| room.count)
    }

    /// The number of sessions, and that of the boards that they are on.
    pub(crate) fn totals(&self) -> (usize, usize) {
        let rooms = self.registry.rooms();
        let sessions = rooms.boards.values().map(|room| room.count).sum();
        (sessions, rooms.boards.len())
    }

    /// Publishes the sessions whenever they change. Never completes.
    pub(crate) fn publish(&self) -> impl Future<Output = ()> + Send + use<> {
        self.publish_at_most_every(INTERVAL)
    }

    fn publish_at_most_every(&self, interval: Duration) -> impl Future<Output = ()> + Send + use<> {
        let registry = self.registry.clone();
        async move {
            loop {
                registry.changed.notified().await;
                for room in registry.rooms().boards.values_mut() {
                    room.publish();
                }
                tokio::time::sleep(interval).await;
            }
        }
    }
}

impl Registry {
    fn rooms(&self) -> MutexGuard<'_, Rooms> {
        self.rooms.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Room {
    fn new() -> Self {
        Self {
            count: 0,
            people: BTreeMap::new(),
            has_changed: false,
            published: watch::Sender::new(events::user_update(0, &[])),
        }
    }

    fn publish(&mut self) {
        if std::mem::take(&mut self.has_changed) {
            let people: Vec<&Person> = self.people.values().take(MAX_LISTED).collect();
            let update = events::user_update(self.count, &people);
            self.published.send_replace(update);
        }
    }
}

impl PresenceGuard {
    /// Waits for the next published event. Cancellation safe.
    pub(crate) async fn update(&mut self) -> Frame {
        if self.published.changed().await.is_err() {
            // Unreachable: the sender lives as long as a session is on the board.
            std::future::pending::<()>().await;
        }
        self.published.borrow_and_update().clone()
    }

    /// Sets or removes the name of the session.
    pub(crate) fn set_name(&self, name: Option<String>) -> Option<Person> {
        let person = name.map(|name| Person {
            id: self.id,
            colour: colour_of(&name),
            name,
        });
        let mut rooms = self.registry.rooms();
        if let Some(room) = rooms.boards.get_mut(&self.board) {
            let before = match &person {
                Some(person) => room.people.insert(self.id, person.clone()),
                None => room.people.remove(&self.id),
            };
            if before != person {
                room.has_changed = true;
                self.registry.changed.notify_one();
            }
        }
        person
    }

    /// The name of the session, if it has one.
    pub(crate) fn name(&self) -> Option<String> {
        let rooms = self.registry.rooms();
        let person = rooms.boards.get(&self.board)?.people.get(&self.id)?;
        Some(person.name.clone())
    }
}

impl Drop for PresenceGuard {
    fn drop(&mut self) {
        let mut rooms = self.registry.rooms();
        if let Some(room) = rooms.boards.get_mut(&self.board) {
            room.count -= 1;
            room.people.remove(&self.id);
            room.has_changed = true;
            if room.count == 0 {
                rooms.boards.remove(&self.board);
            }
        }
        drop(rooms);
        self.registry.changed.notify_one();
    }
}

/// The colour of a name, by the hash FNV-1a.
fn colour_of(name: &str) -> &'static str {
    let hash = name
        .to_lowercase()
        .bytes()
        .fold(0x811c_9dc5_u32, |hash, byte| {
            (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
        });
    COLOURS[hash as usize % COLOURS.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text_of(frame: &Frame) -> String {
        let payload = if frame.head[1] == 126 { 4 } else { 2 };
        str::from_utf8(&frame.head[payload..]).unwrap().to_owned()
    }

    fn update(count: usize, people: &[&Person]) -> String {
        text_of(&events::user_update(count, people))
    }

    #[tokio::test]
    async fn the_sessions_are_published_at_most_once_per_interval() {
        let interval = Duration::from_millis(50);
        let presence = Presence::new();
        tokio::spawn(presence.publish_at_most_every(interval));
        let start = tokio::time::Instant::now();
        let mut first = presence.join(BoardId::MAIN);
        assert_eq!(text_of(&first.update().await), update(1, &[]));
        let others: Vec<PresenceGuard> = (0..9).map(|_| presence.join(BoardId::MAIN)).collect();
        assert_eq!(text_of(&first.update().await), update(10, &[]));
        drop(others);
        assert_eq!(text_of(&first.update().await), update(1, &[]));
        // A lower bound holds however busy the machine is.
        assert!(start.elapsed() >= 2 * interval);
    }

    #[tokio::test]
    async fn the_people_of_another_board_are_not_counted() {
        let presence = Presence::new();
        tokio::spawn(presence.publish_at_most_every(Duration::from_millis(1)));
        let other = BoardId::random();
        let (mut here, there) = (presence.join(BoardId::MAIN), presence.join(other));
        there.set_name(Some("Bo".into()));
        until(&mut here, &update(1, &[])).await;
        let counts = (presence.count(BoardId::MAIN), presence.count(other));
        assert_eq!(counts, (1, 1));
        drop(there);
        assert_eq!(presence.count(other), 0);
        assert_eq!(presence.registry.rooms().boards.len(), 1);
    }

    #[tokio::test]
    async fn a_person_is_listed_with_the_colour_of_the_name_until_the_session_ends() {
        let presence = Presence::new();
        tokio::spawn(presence.publish_at_most_every(Duration::from_millis(1)));
        let mut first = presence.join(BoardId::MAIN);
        let second = presence.join(BoardId::MAIN);
        let ada = second.set_name(Some("Ada".into())).unwrap();
        assert_eq!(second.name().as_deref(), Some("Ada"));
        assert_eq!(ada.colour, colour_of("ADA"));
        until(&mut first, &update(2, &[&ada])).await;
        assert_eq!(second.set_name(None), None);
        until(&mut first, &update(2, &[])).await;
        let bo = second.set_name(Some("Bo".into())).unwrap();
        until(&mut first, &update(2, &[&bo])).await;
        drop(second);
        until(&mut first, &update(1, &[])).await;
    }

    /// Reads updates until one is as expected.
    async fn until(guard: &mut PresenceGuard, expected: &str) {
        while text_of(&guard.update().await) != expected {}
    }
}
