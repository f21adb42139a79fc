//! The same thing done to several servers: listed before, and told one by one after.

use maud::{Markup, html};
use roadstead_service::{Error, Instance, ManageInstances, OperationKind, ReadInstances};

use super::about::{place, server_id, verb};
use super::power::{self, consequence};
use crate::failure::{Answer, Failure};
use crate::form::{Filled, Form, Mistakes, Sent, Values};
use crate::ui::confirm::typed;
use crate::ui::{
    Column, Confirm, Page, Tone, confirm, empty, notice, sentence, status_badge, table,
};
use crate::visitor::{Member, Visitor};

/// How many at a time: as many as stand on a page of the list.
const MOST: usize = 100;

const PATH: &str = "/servers/bulk";

pub(super) async fn show(member: Member<ManageInstances>) -> Answer {
    let query = member.query()?;
    let kind = kind(&query)?;
    let servers = chosen(&member, &query).await?;
    page(&member, kind, &servers, &Filled::default())
}

/// Does it to each server under a key of its own, so that sending the form twice does each once.
pub(super) async fn act(Sent(member, form): Sent<Member<ManageInstances>>) -> Answer {
    let kind = kind(&form.values)?;
    let servers = chosen(&member, &form.values).await?;
    let mut mistakes = Mistakes::default();
    if kind == OperationKind::Delete && !servers.is_empty() {
        mistakes = typed(&form.values, &to_type(servers.len()));
        mistakes.join(member.prove_fresh(&form.values).await?);
    }
    if servers.is_empty() || !mistakes.is_empty() {
        let filled = Filled::again(form.values, mistakes);
        return page(&member, kind, &servers, &filled);
    }
    let mut results = Vec::new();
    for server in servers {
        let done = act_on(&member, &form, &server, kind).await?;
        results.push((server, done));
    }
    told(&member, kind, &results)
}

async fn act_on(
    member: &Member<ManageInstances>,
    form: &Form,
    server: &Instance,
    kind: OperationKind,
) -> Result<Result<(), Error>, Failure> {
    let grant = member.may::<ManageInstances>()?;
    let grant = grant.under_key(form.key_of(&server.id));
    match member.platform.act(&grant, server.id, kind).await {
        Ok(_) => Ok(Ok(())),
        // Without its database nothing more is tried.
        Err(error @ (Error::Unavailable(_) | Error::Internal(_))) => Err(error.into()),
        Err(refusal) => Ok(Err(refusal)),
    }
}

fn kind(values: &Values) -> Result<OperationKind, Failure> {
    let word = values.text("action");
    if word == OperationKind::Delete.as_str() {
        return Ok(OperationKind::Delete);
    }
    power::action(word).ok_or_else(|| Failure::senseless("action", "choose what is to be done"))
}

/// Reads the servers that were chosen; one that is gone meanwhile is left out.
async fn chosen(
    member: &Member<ManageInstances>,
    values: &Values,
) -> Result<Vec<Instance>, Failure> {
    let grant = member.may::<ReadInstances>()?;
    let ids = values.all("server");
    if ids.len() > MOST {
        let why = format!("choose at most {MOST} servers at a time");
        return Err(Failure::senseless("server", why));
    }
    let mut servers: Vec<Instance> = Vec::new();
    for id in ids {
        let id = server_id(id)?;
        if servers.iter().any(|it| it.id == id) {
            continue;
        }
        match member.platform.server(&grant, id).await {
            Ok(server) => servers.push(server),
            Err(Error::NoSuchInstance) => {}
            Err(other) => return Err(other.into()),
        }
    }
    Ok(servers)
}

/// What has to be typed before several servers are deleted.
fn to_type(count: usize) -> String {
    format!("delete {count}")
}

fn title(kind: OperationKind, count: usize) -> String {
    match count {
        1 => format!("{} 1 server", verb(kind)),
        many => format!("{} {many} servers", verb(kind)),
    }
}

fn page(visitor: &Visitor, kind: OperationKind, servers: &[Instance], filled: &Filled) -> Answer {
    let question = format!("{}?", title(kind, servers.len()));
    let shown = Page::new(visitor, question)
        .crumb("/", "Servers")
        .form(filled);
    if servers.is_empty() {
        return Ok(shown.body(empty(
            "No server is chosen",
            html! { p { "Check the boxes of those that you mean, and choose again." } },
            Some(("/", "Back to the servers")),
        )));
    }
    let typed = to_type(servers.len());
    let consequences = match kind {
        OperationKind::Delete => vec![
            html! { "The disks of all these servers are erased." },
            html! { "Their addresses are given back and may go to somebody else." },
            html! { "Once they are gone, they are billed no more." },
        ],
        other => vec![html! { "For each of them: " (consequence(other)) }],
    };
    let button = title(kind, servers.len());
    Ok(shown.body(html! {
        ul.log {
            @for server in servers {
                li { strong { (server.label) } " " (status_badge(server.public_status())) }
            }
        }
        (confirm(visitor, filled, Confirm {
            action: PATH,
            button: &button,
            consequences,
            typed: (kind == OperationKind::Delete).then_some(typed.as_str()),
            fields: html! {
                input type="hidden" name="action" value=(word(kind));
                @for server in servers {
                    input type="hidden" name="server" value=(server.id);
                }
            },
            back: "/",
            keep: "Not now",
        }))
    }))
}

const fn word(kind: OperationKind) -> &'static str {
    match kind {
        OperationKind::Delete => kind.as_str(),
        other => power::word(other),
    }
}

fn told(
    visitor: &Visitor,
    kind: OperationKind,
    results: &[(Instance, Result<(), Error>)],
) -> Answer {
    let refused = results.iter().filter(|it| it.1.is_err()).count();
    let accepted = results.len() - refused;
    let columns = [Column::new("Server"), Column::new("Result")];
    let summary = if refused == 0 {
        notice(Tone::Ok, "All of them are on their way.", html! {})
    } else {
        let title = format!("{accepted} on their way, {refused} refused.");
        notice(Tone::Warn, &title, html! {})
    };
    Ok(Page::new(visitor, title(kind, results.len()))
        .crumb("/", "Servers")
        .body(html! {
            div role="status" { (summary) }
            (table("Results", &columns, html! {
                @for (server, result) in results { (row(server, result)) }
            }, PATH, &Values::default(), ""))
            div.buttons { a.button.primary href="/" { "Back to the servers" } }
        }))
}

fn row(server: &Instance, result: &Result<(), Error>) -> Markup {
    html! {
        tr {
            th scope="row" { a href=(place(server.id, "")) { (server.label) } }
            td {
                @match result {
                    Ok(()) => span.badge.ok { "On its way" },
                    Err(refusal) => {
                        span.badge.danger { "Refused" } " " (sentence(&refusal.to_string()))
                    },
                }
            }
        }
    }
}
