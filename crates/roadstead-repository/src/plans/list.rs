//! Pages of plans on sale, filtered and ordered by the database.

use diesel::dsl::sql;
use diesel::sql_types::{BigInt, Bool, Text};
use diesel::{BoolExpressionMethods, ExpressionMethods, QueryDsl, SelectableHelper};
use diesel_async::RunQueryDsl;

use crate::db::{Backend, Repository, literally, read};
use crate::error::Result;
use crate::record::{Accounts, SalePlan, SalePlanFilter, SalePlanMark, SalePlanOrder};
use crate::row;
use crate::schema::{service_providers, vps_plans};
use crate::types::Id;

impl Repository {
    /// Returns a page of plans on sale from one statement, and where the next one begins.
    ///
    /// # Errors
    ///
    /// [`crate::Error::Unavailable`] if the database does not answer.
    pub async fn list_sale_plans(
        &self,
        filter: &SalePlanFilter,
        order: SalePlanOrder,
        after: Option<SalePlanMark>,
        limit: u32,
    ) -> Result<(Vec<SalePlan>, Option<SalePlanMark>)> {
        let region = filter.region.as_ref().map(|it| it.as_str());
        // It becomes part of a path into JSON, and no plan is sold in a region of another form.
        if region.is_some_and(|it| !is_region(it)) {
            return Ok((Vec::new(), None));
        }
        let words = Words::of(self.backend(), order);
        // A macro, because the two databases' expressions are of one type only until they are
        // put into a query.
        macro_rules! key {
            () => {{
                let place = region.unwrap_or_default();
                let key = sql::<BigInt>(words.open);
                let key = key.bind::<Text, _>(place).sql(words.place);
                let key = key.bind::<Text, _>(place).sql(words.amount);
                key.sql(words.close)
            }};
        }
        let rows: Vec<(row::SalePlan, String, i64)> = read!(self.db, c => {
            let mut query = vps_plans::table
                .inner_join(service_providers::table)
                .filter(service_providers::deleted_at.is_null())
                .into_boxed();
            if let Some(provider) = filter.provider {
                query = query.filter(vps_plans::provider_id.eq(Id(provider.0)));
            }
            if let Some(kind) = &filter.kind {
                query = query.filter(service_providers::kind.eq(kind.as_str()));
            }
            if let Some(name) = &filter.name {
                let typed = format!("%{}%", literally(name));
                // As far as both databases fold: a letter of another alphabet is found as typed.
                let folded = typed.to_ascii_lowercase();
                let named = sql::<Bool>("(vps_plans.name LIKE ").bind::<Text, _>(typed)
                    .sql(" ESCAPE '\\' OR lower(vps_plans.name) LIKE ").bind::<Text, _>(folded.clone())
                    .sql(" ESCAPE '\\' OR lower(vps_plans.remote_plan_id) LIKE ").bind::<Text, _>(folded)
                    .sql(" ESCAPE '\\')");
                query = query.filter(named);
            }
            if let Some(vcpus) = filter.vcpus {
                query = query.filter(vps_plans::vcpus.eq(i64::from(vcpus)));
            }
            if let Some(vcpus) = filter.min_vcpus {
                query = query.filter(vps_plans::vcpus.ge(i64::from(vcpus)));
            }
            if let Some(memory) = filter.memory {
                query = query.filter(vps_plans::memory_mib.eq(saturated(memory.0)));
            }
            if let Some(memory) = filter.min_memory {
                query = query.filter(vps_plans::memory_mib.ge(saturated(memory.0)));
            }
            if let Some(active) = filter.active {
                let sold = vps_plans::is_active.eq(true)
                    .and(vps_plans::is_retired.eq(false));
                query = if active {
                    query.filter(sold)
                } else {
                    query.filter(diesel::dsl::not(sold))
                };
            }
            if filter.accounts == Accounts::Active {
                query = query.filter(service_providers::is_active.eq(true));
            }
            if let Some(region) = region {
                let sold = sql::<Bool>(words.offered).bind::<Text, _>(region)
                    .sql(words.allowed).bind::<Text, _>(region).sql(words.end);
                query = query.filter(sold);
            }
            if let Some(mark) = after {
                let same = key!().eq(mark.key).and(vps_plans::id.gt(Id(mark.id.0)));
                query = match order {
                    SalePlanOrder::Position | SalePlanOrder::Cheapest => {
                        query.filter(key!().gt(mark.key).or(same))
                    }
                    SalePlanOrder::Dearest => query.filter(key!().lt(mark.key).or(same)),
                };
            }
            query = match order {
                SalePlanOrder::Position | SalePlanOrder::Cheapest => query.order(key!().asc()),
                SalePlanOrder::Dearest => query.order(key!().desc()),
            };
            query.then_order_by(vps_plans::id.asc())
                // One more, to know whether another page follows.
                .limit(i64::from(limit).saturating_add(1))
                .select((row::SalePlan::as_select(), service_providers::kind, key!()))
                .load(c).await
        })?;
        let wanted = usize::try_from(limit).unwrap_or(usize::MAX);
        let more = rows.len() > wanted;
        let mut plans = Vec::with_capacity(rows.len().min(wanted));
        let mut next = None;
        for (row, kind, key) in rows.into_iter().take(wanted) {
            let plan = row.into_record(kind)?;
            next = Some(SalePlanMark { key, id: plan.id });
            plans.push(plan);
        }
        Ok((plans, next.filter(|_| more)))
    }
}

/// Returns whether a text has the form of a region on sale.
fn is_region(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|it| it.is_ascii_alphanumeric() || b"-_.:/".contains(&it))
}

/// No plan has as much.
fn saturated(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

/// The fragments of the two expressions that look into JSON, around the region that is bound.
struct Words {
    /// The key of the order: `open`, region, `place`, region, `amount`, `close`.
    open: &'static str,
    place: &'static str,
    amount: &'static str,
    close: &'static str,
    /// Whether it is sold in a region: `offered`, region, `allowed`, region, `end`.
    offered: &'static str,
    allowed: &'static str,
    end: &'static str,
}

impl Words {
    const fn of(backend: Backend, order: SalePlanOrder) -> Self {
        let (open, place, amount) = match (order, backend) {
            // Bound and unused, so that there is one statement of one type.
            (SalePlanOrder::Position, _) => (
                "(CASE WHEN CAST(",
                " AS TEXT) = CAST(",
                " AS TEXT) THEN vps_plans.position ELSE 0 END",
            ),
            (SalePlanOrder::Cheapest | SalePlanOrder::Dearest, Backend::Postgres) => (
                "COALESCE(CASE WHEN vps_plans.offerings -> CAST(",
                " AS text) -> 'apart' IS NULL THEN vps_plans.price_hourly \
                 ELSE CAST(vps_plans.offerings -> CAST(",
                " AS text) -> 'apart' ->> 'hourly' AS BIGINT) END",
            ),
            (SalePlanOrder::Cheapest | SalePlanOrder::Dearest, Backend::Sqlite) => (
                "COALESCE(CASE WHEN json_type(vps_plans.offerings, '$.\"' || ",
                " || '\".apart') IS NULL THEN vps_plans.price_hourly \
                 ELSE json_extract(vps_plans.offerings, '$.\"' || ",
                " || '\".apart.hourly') END",
            ),
        };
        let close = match order {
            SalePlanOrder::Position => ")",
            // Unknown is neither the cheapest nor the dearest.
            SalePlanOrder::Cheapest => ", 9223372036854775807)",
            SalePlanOrder::Dearest => ", -1)",
        };
        let (offered, allowed, end) = match backend {
            Backend::Postgres => (
                "(jsonb_exists(vps_plans.offerings, CAST(",
                " AS text)) AND (jsonb_array_length(vps_plans.regions) = 0 \
                 OR vps_plans.regions @> jsonb_build_array(CAST(",
                " AS text))))",
            ),
            Backend::Sqlite => (
                "(EXISTS (SELECT 1 FROM json_each(vps_plans.offerings) AS offering \
                 WHERE offering.key = ",
                ") AND (json_array_length(vps_plans.regions) = 0 OR EXISTS \
                 (SELECT 1 FROM json_each(vps_plans.regions) AS region WHERE region.value = ",
                ")))",
            ),
        };
        Self {
            open,
            place,
            amount,
            close,
            offered,
            allowed,
            end,
        }
    }
}
