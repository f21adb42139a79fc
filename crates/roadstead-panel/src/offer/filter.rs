//! Which plans are looked for.

use roadstead_core::{Arch, Currency, MiB, plain_decimal};
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

use super::Offer;
use crate::form::Values;

/// The architectures, with their words in addresses and for people.
pub(crate) const ARCHES: [(Arch, &str, &str); 2] =
    [(Arch::X86_64, "x86", "x86"), (Arch::Aarch64, "arm", "Arm")];

/// Which plans are looked for. What makes no sense filters nothing.
#[derive(Clone, Debug, Default)]
pub(crate) struct Filter {
    name: Option<String>,
    class: Option<String>,
    arch: Option<Arch>,
    vcpus: Option<u32>,
    memory: Option<MiB>,
    disk: Option<MiB>,
    price: Option<Decimal>,
    currency: Option<Currency>,
    available: bool,
}

impl Filter {
    /// Reads what was sent.
    pub(crate) fn read(values: &Values) -> Self {
        let text = |name| values.given(name).map(str::to_lowercase);
        let gib = |name| {
            let gib = plain_decimal(values.given(name)?, 3)?;
            let mib = gib.checked_mul(Decimal::from(1024))?.ceil();
            mib.to_u64().map(MiB)
        };
        let arch = values.given("arch");
        Self {
            name: text("name"),
            class: values.given("class").map(str::to_owned),
            arch: arch.and_then(|word| ARCHES.iter().find(|it| it.1 == word).map(|it| it.0)),
            vcpus: values.given("vcpus").and_then(|it| it.parse().ok()),
            memory: gib("memory"),
            disk: gib("disk"),
            price: values.given("price").and_then(|it| plain_decimal(it, 9)),
            currency: values.given("currency").and_then(Currency::from_code),
            available: values.given("available").is_some(),
        }
    }

    /// Returns whether a plan is looked for. A price that is not known is not below any other.
    pub(crate) fn takes(&self, offer: &Offer) -> bool {
        let named = self.name.as_ref().is_none_or(|name| {
            let texts = [offer.name.as_str(), offer.plan.as_str()];
            texts.iter().any(|it| it.to_lowercase().contains(name))
        });
        named
            && self.class.as_ref().is_none_or(|it| *it == offer.class)
            && self.arch.is_none_or(|it| it == offer.arch)
            && self.vcpus.is_none_or(|it| offer.vcpus >= it)
            && self.memory.is_none_or(|it| offer.memory >= it)
            && self
                .disk
                .is_none_or(|it| offer.disk.is_some_and(|disk| disk >= it))
            && self
                .price
                .is_none_or(|it| offer.monthly().is_some_and(|month| month.amount <= it))
            && self.currency.is_none_or(|it| offer.currency() == Some(it))
            && !(self.available && offer.refusal.is_some())
    }
}
