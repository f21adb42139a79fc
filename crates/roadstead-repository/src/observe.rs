//! What the vendors say of servers at rest.

use std::time::Duration;

use diesel::sql_types::Bool;
use diesel::{BoolExpressionMethods, ExpressionMethods, QueryDsl, SelectableHelper};
use diesel_async::RunQueryDsl;
use roadstead_core::{InstanceId, ProviderId};

use crate::db::{Connection, Repository, Written, detached, read, run, written};
use crate::error::Result;
use crate::events::Told;
use crate::record::{Instance, Observation};
use crate::row;
use crate::schema::vps_instances;
use crate::types::Id;

/// How many servers one statement names.
const AT_ONCE: usize = 200;

/// Live servers that no operation is at work on.
fn at_rest() -> Written<Bool> {
    written(
        "vps_instances.lifecycle = 'live' AND NOT EXISTS (\
        SELECT 1 FROM operations WHERE operations.instance_id = vps_instances.id \
        AND operations.state NOT IN ('succeeded', 'failed', 'attention'))",
    )
}

impl Repository {
    /// Returns the servers of an account that are live, bound and at rest.
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`](crate::Error::Unavailable) if the database does not answer.
    pub async fn watched(&self, provider: ProviderId) -> Result<Vec<Instance>> {
        let rows: Vec<row::Instance> = read!(self.db, c => vps_instances::table
            .filter(vps_instances::provider_id.eq(Id(provider.0)))
            .filter(vps_instances::remote_id.is_not_null())
            .filter(at_rest())
            .order(vps_instances::id)
            .select(row::Instance::as_select()).load(c).await)?;
        rows.into_iter().map(row::Instance::into_record).collect()
    }

    /// Writes what the vendors say of servers, as far as these are still live and at rest, and
    /// were not seen since the vendor was asked, `age` ago: an answer may come after a newer one.
    /// Returns how many changed.
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`](crate::Error::Unavailable) if the database does not answer.
    pub async fn observe(&self, seen: &[(InstanceId, Observation)], age: Duration) -> Result<u32> {
        if seen.is_empty() {
            return Ok(0);
        }
        // In one order everywhere, so that two observers wait for each other, not on each other.
        let mut sorted = seen.to_vec();
        sorted.sort_by_key(|it| it.0);
        let repository = self.clone();
        detached(async move {
            let mut tx = repository.db.begin().await?;
            let outcome = observe(&mut tx, &sorted, age).await;
            let changed = tx.finish(outcome).await?;
            if changed > 0 {
                repository.told();
            }
            Ok(changed)
        })
        .await
    }
}

async fn observe(
    tx: &mut Connection,
    seen: &[(InstanceId, Observation)],
    age: Duration,
) -> Result<u32> {
    let now = tx.now().await?;
    let asked = now.before(age);
    let mut changed = 0_u32;
    let mut told = Told::default();
    for chunk in seen.chunks(AT_ONCE) {
        let ids: Vec<Id> = chunk.iter().map(|it| Id(it.0.0)).collect();
        let resting = vps_instances::table
            .filter(vps_instances::id.eq_any(&ids))
            .filter(at_rest())
            .filter(
                vps_instances::observed_at
                    .is_null()
                    .or(vps_instances::observed_at.le(asked)),
            )
            .order(vps_instances::id);
        let rows: Vec<row::Instance> = match tx {
            Connection::Postgres(object) => {
                let locked = resting.select(row::Instance::as_select()).for_update();
                locked.load(&mut **object).await?
            }
            // SQLite's one writer is the lock.
            Connection::Sqlite(object) => {
                resting
                    .select(row::Instance::as_select())
                    .load(&mut **object)
                    .await?
            }
        };
        for row in &rows {
            let Some((_, observation)) = chunk.iter().find(|it| it.0.0 == row.id.0) else {
                continue;
            };
            let observed = row::observed(observation)?;
            if row.differs(&observed) {
                let changes = (&observed, vps_instances::updated_at.eq(now));
                let after: row::Instance = run!(tx, c => diesel::update(vps_instances::table.find(row.id))
                    .set(changes).returning(row::Instance::as_returning()).get_result(c).await)?;
                if after.looks_other_than(row)? {
                    told.instance(&after, now)?;
                }
                changed = changed.saturating_add(1);
            }
        }
        let found: Vec<Id> = rows.iter().map(|it| it.id).collect();
        run!(tx, c => diesel::update(vps_instances::table)
            .filter(vps_instances::id.eq_any(found))
            .set(vps_instances::observed_at.eq(Some(now))).execute(c).await)?;
    }
    told.write(tx).await?;
    Ok(changed)
}
