//! A plan on sale: a vendor's plan with what the operator adds to it.

use jiff::Timestamp;
use roadstead_core::{
    Arch, Availability, GbPerMonth, ImageId, Markup, MarkupError, Mbps, MiB, PlanId, Price,
    PriceSource, ProviderId, ProviderKind, RegionId, SalePlanId,
};
use serde::{Deserialize, Serialize};

/// What a server of a plan has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hardware {
    /// The vendor's family of plans.
    pub class: String,
    /// Processor architecture.
    pub arch: Arch,
    /// Virtual processors.
    pub vcpus: u32,
    /// Whether the processors are not shared.
    pub dedicated_cpu: bool,
    /// Memory.
    pub memory: MiB,
    /// Local disk; `None` where disks are bought apart.
    pub disk: Option<MiB>,
    /// Graphics processors.
    pub gpus: u32,
    /// Outgoing transfer included each month.
    pub transfer: Option<GbPerMonth>,
    /// Outgoing bandwidth.
    pub network_out: Option<Mbps>,
}

/// What a region costs that does not cost what the others do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Apart {
    /// The vendor's price there; `None` is unknown.
    pub base: Option<Price>,
    /// The same with the markup on it.
    pub price: Option<Price>,
}

/// A region in which the vendor offers a plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SaleOffering {
    /// Where.
    pub region: RegionId,
    /// Whether it could be had there when the vendor was last asked.
    pub availability: Availability,
    /// What it costs there, where that is not the plan's general price.
    pub apart: Option<Apart>,
}

/// A plan on sale.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SalePlan {
    /// Ours.
    pub id: SalePlanId,
    /// At which vendor account.
    pub provider: ProviderId,
    /// Which vendor.
    pub kind: ProviderKind,
    /// The vendor's id of it.
    pub remote: PlanId,
    /// The vendor's name for it.
    pub remote_label: String,
    /// Our name for it; it follows the vendor's until the operator gives another.
    pub name: String,
    /// What a server of it has.
    pub hardware: Hardware,
    /// What it costs us, in every region that has no price of its own; `None` is unknown.
    pub base: Option<Price>,
    /// What is added.
    pub markup: Markup,
    /// Whether the operator set the markup for this plan alone, so that imports leave it.
    pub markup_is_own: bool,
    /// What it costs a member, in every region that has no price of its own.
    pub price: Option<Price>,
    /// The regions that the vendor offers it in.
    pub offerings: Vec<SaleOffering>,
    /// The regions that it may be used in; none named is all.
    pub regions: Vec<RegionId>,
    /// The images that it may be used with; none named is all.
    pub images: Vec<ImageId>,
    /// Whether the operator sells it.
    pub active: bool,
    /// Whether the vendor no longer does.
    pub retired: bool,
    /// Place in the operator's order.
    pub position: i64,
    /// Counts the changes, so that a sale can tell whether it saw the last one.
    pub revision: i64,
    /// When it was added.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

impl SalePlan {
    /// Returns whether members can buy it.
    #[must_use]
    pub const fn is_on_sale(&self) -> bool {
        self.active && !self.retired
    }

    /// Returns the offerings in allowed regions.
    pub fn sold_in(&self) -> impl Iterator<Item = &SaleOffering> {
        let allowed =
            |it: &&SaleOffering| self.regions.is_empty() || self.regions.contains(&it.region);
        self.offerings.iter().filter(allowed)
    }

    /// Returns what it costs us in a region and what it costs a member there; `None` where it is
    /// not sold.
    #[must_use]
    pub fn prices_in(&self, region: &RegionId) -> Option<(Option<&Price>, Option<&Price>)> {
        let offering = self.sold_in().find(|it| &it.region == region)?;
        Some(match &offering.apart {
            Some(apart) => (apart.base.as_ref(), apart.price.as_ref()),
            None => (self.base.as_ref(), self.price.as_ref()),
        })
    }

    /// Returns whether it may be used with an image.
    #[must_use]
    pub fn allows(&self, image: &ImageId) -> bool {
        self.images.is_empty() || self.images.contains(image)
    }

    /// Takes what the vendor offers now. A general price that the operator set stays, and is not
    /// what a region costs that the vendor prices apart.
    pub(crate) fn take(&mut self, offered: &OfferedPlan) {
        if self.name == self.remote_label {
            self.name.clone_from(&offered.label);
        }
        self.remote_label.clone_from(&offered.label);
        self.hardware.clone_from(&offered.hardware);
        self.retired = false;
        if !self.base_is_own() {
            self.base.clone_from(&offered.base);
        }
        let offering = |it: &OfferedIn| SaleOffering {
            region: it.region.clone(),
            availability: it.availability,
            apart: match &it.price {
                OfferedPrice::General => None,
                OfferedPrice::Apart(base) => Some(Apart {
                    base: Some(base.clone()),
                    price: None,
                }),
                OfferedPrice::Unknown => Some(Apart {
                    base: None,
                    price: None,
                }),
            },
        };
        self.offerings = offered.offerings.iter().map(offering).collect();
        self.offerings.sort_by(|a, b| a.region.cmp(&b.region));
    }

    /// Puts the markup on every base price.
    ///
    /// # Errors
    ///
    /// [`MarkupError`]: then the prices are good for nothing.
    pub(crate) fn reprice(&mut self) -> Result<(), MarkupError> {
        let markup = self.markup;
        let raised = |it: &Option<Price>| it.as_ref().map(|it| markup.apply(it)).transpose();
        self.price = raised(&self.base)?;
        let own = self.base_is_own();
        for offering in &mut self.offerings {
            // What the vendor does not say of a region, the operator has said of them all.
            offering.apart = offering.apart.take().filter(|it| !own || it.base.is_some());
            if let Some(apart) = &mut offering.apart {
                apart.price = raised(&apart.base)?;
            }
        }
        Ok(())
    }

    /// Returns whether the operator set the general base price.
    #[must_use]
    pub fn base_is_own(&self) -> bool {
        self.base
            .as_ref()
            .is_some_and(|it| it.source == PriceSource::Operator)
    }

    /// Returns whether two states of a plan differ in more than when their figures were read.
    pub(crate) fn differs(&self, other: &Self) -> bool {
        self.timeless() != other.timeless()
    }

    fn timeless(&self) -> Self {
        let mut it = self.clone();
        let aparts = it.offerings.iter_mut().filter_map(|it| it.apart.as_mut());
        let aparts = aparts.flat_map(|it| [it.base.as_mut(), it.price.as_mut()]);
        let prices = [it.base.as_mut(), it.price.as_mut()];
        for price in prices.into_iter().chain(aparts).flatten() {
            price.as_of = Timestamp::UNIX_EPOCH;
        }
        (it.revision, it.updated_at) = (0, Timestamp::UNIX_EPOCH);
        it
    }
}

/// What a vendor asks for a plan in a region.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OfferedPrice {
    /// What most regions cost.
    General,
    /// Something else.
    Apart(Price),
    /// It does not say.
    Unknown,
}

/// A region in which a vendor offers a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OfferedIn {
    /// Where.
    pub region: RegionId,
    /// Whether it can be had.
    pub availability: Availability,
    /// For how much.
    pub price: OfferedPrice,
}

/// A plan as its vendor offers it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OfferedPlan {
    /// The vendor's id.
    pub remote: PlanId,
    /// The vendor's name.
    pub label: String,
    /// What a server of it has.
    pub hardware: Hardware,
    /// What most regions cost; `None` where the vendor does not say of any.
    pub base: Option<Price>,
    /// Where it is offered; no region twice.
    pub offerings: Vec<OfferedIn>,
}

/// A plan that is being put on sale.
#[derive(Clone, Debug)]
pub struct NewSalePlan {
    /// Ours.
    pub id: SalePlanId,
    /// At which vendor account.
    pub provider: ProviderId,
    /// What the vendor offers.
    pub offered: OfferedPlan,
    /// Our name for it; the vendor's where absent.
    pub name: Option<String>,
    /// The operator's general base price; the vendor's where absent.
    pub base: Option<Price>,
    /// What is added.
    pub markup: Markup,
    /// The regions that it may be used in; none named is all.
    pub regions: Vec<RegionId>,
    /// The images that it may be used with; none named is all.
    pub images: Vec<ImageId>,
    /// Whether it is sold at once.
    pub active: bool,
    /// Place in the operator's order; the last where absent.
    pub position: Option<i64>,
}

/// Whose base price a plan is to have.
#[derive(Clone, Debug)]
pub enum BaseChange {
    /// This one, of the operator's.
    Operator(Price),
    /// The vendor's.
    Provider(Box<OfferedPlan>),
}

/// A change to a plan on sale; `None` leaves a part as it is.
#[derive(Clone, Debug, Default)]
pub struct SalePlanPatch {
    /// Our name for it.
    pub name: Option<String>,
    /// The base price.
    pub base: Option<BaseChange>,
    /// What is added.
    pub markup: Option<Markup>,
    /// The regions that it may be used in.
    pub regions: Option<Vec<RegionId>>,
    /// The images that it may be used with.
    pub images: Option<Vec<ImageId>>,
    /// Whether the operator sells it.
    pub active: Option<bool>,
    /// Place in the operator's order.
    pub position: Option<i64>,
}

/// A vendor's plans that are being put on sale together.
#[derive(Clone, Debug)]
pub struct PlanImport {
    /// Those that are added, or brought up to date.
    pub offered: Vec<OfferedPlan>,
    /// The ids of all that the vendor sells.
    pub sold: Vec<PlanId>,
    /// What is added to the price of those that have no markup of their own.
    pub markup: Markup,
    /// Whether those that have one lose it.
    pub own_markups: OwnMarkups,
    /// The regions that new ones may be used in; none named is all.
    pub regions: Vec<RegionId>,
    /// How many of the chosen plans cannot be sold.
    pub skipped: u64,
}

/// What an import does with markups that the operator set plan by plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OwnMarkups {
    /// Leaves them.
    Keep,
    /// Puts the import's in their place.
    Replace,
}

/// What an import has come to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Imported {
    /// Plans that are new on sale.
    pub added: u64,
    /// Plans of which the vendor or this import says something else than is on record.
    pub updated: u64,
    /// Plans that are as they were.
    pub unchanged: u64,
    /// Plans that the vendor has ceased to sell since the last import.
    pub retired: u64,
    /// Chosen plans that cannot be sold.
    pub skipped: u64,
}

/// Which plans on sale a list asks for.
#[derive(Clone, Debug, Default)]
pub struct SalePlanFilter {
    /// Only those at this account.
    pub provider: Option<ProviderId>,
    /// Only those of this vendor.
    pub kind: Option<ProviderKind>,
    /// Only those whose name, or whose vendor's id, contains this text. Latin letters are found
    /// in either case.
    pub name: Option<String>,
    /// Only those that are sold in this region and may be used there.
    pub region: Option<RegionId>,
    /// Only those with so many virtual processors.
    pub vcpus: Option<u32>,
    /// Only those with as many or more.
    pub min_vcpus: Option<u32>,
    /// Only those with so much memory.
    pub memory: Option<MiB>,
    /// Only those with as much or more.
    pub min_memory: Option<MiB>,
    /// Only those that are on sale, or that are not.
    pub active: Option<bool>,
    /// At which accounts.
    pub accounts: Accounts,
}

/// At which accounts a list of plans looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Accounts {
    /// At those where something can be bought.
    #[default]
    Active,
    /// At all.
    All,
}

/// In which order plans on sale are listed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SalePlanOrder {
    /// The operator's.
    #[default]
    Position,
    /// The cheapest hour to a member first, in the region that the list asks for; unknown last.
    Cheapest,
    /// The dearest hour first; unknown last.
    Dearest,
}

impl SalePlanOrder {
    /// Every order.
    pub const ALL: [Self; 3] = [Self::Position, Self::Cheapest, Self::Dearest];

    /// Returns the word that asks for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Position => "position",
            Self::Cheapest => "price",
            Self::Dearest => "-price",
        }
    }

    /// Reads the word that asks for an order.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.as_str() == word)
    }
}

/// Where a page of plans on sale begins: after the plan with this key and id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SalePlanMark {
    /// The plan's value in the order of the list.
    pub key: i64,
    /// The plan.
    pub id: SalePlanId,
}

/// Under which terms a server was sold, fixed when it was accepted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sale {
    /// The plan on sale, which may be gone by now.
    pub plan: SalePlanId,
    /// Which state of it.
    pub revision: i64,
    /// Its name then.
    pub name: String,
    /// What it cost us then, in the server's region.
    pub base: Price,
    /// What was added.
    pub markup: Markup,
}
