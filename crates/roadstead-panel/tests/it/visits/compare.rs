//! Visits to the page that compares plans.

use super::{Visit, World};
use crate::people::{Member, Viewer};

pub(super) fn visits(world: &World) -> Vec<Visit> {
    let [blue, green] = world.accounts;
    vec![
        Visit::page("/compare", Viewer),
        Visit::page("/compare", Member).at(format!(
            "/compare?account={green}&sort=-per_gib&memory=2&pin={green}/g6-nanode-1&pin={blue}/s-1vcpu-1gb"
        )),
        Visit::page("/compare", Member).at("/compare?name=nothing&pin=nothing"),
        Visit::file("/compare.csv", Viewer),
    ]
}
