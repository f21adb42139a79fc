//! Reading events by their place, giving them one, and forgetting the old.

use std::time::Duration;

use diesel::dsl::max;
use diesel::sql_types::Integer;
use diesel::{ExpressionMethods, OptionalExtension, QueryDsl, SelectableHelper};
use diesel_async::RunQueryDsl;
use roadstead_core::EventId;

use crate::db::{Connection, Repository, read, write};
use crate::error::{Error, Result};
use crate::record::{Event, Position};
use crate::schema::events;
use crate::types::{Id, Time};
use crate::{Tenant, row};

/// How many events get their place in one statement.
const PUBLISHED_AT_ONCE: i32 = 1000;

/// Some events in their order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventPage {
    /// The events.
    pub events: Vec<Event>,
    /// Up to where they were read; `None` when there were none.
    pub upto: Option<Position>,
    /// Whether there may be more.
    pub more: bool,
}

#[diesel::declare_sql_function]
extern "SQL" {
    /// Made by the migration; PostgreSQL's alone.
    fn publish_events(most: Integer) -> Integer;
}

type Line = (Option<i64>, row::Event);

impl Repository {
    /// Gives committed events their place in the order. Returns whether there were any.
    ///
    /// Events that are written side by side are committed in an order that nobody knows before;
    /// a reader that went by the order of writing would pass over the late ones. So their
    /// places are given afterwards, by one at a time, without holding up who writes. SQLite has
    /// one writer and needs none of this.
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`] if the database does not answer.
    pub async fn publish_events(&self) -> Result<bool> {
        let mut any = false;
        loop {
            let published = match self.db.writer().await? {
                Connection::Sqlite(_) => return Ok(false),
                Connection::Postgres(mut object) => {
                    let publish = diesel::select(publish_events(PUBLISHED_AT_ONCE));
                    publish.get_result::<i32>(&mut *object).await?
                }
            };
            any |= published > 0;
            if published < PUBLISHED_AT_ONCE {
                return Ok(any);
            }
        }
    }

    /// Returns the place of the latest event of all organizations.
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`] if the database does not answer.
    pub async fn latest_position(&self) -> Result<Position> {
        let latest: Option<i64> =
            read!(self.db, c => events::table.select(max(events::position)).first(c).await)?;
        Ok(Position(latest.unwrap_or_default()))
    }

    /// Returns the events of all organizations after a place, in their order.
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`] if the database does not answer.
    pub async fn events_after(&self, after: Position, limit: u32) -> Result<EventPage> {
        let lines: Vec<Line> = read!(self.db, c => events::table
            .filter(events::position.gt(after.0))
            .order(events::position).limit(i64::from(limit))
            .select((events::position, row::Event::as_select())).load(c).await)?;
        page(lines, limit)
    }

    /// Returns a tenant's events after a place, in their order.
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`] if the database does not answer.
    pub async fn tenant_events_after(
        &self,
        tenant: &Tenant,
        after: Position,
        limit: u32,
    ) -> Result<EventPage> {
        let lines: Vec<Line> = read!(self.db, c => events::table
            .filter(events::organization_id.eq(Id(tenant.org.0)))
            .filter(events::position.gt(after.0))
            .order(events::position).limit(i64::from(limit))
            .select((events::position, row::Event::as_select())).load(c).await)?;
        page(lines, limit)
    }

    /// Returns a tenant's latest event, if one is kept.
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`] if the database does not answer.
    pub async fn latest_event(&self, tenant: &Tenant) -> Result<Option<(EventId, Position)>> {
        let line: Option<(Id, Option<i64>)> = read!(self.db, c => events::table
            .filter(events::organization_id.eq(Id(tenant.org.0)))
            .filter(events::position.is_not_null())
            .order(events::position.desc())
            .select((events::id, events::position)).first(c).await.optional())?;
        Ok(line.and_then(|(id, position)| Some((EventId(id.0), Position(position?)))))
    }

    /// Returns the place of one of the tenant's events; `None` if it is no longer kept, never
    /// was, or is another tenant's.
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`] if the database does not answer.
    pub async fn find_event(&self, tenant: &Tenant, id: EventId) -> Result<Option<Position>> {
        let found: Option<Option<i64>> = read!(self.db, c => events::table.find(Id(id.0))
            .filter(events::organization_id.eq(Id(tenant.org.0)))
            .select(events::position).first(c).await.optional())?;
        Ok(found.flatten().map(Position))
    }

    /// Returns whether more than `most` of a tenant's events stand after a place.
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`] if the database does not answer.
    pub async fn has_more_events(
        &self,
        tenant: &Tenant,
        after: Position,
        most: u32,
    ) -> Result<bool> {
        let beyond: Option<Option<i64>> = read!(self.db, c => events::table
            .filter(events::organization_id.eq(Id(tenant.org.0)))
            .filter(events::position.gt(after.0))
            .order(events::position).offset(i64::from(most)).limit(1)
            .select(events::position).first(c).await.optional())?;
        Ok(beyond.is_some())
    }

    /// Forgets the oldest events: those older than `age`, and those beyond the `most` latest, as
    /// far as `limit` goes. Returns how many it forgot.
    ///
    /// What is forgotten is always a beginning of the order, so that who still finds an event
    /// finds all that came after it. The latest one stays.
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`] if the database does not answer.
    pub async fn trim_events(&self, age: Duration, most: u32, limit: u32) -> Result<u32> {
        let latest = self.latest_position().await?.0;
        let lines: Vec<(Option<i64>, Time)> = read!(self.db, c => events::table
            .filter(events::position.lt(latest))
            .order(events::position).limit(i64::from(limit))
            .select((events::position, events::created_at)).load(c).await)?;
        let oldest = Time::now().before(age);
        let crowded = latest.saturating_sub(i64::from(most));
        let last = lines
            .into_iter()
            .map_while(|(position, at)| {
                position.filter(|position| at < oldest || *position <= crowded)
            })
            .last();
        let Some(last) = last else { return Ok(0) };
        let forgotten = write!(self.db, c => diesel::delete(events::table)
            .filter(events::position.le(last)).execute(c).await)?;
        Ok(u32::try_from(forgotten).unwrap_or(u32::MAX))
    }
}

fn page(lines: Vec<Line>, limit: u32) -> Result<EventPage> {
    let mut page = EventPage {
        events: Vec::with_capacity(lines.len()),
        upto: None,
        more: u32::try_from(lines.len()).is_ok_and(|it| it >= limit),
    };
    for (position, row) in lines {
        let position = Position(position.ok_or(Error::Corrupt {
            column: "events.position",
        })?);
        page.events.extend(row.into_record(position)?);
        page.upto = Some(position);
    }
    Ok(page)
}
