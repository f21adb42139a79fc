//! What waits for a person: operations whose outcome nobody can prove, and what may be decided.

use std::collections::BTreeMap;

use actix_web::web;
use maud::{Markup, html};
use roadstead_core::ProviderId;
use roadstead_service::{
    Decision, Error, OperationKind, Page as Slice, PageRequest, Registered, Waiting,
};

use crate::done::Done;
use crate::failure::{Answer, Failure};
use crate::form::{Filled, Form, Mistakes, Sent, Values};
use crate::route::{Route, Who};
use crate::ui::account::spaced;
use crate::ui::confirm::typed;
use crate::ui::{
    Column, Confirm, Page, ago, confirm, copyable, empty, pager, sentence, table, tabs,
};
use crate::visitor::{Operator, Visitor};

const COLUMNS: [Column<'static>; 4] = [
    Column::new("Server"),
    Column::new("What is in doubt"),
    Column::new("At the provider").class("secondary"),
    Column::new("Decide"),
];

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::page("/attention", Who::Operator, list),
        Route::page("/attention/{id}/{decision}", Who::Operator, ask),
        Route::action("/attention/{id}/{decision}", Who::Operator, decide),
    ]
}

async fn list(operator: Operator) -> Answer {
    let query = operator.query()?;
    let page = PageRequest {
        cursor: query.given("cursor").map(str::to_owned),
        ..PageRequest::default()
    };
    let (platform, grant) = (&operator.platform, &operator.grant);
    let waiting = platform.waiting(grant, &page).await?;
    let accounts = platform.providers(grant).await?;
    let shown = Page::new(&operator, "Needs attention").above(ways(&operator));
    let live = operator.preferences.live;
    Ok(shown.body(html! {
        p.lead {
            "The provider’s answer was lost, or a server has not become what was asked for. Nothing \
             is sent again before somebody decides; everything else goes on."
        }
        section id="waiting" aria-label="What waits"
            data-refresh=[live.then_some("16")] data-src=[live.then_some(&operator.path)] {
            (listed(&operator, &query, &accounts, &waiting))
        }
    }))
}

/// Leads to everything that a person may have to decide.
pub(super) fn ways(visitor: &Visitor) -> Markup {
    let pages = [
        ("/attention", "Operations"),
        ("/quarantine", "Quarantine"),
        ("/missing", "Missing servers"),
    ];
    tabs("What waits", visitor.place(), &pages)
}

fn listed(
    visitor: &Visitor,
    query: &Values,
    accounts: &[Registered],
    waiting: &Slice<Waiting>,
) -> Markup {
    let names: BTreeMap<ProviderId, &str> = accounts
        .iter()
        .map(|it| (it.record.id, it.record.name.as_str()))
        .collect();
    html! {
        @if waiting.items.is_empty() {
            (empty(
                "Nothing waits for you",
                html! { p role="status" { "Every operation goes on by itself." } },
                Some(("/status", "Look at the providers")),
            ))
        } @else {
            p.count role="status" {
                (waiting.items.len())
                @if waiting.items.len() == 1 { " waits" } @else { " wait" }
                " for a decision"
                @if waiting.next.is_some() { ", and more on the next page" }
            }
            (table("What waits for a decision", &COLUMNS, html! {
                @for it in &waiting.items { (row(visitor, it, &names)) }
            }, "/attention", query, ""))
            (pager("/attention", query, waiting.next.as_deref()))
        }
    }
}

fn row(visitor: &Visitor, it: &Waiting, names: &BTreeMap<ProviderId, &str>) -> Markup {
    let Waiting {
        operation,
        instance,
        organization,
    } = it;
    let account = names.get(&operation.provider).copied();
    html! {
        tr id={ "operation-" (operation.id) } {
            th scope="row" {
                (instance.label)
                div.small { "of " (organization) ", at " (account.unwrap_or(instance.kind.as_str())) }
            }
            td {
                (capitalized(operation.kind)) ", asked for " (ago(visitor, operation.created_at))
                div.small { (why(it)) }
            }
            td.secondary { (whereabouts(it)) }
            td {
                ul.plain {
                    @for decision in Decision::ALL {
                        li {
                            a href={ "/attention/" (operation.id) "/" (decision.as_str()) } {
                                (choice(decision))
                                span.hidden-text { ": " (doing(operation.kind)) " of " (instance.label) }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// Says why somebody must decide.
fn why(it: &Waiting) -> String {
    let said = it.operation.error.as_ref().map(|it| it.message.as_str());
    let said = said.or(it.instance.problem.as_deref());
    said.map_or_else(|| "Nobody knows what became of it.".to_owned(), sentence)
}

/// Says where it is found at the provider.
fn whereabouts(it: &Waiting) -> Markup {
    let id = it.operation.id;
    html! {
        div.small {
            "Name " (copyable(&format!("name-{id}"), "name", &it.instance.remote_name))
        }
        div.small {
            "Id "
            @match &it.instance.remote {
                Some(remote) => (copyable(&format!("remote-{id}"), "id", remote.as_str())),
                None => span.unknown { "not known" },
            }
        }
    }
}

const fn choice(decision: Decision) -> &'static str {
    match decision {
        Decision::Retry => "Look again",
        Decision::Done => "It was done",
        Decision::Failed => "It was not done",
    }
}

/// Says what an operation does, as a noun.
fn doing(kind: OperationKind) -> String {
    match kind {
        OperationKind::Create => "creation".to_owned(),
        OperationKind::Delete => "deletion".to_owned(),
        other => spaced(other.as_str()).into_owned(),
    }
}

fn capitalized(kind: OperationKind) -> String {
    let sentence = sentence(&doing(kind));
    sentence.trim_end_matches('.').to_owned()
}

/// Finds what waits, and what may be decided about it.
async fn find(
    operator: &Operator,
    path: &(String, String),
) -> Result<(Waiting, Decision), Failure> {
    let (id, word) = path;
    let decision = Decision::from_word(word).ok_or_else(Failure::no_page)?;
    let id = id.parse().map_err(|_text| Error::NotFound("operation"))?;
    let waiting = operator.platform.waiting_for(&operator.grant, id).await?;
    Ok((waiting, decision))
}

async fn ask(operator: Operator, path: web::Path<(String, String)>) -> Answer {
    let (waiting, decision) = find(&operator, &path).await?;
    page(&operator, &waiting, decision, &Filled::default())
}

async fn decide(Sent(operator, form): Sent<Operator>, path: web::Path<(String, String)>) -> Answer {
    let (waiting, decision) = match find(&operator, &path).await {
        Ok(found) => found,
        // Sent twice: the first one has decided, and this one is answered alike.
        Err(refused) => return repeat(&operator, &path, refused).await,
    };
    let Form { values, .. } = form;
    let mut mistakes = Mistakes::default();
    if ends_for_good(&waiting, decision) {
        mistakes = typed(&values, &waiting.instance.label);
        mistakes.join(operator.prove_fresh(&values).await?);
    }
    if mistakes.is_empty() {
        let id = waiting.operation.id;
        let decided = operator
            .platform
            .decide_operation(&operator.grant, id, decision);
        match decided.await {
            Ok(_) => return operator.done(told(decision), "/attention"),
            Err(error) => mistakes = Mistakes::of(error)?,
        }
    }
    page(
        &operator,
        &waiting,
        decision,
        &Filled::again(values, mistakes),
    )
}

/// Answers a decision about what does not wait any more: with what the same form was answered
/// before, else with why it is refused.
async fn repeat(operator: &Operator, path: &(String, String), refused: Failure) -> Answer {
    let (id, word) = path;
    let (Ok(id), Some(decision)) = (id.parse(), Decision::from_word(word)) else {
        return Err(refused);
    };
    let again = operator
        .platform
        .decide_operation(&operator.grant, id, decision);
    match again.await {
        Ok(_) => operator.done(told(decision), "/attention"),
        Err(_) => Err(refused),
    }
}

const fn told(decision: Decision) -> Done {
    match decision {
        Decision::Retry => Done::LooksAgain,
        Decision::Done => Done::TakenForSuccess,
        Decision::Failed => Done::TakenForFailure,
    }
}

/// Returns whether a server's record ends by a decision, so that it cannot be taken back.
fn ends_for_good(it: &Waiting, decision: Decision) -> bool {
    let is_bound = it.instance.remote.is_some();
    match decision {
        Decision::Retry => false,
        Decision::Done if it.operation.kind == OperationKind::Delete => true,
        Decision::Done | Decision::Failed => !is_bound,
    }
}

fn page(operator: &Operator, it: &Waiting, decision: Decision, filled: &Filled) -> Answer {
    let Waiting {
        operation,
        instance,
        organization,
    } = it;
    let title = format!(
        "{}: {} of {}",
        choice(decision),
        doing(operation.kind),
        instance.label
    );
    let place = format!("/attention/{}/{}", operation.id, decision.as_str());
    let consequences = consequences(it, decision);
    let question = confirm(
        operator,
        filled,
        Confirm {
            action: &place,
            button: choice(decision),
            consequences: consequences.into_iter().map(|it| html! { (it) }).collect(),
            typed: ends_for_good(it, decision).then_some(instance.label.as_str()),
            fields: html! {},
            back: "/attention",
            keep: "Decide later",
        },
    );
    Ok(Page::new(operator, title)
        .crumb("/attention", "Needs attention")
        .form(filled)
        .body(html! {
            section.panel {
                h2 { "What is in doubt" }
                dl.facts {
                    div { dt { "Server" } dd { (instance.label) " of " (organization) } }
                    div { dt { "Asked for" } dd { (ago(operator, operation.created_at)) } }
                    div { dt { "Why" } dd { (why(it)) } }
                    div { dt { "At the provider" } dd { (whereabouts(it)) } }
                }
            }
            (question)
        }))
}

fn consequences(it: &Waiting, decision: Decision) -> Vec<&'static str> {
    let is_bound = it.instance.remote.is_some();
    match (decision, it.operation.kind) {
        (Decision::Retry, _) => vec![
            "The provider is looked at again, and it goes on from what is found there.",
            "Nothing is sent a second time before that. If nothing can be proved, it comes back to this list.",
        ],
        (Decision::Done, OperationKind::Delete) => vec![
            "You have looked at the provider, and the server is gone.",
            "Its record ends here, and its organization pays nothing more for it.",
            "If it is there all the same, a later sweep finds it and deletes it.",
        ],
        (Decision::Done, _) if is_bound => vec![
            "You have looked at the provider, and it was done as asked.",
            "The server can be used and changed again.",
        ],
        (Decision::Failed, OperationKind::Delete) if is_bound => vec![
            "You have looked at the provider, and the server is there.",
            "It stays as it is, goes on to cost what it costs, and can be used and deleted again.",
        ],
        (Decision::Failed, _) if is_bound => vec![
            "You have looked at the provider, and it was not done.",
            "The server stays as it is, and can be used and changed again. Whoever asked sees that it failed.",
        ],
        (Decision::Done | Decision::Failed, _) => vec![
            "Our books know no server of it at the provider, so that its record ends as failed.",
            "It costs its organization nothing. What should appear at the provider after all is not \
             taken back: a later sweep finds it.",
        ],
    }
}
