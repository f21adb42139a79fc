//! All of a vendor's plans at once, in one transaction.

use std::collections::{HashMap, HashSet};

use diesel::{ExpressionMethods, QueryDsl, SelectableHelper};
use diesel_async::RunQueryDsl;
use roadstead_core::{PlanId, ProviderId, SalePlanId};
use serde_json::{Value, json};

use super::{begin, insert, next_position, overwrite, refused, told, touch};
use crate::answers::once;
use crate::db::{Connection, Repository, detached, run};
use crate::error::Result;
use crate::record::{
    AuditEntry, Imported, NewSalePlan, OfferedPlan, OwnMarkups, PlanImport, SalePlan,
};
use crate::schema::{service_providers, vps_plans};
use crate::types::{Id, Time};
use crate::{audit, providers, row};

impl Repository {
    /// Puts a vendor's plans on sale, brings those that are up to date and retires those that
    /// the vendor has ceased to sell: all of it, or nothing. What the operator changed stays.
    ///
    /// # Errors
    ///
    /// [`crate::Error::NotFound`] if there is no such provider account,
    /// [`crate::Error::Markup`] with the first plan that cannot have its markup.
    pub async fn import_sale_plans(
        &self,
        provider: ProviderId,
        import: PlanImport,
        audit: AuditEntry,
    ) -> Result<Imported> {
        let repository = self.clone();
        detached(async move {
            let mut tx = repository.db.begin().await?;
            let outcome = once!(
                &mut tx,
                &audit,
                import_all(&mut tx, provider, import, &audit)
            );
            tx.finish(outcome).await
        })
        .await
    }
}

/// What an import has done, for the audit log.
#[derive(Default)]
struct Story {
    added: Vec<Value>,
    updated: Vec<Value>,
    retired: Vec<Value>,
}

async fn import_all(
    tx: &mut Connection,
    provider: ProviderId,
    import: PlanImport,
    audit: &AuditEntry,
) -> Result<Imported> {
    // Of two imports at once the second waits here, and finds what the first has added.
    providers::lock(tx, Id(provider.0)).await?;
    let now = tx.now().await?;
    let kind: String = run!(tx, c => service_providers::table.find(Id(provider.0))
        .select(service_providers::kind).first(c).await)?;
    let mut known = known(tx, provider, &kind).await?;
    let sold: HashSet<&PlanId> = import.sold.iter().collect();
    let mut story = Story::default();
    let mut imported = Imported {
        skipped: import.skipped,
        ..Imported::default()
    };
    let mut position = next_position(tx).await?;
    for offered in &import.offered {
        let Some(before) = known.remove(&offered.remote) else {
            let plan = added(provider, &kind, offered, &import, position, now)?;
            position = position.saturating_add(1);
            insert(tx, &plan).await?;
            story.added.push(told(&plan));
            imported.added += 1;
            continue;
        };
        let mut after = updated(&before, offered, &import)?;
        if after.differs(&before) {
            touch(&mut after, now);
            story
                .updated
                .push(json!({ "before": told(&before), "after": told(&after) }));
            imported.updated += 1;
        } else {
            imported.unchanged += 1;
        }
        // Even where nothing else differs, the prices are known of a later time.
        overwrite(tx, &after).await?;
    }
    for mut plan in known.into_values() {
        if !plan.retired && !sold.contains(&plan.remote) {
            plan.retired = true;
            touch(&mut plan, now);
            overwrite(tx, &plan).await?;
            story.retired.push(told(&plan));
            imported.retired += 1;
        }
    }
    let details = json!({
        "added": story.added,
        "updated": story.updated,
        "unchanged": imported.unchanged,
        "retired": story.retired,
    });
    audit::append_with(tx, audit, details, now).await?;
    Ok(imported)
}

/// Returns the account's plans, held for a change until the end of the transaction.
async fn known(
    tx: &mut Connection,
    provider: ProviderId,
    kind: &str,
) -> Result<HashMap<PlanId, SalePlan>> {
    let of_account = vps_plans::table
        .filter(vps_plans::provider_id.eq(Id(provider.0)))
        .order(vps_plans::id);
    let rows: Vec<row::SalePlan> = match tx {
        Connection::Postgres(object) => {
            let locked = of_account.select(row::SalePlan::as_select()).for_update();
            locked.load(&mut **object).await?
        }
        // SQLite's one writer is the lock.
        Connection::Sqlite(object) => {
            let all = of_account.select(row::SalePlan::as_select());
            all.load(&mut **object).await?
        }
    };
    let plans = rows.into_iter().map(|it| it.into_record(kind.to_owned()));
    plans
        .map(|it| it.map(|it| (it.remote.clone(), it)))
        .collect()
}

fn added(
    provider: ProviderId,
    kind: &str,
    offered: &OfferedPlan,
    import: &PlanImport,
    position: i64,
    now: Time,
) -> Result<SalePlan> {
    let new = NewSalePlan {
        id: SalePlanId::fresh(),
        provider,
        offered: offered.clone(),
        name: None,
        base: None,
        markup: import.markup,
        regions: import.regions.clone(),
        images: Vec::new(),
        active: true,
        position: None,
    };
    let mut plan = begin(new, kind.to_owned(), position, now);
    plan.markup_is_own = false;
    plan.reprice().map_err(refused(&plan.remote))?;
    Ok(plan)
}

fn updated(before: &SalePlan, offered: &OfferedPlan, import: &PlanImport) -> Result<SalePlan> {
    let mut after = before.clone();
    after.take(offered);
    if !before.markup_is_own || import.own_markups == OwnMarkups::Replace {
        after.markup = import.markup;
        after.markup_is_own = false;
    }
    after.reprice().map_err(refused(&after.remote))?;
    Ok(after)
}
