//! Live events: one reader in each process hands them to every stream that is open there.

mod run;
mod stream;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use roadstead_core::{OperationId, OrgId, SessionId, UserId};
use roadstead_repository::{Event, EventBody, OperationState, Position};
use tokio::sync::{mpsc, watch};

use crate::error::{Error, Result};

pub(crate) use self::run::run;
#[cfg(feature = "test-support")]
pub(crate) use self::run::turn;
pub use self::stream::{End, EventFilter, EventItem, EventKind, EventRequest, EventStream};

/// How many events may wait for a stream before it counts as slow.
const BUFFER: usize = 256;

/// How long a stream that is being opened waits for a reader that is just starting.
const START: Duration = Duration::from_secs(5);

/// The clockwork and the bounds of the event streams. Tests shorten them.
#[derive(Clone, Copy, Debug)]
pub struct EventClockwork {
    /// How long a stream is silent at most.
    pub heartbeat: Duration,
    /// How long after a session or a membership has ended a stream may still show something.
    pub recheck: Duration,
    /// How often the books are read although nothing woke the reader.
    pub poll: Duration,
    /// How long a client may take nothing before its stream ends.
    pub patience: Duration,
    /// How long events are kept.
    pub keep: Duration,
    /// How many events are kept at most.
    pub keep_most: u32,
    /// How many events a client may have missed. What more of them add up to is read faster.
    pub most_missed: u32,
    /// How many streams this process serves.
    pub streams: usize,
    /// How many of them one user may have.
    pub streams_each: usize,
}

impl Default for EventClockwork {
    fn default() -> Self {
        Self {
            heartbeat: Duration::from_secs(15),
            recheck: Duration::from_secs(5),
            poll: Duration::from_secs(2),
            patience: Duration::from_secs(30),
            keep: Duration::from_hours(24),
            keep_most: 250_000,
            most_missed: 2_000,
            streams: 512,
            streams_each: 32,
        }
    }
}

/// Who listens in this process, and how far its reader is.
#[derive(Debug)]
pub(crate) struct Feed {
    pub(crate) clockwork: EventClockwork,
    state: Mutex<State>,
    /// Becomes true when the reader knows where it stands: from then on it misses nothing.
    begun: watch::Sender<bool>,
}

#[derive(Debug, Default)]
struct State {
    position: Position,
    closed: bool,
    last_seat: u64,
    seats: HashMap<OrgId, HashMap<u64, Seat>>,
    users: HashMap<UserId, usize>,
    waiters: HashMap<OperationId, watch::Sender<()>>,
}

/// A stream's place among those who listen.
#[derive(Debug)]
struct Seat {
    session: SessionId,
    /// `None` while the stream is catching up by itself.
    live: Option<mpsc::Sender<Arc<Event>>>,
    end: watch::Sender<Option<End>>,
}

/// A seat that is taken. Dropped, it is free again.
#[derive(Debug)]
pub(crate) struct Taken {
    feed: Arc<Feed>,
    organization: OrgId,
    user: UserId,
    number: u64,
    end: watch::Receiver<Option<End>>,
}

/// Waits for news of one operation.
#[derive(Debug)]
pub(crate) struct Waiter<'a> {
    feed: &'a Feed,
    operation: OperationId,
    told: watch::Receiver<()>,
}

impl Feed {
    pub(crate) fn new(clockwork: EventClockwork) -> Arc<Self> {
        Arc::new(Self {
            clockwork,
            state: Mutex::default(),
            begun: watch::Sender::new(false),
        })
    }

    /// Waits for news of an operation; of all that is told after this call.
    pub(crate) fn wait_for(&self, operation: OperationId) -> Waiter<'_> {
        let mut state = self.state.lock();
        let waiter = state.waiters.entry(operation);
        let told = waiter.or_insert_with(|| watch::Sender::new(())).subscribe();
        Waiter {
            feed: self,
            operation,
            told,
        }
    }

    /// Takes a seat for a stream.
    ///
    /// # Errors
    ///
    /// [`Error::TooManyStreams`] when the user has as many as one may have;
    /// [`Error::TryLater`] when the process has, or when it is stopping.
    async fn take(
        self: &Arc<Self>,
        organization: OrgId,
        user: UserId,
        session: SessionId,
    ) -> Result<Taken> {
        let mut begun = self.begun.subscribe();
        let started = tokio::time::timeout(START, begun.wait_for(|it| *it)).await;
        if !matches!(started, Ok(Ok(_))) {
            return Err(Error::TryLater("events cannot be read yet"));
        }
        let mut guard = self.state.lock();
        let state = &mut *guard;
        if state.closed {
            return Err(Error::TryLater("this server is stopping"));
        }
        if state.users.values().sum::<usize>() >= self.clockwork.streams {
            return Err(Error::TryLater("too many event streams are open here"));
        }
        let of_user = state.users.entry(user).or_default();
        if *of_user >= self.clockwork.streams_each {
            return Err(Error::TooManyStreams(self.clockwork.streams_each));
        }
        *of_user = of_user.saturating_add(1);
        state.last_seat = state.last_seat.wrapping_add(1);
        let number = state.last_seat;
        let (end, ended) = watch::channel(None);
        let seat = Seat {
            session,
            live: None,
            end,
        };
        let seats = state.seats.entry(organization).or_default();
        seats.insert(number, seat);
        Ok(Taken {
            feed: Arc::clone(self),
            organization,
            user,
            number,
            end: ended,
        })
    }

    /// Ends the streams of a session.
    pub(crate) fn end_session(&self, session: SessionId) {
        self.end_where(End::LoggedOut, |_, it| it.session == session);
    }

    /// Ends all streams, and opens no more.
    pub(crate) fn close(&self) {
        self.state.lock().closed = true;
        self.end_where(End::Stopping, |_, _| true);
    }

    fn end_where(&self, end: End, is_meant: impl Fn(OrgId, &Seat) -> bool) {
        let mut state = self.state.lock();
        for (organization, seats) in &mut state.seats {
            for seat in seats.values_mut() {
                if is_meant(*organization, seat) {
                    seat.finish(end);
                }
            }
        }
    }

    /// Returns whose streams are open, and where they look.
    fn audience(&self) -> Vec<(SessionId, OrgId)> {
        let state = self.state.lock();
        let seats = state.seats.iter();
        seats
            .flat_map(|(organization, seats)| seats.values().map(|it| (it.session, *organization)))
            .collect()
    }

    fn begin(&self, position: Position) {
        self.state.lock().position = position;
        self.begun.send_replace(true);
    }

    fn position(&self) -> Option<Position> {
        self.begun.borrow().then(|| self.state.lock().position)
    }

    /// Hands events out, up to a place. Returns whether one of them is work for a worker.
    fn hand_out(&self, events: Vec<Event>, upto: Position) -> bool {
        let mut work = false;
        let mut guard = self.state.lock();
        let state = &mut *guard;
        state.position = upto;
        for event in events {
            if let EventBody::Operation { id, brief } = &event.body {
                work |= brief.state == OperationState::Ready.as_str();
                if let Some(waiters) = state.waiters.get(id) {
                    waiters.send_replace(());
                }
            }
            let Some(seats) = state.seats.get_mut(&event.organization) else {
                continue;
            };
            let event = Arc::new(event);
            for seat in seats.values_mut() {
                let Some(live) = &seat.live else { continue };
                if live.try_send(Arc::clone(&event)).is_err() {
                    // What it has missed from here on it reads when it comes again.
                    seat.finish(End::Slow);
                }
            }
        }
        work
    }
}

impl Seat {
    /// Ends the stream, if nothing has ended it before.
    fn finish(&mut self, end: End) {
        self.live = None;
        self.end.send_if_modified(|it| {
            let first = it.is_none();
            it.get_or_insert(end);
            first
        });
    }
}

impl Taken {
    /// Receives all events that are read after this call.
    fn go_live(&self) -> mpsc::Receiver<Arc<Event>> {
        let (live, events) = mpsc::channel(BUFFER);
        let mut state = self.feed.state.lock();
        let seats = state.seats.get_mut(&self.organization);
        if let Some(seat) = seats.and_then(|it| it.get_mut(&self.number))
            && seat.end.borrow().is_none()
        {
            seat.live = Some(live);
        }
        events
    }

    /// Waits until the stream has to end.
    async fn ended(&mut self) -> End {
        let end = self.end.wait_for(Option::is_some).await;
        // A seat without a sender is one that was given up.
        end.ok().and_then(|it| *it).unwrap_or(End::Stopping)
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        let mut guard = self.feed.state.lock();
        let state = &mut *guard;
        if let Some(seats) = state.seats.get_mut(&self.organization) {
            seats.remove(&self.number);
            if seats.is_empty() {
                state.seats.remove(&self.organization);
            }
        }
        if let Some(count) = state.users.get_mut(&self.user) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                state.users.remove(&self.user);
            }
        }
    }
}

impl Waiter<'_> {
    /// Returns when something was told since the last call.
    pub(crate) async fn told(&mut self) {
        if self.told.changed().await.is_err() {
            std::future::pending().await
        }
    }
}

impl Drop for Waiter<'_> {
    fn drop(&mut self) {
        let mut state = self.feed.state.lock();
        // This one is still counted.
        let last = state
            .waiters
            .get(&self.operation)
            .is_some_and(|it| it.receiver_count() <= 1);
        if last {
            state.waiters.remove(&self.operation);
        }
    }
}
