//! The session of one viewer, from the upgrade to the end of the connection.

use std::collections::VecDeque;
use std::sync::Arc;

use actix_ws::AggregatedMessage;
use futures::future::LocalBoxFuture;
use futures::stream::FuturesOrdered;
use futures::{FutureExt as _, StreamExt as _};
use serde_json::Value;
use tokio::time::{Instant, MissedTickBehavior, interval_at, sleep_until};

use super::announcements::announcer::Announcer;
use super::closing::close;
use super::commands::command::{Command, Executor, Success};
use super::commands::request::Request;
use super::limits::{CommandThrottle, OpenSocket};
use super::outbox::Outbox;
use super::presence::PresenceGuard;
use super::protocol::client_messages::ClientMessages;
use super::protocol::events::{self, AckDetails, ReservedPlacement, UploadBegin};
use super::protocol::frame::{self, CloseCode, Frame};
use super::session_access::SessionAccess;
use super::session_context::SessionContext;
use super::viewer_feed::{FeedKind, ViewerFeed};
use crate::store::Area;
use crate::web::access::grant::Grant;
use crate::web::board_json::GrantJson;
use crate::web::http::connection::ConnectionHandle;

/// The number of commands that may be queued or running. Further ones stay in the client's socket.
const MAX_COMMANDS: usize = 32;

/// The number of pings that may stay unanswered.
const MAX_UNANSWERED_PINGS: u32 = 2;

/// A viewer's session.
///
/// It holds at most about 1 MiB for its client. The first records are shared by all sessions that see the whole board;
/// a session has only their order, 4 bytes a photo, until they are sent. When the outbox is full, the session reads
/// neither its feed nor its client, and it ends if the client reads nothing within [`Settings::session_read_timeout`].
///
/// [`Settings::session_read_timeout`]: crate::web::Settings::session_read_timeout
pub(crate) struct Session {
    context: Arc<SessionContext>,
    kind: FeedKind,
    access: SessionAccess,
    /// The viewer has yet to be told what it may do.
    is_board_update_due: bool,
    outbox: Outbox,
    messages: ClientMessages,
    connection: ConnectionHandle,
    feed: ViewerFeed,
    presence: PresenceGuard,
    announcer: Announcer,
    /// Commands run one after another, which keeps moves in order. Only reservations run together, so that a folder of
    /// images is laid out in one step.
    commands: VecDeque<Request>,
    throttle: CommandThrottle,
    /// Time at which the next command may start, if it came too early.
    throttled_until: Option<Instant>,
    running: FuturesOrdered<LocalBoxFuture<'static, FinishedCommand>>,
    are_reservations_running: bool,
    /// Answers that wait for the end of a fragmented message.
    answers: VecDeque<Frame>,
    unanswered_pings: u32,
}

struct FinishedCommand {
    /// The client's `ref`, repeated in the answer.
    reference: Value,
    outcome: Result<Success, &'static str>,
}

/// Reason for the end of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// With a close frame.
    Close(CloseCode),
    /// The connection has ended.
    Disconnected,
    /// The client does not respond, for this reason.
    Abort(&'static str),
}

impl Session {
    pub(crate) fn new(
        context: Arc<SessionContext>,
        kind: FeedKind,
        access: SessionAccess,
        outbox: Outbox,
        messages: ClientMessages,
        connection: ConnectionHandle,
        throttle: CommandThrottle,
    ) -> Self {
        let board = access.grant.board.id;
        Self {
            feed: ViewerFeed::new(kind, &access.grant, &context),
            presence: context.presence.join(board),
            announcer: Announcer::new(context.announcements.clone(), board),
            context,
            kind,
            access,
            is_board_update_due: true,
            outbox,
            messages,
            connection,
            commands: VecDeque::new(),
            throttle,
            throttled_until: None,
            running: FuturesOrdered::new(),
            are_reservations_running: false,
            answers: VecDeque::new(),
            unanswered_pings: 0,
        }
    }

    /// Runs the session to its end, and then drops `_place`, which makes room for another socket.
    ///
    /// It lives as long as the viewer looks, so its future is small: what it moves or rarely awaits is boxed.
    pub(crate) async fn run(mut self: Box<Self>, _place: Option<OpenSocket>) {
        let end = self.serve().await;
        let Self {
            context,
            outbox,
            connection,
            feed,
            presence,
            announcer,
            messages,
            ..
        } = *self;
        // Closes the database connection and ends the uploads now, however long the client takes to close.
        drop((feed, presence, announcer));
        match end {
            End::Disconnected => {}
            End::Abort(reason) => {
                log::info!("disconnected a viewer: {reason}");
                context.metrics.count_abort();
                outbox.finish();
                connection.abort();
            }
            End::Close(code) => Box::pin(close(code, &outbox, messages, &connection)).await,
        }
    }

    async fn serve(&mut self) -> End {
        let shutdown = self.context.shutdown.clone();
        let interval = self.context.heartbeat_interval;
        let mut heartbeat = interval_at(Instant::now() + interval, interval);
        heartbeat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            self.start_command();
            let has_room = self.outbox.has_room();
            let read_deadline = self.read_deadline();
            let queued = self.commands.len() + self.running.len() + self.answers.len();
            let may_read = has_room && queued < MAX_COMMANDS;
            let may_send_event = has_room && !self.feed.is_inside_message();
            if self.is_board_update_due && may_send_event {
                self.send_board_update();
            }
            tokio::select! {
                biased;
                () = shutdown.cancelled() => return End::Close(CloseCode::Away),
                () = self.outbox.disconnected() => return End::Disconnected,
                // The connection may have sent bytes since the deadline was computed.
                () = until(read_deadline) => if self.read_deadline().is_some_and(|end| end <= Instant::now()) {
                    return End::Abort("it has stopped reading");
                },
                changed = self.access.changed() => match changed {
                    Ok(before) => self.on_access_changed(&before),
                    Err(code) => return End::Close(code),
                },
                () = until(self.throttled_until), if self.throttled_until.is_some() => {
                    self.throttled_until = None;
                }
                _ = heartbeat.tick() => if let Some(end) = self.ping() {
                    return end;
                },
                Some(finished) = self.running.next(), if has_room => self.answer(finished),
                message = self.messages.next(), if may_read => if let Err(end) = self.on_message(message) {
                    return end;
                },
                update = self.presence.update(), if may_send_event => self.outbox.push(update),
                frame = self.announcer.next(), if may_send_event => self.outbox.push(frame),
                frame = self.feed.next(), if has_room => if let Some(frame) = frame {
                    self.outbox.push(frame);
                    self.send_answers();
                },
                () = self.outbox.room(), if !has_room => {}
            }
        }
    }

    /// Returns the time by which the client must read some of the queued bytes, if there are any.
    fn read_deadline(&self) -> Option<Instant> {
        let since = self.outbox.stalled_since()?;
        Some(since + self.context.read_timeout)
    }

    /// Starts the next command, unless one is running that must end first, or the client sends too many: the others
    /// then wait here and in its socket.
    fn start_command(&mut self) {
        loop {
            let may_start = |next: &Request| {
                let is_reservation = matches!(next.command, Ok(Command::ReserveUpload(..)));
                self.running.is_empty() || self.are_reservations_running && is_reservation
            };
            let Some(next) = self.commands.front().filter(|next| may_start(next)) else {
                return;
            };
            if self.throttled_until.is_some() {
                return;
            }
            if let Err(wait) = self.throttle.take(next.command.as_ref().ok()) {
                self.throttled_until = Some(Instant::now() + wait);
                return;
            }
            let Some(Request { reference, command }) = self.commands.pop_front() else {
                return;
            };
            match command {
                Ok(command) => {
                    self.are_reservations_running = matches!(command, Command::ReserveUpload(..));
                    let executor = Executor {
                        store: &self.context.store,
                        cache: &self.context.cache,
                        announcer: &self.announcer,
                        presence: &self.presence,
                        grant: &self.access.grant,
                    };
                    let outcome = executor.execute(command);
                    let finish = outcome.map(|outcome| FinishedCommand { reference, outcome });
                    self.running.push_back(finish.boxed_local());
                }
                Err(message) => {
                    let answer = events::ack(&reference, Err(&message));
                    self.answers.push_back(answer);
                    self.send_answers();
                }
            }
        }
    }

    fn answer(&mut self, finished: FinishedCommand) {
        let FinishedCommand { reference, outcome } = finished;
        let outcome = outcome.and_then(|success| match success {
            Success::Done => Ok(AckDetails::default()),
            Success::Named(person) => Ok(AckDetails {
                person,
                ..AckDetails::default()
            }),
            Success::Reserved(begin, area) => self.announce(begin, area),
        });
        self.answers.push_back(events::ack(&reference, outcome));
        self.send_answers();
    }

    /// Tells the viewer what it may do.
    fn send_board_update(&mut self) {
        let SessionAccess { grant, .. } = &self.access;
        let update = GrantJson::new(grant, self.access.access());
        self.outbox.push(events::board_update(&update));
        self.is_board_update_due = false;
    }

    fn on_access_changed(&mut self, before: &Grant) {
        self.is_board_update_due = true;
        let grant = &self.access.grant;
        if self.kind != FeedKind::Latest && grant.sees_waiting() != before.sees_waiting() {
            self.feed = ViewerFeed::new(self.kind, grant, &self.context);
        }
    }

    /// Announces an upload at its reserved placement.
    fn announce(&self, begin: UploadBegin, area: Area) -> Result<AckDetails, &'static str> {
        let upload = begin.upload;
        // Nobody else is told of an image that will wait for approval.
        let is_hidden = self.access.grant.must_wait();
        if let Err(message) = self.announcer.begin(&begin.at(area), is_hidden) {
            let board = self.context.store.board(self.access.grant.board.id);
            board.release_placement(upload);
            return Err(message);
        }
        let Area { x, y, w, .. } = area;
        Ok(AckDetails {
            place: Some(ReservedPlacement { x, y, w }),
            ..AckDetails::default()
        })
    }

    /// Sends the answers, unless a fragmented message is incomplete. They then wait, and count as queued commands.
    fn send_answers(&mut self) {
        if !self.feed.is_inside_message() {
            self.answers
                .drain(..)
                .for_each(|answer| self.outbox.push(answer));
        }
    }

    fn on_message(&mut self, message: Result<AggregatedMessage, CloseCode>) -> Result<(), End> {
        self.unanswered_pings = 0;
        match message.map_err(End::Close)? {
            AggregatedMessage::Text(text) => self.commands.push_back(Request::parse(&text)),
            AggregatedMessage::Ping(payload) => self.outbox.push(frame::pong(&payload)),
            AggregatedMessage::Pong(_) => {}
            AggregatedMessage::Binary(_) => return Err(End::Close(CloseCode::Unsupported)),
            AggregatedMessage::Close(_) => return Err(End::Close(CloseCode::Normal)),
        }
        Ok(())
    }

    /// Sends a ping, unless too many pings are unanswered. Reading queued bytes counts as an answer: on a slow line the
    /// ping may be queued behind a large image.
    fn ping(&mut self) -> Option<End> {
        let recent = self.context.heartbeat_interval / 2;
        if self
            .outbox
            .stalled_since()
            .is_some_and(|since| since.elapsed() < recent)
        {
            self.unanswered_pings = 0;
        } else if self.unanswered_pings >= MAX_UNANSWERED_PINGS {
            return Some(End::Abort("it does not answer pings"));
        }
        self.unanswered_pings += 1;
        self.outbox.push(frame::ping());
        None
    }
}

/// Waits until `deadline`, or forever.
async fn until(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}
