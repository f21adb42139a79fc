//! The suite, run on a cached vendor in memory.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use roadstead_cache::{CachePolicy, CachedProvider};
use roadstead_conformance::fake::FakeHarness;
use roadstead_conformance::{CallClass, Fault, Harness, KnownPlan, conformance_suite};
use roadstead_core::{CreateInstance, CreateKey, ManualClock, Provider, RemoteId};
use serde_json::Value;

struct CachedHarness(FakeHarness);

impl CachedHarness {
    async fn start() -> Self {
        Self(FakeHarness::start().await)
    }
}

fn cached(inner: Arc<dyn Provider>) -> Arc<dyn Provider> {
    let clock = Arc::new(ManualClock::new(Timestamp::now()));
    CachedProvider::new(inner, clock, CachePolicy::default())
}

impl Harness for CachedHarness {
    fn provider(&self) -> Arc<dyn Provider> {
        cached(self.0.provider())
    }

    fn unreachable(&self) -> Arc<dyn Provider> {
        cached(self.0.unreachable())
    }

    fn request(&self, key: CreateKey) -> CreateInstance {
        self.0.request(key)
    }

    async fn rich_request(&self, key: CreateKey) -> CreateInstance {
        self.0.rich_request(key).await
    }

    async fn options_at_vendor(&self, key: &CreateKey) -> Value {
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

conformance_suite!(CachedHarness::start());
