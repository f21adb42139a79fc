//! A row of `vps_instances`.

use diesel::prelude::{AsChangeset, Insertable, Queryable, Selectable};
use roadstead_core::{
    Currency, InstanceId, MiB, Money, OrgId, PlanId, Price, ProviderId, RemoteId, State,
};
use serde_json::Value;

use super::plan::{read_sale, sale};
use super::{currency, json, nanos, number, parse, stored, word};
use crate::error::Result;
use crate::record::{self, Lifecycle, NewInstance, Observation, Specification, Terms};
use crate::schema::vps_instances;
use crate::types::{Id, Time};

#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = vps_instances, treat_none_as_default_value = false)]
pub(crate) struct Instance {
    pub(crate) id: Id,
    pub(crate) organization_id: Id,
    pub(crate) provider_id: Id,
    pub(crate) provider_kind: String,
    pub(crate) remote_id: Option<String>,
    pub(crate) remote_name: String,
    pub(crate) label: String,
    /// The label in lower case: neither database folds more than ASCII by itself.
    pub(crate) label_folded: String,
    pub(crate) notes: String,
    pub(crate) tags: Value,
    pub(crate) lifecycle: String,
    pub(crate) power: String,
    pub(crate) power_raw: Option<String>,
    pub(crate) plan_id: String,
    pub(crate) region_id: String,
    pub(crate) image_id: String,
    pub(crate) vcpus: i64,
    pub(crate) memory_mib: i64,
    pub(crate) disk_mib: Option<i64>,
    pub(crate) addresses: Value,
    pub(crate) price_hourly: Option<i64>,
    pub(crate) price_monthly: Option<i64>,
    pub(crate) price_currency: Option<String>,
    pub(crate) price_monthly_is_cap: bool,
    pub(crate) price_source: Option<Value>,
    pub(crate) price_as_of: Option<Time>,
    pub(crate) problem: Option<String>,
    pub(crate) observed_at: Option<Time>,
    pub(crate) created_at: Time,
    pub(crate) updated_at: Time,
    pub(crate) sale_plan_id: Option<Id>,
    pub(crate) sale: Option<Value>,
}

/// The columns that an observation fills.
#[derive(Clone, Debug, PartialEq, Eq, AsChangeset)]
#[diesel(table_name = vps_instances)]
pub(crate) struct Observed {
    power: String,
    power_raw: Option<String>,
    addresses: Value,
    /// `None` leaves the plan as it is.
    plan_id: Option<String>,
    vcpus: i64,
    memory_mib: i64,
    #[diesel(treat_none_as_null = true)]
    disk_mib: Option<i64>,
}

/// The columns that a new price fills.
#[derive(Clone, Debug, AsChangeset)]
#[diesel(table_name = vps_instances, treat_none_as_null = true)]
pub(crate) struct Priced {
    price_hourly: Option<i64>,
    price_monthly: Option<i64>,
    price_currency: Option<String>,
    price_monthly_is_cap: bool,
    price_source: Option<Value>,
    price_as_of: Option<Time>,
    sale_plan_id: Option<Id>,
    sale: Option<Value>,
}

/// Spells what a server costs as columns.
pub(crate) fn priced(it: &Terms) -> Result<Priced> {
    let price = it.price.as_ref();
    let hourly = price.and_then(|it| it.hourly);
    let monthly = price.and_then(|it| it.monthly);
    Ok(Priced {
        price_hourly: hourly.map(nanos).transpose()?,
        price_monthly: monthly.map(nanos).transpose()?,
        price_currency: currency(hourly, monthly)?.map(|it| it.as_str().to_owned()),
        price_monthly_is_cap: price.is_some_and(|it| it.monthly_is_cap),
        price_source: price
            .map(|it| json("this price source", &it.source))
            .transpose()?,
        price_as_of: price.map(|it| Time::from(it.as_of)),
        sale_plan_id: it.sale.as_ref().map(|it| Id(it.plan.0)),
        sale: it.sale.as_ref().map(sale).transpose()?,
    })
}

/// Spells an observation as columns.
pub(crate) fn observed(it: &Observation) -> Result<Observed> {
    Ok(Observed {
        power: it.power.as_str().to_owned(),
        power_raw: Some(it.power_raw.clone()),
        addresses: json("this list of addresses", &it.addresses)?,
        plan_id: it.plan.as_ref().map(|it| it.as_str().to_owned()),
        vcpus: i64::from(it.vcpus),
        memory_mib: stored("so much memory", it.memory.0)?,
        disk_mib: it
            .disk
            .map(|it| stored("so large a disk", it.0))
            .transpose()?,
    })
}

impl Instance {
    pub(crate) fn new(organization: OrgId, it: &NewInstance, now: Time) -> Result<Self> {
        let Specification {
            plan,
            region,
            image,
            vcpus,
            memory,
            disk,
        } = &it.specification;
        let Priced {
            price_hourly,
            price_monthly,
            price_currency,
            price_monthly_is_cap,
            price_source,
            price_as_of,
            sale_plan_id,
            sale,
        } = priced(&Terms {
            price: it.price.clone(),
            sale: it.sale.clone(),
        })?;
        let no_addresses: [roadstead_core::Address; 0] = [];
        Ok(Self {
            id: Id(it.id.0),
            organization_id: Id(organization.0),
            provider_id: Id(it.provider.0),
            provider_kind: it.kind.as_str().to_owned(),
            remote_id: None,
            remote_name: it.remote_name.clone(),
            label: it.label.clone(),
            label_folded: it.label.to_lowercase(),
            notes: String::new(),
            tags: json("these tags", &it.tags)?,
            lifecycle: Lifecycle::Pending.as_str().to_owned(),
            power: State::Provisioning.as_str().to_owned(),
            power_raw: None,
            plan_id: plan.as_str().to_owned(),
            region_id: region.as_str().to_owned(),
            image_id: image.as_str().to_owned(),
            vcpus: i64::from(*vcpus),
            memory_mib: stored("so much memory", memory.0)?,
            disk_mib: disk.map(|it| stored("so large a disk", it.0)).transpose()?,
            addresses: json("an empty list", &no_addresses)?,
            price_hourly,
            price_monthly,
            price_currency,
            price_monthly_is_cap,
            price_source,
            price_as_of,
            problem: None,
            observed_at: None,
            created_at: now,
            updated_at: now,
            sale_plan_id,
            sale,
        })
    }

    pub(crate) fn lifecycle(&self) -> Result<Lifecycle> {
        word(
            "vps_instances.lifecycle",
            Lifecycle::from_word(&self.lifecycle),
        )
    }

    /// Returns the word that members see.
    pub(crate) fn status(&self) -> Result<&'static str> {
        let power = word("vps_instances.power", State::from_word(&self.power))?;
        Ok(self.lifecycle()?.shown(power))
    }

    /// Returns whether members see something else than `before`. A column that this does not
    /// know to be ours alone counts as seen.
    pub(crate) fn looks_other_than(&self, before: &Self) -> Result<bool> {
        let seen = |it: &Self| -> Result<Self> {
            let status = it.status()?.to_owned();
            Ok(Self {
                lifecycle: String::new(),
                power: status,
                power_raw: None,
                observed_at: None,
                updated_at: it.created_at,
                ..it.clone()
            })
        };
        Ok(seen(self)? != seen(before)?)
    }

    /// Returns whether an observation says something that the row does not.
    pub(crate) fn differs(&self, it: &Observed) -> bool {
        self.power != it.power
            || self.power_raw != it.power_raw
            || self.addresses != it.addresses
            || it
                .plan_id
                .as_ref()
                .is_some_and(|plan| *plan != self.plan_id)
            || self.vcpus != it.vcpus
            || self.memory_mib != it.memory_mib
            || self.disk_mib != it.disk_mib
    }

    pub(crate) fn into_record(self) -> Result<record::Instance> {
        let lifecycle = self.lifecycle()?;
        let price = self.price()?;
        let mib = |column, value| number(column, value).map(MiB);
        Ok(record::Instance {
            id: InstanceId(self.id.0),
            organization: OrgId(self.organization_id.0),
            provider: ProviderId(self.provider_id.0),
            kind: self.provider_kind.into(),
            remote: self.remote_id.map(RemoteId::from),
            remote_name: self.remote_name,
            label: self.label,
            notes: self.notes,
            tags: parse("vps_instances.tags", self.tags)?,
            lifecycle,
            power: word("vps_instances.power", State::from_word(&self.power))?,
            power_raw: self.power_raw,
            specification: Specification {
                plan: PlanId::from(self.plan_id),
                region: self.region_id.into(),
                image: self.image_id.into(),
                vcpus: number("vps_instances.vcpus", self.vcpus)?,
                memory: mib("vps_instances.memory_mib", self.memory_mib)?,
                disk: self
                    .disk_mib
                    .map(|it| mib("vps_instances.disk_mib", it))
                    .transpose()?,
            },
            addresses: parse("vps_instances.addresses", self.addresses)?,
            price,
            sale: match (self.sale_plan_id, self.sale) {
                (Some(plan), Some(terms)) => Some(read_sale(plan, terms)?),
                _ => None,
            },
            problem: self.problem,
            observed_at: self.observed_at.map(|it| it.0),
            created_at: self.created_at.0,
            updated_at: self.updated_at.0,
        })
    }

    fn price(&self) -> Result<Option<Price>> {
        let (Some(source), Some(as_of)) = (&self.price_source, self.price_as_of) else {
            return Ok(None);
        };
        let code = self.price_currency.as_deref();
        let money = |nanos| {
            word(
                "vps_instances.price_currency",
                code.and_then(Currency::from_code),
            )
            .map(|it| Money::from_nanos(nanos, it))
        };
        Ok(Some(Price {
            hourly: self.price_hourly.map(money).transpose()?,
            monthly: self.price_monthly.map(money).transpose()?,
            monthly_is_cap: self.price_monthly_is_cap,
            source: parse("vps_instances.price_source", source.clone())?,
            as_of: as_of.0,
        }))
    }
}
