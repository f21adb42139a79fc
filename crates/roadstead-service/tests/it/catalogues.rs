//! Catalogues under fire: changes here and elsewhere, tokens that are refused, vendors that are
//! away or contradict themselves.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use roadstead_core::{ErrorKind, ManualClock, Secret};
use roadstead_service::{
    CatalogueKind, CatalogueSource, CatalogueStatus, Error, Fetched, Platform, ProviderChange,
    RegisterProvider, Verification,
};
use roadstead_sim::{Scopes, TOKEN_FULL, TOKEN_OTHER};
use roadstead_testkit::{Scratch, on_both_databases};
use serde_json::json;

use crate::stage::{Scene, Stage, TEMPLATE, migrated};
use crate::vendor::DIGITALOCEAN;

pub(crate) const HOUR: Duration = Duration::from_secs(3600);
pub(crate) const SECOND: Duration = Duration::from_secs(1);

/// One of several processes on a database, with a clock that is set by hand.
pub(crate) struct Process {
    pub(crate) platform: Arc<Platform>,
    pub(crate) clock: Arc<ManualClock>,
}

/// A stage without an engine.
pub(crate) async fn quiet(database: &Scratch) -> Stage {
    let scene = Scene {
        workers: 0,
        ..Scene::default()
    };
    Stage::open(database, &DIGITALOCEAN, scene).await
}

impl Process {
    pub(crate) async fn start(stage: &Stage) -> Self {
        let clock = Arc::new(ManualClock::new(Timestamp::now()));
        let platform = stage.twin_at(clock.clone()).await;
        Self { platform, clock }
    }

    pub(crate) async fn plans(
        &self,
        stage: &Stage,
    ) -> Result<Fetched<roadstead_core::Plan>, Error> {
        let source = CatalogueSource {
            kind: "digitalocean".to_owned(),
            provider: None,
        };
        let plans = self.platform.plans(&stage.reader(), &source).await?;
        Ok(plans.fetched)
    }

    /// Returns through which account the catalogue is read.
    async fn account(&self, stage: &Stage) -> Result<String, Error> {
        let source = CatalogueSource {
            kind: "digitalocean".to_owned(),
            provider: None,
        };
        let plans = self.platform.plans(&stage.reader(), &source).await?;
        Ok(plans.account.record.name.clone())
    }

    /// What it keeps.
    pub(crate) async fn kept(&self, stage: &Stage) -> [(CatalogueKind, CatalogueStatus); 4] {
        let operator = stage.operator();
        let kept = self.platform.kept_catalogues(&operator, stage.account);
        kept.await.unwrap()
    }

    /// What it keeps of the plans.
    pub(crate) async fn status(&self, stage: &Stage) -> CatalogueStatus {
        let [(CatalogueKind::Plans, plans), ..] = self.kept(stage).await else {
            panic!("the plans come first")
        };
        plans
    }

    pub(crate) async fn change(&self, stage: &Stage, change: ProviderChange) {
        let operator = stage.operator();
        let changed = self
            .platform
            .change_provider(&operator, stage.account, change);
        changed.await.unwrap();
    }
}

/// Returns how often the vendor was asked for a list.
pub(crate) fn calls(stage: &Stage, path: &str) -> usize {
    let journal = stage.sim().journal();
    journal
        .iter()
        .filter(|it| it.method == "GET" && it.path == path)
        .count()
}

pub(crate) fn plan_calls(stage: &Stage) -> usize {
    calls(stage, "/v2/sizes")
}

pub(crate) fn active(active: bool) -> ProviderChange {
    ProviderChange {
        active: Some(active),
        ..ProviderChange::default()
    }
}

pub(crate) fn token(token: &str) -> ProviderChange {
    ProviderChange {
        token: Some(Secret::from(token)),
        ..ProviderChange::default()
    }
}

on_both_databases! {
    prepared(TEMPLATE, migrated);

    async fn whoever_reads_a_catalogue_asks_the_database_once_a_second(database: &Scratch) {
        let stage = quiet(database).await;
        let process = Process::start(&stage).await;
        process.plans(&stage).await.unwrap();
        // Another process switches the account off.
        Process::start(&stage).await.change(&stage, active(false)).await;
        for _ in 0..100 {
            process.plans(&stage).await.unwrap();
        }
        process.clock.advance(SECOND);
        let refused = process.plans(&stage).await;
        assert!(matches!(refused, Err(Error::ProviderInactive)), "{refused:?}");
        // Whoever changes something is not told what was.
        let refused = process.platform.create_server(&stage.member(), stage.request("web")).await;
        assert!(matches!(refused, Err(Error::ProviderInactive)), "{refused:?}");
    }

    async fn a_create_never_believes_what_was_a_second_ago(database: &Scratch) {
        let stage = quiet(database).await;
        let process = Process::start(&stage).await;
        process.plans(&stage).await.unwrap();
        Process::start(&stage).await.change(&stage, active(false)).await;
        let refused = process.platform.create_server(&stage.member(), stage.request("web")).await;
        assert!(matches!(refused, Err(Error::ProviderInactive)), "{refused:?}");
        // It has seen more than the readers had, who see it too from now on.
        let refused = process.plans(&stage).await;
        assert!(matches!(refused, Err(Error::ProviderInactive)), "{refused:?}");
    }

    async fn what_this_process_changes_it_sees_at_once(database: &Scratch) {
        let stage = quiet(database).await;
        let process = Process::start(&stage).await;
        assert_eq!(process.account(&stage).await.unwrap(), "first");
        let second = RegisterProvider {
            name: "second".to_owned(),
            kind: "digitalocean".to_owned(),
            token: Secret::from(TOKEN_OTHER),
            configuration: json!({}),
        };
        let operator = stage.operator();
        let second = process.platform.register_provider(&operator, second).await.unwrap();
        assert_eq!(process.account(&stage).await.unwrap(), "first");
        let id = second.record.id;
        process.platform.reorder_providers(&operator, &[id, stage.account]).await.unwrap();
        assert_eq!(process.account(&stage).await.unwrap(), "second");
        process.platform.delete_provider(&operator, id).await.unwrap();
        assert_eq!(process.account(&stage).await.unwrap(), "first");
        process.change(&stage, active(false)).await;
        let refused = process.plans(&stage).await;
        assert!(matches!(refused, Err(Error::ProviderInactive)), "{refused:?}");
        process.change(&stage, active(true)).await;
        assert_eq!(process.account(&stage).await.unwrap(), "first");
    }

    async fn an_account_that_another_process_adds_is_found_by_its_id_at_once(database: &Scratch) {
        let stage = quiet(database).await;
        let process = Process::start(&stage).await;
        process.plans(&stage).await.unwrap();
        let second = RegisterProvider {
            name: "second".to_owned(),
            kind: "digitalocean".to_owned(),
            token: Secret::from(TOKEN_OTHER),
            configuration: json!({}),
        };
        let elsewhere = Process::start(&stage).await;
        let second = elsewhere.platform.register_provider(&stage.operator(), second).await.unwrap();
        let source = CatalogueSource {
            kind: "digitalocean".to_owned(),
            provider: Some(second.record.id),
        };
        let plans = process.platform.plans(&stage.reader(), &source).await.unwrap();
        assert_eq!(plans.account.record.name, "second");
        elsewhere.platform.delete_provider(&stage.operator(), second.record.id).await.unwrap();
        process.clock.advance(SECOND);
        let gone = process.platform.plans(&stage.reader(), &source).await;
        assert!(matches!(gone, Err(Error::NoSuchProvider)), "{gone:?}");
        // Its token goes with it.
        assert_eq!(process.platform.registry().in_memory(), [stage.account]);
    }

    async fn clearing_reaches_every_process(database: &Scratch) {
        let stage = quiet(database).await;
        let (here, there) = (Process::start(&stage).await, Process::start(&stage).await);
        here.plans(&stage).await.unwrap();
        there.plans(&stage).await.unwrap();
        assert_eq!(plan_calls(&stage), 2);
        here.platform.clear_cache(&stage.operator(), stage.account).await.unwrap();
        assert_eq!(here.status(&stage).await.age, None);
        here.plans(&stage).await.unwrap();
        assert_eq!(plan_calls(&stage), 3);
        there.plans(&stage).await.unwrap();
        assert_eq!(plan_calls(&stage), 3);
        there.clock.advance(SECOND);
        assert_eq!(there.plans(&stage).await.unwrap().age, Duration::ZERO);
        assert_eq!(plan_calls(&stage), 4);
        let nobody = roadstead_core::ProviderId::fresh();
        let refused = here.platform.clear_cache(&stage.operator(), nobody).await;
        assert!(matches!(refused, Err(Error::NoSuchProvider)), "{refused:?}");
    }

    async fn catalogues_are_read_anew_only_from_a_vendor_that_answers(database: &Scratch) {
        let stage = quiet(database).await;
        let (here, there) = (Process::start(&stage).await, Process::start(&stage).await);
        here.plans(&stage).await.unwrap();
        there.plans(&stage).await.unwrap();
        here.clock.advance(HOUR * 2);
        stage.fault(json!({ "count": 50, "effect": { "status": 503 } }));
        let asked = here.platform.refresh_catalogues(&stage.operator(), stage.account).await;
        assert!(matches!(asked, Err(Error::Provider(_))), "{asked:?}");
        assert_eq!(here.status(&stage).await.age, Some(HOUR * 2));
        stage.sim().clear_faults();
        here.clock.advance(HOUR);
        here.platform.refresh_catalogues(&stage.operator(), stage.account).await.unwrap();
        for (kind, it) in here.kept(&stage).await {
            assert!(it.age.is_some_and(|it| it < HOUR), "{kind:?}: {it:?}");
        }
        // Elsewhere it is forgotten, and asked for anew by the next who needs it.
        there.clock.advance(SECOND);
        assert!(there.plans(&stage).await.unwrap().age < SECOND);
        here.change(&stage, active(false)).await;
        let asked = here.platform.refresh_catalogues(&stage.operator(), stage.account).await;
        assert!(matches!(asked, Err(Error::ProviderInactive)), "{asked:?}");
    }

    async fn a_catalogue_outlives_what_does_not_concern_it_and_nothing_else(database: &Scratch) {
        let stage = quiet(database).await;
        let process = Process::start(&stage).await;
        process.plans(&stage).await.unwrap();
        let renamed = ProviderChange { name: Some("new".to_owned()), ..ProviderChange::default() };
        process.change(&stage, renamed).await;
        process.platform.validate_provider(&stage.operator(), stage.account).await.unwrap();
        assert_eq!(process.account(&stage).await.unwrap(), "new");
        assert_eq!(plan_calls(&stage), 1);

        stage.sim().set_token("sim-fresh", Some("main"), Scopes::Full);
        process.change(&stage, token("sim-fresh")).await;
        process.plans(&stage).await.unwrap();
        assert_eq!(plan_calls(&stage), 2);

        process.change(&stage, active(false)).await;
        assert_eq!(process.status(&stage).await.age, None);
        process.change(&stage, active(true)).await;
        process.plans(&stage).await.unwrap();
        assert_eq!(plan_calls(&stage), 3);
    }

    async fn a_token_that_is_refused_in_the_background_freezes_the_account(database: &Scratch) {
        let stage = quiet(database).await;
        let process = Process::start(&stage).await;
        process.plans(&stage).await.unwrap();
        stage.sim().set_token(TOKEN_FULL, None, Scopes::Revoked);
        process.clock.advance(HOUR);
        assert!(process.plans(&stage).await.unwrap().stale);
        stage.is_frozen().await;
        // The process hears of its own change a moment after the books have it.
        stage.until("the plans are refused", async || {
            let refused = process.plans(&stage).await;
            matches!(refused, Err(Error::ProviderRefused(_))).then_some(())
        }).await;
        let asked = stage.mark();
        process.clock.advance(HOUR);
        let refused = process.plans(&stage).await;
        assert!(matches!(refused, Err(Error::ProviderRefused(_))), "{refused:?}");
        assert_eq!(stage.mark(), asked);

        stage.sim().set_token(TOKEN_FULL, Some("main"), Scopes::Full);
        let checked = process.platform.validate_provider(&stage.operator(), stage.account).await;
        assert!(matches!(checked.unwrap().record.verification, Verification::Verified { .. }));
        assert!(process.plans(&stage).await.unwrap().stale);
    }

    async fn an_old_tokens_refusal_in_the_background_freezes_no_new_token(database: &Scratch) {
        let stage = quiet(database).await;
        let process = Process::start(&stage).await;
        process.plans(&stage).await.unwrap();
        process.clock.advance(HOUR);
        stage.fault(json!({ "path": "/v2/sizes", "effect": { "delay_ms": 700 } }));
        assert!(process.plans(&stage).await.unwrap().stale);
        stage.until("the renewal is under way", async || {
            stage.sim().journal().iter().any(|it| it.fault.is_some()).then_some(())
        }).await;
        stage.sim().set_token("sim-fresh", Some("main"), Scopes::Full);
        process.change(&stage, token("sim-fresh")).await;
        stage.sim().set_token(TOKEN_FULL, None, Scopes::Revoked);
        stage.stays("the new token is good", SECOND, async || {
            matches!(stage.verification().await, Verification::Verified { .. })
        }).await;
        assert!(!process.plans(&stage).await.unwrap().stale);
    }

    async fn a_dead_vendor_leaves_the_catalogue_until_a_day_or_the_process_is_over(
        database: &Scratch
    ) {
        let stage = quiet(database).await;
        let process = Process::start(&stage).await;
        let count = process.plans(&stage).await.unwrap().value.len();
        stage.unplug().await;
        for hours in [1, 10, 23] {
            let hour = HOUR * hours;
            let ahead = Timestamp::now() + hour;
            process.clock.advance(Duration::try_from(
                ahead.duration_since(roadstead_core::Clock::now(&*process.clock))
            ).unwrap());
            let plans = process.plans(&stage).await.unwrap();
            assert_eq!((plans.value.len(), plans.stale), (count, true));
            assert!(plans.age >= hour - SECOND, "{:?}", plans.age);
            let failure = stage.until("the renewal has failed", async || {
                process.status(&stage).await.failure
            }).await;
            assert_eq!(failure.kind, ErrorKind::Transport);
        }
        process.clock.advance(HOUR * 2);
        let error = process.plans(&stage).await.unwrap_err();
        assert_eq!(error.provider_kind(), Some(ErrorKind::Transport), "{error:?}");
        // A new process has nothing to serve.
        let error = Process::start(&stage).await.plans(&stage).await.unwrap_err();
        assert_eq!(error.provider_kind(), Some(ErrorKind::Transport), "{error:?}");
    }

    async fn a_thousand_who_miss_at_once_are_one_call(database: &Scratch) {
        let stage = quiet(database).await;
        let process = Process::start(&stage).await;
        stage.fault(json!({ "path": "/v2/sizes", "effect": { "delay_ms": 300 } }));
        let asking = (0..1_000).map(|_| process.plans(&stage));
        let plans = futures::future::join_all(asking).await;
        let first = plans[0].as_ref().unwrap();
        assert!(plans.iter().all(|it| Arc::ptr_eq(&it.as_ref().unwrap().value, &first.value)));
        assert_eq!(plan_calls(&stage), 1);
    }

    async fn a_refusal_that_contradicts_the_catalogue_has_it_renewed_once(database: &Scratch) {
        let stage = quiet(database).await;
        let process = Process::start(&stage).await;
        process.plans(&stage).await.unwrap();
        process.clock.advance(SECOND * 90);
        assert!(!process.plans(&stage).await.unwrap().stale);
        stage.fault(json!({
            "method": "POST", "path": "/v2/droplets", "count": 100, "effect": {
                "status": 422,
                "body": { "id": "unprocessable_entity", "message": "You specified an invalid size" },
            },
        }));
        let engine = roadstead_service::Engine::start(&process.platform, 1);
        for name in ["one", "two", "three"] {
            let created = process.platform.create_server(&stage.member(), stage.request(name)).await;
            let operation = created.unwrap().operation.id;
            stage.until("it is refused", async || {
                stage.operation(operation).await.state.is_settled().then_some(())
            }).await;
        }
        engine.stop().await;
        let stale = process.status(&stage).await.stale;
        assert!(stale || plan_calls(&stage) == 2, "{:?}", process.status(&stage).await);
        stage.until("the plans are fresh again", async || {
            (!process.plans(&stage).await.unwrap().stale).then_some(())
        }).await;
        assert_eq!(plan_calls(&stage), 2);
    }
}
