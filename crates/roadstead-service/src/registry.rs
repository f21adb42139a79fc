//! Vendor accounts as running providers.

mod books;
mod guard;

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};
use parking_lot::RwLock;
use roadstead_cache::{CachePolicy, CachedProvider};
use roadstead_core::{Clock, Descriptor, Provider, ProviderId, ProviderKind, Secret, Support};
use roadstead_repository::{self as repository, Repository, Verification};
use tracing::warn;

use self::books::Books;
use self::guard::Guard;
use crate::error::{Error, Result};
use crate::health::{CircuitPolicy, Health};
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
    pub record: Arc<repository::Provider>,
    /// Its provider, catalogues cached.
    pub provider: Arc<dyn Provider>,
    /// How it has been doing.
    pub health: Arc<Health>,
    /// The same, for the catalogues and their ages.
    pub catalogue: Arc<CachedProvider>,
}

/// A provider that was made from an account, with its caches.
struct Made {
    record: Arc<repository::Provider>,
    /// Tells whether the token is still the same, without keeping it once more.
    token: Box<[u8]>,
    catalogue: Arc<CachedProvider>,
    health: Arc<Health>,
    guard: Arc<Guard>,
}

/// The providers of all registered vendor accounts.
pub struct Registry {
    books: Arc<Books>,
    factories: BTreeMap<ProviderKind, Factory>,
    policy: CachePolicy,
    circuit: CircuitPolicy,
    made: RwLock<HashMap<ProviderId, Made>>,
    /// Held while a provider is made: all must share one cache.
    making: tokio::sync::Mutex<()>,
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
        circuit: CircuitPolicy,
    ) -> Self {
        let factories = factories
            .into_iter()
            .map(|it| (it.descriptor.kind.clone(), it))
            .collect();
        Self {
            books: Arc::new(Books::new(repository, clock)),
            factories,
            policy: CachePolicy::default(),
            circuit,
            made: RwLock::default(),
            making: tokio::sync::Mutex::default(),
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

    /// Returns an account at hand, active or not, as it is on record now.
    ///
    /// # Errors
    ///
    /// [`Error::NoSuchProvider`] when there is none; [`Error::Provider`] with `NoToken`
    /// when its token is gone; [`Error::Unavailable`] when the database is away.
    pub async fn account(&self, id: ProviderId) -> Result<Account> {
        let record = self.books.repository.find_provider(id).await?;
        match record {
            Some(record) => self.at_hand(Arc::new(record)).await,
            None => {
                self.drop_made(id);
                Err(Error::NoSuchProvider)
            }
        }
    }

    /// Returns the first active account of a vendor, in the operator's order, as it is on record
    /// now.
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
        self.at_hand(Arc::new(record)).await
    }

    /// Returns an account as it was on record a second ago at most: for those who only look,
    /// and many times a second. One that was not there then is looked up.
    ///
    /// # Errors
    ///
    /// As [`Self::account`].
    pub(crate) async fn seen(&self, id: ProviderId) -> Result<Account> {
        let seen = self.look().await?.find(id).map(Arc::clone);
        match seen {
            Some(record) => self.at_hand(record).await,
            None => self.account(id).await,
        }
    }

    /// Returns the first active account of a vendor as it was on record a second ago at most.
    ///
    /// # Errors
    ///
    /// As [`Self::account`], but for [`Error::NoSuchProvider`].
    pub(crate) async fn seen_by_kind(&self, kind: &str) -> Result<Option<Account>> {
        let look = self.look().await?;
        let mut accounts = look.accounts().iter();
        match accounts.find(|it| it.active && it.kind.as_str() == kind) {
            Some(record) => Ok(Some(self.at_hand(Arc::clone(record)).await?)),
            None => Ok(None),
        }
    }

    /// Returns the accounts whose catalogues may be renewed without anybody asking: those that
    /// are active and not frozen.
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`] when the database is away.
    pub(crate) async fn renewable(&self) -> Result<Vec<Arc<repository::Provider>>> {
        let look = self.look().await?;
        let renewable = |it: &&Arc<repository::Provider>| {
            let frozen = matches!(it.verification, Verification::Refused { .. });
            it.active && !frozen && self.factories.contains_key(&it.kind)
        };
        Ok(look
            .accounts()
            .iter()
            .filter(renewable)
            .map(Arc::clone)
            .collect())
    }

    async fn look(&self) -> Result<Arc<books::Look>> {
        let (look, anew) = self.books.look().await?;
        if anew {
            // What another process has deleted keeps no token in memory here.
            let mut made = self.made.write();
            made.retain(|id, _| look.find(*id).is_some());
        }
        Ok(look)
    }

    /// Returns the active accounts in the operator's order, as they are on record now.
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`] when the database is away.
    pub async fn active(&self) -> Result<Vec<repository::Provider>> {
        let mut records = self.books.repository.list_providers().await?;
        records.retain(|it| it.active);
        Ok(records)
    }

    /// Returns the accounts whose providers, and so whose tokens, this process has in memory.
    #[must_use]
    pub fn in_memory(&self) -> Vec<ProviderId> {
        self.made.read().keys().copied().collect()
    }

    /// Returns the accounts that this process has used and that are still on record.
    pub(crate) async fn in_use(&self) -> Vec<Account> {
        // A look forgets the others. With the database away they are still in use.
        if let Err(error) = self.look().await {
            warn!(error = %error, "could not read the provider accounts");
        }
        let made = self.made.read();
        let accounts = made.values();
        accounts
            .map(|it| it.account(Arc::clone(&it.record)))
            .collect()
    }

    /// Has the accounts read anew: this process has changed one.
    pub(crate) fn changed(&self) {
        self.books.changed();
    }

    /// Waits until an account is changed by this process.
    pub(crate) async fn until_changed(&self) {
        self.books.until_changed().await;
    }

    /// Forgets the provider of an account that is gone, and its token with it.
    pub(crate) fn drop_made(&self, id: ProviderId) {
        self.made.write().remove(&id);
    }

    /// Notes that the vendor refuses an account's token, for the operator to see. Nothing is
    /// sent with it until it changes.
    pub(crate) async fn freeze(&self, account: &repository::Provider, reason: &str) {
        self.books.freeze(account, reason).await;
    }

    /// Takes the provider of an account at hand.
    pub(crate) async fn at_hand(&self, record: Arc<repository::Provider>) -> Result<Account> {
        if let Some(account) = self.made_from(&record) {
            return Ok(account);
        }
        let _turn = self.making.lock().await;
        // Somebody else may have made it meanwhile.
        if let Some(account) = self.made_from(&record) {
            return Ok(account);
        }
        // Read once more: who asks may have seen the account as it was before, and nothing
        // older may take the place of what was made from it since.
        let asked = record;
        let record = self.books.repository.find_provider(asked.id).await?;
        let Some(record) = record.map(Arc::new) else {
            self.drop_made(asked.id);
            self.books.changed();
            return Err(Error::NoSuchProvider);
        };
        if !is_same(&record, &asked) {
            self.books.changed();
            if let Some(account) = self.made_from(&record) {
                return Ok(account);
            }
        }
        self.make(record).await
    }

    fn made_from(&self, record: &Arc<repository::Provider>) -> Option<Account> {
        let made = self.made.read();
        let made = made.get(&record.id)?;
        is_same(&made.record, record).then(|| made.account(Arc::clone(record)))
    }

    async fn make(&self, record: Arc<repository::Provider>) -> Result<Account> {
        let factory = self
            .factories
            .get(&record.kind)
            .ok_or(Error::NoSuchProvider)?;
        let token = self.books.repository.provider_token(record.id).await?;
        let token = token.ok_or_else(|| {
            roadstead_core::Error::new(
                record.kind.clone(),
                "use the account",
                roadstead_core::ErrorKind::NoToken,
                "it has no token; an operator must set one",
            )
        })?;
        let digest = digest(&SHA256, token.expose().as_bytes());
        if let Some(account) = self.kept_by(&record, digest.as_ref()) {
            return Ok(account);
        }
        let provider = (factory.build)(token, &record.configuration)?;
        // A new token may be the cure, so that nothing of before stands in its way.
        let name = record.id.to_string();
        let clock = Arc::clone(&self.books.clock);
        let health = Arc::new(Health::new(clock, self.circuit, name));
        let observed = ObservedProvider::guarded(provider, record.id, Arc::clone(&health));
        let guard = Arc::new(Guard::new(Arc::clone(&self.books), Arc::clone(&record)));
        let watch = Arc::<Guard>::clone(&guard);
        let clock = Arc::clone(&self.books.clock);
        let catalogue = CachedProvider::watched(observed, clock, self.policy, watch);
        catalogue.want();
        let made = Made {
            record: Arc::clone(&record),
            token: digest.as_ref().into(),
            catalogue: Arc::clone(&catalogue),
            health,
            guard,
        };
        let account = made.account(Arc::clone(&record));
        if let Some(before) = self.made.write().insert(record.id, made) {
            catalogue.count_on_from(&before.catalogue);
        }
        Ok(account)
    }

    /// Returns the provider of an account as it was, where the change does not concern it: a
    /// name, or what the vendor said to the token. It keeps its catalogues, and its view of
    /// what the vendor lets it do.
    fn kept_by(&self, record: &Arc<repository::Provider>, token: &[u8]) -> Option<Account> {
        let mut made = self.made.write();
        let made = made.get_mut(&record.id)?;
        if *made.token != *token || made.record.configuration != record.configuration {
            return None;
        }
        let forgotten = made.record.catalogue_epoch != record.catalogue_epoch;
        if forgotten || !record.active {
            made.catalogue.clear_all();
        }
        if record.active {
            made.catalogue.want();
        }
        made.record = Arc::clone(record);
        made.guard.is_now(Arc::clone(record));
        Some(made.account(Arc::clone(record)))
    }
}

impl Made {
    fn account(&self, record: Arc<repository::Provider>) -> Account {
        Account {
            record,
            provider: Arc::<CachedProvider>::clone(&self.catalogue),
            health: Arc::clone(&self.health),
            catalogue: Arc::clone(&self.catalogue),
        }
    }
}

/// Returns whether nothing has changed that a provider is made from, or kept for.
fn is_same(one: &repository::Provider, other: &repository::Provider) -> bool {
    one.updated_at == other.updated_at && one.catalogue_epoch == other.catalogue_epoch
}
