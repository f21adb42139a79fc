//! Pages of servers: each from one statement, in an order that an index serves.

use diesel::sql_types::{Bool, Text};
use diesel::{
    BoolExpressionMethods, EscapeExpressionMethods, ExpressionMethods, IntoSql, QueryDsl,
    SelectableHelper, TextExpressionMethods,
};
use diesel_async::RunQueryDsl;
use roadstead_core::{InstanceId, State};

use super::kept;
use crate::db::{Backend, Connection, Repository, Written, literally, written};
use crate::error::Result;
use crate::record::{InstanceFilter, InstanceSlice, Lifecycle, ListedBy, Listing};
use crate::schema::vps_instances;
use crate::types::{DbTime, DbUuid, Id, Time};
use crate::{Tenant, row};

/// Makes the statement of a page. A macro, because the type of a statement differs by database.
///
/// The place where a page begins is compared as one row value: only then do both databases find
/// it by the index, however many servers share a label or a region.
macro_rules! page {
    ($database:ty, $tenant:expr, $filter:expr, $listing:expr) => {{
        let (tenant, filter, listing): (&Tenant, &Wanted<'_>, &Listing) =
            ($tenant, $filter, $listing);
        let mut query = vps_instances::table
            .filter(vps_instances::organization_id.eq(Id(tenant.org.0)))
            .filter(kept())
            .select(row::Instance::as_select())
            .limit(i64::from(listing.limit).saturating_add(1))
            .into_boxed::<$database>();
        query = match (&listing.by, listing.descending) {
            (ListedBy::Created { .. }, false) => {
                query.order((vps_instances::created_at.asc(), vps_instances::id.asc()))
            }
            (ListedBy::Created { .. }, true) => {
                query.order((vps_instances::created_at.desc(), vps_instances::id.desc()))
            }
            (ListedBy::Label { .. }, false) => {
                query.order((vps_instances::label_folded.asc(), vps_instances::id.asc()))
            }
            (ListedBy::Label { .. }, true) => {
                query.order((vps_instances::label_folded.desc(), vps_instances::id.desc()))
            }
            (ListedBy::Region { .. }, false) => {
                query.order((vps_instances::region_id.asc(), vps_instances::id.asc()))
            }
            (ListedBy::Region { .. }, true) => {
                query.order((vps_instances::region_id.desc(), vps_instances::id.desc()))
            }
        };
        let beyond = beyond(listing);
        query = match &listing.by {
            ListedBy::Created {
                after: Some((time, id)),
            } => {
                let place = beyond.bind(Time::from(*time).into_sql::<DbTime>(), ", ");
                query.filter(place.bind(Id(id.0).into_sql::<DbUuid>(), ")"))
            }
            ListedBy::Label {
                after: Some((text, id)),
            }
            | ListedBy::Region {
                after: Some((text, id)),
            } => {
                let place = beyond.bind(text.as_str().into_sql::<Text>(), ", ");
                query.filter(place.bind(Id(id.0).into_sql::<DbUuid>(), ")"))
            }
            ListedBy::Created { after: None }
            | ListedBy::Label { after: None }
            | ListedBy::Region { after: None } => query,
        };
        match &filter.status {
            None => {}
            Some((lifecycles, None)) => {
                query = query.filter(vps_instances::lifecycle.eq_any(lifecycles));
            }
            Some((lifecycles, Some(power))) => {
                let live = vps_instances::lifecycle
                    .eq(Lifecycle::Live.as_str())
                    .and(vps_instances::power.eq(power.as_str()));
                query = query.filter(vps_instances::lifecycle.eq_any(lifecycles).or(live));
            }
        }
        if let Some(kind) = &filter.asked.kind {
            query = query.filter(vps_instances::provider_kind.eq(kind.as_str()));
        }
        if let Some(provider) = filter.asked.provider {
            query = query.filter(vps_instances::provider_id.eq(Id(provider.0)));
        }
        if let Some(region) = &filter.asked.region {
            query = query.filter(vps_instances::region_id.eq(region.as_str()));
        }
        if let Some(label) = &filter.asked.label {
            let pattern = containing(label);
            query = query.filter(vps_instances::label_folded.like(pattern).escape('\\'));
        }
        if let Some(tag) = &filter.asked.tag {
            let (head, tail) = tagged(filter.backend);
            query = query.filter(head.bind(tag.as_str().into_sql::<Text>(), tail));
        }
        query
    }};
}

/// A filter in the words of the table.
struct Wanted<'a> {
    asked: &'a InstanceFilter,
    /// The lifecycles that show the status, and the power that shows it while a server is live.
    status: Option<(Vec<&'static str>, Option<State>)>,
    backend: Backend,
}

impl<'a> Wanted<'a> {
    fn new(asked: &'a InstanceFilter, backend: Backend) -> Self {
        Self {
            asked,
            status: asked.status.as_deref().map(of_status),
            backend,
        }
    }

    /// Returns whether no server can be what is asked for.
    fn is_empty(&self) -> bool {
        let status = self.status.as_ref();
        status.is_some_and(|(lifecycles, power)| lifecycles.is_empty() && power.is_none())
    }
}

impl Repository {
    /// Returns a page of the tenant's servers, without deleted ones, from one statement.
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`](crate::Error::Unavailable) if the database does not answer.
    pub async fn list_instances(
        &self,
        tenant: &Tenant,
        filter: &InstanceFilter,
        listing: &Listing,
    ) -> Result<InstanceSlice> {
        let wanted = Wanted::new(filter, self.backend());
        if wanted.is_empty() {
            return Ok(InstanceSlice {
                items: Vec::new(),
                next: None,
            });
        }
        let mut rows: Vec<row::Instance> = match &mut self.db.reader().await? {
            Connection::Postgres(object) => {
                let query = page!(diesel::pg::Pg, tenant, &wanted, listing);
                query.load(&mut **object).await?
            }
            Connection::Sqlite(object) => {
                let query = page!(diesel::sqlite::Sqlite, tenant, &wanted, listing);
                query.load(&mut **object).await?
            }
        };
        // One more than asked for tells whether the list goes on.
        let limit = usize::try_from(listing.limit).unwrap_or(usize::MAX);
        let goes_on = rows.len() > limit;
        rows.truncate(limit);
        let next = rows
            .last()
            .filter(|_| goes_on)
            .map(|it| place(&listing.by, it));
        let items = rows.into_iter().map(row::Instance::into_record);
        Ok(InstanceSlice {
            items: items.collect::<Result<_>>()?,
            next,
        })
    }
}

/// Returns the beginning of the condition that a server stands beyond a place.
const fn beyond(listing: &Listing) -> Written<Bool> {
    written(match (&listing.by, listing.descending) {
        (ListedBy::Created { .. }, false) => "(vps_instances.created_at, vps_instances.id) > (",
        (ListedBy::Created { .. }, true) => "(vps_instances.created_at, vps_instances.id) < (",
        (ListedBy::Label { .. }, false) => "(vps_instances.label_folded, vps_instances.id) > (",
        (ListedBy::Label { .. }, true) => "(vps_instances.label_folded, vps_instances.id) < (",
        (ListedBy::Region { .. }, false) => "(vps_instances.region_id, vps_instances.id) > (",
        (ListedBy::Region { .. }, true) => "(vps_instances.region_id, vps_instances.id) < (",
    })
}

/// Returns the place of a row in an order.
fn place(by: &ListedBy, row: &row::Instance) -> ListedBy {
    let id = InstanceId(row.id.0);
    match by {
        ListedBy::Created { .. } => ListedBy::Created {
            after: Some((row.created_at.0, id)),
        },
        ListedBy::Label { .. } => ListedBy::Label {
            after: Some((row.label_folded.clone(), id)),
        },
        ListedBy::Region { .. } => ListedBy::Region {
            after: Some((row.region_id.clone(), id)),
        },
    }
}

/// Returns which lifecycles show a status, and which power shows it while the server is live.
fn of_status(word: &str) -> (Vec<&'static str>, Option<State>) {
    let lifecycles = match Lifecycle::from_word(word) {
        Some(
            it @ (Lifecycle::Deleting
            | Lifecycle::Deleted
            | Lifecycle::Failed
            | Lifecycle::Missing
            | Lifecycle::Attention),
        ) => vec![it.as_str()],
        Some(Lifecycle::Pending | Lifecycle::Resolving | Lifecycle::Live) => Vec::new(),
        None if word == State::Provisioning.as_str() => {
            vec![Lifecycle::Pending.as_str(), Lifecycle::Resolving.as_str()]
        }
        None => Vec::new(),
    };
    (lifecycles, State::from_word(word))
}

/// Returns a `LIKE` pattern for texts that contain this one, case folded.
pub(super) fn containing(text: &str) -> String {
    format!("%{}%", literally(&text.to_lowercase()))
}

/// Returns the two halves of a condition around a tag.
const fn tagged(backend: Backend) -> (Written<Bool>, &'static str) {
    match backend {
        Backend::Postgres => (
            written("vps_instances.tags @> jsonb_build_array(CAST("),
            " AS text))",
        ),
        Backend::Sqlite => (
            written(
                "EXISTS (SELECT 1 FROM json_each(vps_instances.tags) AS tag WHERE tag.value = ",
            ),
            ")",
        ),
    }
}

#[cfg(test)]
mod tests;
