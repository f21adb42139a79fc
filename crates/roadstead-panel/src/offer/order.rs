//! In which order plans are shown.

use std::cmp::Ordering;

use super::{Offer, key};

/// The order that counts where none is asked for.
pub(crate) const CHEAPEST_FIRST: &str = "monthly";

/// Sorts plans by the word of a column, with a minus backwards. What cannot be bought comes last,
/// and before it what is not known of the column, in both directions.
pub(crate) fn sort(offers: &mut [Offer], word: &str) {
    let (column, backwards) = match word.strip_prefix('-') {
        Some(column) => (column, true),
        None => (word, false),
    };
    offers.sort_by(|one, other| {
        let refused = |it: &Offer| it.refusal.is_some();
        let by_name = || (&one.name, &one.plan).cmp(&(&other.name, &other.plan));
        refused(one)
            .cmp(&refused(other))
            .then_with(|| by(column, backwards, one, other))
            .then_with(by_name)
    });
}

fn by(column: &str, backwards: bool, one: &Offer, other: &Offer) -> Ordering {
    let number = |part: fn(&Offer) -> Option<u64>| unknown_last(part(one), part(other), backwards);
    let money = |part: fn(&Offer) -> Option<roadstead_core::Money>| {
        unknown_last(part(one).map(key), part(other).map(key), backwards)
    };
    match column {
        "name" => {
            let name = |it: &Offer| Some(it.name.to_lowercase());
            unknown_last(name(one), name(other), backwards)
        }
        "vcpus" => number(|it| Some(it.vcpus.into())),
        "memory" => number(|it| Some(it.memory.0)),
        "disk" => number(|it| it.disk.map(|it| it.0)),
        "transfer" => number(|it| it.transfer.map(|it| it.0)),
        "hourly" => money(Offer::hourly),
        "per_vcpu" => money(Offer::per_vcpu),
        "per_gib" => money(Offer::per_gib),
        _ => money(Offer::monthly),
    }
}

fn unknown_last<T: Ord>(one: Option<T>, other: Option<T>, backwards: bool) -> Ordering {
    match (one, other) {
        (Some(one), Some(other)) if backwards => other.cmp(&one),
        (Some(one), Some(other)) => one.cmp(&other),
        (one, other) => one.is_none().cmp(&other.is_none()),
    }
}
