//! What the vendors sell, through the cache.

mod keeper;

use std::sync::Arc;
use std::time::Duration;

use roadstead_cache::{CachedProvider, CatalogueKind, Fetched, Status};
use roadstead_core::{
    Choice, ChoiceList, ErrorKind, Feature, Image, MarketplaceApp, Plan, ProviderId, Region,
};
use roadstead_repository::Verification;
use tracing::instrument;

pub use self::keeper::Keeper;
use crate::error::{Error, Result};
use crate::grant::{Grant, ManageInstances, OperatorGrant, ReadInstances};
use crate::platform::Platform;
use crate::providers::usable;
use crate::registry::Account;

/// How long somebody waits for catalogues to be read anew.
const READ_ANEW: Duration = Duration::from_secs(10);

/// Whose catalogue is asked for.
#[derive(Clone, Debug)]
pub struct CatalogueSource {
    /// The vendor.
    pub kind: String,
    /// One of its accounts; else the first active one.
    pub provider: Option<ProviderId>,
}

/// A part of a catalogue, with the account it came through.
#[derive(Debug)]
pub struct Catalogue<T> {
    /// The account.
    pub account: Account,
    /// The part, with its age.
    pub fetched: Fetched<T>,
}

impl Platform {
    /// Returns a vendor's plans.
    ///
    /// # Errors
    ///
    /// [`Error::NoSuchProvider`], [`Error::ProviderInactive`], [`Error::ProviderRefused`];
    /// [`Error::Provider`] when the vendor fails and nothing is cached.
    #[instrument(level = "debug", skip_all, fields(provider.kind = source.kind))]
    pub async fn plans(
        &self,
        _grant: &Grant<ReadInstances>,
        source: &CatalogueSource,
    ) -> Result<Catalogue<Plan>> {
        let account = self.source(source).await?;
        let fetched = account.catalogue.plans().await?;
        Ok(Catalogue { account, fetched })
    }

    /// Returns a vendor's images.
    ///
    /// # Errors
    ///
    /// As [`Self::plans`].
    #[instrument(level = "debug", skip_all, fields(provider.kind = source.kind))]
    pub async fn images(
        &self,
        _grant: &Grant<ReadInstances>,
        source: &CatalogueSource,
    ) -> Result<Catalogue<Image>> {
        let account = self.source(source).await?;
        let fetched = account.catalogue.images().await?;
        Ok(Catalogue { account, fetched })
    }

    /// Returns a vendor's regions.
    ///
    /// # Errors
    ///
    /// As [`Self::plans`].
    #[instrument(level = "debug", skip_all, fields(provider.kind = source.kind))]
    pub async fn regions(
        &self,
        _grant: &Grant<ReadInstances>,
        source: &CatalogueSource,
    ) -> Result<Catalogue<Region>> {
        let account = self.source(source).await?;
        let fetched = account.catalogue.regions().await?;
        Ok(Catalogue { account, fetched })
    }

    /// Returns a vendor's ready-made applications.
    ///
    /// # Errors
    ///
    /// As [`Self::plans`]; `Unsupported` where the vendor has none.
    #[instrument(level = "debug", skip_all, fields(provider.kind = source.kind))]
    pub async fn marketplace(
        &self,
        _grant: &Grant<ReadInstances>,
        source: &CatalogueSource,
    ) -> Result<Catalogue<MarketplaceApp>> {
        let account = self.source(source).await?;
        let fetched = account.catalogue.marketplace().await?;
        Ok(Catalogue { account, fetched })
    }

    /// Returns the setup scripts that an account has made itself, or the one with this id, be it
    /// the account's, the vendor's or one that somebody has published. The vendor is asked each
    /// time.
    ///
    /// # Errors
    ///
    /// As [`Self::plans`]; `Unsupported` where the vendor has none; [`Error::Invalid`] on the
    /// field `id` for a script that the account does not see.
    #[instrument(level = "debug", skip_all, fields(provider.kind = source.kind))]
    pub async fn stack_scripts(
        &self,
        _grant: &Grant<ReadInstances>,
        source: &CatalogueSource,
        id: Option<&str>,
    ) -> Result<(ProviderId, Vec<MarketplaceApp>)> {
        let account = self.source(source).await?;
        let descriptor = account.provider.descriptor();
        let Some(scripts) = account.provider.extensions().stack_scripts else {
            let why = descriptor.refusal(Feature::StackScripts);
            return Err(roadstead_core::Error::unsupported(
                descriptor.kind.clone(),
                "list the setup scripts",
                why.unwrap_or_else(|| "this provider keeps no scripts".into()),
            )
            .into());
        };
        let found = match id {
            None => scripts.own().await.map(|it| it.to_vec()),
            Some(id) => match scripts.script(id).await {
                Err(error)
                    if error.kind == ErrorKind::NoSuchResource
                        || error.kind == ErrorKind::Invalid =>
                {
                    return Err(Error::invalid("id", "the account sees no such script"));
                }
                found => found.map(|it| vec![it]),
            },
        };
        let found = self.watch_token(&account, found).await?;
        Ok((account.record.id, found))
    }

    /// Returns what can be chosen at an account as the value of an option of a create. The vendor
    /// is asked each time.
    ///
    /// # Errors
    ///
    /// As [`Self::plans`]; `Unsupported` where the vendor has no such list.
    #[instrument(level = "debug", skip_all, fields(provider.kind = source.kind))]
    pub async fn choices(
        &self,
        _grant: &Grant<ManageInstances>,
        source: &CatalogueSource,
        of: ChoiceList,
    ) -> Result<Arc<[Choice]>> {
        let account = self.source(source).await?;
        let descriptor = account.provider.descriptor();
        let Some(choices) = account.provider.extensions().choices else {
            let why = descriptor.refusal(of.feature());
            return Err(roadstead_core::Error::unsupported(
                descriptor.kind.clone(),
                "list what can be chosen",
                why.unwrap_or_else(|| "this provider has nothing to choose from".into()),
            )
            .into());
        };
        self.watch_token(&account, choices.choices(of).await).await
    }

    async fn source(&self, source: &CatalogueSource) -> Result<Account> {
        let account = match source.provider {
            Some(id) => self.registry.seen(id).await?,
            None => match self.registry.seen_by_kind(&source.kind).await? {
                Some(account) => account,
                // Why there is none is asked of the database.
                None => self.account_of_kind(&source.kind).await?,
            },
        };
        if account.record.kind.as_str() != source.kind {
            return Err(Error::invalid(
                "provider_id",
                format!(
                    "this account is at `{}`, not `{}`",
                    account.record.kind, source.kind
                ),
            ));
        }
        usable(&account)?;
        Ok(account)
    }

    /// Returns what this process keeps of an account's catalogues, and how it came by it.
    ///
    /// # Errors
    ///
    /// [`Error::NoSuchProvider`].
    pub async fn kept_catalogues(
        &self,
        _grant: &OperatorGrant,
        id: ProviderId,
    ) -> Result<[(CatalogueKind, Status); 4]> {
        let account = self.registry.account(id).await?;
        Ok(CatalogueKind::ALL.map(|kind| (kind, account.catalogue.status(kind))))
    }

    /// Forgets the catalogues of an account, here at once and in every other process soon, so
    /// that the next request reads them anew.
    ///
    /// # Errors
    ///
    /// [`Error::NoSuchProvider`].
    pub async fn clear_cache(&self, grant: &OperatorGrant, id: ProviderId) -> Result<()> {
        let audit = grant.audit("provider.clear_cache", id.to_string());
        if let Some(done) = self.repository.find_answer(&audit).await? {
            return Ok(done);
        }
        self.repository.forget_catalogues(id, audit).await?;
        // Whoever takes the account at hand first after this forgets them.
        self.registry.account(id).await?;
        self.registry.changed();
        Ok(())
    }

    /// Reads the catalogues of an account anew, everywhere. The vendor is asked first: while it
    /// does not answer, nothing is forgotten. What takes longer than somebody waits for comes by
    /// itself.
    ///
    /// # Errors
    ///
    /// [`Error::NoSuchProvider`], [`Error::ProviderInactive`], [`Error::ProviderRefused`];
    /// [`Error::Provider`] when the vendor does not answer.
    #[instrument(skip_all, fields(provider.id = %id))]
    pub async fn refresh_catalogues(&self, grant: &OperatorGrant, id: ProviderId) -> Result<()> {
        let account = self.registry.account(id).await?;
        usable(&account)?;
        let regions = account.catalogue.uncached().get_regions().await;
        self.watch_token(&account, regions).await?;
        self.clear_cache(grant, id).await?;
        let catalogue = self.registry.account(id).await?.catalogue;
        let all = async {
            tokio::join!(
                catalogue.plans(),
                catalogue.images(),
                catalogue.regions(),
                catalogue.marketplace(),
            )
        };
        // How a call fails is in its status.
        drop(tokio::time::timeout(READ_ANEW, all).await);
        Ok(())
    }

    /// Freezes the account when the vendor has just refused its token.
    pub(crate) async fn watch_token<T>(
        &self,
        account: &Account,
        answer: roadstead_core::Result<T>,
    ) -> Result<T> {
        if let Err(error) = &answer
            && error.kind == roadstead_core::ErrorKind::BadToken
            && !matches!(account.record.verification, Verification::Refused { .. })
        {
            self.freeze(account, &error.message).await;
        }
        Ok(answer?)
    }
}

/// Casts doubt on the catalogues that a vendor contradicts by refusing to create a server.
pub(crate) fn doubt(catalogue: &CachedProvider, refusal: &roadstead_core::Error) {
    use CatalogueKind::{Images, Marketplace, Plans, Regions};
    let contradicted: &[CatalogueKind] = match (refusal.kind, refusal.field.as_deref()) {
        (ErrorKind::NoCapacity, _)
        | (ErrorKind::Invalid | ErrorKind::NoSuchResource, Some("region")) => &[Plans, Regions],
        (ErrorKind::Invalid | ErrorKind::NoSuchResource, Some("plan")) => &[Plans],
        (ErrorKind::Invalid | ErrorKind::NoSuchResource, Some("image")) => &[Images, Marketplace],
        (ErrorKind::NoSuchResource, None) => &[Plans, Images, Regions],
        _ => &[],
    };
    for kind in contradicted {
        catalogue.doubt(*kind);
    }
}
