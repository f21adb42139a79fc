//! What a fleet at which nothing happens costs: a call for each page of its lists.

use std::collections::BTreeSet;

use roadstead_core::{CreateInstance, CreateKey};
use roadstead_sim::JournalEntry;
use uuid::Uuid;

use crate::stage::{Scene, Stage, at_each_vendor};

/// How many are made at once: as many as every provider lets be made in one go.
const AT_ONCE: usize = 8;

/// How many polls in a row the machine may be too slow for.
const SLOW_POLLS: usize = 5;

fn large() -> Scene {
    Scene {
        workers: 0,
        server_limit: 2000,
        ..Scene::default()
    }
}

/// Makes so many servers more at the vendor that carry our mark.
async fn make(stage: &Stage, deployment: &str, more: usize, gpus: bool) {
    let (plan, region, image) = if gpus {
        ("gpu-h100x1-80gb", "nyc2", "gpu-h100x1-base")
    } else {
        (stage.vendor.plan, stage.vendor.region, stage.vendor.image)
    };
    let mut left = more;
    while left > 0 {
        let missing = left.min(AT_ONCE);
        left -= missing;
        // With a budget of its own: the provider's limits are not what this is about.
        let direct = stage.direct();
        let made = (0..missing).map(|_| async {
            let request = CreateInstance {
                key: CreateKey::new(deployment, Uuid::now_v7(), "fleet"),
                plan: plan.into(),
                region: region.into(),
                image: image.into(),
                ssh_keys: Vec::new(),
                root_password: stage.vendor.password.map(Into::into),
                user_data: None,
                tags: Vec::new(),
                backups: false,
                ipv6: false,
                private_network: false,
                market: None,
                options: None,
            };
            direct.create_instance(&request).await.unwrap();
        });
        futures::future::join_all(made).await;
    }
}

async fn one_poll(stage: &Stage) -> Vec<JournalEntry> {
    let mark = stage.mark();
    stage.platform.turn_of_poller().await;
    stage.sim().journal_after(mark)
}

/// Returns how many calls one poll makes.
async fn calls_of_a_poll(stage: &Stage) -> usize {
    let mut calls = one_poll(stage).await;
    for _ in 0..SLOW_POLLS {
        // A page whose answer came too late for a slow machine is asked for again.
        let pages: BTreeSet<_> = calls.iter().map(|it| &it.query).collect();
        if pages.len() == calls.len() {
            break;
        }
        calls = one_poll(stage).await;
    }
    for call in &calls {
        assert_eq!(
            (&*call.method, &*call.path),
            ("GET", stage.vendor.path),
            "{call:?}"
        );
        assert_eq!(call.status, Some(200), "{call:?}");
    }
    calls.len()
}

at_each_vendor! {
    staged(large);

    async fn a_poll_of_a_quiet_fleet_takes_a_call_for_each_page(stage: &Stage) {
        // It is all the same to the provider which database is ours.
        if stage.rows.is_postgres() {
            return;
        }
        stage.start(1);
        stage.running("first").await;
        stage.halt().await;
        let tags = stage.living()[0]["tags"].clone();
        let tags = tags.as_array().unwrap().iter().map(|it| it.as_str().unwrap());
        let deployment = tags.filter_map(|it| it.strip_prefix("rs:d:")).next().unwrap().to_owned();
        for (more, servers) in [(0, 1), (499, 500), (501, 1001_usize)] {
            make(stage, &deployment, more, false).await;
            let expected = match stage.vendor.kind {
                "linode" => servers.div_ceil(500),
                // And one for the servers with graphics processors, of which there are none.
                _ => servers.div_ceil(200) + 1,
            };
            assert_eq!(calls_of_a_poll(stage).await, expected, "{servers} servers");
        }
        if stage.vendor.kind == "digitalocean" {
            for (more, gpus, pages) in [(1, 1, 1), (200, 201, 2)] {
                make(stage, &deployment, more, true).await;
                let expected = 1001_usize.div_ceil(200) + pages;
                assert_eq!(calls_of_a_poll(stage).await, expected, "{gpus} with GPUs");
            }
        }
    }

    async fn an_account_without_servers_is_not_asked(stage: &Stage) {
        assert_eq!(calls_of_a_poll(stage).await, 0);
    }
}
