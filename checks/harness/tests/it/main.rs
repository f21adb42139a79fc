//! The harness with the program as it is: what nobody breaks comes out clean, and what is broken
//! in front of it is seen.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::time::Duration;

use roadstead_harness::{Allowed, Asked, Cut, CutAt, End, Site, SiteOptions, Vendor, check};
use roadstead_testkit::{Backend, ScratchPostgres, block_on};

const LIMIT: Duration = Duration::from_secs(60);

async fn a_server_lives_and_is_deleted(vendor: Vendor, backend: Backend) {
    let site = Site::start(SiteOptions::new(vendor, backend))
        .await
        .unwrap();
    let instance = site.member.create(vendor, "web").await.unwrap().unwrap();
    let other = site.member.create(vendor, "data").await.unwrap().unwrap();
    for it in [instance, other] {
        site.member.until(it, "running").await.unwrap();
    }
    let reboot = Asked {
        kind: "reboot".to_owned(),
        ..Asked::default()
    };
    site.member
        .act(other, "reboot", None, reboot)
        .await
        .unwrap();
    site.member.delete(instance).await.unwrap();
    let evidence = site.quiet(LIMIT, Allowed::default()).await.unwrap();
    let verdict = check(&evidence, Allowed::default());
    assert!(verdict.is_clean(), "{:#?}", verdict.findings);
    assert_eq!((verdict.row.accepted, verdict.row.done), (4, 4));
}

#[test]
fn a_server_lives_and_is_deleted_on_sqlite() {
    block_on(async {
        for vendor in Vendor::ALL {
            a_server_lives_and_is_deleted(vendor, Backend::Sqlite).await;
        }
    });
}

#[test]
fn a_server_lives_and_is_deleted_on_postgres() {
    if ScratchPostgres::is_left_out("a_server_lives_and_is_deleted_on_postgres") {
        return;
    }
    block_on(async {
        for vendor in Vendor::ALL {
            a_server_lives_and_is_deleted(vendor, Backend::Postgres).await;
        }
    });
}

#[test]
fn a_server_that_somebody_deletes_at_the_provider_is_seen_to_be_lost() {
    block_on(async {
        let vendor = Vendor::Linode;
        let options = SiteOptions::new(vendor, Backend::Sqlite);
        let site = Site::start(options).await.unwrap();
        let instance = site.member.create(vendor, "web").await.unwrap().unwrap();
        site.member.until(instance, "running").await.unwrap();
        let objects = site.simulators.objects(vendor).await.unwrap();
        let path = format!("{}/{}", vendor.servers(), objects[0].id);
        let (status, _) = site
            .simulators
            .call(vendor, "DELETE", &path, None)
            .await
            .unwrap();
        assert_eq!(status, 200);
        let evidence = site
            .quiet(Duration::from_secs(8), Allowed::default())
            .await
            .unwrap();
        let verdict = check(&evidence, Allowed::default());
        assert_eq!(verdict.row.lost, 1, "{:#?}", verdict.findings);
        // The harness's own call is not the program's.
        assert_eq!(verdict.row.wrongly_deleted, 0);
    });
}

#[test]
fn the_proxy_kills_the_program_in_the_middle_of_a_request() {
    block_on(async {
        for (at, committed) in [(CutAt::HalfRequest, 0), (CutAt::Answer, 1)] {
            let vendor = Vendor::DigitalOcean;
            let options = SiteOptions {
                proxy: true,
                ..SiteOptions::new(vendor, Backend::Sqlite)
            };
            let site = Site::start(options).await.unwrap();
            let server = site.server().unwrap();
            let cut = Cut {
                at,
                method: "POST".to_owned(),
                path: vendor.servers().to_owned(),
                body: String::new(),
            };
            let proxy = site.proxy.as_ref().unwrap();
            proxy.plan(cut, server.killer());
            site.member.create(vendor, "web").await.unwrap();
            proxy.cut(LIMIT).await.unwrap();
            assert_eq!(server.ends(), [End::Killed]);
            let journal = site.simulators.journal(vendor, 0).await.unwrap();
            let made = journal.iter().filter(|it| it.is_create() && it.committed);
            assert_eq!(made.count(), committed, "{at:?}");
            let evidence = site.quiet(LIMIT, Allowed::default()).await.unwrap();
            let verdict = check(&evidence, Allowed::default());
            assert!(verdict.is_clean(), "{at:?} {:#?}", verdict.findings);
        }
    });
}
