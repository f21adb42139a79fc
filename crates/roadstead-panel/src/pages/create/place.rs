//! First: at which account, and where.

use maud::{Markup, html};
use roadstead_core::{Region, RegionId};
use roadstead_service::{
    Catalogue, ManageInstances, OpenAccount, ReadInstances, Registered, Verification,
};

use super::chosen::Chosen;
use super::frame::{So, bar, beside, steps};
use super::shop::{self, Floors, Shop};
use super::{PLACE, PLAN};
use crate::failure::{Answer, Failure};
use crate::form::{Filled, Mistakes};
use crate::soon::{Soon, not_here};
use crate::ui::country::{CONTINENTS, country};
use crate::ui::money::words;
use crate::ui::{
    Card, Choice, Group, Health, Page, age, ago, choice_cards, choice_groups, empty, health_badge,
};
use crate::visitor::{Member, Visitor};

/// Where something is bought.
pub(super) struct Place<'a> {
    pub(super) shop: Shop<'a>,
    pub(super) region: RegionId,
    /// What is known of the region.
    pub(super) known: Option<Region>,
}

impl Place<'_> {
    /// Returns the name of the region for people.
    pub(super) fn label(&self) -> &str {
        let known = self.known.as_ref();
        known.map_or(self.region.as_str(), |it| &it.label)
    }
}

/// Returns where something is bought, or what is wrong with what was chosen.
pub(super) async fn checked<'a>(
    member: &'a Member<ManageInstances>,
    chosen: &Chosen,
) -> Result<Result<Place<'a>, Mistakes>, Failure> {
    let wrong = |field, why: String| Ok(Err(Mistakes::one(field, why)));
    let Some(shop) = shop::open(member, chosen.account).await? else {
        return wrong("account", "Choose a provider.".to_owned());
    };
    if let Some(why) = refused(&shop.account) {
        return wrong("account", format!("Choose another provider: {why}."));
    }
    let Some(region) = chosen.region.clone() else {
        return wrong("region", "Choose a region.".to_owned());
    };
    let regions = shop.regions().await?;
    let known = match regions.here() {
        // Without the list nobody can say; a create is checked again.
        None => None,
        Some(regions) => match regions.fetched.value.iter().find(|it| it.id == region) {
            None => {
                let why = format!("{} has no region `{region}`; choose one.", shop.name());
                return wrong("region", why);
            }
            Some(known) if !known.available => {
                let why = format!("{} takes no new servers now; choose another.", known.label);
                return wrong("region", why);
            }
            Some(known) => Some(known.clone()),
        },
    };
    Ok(Ok(Place {
        shop,
        region,
        known,
    }))
}

/// Returns why nothing can be bought at an account.
fn refused(account: &OpenAccount) -> Option<String> {
    match &account.account.record.verification {
        Verification::Refused { .. } => {
            Some("it refuses the token that this installation has; ask the operator".to_owned())
        }
        Verification::Unverified { .. } | Verification::Verified { .. } => None,
    }
}

/// Returns why an account is not offered.
fn not_offered(account: &OpenAccount) -> Option<String> {
    let troubled = account.health.is_troubled();
    refused(account).or_else(|| troubled.then(|| "it is not answering now".to_owned()))
}

pub(super) async fn show(member: Member<ManageInstances>) -> Answer {
    let query = member.query()?;
    page(&member, Chosen::read(&query), Mistakes::default()).await
}

pub(super) async fn page(
    member: &Member<ManageInstances>,
    mut chosen: Chosen,
    mistakes: Mistakes,
) -> Answer {
    let grant = member.may::<ReadInstances>()?;
    let accounts = member.platform.open_accounts(&grant).await?;
    let off = switched_off(member).await?;
    let page = Page::new(member, "Choose a provider and region");
    if accounts.is_empty() && off.is_empty() {
        return Ok(page.body(nowhere(member)));
    }
    let shown = shown(member, &accounts, &off);
    let cards: Vec<_> = shown
        .iter()
        .map(|it| Card {
            value: &it.value,
            title: &it.title,
            body: it.body.clone(),
            refusal: it.refusal.as_deref(),
        })
        .collect();
    let open = |it: &&OpenAccount| not_offered(it).is_none();
    let named = |it: &&OpenAccount| Some(it.account.record.id) == chosen.account;
    // Whoever has chosen nothing sees the regions of the first one.
    let account = accounts.iter().filter(open).find(named);
    let account = account.or_else(|| accounts.iter().find(open));
    let id = account.map(|it| it.account.record.id);
    chosen.account = id;
    let filled = chosen.filled(&[], mistakes);
    let shop = shop::open(member, id).await?;
    let regions = match &shop {
        None => None,
        Some(shop) => {
            let (regions, floors) = futures::join!(shop.regions(), shop.floors());
            Some((shop, regions?, floors?))
        }
    };
    let waits = regions.as_ref().is_some_and(|it| it.1.is_awaited());
    let renewed = member.preferences.live && waits;
    let again = chosen.at(PLACE);
    Ok(page.form(&filled).body(html! {
        (steps(1, &chosen))
        form method="get" action=(PLACE) data-live="results" {
            (chosen.hidden(&["account", "region"]))
            (choice_cards(&filled, "account", "Provider", &cards))
            noscript { p { button type="submit" formaction=(PLACE) { "Show the regions of this provider" } } }
            div id="results"
                data-refresh=[renewed.then_some("2")] data-src=[renewed.then_some(&again)] {
                @match &regions {
                    None => p { "None of the providers can be used now." },
                    Some((shop, regions, floors)) => (results(member, &filled, &chosen, shop, regions, floors.as_ref())),
                }
            }
        }
    }))
}

/// Returns the accounts that are switched off, for whoever can switch them on.
async fn switched_off(member: &Member<ManageInstances>) -> Result<Vec<Registered>, Failure> {
    let Some(caller) = member.caller.clone().filter(|it| it.user().operator) else {
        return Ok(Vec::new());
    };
    let mut all = member.platform.providers(&caller.operator()?).await?;
    all.retain(|it| !it.record.active);
    Ok(all)
}

fn nowhere(visitor: &Visitor) -> Markup {
    let add = visitor
        .is_operator()
        .then_some(("/setup/provider", "Add a provider account"));
    empty(
        "Nowhere to create servers yet",
        html! {
            p {
                "There is no provider account. "
                @if add.is_none() { "Ask whoever runs this installation to add one." }
            }
        },
        add,
    )
}

/// What a card shows.
struct Shown {
    value: String,
    title: String,
    body: Markup,
    refusal: Option<String>,
}

fn shown(visitor: &Visitor, open: &[OpenAccount], off: &[Registered]) -> Vec<Shown> {
    let card =
        |account: &Registered, health: Health, last: Markup, refusal: Option<String>| Shown {
            value: account.record.id.to_string(),
            title: account.record.name.clone(),
            body: html! {
                span.small { (account.descriptor.name) } " " (health_badge(health)) " " (last)
            },
            refusal,
        };
    let open = open.iter().map(|it| {
        let record = &it.account.record;
        let health = Health::of(record.active, &record.verification, &it.health);
        let last = html! {
            @if let Some(call) = &it.health.last_call {
                span.small { "asked " (ago(visitor, call.at)) }
            }
        };
        card(&it.account, health, last, not_offered(it))
    });
    let off = off.iter().map(|it| {
        let why = "it is switched off".to_owned();
        card(it, Health::Off, html! {}, Some(why))
    });
    open.chain(off).collect()
}

fn results(
    visitor: &Visitor,
    filled: &Filled,
    chosen: &Chosen,
    shop: &Shop<'_>,
    regions: &Soon<Catalogue<Region>>,
    floors: Option<&Floors>,
) -> Markup {
    let label = regions.here().and_then(|it| {
        let mut all = it.fetched.value.iter();
        all.find(|it| Some(&it.id) == chosen.region.as_ref())
    });
    let so = So {
        account: Some(shop.name()),
        region: label.map(|it| &*it.label),
        ..So::default()
    };
    let part = html! {
        (not_here(visitor, shop.name(), "its regions", regions))
        @if let Some(known) = regions.here() {
            (choice_groups(filled, "region", "Region", &groups(&known.fetched.value, floors)))
            p.small { (age("Regions", Some(known.fetched.age))) }
        }
        (bar(&so, PLAN))
    };
    beside(&so, &part)
}

/// Groups regions by where in the world they are.
fn groups(regions: &[Region], floors: Option<&Floors>) -> Vec<Group> {
    let mut placed: Vec<_> = regions
        .iter()
        .map(|it| (country(it.country.as_deref()), it))
        .collect();
    placed.sort_by_key(|((country, _), it)| (*country, &it.label));
    let group = |continent: &str| Group {
        title: continent.to_owned(),
        choices: placed
            .iter()
            .filter(|((_, at), _)| *at == continent)
            .map(|((country, _), it)| choice(country, it, floors))
            .collect(),
    };
    let groups = CONTINENTS.into_iter().map(group);
    groups.filter(|it| !it.choices.is_empty()).collect()
}

fn choice(country: &str, region: &Region, floors: Option<&Floors>) -> Choice {
    let floor = floors.map(|it| it.get(&region.id));
    let refusal = match floor {
        _ if !region.available => Some("it takes no new servers now"),
        Some(None) => Some("nothing is on sale there"),
        Some(Some(_)) | None => None,
    };
    Choice {
        value: region.id.as_str().to_owned(),
        title: region.label.to_string(),
        note: html! {
            (region.id)
            @if !country.is_empty() { ", " (country) }
            @if let Some(month) = floor.flatten().copied().flatten() {
                ", from " (words(&month)) " per month"
            }
        },
        refusal: refusal.map(str::to_owned),
    }
}
