//! How the providers are, for everybody; and what else operators want to know.

use actix_web::web::Html;
use maud::{Markup, html};
use roadstead_service::{
    AccountHealth, Caller, OpenAccount, OperatorGrant, ReadInstances, Registered,
};

use super::providers::Seen;
use crate::failure::{Answer, Failure};
use crate::route::{Route, Who};
use crate::ui::account::{calls_left, catalogue_ages, circuits, last_answer, verification};
use crate::ui::{Health, Page, ago, empty, health_badge};
use crate::visitor::{Member, Visitor};

const NOW: &str = "/status/now";

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::page("/status", Who::Viewer, show),
        Route::fragment(NOW, Who::Viewer, fragment),
    ]
}

async fn show(member: Member<ReadInstances>) -> Answer {
    let now = now(&member).await?;
    Ok(Page::new(&member, "Provider status").body(now))
}

async fn fragment(member: Member<ReadInstances>) -> Result<Html, Failure> {
    Ok(Html::new(now(&member).await?.into_string()))
}

/// What is shown of an account.
struct Shown {
    account: Registered,
    health: AccountHealth,
    /// What only operators see.
    more: Option<Markup>,
}

async fn now(member: &Member<ReadInstances>) -> Result<Markup, Failure> {
    let shown = shown(member).await?;
    let troubled: Vec<_> = shown.iter().filter(|it| it.health.is_troubled()).collect();
    // What fails is looked at more often.
    let seconds = if troubled.is_empty() { "16" } else { "4" };
    let live = member.preferences.live;
    Ok(html! {
        section id="status-now" aria-label="Provider accounts"
            data-refresh=[live.then_some(seconds)] data-src=[live.then_some(NOW)] {
            p.lead role="status" {
                @if shown.is_empty() {
                    "There is no provider account yet."
                } @else if troubled.is_empty() {
                    "No provider is known to be in trouble."
                } @else {
                    (names(&troubled)) " not answering. Servers and catalogues are shown as they were last seen."
                }
            }
            @if shown.is_empty() {
                (nothing(member))
            } @else {
                div.panels { @for it in &shown { (panel(member, it)) } }
                p.small { "As the process that answered you has seen it since it started." }
            }
        }
    })
}

async fn shown(member: &Member<ReadInstances>) -> Result<Vec<Shown>, Failure> {
    let platform = &member.platform;
    if let Some(grant) = operator(member)? {
        let all = Seen::all(platform, &grant).await?;
        let shown = all.into_iter().map(|seen| Shown {
            more: Some(more(member, &seen)),
            account: seen.account,
            health: seen.health,
        });
        return Ok(shown.collect());
    }
    let open = platform.open_accounts(&member.grant).await?;
    let shown = open
        .into_iter()
        .map(|OpenAccount { account, health }| Shown {
            account,
            health,
            more: None,
        });
    Ok(shown.collect())
}

fn operator(visitor: &Visitor) -> Result<Option<OperatorGrant>, Failure> {
    let caller = visitor.caller.clone().filter(|it| it.user().operator);
    Ok(caller.map(Caller::operator).transpose()?)
}

fn names(troubled: &[&Shown]) -> Markup {
    html! {
        @for (number, it) in troubled.iter().enumerate() {
            @if number > 0 { ", " }
            (it.account.record.name)
        }
        @if troubled.len() == 1 { " is" } @else { " are" }
    }
}

fn nothing(visitor: &Visitor) -> Markup {
    let action = visitor
        .is_operator()
        .then_some(("/providers/add", "Add an account"));
    empty(
        "Nothing to look at",
        html! { p { "Servers are created with an account at a provider." } },
        action,
    )
}

fn panel(visitor: &Visitor, it: &Shown) -> Markup {
    let record = &it.account.record;
    let health = Health::of(record.active, &record.verification, &it.health);
    html! {
        section.panel id={ "provider-" (record.id) } {
            div.panel-head { h2 { (record.name) } (health_badge(health)) }
            dl.facts {
                div { dt { "Provider" } dd { (it.account.descriptor.name) } }
                div { dt { "Last answer" } dd { (last_answer(visitor, it.health.last_call)) } }
                div { dt { "Calls" } dd { (circuits(visitor, &it.health.circuits)) } }
                div { dt { "Kept" } dd { (catalogue_ages(&it.health)) } }
                @if let Some(more) = &it.more { (more) }
            }
        }
    }
}

fn more(visitor: &Visitor, seen: &Seen) -> Markup {
    let record = &seen.account.record;
    html! {
        div { dt { "Token" } dd { (verification(visitor, &record.verification)) } }
        div { dt { "Calls left" } dd { (calls_left(&seen.budget)) } }
        div {
            dt { "Last sync" }
            dd {
                @match seen.sweep.as_ref().and_then(|it| it.completed_at) {
                    Some(at) => (ago(visitor, at)),
                    None => span.unknown { "never" },
                }
            }
        }
        div { dt { "Account" } dd { a href={ "/providers/" (record.id) } { "Manage " (record.name) } } }
    }
}
