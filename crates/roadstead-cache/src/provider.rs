//! `CachedProvider`: keeps the catalogue, passes the rest on.

use std::any::Any;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use roadstead_core::{
    Account, Action, At, Clock, CreateInstance, CreateKey, Created, Descriptor, Error, Extensions,
    Feature, Image, Instance, InstanceQuery, Lane, Marketplace, MarketplaceApp, Page, Plan,
    Provider, RateBucket, Region, RemoteId, RemoteOperation, RemoteOperationId, Result,
};

use crate::policy::{CachePolicy, CatalogueKind};
use crate::slot::{Fetched, Slot, Terms};

const LIST_APPS: &str = "list the marketplace apps";

/// A provider whose catalogue is kept in memory.
pub struct CachedProvider {
    inner: Arc<dyn Provider>,
    kept: Arc<Kept>,
}

/// What all lanes of an account share.
struct Kept {
    clock: Arc<dyn Clock>,
    policy: CachePolicy,
    plans: Slot<Arc<[Plan]>>,
    images: Slot<Arc<[Image]>>,
    regions: Slot<Arc<[Region]>>,
    apps: Slot<Arc<[MarketplaceApp]>>,
}

impl CachedProvider {
    /// Wraps a provider. Nothing is fetched before it is asked for; fetching needs a
    /// Tokio runtime.
    #[must_use]
    pub fn new(inner: Arc<dyn Provider>, clock: Arc<dyn Clock>, policy: CachePolicy) -> Arc<Self> {
        let kept = Arc::new(Kept {
            clock,
            policy,
            plans: Slot::empty(),
            images: Slot::empty(),
            regions: Slot::empty(),
            apps: Slot::empty(),
        });
        Arc::new(Self { inner, kept })
    }

    /// Returns the wrapped provider, for who must not be given an answer that is kept.
    #[must_use]
    pub fn uncached(&self) -> &Arc<dyn Provider> {
        &self.inner
    }

    /// Returns the plans and their age.
    ///
    /// # Errors
    ///
    /// As [`Provider::get_plans`] of the wrapped provider; all who waited for the same
    /// call get the same error. `Server` when the call broke off in this program.
    pub async fn plans(&self) -> Result<Fetched<Arc<[Plan]>>> {
        let terms = self.terms(CatalogueKind::Plans, "list the plans");
        let inner = Arc::clone(&self.inner);
        self.kept
            .plans
            .get(&terms, || async move { inner.get_plans().await })
            .await
    }

    /// Returns the images and their age.
    ///
    /// # Errors
    ///
    /// As [`Provider::get_images`] of the wrapped provider; see [`Self::plans`].
    pub async fn images(&self) -> Result<Fetched<Arc<[Image]>>> {
        let terms = self.terms(CatalogueKind::Images, "list the images");
        let inner = Arc::clone(&self.inner);
        self.kept
            .images
            .get(&terms, || async move { inner.get_images().await })
            .await
    }

    /// Returns the regions and their age.
    ///
    /// # Errors
    ///
    /// As [`Provider::get_regions`] of the wrapped provider; see [`Self::plans`].
    pub async fn regions(&self) -> Result<Fetched<Arc<[Region]>>> {
        let terms = self.terms(CatalogueKind::Regions, "list the regions");
        let inner = Arc::clone(&self.inner);
        self.kept
            .regions
            .get(&terms, || async move { inner.get_regions().await })
            .await
    }

    /// Returns the marketplace apps and their age.
    ///
    /// # Errors
    ///
    /// `Unsupported` where the wrapped provider has none; otherwise as
    /// [`Marketplace::apps`] of the wrapped provider; see [`Self::plans`].
    pub async fn marketplace(&self) -> Result<Fetched<Arc<[MarketplaceApp]>>> {
        let terms = self.terms(CatalogueKind::Marketplace, LIST_APPS);
        let inner = Arc::clone(&self.inner);
        let fetch = || async move {
            match inner.extensions().marketplace {
                Some(marketplace) => marketplace.apps().await,
                None => Err(no_marketplace(inner.descriptor())),
            }
        };
        self.kept.apps.get(&terms, fetch).await
    }

    /// Returns how long ago the vendor was asked for what is kept of a kind, fresh or
    /// not; `None` when nothing is kept.
    #[must_use]
    pub fn age(&self, kind: CatalogueKind) -> Option<Duration> {
        let clock = self.kept.clock.as_ref();
        match kind {
            CatalogueKind::Plans => self.kept.plans.age(clock),
            CatalogueKind::Images => self.kept.images.age(clock),
            CatalogueKind::Regions => self.kept.regions.age(clock),
            CatalogueKind::Marketplace => self.kept.apps.age(clock),
        }
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

    fn terms(&self, kind: CatalogueKind, operation: &'static str) -> Terms<'_> {
        Terms {
            clock: &self.kept.clock,
            fresh_for: self.kept.policy.fresh_for(kind),
            provider: &self.inner.descriptor().kind,
            operation,
        }
    }
}

fn no_marketplace(descriptor: &Descriptor) -> Error {
    let why = descriptor
        .refusal(Feature::Marketplace)
        .unwrap_or_else(|| format!("{} has no marketplace here", descriptor.name).into());
    Error::unsupported(descriptor.kind.clone(), LIST_APPS, why)
}

#[deny(clippy::missing_trait_methods)]
#[async_trait]
impl Provider for CachedProvider {
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

    async fn list_instances(&self, query: &InstanceQuery, at: At) -> Result<Page<Instance>> {
        self.inner.list_instances(query, at).await
    }

    async fn perform_action(&self, id: &RemoteId, action: &Action) -> Result<RemoteOperation> {
        self.inner.perform_action(id, action).await
    }

    async fn get_operation(&self, id: &RemoteOperationId) -> Result<RemoteOperation> {
        self.inner.get_operation(id).await
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
        let mut extensions = self.inner.extensions();
        if extensions.marketplace.is_some() {
            extensions.marketplace = Some(self);
        }
        extensions
    }

    fn in_lane(&self, lane: Lane) -> Arc<dyn Provider> {
        Arc::new(Self {
            inner: self.inner.in_lane(lane),
            kept: Arc::clone(&self.kept),
        })
    }

    fn budget(&self) -> Vec<RateBucket> {
        self.inner.budget()
    }

    fn native(&self) -> &(dyn Any + Send + Sync) {
        self.inner.native()
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
            .field("inner", &self.inner)
            .field("policy", &self.kept.policy)
            .finish_non_exhaustive()
    }
}
