//! A row of `vps_plans`, and the terms of a sale on a row of `vps_instances`.

use std::collections::BTreeMap;

use diesel::prelude::{AsChangeset, Insertable, Queryable, Selectable};
use jiff::Timestamp;
use roadstead_core::{
    Arch, Availability, Currency, GbPerMonth, Markup, Mbps, MiB, Money, Percent, Price,
    PriceSource, ProviderId, SalePlanId,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use super::{currency, json, nanos, number, parse, stored, word};
use crate::error::{Error, Result};
use crate::record::{self, Apart, Hardware, Sale, SaleOffering, Terms};
use crate::schema::vps_plans;
use crate::types::{Id, Time};

#[derive(Clone, Debug, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = vps_plans, treat_none_as_null = true)]
pub(crate) struct SalePlan {
    pub(crate) id: Id,
    pub(crate) provider_id: Id,
    pub(crate) remote_plan_id: String,
    pub(crate) remote_label: String,
    pub(crate) name: String,
    pub(crate) vcpus: i64,
    pub(crate) memory_mib: i64,
    pub(crate) hardware: Value,
    pub(crate) base_hourly: Option<i64>,
    pub(crate) base_monthly: Option<i64>,
    pub(crate) base_currency: Option<String>,
    pub(crate) base_monthly_is_cap: bool,
    pub(crate) base_source: Option<Value>,
    pub(crate) base_as_of: Option<Time>,
    pub(crate) markup_kind: String,
    pub(crate) markup_percent: Option<i64>,
    pub(crate) markup_hourly: Option<i64>,
    pub(crate) markup_monthly: Option<i64>,
    pub(crate) markup_currency: Option<String>,
    pub(crate) markup_is_own: bool,
    pub(crate) price_hourly: Option<i64>,
    pub(crate) price_monthly: Option<i64>,
    pub(crate) offerings: Value,
    pub(crate) regions: Value,
    pub(crate) images: Value,
    pub(crate) is_active: bool,
    pub(crate) is_retired: bool,
    pub(crate) position: i64,
    pub(crate) revision: i64,
    pub(crate) created_at: Time,
    pub(crate) updated_at: Time,
}

/// The hardware, without what has columns of its own.
#[derive(Serialize, Deserialize)]
struct HardwareJson {
    class: String,
    arch: Arch,
    dedicated_cpu: bool,
    disk_mib: Option<u64>,
    gpus: u32,
    transfer_gb: Option<u64>,
    network_out_mbps: Option<u32>,
}

/// A price in nano-units.
#[derive(Serialize, Deserialize)]
struct PriceJson {
    hourly: Option<i64>,
    monthly: Option<i64>,
    currency: Option<Currency>,
    monthly_is_cap: bool,
    source: PriceSource,
    as_of: Timestamp,
}

/// An offering; its region is the key. Queries look into `apart`.
#[derive(Serialize, Deserialize)]
struct OfferingJson {
    availability: Availability,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    apart: Option<ApartJson>,
}

#[derive(Serialize, Deserialize)]
struct ApartJson {
    base: Option<PriceJson>,
    hourly: Option<i64>,
    monthly: Option<i64>,
}

/// A markup in nano-units and billionths of a percent.
#[derive(Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum MarkupJson {
    None,
    Percent {
        percent: i64,
    },
    Fixed {
        hourly: i64,
        monthly: i64,
        currency: Currency,
    },
}

/// The terms of a sale, without the plan's id.
#[derive(Serialize, Deserialize)]
struct SaleJson {
    revision: i64,
    name: String,
    base: PriceJson,
    markup: MarkupJson,
}

/// What a server is to cost.
#[derive(Serialize, Deserialize)]
struct TermsJson {
    price: Option<PriceJson>,
    sale_plan: Option<Uuid>,
    sale: Option<Value>,
}

impl SalePlan {
    pub(crate) fn new(it: &record::SalePlan) -> Result<Self> {
        let (base, price) = (it.base.as_ref(), it.price.as_ref());
        let part = |it: Option<Money>| it.map(nanos).transpose();
        let code = match base {
            Some(it) => currency(it.hourly, it.monthly)?,
            None => None,
        };
        let markup = MarkupJson::new(&it.markup)?;
        let (kind, percent, fixed) = match markup {
            MarkupJson::None => ("none", None, None),
            MarkupJson::Percent { percent } => ("percent", Some(percent), None),
            MarkupJson::Fixed {
                hourly,
                monthly,
                currency,
            } => ("fixed", None, Some((hourly, monthly, currency))),
        };
        Ok(Self {
            id: Id(it.id.0),
            provider_id: Id(it.provider.0),
            remote_plan_id: it.remote.as_str().to_owned(),
            remote_label: it.remote_label.clone(),
            name: it.name.clone(),
            vcpus: i64::from(it.hardware.vcpus),
            memory_mib: stored("so much memory", it.hardware.memory.0)?,
            hardware: json("this hardware", &HardwareJson::new(&it.hardware))?,
            base_hourly: part(base.and_then(|it| it.hourly))?,
            base_monthly: part(base.and_then(|it| it.monthly))?,
            base_currency: code.map(|it| it.as_str().to_owned()),
            base_monthly_is_cap: base.is_some_and(|it| it.monthly_is_cap),
            base_source: base
                .map(|it| json("this price source", &it.source))
                .transpose()?,
            base_as_of: base.map(|it| Time::from(it.as_of)),
            markup_kind: kind.to_owned(),
            markup_percent: percent,
            markup_hourly: fixed.map(|it| it.0),
            markup_monthly: fixed.map(|it| it.1),
            markup_currency: fixed.map(|it| it.2.as_str().to_owned()),
            markup_is_own: it.markup_is_own,
            price_hourly: part(price.and_then(|it| it.hourly))?,
            price_monthly: part(price.and_then(|it| it.monthly))?,
            offerings: offerings(&it.offerings)?,
            regions: json("these regions", &it.regions)?,
            images: json("these images", &it.images)?,
            is_active: it.active,
            is_retired: it.retired,
            position: it.position,
            revision: it.revision,
            created_at: Time::from(it.created_at),
            updated_at: Time::from(it.updated_at),
        })
    }

    pub(crate) fn into_record(self, kind: String) -> Result<record::SalePlan> {
        let base = self.base()?;
        let price = base.as_ref().map(|it| {
            sold(
                it,
                self.price_hourly,
                self.price_monthly,
                "vps_plans.base_currency",
            )
        });
        let markup = self.markup()?;
        let hardware: HardwareJson = parse("vps_plans.hardware", self.hardware)?;
        let offerings: BTreeMap<String, OfferingJson> =
            parse("vps_plans.offerings", self.offerings)?;
        Ok(record::SalePlan {
            id: SalePlanId(self.id.0),
            provider: ProviderId(self.provider_id.0),
            kind: kind.into(),
            remote: self.remote_plan_id.into(),
            remote_label: self.remote_label,
            name: self.name,
            hardware: Hardware {
                class: hardware.class,
                arch: hardware.arch,
                vcpus: number("vps_plans.vcpus", self.vcpus)?,
                dedicated_cpu: hardware.dedicated_cpu,
                memory: MiB(number("vps_plans.memory_mib", self.memory_mib)?),
                disk: hardware.disk_mib.map(MiB),
                gpus: hardware.gpus,
                transfer: hardware.transfer_gb.map(GbPerMonth),
                network_out: hardware.network_out_mbps.map(Mbps),
            },
            base,
            markup,
            markup_is_own: self.markup_is_own,
            price: price.transpose()?,
            offerings: offerings
                .into_iter()
                .map(|(region, it)| it.into_record(region))
                .collect::<Result<_>>()?,
            regions: parse("vps_plans.regions", self.regions)?,
            images: parse("vps_plans.images", self.images)?,
            active: self.is_active,
            retired: self.is_retired,
            position: self.position,
            revision: self.revision,
            created_at: self.created_at.0,
            updated_at: self.updated_at.0,
        })
    }

    fn base(&self) -> Result<Option<Price>> {
        let (Some(source), Some(as_of)) = (&self.base_source, self.base_as_of) else {
            return Ok(None);
        };
        let code = self.base_currency.as_deref();
        let kept = PriceJson {
            hourly: self.base_hourly,
            monthly: self.base_monthly,
            currency: Some(read_currency("vps_plans.base_currency", code)?),
            monthly_is_cap: self.base_monthly_is_cap,
            source: parse("vps_plans.base_source", source.clone())?,
            as_of: as_of.0,
        };
        kept.into_price("vps_plans.base_currency").map(Some)
    }

    fn markup(&self) -> Result<Markup> {
        let column = "vps_plans.markup_kind";
        let kept = match (
            self.markup_kind.as_str(),
            self.markup_percent,
            self.markup_hourly,
            self.markup_monthly,
        ) {
            ("none", ..) => MarkupJson::None,
            ("percent", Some(percent), ..) => MarkupJson::Percent { percent },
            ("fixed", _, Some(hourly), Some(monthly)) => MarkupJson::Fixed {
                hourly,
                monthly,
                currency: read_currency(column, self.markup_currency.as_deref())?,
            },
            _ => return Err(Error::Corrupt { column }),
        };
        kept.into_markup(column)
    }
}

/// Spells the terms of a sale as the column holds them.
pub(crate) fn sale(it: &Sale) -> Result<Value> {
    let kept = SaleJson {
        revision: it.revision,
        name: it.name.clone(),
        base: PriceJson::new(&it.base)?,
        markup: MarkupJson::new(&it.markup)?,
    };
    json("these terms of a sale", &kept)
}

/// Spells what a server is to cost.
pub(crate) fn terms(it: &Terms) -> Result<Value> {
    let kept = TermsJson {
        price: it.price.as_ref().map(PriceJson::new).transpose()?,
        sale_plan: it.sale.as_ref().map(|it| it.plan.0),
        sale: it.sale.as_ref().map(sale).transpose()?,
    };
    json("these terms", &kept)
}

/// Reads what a server is to cost.
pub(crate) fn read_terms(kept: Value) -> Result<Terms> {
    let column = "operations.request";
    let kept: TermsJson = parse(column, kept)?;
    let sale = kept.sale_plan.zip(kept.sale);
    Ok(Terms {
        price: kept.price.map(|it| it.into_price(column)).transpose()?,
        sale: sale
            .map(|(plan, sale)| read_sale(Id(plan), sale))
            .transpose()?,
    })
}

/// Reads the terms of a sale.
pub(crate) fn read_sale(plan: Id, kept: Value) -> Result<Sale> {
    let column = "vps_instances.sale";
    let kept: SaleJson = parse(column, kept)?;
    Ok(Sale {
        plan: SalePlanId(plan.0),
        revision: kept.revision,
        name: kept.name,
        base: kept.base.into_price(column)?,
        markup: kept.markup.into_markup(column)?,
    })
}

fn offerings(all: &[SaleOffering]) -> Result<Value> {
    let mut kept = BTreeMap::new();
    for it in all {
        let part = |of: fn(&Price) -> Option<Money>, it: &Apart| {
            it.price.as_ref().and_then(of).map(nanos).transpose()
        };
        let apart = match &it.apart {
            None => None,
            Some(apart) => Some(ApartJson {
                base: apart.base.as_ref().map(PriceJson::new).transpose()?,
                hourly: part(|it| it.hourly, apart)?,
                monthly: part(|it| it.monthly, apart)?,
            }),
        };
        let offering = OfferingJson {
            availability: it.availability,
            apart,
        };
        kept.insert(it.region.as_str(), offering);
    }
    json("these offerings", &kept)
}

impl OfferingJson {
    fn into_record(self, region: String) -> Result<SaleOffering> {
        let column = "vps_plans.offerings";
        let apart = match self.apart {
            None => None,
            Some(ApartJson {
                base,
                hourly,
                monthly,
            }) => {
                let base = base.map(|it| it.into_price(column)).transpose()?;
                let price = base.as_ref().map(|it| sold(it, hourly, monthly, column));
                let price = price.transpose()?;
                Some(Apart { base, price })
            }
        };
        Ok(SaleOffering {
            region: region.into(),
            availability: self.availability,
            apart,
        })
    }
}

/// Returns the stored price to a member, in the currency of the base price.
fn sold(
    base: &Price,
    hourly: Option<i64>,
    monthly: Option<i64>,
    column: &'static str,
) -> Result<Price> {
    let kept = PriceJson {
        hourly,
        monthly,
        currency: currency(base.hourly, base.monthly)?,
        monthly_is_cap: base.monthly_is_cap,
        source: PriceSource::Operator,
        as_of: base.as_of,
    };
    kept.into_price(column)
}

fn read_currency(column: &'static str, code: Option<&str>) -> Result<Currency> {
    word(column, code.and_then(Currency::from_code))
}

impl HardwareJson {
    fn new(it: &Hardware) -> Self {
        Self {
            class: it.class.clone(),
            arch: it.arch,
            dedicated_cpu: it.dedicated_cpu,
            disk_mib: it.disk.map(|it| it.0),
            gpus: it.gpus,
            transfer_gb: it.transfer.map(|it| it.0),
            network_out_mbps: it.network_out.map(|it| it.0),
        }
    }
}

impl PriceJson {
    fn new(it: &Price) -> Result<Self> {
        Ok(Self {
            hourly: it.hourly.map(nanos).transpose()?,
            monthly: it.monthly.map(nanos).transpose()?,
            currency: currency(it.hourly, it.monthly)?,
            monthly_is_cap: it.monthly_is_cap,
            source: it.source.clone(),
            as_of: it.as_of,
        })
    }

    fn into_price(self, column: &'static str) -> Result<Price> {
        let currency = self.currency;
        let money = |it| word(column, currency).map(|currency| Money::from_nanos(it, currency));
        Ok(Price {
            hourly: self.hourly.map(money).transpose()?,
            monthly: self.monthly.map(money).transpose()?,
            monthly_is_cap: self.monthly_is_cap,
            source: self.source,
            as_of: self.as_of,
        })
    }
}

impl MarkupJson {
    fn new(it: &Markup) -> Result<Self> {
        Ok(match it {
            Markup::None => Self::None,
            Markup::Percent(percent) => Self::Percent {
                percent: percent.nanos(),
            },
            Markup::Fixed { hourly, monthly } => Self::Fixed {
                hourly: nanos(*hourly)?,
                monthly: nanos(*monthly)?,
                currency: word_of(currency(Some(*hourly), Some(*monthly))?)?,
            },
        })
    }

    fn into_markup(self, column: &'static str) -> Result<Markup> {
        Ok(match self {
            Self::None => Markup::None,
            Self::Percent { percent } => {
                Markup::Percent(word(column, Percent::from_nanos(percent))?)
            }
            Self::Fixed {
                hourly,
                monthly,
                currency,
            } => Markup::Fixed {
                hourly: Money::from_nanos(hourly, currency),
                monthly: Money::from_nanos(monthly, currency),
            },
        })
    }
}

fn word_of(currency: Option<Currency>) -> Result<Currency> {
    currency.ok_or(Error::Invalid {
        what: "a markup without a currency",
    })
}
