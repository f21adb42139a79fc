//! A provider that counts the calls for the catalogue, and holds, fails or breaks them.

use std::any::Any;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use parking_lot::Mutex;
use roadstead_core::{
    Account, Action, At, CreateInstance, CreateKey, Created, Descriptor, Error, ErrorKind,
    Extensions, Image, Instance, InstanceQuery, Lane, Marketplace, MarketplaceApp, OperationLog,
    Page, Plan, Provider, RateBucket, Region, RemoteId, RemoteOperation, RemoteOperationId, Result,
    Retry, Since,
};
use tokio::sync::watch;

/// What becomes of a call.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Mood {
    Answers,
    Fails,
    Panics,
    ShowsNothing,
}

#[derive(Debug)]
pub(crate) struct Counting {
    inner: Arc<dyn Provider>,
    marketplace: bool,
    lane: Lane,
    calls: Arc<Mutex<Vec<Lane>>>,
    open: watch::Sender<bool>,
    mood: watch::Sender<Mood>,
}

impl Counting {
    pub(crate) fn new(inner: Arc<dyn Provider>) -> Self {
        Self {
            inner,
            marketplace: true,
            lane: Lane::People,
            calls: Arc::default(),
            open: watch::Sender::new(true),
            mood: watch::Sender::new(Mood::Answers),
        }
    }

    pub(crate) fn without_marketplace(inner: Arc<dyn Provider>) -> Self {
        Self {
            marketplace: false,
            ..Self::new(inner)
        }
    }

    pub(crate) fn calls(&self) -> usize {
        self.calls.lock().len()
    }

    /// Returns the lanes of the calls so far.
    pub(crate) fn lanes(&self) -> Vec<Lane> {
        self.calls.lock().clone()
    }

    pub(crate) fn set(&self, mood: Mood) {
        self.mood.send_replace(mood);
    }

    /// Holds the calls that come from now on.
    pub(crate) fn close(&self) {
        self.open.send_replace(false);
    }

    /// Lets the held calls go on.
    pub(crate) fn open(&self) {
        self.open.send_replace(true);
    }

    /// Waits until a call is held and everyone else who could run has run.
    pub(crate) async fn until_waiting(&self) {
        for _ in 0..5_000 {
            if self.open.receiver_count() > 0 {
                for _ in 0..10 {
                    tokio::task::yield_now().await;
                }
                return;
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        panic!("nobody asks");
    }

    /// Returns the provider to ask; `None` where nothing is to be shown.
    async fn count(&self) -> Result<Option<&dyn Provider>> {
        self.calls.lock().push(self.lane);
        if !*self.open.borrow() {
            self.open.subscribe().wait_for(|it| *it).await.unwrap();
        }
        let mood = *self.mood.borrow();
        match mood {
            Mood::Answers => Ok(Some(&*self.inner)),
            Mood::ShowsNothing => Ok(None),
            Mood::Fails => {
                let kind = self.descriptor().kind.clone();
                let message = "the vendor is busy";
                let then = Timestamp::UNIX_EPOCH + Duration::from_secs(3600);
                Err(
                    Error::new(kind, "list the plans", ErrorKind::Throttled, message)
                        .with_field("plan")
                        .with_retry(Retry::At(then))
                        .with_vendor(Some(429), Some("too_many".into()), Some("r-1".into()))
                        .with_attempts(3)
                        .with_source("slow down"),
                )
            }
            Mood::Panics => panic!("as told"),
        }
    }
}

#[async_trait]
impl Provider for Counting {
    fn descriptor(&self) -> &Descriptor {
        self.inner.descriptor()
    }

    async fn validate_credentials(&self) -> Result<Account> {
        self.inner.validate_credentials().await
    }

    fn check_create(&self, request: &CreateInstance) -> Result<()> {
        self.inner.check_create(request)
    }

    async fn create_instance(&self, request: &CreateInstance) -> Result<Created> {
        self.inner.create_instance(request).await
    }

    async fn find_created(&self, key: &CreateKey) -> Result<Vec<Instance>> {
        self.inner.find_created(key).await
    }

    async fn get_instance(&self, id: &RemoteId) -> Result<Instance> {
        self.inner.get_instance(id).await
    }

    async fn mark_instance(&self, id: &RemoteId, key: &CreateKey) -> Result<()> {
        self.inner.mark_instance(id, key).await
    }

    async fn unmark_instance(&self, id: &RemoteId, key: &CreateKey) -> Result<()> {
        self.inner.unmark_instance(id, key).await
    }

    async fn list_instances(&self, query: &InstanceQuery, at: At) -> Result<Page<Instance>> {
        self.inner.list_instances(query, at).await
    }

    fn check_action(&self, action: &Action) -> Result<()> {
        self.inner.check_action(action)
    }

    async fn perform_action(&self, id: &RemoteId, action: &Action) -> Result<RemoteOperation> {
        self.inner.perform_action(id, action).await
    }

    async fn get_operation(&self, id: &RemoteOperationId) -> Result<RemoteOperation> {
        self.inner.get_operation(id).await
    }

    async fn recent_operations(&self, id: &RemoteId, since: &Since) -> Result<OperationLog> {
        self.inner.recent_operations(id, since).await
    }

    async fn get_plans(&self) -> Result<Arc<[Plan]>> {
        match self.count().await? {
            Some(inner) => inner.get_plans().await,
            None => Ok(Arc::new([])),
        }
    }

    async fn get_images(&self) -> Result<Arc<[Image]>> {
        match self.count().await? {
            Some(inner) => inner.get_images().await,
            None => Ok(Arc::new([])),
        }
    }

    async fn get_regions(&self) -> Result<Arc<[Region]>> {
        match self.count().await? {
            Some(inner) => inner.get_regions().await,
            None => Ok(Arc::new([])),
        }
    }

    fn extensions(&self) -> Extensions<'_> {
        let mut extensions = self.inner.extensions();
        extensions.marketplace = self.marketplace.then_some(self);
        extensions
    }

    fn in_lane(&self, lane: Lane) -> Arc<dyn Provider> {
        Arc::new(Self {
            inner: self.inner.in_lane(lane),
            marketplace: self.marketplace,
            lane,
            calls: Arc::clone(&self.calls),
            open: self.open.clone(),
            mood: self.mood.clone(),
        })
    }

    fn budget(&self) -> Vec<RateBucket> {
        self.inner.budget()
    }

    fn native(&self) -> &(dyn Any + Send + Sync) {
        self.inner.native()
    }
}

#[async_trait]
impl Marketplace for Counting {
    async fn apps(&self) -> Result<Arc<[MarketplaceApp]>> {
        match self.count().await? {
            Some(inner) => inner.extensions().marketplace.unwrap().apps().await,
            None => Ok(Arc::new([])),
        }
    }
}
