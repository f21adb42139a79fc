//! A page of 50 out of very many servers, near the beginning and far from it.

use anyhow::{Context, Result};
use roadstead_testkit::Backend;
use serde_json::Value;

use super::Options;
use crate::http::{self, word};
use crate::report::{Report, Target, side_by_side};
use crate::seed;
use crate::vendors::Vendors;
use crate::world::{self, Bare, Server};

const PAGE: u32 = 50;
const FAR: u32 = 10_000;

/// The longest page, to walk to a far one.
const STRIDE: u32 = 200;

pub(super) fn measure(report: &mut Report, options: &Options) -> Result<()> {
    let vendors = Vendors::start()?;
    for backend in [Backend::Sqlite, Backend::Postgres] {
        let database = world::make(backend, &vendors)?;
        let server = Server::start(&database, &vendors, 0)?;
        let provider = server.register("digitalocean")?;
        world::block_on(seed::servers(
            &database,
            backend,
            &provider,
            options.servers,
        ))?;
        let first = format!("/api/vps?limit={PAGE}");
        let url = format!("http://{}{first}", server.address);
        let bytes = http::bytes(&url, Some(&server.token), None)?;
        let bare = Bare::start(&database, &provider, &bytes)?;
        report.note(&format!(
            "{backend}: {} servers, {} bytes a page; the bare handler issues the same statements \
             and sends bytes that were made before",
            options.servers,
            bytes.len()
        ));
        let (cursor, last) = walk(&server, options.servers)?;
        let pages = [
            ("first page".to_owned(), first.clone(), "/list".to_owned()),
            (
                "far page".to_owned(),
                format!("{first}&cursor={cursor}"),
                format!("/list?{last}"),
            ),
        ];
        for (name, ours, theirs) in pages {
            let pair = side_by_side(
                options.rounds,
                (&server.process, || world::send(&server.request(&ours))),
                (&bare.process, || {
                    world::send(&bare.request(&server, &theirs))
                }),
            )?;
            let name = format!("{name}, {backend}");
            report.ratio(&name, &pair, Target::AtLeast(0.8));
        }
    }
    Ok(())
}

/// Walks to page 10,000, or half-way where there are fewer; returns the cursor, and the last
/// server before it as the bare handler takes it.
fn walk(server: &Server, servers: u32) -> Result<(String, String)> {
    let rows = PAGE.saturating_mul(FAR.saturating_sub(1)).min(servers / 2);
    let mut path = format!("/api/vps?limit={STRIDE}");
    let mut place = (String::new(), String::new());
    for _ in 0..rows.div_ceil(STRIDE) {
        let answer = server.ask(&path, None)?;
        let cursor = word(&answer, "/next_cursor")?;
        let last = answer
            .get("instances")
            .and_then(Value::as_array)
            .and_then(|it| it.last())
            .context("an empty page")?;
        path = format!("/api/vps?limit={STRIDE}&cursor={cursor}");
        let (id, created_at) = (word(last, "/id")?, word(last, "/created_at")?);
        place = (cursor, format!("before={id}&created_at={created_at}"));
    }
    Ok(place)
}
