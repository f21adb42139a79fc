//! Visits to the operator's pages, and to those about the providers that everybody sees.

use super::{Visit, World};
use crate::people::{Member, Operator, Viewer};

pub(super) fn visits(world: &World) -> Vec<Visit> {
    [
        everybody(),
        custody(world),
        accounts(world),
        plans(world),
        attention(world),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn everybody() -> Vec<Visit> {
    vec![
        Visit::page("/status", Viewer),
        Visit::page("/status", Operator),
        Visit::fragment("/status/now", Member),
        Visit::fragment("/status/now", Operator),
        Visit::page("/search", Viewer),
        Visit::page("/search", Member).at("/search?q=web"),
        Visit::page("/search", Operator).at("/search?q=s-1vcpu"),
        Visit::page("/search", Operator).at("/search?q=nothing+of+the+kind"),
    ]
}

fn accounts(world: &World) -> Vec<Visit> {
    let at = |rest: &str| format!("/providers/{}{rest}", world.accounts[0]);
    vec![
        Visit::page("/providers", Operator),
        Visit::mistaken("/providers/order", Operator, &[("up", "x")]).answers(303),
        Visit::page("/providers/add", Operator),
        Visit::mistaken(
            "/providers/add",
            Operator,
            &[("type", "nobody"), ("name", "x"), ("token", "y")],
        ),
        Visit::page("/providers/{id}", Operator).at(at("")),
        Visit::page("/providers/{id}", Operator)
            .at("/providers/nobody")
            .answers(404),
        Visit::mistaken("/providers/{id}/test", Operator, &[])
            .at(at("/test"))
            .answers(303),
        Visit::mistaken("/providers/{id}/refresh", Operator, &[])
            .at(at("/refresh"))
            .answers(303),
        Visit::page("/providers/{id}/rename", Operator).at(at("/rename")),
        Visit::mistaken("/providers/{id}/rename", Operator, &[("name", "")]).at(at("/rename")),
        Visit::page("/providers/{id}/token", Operator).at(at("/token")),
        Visit::mistaken("/providers/{id}/token", Operator, &[("token", "wrong")]).at(at("/token")),
        Visit::page("/providers/{id}/delete", Operator).at(at("/delete")),
        Visit::mistaken("/providers/{id}/delete", Operator, &[("typed", "x")]).at(at("/delete")),
        Visit::page("/providers/{id}/off", Operator).at(at("/off")),
        Visit::mistaken("/providers/{id}/off", Operator, &[])
            .at(at("/off"))
            .answers(303),
        Visit::page("/providers/{id}", Operator).at(at("")),
        Visit::mistaken("/providers/{id}/on", Operator, &[])
            .at(at("/on"))
            .answers(303),
    ]
}

fn plans(world: &World) -> Vec<Visit> {
    let plan = world.plan.to_string();
    let at = |rest: &str| format!("/plans/{plan}{rest}");
    vec![
        Visit::page("/plans", Operator),
        Visit::page("/plans", Operator).at("/plans?name=1vcpu&active=no&sort=-price&vcpus=1"),
        Visit::page("/plans", Operator).at("/plans?name=nothing"),
        Visit::page("/plans", Operator)
            .at("/plans?cursor=nonsense")
            .answers(400),
        Visit::page("/plans/import", Operator),
        Visit::mistaken(
            "/plans/import",
            Operator,
            &[
                ("provider", "x"),
                ("markup", "percent"),
                ("percent", "x"),
                ("min_vcpus", "x"),
            ],
        ),
        Visit::page("/plans/imported", Operator).at("/plans/imported?added=3&retired=x"),
        Visit::page("/plans/{id}", Operator).at(at("")),
        Visit::mistaken("/plans/{id}", Operator, &[("name", ""), ("markup", "none")]).at(at("")),
        Visit::mistaken(
            "/plans/sale",
            Operator,
            &[("resume", &plan), ("back", "/plans")],
        )
        .answers(303),
        Visit::page("/plans/{id}/delete", Operator).at(at("/delete")),
        Visit::mistaken("/plans/{id}/delete", Operator, &[])
            .at(at("/delete"))
            .answers(303),
    ]
}

fn attention(world: &World) -> Vec<Visit> {
    const ROUTE: &str = "/attention/{id}/{decision}";
    let at = |rest: &str| format!("/attention/{}/{rest}", world.waiting);
    vec![
        Visit::page("/attention", Operator),
        Visit::page(ROUTE, Operator).at(at("retry")),
        Visit::page(ROUTE, Operator).at(at("done")),
        Visit::page(ROUTE, Operator).at(at("failed")),
        Visit::page(ROUTE, Operator).at(at("perhaps")).answers(404),
        Visit::mistaken(ROUTE, Operator, &[("typed", "another")]).at(at("failed")),
    ]
}

fn custody(world: &World) -> Vec<Visit> {
    let entry = |rest: &str| format!("/quarantine/{}/{rest}", world.quarantined);
    let missing = format!("/missing/{}", world.missing);
    let account = |rest: &str| format!("/providers/{}/import{rest}", world.accounts[0]);
    let release = format!("/servers/{}/release", world.server);
    let wrong = [("typed", "another")];
    vec![
        Visit::page("/quarantine", Operator),
        Visit::page("/quarantine/{id}/adopt", Operator).at(entry("adopt")),
        Visit::page("/quarantine/{id}/adopt", Operator)
            .at("/quarantine/x/adopt")
            .answers(404),
        Visit::mistaken("/quarantine/{id}/adopt", Operator, &[("label", "x")]).at(entry("adopt")),
        Visit::page("/quarantine/{id}/delete", Operator).at(entry("delete")),
        Visit::mistaken("/quarantine/{id}/delete", Operator, &wrong).at(entry("delete")),
        Visit::page("/quarantine/{id}/release", Operator).at(entry("release")),
        Visit::mistaken("/quarantine/{id}/release", Operator, &[])
            .at(entry("release"))
            .answers(303),
        Visit::page("/missing", Operator),
        Visit::page("/missing/{id}", Operator).at(&missing),
        Visit::mistaken("/missing/{id}", Operator, &wrong).at(&missing),
        Visit::page("/providers/{id}/import", Operator).at(account("")),
        Visit::page("/providers/{id}/import/server", Operator)
            .at(account("/server?remote_id=1&label=web-1")),
        Visit::mistaken(
            "/providers/{id}/import/server",
            Operator,
            &[("remote_id", "1")],
        )
        .at(account("/server")),
        Visit::page("/servers/{id}/release", Operator).at(&release),
        Visit::mistaken("/servers/{id}/release", Operator, &wrong).at(&release),
    ]
}
