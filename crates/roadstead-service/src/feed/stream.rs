//! One stream of events: from where its client left off, into what happens now.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use roadstead_core::{EventId, InstanceId};
use roadstead_repository::{Event, EventBody, EventPage, Position, Tenant};
use tokio::sync::mpsc;
use tokio::time::Instant;
use tracing::{Instrument, debug, info};
use uuid::Uuid;

use super::Taken;
use crate::Platform;
use crate::error::Result;
use crate::grant::{Grant, ReadInstances};

/// How many events are read at once while a stream catches up.
const PAGE: u32 = 200;

/// How many items may wait for the client.
const AHEAD: usize = 16;

/// What a client is told by, that is at the end of an order in which there is nothing.
const NOTHING_YET: EventId = EventId(Uuid::nil());

/// What an event is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventKind {
    /// A server.
    Instance,
    /// An operation.
    Operation,
}

/// Which events a client wants.
#[derive(Clone, Debug, Default)]
pub struct EventFilter {
    /// Only those about these.
    pub kinds: Option<Vec<EventKind>>,
    /// Only those about this server and its operations.
    pub instance: Option<InstanceId>,
}

/// What a client asks for.
#[derive(Clone, Debug, Default)]
pub struct EventRequest {
    /// The last event that it has; without one it begins now.
    pub after: Option<EventId>,
    /// What it wants.
    pub filter: EventFilter,
}

/// Something that a stream brings.
#[derive(Clone, Debug)]
pub enum EventItem {
    /// The stream stands. `at` is where it begins, for one that did not say where.
    Begin {
        /// The latest event so far.
        at: Option<EventId>,
    },
    /// Something happened.
    Event(Arc<Event>),
    /// Nothing that the client wants happened up to here.
    Passed(EventId),
    /// Nothing happened.
    Beat,
    /// The client has missed more than is kept for it; it loads everything anew.
    Reset {
        /// Where the stream goes on.
        at: EventId,
    },
    /// The stream ends.
    End(End),
}

/// Why a stream ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The server stops. Another one, or this one started again, goes on.
    Stopping,
    /// The client took too little for too long. It may go on from what it has.
    Slow,
    /// The session has ended.
    LoggedOut,
    /// The user no longer belongs to the organization.
    NoMember,
    /// The database is away.
    Unavailable,
}

impl End {
    /// Returns the word that clients see.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Stopping => "stopping",
            Self::Slow => "slow",
            Self::LoggedOut => "logged_out",
            Self::NoMember => "no_member",
            Self::Unavailable => "unavailable",
        }
    }
}

/// A stream of events. Dropped, it ends.
#[derive(Debug)]
pub struct EventStream {
    items: mpsc::Receiver<EventItem>,
}

impl futures::Stream for EventStream {
    type Item = EventItem;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<EventItem>> {
        self.items.poll_recv(context)
    }
}

impl Platform {
    /// Opens a stream of what happens to the organization's servers and operations.
    ///
    /// # Errors
    ///
    /// [`Error::NoSuchInstance`] if the filter names no server of the organization;
    /// [`Error::TooManyStreams`] if the user has as many as one may have;
    /// [`Error::TryLater`] if this process has, or if it is stopping.
    ///
    /// [`Error::NoSuchInstance`]: crate::Error::NoSuchInstance
    /// [`Error::TooManyStreams`]: crate::Error::TooManyStreams
    /// [`Error::TryLater`]: crate::Error::TryLater
    pub async fn events(
        self: &Arc<Self>,
        grant: &Grant<ReadInstances>,
        asked: EventRequest,
    ) -> Result<EventStream> {
        let tenant = grant.tenant();
        if let Some(instance) = asked.filter.instance {
            self.repository.get_instance(&tenant, instance).await?;
        }
        let session = &grant.caller().session;
        let seat = self
            .feed
            .take(tenant.org, session.user.id, session.id)
            .await?;
        let (out, items) = mpsc::channel(AHEAD);
        let mut stream = Stream {
            platform: Arc::clone(self),
            tenant,
            filter: asked.filter,
            seat,
            out,
            at: Mark::default(),
            beat: Instant::now(),
            passed: false,
            sent: 0,
        };
        let begin = stream.begin(asked.after).await?;
        let span = tracing::info_span!("events", request.id = grant.caller().request_id);
        // A task of its own: a client that goes away cuts no query off.
        tokio::spawn(stream.run(begin).instrument(span));
        Ok(EventStream { items })
    }
}

/// How far a stream has read: up to an event, or before all of them.
#[derive(Clone, Copy, Debug, Default)]
struct Mark {
    id: Option<EventId>,
    position: Position,
}

struct Stream {
    platform: Arc<Platform>,
    tenant: Tenant,
    filter: EventFilter,
    seat: Taken,
    out: mpsc::Sender<EventItem>,
    at: Mark,
    /// When the client is to hear from us again.
    beat: Instant,
    /// Whether the client has yet to hear how far we are.
    passed: bool,
    sent: u64,
}

/// Why a stream is over.
enum Over {
    /// We end it.
    Ended(End),
    /// The client has gone.
    Gone,
}

impl Stream {
    /// Finds where the stream begins, and what the client hears first.
    async fn begin(&mut self, after: Option<EventId>) -> Result<EventItem> {
        let Some(id) = after else {
            let at = Some(self.skip_to_now().await?);
            return Ok(EventItem::Begin { at });
        };
        let repository = &self.platform.repository;
        let most = self.platform.feed.clockwork.most_missed;
        if let Some(position) = repository.find_event(&self.tenant, id).await?
            && !repository
                .has_more_events(&self.tenant, position, most)
                .await?
        {
            let id = Some(id);
            self.at = Mark { id, position };
            return Ok(EventItem::Begin { at: None });
        }
        let at = self.skip_to_now().await?;
        Ok(EventItem::Reset { at })
    }

    async fn skip_to_now(&mut self) -> Result<EventId> {
        let latest = self.platform.repository.latest_event(&self.tenant).await?;
        self.at = latest.map_or_else(Mark::default, |(id, position)| Mark {
            id: Some(id),
            position,
        });
        Ok(self.at.id.unwrap_or(NOTHING_YET))
    }

    async fn run(mut self, begin: EventItem) {
        let over = match self.send(begin).await {
            Ok(()) => match self.serve().await {
                Ok(never) => match never {},
                Err(over) => over,
            },
            Err(over) => over,
        };
        let Self {
            out,
            seat,
            platform,
            sent,
            ..
        } = self;
        let patience = platform.feed.clockwork.patience;
        // The next one may come before the client has read that this one ends.
        drop((seat, platform));
        match over {
            Over::Gone => info!(events = sent, "the client closed its event stream"),
            Over::Ended(end) => {
                info!(
                    events = sent,
                    reason = end.as_str(),
                    "ended an event stream"
                );
                // A client that takes nothing cannot be told.
                let _ = out.send_timeout(EventItem::End(end), patience).await;
            }
        }
    }

    async fn serve(&mut self) -> Result<std::convert::Infallible, Over> {
        while self.catch_up().await? {}
        let mut live = self.seat.go_live();
        // What was published before the seat was live, and after the last look.
        while self.catch_up().await? {}
        loop {
            let beat = self.beat;
            let out = self.out.clone();
            tokio::select! {
                biased;
                end = self.seat.ended() => return Err(Over::Ended(end)),
                () = out.closed() => return Err(Over::Gone),
                Some(event) = live.recv() => {
                    if event.position > self.at.position {
                        self.deliver(event).await?;
                    }
                }
                () = tokio::time::sleep_until(beat) => self.beat().await?,
            }
        }
    }

    /// Reads a page of what the client has missed. Returns whether there may be more.
    async fn catch_up(&mut self) -> Result<bool, Over> {
        let page = self.page().await.map_err(|error| {
            debug!(error = %error, "could not read what a stream has missed");
            Over::Ended(End::Unavailable)
        })?;
        let Some(page) = page else {
            let at = self.skip_to_now().await;
            let at = at.map_err(|_logged_when_it_comes_again| Over::Ended(End::Unavailable))?;
            self.send(EventItem::Reset { at }).await?;
            return Ok(true);
        };
        for event in page.events {
            self.deliver(Arc::new(event)).await?;
        }
        if let Some(upto) = page.upto {
            self.at.position = upto;
        }
        Ok(page.more)
    }

    /// Reads a page; `None` if some of it may have been forgotten.
    async fn page(&self) -> Result<Option<EventPage>> {
        let repository = &self.platform.repository;
        let Mark { id, position } = self.at;
        let page = repository
            .tenant_events_after(&self.tenant, position, PAGE)
            .await?;
        let Some(id) = id else {
            return Ok(Some(page));
        };
        // Asked after reading: what is forgotten is a beginning, so that where this one is still
        // there, nothing behind it was missing.
        let kept = repository.find_event(&self.tenant, id).await?;
        Ok(kept.map(|_| page))
    }

    async fn deliver(&mut self, event: Arc<Event>) -> Result<(), Over> {
        let mark = Mark {
            id: Some(event.id),
            position: event.position,
        };
        if self.filter.wants(&event) {
            self.send(EventItem::Event(event)).await?;
            self.sent = self.sent.saturating_add(1);
        } else {
            self.passed = true;
        }
        self.at = mark;
        Ok(())
    }

    async fn beat(&mut self) -> Result<(), Over> {
        let item = match self.at.id {
            Some(id) if self.passed => EventItem::Passed(id),
            Some(_) | None => EventItem::Beat,
        };
        self.send(item).await
    }

    async fn send(&mut self, item: EventItem) -> Result<(), Over> {
        let clockwork = &self.platform.feed.clockwork;
        tokio::select! {
            biased;
            end = self.seat.ended() => return Err(Over::Ended(end)),
            sent = self.out.send(item) => sent.map_err(|_gone| Over::Gone)?,
            () = tokio::time::sleep(clockwork.patience) => return Err(Over::Ended(End::Slow)),
        }
        self.passed = false;
        self.beat = Instant::now() + clockwork.heartbeat;
        Ok(())
    }
}

impl EventFilter {
    fn wants(&self, event: &Event) -> bool {
        let kind = match &event.body {
            EventBody::Instance(_) => EventKind::Instance,
            EventBody::Operation { .. } => EventKind::Operation,
        };
        self.kinds.as_ref().is_none_or(|it| it.contains(&kind))
            && self.instance.is_none_or(|it| it == event.instance)
    }
}
