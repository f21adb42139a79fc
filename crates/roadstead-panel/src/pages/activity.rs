//! The audit log: who did what, and when.

use maud::{Markup, html};
use roadstead_service::{AuditLine, PageRequest, ReadInstances};

use crate::failure::Answer;
use crate::form::Values;
use crate::route::{Route, Who};
use crate::ui::{Column, Page, empty, pager, table, tabs, time};
use crate::visitor::{Member, Operator, Visitor};

/// How many lines stand on a page.
pub(super) const PAGE: u32 = 50;

const PATH: &str = "/activity";
const INSTALLATION: &str = "/activity/installation";

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::page(PATH, Who::Viewer, show),
        Route::page(INSTALLATION, Who::Operator, show_installation),
    ]
}

/// What lines of the log are about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum About {
    /// All of them about the same thing, which the page says.
    OneThing,
    /// Each about something else.
    Several,
}

fn request(query: &Values) -> PageRequest {
    PageRequest {
        cursor: query.given("cursor").map(str::to_owned),
        limit: PAGE,
    }
}

async fn show(member: Member<ReadInstances>) -> Answer {
    let query = member.query()?;
    let page = request(&query);
    let lines = member.platform.activity(&member.grant, None, &page).await?;
    Ok(shown(
        &member,
        PATH,
        &query,
        &lines.items,
        lines.next.as_deref(),
    ))
}

async fn show_installation(operator: Operator) -> Answer {
    let query = operator.query()?;
    let page = request(&query);
    let lines = operator
        .platform
        .installation_activity(&operator.grant, &page)
        .await?;
    Ok(shown(
        &operator,
        INSTALLATION,
        &query,
        &lines.items,
        lines.next.as_deref(),
    ))
}

fn shown(
    visitor: &Visitor,
    path: &str,
    query: &Values,
    found: &[AuditLine],
    next: Option<&str>,
) -> actix_web::HttpResponse {
    let mut page = Page::new(visitor, "Activity");
    if visitor.is_operator() && visitor.membership().is_some() {
        let pages = [(PATH, "Organization"), (INSTALLATION, "Installation")];
        page = page.above(tabs("Activity", path, &pages));
    }
    page.body(html! {
        @if found.is_empty() {
            (empty("Nothing was done yet", html! {
                p { "Whatever somebody does here stands here afterwards, with their name." }
            }, None))
        } @else {
            (lines(visitor, found, About::Several))
        }
        (pager(path, query, next))
    })
}

/// Shows lines of the log.
pub(super) fn lines(visitor: &Visitor, lines: &[AuditLine], about: About) -> Markup {
    let mut columns = vec![
        Column::new("When"),
        Column::new("Who"),
        Column::new("What"),
        Column::new("Request").class("secondary"),
    ];
    if about == About::Several {
        columns.insert(3, Column::new("To what"));
    }
    let rows = html! {
        @for line in lines {
            tr {
                th scope="row" { (time(visitor, line.created_at)) }
                td {
                    @match &line.who {
                        Some(who) => (who),
                        None => span.unknown { "Roadstead itself" },
                    }
                }
                td { (what(&line.action)) }
                @if about == About::Several { td { (subject(line)) } }
                td.secondary {
                    @if let Some(request) = &line.request_id { code { (request) } }
                }
            }
        }
    };
    table("Activity", &columns, rows, "", &Values::default(), "")
}

/// Names what a line is about, with the way to it where it has a page.
fn subject(line: &AuditLine) -> Markup {
    let name = line.details.get("name").and_then(|it| it.as_str());
    let name = name.unwrap_or(&line.subject);
    html! {
        @if line.action.starts_with("instance.") {
            a href={ "/servers/" (line.subject) } { (name) }
        } @else {
            (name)
        }
    }
}

/// Says an action of the log in words; one that this version does not know stays as it is.
fn what(action: &str) -> &str {
    match action {
        "instance.create" => "Created a server",
        "instance.update" => "Changed label, tags or notes",
        "instance.boot" => "Switched a server on",
        "instance.shutdown" => "Shut a server down",
        "instance.reboot" => "Rebooted a server",
        "instance.power_off" => "Cut a server’s power",
        "instance.resize" => "Changed a server’s plan",
        "instance.rebuild" => "Rebuilt a server",
        "instance.delete" => "Deleted a server",
        "ssh_key.create" => "Added an SSH key",
        "ssh_key.delete" => "Removed an SSH key",
        "provider.create" => "Added a provider account",
        "provider.update" => "Changed a provider account",
        "provider.validate" => "Tested a provider account",
        "provider.delete" => "Removed a provider account",
        "provider.reorder" => "Put provider accounts in another order",
        "provider.clear_cache" => "Had a provider’s catalogue read anew",
        "plan.create" => "Put a plan on sale",
        "plan.import" => "Put an account’s plans on sale",
        "plan.update" => "Changed a plan on sale",
        "plan.delete" => "Took a plan off sale",
        "operation.decide" => "Decided about an operation",
        "user.create" => "Added a user",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_action_of_a_later_version_is_shown_as_it_is() {
        assert_eq!(what("instance.create"), "Created a server");
        assert_eq!(what("moon.land"), "moon.land");
    }
}
