//! The program killed at random, while members create, reboot and delete servers.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Context, Result};
use fastrand::Rng;
use futures::future::{join_all, try_join_all};
use roadstead_harness::{Allowed, Asked, Site, SiteOptions, Vendor, Verdict, check};
use roadstead_testkit::Backend;
use tokio::time::Instant;

use crate::play::LIMIT;
use crate::run::{Options, Outcome, Say};

/// How many members are at it in each place.
const MEMBERS: u64 = 3;

/// The longest life of a program.
const LIFE_MAX: u64 = 2_500;

/// Kills the program so many times in all, spread over the providers and databases, and adds a
/// row for each place.
pub(crate) async fn kill(options: &Options, kills: u32, outcome: &mut Outcome, say: Say<'_>) {
    let mut places = Vec::new();
    for vendor in Vendor::ALL {
        for backend in [Backend::Sqlite, Backend::Postgres] {
            if options.wants(vendor, backend) {
                places.push((vendor, backend));
            }
        }
    }
    let count = u32::try_from(places.len().max(1)).unwrap_or(1);
    let seed = options.seed;
    let runs = (0_u32..)
        .zip(places)
        .map(|(number, (vendor, backend))| async move {
            // The first places take what does not come out even.
            let share = kills / count + u32::from(number < kills % count);
            let result = run(vendor, backend, share, seed, say).await;
            let name = format!("{share} kills  {:<12} {backend}", vendor.kind());
            let repeat = format!(
                "cargo xtask crash --random {share} --seed {seed} --vendor {vendor} --database {}",
                backend.to_string().to_lowercase()
            );
            (name, repeat, result)
        });
    for (name, repeat, result) in join_all(runs).await {
        outcome.add(&name, &repeat, &result);
    }
}

async fn run(
    vendor: Vendor,
    backend: Backend,
    kills: u32,
    seed: u64,
    say: Say<'_>,
) -> Result<Verdict> {
    let site = Site::start(SiteOptions {
        seed,
        ..SiteOptions::new(vendor, backend)
    })
    .await?;
    let over = AtomicBool::new(false);
    let started = Instant::now();
    let killing = async {
        let mut rng = Rng::with_seed(seed);
        for number in 1..=kills {
            tokio::time::sleep(Duration::from_millis(rng.u64(50..LIFE_MAX))).await;
            site.server()?.kill().await?;
            if number % 10 == 0 {
                site.harvest().await?;
                say(&format!(
                    "    {vendor} {backend}: {number} of {kills} kills, {} s",
                    started.elapsed().as_secs()
                ));
            }
        }
        over.store(true, Ordering::SeqCst);
        anyhow::Ok(())
    };
    let working = try_join_all((0..MEMBERS).map(|number| {
        let rng = Rng::with_seed(seed.wrapping_mul(MEMBERS).wrapping_add(number));
        work(&site, vendor, number, rng, &over)
    }));
    let (killed, worked) = tokio::join!(killing, working);
    killed?;
    worked?;
    let allowed = Allowed::default();
    let evidence = site.quiet(LIMIT, allowed).await?;
    Ok(check(&evidence, allowed))
}

/// Creates, reboots and deletes servers until the killing is over.
async fn work(
    site: &Site,
    vendor: Vendor,
    member: u64,
    mut rng: Rng,
    over: &AtomicBool,
) -> Result<()> {
    let mut number = 0_u32;
    while !over.load(Ordering::SeqCst) {
        number += 1;
        let label = format!("member-{member}-{number}");
        let server = site.member.create(vendor, &label).await?;
        let server = server.with_context(|| format!("`{label}` was refused"))?;
        // Some are deleted while they are made, some while they reboot, some stay.
        let choice = rng.u8(0..10);
        if choice > 2 {
            site.member.until(server, "running").await?;
        }
        if choice > 6 {
            let asked = Asked {
                kind: "reboot".to_owned(),
                ..Asked::default()
            };
            site.member.act(server, "reboot", None, asked).await?;
        }
        if choice != 5 {
            site.member.delete(server).await?;
        }
        tokio::time::sleep(Duration::from_millis(rng.u64(50..1_500))).await;
    }
    Ok(())
}
