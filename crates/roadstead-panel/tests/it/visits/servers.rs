//! Visits to the pages about servers.

use super::{Visit, World};
use crate::people::{Member, Operator, Stranger, Viewer};

/// The pages about one server that show something to whoever may change it.
const PAGES: [&str; 6] = [
    "/servers/{id}",
    "/servers/{id}/activity",
    "/servers/{id}/settings",
    "/servers/{id}/resize",
    "/servers/{id}/rebuild",
    "/servers/{id}/delete",
];

pub(super) fn visits(world: &World) -> Vec<Visit> {
    let of = |route: &str| {
        route
            .replace("{id}", &world.server.to_string())
            .replace("{action}", "reboot")
    };
    let mut visits = vec![
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
    ];
    for route in PAGES {
        visits.push(Visit::page(route, Member).at(of(route)));
        visits.push(Visit::page(route, Stranger).at(of(route)).answers(404));
        visits.push(
            Visit::page(route, Member)
                .at(route.replace("{id}", "x"))
                .answers(404),
        );
    }
    let bulk = format!("/servers/bulk?server={}&action=", world.server);
    let power = "/servers/{id}/power/{action}";
    let form = |route: &'static str, fields: &[(&'static str, &str)]| {
        Visit::mistaken(route, Member, fields).at(of(route))
    };
    visits.extend([
        Visit::page("/servers/{id}", Viewer).at(of("/servers/{id}")),
        Visit::page("/servers/{id}/resize", Member).at(of("/servers/{id}/resize?type=s-2vcpu-2gb")),
        Visit::fragment("/servers/{id}/live", Viewer).at(of("/servers/{id}/live")),
        Visit::page(power, Member).at(of(power)),
        Visit::page(power, Member)
            .at(of("/servers/{id}/power/explode"))
            .answers(404),
        // It is being created, so that nothing else can be done to it.
        form(power, &[]),
        form(
            "/servers/{id}/settings",
            &[("label", ""), ("tags", "a,b"), ("notes", "n")],
        ),
        form("/servers/{id}/resize", &[("type", "")]),
        form(
            "/servers/{id}/resize",
            &[("type", "s-2vcpu-2gb"), ("price_seen", "$1.00")],
        ),
        form(
            "/servers/{id}/rebuild",
            &[("image", ""), ("typed", "x"), ("user_data", "u")],
        ),
        form("/servers/{id}/delete", &[("typed", "x")]),
        Visit::page("/servers/bulk", Member).at(format!("{bulk}reboot")),
        Visit::page("/servers/bulk", Member).at(format!("{bulk}delete")),
        Visit::page("/servers/bulk", Member).at("/servers/bulk?action=boot"),
        Visit::page("/servers/bulk", Member).answers(400),
        Visit::mistaken(
            "/servers/bulk",
            Member,
            &[
                ("action", "delete"),
                ("server", &world.server.to_string()),
                ("typed", "x"),
            ],
        ),
    ]);
    visits
}
