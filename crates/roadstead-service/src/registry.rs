//! Vendor accounts as running providers.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;
use parking_lot::RwLock;
use roadstead_cache::{CachePolicy, CachedProvider};
use roadstead_core::{Clock, Descriptor, Provider, ProviderId, ProviderKind, Secret, Support};
use roadstead_repository::{self as repository, Repository};

use crate::error::{Error, Result};
use crate::observed::ObservedProvider;

type Build = dyn Fn(Secret<String>, &serde_json::Value) -> roadstead_core::Result<Arc<dyn Provider>>
    + Send
    + Sync;

/// Makes providers of one vendor. The wiring of the binary names the vendors; nothing here does.
pub struct Factory {
    descriptor: Descriptor,
    build: Box<Build>,
}

impl Factory {
    /// Takes the vendor's descriptor and how to make a provider from a token and the
    /// account's configuration.
    pub fn new(
        descriptor: Descriptor,
        build: impl Fn(Secret<String>, &serde_json::Value) -> roadstead_core::Result<Arc<dyn Provider>>
        + Send
        + Sync
        + 'static,
    ) -> Self {
        Self {
            descriptor,
            build: Box::new(build),
        }
    }

    /// Takes the descriptor of a vendor that cannot be had yet, so that it is named with the reason.
    #[must_use]
    pub fn unavailable(descriptor: Descriptor) -> Self {
        let kind = descriptor.kind.clone();
        Self::new(descriptor, move |_, _| {
            let why = "this provider is not available yet";
            Err(roadstead_core::Error::unsupported(
                kind.clone(),
                "use the account",
                why,
            ))
        })
    }
}

impl fmt::Debug for Factory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Factory")
            .field("kind", &self.descriptor.kind)
            .finish_non_exhaustive()
    }
}

/// A vendor account at hand.
#[derive(Clone, Debug)]
pub struct Account {
    /// What is on record about it.
    pub record: repository::Provider,
    /// Its provider, catalogues cached.
    pub provider: Arc<dyn Provider>,
    /// The same, for the catalogues and their ages.
    pub catalogue: Arc<CachedProvider>,
}

struct Made {
    as_of: Timestamp,
    catalogue: Arc<CachedProvider>,
}

/// The providers of all registered vendor accounts.
pub struct Registry {
    repository: Repository,
    factories: BTreeMap<ProviderKind, Factory>,
    clock: Arc<dyn Clock>,
    made: RwLock<HashMap<ProviderId, Made>>,
}

impl fmt::Debug for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registry")
            .field("factories", &self.factories)
            .finish_non_exhaustive()
    }
}

impl Registry {
    pub(crate) fn new(
        repository: Repository,
        factories: Vec<Factory>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let factories = factories
            .into_iter()
            .map(|it| (it.descriptor.kind.clone(), it))
            .collect();
        Self {
            repository,
            factories,
            clock,
            made: RwLock::default(),
        }
    }

    /// Returns the descriptors of all vendors that this program knows, available or not.
    pub fn descriptors(&self) -> impl Iterator<Item = &Descriptor> {
        self.factories.values().map(|it| &it.descriptor)
    }

    /// Returns the descriptor of a vendor under which accounts can be registered.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] on field `type` for a vendor that is unknown or not available yet.
    pub fn descriptor(&self, kind: &str) -> Result<&Descriptor> {
        let known = || {
            let usable = self
                .factories
                .values()
                .filter(|it| it.descriptor.available == Support::Yes);
            usable
                .map(|it| format!("`{}`", it.descriptor.kind))
                .collect::<Vec<_>>()
                .join(", ")
        };
        let factory = self
            .factories
            .get(&ProviderKind::from(kind))
            .ok_or_else(|| {
                Error::invalid(
                    "type",
                    format!("`{kind}` is no provider type; use one of {}", known()),
                )
            })?;
        match &factory.descriptor.available {
            Support::Yes => Ok(&factory.descriptor),
            Support::No { why } => Err(Error::invalid(
                "type",
                format!("`{kind}` is not available yet: {why}"),
            )),
        }
    }

    /// Makes a provider that is not registered, to try a token.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] as [`Self::descriptor`]; [`Error::Provider`] for a token that
    /// cannot be one.
    pub fn candidate(
        &self,
        kind: &str,
        token: Secret<String>,
        configuration: &serde_json::Value,
    ) -> Result<Arc<dyn Provider>> {
        self.descriptor(kind)?;
        let factory = self
            .factories
            .get(&ProviderKind::from(kind))
            .ok_or(Error::NoSuchProvider)?;
        let provider = (factory.build)(token, configuration)?;
        Ok(ObservedProvider::new(provider, None))
    }

    /// Returns an account at hand, active or not.
    ///
    /// # Errors
    ///
    /// [`Error::NoSuchProvider`] when there is none; [`Error::Provider`] with `NoToken`
    /// when its token is gone; [`Error::Unavailable`] when the database is away.
    pub async fn account(&self, id: ProviderId) -> Result<Account> {
        let record = self
            .repository
            .find_provider(id)
            .await?
            .ok_or(Error::NoSuchProvider)?;
        self.at_hand(record).await
    }

    /// Returns the first active account of a vendor, in the operator's order.
    ///
    /// # Errors
    ///
    /// As [`Self::account`].
    pub async fn account_by_kind(&self, kind: &str) -> Result<Account> {
        let record = self
            .active()
            .await?
            .into_iter()
            .find(|it| it.kind.as_str() == kind)
            .ok_or(Error::NoSuchProvider)?;
        self.at_hand(record).await
    }

    /// Returns the active accounts in the operator's order.
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`] when the database is away.
    pub async fn active(&self) -> Result<Vec<repository::Provider>> {
        let mut records = self.repository.list_providers().await?;
        records.retain(|it| it.active);
        Ok(records)
    }

    /// Returns the accounts that this process has used and that are still on record, and forgets
    /// the others.
    pub(crate) async fn in_use(&self) -> Vec<(ProviderId, Arc<CachedProvider>)> {
        // Before the books are read: what is on record by then is not forgotten by mistake.
        let mut used: Vec<_> = {
            let made = self.made.read();
            let used = made.iter().map(|(id, it)| (*id, Arc::clone(&it.catalogue)));
            used.collect()
        };
        if let Ok(records) = self.repository.list_providers().await {
            let is_on_record = |id: &ProviderId| records.iter().any(|it| it.id == *id);
            let mut made = self.made.write();
            for (id, _) in used.extract_if(.., |(id, _)| !is_on_record(id)) {
                made.remove(&id);
            }
        }
        used
    }

    async fn at_hand(&self, record: repository::Provider) -> Result<Account> {
        let known = {
            let made = self.made.read();
            made.get(&record.id)
                .filter(|it| it.as_of == record.updated_at)
                .map(|it| Arc::clone(&it.catalogue))
        };
        let catalogue = match known {
            Some(catalogue) => catalogue,
            None => self.make(&record).await?,
        };
        Ok(Account {
            record,
            provider: Arc::<CachedProvider>::clone(&catalogue),
            catalogue,
        })
    }

    async fn make(&self, record: &repository::Provider) -> Result<Arc<CachedProvider>> {
        let factory = self
            .factories
            .get(&record.kind)
            .ok_or(Error::NoSuchProvider)?;
        let token = self
            .repository
            .provider_token(record.id)
            .await?
            .ok_or_else(|| {
                roadstead_core::Error::new(
                    record.kind.clone(),
                    "use the account",
                    roadstead_core::ErrorKind::NoToken,
                    "it has no token; an operator must set one",
                )
            })?;
        let provider = (factory.build)(token, &record.configuration)?;
        let observed = ObservedProvider::new(provider, Some(record.id));
        let fresh = CachedProvider::new(observed, Arc::clone(&self.clock), CachePolicy::default());
        let mut made = self.made.write();
        // Another request may have made it meanwhile; all must share one cache.
        if let Some(there) = made.get(&record.id)
            && there.as_of == record.updated_at
        {
            return Ok(Arc::clone(&there.catalogue));
        }
        let entry = Made {
            as_of: record.updated_at,
            catalogue: Arc::clone(&fresh),
        };
        made.insert(record.id, entry);
        Ok(fresh)
    }
}
