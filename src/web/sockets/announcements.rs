//! Announcements that one viewer announces to the others, so that these see a placeholder before the image is there.
//!
//! What is open stands in one table for the whole server; changes to it go through a ring from which every session reads at
//! its own pace. A session that falls behind loses nothing but the steps in between: it compares what it has told its viewer
//! with the table. So nobody waits for a slow viewer, and what is held is bounded by the table and the ring.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::broadcast::{Receiver, Sender};

use super::protocol::frame::Frame;
use super::protocol::message;
use crate::image::ImageId;

/// How many uploads one session may have open: as many as a folder that is dropped has images, more wait their turn.
const MAX_OF_SESSION: usize = 100;

/// How many may be open on this server: more placeholders than a board can show.
const MAX_OPEN: usize = 1000;

/// How many changes a session may fall behind before it compares instead.
const RING: usize = 256;

/// `Upload:begin`: an upload that has begun. Its id is the one that the image will have.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Begin {
    pub(crate) upload: ImageId,
    pub(crate) file_name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) x: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) y: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) w: Option<f64>,
    /// The height of the placeholder, which the image itself will not need.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) h: Option<f64>,
}

/// `Upload:end`: an upload that is over, with the image if it was stored.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct End {
    pub(crate) upload: ImageId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) id: Option<ImageId>,
}

/// The uploads that are open on this server.
pub(crate) struct Announcements {
    shared: Arc<Shared>,
}

struct Shared {
    table: Mutex<Table>,
    /// Sent to while the table is locked, so that the order is that of the changes.
    changes: Sender<Change>,
}

#[derive(Default)]
struct Table {
    sessions: u64,
    open: HashMap<ImageId, Open>,
}

struct Open {
    session: u64,
    begin: Frame,
}

#[derive(Clone)]
struct Change {
    session: u64,
    upload: ImageId,
    is_open: bool,
    frame: Frame,
}

/// A session's part in it: what it announces, and what it has told its viewer. When it is dropped, its uploads end.
pub(crate) struct Announcer {
    shared: Arc<Shared>,
    session: u64,
    changes: Receiver<Change>,
    /// The uploads of others that the viewer knows to be open.
    told: HashSet<ImageId>,
    /// What the viewer is to be told before the next change.
    waiting: VecDeque<Frame>,
}

impl Announcements {
    pub(crate) fn new() -> Self {
        let shared = Shared {
            table: Mutex::default(),
            changes: Sender::new(RING),
        };
        Self {
            shared: Arc::new(shared),
        }
    }

    /// One more session, which will be told what is open.
    pub(crate) fn enter(&self) -> Announcer {
        let mut table = self.shared.table();
        table.sessions += 1;
        Announcer {
            shared: self.shared.clone(),
            session: table.sessions,
            changes: self.shared.changes.subscribe(),
            told: table.open.keys().copied().collect(),
            waiting: table.open.values().map(|open| open.begin.clone()).collect(),
        }
    }
}

impl Shared {
    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells the others. That there are none is no error.
    fn tell(&self, change: Change) {
        let _ = self.changes.send(change);
    }
}

impl Announcer {
    /// Announces an upload, or tells more of it. One that another session has begun is taken over, as by a viewer who has
    /// come back before the server noticed that they were gone.
    ///
    /// # Errors
    /// If too many are open; in words for the client.
    pub(crate) fn begin(&self, begin: &Begin) -> Result<(), &'static str> {
        let mut table = self.shared.table();
        let mine = |open: &&Open| open.session == self.session;
        let known = table.open.get(&begin.upload);
        if known.is_none() && table.open.len() >= MAX_OPEN
            || !known.as_ref().is_some_and(mine)
                && table.open.values().filter(mine).count() >= MAX_OF_SESSION
        {
            return Err("too many uploads are under way");
        }
        let frame = message::upload_begin(begin);
        let open = Open {
            session: self.session,
            begin: frame.clone(),
        };
        table.open.insert(begin.upload, open);
        self.shared.tell(Change {
            session: self.session,
            upload: begin.upload,
            is_open: true,
            frame,
        });
        Ok(())
    }

    /// Ends an upload of this session.
    ///
    /// # Errors
    /// If it has none of this id.
    pub(crate) fn end(&self, end: End) -> Result<(), &'static str> {
        let mut table = self.shared.table();
        let open = table.open.get(&end.upload);
        if open.is_none_or(|open| open.session != self.session) {
            return Err("there is no such upload");
        }
        table.open.remove(&end.upload);
        self.shared.tell(Change {
            session: self.session,
            upload: end.upload,
            is_open: false,
            frame: message::upload_end(end),
        });
        Ok(())
    }

    /// What the viewer is to be told next of the uploads of others. Cancellation safe.
    pub(crate) async fn next(&mut self) -> Frame {
        loop {
            if let Some(frame) = self.waiting.pop_front() {
                return frame;
            }
            match self.changes.recv().await {
                Ok(change) => {
                    let was_told = if change.is_open && change.session != self.session {
                        self.told.insert(change.upload);
                        true
                    } else {
                        self.told.remove(&change.upload)
                    };
                    if was_told && change.session != self.session {
                        return change.frame;
                    }
                }
                Err(RecvError::Lagged(_)) => self.compare(),
                // The sender lives as long as `shared`.
                Err(RecvError::Closed) => std::future::pending().await,
            }
        }
    }

    /// Finds out what is to be told from what is open now, leaving out all that happened in between.
    fn compare(&mut self) {
        let table = self.shared.table();
        self.changes = self.changes.resubscribe();
        let others: HashMap<ImageId, &Frame> = table
            .open
            .iter()
            .filter(|(_, open)| open.session != self.session)
            .map(|(&upload, open)| (upload, &open.begin))
            .collect();
        let over = self
            .told
            .iter()
            .filter(|upload| !others.contains_key(upload));
        let over = over.map(|&upload| message::upload_end(End { upload, id: None }));
        let begun = others
            .iter()
            .filter(|(upload, _)| !self.told.contains(upload))
            .map(|(_, &begin)| begin.clone());
        self.waiting = over.chain(begun).collect();
        self.told = others.into_keys().collect();
    }
}

impl Drop for Announcer {
    fn drop(&mut self) {
        let mut table = self.shared.table();
        let mine = |open: &Open| open.session == self.session;
        let uploads = table.open.iter().filter(|(_, open)| mine(open));
        let uploads: Vec<ImageId> = uploads.map(|(&upload, _)| upload).collect();
        for upload in uploads {
            table.open.remove(&upload);
            self.shared.tell(Change {
                session: self.session,
                upload,
                is_open: false,
                frame: message::upload_end(End { upload, id: None }),
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt as _;

    use super::*;

    fn begin(upload: ImageId) -> Begin {
        Begin {
            upload,
            file_name: "cat.png".into(),
            x: Some(1.5),
            y: None,
            w: None,
            h: None,
        }
    }

    fn end(upload: ImageId) -> End {
        End { upload, id: None }
    }

    /// What a session has to tell now.
    fn said(session: &mut Announcer) -> Vec<String> {
        let next = || session.next().now_or_never();
        let text = |frame: Frame| {
            let payload = if frame.head[1] == 126 { 4 } else { 2 };
            str::from_utf8(&frame.head[payload..]).unwrap().to_owned()
        };
        std::iter::from_fn(next).map(text).collect()
    }

    fn begun(upload: ImageId) -> String {
        format!(
            r#"{{"event":"Upload:begin","data":{{"upload":"{upload}","fileName":"cat.png","x":1.5}}}}"#
        )
    }

    fn ended(upload: ImageId) -> String {
        format!(r#"{{"event":"Upload:end","data":{{"upload":"{upload}"}}}}"#)
    }

    #[test]
    fn an_upload_is_told_to_the_others_until_it_ends() {
        let uploads = Announcements::new();
        let (mut one, mut other) = (uploads.enter(), uploads.enter());
        let upload = ImageId::new();
        one.begin(&begin(upload)).unwrap();
        assert_eq!(said(&mut other), [begun(upload)]);
        let mut late = uploads.enter();
        assert_eq!(said(&mut late), [begun(upload)]);
        assert_eq!(other.end(end(upload)), Err("there is no such upload"));
        one.end(End {
            upload,
            id: Some(upload),
        })
        .unwrap();
        let stored =
            format!(r#"{{"event":"Upload:end","data":{{"upload":"{upload}","id":"{upload}"}}}}"#);
        for session in [&mut other, &mut late] {
            assert_eq!(said(session), std::slice::from_ref(&stored));
        }
        assert!(said(&mut one).is_empty());
        assert!(said(&mut uploads.enter()).is_empty());
    }

    #[test]
    fn uploads_expire_with_their_session() {
        let uploads = Announcements::new();
        let (one, mut other) = (uploads.enter(), uploads.enter());
        let ids = [ImageId::new(), ImageId::new()];
        for upload in ids {
            one.begin(&begin(upload)).unwrap();
        }
        one.end(end(ids[0])).unwrap();
        drop(one);
        let told = said(&mut other);
        assert_eq!(told.len(), 4);
        assert_eq!(told[2..], ids.map(ended));
    }

    #[test]
    fn who_comes_back_takes_over_what_they_began() {
        let uploads = Announcements::new();
        let (old, mut other) = (uploads.enter(), uploads.enter());
        let upload = ImageId::new();
        old.begin(&begin(upload)).unwrap();
        let new = uploads.enter();
        new.begin(&begin(upload)).unwrap();
        drop(old);
        assert_eq!(said(&mut other), [begun(upload), begun(upload)]);
        drop(new);
        assert_eq!(said(&mut other), [ended(upload)]);
    }

    #[test]
    fn a_session_and_the_server_have_only_so_many_open() {
        let uploads = Announcements::new();
        let sessions: Vec<_> = (0..=MAX_OPEN / MAX_OF_SESSION)
            .map(|_| uploads.enter())
            .collect();
        let ids: Vec<ImageId> = (0..MAX_OPEN).map(|_| ImageId::new()).collect();
        let refused = Err("too many uploads are under way");
        for (session, ids) in sessions.iter().zip(ids.chunks(MAX_OF_SESSION)) {
            for &upload in ids {
                assert_eq!(session.begin(&begin(upload)), Ok(()));
            }
            assert_eq!(session.begin(&begin(ImageId::new())), refused);
            assert_eq!(session.begin(&begin(ids[0])), Ok(()));
        }
        let last = sessions.last().unwrap();
        assert_eq!(last.begin(&begin(ImageId::new())), refused);
        sessions[0].end(end(ids[0])).unwrap();
        assert_eq!(last.begin(&begin(ImageId::new())), Ok(()));
    }

    #[test]
    fn who_falls_behind_is_told_how_things_stand() {
        let uploads = Announcements::new();
        let (one, mut slow) = (uploads.enter(), uploads.enter());
        let (first, last) = (ImageId::new(), ImageId::new());
        one.begin(&begin(first)).unwrap();
        assert_eq!(said(&mut slow), [begun(first)]);
        one.end(end(first)).unwrap();
        for _ in 0..RING {
            let upload = ImageId::new();
            one.begin(&begin(upload)).unwrap();
            one.end(end(upload)).unwrap();
        }
        one.begin(&begin(last)).unwrap();
        assert_eq!(said(&mut slow), [ended(first), begun(last)]);
        assert!(said(&mut slow).is_empty());
    }
}
