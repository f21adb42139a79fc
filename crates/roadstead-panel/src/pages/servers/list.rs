//! The list of servers: filtered, sorted, a page at a time. No provider is asked for it.

use std::collections::BTreeMap;

use maud::{Markup, html};
use roadstead_core::{Address, ProviderId, Scope, State};
use roadstead_service::{
    Instance, InstanceFilter, Lifecycle, OpenAccount, Page as Slice, PageRequest, ReadInstances,
    ServerOrder, Verification,
};

use crate::failure::Answer;
use crate::form::{Filled, Mistakes, Values};
use crate::ui::badge::{is_passing, status_word};
use crate::ui::nav::has_page;
use crate::ui::{
    Column, Page, Tone, ago, bulk_bar, copyable, disk, empty, filters, memory, money, notice,
    pager, status_badge, table,
};
use crate::ui::{Field, Text, field};
use crate::visitor::{Member, Visitor};

/// How many servers stand on a page.
const PAGE: u32 = 100;

/// The filters, by the names under which they are sent.
const FILTERS: [&str; 5] = ["label", "status", "provider", "region", "tag"];

/// The form that the checked boxes belong to.
const BULK: &str = "bulk";

const COLUMNS: [Column<'static>; 7] = [
    Column::new("Server").sorted_by("label"),
    Column::new("Status"),
    Column::new("Provider").class("secondary"),
    Column::new("Region").sorted_by("region").class("secondary"),
    Column::new("Address").class("secondary"),
    Column::new("Per month").class("number"),
    Column::new("Created")
        .sorted_by("created_at")
        .class("secondary"),
];

pub(super) async fn show(member: Member<ReadInstances>) -> Answer {
    let query = member.query()?;
    let filter = filter(&query);
    let page = PageRequest {
        cursor: query.given("cursor").map(str::to_owned),
        limit: PAGE,
    };
    let platform = &member.platform;
    let accounts = platform.open_accounts(&member.grant).await?;
    let order = order(&query);
    let servers = platform
        .servers(&member.grant, &filter, order, &page)
        .await?;
    let mut shown = Page::new(&member, "Servers");
    for account in accounts.iter().filter(|it| it.health.is_troubled()) {
        shown = shown.above(outage(&member, account, &servers.items));
    }
    let filtered = FILTERS.iter().any(|it| query.given(it).is_some());
    let begun = query.given("cursor").is_some();
    if servers.items.is_empty() && !filtered && !begun {
        return Ok(shown.body(nothing_yet(&member, &accounts)));
    }
    Ok(shown.body(listed(&member, &query, &accounts, &servers)))
}

/// Reads which servers are asked for; what is no status and no account filters nothing.
pub(super) fn filter(query: &Values) -> InstanceFilter {
    let text = |name: &str| query.given(name).map(str::to_owned);
    InstanceFilter {
        status: text("status").filter(|it| statuses().any(|status| status == *it)),
        kind: None,
        provider: query.given("provider").and_then(|it| it.parse().ok()),
        region: text("region").map(Into::into),
        label: text("label"),
        tag: text("tag"),
    }
}

/// Reads the order that is asked for.
pub(super) fn order(query: &Values) -> ServerOrder {
    let sort = query.given("sort").and_then(ServerOrder::from_word);
    sort.unwrap_or_default()
}

/// Every status that a list can show, once.
fn statuses() -> impl Iterator<Item = &'static str> {
    let states = State::ALL.map(State::as_str).into_iter();
    let lives = [Lifecycle::Failed, Lifecycle::Missing, Lifecycle::Attention];
    states
        .filter(|it| *it != State::Deleted.as_str())
        .chain(lives.map(Lifecycle::as_str))
}

/// Returns the address at which a server is reached first.
pub(super) fn main_address(server: &Instance) -> Option<&Address> {
    let public = |it: &&Address| it.scope == Scope::Public;
    let mut addresses = server.addresses.iter().filter(public);
    let first = addresses.clone().find(|it| it.ip.is_ipv4());
    first.or_else(|| addresses.next())
}

fn outage(visitor: &Visitor, account: &OpenAccount, servers: &[Instance]) -> Markup {
    let record = &account.account.record;
    let here = servers.iter().filter(|it| it.provider == record.id);
    let seen = here.filter_map(|it| it.observed_at).max();
    notice(
        Tone::Warn,
        &format!("{} is not answering", record.name),
        html! {
            p {
                @match seen {
                    Some(seen) => { "Its servers are shown as they were last seen, " (ago(visitor, seen)) "." },
                    None => "Its servers are shown as they are in our books.",
                }
                " Everything else works as usual."
            }
        },
    )
}

fn nothing_yet(visitor: &Visitor, accounts: &[OpenAccount]) -> Markup {
    let usable = accounts.iter().any(|it| {
        let verification = &it.account.record.verification;
        !matches!(verification, Verification::Refused { .. })
    });
    let create = (usable && visitor.may_change() && has_page("/create"))
        .then_some(("/create", "Create your first server"));
    let add =
        (!usable && visitor.is_operator()).then_some(("/setup/provider", "Add a provider account"));
    empty(
        "No servers yet",
        html! {
            @if usable {
                p { "A new server takes four steps, and you see its price before anything is bought:" }
                ol {
                    li { "choose a provider and a region," }
                    li { "a plan," }
                    li { "an image or an application," }
                    li { "name it, review it, and watch it start." }
                }
            } @else {
                p {
                    "There is no provider account to create servers at. "
                    @if !visitor.is_operator() { "Ask whoever runs this installation to add one." }
                }
            }
        },
        create.or(add),
    )
}

fn listed(
    visitor: &Visitor,
    query: &Values,
    accounts: &[OpenAccount],
    servers: &Slice<Instance>,
) -> Markup {
    let names: BTreeMap<ProviderId, &str> = accounts
        .iter()
        .map(|it| (it.account.record.id, it.account.record.name.as_str()))
        .collect();
    let bulk = visitor.may_change() && has_page("/servers/bulk");
    let busy = servers
        .items
        .iter()
        .any(|it| is_passing(it.public_status()));
    let live = visitor.preferences.live;
    let csv = format!("/servers.csv{}", query.with(&[("cursor", "")]));
    html! {
        (filter_fields(query, accounts))
        section id="results" aria-label="Servers"
            data-refresh=[live.then_some(if busy { "2" } else { "10" })]
            data-src=[live.then_some(&visitor.path)] {
            p.count role="status" { (count(servers)) }
            @if servers.items.is_empty() {
                p { "No server matches. " a href="/" { "Show all" } }
            } @else {
                @if bulk {
                    form id=(BULK) method="get" action="/servers/bulk" {}
                }
                (table(
                    "Servers",
                    &COLUMNS,
                    html! { @for it in &servers.items { (row(visitor, it, &names, bulk)) } },
                    "/",
                    query,
                    ServerOrder::default().as_str(),
                ))
                @if bulk {
                    (bulk_bar(BULK, &[
                        ("boot", "Switch on"),
                        ("shutdown", "Shut down"),
                        ("reboot", "Reboot"),
                        ("delete", "Delete"),
                    ]))
                }
                (pager("/", query, servers.next.as_deref()))
                p.small { a href=(csv) download="servers.csv" { "Download as CSV" } }
            }
        }
    }
}

fn count(servers: &Slice<Instance>) -> String {
    let more = if servers.next.is_some() {
        " on this page; there are more"
    } else {
        ""
    };
    match servers.items.len() {
        1 => format!("1 server{more}"),
        many => format!("{many} servers{more}"),
    }
}

fn filter_fields(query: &Values, accounts: &[OpenAccount]) -> Markup {
    let filled = Filled::again(query.clone(), Mistakes::default());
    let ids: Vec<_> = accounts
        .iter()
        .map(|it| it.account.record.id.to_string())
        .collect();
    let names = accounts.iter().map(|it| it.account.record.name.as_str());
    let accounts = ids.iter().map(String::as_str).zip(names);
    let any = || std::iter::once(("", "Any"));
    let search = Text {
        kind: "search",
        ..Text::default()
    };
    filters(
        "/",
        html! {
            (field::text(&filled, Field::new("label", "Name contains"), search))
            (field::select(
                &filled,
                Field::new("status", "Status"),
                any().chain(statuses().map(|it| (it, status_word(it)))),
            ))
            (field::select(&filled, Field::new("provider", "Provider"), any().chain(accounts)))
            (field::text(&filled, Field::new("tag", "Tag"), search))
        },
        &[
            ("sort", query.text("sort")),
            ("region", query.text("region")),
        ],
    )
}

fn row(
    visitor: &Visitor,
    server: &Instance,
    names: &BTreeMap<ProviderId, &str>,
    bulk: bool,
) -> Markup {
    let it = &server.specification;
    let account = names.get(&server.provider).copied();
    let account = account.unwrap_or(server.kind.as_str());
    let place = format!("/servers/{}", server.id);
    html! {
        tr id={ "server-" (server.id) } {
            th scope="row" {
                div.row-name {
                    @if bulk {
                        input type="checkbox" form=(BULK) name="server" value=(server.id)
                            aria-label={ "Choose " (server.label) };
                    }
                    div {
                        @if has_page("/servers/{id}") {
                            a href=(place) { (server.label) }
                        } @else {
                            (server.label)
                        }
                        div.small {
                            (it.vcpus) " vCPU, " (memory(it.memory)) ", " (disk(it.disk)) " disk"
                        }
                        @if let Some(address) = main_address(server) {
                            code.small-windows { (address.ip) }
                        }
                        @if !server.tags.is_empty() {
                            ul.tags aria-label="Tags" {
                                @for tag in &server.tags { li { (tag) } }
                            }
                        }
                    }
                }
            }
            td {
                (status_badge(server.public_status()))
                @if let Some(problem) = &server.problem { div.small { (problem) } }
            }
            td.secondary { (account) div.small { (it.plan) } }
            td.secondary { (it.region) }
            td.secondary {
                @match main_address(server) {
                    Some(address) => (copyable(
                        &format!("address-{}", server.id),
                        &format!("address of {}", server.label),
                        &address.ip.to_string(),
                    )),
                    None => span.unknown { "none yet" },
                }
            }
            td.number { (money(server.price.as_ref().and_then(|it| it.monthly.as_ref()))) }
            td.secondary { (ago(visitor, server.created_at)) }
        }
    }
}
