//! `CachedProvider`: keeps the catalogue, passes the rest on.

use std::any::Any;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use roadstead_core::{
    Account, Action, At, Clock, CreateInstance, CreateKey, Created, Descriptor, Error, Extensions,
    Feature, Image, Instance, InstanceQuery, Lane, Marketplace, MarketplaceApp, OperationLog, Page,
    Plan, Provider, RateBucket, Region, RemoteId, RemoteOperation, RemoteOperationId, Result,
    Since,
};

use crate::place::{Fetched, Status};
use crate::policy::{CachePolicy, CatalogueKind};
use crate::slot::{Slot, Source};
use crate::watch::{Nobody, Watch};

/// A provider whose catalogue is kept in memory.
pub struct CachedProvider {
    source: Source,
    kept: Arc<Kept>,
}

/// What is kept, shared by all lanes of an account.
struct Kept {
    plans: Slot<Plan>,
    images: Slot<Image>,
    regions: Slot<Region>,
    apps: Slot<MarketplaceApp>,
}

impl CachedProvider {
    /// Wraps a provider. Nothing is fetched before it is asked for; fetching needs a
    /// Tokio runtime.
    #[must_use]
    pub fn new(inner: Arc<dyn Provider>, clock: Arc<dyn Clock>, policy: CachePolicy) -> Arc<Self> {
        Self::watched(inner, clock, policy, Arc::new(Nobody))
    }

    /// Returns the wrapped provider, for who must not be given an answer that is kept.
    #[must_use]
    pub fn uncached(&self) -> &Arc<dyn Provider> {
        &self.source.inner
    }

    /// Wraps a provider; `watch` is told what becomes of each call for a catalogue.
    #[must_use]
    pub fn watched(
        inner: Arc<dyn Provider>,
        clock: Arc<dyn Clock>,
        policy: CachePolicy,
        watch: Arc<dyn Watch>,
    ) -> Arc<Self> {
        let source = Source {
            clock,
            policy,
            background: inner.in_lane(Lane::Background),
            inner,
            watch,
        };
        let kept = Kept {
            plans: Slot::empty(CatalogueKind::Plans, |by| {
                Box::pin(async move { by.get_plans().await })
            }),
            images: Slot::empty(CatalogueKind::Images, |by| {
                Box::pin(async move { by.get_images().await })
            }),
            regions: Slot::empty(CatalogueKind::Regions, |by| {
                Box::pin(async move { by.get_regions().await })
            }),
            apps: Slot::empty(CatalogueKind::Marketplace, |by| {
                Box::pin(async move { fetch_apps(&*by).await })
            }),
        };
        Arc::new(Self {
            source,
            kept: Arc::new(kept),
        })
    }

    /// Returns the plans and their age: at once where any are kept, however old within
    /// [`CachePolicy::keep`]; else when the vendor has answered.
    ///
    /// # Errors
    ///
    /// As [`Provider::get_plans`] of the wrapped provider, where nothing is kept; all who
    /// waited for the same call get the same error. `Server` when the call broke off in
    /// this program.
    pub async fn plans(&self) -> Result<Fetched<Plan>> {
        self.kept.plans.get(&self.source).await
    }

    /// Returns the images and their age; see [`Self::plans`].
    ///
    /// # Errors
    ///
    /// As [`Provider::get_images`] of the wrapped provider; see [`Self::plans`].
    pub async fn images(&self) -> Result<Fetched<Image>> {
        self.kept.images.get(&self.source).await
    }

    /// Returns the regions and their age; see [`Self::plans`].
    ///
    /// # Errors
    ///
    /// As [`Provider::get_regions`] of the wrapped provider; see [`Self::plans`].
    pub async fn regions(&self) -> Result<Fetched<Region>> {
        self.kept.regions.get(&self.source).await
    }

    /// Returns the marketplace apps and their age; see [`Self::plans`].
    ///
    /// # Errors
    ///
    /// `Unsupported` where the wrapped provider has none; otherwise as
    /// [`Marketplace::apps`] of the wrapped provider; see [`Self::plans`].
    pub async fn marketplace(&self) -> Result<Fetched<MarketplaceApp>> {
        self.kept.apps.get(&self.source).await
    }

    /// Returns how long ago the vendor was asked for what is kept of a kind, fresh or
    /// not; `None` when nothing is kept.
    #[must_use]
    pub fn age(&self, kind: CatalogueKind) -> Option<Duration> {
        self.status(kind).age
    }

    /// Returns what there is to know of what is kept of a kind: its age, how the last call
    /// failed, and what has happened so far.
    #[must_use]
    pub fn status(&self, kind: CatalogueKind) -> Status {
        let source = &self.source;
        match kind {
            CatalogueKind::Plans => self.kept.plans.status(source),
            CatalogueKind::Images => self.kept.images.status(source),
            CatalogueKind::Regions => self.kept.regions.status(source),
            CatalogueKind::Marketplace => self.kept.apps.status(source),
        }
    }

    /// Wants every kind that the vendor has to be there before anybody asks. Nothing is
    /// sent; [`Self::tend`] does that, until it has succeeded once.
    pub fn want(&self) {
        self.kept.plans.want();
        self.kept.images.want();
        self.kept.regions.want();
        if self.source.inner.extensions().marketplace.is_some() {
            self.kept.apps.want();
        }
    }

    /// Returns whether [`Self::tend`] would ask the vendor now.
    #[must_use]
    pub fn wants_tending(&self) -> bool {
        let source = &self.source;
        self.kept.plans.wants_tending(source)
            || self.kept.images.wants_tending(source)
            || self.kept.regions.wants_tending(source)
            || self.kept.apps.wants_tending(source)
    }

    /// Renews, one kind after another, what has been used since it was last renewed and is
    /// nearly over or doubted, and fetches what is wanted; forgets what is too old to be
    /// shown. It ends at the first failure, so that whoever calls it can look first whether
    /// the account may still be used; a vendor that fails is left alone for the pauses of
    /// the [`CachePolicy`].
    pub async fn tend(&self) {
        let (source, kept) = (&self.source, &self.kept);
        let all = async {
            kept.plans.tend(source).await?;
            kept.images.tend(source).await?;
            kept.regions.tend(source).await?;
            kept.apps.tend(source).await
        };
        // How a call failed is in its status, and was told to the watch.
        drop(all.await);
    }

    /// Casts doubt on what is kept of a kind, because the vendor has contradicted it. It is
    /// served as stale from now on, and the next who asks has it renewed in the background.
    /// What is younger than [`CachePolicy::trust`] is not doubted.
    pub fn doubt(&self, kind: CatalogueKind) {
        let source = &self.source;
        match kind {
            CatalogueKind::Plans => self.kept.plans.doubt(source),
            CatalogueKind::Images => self.kept.images.doubt(source),
            CatalogueKind::Regions => self.kept.regions.doubt(source),
            CatalogueKind::Marketplace => self.kept.apps.doubt(source),
        }
    }

    /// Counts on from what the one before it has counted, so that [`Status::counts`] of an
    /// account never run backwards.
    pub fn count_on_from(&self, before: &Self) {
        let (now, before) = (&self.kept, &before.kept);
        now.plans.count_on_from(&before.plans);
        now.images.count_on_from(&before.images);
        now.regions.count_on_from(&before.regions);
        now.apps.count_on_from(&before.apps);
    }

    /// Forgets what is kept of a kind. A call under way answers those who wait for it;
    /// what it brings is not kept, and the next caller asks anew.
    pub fn clear(&self, kind: CatalogueKind) {
        match kind {
            CatalogueKind::Plans => self.kept.plans.clear(),
            CatalogueKind::Images => self.kept.images.clear(),
            CatalogueKind::Regions => self.kept.regions.clear(),
            CatalogueKind::Marketplace => self.kept.apps.clear(),
        }
    }

    /// Forgets all that is kept; see [`Self::clear`].
    pub fn clear_all(&self) {
        for kind in CatalogueKind::ALL {
            self.clear(kind);
        }
    }
}

async fn fetch_apps(provider: &dyn Provider) -> Result<Arc<[MarketplaceApp]>> {
    match provider.extensions().marketplace {
        Some(marketplace) => marketplace.apps().await,
        None => Err(no_marketplace(provider.descriptor())),
    }
}

fn no_marketplace(descriptor: &Descriptor) -> Error {
    let why = descriptor
        .refusal(Feature::Marketplace)
        .unwrap_or_else(|| format!("{} has no marketplace here", descriptor.name).into());
    let operation = CatalogueKind::Marketplace.operation();
    Error::unsupported(descriptor.kind.clone(), operation, why)
}

#[deny(clippy::missing_trait_methods)]
#[async_trait]
impl Provider for CachedProvider {
    fn descriptor(&self) -> &Descriptor {
        self.source.inner.descriptor()
    }

    async fn validate_credentials(&self) -> Result<Account> {
        self.source.inner.validate_credentials().await
    }

    fn check_create(&self, request: &CreateInstance) -> Result<()> {
        self.source.inner.check_create(request)
    }

    async fn create_instance(&self, request: &CreateInstance) -> Result<Created> {
        self.source.inner.create_instance(request).await
    }

    async fn find_created(&self, key: &CreateKey) -> Result<Vec<Instance>> {
        self.source.inner.find_created(key).await
    }

    async fn get_instance(&self, id: &RemoteId) -> Result<Instance> {
        self.source.inner.get_instance(id).await
    }

    async fn mark_instance(&self, id: &RemoteId, key: &CreateKey) -> Result<()> {
        self.source.inner.mark_instance(id, key).await
    }

    async fn unmark_instance(&self, id: &RemoteId, key: &CreateKey) -> Result<()> {
        self.source.inner.unmark_instance(id, key).await
    }

    async fn list_instances(&self, query: &InstanceQuery, at: At) -> Result<Page<Instance>> {
        self.source.inner.list_instances(query, at).await
    }

    fn check_action(&self, action: &Action) -> Result<()> {
        self.source.inner.check_action(action)
    }

    async fn perform_action(&self, id: &RemoteId, action: &Action) -> Result<RemoteOperation> {
        self.source.inner.perform_action(id, action).await
    }

    async fn get_operation(&self, id: &RemoteOperationId) -> Result<RemoteOperation> {
        self.source.inner.get_operation(id).await
    }

    async fn recent_operations(&self, id: &RemoteId, since: &Since) -> Result<OperationLog> {
        self.source.inner.recent_operations(id, since).await
    }

    async fn get_plans(&self) -> Result<Arc<[Plan]>> {
        Ok(self.plans().await?.value)
    }

    async fn get_images(&self) -> Result<Arc<[Image]>> {
        Ok(self.images().await?.value)
    }

    async fn get_regions(&self) -> Result<Arc<[Region]>> {
        Ok(self.regions().await?.value)
    }

    fn extensions(&self) -> Extensions<'_> {
        let mut extensions = self.source.inner.extensions();
        if extensions.marketplace.is_some() {
            extensions.marketplace = Some(self);
        }
        extensions
    }

    fn in_lane(&self, lane: Lane) -> Arc<dyn Provider> {
        Arc::new(Self {
            source: Source {
                inner: self.source.inner.in_lane(lane),
                ..self.source.clone()
            },
            kept: Arc::clone(&self.kept),
        })
    }

    fn budget(&self) -> Vec<RateBucket> {
        self.source.inner.budget()
    }

    fn native(&self) -> &(dyn Any + Send + Sync) {
        self.source.inner.native()
    }
}

#[deny(clippy::missing_trait_methods)]
#[async_trait]
impl Marketplace for CachedProvider {
    async fn apps(&self) -> Result<Arc<[MarketplaceApp]>> {
        Ok(self.marketplace().await?.value)
    }
}

impl fmt::Debug for CachedProvider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CachedProvider")
            .field("inner", &self.source.inner)
            .field("policy", &self.source.policy)
            .finish_non_exhaustive()
    }
}
