//! Servers that are taken into our books from elsewhere, and servers that are let go alive.

use std::time::Duration;

use futures::future::join_all;
use roadstead_core::{Action, Code, CreateKey, OrgId, ProviderId, RemoteId};
use roadstead_repository::IdempotencyKey;
use roadstead_service::{
    Accepted, Engine, Error, ImportServer, Lifecycle, OperationKind, OperationState,
};
use roadstead_sim::{Scopes, TOKEN_FULL};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::stage::{Scene, Stage, at_each_vendor, id_of, swept};
use crate::sweep::{QUARANTINE, SWEEPS, deletes, deployment, make};

const ELSEWHERE: &str = "elsewher";

at_each_vendor! {
    async fn an_imported_server_is_one_of_its_organization(stage: &Stage) {
        let remote = stranger(stage, "shop").await;
        let [offered] = importable(stage).await.try_into().unwrap();
        assert_eq!((&offered.server.id, &offered.refusal), (&remote, &None));
        assert_eq!(offered.quarantined, None);
        let mark = stage.mark();
        let accepted = import(stage, &remote).await.unwrap();
        assert_eq!(accepted.instance.organization, stage.organization());
        stage.succeeds(accepted.operation.id).await;

        let server = stage.server(accepted.instance.id).await;
        assert_eq!(server.lifecycle, Lifecycle::Live);
        assert_eq!((server.label.as_str(), &server.remote), ("imported", &Some(remote.clone())));
        assert_eq!(server.public_status(), "running");
        assert_eq!(server.specification.plan.as_str(), stage.vendor.plan);
        assert_eq!(server.specification.image.as_str(), stage.vendor.image);
        let price = server.price.clone().unwrap();
        assert!(price.hourly.is_some() && server.sale.is_none());
        assert!(!server.addresses.is_empty());
        let [living] = stage.living().try_into().unwrap();
        assert_eq!(name_of(&living), "shop", "it was renamed");
        let key = CreateKey::new(&deployment(stage).await, server.id.0, "imported");
        assert_eq!(tags_of(&living), sorted(key.tags()));
        assert!(stage.changes(mark).iter().all(|it| it.method != "DELETE"));
        assert!(importable(stage).await.is_empty());
        let known = stage.repository.find_import(server.id).await.unwrap().unwrap();
        assert_eq!((known.remote, known.remote_created_at.is_some()), (remote, true));
        assert_eq!(Some(known.fingerprint), fingerprint(stage).await);

        // And from now on like any other.
        let reboot = stage.act(server.id, OperationKind::Reboot).await;
        stage.succeeds(reboot.id).await;
        let delete = stage.act(server.id, OperationKind::Delete).await;
        stage.succeeds(delete.id).await;
        assert!(stage.living().is_empty());
    }

    async fn a_server_is_imported_once_however_often_it_is_asked_for(stage: &Stage) {
        let remote = stranger(stage, "shop").await;
        let answers = join_all((0..4).map(|_| import(stage, &remote))).await;
        let (good, bad): (Vec<_>, Vec<_>) = answers.into_iter().partition(Result::is_ok);
        let [accepted] = good.try_into().unwrap();
        let accepted = accepted.unwrap();
        assert!(bad.into_iter().all(|it| matches!(it, Err(Error::Conflict(_)))));
        stage.succeeds(accepted.operation.id).await;
        let Err(Error::Conflict(message)) = import(stage, &remote).await else {
            panic!("it was imported twice");
        };
        assert!(message.contains(&accepted.instance.id.to_string()), "{message}");
        assert!(message.contains("release or delete"), "{message}");
        stage.is_the_only_one(accepted.instance.id).await;
        // One that we have made is no other's either.
        let ours = stage.running("web").await;
        let again = import(stage, ours.remote.as_ref().unwrap()).await;
        assert!(matches!(again, Err(Error::Conflict(_))), "{again:?}");
    }

    async fn a_repeated_import_gets_the_first_answer(stage: &Stage) {
        let remote = stranger(stage, "shop").await;
        let key = IdempotencyKey { key: "k".to_owned(), hash: vec![1] };
        let ask = async |hash| {
            let key = IdempotencyKey { hash: vec![hash], ..key.clone() };
            let operator = stage.operator().under_key(Some(key));
            stage.platform.import_server(&operator, stage.account, wanted(stage, &remote)).await
        };
        let first = ask(1).await.unwrap();
        stage.succeeds(first.operation.id).await;
        let second = ask(1).await.unwrap();
        assert_eq!(second.operation.id, first.operation.id);
        assert!(second.replayed);
        assert!(matches!(ask(2).await, Err(Error::KeyReused)));
    }

    async fn a_lost_answer_to_a_change_of_tags_is_repeated(stage: &Stage) {
        let (put, take, path) = stage.vendor.tagging;
        for (number, when) in ["before", "after"].into_iter().enumerate() {
            let remote = stranger(stage, &format!("shop-{number}")).await;
            stage.fault(json!({
                "method": put, "path": path, "when": when, "effect": { "drop": true },
            }));
            let accepted = import(stage, &remote).await.unwrap();
            stage.succeeds(accepted.operation.id).await;
            let server = stage.server(accepted.instance.id).await;
            assert_eq!(server.lifecycle, Lifecycle::Live, "{when}");
            let key = CreateKey::new(&deployment(stage).await, server.id.0, "imported");
            assert_eq!(tags_of(&living(stage, &remote)), sorted(key.tags()), "{when}");

            stage.fault(json!({
                "method": take, "path": path, "when": when, "effect": { "drop": true },
            }));
            let release = release(stage, &server).await.unwrap();
            stage.succeeds(release.operation.id).await;
            assert_eq!(stage.server(server.id).await.lifecycle, Lifecycle::Deleted);
            assert!(tags_of(&living(stage, &remote)).is_empty(), "{when}");
        }
        assert_eq!(stage.living().len(), 2);
    }

    async fn another_installations_server_is_not_imported(stage: &Stage) {
        let remote = make(stage, Uuid::now_v7(), ELSEWHERE, "theirs").await;
        let mark = stage.mark();
        let [offered] = importable(stage).await.try_into().unwrap();
        assert!(offered.refusal.unwrap().contains("another installation"));
        let refused = import(stage, &remote).await;
        assert!(matches!(refused, Err(Error::Conflict(_))), "{refused:?}");
        assert!(stage.changes(mark).is_empty());
        assert!(stage.servers().await.is_empty());
    }

    async fn what_cannot_be_imported_is_refused_with_its_field(stage: &Stage) {
        let remote = stranger(stage, "shop").await;
        let ask = async |change: &dyn Fn(&mut ImportServer)| {
            let mut request = wanted(stage, &remote);
            change(&mut request);
            let operator = stage.operator();
            stage.platform.import_server(&operator, stage.account, request).await.unwrap_err()
        };
        for id in ["4711", "no-id", "", "../account"] {
            let error = ask(&|it| it.remote = id.to_owned().into()).await;
            assert_eq!(field(&error), "remote_id", "{id}: {error:?}");
        }
        assert_eq!(field(&ask(&|it| it.label = "-\n".to_owned()).await), "label");
        assert_eq!(field(&ask(&|it| it.tags = vec!["rs:d:x".to_owned()]).await), "tags");
        let error = ask(&|it| it.organization = OrgId(Uuid::now_v7())).await;
        assert!(matches!(error, Error::NotFound("organization")), "{error:?}");
        assert!(stage.servers().await.is_empty());
        let operator = stage.operator();
        let nowhere = ProviderId(Uuid::now_v7());
        let error = stage.platform.import_server(&operator, nowhere, wanted(stage, &remote)).await;
        assert!(matches!(error, Err(Error::NoSuchProvider)), "{error:?}");
    }

    async fn a_released_server_can_be_imported_again(stage: &Stage) {
        let server = stage.running("web").await;
        let remote = server.remote.clone().unwrap();
        let released = release(stage, &server).await.unwrap();
        stage.succeeds(released.operation.id).await;
        let accepted = import(stage, &remote).await.unwrap();
        assert_ne!(accepted.instance.id, server.id);
        stage.succeeds(accepted.operation.id).await;
        stage.is_the_only_one(accepted.instance.id).await;
        assert_eq!(stage.server(server.id).await.remote, None);
        // Its name is the mark of the one before: the delete finds itself all the same.
        let delete = stage.act(accepted.instance.id, OperationKind::Delete).await;
        stage.succeeds(delete.id).await;
        assert!(stage.living().is_empty());
    }
}

at_each_vendor! {
    staged(alone);

    async fn a_server_that_vanishes_meanwhile_is_not_imported(stage: &Stage) {
        let remote = stranger(stage, "shop").await;
        let accepted = import(stage, &remote).await.unwrap();
        assert_eq!(accepted.instance.public_status(), "provisioning");
        stage.direct().perform_action(&remote, &Action::Delete).await.unwrap();
        stage.until("it is gone", async || stage.living().is_empty().then_some(())).await;
        stage.start(1);
        let (operation, code) = stage.fails(accepted.operation.id).await;
        assert_eq!(code, Code::InstanceNotFound.as_str());
        assert_eq!(operation.attempts, 0);
        let server = stage.server(accepted.instance.id).await;
        assert_eq!((server.lifecycle, server.remote), (Lifecycle::Failed, None));
        assert!(server.problem.unwrap().contains("no more"));
    }

    async fn with_somebody_elses_token_nothing_is_imported(stage: &Stage) {
        let remote = stranger(stage, "shop").await;
        let accepted = import(stage, &remote).await.unwrap();
        let mark = stage.mark();
        stage.sim().set_token(TOKEN_FULL, Some("other"), Scopes::Full);
        stage.start(1);
        stage.is_frozen().await;
        let waits = async || {
            let operation = stage.operation(accepted.operation.id).await;
            !matches!(operation.state, OperationState::Succeeded) && stage.changes(mark).is_empty()
        };
        stage.stays("nothing is sent", Duration::from_secs(1), waits).await;
        stage.sim().set_token(TOKEN_FULL, Some("main"), Scopes::Full);
        let operator = stage.operator();
        stage.platform.validate_provider(&operator, stage.account).await.unwrap();
        // Nothing was sent, so that it may have been given up; then it is asked for anew.
        let settled = stage.settles(accepted.operation.id).await;
        if settled.state == OperationState::Failed {
            let again = import(stage, &remote).await.unwrap();
            stage.succeeds(again.operation.id).await;
        }
        assert_eq!(stage.living().len(), 1);
        assert!(!tags_of(&living(stage, &remote)).is_empty());
        assert!(matches!(
            {
                stage.sim().set_token(TOKEN_FULL, Some("other"), Scopes::Full);
                stage.platform.importable(&operator, stage.account).await
            },
            Err(Error::ProviderRefused(_))
        ));
    }

    async fn a_worker_that_dies_before_or_after_the_attempt_is_followed(stage: &Stage) {
        let repository = &stage.repository;
        // The first dies before its attempt, the second before anything was sent, the third when
        // the tags were changed.
        let remotes = [
            stranger(stage, "one").await,
            stranger(stage, "two").await,
            stranger(stage, "three").await,
        ];
        let mut ids = Vec::new();
        for remote in &remotes {
            ids.push(import(stage, remote).await.unwrap());
        }
        let lease = Duration::from_secs(2);
        let mut claims = repository.claim(Uuid::now_v7(), lease, 3).await.unwrap();
        claims.sort_by_key(|it| it.operation.id);
        assert_eq!(claims.len(), 3);
        for claim in &claims[1..] {
            repository.begin_attempt(claim, b"digest", Duration::ZERO).await.unwrap();
        }
        let key = CreateKey::new(&deployment(stage).await, ids[2].instance.id.0, "imported");
        stage.direct().mark_instance(&remotes[2], &key).await.unwrap();
        stage.start(1);
        for accepted in &ids {
            let operation = stage.succeeds(accepted.operation.id).await;
            assert!(operation.attempts <= 2, "{operation:?}");
        }
        stage.agrees().await;
        assert_eq!(stage.living().len(), 3);
    }

    async fn an_engine_that_is_dropped_in_the_middle_of_an_import_loses_nothing(stage: &Stage) {
        let (put, take, path) = stage.vendor.tagging;
        let remote = stranger(stage, "shop").await;
        for (kind, method) in [("import", put), ("release", take)] {
            stage.fault(json!({
                "method": method, "path": path, "when": "after", "effect": { "delay_ms": 900 },
            }));
            let accepted = if kind == "import" {
                import(stage, &remote).await.unwrap()
            } else {
                let [server] = stage.servers().await.try_into().unwrap();
                release(stage, &server).await.unwrap()
            };
            let mark = stage.mark();
            let engine = Engine::start(&stage.twin().await, 1);
            stage.until("the change has arrived", async || {
                (!stage.changes(mark).is_empty()).then_some(())
            }).await;
            // As a crash: nothing is handed back.
            drop(engine);
            stage.start(1);
            stage.succeeds(accepted.operation.id).await;
            stage.halt().await;
        }
        assert_eq!(stage.living().len(), 1);
        assert!(tags_of(&living(stage, &remote)).is_empty());
    }

    async fn of_what_is_handed_over_nobody_else_takes_hold(stage: &Stage) {
        let remote = stranger(stage, "shop").await;
        let accepted = import(stage, &remote).await.unwrap();
        let id = accepted.instance.id;
        for kind in [OperationKind::Delete, OperationKind::Reboot] {
            let refused = stage.platform.act(&stage.member(), id, kind).await;
            assert!(matches!(refused, Err(Error::Conflict(_))), "{kind:?}: {refused:?}");
        }
        let refused = release(stage, &accepted.instance).await;
        assert!(matches!(refused, Err(Error::Conflict(_))), "{refused:?}");
        stage.start(1);
        stage.succeeds(accepted.operation.id).await;
        stage.halt().await;

        let server = stage.server(id).await;
        let (one, other) = tokio::join!(release(stage, &server), release(stage, &server));
        let (one, other) = (one.unwrap(), other.unwrap());
        assert_eq!(one.operation.id, other.operation.id);
        let refused = stage.platform.act(&stage.member(), id, OperationKind::Delete).await;
        assert!(matches!(refused, Err(Error::Conflict(_))), "{refused:?}");
        let mark = stage.mark();
        stage.start(1);
        stage.succeeds(one.operation.id).await;
        assert_eq!(deletes_of_servers(stage, mark), 0);
        assert_eq!(stage.living().len(), 1);
    }
}

at_each_vendor! {
    staged(swept);

    async fn a_released_server_is_left_alone_forever(stage: &Stage) {
        let server = stage.running("web").await;
        let remote = server.remote.clone().unwrap();
        let before = name_of(&living(stage, &remote));
        let released = release(stage, &server).await.unwrap();
        stage.succeeds(released.operation.id).await;
        let mark = stage.mark();

        let ended = stage.server(server.id).await;
        assert_eq!(ended.lifecycle, Lifecycle::Deleted);
        assert!(ended.problem.unwrap().contains("released"));
        assert!(stage.servers().await.is_empty());
        let there = living(stage, &remote);
        // The member's own tag stays, and so does the name, which is our mark.
        assert_eq!(tags_of(&there), ["blue"]);
        assert_eq!(name_of(&there), before);
        let alone = async || {
            let quarantine = stage.rows.lines(QUARANTINE).await;
            quarantine == ["dismissed released"]
                && stage.changes(mark).is_empty()
                && stage.repository.open_dooms().await.unwrap().is_empty()
        };
        stage.stays("it is left alone", SWEEPS, alone).await;
        assert_eq!(stage.living().len(), 1);
        assert_eq!(stage.server(server.id).await.lifecycle, Lifecycle::Deleted);
        for kind in [OperationKind::Reboot, OperationKind::Delete] {
            let refused = stage.platform.act(&stage.member(), server.id, kind).await;
            assert!(matches!(refused, Err(Error::NoSuchInstance)), "{refused:?}");
        }
        assert!(matches!(release(stage, &server).await, Err(Error::NoSuchInstance)));
        let [offered] = importable(stage).await.try_into().unwrap();
        assert_eq!(offered.refusal, None);
    }

    async fn what_was_imported_is_swept_as_ours(stage: &Stage) {
        let remote = stranger(stage, "shop").await;
        let accepted = import(stage, &remote).await.unwrap();
        stage.succeeds(accepted.operation.id).await;
        let mark = stage.mark();
        let kept = async || {
            let quarantine = stage.rows.lines(QUARANTINE).await.is_empty();
            quarantine && stage.changes(mark).is_empty()
        };
        stage.stays("nothing is doubted", SWEEPS, kept).await;
        stage.direct().perform_action(&remote, &Action::Delete).await.unwrap();
        stage.until("it is missing", async || {
            let server = stage.server(accepted.instance.id).await;
            (server.lifecycle == Lifecycle::Missing).then_some(())
        }).await;
    }

    async fn another_server_under_the_id_of_an_imported_one_is_spared(stage: &Stage) {
        let remote = stranger(stage, "shop").await;
        let accepted = import(stage, &remote).await.unwrap();
        stage.succeeds(accepted.operation.id).await;
        let later = if stage.rows.is_postgres() {
            "remote_created_at + INTERVAL '1 hour'"
        } else {
            "remote_created_at + 3600000000"
        };
        stage.rows.execute(&format!("UPDATE imports SET remote_created_at = {later}")).await;
        let mark = stage.mark();
        let id = accepted.instance.id;
        let delete = stage.act(id, OperationKind::Delete).await;
        assert_eq!(stage.settles(delete.id).await.state, OperationState::Attention);
        assert_eq!(deletes(stage, mark), 0);
        assert_eq!(stage.living().len(), 1);
    }
}

fn alone() -> Scene {
    Scene {
        workers: 0,
        ..Scene::default()
    }
}

/// Makes a server that carries no mark at all.
pub(crate) async fn stranger(stage: &Stage, name: &str) -> RemoteId {
    let id = Uuid::now_v7();
    let remote = make(stage, id, ELSEWHERE, name).await;
    let key = CreateKey {
        id,
        deployment: ELSEWHERE.into(),
        name: "".into(),
    };
    stage.direct().unmark_instance(&remote, &key).await.unwrap();
    stage
        .until("it runs", async || {
            (living(stage, &remote)["status"] == stage.vendor.words.0).then_some(())
        })
        .await;
    remote
}

fn wanted(stage: &Stage, remote: &RemoteId) -> ImportServer {
    ImportServer {
        remote: remote.clone(),
        organization: stage.organization(),
        label: "imported".to_owned(),
        tags: Vec::new(),
    }
}

pub(crate) async fn import(stage: &Stage, remote: &RemoteId) -> Result<Accepted, Error> {
    let request = wanted(stage, remote);
    let operator = stage.operator();
    stage
        .platform
        .import_server(&operator, stage.account, request)
        .await
}

async fn release(stage: &Stage, server: &roadstead_service::Instance) -> Result<Accepted, Error> {
    stage
        .platform
        .release_server(&stage.operator(), server.id)
        .await
}

async fn importable(stage: &Stage) -> Vec<roadstead_service::Importable> {
    let operator = stage.operator();
    let listed = stage.platform.importable(&operator, stage.account);
    listed.await.unwrap()
}

async fn fingerprint(stage: &Stage) -> Option<String> {
    let operator = stage.operator();
    let known = stage.platform.provider(&operator, stage.account);
    known.await.unwrap().record.fingerprint
}

/// Returns a server as the vendor's simulator has it.
pub(crate) fn living(stage: &Stage, remote: &RemoteId) -> Value {
    let mut all = stage.living().into_iter();
    all.find(|it| id_of(it) == remote.as_str()).unwrap()
}

pub(crate) fn tags_of(server: &Value) -> Vec<String> {
    let tags = server["tags"].as_array().unwrap().iter();
    sorted(tags.map(|it| it.as_str().unwrap().to_owned()))
}

pub(crate) fn name_of(server: &Value) -> String {
    let name = server.get("name").or(server.get("label"));
    name.unwrap().as_str().unwrap().to_owned()
}

fn sorted(tags: impl IntoIterator<Item = String>) -> Vec<String> {
    let mut tags: Vec<_> = tags.into_iter().collect();
    tags.sort();
    tags
}

/// Tags are taken off by a DELETE, too.
fn deletes_of_servers(stage: &Stage, mark: u64) -> usize {
    let prefix = format!("{}/", stage.vendor.path);
    let changes = stage.changes(mark).into_iter();
    changes
        .filter(|it| it.method == "DELETE" && it.path.starts_with(&prefix))
        .count()
}

#[track_caller]
pub(crate) fn field(error: &Error) -> &str {
    match error {
        Error::Invalid(errors) => &errors[0].field,
        other => panic!("no field: {other:?}"),
    }
}
