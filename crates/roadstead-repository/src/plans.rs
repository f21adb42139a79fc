//! Plans on sale: put on sale, changed, taken off, and held while one is bought.

mod import;
mod list;

use diesel::dsl::{count_star, max};
use diesel::{ExpressionMethods, OptionalExtension, QueryDsl, SelectableHelper};
use diesel_async::RunQueryDsl;
use roadstead_core::{PlanId, Price, SalePlanId};
use serde_json::{Value, json};

use crate::answers::once;
use crate::db::{Connection, Repository, detached, read, run, written};
use crate::error::{Error, Result};
use crate::record::{
    AuditEntry, BaseChange, Lifecycle, NewSalePlan, Sale, SalePlan, SalePlanPatch,
};
use crate::schema::{service_providers, vps_instances, vps_plans};
use crate::types::{DbTime, Id, Time};
use crate::{audit, providers, row};

const TWICE: &str = "this plan of the provider is on sale already; change that one";

const RETIRED: &str = "the provider no longer sells this plan; import its plans when it does";

const fn missing() -> Error {
    Error::NotFound {
        what: "plan on sale",
    }
}

impl Repository {
    /// Puts a plan on sale.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] if there is no such provider account, [`Error::Conflict`] if the
    /// vendor's plan is on sale already, [`Error::Markup`].
    pub async fn create_sale_plan(&self, new: NewSalePlan, audit: AuditEntry) -> Result<SalePlan> {
        let repository = self.clone();
        detached(async move {
            let mut tx = repository.db.begin().await?;
            let outcome = once!(&mut tx, &audit, create(&mut tx, new, &audit));
            tx.finish(outcome).await
        })
        .await
    }

    /// Returns a plan on sale, or one that was; none of a deleted account.
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`] if the database does not answer.
    pub async fn find_sale_plan(&self, id: SalePlanId) -> Result<Option<SalePlan>> {
        let found: Option<(row::SalePlan, String)> = read!(self.db, c => vps_plans::table
            .inner_join(service_providers::table)
            .filter(vps_plans::id.eq(Id(id.0)))
            .filter(service_providers::deleted_at.is_null())
            .select((row::SalePlan::as_select(), service_providers::kind))
            .first(c).await.optional())?;
        found.map(|(row, kind)| row.into_record(kind)).transpose()
    }

    /// Changes a plan on sale. Servers that were sold under it keep their terms.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] if there is none, [`Error::Conflict`] if it is to be sold although
    /// the vendor has ceased to, [`Error::Markup`].
    pub async fn update_sale_plan(
        &self,
        id: SalePlanId,
        patch: SalePlanPatch,
        audit: AuditEntry,
    ) -> Result<SalePlan> {
        let repository = self.clone();
        detached(async move {
            let mut tx = repository.db.begin().await?;
            let outcome = once!(&mut tx, &audit, update(&mut tx, Id(id.0), &patch, &audit));
            tx.finish(outcome).await
        })
        .await
    }

    /// Deletes a plan on sale.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] if there is none, [`Error::PlanInUse`] while there are servers that
    /// were sold under it.
    pub async fn delete_sale_plan(&self, id: SalePlanId, audit: AuditEntry) -> Result<()> {
        let repository = self.clone();
        detached(async move {
            let mut tx = repository.db.begin().await?;
            let outcome = once!(&mut tx, &audit, delete(&mut tx, Id(id.0), &audit));
            tx.finish(outcome).await
        })
        .await
    }
}

/// Holds the account that a server is made at, and the plan under which it is sold, until the end
/// of the transaction. Returns the time by the database's clock.
///
/// # Errors
///
/// [`Error::NotFound`] if there is no such account, [`Error::Changed`] if the plan is not as the
/// sale saw it.
pub(crate) async fn hold(tx: &mut Connection, provider: Id, sale: Option<&Sale>) -> Result<Time> {
    let Some(sale) = sale else {
        return providers::hold(tx, provider).await;
    };
    let as_seen = vps_plans::table
        .find(Id(sale.plan.0))
        .filter(vps_plans::provider_id.eq(provider))
        .filter(vps_plans::revision.eq(sale.revision));
    let changed = Error::Changed {
        what: "plan on sale",
    };
    match tx {
        Connection::Postgres(object) => {
            // Both in one flight.
            let both = as_seen
                .inner_join(service_providers::table)
                .filter(service_providers::deleted_at.is_null())
                .select(written::<DbTime>("clock_timestamp()"))
                .for_share();
            if let Some(now) = both.first(&mut **object).await.optional()? {
                return Ok(now);
            }
            providers::hold(tx, provider).await?;
            Err(changed)
        }
        // SQLite's one writer is the lock.
        Connection::Sqlite(object) => {
            let as_seen = as_seen.select(vps_plans::id);
            let found: Option<Id> = as_seen.first(&mut **object).await.optional()?;
            let now = providers::hold(tx, provider).await?;
            found.map(|_| now).ok_or(changed)
        }
    }
}

async fn create(tx: &mut Connection, new: NewSalePlan, audit: &AuditEntry) -> Result<SalePlan> {
    let now = tx.now().await?;
    let provider = Id(new.provider.0);
    providers::hold(tx, provider).await?;
    let kind: String = run!(tx, c => service_providers::table.find(provider)
        .select(service_providers::kind).first(c).await)?;
    let position = match new.position {
        Some(position) => position,
        None => next_position(tx).await?,
    };
    let mut plan = begin(new, kind, position, now);
    plan.reprice().map_err(refused(&plan.remote))?;
    insert(tx, &plan).await?;
    let details = json!({ "after": told(&plan) });
    audit::append_with(tx, audit, details, now).await?;
    as_kept(&plan)
}

/// Makes a plan whose prices are still to be set.
fn begin(new: NewSalePlan, kind: String, position: i64, now: Time) -> SalePlan {
    let offered = new.offered;
    let mut plan = SalePlan {
        id: new.id,
        provider: new.provider,
        kind: kind.into(),
        remote: offered.remote.clone(),
        remote_label: offered.label.clone(),
        name: new.name.unwrap_or_else(|| offered.label.clone()),
        hardware: offered.hardware.clone(),
        base: new.base,
        markup: new.markup,
        markup_is_own: true,
        price: None,
        offerings: Vec::new(),
        regions: new.regions,
        images: new.images,
        active: new.active,
        retired: false,
        position,
        revision: 1,
        created_at: now.0,
        updated_at: now.0,
    };
    plan.take(&offered);
    plan
}

async fn next_position(tx: &mut Connection) -> Result<i64> {
    let last: Option<i64> = run!(tx, c => vps_plans::table
        .select(max(vps_plans::position)).first(c).await)?;
    Ok(last.map_or(0, |it| it.saturating_add(1)))
}

async fn insert(tx: &mut Connection, plan: &SalePlan) -> Result<()> {
    let row = row::SalePlan::new(plan)?;
    run!(tx, c => diesel::insert_into(vps_plans::table).values(&row).execute(c).await)
        .map_err(Error::taken(TWICE))?;
    Ok(())
}

/// Writes a plan over the row it came from.
async fn overwrite(tx: &mut Connection, plan: &SalePlan) -> Result<()> {
    let row = row::SalePlan::new(plan)?;
    run!(tx, c => diesel::update(vps_plans::table.find(row.id)).set(&row).execute(c).await)?;
    Ok(())
}

async fn update(
    tx: &mut Connection,
    id: Id,
    patch: &SalePlanPatch,
    audit: &AuditEntry,
) -> Result<SalePlan> {
    let now = tx.now().await?;
    let before = lock(tx, id).await?;
    let mut after = before.clone();
    match &patch.base {
        None => {}
        Some(BaseChange::Operator(base)) => after.base = Some(base.clone()),
        Some(BaseChange::Provider(offered)) => {
            after.base = None;
            let retired = after.retired;
            after.take(offered);
            after.retired = retired;
        }
    }
    if let Some(markup) = patch.markup
        && markup != after.markup
    {
        after.markup = markup;
        after.markup_is_own = true;
    }
    after.name = patch.name.clone().unwrap_or(after.name);
    after.regions = patch.regions.clone().unwrap_or(after.regions);
    after.images = patch.images.clone().unwrap_or(after.images);
    after.position = patch.position.unwrap_or(after.position);
    match patch.active {
        Some(true) if after.retired => return Err(Error::Conflict { what: RETIRED }),
        // Whoever sends back what was shown does not mean to switch it off for good.
        Some(false) if after.retired => {}
        Some(active) => after.active = active,
        None => {}
    }
    after.reprice().map_err(refused(&after.remote))?;
    if after.differs(&before) {
        touch(&mut after, now);
    }
    overwrite(tx, &after).await?;
    let details = json!({ "before": told(&before), "after": told(&after) });
    audit::append_with(tx, audit, details, now).await?;
    as_kept(&after)
}

async fn delete(tx: &mut Connection, id: Id, audit: &AuditEntry) -> Result<()> {
    let now = tx.now().await?;
    let plan = lock(tx, id).await?;
    let count: i64 = run!(tx, c => vps_instances::table
        .filter(vps_instances::sale_plan_id.eq(Some(id)))
        .filter(vps_instances::lifecycle.ne(Lifecycle::Deleted.as_str()))
        .select(count_star()).first(c).await)?;
    if count > 0 {
        return Err(Error::PlanInUse {
            count: count.unsigned_abs(),
        });
    }
    run!(tx, c => diesel::delete(vps_plans::table.find(id)).execute(c).await)?;
    let details = json!({ "before": told(&plan) });
    audit::append_with(tx, audit, details, now).await
}

/// Returns a plan and holds it for a change until the end of the transaction.
async fn lock(tx: &mut Connection, id: Id) -> Result<SalePlan> {
    let found = vps_plans::table.find(id);
    let row: Option<row::SalePlan> = match tx {
        Connection::Postgres(object) => {
            let locked = found.select(row::SalePlan::as_select()).for_update();
            locked.first(&mut **object).await.optional()?
        }
        Connection::Sqlite(object) => found
            .select(row::SalePlan::as_select())
            .first(&mut **object)
            .await
            .optional()?,
    };
    let row = row.ok_or_else(missing)?;
    let kind: Option<String> = run!(tx, c => service_providers::table.find(row.provider_id)
        .filter(service_providers::deleted_at.is_null())
        .select(service_providers::kind).first(c).await.optional())?;
    row.into_record(kind.ok_or_else(missing)?)
}

/// Returns a plan as it will be read back: the database keeps whole microseconds.
fn as_kept(plan: &SalePlan) -> Result<SalePlan> {
    row::SalePlan::new(plan)?.into_record(plan.kind.to_string())
}

fn touch(plan: &mut SalePlan, now: Time) {
    plan.revision = plan.revision.saturating_add(1);
    plan.updated_at = now.0;
}

fn refused(plan: &PlanId) -> impl FnOnce(roadstead_core::MarkupError) -> Error {
    let plan = plan.clone();
    |error| Error::Markup { plan, error }
}

/// Returns what the audit log tells of a plan: all that an operator decides, and the prices.
fn told(plan: &SalePlan) -> Value {
    let price = |it: Option<&Price>| {
        it.map(|it| json!({ "hourly": it.hourly, "monthly": it.monthly, "source": it.source }))
    };
    let aparts = plan.offerings.iter().filter_map(|it| {
        let apart = it.apart.as_ref()?;
        let prices = json!({
            "base": price(apart.base.as_ref()),
            "price": price(apart.price.as_ref()),
        });
        Some((it.region.to_string(), prices))
    });
    json!({
        "provider_id": plan.provider,
        "type": plan.remote,
        "name": plan.name,
        "base": price(plan.base.as_ref()),
        "markup": told_markup(plan),
        "price": price(plan.price.as_ref()),
        "regions_apart": aparts.collect::<serde_json::Map<_, _>>(),
        "regions": plan.regions,
        "images": plan.images,
        "active": plan.active,
        "retired": plan.retired,
        "position": plan.position,
        "revision": plan.revision,
    })
}

fn told_markup(plan: &SalePlan) -> Value {
    use roadstead_core::Markup;
    match plan.markup {
        Markup::None => json!({ "kind": "none" }),
        Markup::Percent(percent) => json!({ "kind": "percent", "percent": percent.to_string() }),
        Markup::Fixed { hourly, monthly } => {
            json!({ "kind": "fixed", "hourly": hourly, "monthly": monthly })
        }
    }
}
