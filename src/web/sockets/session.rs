//! One viewer's session, from the upgrade to the end, whichever of its many ends it finds.

use std::collections::VecDeque;
use std::time::Duration;

use actix_web::web::Data;
use actix_ws::AggregatedMessage;
use serde_json::Value;
use tokio::time::{Instant, MissedTickBehavior, interval_at, sleep_until, timeout};

use super::announcements::Announcer;
use super::commands::{Outcome, Request};
use super::feed::{FeedKind, ViewerFeed};
use super::outbox::Outbox;
use super::protocol::client_messages::ClientMessages;
use super::protocol::frame::{self, CloseCode, Frame};
use super::protocol::message;
use crate::web::http::connection::Connection;
use crate::web::sockets::presence::Present;
use crate::web::state::State;

/// How many commands may wait; further ones wait in the client's socket.
const MAX_COMMANDS: usize = 32;

/// How many questions for a sign of life may stay without an answer.
const MAX_MISSED: u32 = 2;

/// How long a client may take to answer the last frame.
const CLOSE_LIMIT: Duration = Duration::from_secs(2);

/// A viewer's session. It holds at most about 1 MiB for its client: when the outbox is full, neither feed nor client is
/// listened to until there is room, and a client who takes nothing for [`Settings::patience`] is disconnected.
///
/// [`Settings::patience`]: crate::web::Settings::patience
pub(crate) struct Session {
    state: Data<State>,
    outbox: Outbox,
    messages: ClientMessages,
    connection: Connection,
    feed: ViewerFeed,
    present: Present,
    uploads: Announcer,
    /// Commands that wait for their turn: they are carried out one after the other, so that moves keep their order.
    commands: VecDeque<Request>,
    /// The answer to come for the command that is carried out now.
    running: Option<Running>,
    /// Answers that wait for the end of the message under way.
    answers: VecDeque<Frame>,
    /// How many questions for a sign of life were asked since the client was heard last.
    missed: u32,
}

/// A command that is carried out, and the mark under which it is answered.
struct Running {
    reference: Value,
    outcome: Outcome,
}

/// How a session ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// With a last frame for the client.
    Close(CloseCode),
    /// The connection has ended.
    Gone,
    /// The client does not read, or does not live.
    Cut(&'static str),
}

impl Session {
    pub(crate) fn new(
        state: Data<State>,
        kind: FeedKind,
        outbox: Outbox,
        messages: ClientMessages,
        connection: Connection,
    ) -> Self {
        Self {
            feed: ViewerFeed::new(kind, &state),
            present: state.presence.enter(),
            uploads: state.announcements.enter(),
            state,
            outbox,
            messages,
            connection,
            commands: VecDeque::new(),
            running: None,
            answers: VecDeque::new(),
            missed: 0,
        }
    }

    pub(crate) async fn run(mut self) {
        let end = self.serve().await;
        let Self {
            outbox,
            connection,
            feed,
            present,
            uploads,
            messages,
            ..
        } = self;
        // The feed's connection to the database closes now, however long the client takes, and its uploads are over.
        drop((feed, present, uploads));
        match end {
            End::Gone => {}
            End::Cut(why) => {
                log::info!("disconnected a viewer: {why}");
                outbox.finish();
                connection.cut();
            }
            End::Close(code) => close(code, &outbox, messages, &connection).await,
        }
    }

    /// Serves the client until its session ends.
    async fn serve(&mut self) -> End {
        let shutdown = self.state.shutdown.clone();
        let heartbeat = self.state.settings.heartbeat;
        let mut heartbeat = interval_at(Instant::now() + heartbeat, heartbeat);
        heartbeat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            self.begin_command();
            let has_room = self.outbox.has_room();
            let stuck_until = self.stuck_until();
            let takes_commands =
                has_room && self.commands.len() + self.answers.len() < MAX_COMMANDS;
            let may_speak = has_room && !self.feed.is_inside_message();
            tokio::select! {
                biased;
                () = shutdown.cancelled() => return End::Close(CloseCode::Away),
                () = self.outbox.gone() => return End::Gone,
                // What waited when this turn began may have been taken since, without a word to us.
                () = until(stuck_until) => if self.stuck_until().is_some_and(|end| end <= Instant::now()) {
                    return End::Cut("it reads nothing");
                },
                _ = heartbeat.tick() => if let Some(end) = self.ping() {
                    return end;
                },
                outcome = outcome(&mut self.running), if has_room => self.answer(outcome),
                message = self.messages.next(), if takes_commands => {
                    if let Err(end) = self.on_message(message) {
                        return end;
                    }
                }
                count = self.present.count(), if may_speak => self.outbox.push(message::user_update(count)),
                frame = self.uploads.next(), if may_speak => self.outbox.push(frame),
                frame = self.feed.next(), if has_room => if let Some(frame) = frame {
                    self.outbox.push(frame);
                    self.give_answers();
                },
                () = self.outbox.room(), if !has_room => {}
            }
        }
    }

    /// Until when the client must take something of what waits for it, if anything does.
    fn stuck_until(&self) -> Option<Instant> {
        let since = self.outbox.stuck_since()?;
        Some(since + self.state.settings.patience)
    }

    /// Begins the next command if none is carried out.
    fn begin_command(&mut self) {
        while self.running.is_none() {
            let Some(Request { reference, command }) = self.commands.pop_front() else {
                return;
            };
            match command {
                Ok(command) => {
                    let outcome = command.begin(&self.state, &self.uploads);
                    self.running = Some(Running { reference, outcome });
                }
                Err(why) => {
                    self.answers.push_back(message::ack(&reference, Err(&why)));
                    self.give_answers();
                }
            }
        }
    }

    fn answer(&mut self, outcome: Result<(), &'static str>) {
        if let Some(Running { reference, .. }) = self.running.take() {
            self.answers.push_back(message::ack(&reference, outcome));
            self.give_answers();
        }
    }

    /// Sends the answers, unless a message is under way: then they wait, and no more commands are taken than may wait.
    fn give_answers(&mut self) {
        if !self.feed.is_inside_message() {
            self.answers
                .drain(..)
                .for_each(|answer| self.outbox.push(answer));
        }
    }

    fn on_message(&mut self, message: Result<AggregatedMessage, CloseCode>) -> Result<(), End> {
        self.missed = 0;
        match message.map_err(End::Close)? {
            AggregatedMessage::Text(text) => self.commands.push_back(Request::parse(&text)),
            AggregatedMessage::Ping(payload) => self.outbox.push(frame::pong(&payload)),
            AggregatedMessage::Pong(_) => {}
            AggregatedMessage::Binary(_) => return Err(End::Close(CloseCode::Unsupported)),
            AggregatedMessage::Close(_) => return Err(End::Close(CloseCode::Normal)),
        }
        Ok(())
    }

    /// Asks the client for a sign of life, unless it left too many questions unanswered. Taking what waits for it is a sign
    /// too: on a slow line the question may stand behind a large picture.
    fn ping(&mut self) -> Option<End> {
        let recently = self.state.settings.heartbeat / 2;
        if self
            .outbox
            .stuck_since()
            .is_some_and(|since| since.elapsed() < recently)
        {
            self.missed = 0;
        } else if self.missed >= MAX_MISSED {
            return Some(End::Cut("it gives no sign of life"));
        }
        self.missed += 1;
        self.outbox.push(frame::ping());
        None
    }
}

/// Sends the last frame and ends the connection: at once if the client has closed, too, since it may wait for that.
async fn close(
    code: CloseCode,
    outbox: &Outbox,
    messages: ClientMessages,
    connection: &Connection,
) {
    outbox.push(frame::close(code));
    let client_has_read = match code {
        CloseCode::Normal => true,
        CloseCode::Away | CloseCode::Unsupported => {
            // Who does not answer in time is not waited for any longer.
            let _ = timeout(CLOSE_LIMIT, client_closes(messages, outbox)).await;
            true
        }
        // What it says cannot be understood any more: the server reads and drops it for a while.
        CloseCode::Protocol | CloseCode::Invalid | CloseCode::TooBig => false,
    };
    outbox.finish();
    let sent = timeout(CLOSE_LIMIT, outbox.gone()).await;
    if client_has_read || sent.is_err() {
        connection.cut();
    }
}

/// Waits for the client's last frame, or for the end of the connection.
async fn client_closes(mut messages: ClientMessages, outbox: &Outbox) {
    loop {
        tokio::select! {
            () = outbox.gone() => return,
            message = messages.next() => match message {
                Ok(AggregatedMessage::Close(_)) | Err(_) => return,
                Ok(_) => {}
            }
        }
    }
}

/// Waits until then, or for ever.
async fn until(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}

/// Waits for the command that is carried out, or for ever.
async fn outcome(running: &mut Option<Running>) -> Result<(), &'static str> {
    match running {
        Some(running) => running.outcome.as_mut().await,
        None => std::future::pending().await,
    }
}
