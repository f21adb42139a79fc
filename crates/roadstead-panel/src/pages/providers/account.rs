//! One account: what its provider says to the token, what is left of its calls, what is kept.

use actix_web::web;
use maud::{Markup, html};
use roadstead_service::{
    CatalogueKind, CatalogueStatus, Error, ProviderChange, Sweep, SweepOutcome, Verification,
};

use super::{Seen, find, list};
use crate::done::Done;
use crate::failure::{Answer, Failure};
use crate::form::{Sent, Values};
use crate::ui::account::{calls, catalogue_word, circuits, last_answer, verification};
use crate::ui::{
    Column, Page, Tone, age, ago, copyable, field, health_badge, notice, sentence, table, time,
};
use crate::visitor::{Operator, Visitor};

const CATALOGUES: [Column<'static>; 3] = [
    Column::new("Catalogue"),
    Column::new("Items").class("number"),
    Column::new("Last failure"),
];

pub(super) async fn show(operator: Operator, id: web::Path<String>) -> Answer {
    let account = find(&operator, &id).await?;
    let (platform, grant) = (&operator.platform, &operator.grant);
    let seen = Seen::of(platform, grant, account).await?;
    let kept = match platform
        .kept_catalogues(grant, seen.account.record.id)
        .await
    {
        // Without a token nothing was ever read.
        Err(Error::Provider(_)) => None,
        kept => Some(kept?),
    };
    let record = &seen.account.record;
    let place = format!("/providers/{}", record.id);
    let live = operator.preferences.live;
    Ok(Page::new(&operator, record.name.as_str())
        .crumb("/providers", "Provider accounts")
        .actions(html! {
            a.button href={ (place) "/rename" } { "Rename" }
            a.button href={ (place) "/import" } { "Import servers" }
            @if record.active { a.button href={ (place) "/off" } { "Switch off…" } }
            a.button.danger-quiet href={ (place) "/delete" } { "Delete…" }
        })
        .above(off(&seen, &place))
        .above(list::trouble(&operator, &seen))
        .body(html! {
            (token(&operator, &seen, &place))
            section {
                div.panel-head {
                    h2 { "As this process has seen it" }
                    form method="post" action={ (place) "/refresh" } {
                        (field::key())
                        button type="submit" { "Refresh catalogues now" }
                    }
                }
                div.panels id="now"
                    data-refresh=[live.then_some("16")] data-src=[live.then_some(&place)] {
                    (state(&operator, &seen))
                    section.panel { h3 { "Calls left" } (calls(&operator, &seen.budget)) }
                    section.panel { h3 { "Catalogues" } (catalogues(&operator, kept.as_ref())) }
                    section.panel { h3 { "Last sync" } (sweep(&operator, seen.sweep.as_ref())) }
                }
            }
        }))
}

fn off(seen: &Seen, place: &str) -> Markup {
    if seen.account.record.active {
        return html! {};
    }
    notice(
        Tone::Info,
        "This account is switched off",
        html! {
            p { "Its servers run on and can be deleted. Nothing else is done with it." }
            form method="post" action={ (place) "/on" } {
                (field::key())
                button.primary type="submit" { "Switch on" }
            }
        },
    )
}

fn token(visitor: &Visitor, seen: &Seen, place: &str) -> Markup {
    let record = &seen.account.record;
    html! {
        section.panel {
            div.panel-head { h2 { "Token" } (health_badge(seen.health())) }
            dl.facts.narrow {
                div { dt { "Provider" } dd { (seen.account.descriptor.name) } }
                div { dt { "Checked" } dd { (verification(visitor, &record.verification)) } }
                div {
                    dt { "Account at the provider" }
                    dd {
                        @match &record.fingerprint {
                            Some(it) => (copyable("fingerprint", "fingerprint", it)),
                            None => span.unknown { "not known yet" },
                        }
                    }
                }
                div { dt { "Added" } dd { (time(visitor, record.created_at)) } }
            }
            div.buttons {
                form method="post" action={ (place) "/test" } {
                    (field::key())
                    button type="submit" { "Test token" }
                }
                a.button href={ (place) "/token" } { "Change token" }
            }
        }
    }
}

fn state(visitor: &Visitor, seen: &Seen) -> Markup {
    html! {
        section.panel {
            h3 { "Calls" }
            dl.facts {
                div { dt { "Last answer" } dd { (last_answer(visitor, seen.health.last_call)) } }
                div { dt { "Sent" } dd { (circuits(visitor, &seen.health.circuits)) } }
            }
        }
    }
}

fn catalogues(visitor: &Visitor, kept: Option<&[(CatalogueKind, CatalogueStatus); 4]>) -> Markup {
    let Some(kept) = kept else {
        return html! { p { "Nothing was read yet: the account has no token." } };
    };
    let rows = html! {
        @for (kind, it) in kept {
            tr {
                th scope="row" {
                    (catalogue_word(*kind))
                    div.small {
                        (age("", it.age))
                        @if it.stale { ", to be renewed" }
                        @if it.refreshing { ", being read" }
                    }
                }
                td.number {
                    @match it.items { Some(count) => (count), None => span.unknown { "none" } }
                }
                td {
                    @match &it.failure {
                        Some(failure) => {
                            (sentence(&failure.message))
                            div.small {
                                (ago(visitor, failure.at))
                                @if failure.in_a_row > 1 { ", " (failure.in_a_row) " in a row" }
                            }
                        },
                        None => span.unknown { "none" },
                    }
                }
            }
        }
    };
    table("Catalogues", &CATALOGUES, rows, "", &Values::default(), "")
}

fn sweep(visitor: &Visitor, sweep: Option<&Sweep>) -> Markup {
    let Some(it) = sweep else {
        return html! { p { "The account was not compared with our books yet." } };
    };
    let outcome = match it.outcome {
        None => "not over yet",
        Some(SweepOutcome::Completed) => "completed",
        Some(SweepOutcome::Capped) => "stopped: too many servers to delete or gone at once",
        Some(SweepOutcome::Frozen) => "left out: the account is frozen",
        Some(SweepOutcome::Failed) => "failed",
    };
    let counts = [
        ("Servers there", it.seen),
        ("Deleted by the last one", it.deleted),
        ("Left alone because they were too many", it.held_back),
        ("Wanted by nobody, to be deleted", it.doomed),
        ("In quarantine", it.quarantined),
        ("Missing", it.missing),
    ];
    html! {
        dl.facts {
            div {
                dt { "Outcome" }
                dd { (outcome) @if let Some(why) = &it.reason { div.small { (sentence(why)) } } }
            }
            div {
                dt { "Read completely" }
                dd {
                    @match it.completed_at {
                        Some(at) => (ago(visitor, at)),
                        None => span.unknown { "never" },
                    }
                }
            }
            div { dt { "Next one due" } dd { (time(visitor, it.due_at)) } }
            @for (what, count) in counts { div { dt { (what) } dd { (count) } } }
        }
    }
}

/// Asks the provider whose token it is.
pub(super) async fn test(Sent(operator, _form): Sent<Operator>, id: web::Path<String>) -> Answer {
    let before = find(&operator, &id).await?.record;
    let tested = operator
        .platform
        .validate_provider(&operator.grant, before.id);
    let after = tested.await?.record.verification;
    let done = match &after {
        // A provider that does not answer takes nothing back, and leaves the time of before.
        Verification::Verified { .. } if after != before.verification => Done::TokenKnown,
        Verification::Verified { .. } | Verification::Unverified { .. } => Done::TokenUnanswered,
        Verification::Refused { .. } => Done::TokenRefused,
    };
    operator.done(done, &format!("/providers/{}", before.id))
}

/// Reads the catalogues anew.
pub(super) async fn refresh(
    Sent(operator, _form): Sent<Operator>,
    id: web::Path<String>,
) -> Answer {
    let record = find(&operator, &id).await?.record;
    let asked = operator
        .platform
        .refresh_catalogues(&operator.grant, record.id);
    let done = match asked.await {
        Ok(()) => Done::CataloguesRead,
        Err(Error::Provider(_) | Error::ProviderRefused(_) | Error::ProviderInactive) => {
            Done::CataloguesKept
        }
        Err(other) => return Err(Failure::from(other)),
    };
    operator.done(done, &format!("/providers/{}", record.id))
}

pub(super) async fn switch_on(
    Sent(operator, _form): Sent<Operator>,
    id: web::Path<String>,
) -> Answer {
    let record = find(&operator, &id).await?.record;
    let change = ProviderChange {
        active: Some(true),
        ..ProviderChange::default()
    };
    operator
        .platform
        .change_provider(&operator.grant, record.id, change)
        .await?;
    operator.done(Done::AccountOn, &format!("/providers/{}", record.id))
}
