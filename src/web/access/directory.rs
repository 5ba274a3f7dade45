//! The boards and links that this server knows, from its feed of the table `boards`.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use futures::StreamExt as _;
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

use crate::image::{BoardId, Timestamp};
use crate::store::{
    AdminLinks, BoardRecord, BoardsEvent, Link, Role, Store, StoreError, TokenHash,
};

/// The pause before the feed is opened again. A revoked link works until the feed is back, but the database that it
/// comes from is not reachable meanwhile.
const REOPEN_PAUSE: Duration = Duration::from_millis(200);

/// The time that a request waits for the boards to be read, when the server starts.
const LOAD_TIMEOUT: Duration = Duration::from_secs(10);

/// All boards and their links. One feed keeps it up to date, which all sessions share.
pub(crate) struct Directory {
    entries: RwLock<Entries>,
    /// Counts the changes. 0 until all boards have been read.
    version: watch::Sender<u64>,
}

#[derive(Default)]
struct Entries {
    boards: HashMap<BoardId, Arc<BoardRecord>>,
    admin: AdminLinks,
}

/// A link that a token belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct KnownLink {
    /// The board that it leads to; `None` for all boards.
    pub(crate) board: Option<BoardId>,
    pub(crate) role: Role,
    pub(crate) expires_at: Option<Timestamp>,
}

impl KnownLink {
    /// A link to a board, or to all if there is none.
    fn new(link: &Link, board: Option<BoardId>) -> Self {
        Self {
            board,
            role: link.role,
            expires_at: link.expires_at,
        }
    }
}

impl Directory {
    pub(crate) fn new() -> Self {
        Self {
            entries: RwLock::default(),
            version: watch::Sender::new(0),
        }
    }

    /// Follows the feed of all boards. Never completes.
    pub(crate) async fn follow(&self, store: Store) {
        loop {
            let Err(error) = self.read(&store).await;
            log::debug!("the boards are read again: {error}");
            sleep(REOPEN_PAUSE).await;
        }
    }

    async fn read(&self, store: &Store) -> Result<std::convert::Infallible, StoreError> {
        let mut feed = store.boards_feed().await?;
        // The previous entries are kept until the new feed has sent everything.
        let mut entries = Some(Entries::default());
        loop {
            let ended = || StoreError::FeedEnded("it was closed".to_owned());
            let event = feed.next().await.ok_or_else(ended)??;
            match entries.take() {
                Some(read) if event == BoardsEvent::Ready => {
                    *self.write() = read;
                    self.announce();
                }
                Some(mut read) => {
                    read.apply(event);
                    entries = Some(read);
                }
                None => {
                    self.write().apply(event);
                    self.announce();
                }
            }
        }
    }

    /// Notes a change that this server has written, before the feed brings it.
    pub(crate) fn update(&self, board: BoardRecord) {
        self.write().apply(BoardsEvent::Board(board));
        self.announce();
    }

    fn announce(&self) {
        self.version.send_modify(|version| *version += 1);
    }

    /// Waits until all boards have been read. Returns `false` if that takes too long.
    pub(crate) async fn is_loaded(&self) -> bool {
        let mut version = self.version.subscribe();
        let loaded = version.wait_for(|version| *version > 0);
        timeout(LOAD_TIMEOUT, loaded).await.is_ok()
    }

    /// Subscribes to changes of any board.
    pub(crate) fn changes(&self) -> watch::Receiver<u64> {
        self.version.subscribe()
    }

    /// The record of a board; `None` if there is no such board.
    pub(crate) fn board(&self, id: BoardId) -> Option<Arc<BoardRecord>> {
        let entries = self.read_entries();
        match entries.boards.get(&id) {
            Some(board) => board.deleted_at.is_none().then(|| board.clone()),
            None => id.is_main().then(|| Arc::new(BoardRecord::main())),
        }
    }

    /// All boards, the newest first and the main board before them.
    pub(crate) fn boards(&self) -> Vec<Arc<BoardRecord>> {
        let mut boards: Vec<Arc<BoardRecord>> = {
            let entries = self.read_entries();
            let existing = entries.boards.values();
            existing
                .filter(|board| board.deleted_at.is_none() && !board.id.is_main())
                .cloned()
                .collect()
        };
        boards.sort_by_key(|board| (std::cmp::Reverse(board.created_at), board.id));
        boards.splice(0..0, self.board(BoardId::MAIN));
        boards
    }

    /// Finds the link to a board, or to all, that a token belongs to, unless it has expired.
    pub(crate) fn link(&self, board: BoardId, hash: &TokenHash) -> Option<KnownLink> {
        let now = Timestamp::now();
        let entries = self.read_entries();
        let own = entries
            .boards
            .get(&board)
            .and_then(|record| find(&record.links, hash, now))
            .map(|link| (link, Some(board)));
        let admin = || Some((find(&entries.admin.links, hash, now)?, None));
        let (link, board) = own.or_else(admin)?;
        Some(KnownLink::new(link, board))
    }

    /// Finds the link that a token belongs to, to whichever board, unless it has expired.
    pub(crate) fn any_link(&self, hash: &TokenHash) -> Option<KnownLink> {
        let now = Timestamp::now();
        let entries = self.read_entries();
        let mut existing = entries
            .boards
            .values()
            .filter(|board| board.deleted_at.is_none());
        let own = existing.find_map(|board| Some((find(&board.links, hash, now)?, Some(board.id))));
        let admin = || Some((find(&entries.admin.links, hash, now)?, None));
        let (link, board) = own.or_else(admin)?;
        Some(KnownLink::new(link, board))
    }

    fn read_entries(&self) -> std::sync::RwLockReadGuard<'_, Entries> {
        self.entries.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> std::sync::RwLockWriteGuard<'_, Entries> {
        self.entries.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Entries {
    fn apply(&mut self, event: BoardsEvent) {
        match event {
            BoardsEvent::Ready => {}
            BoardsEvent::Board(board) => drop(self.boards.insert(board.id, Arc::new(board))),
            BoardsEvent::Admin(admin) => self.admin = admin,
            BoardsEvent::Removed(id) => drop(self.boards.remove(&id)),
        }
    }
}

/// Compares with every link, each in constant time. A board has few.
fn find<'a>(links: &'a [Link], hash: &TokenHash, now: Timestamp) -> Option<&'a Link> {
    links
        .iter()
        .find(|link| link.hash == *hash && !link.is_expired(now))
}
