//! The uploads that are announced on this server.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::broadcast::{Receiver, Sender};

use crate::image::{BoardId, ImageId};
use crate::store::Area;
use crate::web::sockets::protocol::events::{UploadBegin, UploadEnd, upload_begin, upload_end};
use crate::web::sockets::protocol::frame::Frame;

/// The number of uploads that a session may announce: a dropped folder of images. Further ones wait in the browser.
pub(crate) const MAX_OF_SESSION: usize = 100;

/// The number of announced uploads on this server: more placeholders than a board can show.
pub(crate) const MAX_OPEN: usize = 1000;

/// The number of changes that a session may fall behind before it compares with the table instead.
pub(crate) const RING: usize = 256;

/// Identifies a session within this server, and the board that it views.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SessionId {
    number: u64,
    pub(crate) board: BoardId,
}

/// The announced uploads, and a ring of the latest changes to them.
pub(crate) struct Announcements {
    table: Mutex<Table>,
    /// Changes are sent while the table is locked, which keeps them in order.
    changes: Sender<Change>,
}

#[derive(Default)]
struct Table {
    sessions: u64,
    open: HashMap<ImageId, OpenUpload>,
}

/// An upload in progress.
#[derive(Clone)]
pub(crate) struct OpenUpload {
    pub(crate) session: SessionId,
    /// Only the uploader is told of it.
    is_hidden: bool,
    /// The announcement, to repeat it with another placement.
    begin: UploadBegin,
    /// The `Upload:begin` event for the other viewers.
    pub(crate) frame: Frame,
}

/// The start, move or end of an upload.
#[derive(Clone)]
pub(crate) struct Change {
    pub(crate) session: SessionId,
    pub(crate) upload: ImageId,
    pub(crate) is_open: bool,
    /// The server has moved the placeholder, which the uploader does not know.
    pub(crate) concerns_uploader: bool,
    /// The change is none of the other viewers' business.
    pub(crate) is_hidden: bool,
    /// The event for the viewers.
    pub(crate) frame: Frame,
}

/// The announced uploads at one moment, and the changes after it.
pub(crate) struct Snapshot {
    pub(crate) open: HashMap<ImageId, OpenUpload>,
    pub(crate) changes: Receiver<Change>,
}

impl Table {
    fn admit(&self, session: SessionId, upload: ImageId) -> Result<(), &'static str> {
        let known = self.open.get(&upload);
        if known.is_some_and(|open| open.session.board != session.board) {
            return Err("the upload belongs to another board");
        }
        let is_own = known.is_some_and(|open| open.session == session);
        let own = self.open.values().filter(|open| open.session == session);
        if known.is_none() && self.open.len() >= MAX_OPEN
            || !is_own && own.count() >= MAX_OF_SESSION
        {
            return Err("too many uploads are in progress");
        }
        Ok(())
    }
}

impl Announcements {
    pub(crate) fn new() -> Self {
        Self {
            table: Mutex::default(),
            changes: Sender::new(RING),
        }
    }

    /// Registers a session on a board.
    pub(crate) fn register(&self, board: BoardId) -> SessionId {
        let mut table = self.table();
        table.sessions += 1;
        SessionId {
            number: table.sessions,
            board,
        }
    }

    /// Returns the announced uploads to a board, without hidden ones, and subscribes to changes on all boards.
    pub(crate) fn snapshot(&self, board: BoardId) -> Snapshot {
        let table = self.table();
        let open = table.open.iter();
        let here = open.filter(|(_, open)| open.session.board == board && !open.is_hidden);
        Snapshot {
            open: here.map(|(id, open)| (*id, open.clone())).collect(),
            changes: self.changes.subscribe(),
        }
    }

    /// Announces an upload or updates its announcement.
    ///
    /// An upload of another session is taken over: its viewer may have reconnected before the server noticed that the
    /// old connection is dead. The others are not told of a hidden upload.
    ///
    /// # Errors
    ///
    /// A message for the client if too many uploads are announced.
    pub(crate) fn begin(
        &self,
        session: SessionId,
        begin: &UploadBegin,
        is_hidden: bool,
    ) -> Result<(), &'static str> {
        let mut table = self.table();
        table.admit(session, begin.upload)?;
        let (begin, frame) = (begin.clone(), upload_begin(begin));
        let open = OpenUpload {
            session,
            is_hidden,
            begin,
            frame,
        };
        self.open(&mut table, open, false);
        Ok(())
    }

    /// Checks that a session may announce an upload.
    ///
    /// # Errors
    ///
    /// As [`Announcements::begin`].
    pub(crate) fn admit(&self, session: SessionId, upload: ImageId) -> Result<(), &'static str> {
        self.table().admit(session, upload)
    }

    /// Announces the placement to which the server has moved the reservation of an upload, to the uploader as well.
    pub(crate) fn move_upload(&self, upload: ImageId, area: Area) {
        let mut table = self.table();
        if let Some(mut open) = table.open.get(&upload).cloned() {
            open.begin = open.begin.at(area);
            open.frame = upload_begin(&open.begin);
            self.open(&mut table, open, true);
        }
    }

    fn open(&self, table: &mut Table, open: OpenUpload, concerns_uploader: bool) {
        let upload = open.begin.upload;
        table.open.insert(upload, open.clone());
        self.send(Change {
            session: open.session,
            upload,
            is_open: true,
            concerns_uploader,
            is_hidden: open.is_hidden,
            frame: open.frame,
        });
    }

    /// Ends an upload of `session`.
    ///
    /// # Errors
    ///
    /// A message for the client if the session has no such upload.
    pub(crate) fn end(&self, session: SessionId, end: UploadEnd) -> Result<(), &'static str> {
        let mut table = self.table();
        let open = table.open.get(&end.upload);
        if open.is_none_or(|open| open.session != session) {
            return Err("there is no such upload");
        }
        self.remove(&mut table, session, end);
        Ok(())
    }

    /// Ends all uploads of `session`.
    pub(crate) fn end_all(&self, session: SessionId) {
        let mut table = self.table();
        let own = table
            .open
            .iter()
            .filter(|(_, open)| open.session == session);
        let own: Vec<ImageId> = own.map(|(&upload, _)| upload).collect();
        for upload in own {
            self.remove(&mut table, session, UploadEnd { upload, id: None });
        }
    }

    fn remove(&self, table: &mut Table, session: SessionId, end: UploadEnd) {
        let ended = table.open.remove(&end.upload);
        self.send(Change {
            session,
            upload: end.upload,
            is_open: false,
            concerns_uploader: false,
            is_hidden: ended.is_some_and(|ended| ended.is_hidden),
            frame: upload_end(end),
        });
    }

    fn send(&self, change: Change) {
        // Fails if there is no session to receive it.
        let _ = self.changes.send(change);
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
