//! What the vendors sell, through the cache.

use std::sync::Arc;

use roadstead_cache::Fetched;
use roadstead_core::{Image, MarketplaceApp, Plan, ProviderId, Region};
use roadstead_repository::Verification;
use tracing::instrument;

use crate::error::{Error, Result};
use crate::grant::{Grant, ReadInstances};
use crate::platform::Platform;
use crate::providers::usable;
use crate::registry::Account;

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
    pub fetched: Fetched<Arc<[T]>>,
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
        let fetched = self
            .watch_token(&account, account.catalogue.plans().await)
            .await?;
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
        let fetched = self
            .watch_token(&account, account.catalogue.images().await)
            .await?;
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
        let fetched = self
            .watch_token(&account, account.catalogue.regions().await)
            .await?;
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
        let fetched = self
            .watch_token(&account, account.catalogue.marketplace().await)
            .await?;
        Ok(Catalogue { account, fetched })
    }

    async fn source(&self, source: &CatalogueSource) -> Result<Account> {
        let account = match source.provider {
            Some(id) => self.registry.account(id).await?,
            None => self.account_of_kind(&source.kind).await?,
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
