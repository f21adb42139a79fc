//! The audit log: who did what, and when.

use std::collections::BTreeMap;

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

/// The labels of servers, by their ids.
type Labels = BTreeMap<String, String>;

/// What lines of the log are about.
#[derive(Debug)]
pub(super) enum About<'a> {
    /// All of them about the same thing, which the page says.
    OneThing,
    /// Each about something else; the labels of those that are servers.
    Several(&'a Labels),
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
    let labels = member.platform.labels(&member.grant, &lines.items).await?;
    let listed = lines_of(&member, &lines.items, &About::Several(&labels));
    let next = lines.next.as_deref();
    Ok(shown(&member, PATH, &query, &listed, next))
}

async fn show_installation(operator: Operator) -> Answer {
    let query = operator.query()?;
    let page = request(&query);
    let lines = operator
        .platform
        .installation_activity(&operator.grant, &page)
        .await?;
    let listed = lines_of(&operator, &lines.items, &About::Several(&Labels::new()));
    let next = lines.next.as_deref();
    Ok(shown(&operator, INSTALLATION, &query, &listed, next))
}

fn shown(
    visitor: &Visitor,
    path: &str,
    query: &Values,
    listed: &Markup,
    next: Option<&str>,
) -> actix_web::HttpResponse {
    let mut page = Page::new(visitor, "Activity");
    if visitor.is_operator() && visitor.membership().is_some() {
        let pages = [(PATH, "Organization"), (INSTALLATION, "Installation")];
        page = page.above(tabs("Activity", path, &pages));
    }
    page.body(html! {
        (listed)
        (pager(path, query, next))
    })
}

/// Shows lines of the log.
pub(super) fn lines_of(visitor: &Visitor, lines: &[AuditLine], about: &About<'_>) -> Markup {
    if lines.is_empty() {
        return empty(
            "Nothing was done yet",
            html! { p { "Whatever somebody does stands here afterwards, with their name." } },
            None,
        );
    }
    let mut columns = vec![
        Column::new("When"),
        Column::new("What, and who"),
        Column::new("Request").class("secondary"),
    ];
    if let About::Several(_) = about {
        columns.insert(2, Column::new("To what"));
    }
    let rows = html! {
        @for line in lines {
            tr {
                th scope="row" { (time(visitor, line.created_at)) }
                td {
                    (what(&line.action))
                    div.small { (line.who.as_deref().unwrap_or("Roadstead itself")) }
                }
                @if let About::Several(labels) = about { td { (subject(line, labels)) } }
                td.secondary {
                    @if let Some(request) = &line.request_id { code { (request) } }
                }
            }
        }
    };
    table("Activity", &columns, rows, "", &Values::default(), "")
}

/// Names what a line is about, with the way to it where it has a page.
fn subject(line: &AuditLine, labels: &Labels) -> Markup {
    let name = line.details.get("name").and_then(|it| it.as_str());
    html! {
        @match labels.get(&line.subject) {
            Some(label) => a href={ "/servers/" (line.subject) } { (label) },
            None => (name.unwrap_or(&line.subject)),
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
