//! Reading servers, page by page, and what members change about them.

use diesel::dsl::sql;
use diesel::sql_types::{Bool, Text};
use diesel::{
    BoolExpressionMethods, EscapeExpressionMethods, ExpressionMethods, OptionalExtension, QueryDsl,
    SelectableHelper, TextExpressionMethods,
};
use diesel_async::RunQueryDsl;
use roadstead_core::{InstanceId, State};

use crate::db::{Backend, Connection, Repository, Written, detached, read, run, written};
use crate::error::{Error, Result};
use crate::events::Told;
use crate::record::{AuditEntry, Instance, InstanceFilter, InstancePatch, Lifecycle};
use crate::schema::vps_instances;
use crate::types::{Id, Time};
use crate::{Tenant, audit, row};

pub(crate) const fn missing() -> Error {
    Error::NotFound { what: "instance" }
}

/// Servers that are not deleted. Written out, because a bound value would hide from the
/// databases that the partial index of pages fits.
fn kept() -> Written<Bool> {
    written("vps_instances.lifecycle <> 'deleted'")
}

impl Repository {
    /// Returns one of the tenant's servers; a deleted one too, so that its end can be told from
    /// its absence.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] if there is none, or if it is another tenant's: the two look alike on
    /// purpose.
    pub async fn get_instance(&self, tenant: &Tenant, id: InstanceId) -> Result<Instance> {
        let row = read!(self.db, c => vps_instances::table.find(Id(id.0))
            .filter(vps_instances::organization_id.eq(Id(tenant.org.0)))
            .select(row::Instance::as_select()).first(c).await.optional())?;
        row.ok_or_else(missing)?.into_record()
    }

    /// Returns a page of the tenant's servers, newest first, from one statement. The last id of
    /// a page is where the next begins.
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`] if the database does not answer.
    pub async fn list_instances(
        &self,
        tenant: &Tenant,
        filter: &InstanceFilter,
        before: Option<InstanceId>,
        limit: u32,
    ) -> Result<Vec<Instance>> {
        let status = filter.status.as_deref().map(of_status);
        if status
            .as_ref()
            .is_some_and(|(lifecycles, power)| lifecycles.is_empty() && power.is_none())
        {
            return Ok(Vec::new());
        }
        let backend = self.backend();
        let rows: Vec<row::Instance> = read!(self.db, c => {
            let mut query = vps_instances::table
                .filter(vps_instances::organization_id.eq(Id(tenant.org.0)))
                .filter(kept())
                .into_boxed();
            if let Some(before) = before {
                query = query.filter(vps_instances::id.lt(Id(before.0)));
            }
            match &status {
                None => {}
                Some((lifecycles, None)) => {
                    query = query.filter(vps_instances::lifecycle.eq_any(lifecycles));
                }
                Some((lifecycles, Some(power))) => {
                    let live = vps_instances::lifecycle.eq(Lifecycle::Live.as_str())
                        .and(vps_instances::power.eq(power.as_str()));
                    query = query.filter(vps_instances::lifecycle.eq_any(lifecycles).or(live));
                }
            }
            if let Some(kind) = &filter.kind {
                query = query.filter(vps_instances::provider_kind.eq(kind.as_str()));
            }
            if let Some(provider) = filter.provider {
                query = query.filter(vps_instances::provider_id.eq(Id(provider.0)));
            }
            if let Some(region) = &filter.region {
                query = query.filter(vps_instances::region_id.eq(region.as_str()));
            }
            if let Some(label) = &filter.label {
                let pattern = containing(label);
                query = query.filter(vps_instances::label_folded.like(pattern).escape('\\'));
            }
            if let Some(tag) = &filter.tag {
                let (head, tail) = tagged(backend);
                query = query.filter(sql::<Bool>(head).bind::<Text, _>(tag).sql(tail));
            }
            query.order(vps_instances::id.desc()).limit(i64::from(limit))
                .select(row::Instance::as_select()).load(c).await
        })?;
        rows.into_iter().map(row::Instance::into_record).collect()
    }

    /// Changes what members say about a server.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] if there is none, if it is another tenant's, or if it is deleted.
    pub async fn update_instance(
        &self,
        tenant: &Tenant,
        id: InstanceId,
        patch: InstancePatch,
        audit: AuditEntry,
    ) -> Result<Instance> {
        let (repository, tenant) = (self.clone(), *tenant);
        detached(async move {
            let mut tx = repository.db.begin().await?;
            let outcome = update(&mut tx, &tenant, Id(id.0), &patch, &audit).await;
            let instance = tx.finish(outcome).await?;
            repository.told();
            Ok(instance)
        })
        .await
    }
}

/// Returns one of the tenant's servers and holds it for a change until the end of the
/// transaction.
///
/// # Errors
///
/// [`Error::NotFound`] if there is none, or if it is another tenant's.
pub(crate) async fn lock(tx: &mut Connection, tenant: &Tenant, id: Id) -> Result<row::Instance> {
    let theirs = vps_instances::table
        .find(id)
        .filter(vps_instances::organization_id.eq(Id(tenant.org.0)));
    let row = match tx {
        Connection::Postgres(object) => {
            let locked = theirs.select(row::Instance::as_select()).for_update();
            locked.first(&mut **object).await.optional()?
        }
        // SQLite's one writer is the lock.
        Connection::Sqlite(object) => theirs
            .select(row::Instance::as_select())
            .first(&mut **object)
            .await
            .optional()?,
    };
    row.ok_or_else(missing)
}

async fn update(
    tx: &mut Connection,
    tenant: &Tenant,
    id: Id,
    patch: &InstancePatch,
    audit: &AuditEntry,
) -> Result<Instance> {
    let now = Time::now();
    let tags = patch
        .tags
        .as_ref()
        .map(|it| row::json("these tags", it))
        .transpose()?;
    let changes = (
        patch.label.as_ref().map(|it| vps_instances::label.eq(it)),
        patch
            .label
            .as_ref()
            .map(|it| vps_instances::label_folded.eq(it.to_lowercase())),
        tags.map(|it| vps_instances::tags.eq(it)),
        patch.notes.as_ref().map(|it| vps_instances::notes.eq(it)),
        vps_instances::updated_at.eq(now),
    );
    let row = run!(tx, c => diesel::update(vps_instances::table.find(id))
        .filter(vps_instances::organization_id.eq(Id(tenant.org.0)))
        .filter(kept()).set(changes)
        .returning(row::Instance::as_returning()).get_result(c).await.optional())?;
    let row = row.ok_or_else(missing)?;
    audit::append(tx, audit, now).await?;
    let mut told = Told::default();
    told.instance(&row, now)?;
    told.write(tx).await?;
    row.into_record()
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
fn containing(text: &str) -> String {
    let folded = text.to_lowercase();
    let mut pattern = String::with_capacity(folded.len().saturating_add(2));
    pattern.push('%');
    for letter in folded.chars() {
        if matches!(letter, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(letter);
    }
    pattern.push('%');
    pattern
}

/// Returns the two halves of a condition around a tag.
const fn tagged(backend: Backend) -> (&'static str, &'static str) {
    match backend {
        Backend::Postgres => (
            "vps_instances.tags @> jsonb_build_array(CAST(",
            " AS text))",
        ),
        Backend::Sqlite => (
            "EXISTS (SELECT 1 FROM json_each(vps_instances.tags) AS tag WHERE tag.value = ",
            ")",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_public_status_is_found_again() {
        for lifecycle in Lifecycle::ALL {
            for power in State::ALL {
                let shown = match lifecycle {
                    Lifecycle::Pending | Lifecycle::Resolving => State::Provisioning.as_str(),
                    Lifecycle::Live => power.as_str(),
                    Lifecycle::Deleting
                    | Lifecycle::Deleted
                    | Lifecycle::Failed
                    | Lifecycle::Missing
                    | Lifecycle::Attention => lifecycle.as_str(),
                };
                let (lifecycles, live) = of_status(shown);
                let found = lifecycles.contains(&lifecycle.as_str())
                    || (lifecycle == Lifecycle::Live && live == Some(power));
                assert!(found, "{shown}");
            }
        }
        assert_eq!(of_status("nonsense"), (Vec::new(), None));
        assert_eq!(of_status("live"), (Vec::new(), None));
    }

    #[test]
    fn a_pattern_takes_its_letters_literally() {
        assert_eq!(containing("A%_\\"), "%a\\%\\_\\\\%");
    }
}
