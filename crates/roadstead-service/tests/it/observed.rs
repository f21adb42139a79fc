//! The wrapper that observes: a provider like the one in it, whose calls are counted.

use std::sync::Arc;
use std::time::Duration;

use metrics_exporter_prometheus::PrometheusBuilder;
use roadstead_conformance::fake::FakeHarness;
use roadstead_conformance::{CallClass, Fault, Harness, KnownPlan, conformance_suite};
use roadstead_core::{CreateInstance, CreateKey, Lane, Provider, ProviderId, RemoteId, Secret};
use roadstead_digitalocean::DigitalOceanBuilder;
use roadstead_service::ObservedProvider;

struct ObservedHarness(FakeHarness);

impl ObservedHarness {
    async fn start() -> Self {
        Self(FakeHarness::start().await)
    }
}

impl Harness for ObservedHarness {
    fn provider(&self) -> Arc<dyn Provider> {
        ObservedProvider::new(self.0.provider(), None)
    }

    fn unreachable(&self) -> Arc<dyn Provider> {
        ObservedProvider::new(self.0.unreachable(), None)
    }

    fn request(&self, key: CreateKey) -> CreateInstance {
        self.0.request(key)
    }

    async fn rich_request(&self, key: CreateKey) -> CreateInstance {
        self.0.rich_request(key).await
    }

    async fn options_at_vendor(&self, key: &CreateKey) -> serde_json::Value {
        self.0.options_at_vendor(key).await
    }

    fn gpu_request(&self, key: CreateKey) -> Option<CreateInstance> {
        self.0.gpu_request(key)
    }

    fn known_plan(&self) -> KnownPlan {
        self.0.known_plan()
    }

    fn absent_instance(&self) -> RemoteId {
        self.0.absent_instance()
    }

    fn secrets(&self) -> Vec<String> {
        self.0.secrets()
    }

    async fn break_next(&self, class: CallClass, count: u32, fault: Fault) {
        self.0.break_next(class, count, fault).await;
    }

    async fn mend(&self) {
        self.0.mend().await;
    }

    async fn revoke_token(&self) {
        self.0.revoke_token().await;
    }

    async fn show_status(&self, id: &RemoteId, word: &str) {
        self.0.show_status(id, word).await;
    }

    async fn pass_time(&self, by: Duration) {
        self.0.pass_time(by).await;
    }

    async fn servers_at_vendor(&self, key: &CreateKey) -> usize {
        self.0.servers_at_vendor(key).await
    }

    async fn calls_seen(&self, class: CallClass) -> usize {
        self.0.calls_seen(class).await
    }
}

conformance_suite!(ObservedHarness::start());

/// Runs calls, and returns the series that they have left.
async fn series(
    account: Option<ProviderId>,
    calls: impl AsyncFnOnce(&FakeHarness, Arc<dyn Provider>),
) -> String {
    let recorder = PrometheusBuilder::new().build_recorder();
    let handle = recorder.handle();
    let _guard = metrics::set_default_local_recorder(&recorder);
    let fake = FakeHarness::start().await;
    let provider = ObservedProvider::new(fake.provider(), account);
    calls(&fake, provider).await;
    handle.render()
}

#[track_caller]
fn counted(series: &str, class: &str, outcome: &str, count: u64) {
    let is_it = |it: &&str| {
        it.starts_with("roadstead_provider_calls_total{")
            && it.contains(&format!("class=\"{class}\""))
            && it.contains(&format!("outcome=\"{outcome}\""))
    };
    let line = series.lines().find(is_it);
    let line = line.unwrap_or_else(|| panic!("no {class} {outcome} in\n{series}"));
    assert!(line.ends_with(&format!(" {count}")), "{line}");
}

#[tokio::test]
async fn calls_are_counted_by_account_class_and_outcome() {
    let account = ProviderId::fresh();
    let series = series(Some(account), async |fake, provider| {
        provider.get_plans().await.unwrap();
        provider.get_images().await.unwrap();
        provider.validate_credentials().await.unwrap();
        let absent = provider.get_instance(&fake.absent_instance()).await;
        absent.unwrap_err();
        let key = CreateKey::new("d1", uuid::Uuid::now_v7(), "web");
        let marked = provider.mark_instance(&fake.absent_instance(), &key).await;
        marked.unwrap_err();
        fake.revoke_token().await;
        provider.get_plans().await.unwrap_err();
        // In another lane it is the same account.
        let background = provider.in_lane(Lane::Background);
        background.get_plans().await.unwrap_err();
    })
    .await;
    counted(&series, "catalogue", "ok", 2);
    counted(&series, "catalogue", "bad_token", 2);
    counted(&series, "account", "ok", 1);
    counted(&series, "read", "no_such_instance", 1);
    counted(&series, "action", "no_such_instance", 1);
    let calls = series.lines().filter(|it| it.contains("_calls_total{"));
    let account = format!("provider_id=\"{account}\"");
    assert!(
        calls.into_iter().all(|it| it.contains(&account)),
        "{series}"
    );
    assert!(
        series.contains("roadstead_provider_call_duration_seconds"),
        "{series}"
    );
}

#[tokio::test]
async fn what_is_not_asked_of_the_vendor_is_not_counted() {
    let series = series(None, async |_, provider| {
        assert_eq!(provider.descriptor().kind.as_str(), "fake");
        let _ = (provider.budget(), provider.extensions(), provider.native());
    })
    .await;
    assert_eq!(series, "");
}

#[tokio::test]
async fn a_call_that_its_caller_gives_up_is_counted_as_cut_off() {
    // Takes connections, and never answers.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", silent.local_addr().unwrap());
    let series = series(None, async |_, _| {
        let builder = DigitalOceanBuilder::new(Secret::from("token")).with_endpoint(endpoint);
        let provider = ObservedProvider::new(Arc::new(builder.build().unwrap()), None);
        let call = provider.get_plans();
        let given_up = tokio::time::timeout(Duration::from_millis(50), call).await;
        given_up.unwrap_err();
    })
    .await;
    counted(&series, "catalogue", "cut_off", 1);
    assert!(series.contains("provider_id=\"none\""), "{series}");
}
