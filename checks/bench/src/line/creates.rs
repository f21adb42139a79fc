//! How many intents to create a server are put on record in a second.

use anyhow::Result;
use roadstead_testkit::Backend;

use super::Options;
use crate::report::{Report, Target, side_by_side};
use crate::vendors::Vendors;
use crate::world::{self, Bare, Server, wanted};

pub(super) fn measure(report: &mut Report, options: &Options) -> Result<()> {
    let vendors = Vendors::start()?;
    let body = wanted("digitalocean", "bench").to_string();
    for backend in [Backend::Sqlite, Backend::Postgres] {
        let database = world::make(backend, &vendors)?;
        // No workers: what is measured is the acceptance.
        let server = Server::start(&database, &vendors, 0)?;
        let provider = server.register("digitalocean")?;
        let bare = Bare::start(&database, &provider, b"{}")?;
        let mut ours = server.request("/api/vps");
        ours.body = Some(body.clone());
        let mut theirs = bare.request(&server, "/create");
        theirs.body = Some(body.clone());
        let pair = side_by_side(
            options.rounds,
            (&server.process, || world::send(&ours)),
            (&bare.process, || world::send(&theirs)),
        )?;
        let name = format!("accepted creates, {backend}");
        report.ratio(&name, &pair, Target::None);
    }
    report.note("the bare handler runs the same transaction without validation or answer");
    Ok(())
}
