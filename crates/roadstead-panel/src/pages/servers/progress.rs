//! How far what was asked for is, and what was asked for before.

use actix_web::web;
use maud::{Markup, html};
use roadstead_service::{Operation, OperationKind, OperationState, PageRequest, ReadInstances};

use super::about::{About, verb};
use crate::failure::Answer;
use crate::pages::activity;
use crate::ui::{Step, StepState, ago, pager, sentence, timeline};
use crate::visitor::{Member, Visitor};

/// Returns whether an operation is not over.
pub(super) const fn is_open(operation: &Operation) -> bool {
    !operation.state.is_final()
}

/// Shows the steps of an operation.
pub(super) fn steps(visitor: &Visitor, about: &About, operation: &Operation) -> Markup {
    let here = reached(operation.state);
    let labels = [
        "Accepted here".to_owned(),
        format!("Asked of {}", about.provider_name()),
        format!("{} is at work", about.provider_name()),
        ended(operation.kind).to_owned(),
    ];
    let wrong = matches!(
        operation.state,
        OperationState::Failed | OperationState::Attention
    );
    let steps: Vec<_> = labels
        .iter()
        .enumerate()
        .map(|(number, label)| {
            let state = match number.cmp(&here) {
                std::cmp::Ordering::Less => StepState::Done,
                std::cmp::Ordering::Equal if wrong => StepState::Failed,
                std::cmp::Ordering::Equal if operation.state == OperationState::Succeeded => {
                    StepState::Done
                }
                std::cmp::Ordering::Equal => StepState::Now,
                std::cmp::Ordering::Greater => StepState::Later,
            };
            let note = (number == here).then(|| note(operation));
            Step { label, state, note }
        })
        .collect();
    html! {
        h3 { (verb(operation.kind)) }
        p.small { "Asked for " (ago(visitor, operation.created_at)) "." }
        (timeline(&steps))
    }
}

/// Says in words how far it is, for who does not see it.
pub(super) fn said(about: &About, open: Option<&Operation>) -> String {
    match open {
        Some(operation) => format!(
            "{}: {}",
            verb(operation.kind),
            state_word(operation.state).to_lowercase()
        ),
        None => format!(
            "The server is {}",
            crate::ui::badge::status_word(about.server.public_status()).to_lowercase()
        ),
    }
}

/// The number of the step at which an operation in this state is.
const fn reached(state: OperationState) -> usize {
    match state {
        OperationState::Ready | OperationState::Leased => 1,
        OperationState::Sent | OperationState::Unknown | OperationState::Resolving => 1,
        OperationState::Waiting | OperationState::Attention | OperationState::Failed => 2,
        OperationState::Succeeded => 3,
    }
}

fn note(operation: &Operation) -> Markup {
    html! {
        @match operation.state {
            OperationState::Unknown | OperationState::Resolving => {
                "The answer was lost; it is looked for before anything is asked again."
            }
            OperationState::Attention => "A person has to decide how it goes on. ",
            _ => {}
        }
        @if let Some(error) = &operation.error {
            (sentence(&error.message)) " " code { (error.code) }
        }
        @if let (Some(percent), OperationState::Waiting) = (operation.progress, operation.state) {
            progress max="100" value=(percent) aria-label="How much is done" {}
        }
    }
}

/// Returns what is true once an operation is over.
const fn ended(kind: OperationKind) -> &'static str {
    match kind {
        OperationKind::Create | OperationKind::Boot | OperationKind::Reboot => "Running",
        OperationKind::Shutdown | OperationKind::PowerOff => "Stopped",
        OperationKind::Resize => "On the new plan",
        OperationKind::Rebuild => "Rebuilt",
        OperationKind::Delete => "Gone, and billed no more",
        OperationKind::Import => "One of this organization's",
        OperationKind::Release => "Taken off the books, and still at the provider",
    }
}

const fn state_word(state: OperationState) -> &'static str {
    match state {
        OperationState::Ready | OperationState::Leased => "Waits to be sent",
        OperationState::Sent => "Sent",
        OperationState::Unknown | OperationState::Resolving => "Being looked for",
        OperationState::Waiting => "The provider is at work",
        OperationState::Succeeded => "Done",
        OperationState::Failed => "Failed",
        OperationState::Attention => "Needs a person",
    }
}

/// Shows the latest operations, and leads to all of them.
pub(super) fn latest(visitor: &Visitor, about: &About, operations: &[Operation]) -> Markup {
    html! {
        section aria-labelledby="activity-title" {
            h2 id="activity-title" { "Latest activity" }
            @if operations.is_empty() {
                p.unknown { "Nothing was asked for yet." }
            } @else {
                (list(visitor, operations))
            }
            p { a href=(about.path("/activity")) { "All activity of this server" } }
        }
    }
}

fn list(visitor: &Visitor, operations: &[Operation]) -> Markup {
    html! {
        ul.log {
            @for operation in operations {
                li {
                    strong { (verb(operation.kind)) } ": " (state_word(operation.state)) ", "
                    (ago(visitor, operation.updated_at))
                    @if let Some(error) = &operation.error {
                        div.small { (sentence(&error.message)) " " code { (error.code) } }
                    }
                }
            }
        }
    }
}

/// The page with everything that was asked for, and who asked.
pub(super) async fn show(member: Member<ReadInstances>, id: web::Path<String>) -> Answer {
    let about = About::read(&member, &id).await?;
    let query = member.query()?;
    let page = PageRequest {
        cursor: query.given("cursor").map(str::to_owned),
        limit: activity::PAGE,
    };
    let subject = about.server.id.to_string();
    let lines = member
        .platform
        .activity(&member.grant, Some(&subject), &page)
        .await?;
    let operations = member
        .platform
        .operations(&member.grant, about.server.id, &PageRequest::default())
        .await?;
    let path = about.path("/activity");
    Ok(about
        .page(&member, format!("Activity of {}", about.server.label))
        .body(html! {
            section aria-labelledby="operations-title" {
                h2 id="operations-title" { "What was asked of the provider" }
                @if operations.items.is_empty() {
                    p.unknown { "Nothing yet." }
                } @else {
                    (list(&member, &operations.items))
                }
            }
            section aria-labelledby="log-title" {
                h2 id="log-title" { "Who did what" }
                (activity::lines_of(&member, &lines.items, &activity::About::OneThing))
                (pager(&path, &query, lines.next.as_deref()))
            }
        }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_is_reached_in_every_state() {
        for state in OperationState::ALL {
            assert!((1..=3).contains(&reached(state)));
            assert!(!state_word(state).is_empty());
        }
        for kind in OperationKind::ALL {
            assert!(!ended(kind).is_empty());
        }
    }
}
