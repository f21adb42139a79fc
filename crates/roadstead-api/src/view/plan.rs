//! Plans on sale as members and operators see them.

use jiff::Timestamp;
use roadstead_core::{
    Arch, Availability, ImageId, Markup as CoreMarkup, Money, PlanId, Price as CorePrice,
    ProviderId, RegionId, SalePlanId,
};
use roadstead_service as service;
use schemars::JsonSchema;
use serde::Serialize;

use super::Price;
use crate::openapi::words::{self, Id, Success};

/// What something costs before the markup. A part that is `null` is unknown, and never free.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct BasePrice {
    /// Per started hour.
    #[schemars(with = "Option<words::Money>")]
    hourly: Option<Money>,
    /// Per month; never computed from the hourly price.
    #[schemars(with = "Option<words::Money>")]
    monthly: Option<Money>,
    /// Whether hours stop adding up at the monthly price.
    monthly_is_cap: bool,
    /// Who says so: `provider_api` or `catalogue` (a list of prices) for the provider, or
    /// `operator`.
    #[schemars(schema_with = "words::price_source")]
    source: &'static str,
    /// When the figures were read, or set.
    as_of: Timestamp,
}

impl From<&CorePrice> for BasePrice {
    fn from(it: &CorePrice) -> Self {
        Self {
            hourly: it.hourly,
            monthly: it.monthly,
            monthly_is_cap: it.monthly_is_cap,
            source: it.source.as_str(),
            as_of: it.as_of,
        }
    }
}

/// What is added to a base price.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(crate) enum Markup {
    /// Nothing.
    None,
    /// A part of it.
    Percent {
        /// How many percent, as a decimal text.
        #[schemars(example = &"12.5")]
        percent: String,
    },
    /// Amounts.
    Fixed {
        /// Added to the price of an hour.
        #[schemars(with = "words::Money")]
        hourly: Money,
        /// Added to the price of a month.
        #[schemars(with = "words::Money")]
        monthly: Money,
    },
}

impl From<CoreMarkup> for Markup {
    fn from(it: CoreMarkup) -> Self {
        match it {
            CoreMarkup::None => Self::None,
            CoreMarkup::Percent(percent) => Self::Percent {
                percent: percent.to_string(),
            },
            CoreMarkup::Fixed { hourly, monthly } => Self::Fixed { hourly, monthly },
        }
    }
}

/// Under which terms a server was sold, fixed when it was accepted.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Sale {
    /// The plan on sale, which may be gone by now.
    #[schemars(with = "Id")]
    plan_id: SalePlanId,
    /// Its name then.
    #[schemars(example = &"Small")]
    name: String,
    /// What the server's region cost then, before the markup.
    base_price: BasePrice,
    /// What was added.
    markup: Markup,
}

impl From<service::Sale> for Sale {
    fn from(it: service::Sale) -> Self {
        Self {
            plan_id: it.plan,
            base_price: (&it.base).into(),
            markup: it.markup.into(),
            name: it.name,
        }
    }
}

/// A region that a plan is sold in.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "PlanOffering")]
struct Offering {
    /// Where.
    #[schemars(with = "String", example = &"nyc3")]
    region: RegionId,
    /// Whether it could be had there when the provider was last asked.
    #[schemars(with = "words::Availability")]
    availability: Availability,
    /// There only where the region does not cost what the plan does elsewhere; `null` is unknown.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<BasePrice>")]
    base_price: Option<Option<BasePrice>>,
    /// There only where the region does not cost what the plan does elsewhere; `null` is unknown.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Price>")]
    price: Option<Option<Price>>,
}

impl From<&service::SaleOffering> for Offering {
    fn from(it: &service::SaleOffering) -> Self {
        let apart = it.apart.as_ref();
        Self {
            region: it.region.clone(),
            availability: it.availability,
            base_price: apart.map(|it| it.base.as_ref().map(BasePrice::from)),
            price: apart.map(|it| it.price.as_ref().map(Price::from)),
        }
    }
}

/// A plan on sale.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "PlanOnSale")]
pub(crate) struct SalePlan {
    /// Ours; `plan_id` in `POST /api/vps`.
    #[schemars(with = "Id")]
    id: SalePlanId,
    /// The account that its servers are at.
    #[schemars(with = "Id")]
    provider_id: ProviderId,
    /// Which provider that is.
    #[schemars(example = &"acme")]
    provider_type: String,
    /// The provider's id of the plan.
    #[serde(rename = "type")]
    #[schemars(with = "String", example = &"s-1vcpu-1gb")]
    plan: PlanId,
    /// Its name.
    #[schemars(example = &"Small")]
    name: String,
    /// The provider's family of plans, as the provider spells it.
    #[schemars(example = &"basic")]
    class: String,
    /// Processor architecture.
    #[schemars(with = "words::Arch")]
    arch: Arch,
    /// Virtual processors.
    #[schemars(example = 1)]
    vcpus: u32,
    /// Whether the processors are not shared.
    dedicated_cpu: bool,
    /// Memory.
    #[schemars(example = 1024)]
    memory_mib: u64,
    /// Local disk; `null` where disks are bought apart.
    #[schemars(example = 25)]
    disk_gib: Option<u64>,
    /// Graphics processors.
    gpus: u32,
    /// Outgoing transfer included each month; `null` where the provider does not say.
    #[schemars(example = 1000)]
    transfer_gb: Option<u64>,
    /// Outgoing bandwidth; `null` where the provider does not say.
    #[schemars(example = 2000)]
    network_out_mbps: Option<u32>,
    /// What it costs before the markup, where an offering does not say otherwise; `null` is
    /// unknown.
    base_price: Option<BasePrice>,
    /// What is added.
    markup: Markup,
    /// What it costs a member, where an offering does not say otherwise; `null` is unknown.
    price: Option<Price>,
    /// Where it can be used.
    offerings: Vec<Offering>,
    /// The images that it may be used with; empty is all.
    #[schemars(with = "Vec<String>", example = ["ubuntu-22-04-x64"])]
    images: Vec<ImageId>,
}

impl SalePlan {
    fn new<'a>(
        it: &service::SalePlan,
        offerings: impl Iterator<Item = &'a service::SaleOffering>,
    ) -> Self {
        let hardware = &it.hardware;
        Self {
            id: it.id,
            provider_id: it.provider,
            provider_type: it.kind.to_string(),
            plan: it.remote.clone(),
            name: it.name.clone(),
            class: hardware.class.clone(),
            arch: hardware.arch,
            vcpus: hardware.vcpus,
            dedicated_cpu: hardware.dedicated_cpu,
            memory_mib: hardware.memory.0,
            disk_gib: hardware.disk.map(|it| it.whole_gib()),
            gpus: hardware.gpus,
            transfer_gb: hardware.transfer.map(|it| it.0),
            network_out_mbps: hardware.network_out.map(|it| it.0),
            base_price: it.base.as_ref().map(BasePrice::from),
            markup: it.markup.into(),
            price: it.price.as_ref().map(Price::from),
            offerings: offerings.map(Offering::from).collect(),
            images: it.images.clone(),
        }
    }
}

impl From<&service::SalePlan> for SalePlan {
    fn from(it: &service::SalePlan) -> Self {
        Self::new(it, it.sold_in())
    }
}

/// A plan as operators see it: its `offerings` are where the provider offers it, whether or not
/// it may be used there.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "AdminPlan")]
pub(crate) struct AdminSalePlan {
    #[serde(flatten)]
    shown: SalePlan,
    /// The regions that it may be used in; empty is all.
    #[schemars(with = "Vec<String>", example = ["nyc3"])]
    regions: Vec<RegionId>,
    /// Whether its markup was set for this plan alone, so that imports leave it.
    markup_is_own: bool,
    /// Whether it is sold.
    active: bool,
    /// Whether the provider no longer sells it; then it is not active either.
    retired: bool,
    /// Its place in the order.
    #[schemars(example = 7)]
    position: i64,
    /// When it was first put on sale.
    created_at: Timestamp,
    /// When it last changed.
    updated_at: Timestamp,
}

impl From<&service::SalePlan> for AdminSalePlan {
    fn from(it: &service::SalePlan) -> Self {
        Self {
            shown: SalePlan::new(it, it.offerings.iter()),
            regions: it.regions.clone(),
            markup_is_own: it.markup_is_own,
            active: it.is_on_sale(),
            retired: it.retired,
            position: it.position,
            created_at: it.created_at,
            updated_at: it.updated_at,
        }
    }
}

/// What an import has come to.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Import {
    /// Plans that are new on sale.
    #[schemars(example = 40)]
    added: u64,
    /// Plans on sale of which something has changed.
    #[schemars(example = 3)]
    updated: u64,
    /// Plans on sale that are as they were.
    #[schemars(example = 12)]
    unchanged: u64,
    /// Plans that the provider no longer sells, and that are off sale now.
    #[schemars(example = 1)]
    retired: u64,
    /// Chosen plans that cannot be sold: the provider offers them in no region, or what it says
    /// of them makes no sense.
    #[schemars(example = 2)]
    skipped: u64,
}

impl From<service::Imported> for Import {
    fn from(imported: service::Imported) -> Self {
        Self {
            added: imported.added,
            updated: imported.updated,
            unchanged: imported.unchanged,
            retired: imported.retired,
            skipped: imported.skipped,
        }
    }
}

/// A page of plans on sale.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct SalePlansAnswer {
    pub(crate) success: Success,
    /// The plans, in the order that was asked for.
    pub(crate) plans: Vec<SalePlan>,
    /// Where the next page begins, for `cursor`; `null` on the last page.
    #[schemars(example = &"AAZAr8zzQAABk6HgXH57Op1SbxwuiksQq3tVnYkCwR0x")]
    pub(crate) next_cursor: Option<String>,
}

/// A page of plans, on sale or not.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "AdminPlansAnswer")]
pub(crate) struct AdminSalePlansAnswer {
    pub(crate) success: Success,
    /// The plans, in the order that was asked for.
    pub(crate) plans: Vec<AdminSalePlan>,
    /// Where the next page begins, for `cursor`; `null` on the last page.
    #[schemars(example = &"AAZAr8zzQAABk6HgXH57Op1SbxwuiksQq3tVnYkCwR0x")]
    pub(crate) next_cursor: Option<String>,
}

/// A plan.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "AdminPlanAnswer")]
pub(crate) struct AdminSalePlanAnswer {
    pub(crate) success: Success,
    pub(crate) plan: AdminSalePlan,
}

/// What an import has come to.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct ImportAnswer {
    pub(crate) success: Success,
    pub(crate) import: Import,
}
