//! Visits to the pages about servers.

use super::{Visit, World};
use crate::people::{Member, Operator, Stranger, Viewer};

pub(super) fn visits(_world: &World) -> Vec<Visit> {
    vec![
        Visit::page("/", Member),
        Visit::page("/", Operator),
        Visit::page("/", Viewer).at("/?status=provisioning&sort=-label&tag=blue"),
        Visit::page("/", Member).at("/?label=nothing"),
        Visit::page("/", Member)
            .at("/?cursor=nonsense")
            .answers(400),
        // Whose organization has none yet.
        Visit::page("/", Stranger),
        Visit::file("/servers.csv", Viewer),
    ]
}
