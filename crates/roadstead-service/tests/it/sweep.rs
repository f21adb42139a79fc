//! The sweep: what nobody wants goes when it was seen twice, what nobody knows is shown and kept.

use std::time::Duration;

use roadstead_core::{Action, CreateInstance, CreateKey, RemoteId, Secret};
use roadstead_repository::{DoomLeave, DoomRule, SweepFindings, SweepOutcome, Unwanted};
use roadstead_service::{Engine, Lifecycle, Verification};
use roadstead_sim::{Scopes, TOKEN_FULL};
use serde_json::json;
use uuid::Uuid;

use crate::stage::{Scene, Stage, at_each_vendor, id_of, swept};

pub(crate) const QUARANTINE: &str =
    "SELECT reason || ' ' || state AS line FROM quarantine ORDER BY id";

/// Long enough for several sweeps of the stage's clockwork.
pub(crate) const SWEEPS: Duration = Duration::from_secs(3);

at_each_vendor! {
    staged(swept);

    async fn a_second_server_with_the_mark_of_a_bound_one_goes(stage: &Stage) {
        let server = stage.running("web").await;
        let mark = stage.mark();
        let twin = make(stage, server.id.0, &deployment(stage).await, "a-twin").await;
        stage.is_the_only_one(server.id).await;
        let deletes = stage.changes(mark).into_iter().filter(|it| it.method == "DELETE");
        let paths: Vec<_> = deletes.map(|it| it.path).collect();
        assert_eq!(paths, [format!("{}/{twin}", stage.vendor.path)]);
        let seen = "SELECT CAST(COUNT(*) AS TEXT) AS line FROM doom_sightings \
            WHERE second_at > first_at AND sent_at >= second_at";
        assert_eq!(stage.rows.lines(seen).await, ["1"]);
        assert!(stage.rows.lines(QUARANTINE).await.is_empty());
    }

    async fn a_server_that_comes_late_after_its_create_has_failed_goes(stage: &Stage) {
        let path = stage.vendor.path;
        stage.fault(json!({
            "method": "POST", "path": path, "when": "late", "late_ms": 9_000_000,
            "effect": { "drop": true },
        }));
        stage.fault(json!({
            "method": "POST", "path": path, "count": 100, "effect": { "drop": true },
        }));
        let accepted = stage.create("web").await;
        stage.fails(accepted.operation.id).await;
        assert!(stage.living().is_empty());
        stage.until("the server comes", async || (!stage.living().is_empty()).then_some(())).await;
        stage.until("it goes", async || stage.living().is_empty().then_some(())).await;
        stage.agrees().await;
        assert_eq!(stage.server(accepted.instance.id).await.lifecycle, Lifecycle::Failed);
        assert!(stage.rows.lines(QUARANTINE).await.is_empty());
    }

    async fn a_server_that_our_books_do_not_know_is_shown_and_never_deleted(stage: &Stage) {
        let deployment = deployment(stage).await;
        let mark = stage.mark();
        make(stage, Uuid::now_v7(), &deployment, "made-by-hand").await;
        stage.until("it is quarantined", async || {
            (stage.rows.lines(QUARANTINE).await == ["unknown open"]).then_some(())
        }).await;
        let kept = async || stage.living().len() == 1 && deletes(stage, mark) == 0;
        stage.stays("it is kept", SWEEPS, kept).await;
        let sweep = stage.repository.find_sweep(stage.account).await.unwrap().unwrap();
        assert_eq!((sweep.quarantined, sweep.doomed), (1, 0));
        // Whoever deletes it by hand need not say so here.
        let id = RemoteId::from(id_of(&stage.living()[0]));
        stage.direct().perform_action(&id, &Action::Delete).await.unwrap();
        stage.until("it is gone", async || {
            (stage.rows.lines(QUARANTINE).await == ["unknown gone"]).then_some(())
        }).await;
    }

    async fn a_server_of_another_installation_is_left_alone(stage: &Stage) {
        let server = stage.running("web").await;
        let mark = stage.mark();
        make(stage, Uuid::now_v7(), "elsewher", "not-ours").await;
        make(stage, server.id.0, "elsewher", "not-ours-either").await;
        let kept = async || stage.living().len() == 3 && deletes(stage, mark) == 0;
        stage.stays("it is kept", SWEEPS, kept).await;
        assert!(stage.rows.lines(QUARANTINE).await.is_empty());
    }

    async fn after_a_restored_backup_younger_servers_are_quarantined(stage: &Stage) {
        let kept = stage.running("web").await;
        let lost = stage.running("lost").await;
        stage.halt().await;
        // The backup is older than the second server.
        let uuid = lost.id.0.simple().to_string();
        let id = if stage.repository.backend() == roadstead_repository::Backend::Sqlite {
            format!("x'{uuid}'")
        } else {
            format!("'{uuid}'")
        };
        let of = format!("(SELECT id FROM operations WHERE instance_id = {id})");
        stage.rows.execute(&format!("DELETE FROM attempts WHERE operation_id IN {of}")).await;
        stage.rows.execute(&format!("DELETE FROM operations WHERE instance_id = {id}")).await;
        stage.rows.execute(&format!("DELETE FROM absences WHERE instance_id = {id}")).await;
        stage.rows.execute(&format!("DELETE FROM vps_instances WHERE id = {id}")).await;
        let mark = stage.mark();
        stage.start(1);
        stage.until("it is quarantined", async || {
            (stage.rows.lines(QUARANTINE).await == ["unknown open"]).then_some(())
        }).await;
        let both = async || stage.living().len() == 2 && stage.changes(mark).is_empty();
        stage.stays("nothing is deleted", SWEEPS, both).await;
        assert_eq!(stage.server(kept.id).await.lifecycle, Lifecycle::Live);
    }

    async fn a_server_that_vanished_is_missing_and_not_made_again(stage: &Stage) {
        let server = stage.running("web").await;
        let mark = stage.mark();
        let remote = server.remote.clone().unwrap();
        stage.direct().perform_action(&remote, &Action::Delete).await.unwrap();
        stage.until("it is missing", async || {
            (stage.server(server.id).await.lifecycle == Lifecycle::Missing).then_some(())
        }).await;
        assert_eq!(stage.server(server.id).await.public_status(), "missing");
        assert!(stage.server(server.id).await.problem.is_some());
        let left = async || stage.changes(mark).len() == 1;
        stage.stays("nothing is made", SWEEPS, left).await;
        let sweep = stage.repository.find_sweep(stage.account).await.unwrap().unwrap();
        assert_eq!(sweep.missing, 1);
    }

    async fn a_missing_server_that_is_seen_again_is_live(stage: &Stage) {
        let server = stage.running("web").await;
        stage.rows.execute("UPDATE vps_instances SET lifecycle = 'missing', problem = 'p'").await;
        stage.until("it is back", async || {
            (stage.server(server.id).await.lifecycle == Lifecycle::Live).then_some(())
        }).await;
        assert_eq!(stage.server(server.id).await.problem, None);
    }

    async fn a_list_that_fails_is_no_absence(stage: &Stage) {
        let server = stage.running("web").await;
        stage.blind();
        let remote = server.remote.clone().unwrap();
        stage.direct().perform_action(&remote, &Action::Delete).await.unwrap();
        stage.until("a sweep has failed", async || {
            let sweep = stage.repository.find_sweep(stage.account).await.unwrap()?;
            (sweep.outcome == Some(SweepOutcome::Failed)).then_some(())
        }).await;
        let live = async || stage.server(server.id).await.lifecycle == Lifecycle::Live;
        stage.stays("nothing is believed", SWEEPS, live).await;
        stage.sim().clear_faults();
        stage.until("it is missing", async || {
            (stage.server(server.id).await.lifecycle == Lifecycle::Missing).then_some(())
        }).await;
    }

    async fn nothing_is_missing_while_the_token_is_somebody_elses(stage: &Stage) {
        let server = stage.running("web").await;
        let mark = stage.mark();
        stage.sim().set_token(TOKEN_FULL, Some("other"), Scopes::Full);
        stage.is_frozen().await;
        let live = async || stage.server(server.id).await.lifecycle == Lifecycle::Live;
        stage.stays("nothing is believed", SWEEPS, live).await;
        stage.until("the sweep says so", async || {
            let sweep = stage.repository.find_sweep(stage.account).await.unwrap()?;
            (sweep.outcome == Some(SweepOutcome::Frozen)).then_some(())
        }).await;
        stage.sim().set_token(TOKEN_FULL, Some("main"), Scopes::Full);
        stage.platform.validate_provider(&stage.operator(), stage.account).await.unwrap();
        stage.until("it is swept again", async || {
            let sweep = stage.repository.find_sweep(stage.account).await.unwrap()?;
            (sweep.outcome == Some(SweepOutcome::Completed)).then_some(())
        }).await;
        stage.is_the_only_one(server.id).await;
        assert!(stage.changes(mark).is_empty());
    }

    async fn a_refused_token_freezes_the_account_in_the_sweep(stage: &Stage) {
        let server = stage.running("web").await;
        stage.sim().set_token(TOKEN_FULL, None, Scopes::Revoked);
        stage.is_frozen().await;
        let verification = stage.verification().await;
        assert!(matches!(verification, Verification::Refused { .. }), "{verification:?}");
        let live = async || stage.server(server.id).await.lifecycle == Lifecycle::Live;
        stage.stays("nothing dies", SWEEPS, live).await;
    }

    async fn two_sweepers_delete_once(stage: &Stage) {
        let server = stage.running("web").await;
        let other = Engine::start(&stage.twin().await, 1);
        let mark = stage.mark();
        make(stage, server.id.0, &deployment(stage).await, "a-twin").await;
        stage.is_the_only_one(server.id).await;
        other.stop().await;
        assert_eq!(deletes(stage, mark), 1);
        let held = "SELECT CAST(COUNT(*) AS TEXT) AS line FROM sweeps";
        assert_eq!(stage.rows.lines(held).await, ["1"]);
    }
}

at_each_vendor! {
    staged(swept);

    async fn a_second_page_that_fails_is_no_absence(stage: &Stage) {
        let server = stage.running("web").await;
        // With one of them gone there still are two pages of one.
        let (other, _) = (stage.running("other").await, stage.running("third").await);
        let mark = stage.mark();
        stage.named(json!({ "preset": "page-2-500" }));
        let gone = server.remote.clone().unwrap();
        stage.direct().perform_action(&gone, &Action::Delete).await.unwrap();
        stage.until("a sweep has failed", async || {
            let sweep = stage.repository.find_sweep(stage.account).await.unwrap()?;
            (sweep.outcome == Some(SweepOutcome::Failed)).then_some(())
        }).await;
        let live = async || {
            let both = [server.id, other.id];
            let mut lives = Vec::new();
            for id in both {
                lives.push(stage.server(id).await.lifecycle);
            }
            lives == [Lifecycle::Live; 2] && deletes(stage, mark) == 1
        };
        stage.stays("nothing is believed", SWEEPS, live).await;
        stage.sim().clear_faults();
        stage.until("it is missing", async || {
            (stage.server(server.id).await.lifecycle == Lifecycle::Missing).then_some(())
        }).await;
        assert_eq!(stage.server(other.id).await.lifecycle, Lifecycle::Live);
    }

    async fn a_server_whose_tags_come_late_is_ours_by_its_name(stage: &Stage) {
        stage.named(json!({ "preset": "late-tags", "ms": 2_500_000 }));
        let server = stage.running("web").await;
        let mark = stage.mark();
        let [living] = stage.living().try_into().unwrap();
        assert_eq!(living["tags"], json!([]), "the tags are not late");
        let ours = async || stage.rows.lines(QUARANTINE).await.is_empty() && deletes(stage, mark) == 0;
        stage.stays("it is ours", SWEEPS, ours).await;
        stage.is_the_only_one(server.id).await;
    }

    async fn lists_of_a_while_ago_take_and_keep_nothing(stage: &Stage) {
        let old = stage.running("old").await;
        stage.named(json!({ "preset": "stale-list", "ms": 1_500_000 }));
        let server = stage.running("web").await;
        let mark = stage.mark();
        let delete = stage.act(old.id, roadstead_service::OperationKind::Delete).await;
        stage.succeeds(delete.id).await;
        // One is not in the lists yet, and the other one still is.
        let kept = async || {
            let live = stage.server(server.id).await.lifecycle == Lifecycle::Live;
            live && stage.living().len() == 1 && deletes(stage, mark) == 1
        };
        stage.stays("each is what it is", SWEEPS, kept).await;
        stage.sim().clear_faults();
        stage.is_the_only_one(server.id).await;
        assert!(stage.rows.lines(QUARANTINE).await.is_empty());
    }

    async fn a_clock_that_is_an_hour_off_changes_nothing(stage: &Stage) {
        for preset in ["clock-ahead", "clock-behind"] {
            stage.named(json!({ "preset": preset }));
            let server = stage.running("web").await;
            let mark = stage.mark();
            let name = format!("twin-{preset}");
            make(stage, server.id.0, &deployment(stage).await, &name).await;
            stage.is_the_only_one(server.id).await;
            assert_eq!(deletes(stage, mark), 1, "{preset}");
            let delete = stage.act(server.id, roadstead_service::OperationKind::Delete).await;
            stage.succeeds(delete.id).await;
            assert!(stage.rows.lines(QUARANTINE).await.is_empty(), "{preset}");
            stage.sim().clear_faults();
        }
    }
}

fn late_lists() -> Scene {
    Scene {
        list_lag: Duration::from_secs(3_600_000),
        ..swept()
    }
}

at_each_vendor! {
    staged(late_lists);

    async fn a_server_that_no_list_shows_yet_is_not_missing(stage: &Stage) {
        let server = stage.running("web").await;
        let absences = "SELECT CAST(COUNT(*) AS TEXT) AS line FROM absences";
        stage.until("it was absent", async || {
            (stage.rows.lines(absences).await == ["1"]).then_some(())
        }).await;
        let live = async || stage.server(server.id).await.lifecycle == Lifecycle::Live;
        stage.stays("it is not missing", SWEEPS, live).await;
    }
}

fn rarely() -> Scene {
    let scene = Scene::default();
    Scene {
        clockwork: roadstead_service::Clockwork {
            sweep: Duration::from_secs(600),
            ..scene.clockwork
        },
        ..scene
    }
}

at_each_vendor! {
    staged(rarely);

    async fn no_sweep_deletes_more_than_it_may(stage: &Stage) {
        let server = stage.running("web").await;
        let deployment = deployment(stage).await;
        let mark = stage.mark();
        for number in 0..5 {
            make(stage, server.id.0, &deployment, &format!("twin-{number}")).await;
        }
        sweep(stage).await;
        assert_eq!(deletes(stage, mark), 0);
        tokio::time::sleep(stage.clockwork.look_interval).await;
        let ended = sweep(stage).await;
        assert_eq!(ended.outcome, Some(SweepOutcome::Capped), "{ended:?}");
        // One whose answer came too late was asked for all the same.
        assert_eq!((ended.held_back, deletes(stage, mark)), (2, 3), "{ended:?}");
        assert!(ended.reason.unwrap().contains("2 more servers"));
        // Nor does one that comes right after it, or in another process.
        sweep(stage).await;
        assert_eq!(deletes(stage, mark), 3);
        stage.until("three are gone", async || (stage.living().len() == 3).then_some(())).await;
        let bound = server.remote.unwrap();
        assert!(stage.living().iter().any(|it| id_of(it) == bound.as_str()));
    }
}

fn alone() -> Scene {
    Scene {
        workers: 0,
        ..swept()
    }
}

at_each_vendor! {
    staged(alone);

    async fn a_sweeper_that_dies_anywhere_leaves_nothing_but_time(stage: &Stage) {
        stage.start(1);
        let server = stage.running("web").await;
        stage.halt().await;
        let mark = stage.mark();
        let remote = make(stage, server.id.0, &deployment(stage).await, "a-twin").await;
        let found = |again| SweepFindings {
            unwanted: vec![Unwanted {
                remote: remote.clone(),
                instance: server.id,
                reason: "test",
                is_seen_again: again,
            }],
            ..SweepFindings::default()
        };
        let rule = DoomRule { most: 3, window: Duration::ZERO, margin: Duration::ZERO };
        let repository = &stage.repository;
        let short = Duration::from_millis(400);
        let claim = async || {
            stage.until("the account is free", async || {
                let claims = repository.claim_sweeps(Uuid::now_v7(), short, Duration::ZERO).await;
                claims.unwrap().pop()
            }).await
        };
        // After the list.
        claim().await;
        // Before the doom.
        let first = claim().await;
        repository.record_sweep(&first, found(false)).await.unwrap();
        assert_eq!(repository.begin_doom(&first, &remote, rule).await.unwrap(), DoomLeave::Refused);
        // In the middle of the delete.
        let second = claim().await;
        repository.record_sweep(&second, found(true)).await.unwrap();
        assert_eq!(repository.begin_doom(&second, &remote, rule).await.unwrap(), DoomLeave::Granted);
        // Whoever wakes up from before changes nothing.
        assert!(repository.record_sweep(&first, found(true)).await.is_err());
        assert!(repository.begin_doom(&first, &remote, rule).await.is_err());
        assert_eq!(deletes(stage, mark), 0);
        stage.start(1);
        stage.is_the_only_one(server.id).await;
        assert_eq!(deletes(stage, mark), 1);
    }
}

/// Has the account swept now, and returns how that ended.
pub(crate) async fn sweep(stage: &Stage) -> roadstead_repository::Sweep {
    let known = async || stage.repository.find_sweep(stage.account).await.unwrap();
    let before = known().await.and_then(|it| it.started_at);
    stage
        .until("it was swept", async || {
            let sweep = known().await;
            let is_new = |it: &roadstead_repository::Sweep| it.started_at > before;
            match sweep.filter(is_new) {
                Some(sweep) => (sweep.ended_at >= sweep.started_at).then_some(sweep),
                // Not once more while it is under way: that would be another one.
                None => {
                    let hastened = stage.repository.hasten_sweep(stage.account, Duration::ZERO);
                    hastened.await.unwrap();
                    None
                }
            }
        })
        .await
}

pub(crate) fn deletes(stage: &Stage, mark: u64) -> usize {
    let changes = stage.changes(mark);
    changes.iter().filter(|it| it.method == "DELETE").count()
}

pub(crate) async fn deployment(stage: &Stage) -> String {
    let sql = "SELECT deployment AS line FROM installation";
    stage.rows.lines(sql).await.remove(0)
}

/// Makes a server with a mark behind our back.
pub(crate) async fn make(stage: &Stage, id: Uuid, deployment: &str, name: &str) -> RemoteId {
    let request = CreateInstance {
        key: CreateKey {
            id,
            deployment: deployment.into(),
            name: name.into(),
        },
        plan: stage.vendor.plan.into(),
        region: stage.vendor.region.into(),
        image: stage.vendor.image.into(),
        ssh_keys: Vec::new(),
        root_password: stage.vendor.password.map(Secret::from),
        user_data: None,
        tags: Vec::new(),
        backups: false,
        ipv6: false,
        private_network: false,
        market: None,
        options: None,
    };
    let made = stage.direct().create_instance(&request).await.unwrap();
    made.instance.id
}
