//! `ObservedProvider`: a span, a count and a duration for every call to a provider, and none to
//! one that fails again and again.

mod extensions;

use std::any::Any;
use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use async_trait::async_trait;
use metrics::{counter, histogram};
use roadstead_core::{
    Account, Action, At, CreateInstance, CreateKey, Created, Descriptor, Extensions, Image,
    Instance, InstanceQuery, Lane, OperationLog, Page, Plan, Provider, ProviderId, RateBucket,
    Region, RemoteId, RemoteOperation, RemoteOperationId, Result, Since,
};
use tracing::{Instrument, info_span};

use crate::health::{CallClass, Health};
use crate::telemetry;

/// A provider whose calls are seen in logs and metrics. It stands right around a vendor's own
/// provider, below every cache, so that what it sees is what the vendor is asked.
#[derive(Clone)]
pub struct ObservedProvider {
    inner: Arc<dyn Provider>,
    /// The account's id; `none` while it is not registered.
    account: Arc<str>,
    /// What is known of the vendor, and so whether it is asked at all.
    health: Option<Arc<Health>>,
    lane: Lane,
}

impl ObservedProvider {
    /// Wraps a provider of an account; of none, while its token is being tried.
    #[must_use]
    pub fn new(inner: Arc<dyn Provider>, account: Option<ProviderId>) -> Arc<Self> {
        let account = account.map_or_else(|| "none".to_owned(), |it| it.to_string());
        Arc::new(Self {
            inner,
            account: account.into(),
            health: None,
            lane: Lane::default(),
        })
    }

    /// Wraps a provider of an account that is left alone while it fails.
    #[must_use]
    pub fn guarded(
        inner: Arc<dyn Provider>,
        account: ProviderId,
        health: Arc<Health>,
    ) -> Arc<Self> {
        Arc::new(Self {
            inner,
            account: account.to_string().into(),
            health: Some(health),
            lane: Lane::default(),
        })
    }

    async fn observe<T>(&self, call: Call, answer: impl Future<Output = Result<T>>) -> Result<T> {
        let kind = &self.inner.descriptor().kind;
        // What is not let through was not asked, and is not counted.
        let pass = match &self.health {
            Some(health) => Some(health.enter(call.circuit(self.lane), call.name, kind)?),
            None => None,
        };
        let span = info_span!(
            "provider_call",
            provider.id = &*self.account,
            provider.kind = kind.as_str(),
            provider.call = call.name,
        );
        let mut watch = Watch {
            kind: kind.as_str(),
            account: &self.account,
            class: call.class,
            begun: Instant::now(),
            outcome: "cut_off",
        };
        let answer = answer.instrument(span).await;
        watch.outcome = match &answer {
            Ok(_) => "ok",
            Err(error) => error.kind.as_str(),
        };
        if let Some(pass) = pass {
            pass.ended(&answer);
        }
        answer
    }
}

/// One method of a provider, as logs and metrics call it.
#[derive(Clone, Copy)]
struct Call {
    class: &'static str,
    name: &'static str,
    changes: bool,
}

const fn call(class: &'static str, name: &'static str) -> Call {
    Call {
        class,
        name,
        changes: false,
    }
}

const fn change(class: &'static str, name: &'static str) -> Call {
    Call {
        class,
        name,
        changes: true,
    }
}

impl Call {
    /// Returns with which other calls it fails together.
    const fn circuit(self, lane: Lane) -> CallClass {
        match lane {
            _ if self.changes => CallClass::Mutate,
            Lane::Background => CallClass::Background,
            Lane::People | Lane::Mutate => CallClass::Read,
        }
    }
}

/// Counts a call when it ends, also where the caller gave it up half-way.
struct Watch<'a> {
    kind: &'a str,
    account: &'a Arc<str>,
    class: &'static str,
    begun: Instant,
    outcome: &'static str,
}

impl Drop for Watch<'_> {
    fn drop(&mut self) {
        let kind = self.kind.to_owned();
        let elapsed = self.begun.elapsed().as_secs_f64();
        counter!(
            telemetry::PROVIDER_CALLS,
            "provider_kind" => kind.clone(),
            "provider_id" => Arc::clone(self.account),
            "class" => self.class,
            "outcome" => self.outcome,
        )
        .increment(1);
        histogram!(
            telemetry::PROVIDER_CALL_SECONDS,
            "provider_kind" => kind,
            "provider_id" => Arc::clone(self.account),
            "class" => self.class,
        )
        .record(elapsed);
    }
}

#[deny(clippy::missing_trait_methods)]
#[async_trait]
impl Provider for ObservedProvider {
    fn descriptor(&self) -> &Descriptor {
        self.inner.descriptor()
    }

    async fn validate_credentials(&self) -> Result<Account> {
        let answer = self.inner.validate_credentials();
        self.observe(call("account", "validate_credentials"), answer)
            .await
    }

    fn check_create(&self, request: &CreateInstance) -> Result<()> {
        self.inner.check_create(request)
    }

    async fn create_instance(&self, request: &CreateInstance) -> Result<Created> {
        let answer = self.inner.create_instance(request);
        self.observe(change("create", "create_instance"), answer)
            .await
    }

    async fn find_created(&self, key: &CreateKey) -> Result<Vec<Instance>> {
        let answer = self.inner.find_created(key);
        self.observe(call("read", "find_created"), answer).await
    }

    async fn get_instance(&self, id: &RemoteId) -> Result<Instance> {
        let answer = self.inner.get_instance(id);
        self.observe(call("read", "get_instance"), answer).await
    }

    async fn mark_instance(&self, id: &RemoteId, key: &CreateKey) -> Result<()> {
        let answer = self.inner.mark_instance(id, key);
        self.observe(change("action", "mark_instance"), answer)
            .await
    }

    async fn unmark_instance(&self, id: &RemoteId, key: &CreateKey) -> Result<()> {
        let answer = self.inner.unmark_instance(id, key);
        self.observe(change("action", "unmark_instance"), answer)
            .await
    }

    async fn list_instances(&self, query: &InstanceQuery, at: At) -> Result<Page<Instance>> {
        let answer = self.inner.list_instances(query, at);
        self.observe(call("list", "list_instances"), answer).await
    }

    fn check_action(&self, action: &Action) -> Result<()> {
        self.inner.check_action(action)
    }

    async fn perform_action(&self, id: &RemoteId, action: &Action) -> Result<RemoteOperation> {
        let answer = self.inner.perform_action(id, action);
        self.observe(change("action", "perform_action"), answer)
            .await
    }

    async fn get_operation(&self, id: &RemoteOperationId) -> Result<RemoteOperation> {
        let answer = self.inner.get_operation(id);
        self.observe(call("read", "get_operation"), answer).await
    }

    async fn recent_operations(&self, id: &RemoteId, since: &Since) -> Result<OperationLog> {
        let answer = self.inner.recent_operations(id, since);
        self.observe(call("read", "recent_operations"), answer)
            .await
    }

    async fn get_plans(&self) -> Result<Arc<[Plan]>> {
        let answer = self.inner.get_plans();
        self.observe(call("catalogue", "get_plans"), answer).await
    }

    async fn get_images(&self) -> Result<Arc<[Image]>> {
        let answer = self.inner.get_images();
        self.observe(call("catalogue", "get_images"), answer).await
    }

    async fn get_regions(&self) -> Result<Arc<[Region]>> {
        let answer = self.inner.get_regions();
        self.observe(call("catalogue", "get_regions"), answer).await
    }

    fn extensions(&self) -> Extensions<'_> {
        let mut extensions = self.inner.extensions();
        if extensions.ssh_keys.is_some() {
            extensions.ssh_keys = Some(self);
        }
        if extensions.marketplace.is_some() {
            extensions.marketplace = Some(self);
        }
        if extensions.stack_scripts.is_some() {
            extensions.stack_scripts = Some(self);
        }
        if extensions.choices.is_some() {
            extensions.choices = Some(self);
        }
        if extensions.after_create.is_some() {
            extensions.after_create = Some(self);
        }
        extensions
    }

    fn in_lane(&self, lane: Lane) -> Arc<dyn Provider> {
        Arc::new(Self {
            inner: self.inner.in_lane(lane),
            account: Arc::clone(&self.account),
            health: self.health.clone(),
            lane,
        })
    }

    fn budget(&self) -> Vec<RateBucket> {
        self.inner.budget()
    }

    fn native(&self) -> &(dyn Any + Send + Sync) {
        self.inner.native()
    }
}

impl fmt::Debug for ObservedProvider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ObservedProvider")
            .field("account", &self.account)
            .field("inner", &self.inner)
            .finish()
    }
}
