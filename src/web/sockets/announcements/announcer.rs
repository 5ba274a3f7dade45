//! The announcements of one session.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;

use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;

use super::table::{Announcements, Change, OpenUpload, SessionId};
use crate::image::{BoardId, ImageId};
use crate::web::sockets::protocol::events::{UploadBegin, UploadEnd, upload_end};
use crate::web::sockets::protocol::frame::Frame;

/// Announces the uploads of one session and receives those of others. Dropping it ends the session's uploads.
pub(crate) struct Announcer {
    announcements: Arc<Announcements>,
    session: SessionId,
    changes: Receiver<Change>,
    /// The uploads of others that the viewer shows.
    shown: HashSet<ImageId>,
    /// Events to send before the next change.
    pending: VecDeque<Frame>,
}

impl Announcer {
    /// Registers a session on a board. Its first events are the uploads in progress.
    pub(crate) fn new(announcements: Arc<Announcements>, board: BoardId) -> Self {
        let session = announcements.register(board);
        let snapshot = announcements.snapshot(board);
        Self {
            session,
            changes: snapshot.changes,
            shown: snapshot.open.keys().copied().collect(),
            pending: snapshot.open.into_values().map(|open| open.frame).collect(),
            announcements,
        }
    }

    /// Announces an upload. See [`Announcements::begin`].
    ///
    /// # Errors
    ///
    /// A message for the client.
    pub(crate) fn begin(&self, begin: &UploadBegin, is_hidden: bool) -> Result<(), &'static str> {
        self.announcements.begin(self.session, begin, is_hidden)
    }

    /// Checks that an upload may be announced. See [`Announcements::admit`].
    ///
    /// # Errors
    ///
    /// A message for the client.
    pub(crate) fn admit(&self, upload: ImageId) -> Result<(), &'static str> {
        self.announcements.admit(self.session, upload)
    }

    /// Ends an upload of this session.
    ///
    /// # Errors
    ///
    /// A message for the client.
    pub(crate) fn end(&self, end: UploadEnd) -> Result<(), &'static str> {
        self.announcements.end(self.session, end)
    }

    /// Waits for the next event about an upload of another session, or the move of one of this session. Cancellation
    /// safe.
    pub(crate) async fn next(&mut self) -> Frame {
        loop {
            if let Some(frame) = self.pending.pop_front() {
                return frame;
            }
            match self.changes.recv().await {
                Ok(change) => {
                    if let Some(frame) = self.apply(change) {
                        return frame;
                    }
                }
                Err(RecvError::Lagged(_)) => self.catch_up(),
                // Unreachable: the sender lives as long as `announcements`.
                Err(RecvError::Closed) => std::future::pending().await,
            }
        }
    }

    /// Returns the event for the viewer, if the change concerns it.
    fn apply(&mut self, change: Change) -> Option<Frame> {
        let is_own = change.session == self.session;
        if change.session.board != self.session.board || change.is_hidden && !is_own {
            return None;
        }
        let concerns_viewer = if change.is_open && !is_own {
            self.shown.insert(change.upload);
            true
        } else {
            // An upload that this session has taken over is no longer another's.
            self.shown.remove(&change.upload)
        };
        let is_for_viewer = concerns_viewer && !is_own || is_own && change.concerns_uploader;
        is_for_viewer.then_some(change.frame)
    }

    /// Replaces the missed changes by the difference between what the viewer shows and the table.
    fn catch_up(&mut self) {
        let snapshot = self.announcements.snapshot(self.session.board);
        self.changes = snapshot.changes;
        let others: HashMap<ImageId, OpenUpload> = snapshot
            .open
            .into_iter()
            .filter(|(_, open)| open.session != self.session)
            .collect();
        let ended = self
            .shown
            .iter()
            .filter(|upload| !others.contains_key(upload))
            .map(|&upload| upload_end(UploadEnd { upload, id: None }));
        // Also those that the viewer shows: their placements may have moved.
        let begun = others.values().map(|open| open.frame.clone());
        self.pending = ended.chain(begun).collect();
        self.shown = others.into_keys().collect();
    }
}

impl Drop for Announcer {
    fn drop(&mut self) {
        self.announcements.end_all(self.session);
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt as _;

    use super::*;
    use crate::store::Area;
    use crate::web::sockets::announcements::table::{MAX_OF_SESSION, MAX_OPEN, RING};

    fn announcer(uploads: &Arc<Announcements>) -> Announcer {
        Announcer::new(uploads.clone(), BoardId::MAIN)
    }

    fn begin(upload: ImageId) -> UploadBegin {
        UploadBegin {
            upload,
            file_name: "cat.png".into(),
            x: Some(1.5),
            y: None,
            w: None,
            h: None,
        }
    }

    fn end(upload: ImageId) -> UploadEnd {
        UploadEnd { upload, id: None }
    }

    /// Returns the events that are ready for the viewer of a session.
    fn ready_events(session: &mut Announcer) -> Vec<String> {
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
    fn other_viewers_see_an_upload_until_it_ends() {
        let uploads = Arc::new(Announcements::new());
        let (mut one, mut other) = (announcer(&uploads), announcer(&uploads));
        let upload = ImageId::new();
        one.begin(&begin(upload), false).unwrap();
        assert_eq!(ready_events(&mut other), [begun(upload)]);
        let mut late = announcer(&uploads);
        assert_eq!(ready_events(&mut late), [begun(upload)]);
        assert_eq!(other.end(end(upload)), Err("there is no such upload"));
        one.end(UploadEnd {
            upload,
            id: Some(upload),
        })
        .unwrap();
        let stored =
            format!(r#"{{"event":"Upload:end","data":{{"upload":"{upload}","id":"{upload}"}}}}"#);
        for session in [&mut other, &mut late] {
            assert_eq!(ready_events(session), std::slice::from_ref(&stored));
        }
        assert!(ready_events(&mut one).is_empty());
        assert!(ready_events(&mut announcer(&uploads)).is_empty());
    }

    #[test]
    fn a_hidden_upload_belongs_to_its_session_and_is_announced_to_nobody() {
        let uploads = Arc::new(Announcements::new());
        let (mut own, mut other) = (announcer(&uploads), announcer(&uploads));
        let upload = ImageId::new();
        own.begin(&begin(upload), true).unwrap();
        uploads.move_upload(
            upload,
            Area {
                x: 1.5,
                y: 2.0,
                w: 3.0,
                h: 4.0,
            },
        );
        assert_eq!(ready_events(&mut own).len(), 1);
        assert_eq!(other.end(end(upload)), Err("there is no such upload"));
        assert!(ready_events(&mut announcer(&uploads)).is_empty());
        own.end(end(upload)).unwrap();
        assert!(ready_events(&mut other).is_empty());
    }

    #[test]
    fn an_upload_to_another_board_is_not_announced() {
        let uploads = Arc::new(Announcements::new());
        let mut here = announcer(&uploads);
        let there = Announcer::new(uploads.clone(), BoardId::random());
        let upload = ImageId::new();
        there.begin(&begin(upload), false).unwrap();
        assert!(ready_events(&mut here).is_empty());
        assert!(ready_events(&mut announcer(&uploads)).is_empty());
        assert!(here.begin(&begin(upload), false).is_err());
        drop(there);
        assert!(ready_events(&mut here).is_empty());
    }

    #[test]
    fn uploads_end_with_their_session() {
        let uploads = Arc::new(Announcements::new());
        let (one, mut other) = (announcer(&uploads), announcer(&uploads));
        let ids = [ImageId::new(), ImageId::new()];
        for upload in ids {
            one.begin(&begin(upload), false).unwrap();
        }
        one.end(end(ids[0])).unwrap();
        drop(one);
        let events = ready_events(&mut other);
        assert_eq!(events.len(), 4);
        assert_eq!(events[2..], ids.map(ended));
    }

    #[test]
    fn a_viewer_that_reconnects_takes_over_its_uploads() {
        let uploads = Arc::new(Announcements::new());
        let (old, mut other) = (announcer(&uploads), announcer(&uploads));
        let upload = ImageId::new();
        old.begin(&begin(upload), false).unwrap();
        let new = announcer(&uploads);
        new.begin(&begin(upload), false).unwrap();
        drop(old);
        assert_eq!(ready_events(&mut other), [begun(upload), begun(upload)]);
        drop(new);
        assert_eq!(ready_events(&mut other), [ended(upload)]);
    }

    #[test]
    fn the_uploads_of_a_session_and_of_the_server_are_limited() {
        let uploads = Arc::new(Announcements::new());
        let sessions: Vec<_> = (0..=MAX_OPEN / MAX_OF_SESSION)
            .map(|_| announcer(&uploads))
            .collect();
        let ids: Vec<ImageId> = (0..MAX_OPEN).map(|_| ImageId::new()).collect();
        let too_many = Err("too many uploads are in progress");
        for (session, ids) in sessions.iter().zip(ids.chunks(MAX_OF_SESSION)) {
            for &upload in ids {
                assert_eq!(session.begin(&begin(upload), false), Ok(()));
            }
            assert_eq!(session.begin(&begin(ImageId::new()), false), too_many);
            assert_eq!(session.begin(&begin(ids[0]), false), Ok(()));
        }
        let last = sessions.last().unwrap();
        assert_eq!(last.begin(&begin(ImageId::new()), false), too_many);
        sessions[0].end(end(ids[0])).unwrap();
        assert_eq!(last.begin(&begin(ImageId::new()), false), Ok(()));
    }

    #[test]
    fn a_session_that_falls_behind_skips_intermediate_changes() {
        let uploads = Arc::new(Announcements::new());
        let (one, mut slow) = (announcer(&uploads), announcer(&uploads));
        let (first, last) = (ImageId::new(), ImageId::new());
        one.begin(&begin(first), false).unwrap();
        assert_eq!(ready_events(&mut slow), [begun(first)]);
        one.end(end(first)).unwrap();
        for _ in 0..RING {
            let upload = ImageId::new();
            one.begin(&begin(upload), false).unwrap();
            one.end(end(upload)).unwrap();
        }
        one.begin(&begin(last), false).unwrap();
        assert_eq!(ready_events(&mut slow), [ended(first), begun(last)]);
        assert!(ready_events(&mut slow).is_empty());
    }
}
