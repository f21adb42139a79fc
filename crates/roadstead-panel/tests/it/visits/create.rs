//! Visits to the way to a new server.

use super::{Visit, World};
use crate::people::{Member, Operator};

pub(super) fn visits(world: &World) -> Vec<Visit> {
    let [blue, green] = world.accounts;
    let blue = format!("account={blue}&region=nyc3");
    let green = format!("account={green}&region=us-ord");
    let plan = format!("{blue}&plan=s-1vcpu-1gb");
    let linode = format!("{green}&plan=g6-nanode-1");
    let all = format!("{plan}&image=ubuntu-22-04-x64");
    let script = format!("{linode}&script=1700002&image=linode/debian12");
    let app = format!("{linode}&app=401697&image=linode/ubuntu22.04");
    let page =
        |path: &'static str, query: &str| Visit::page(path, Member).at(format!("{path}?{query}"));
    vec![
        Visit::page("/create", Member),
        Visit::page("/create", Operator),
        page("/create", &green),
        // Whoever leaves something out is shown where it is chosen.
        Visit::page("/create/plan", Member).answers(422),
        page("/create/plan", &format!("{blue}x")).answers(422),
        page("/create/plan", &blue),
        page("/create/plan", &format!("{green}&name=nothing")),
        page(
            "/create/plan",
            &format!("{plan}&sort=-per_gib&memory=2&cursor=100"),
        ),
        page("/create/image", &blue).answers(422),
        page("/create/image", &plan),
        page("/create/image", &format!("{plan}&tab=apps&q=docker")),
        page("/create/image", &format!("{linode}&tab=own")),
        page("/create/image", &format!("{linode}&tab=scripts")),
        page("/create/image", &app),
        page("/create/details", &plan).answers(422),
        page("/create/details", &format!("{linode}&script=x")).answers(422),
        page("/create/details", &all),
        page("/create/details", &script),
        page("/create/details", &app),
        Visit::mistaken("/create/details", Member, &MISTAKEN).at(format!("/create/details?{all}")),
        Visit::mistaken("/create/details", Member, &MISTAKEN).at(format!("/create/details?{app}")),
        Visit::mistaken(
            "/create/details",
            Member,
            &[("label", "web-1"), ("preview", "on")],
        )
        .at(format!("/create/details?{script}"))
        .answers(200),
    ]
}

/// Something is wrong with each.
const MISTAKEN: [(&str, &str); 12] = [
    ("label", "-"),
    ("rootPassword", "short"),
    ("ssh_keys", "0193a1f0-5c7e-7b3a-9d52-6f1c2e8a4b10"),
    ("public_keys", "ssh-ed25519 no-key"),
    ("tags", "x"),
    ("user_data", "#cloud-config"),
    ("notes", ""),
    ("options.firewall_id", "x"),
    ("options.backup_policy.plan", "hourly"),
    ("options.backup_schedule.day", "Someday"),
    ("options.swap_size", "-1"),
    ("options.stackscript_data.soa_email_address", ""),
];
