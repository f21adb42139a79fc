//! Vendor accounts: what the operator registers, and what members see of them.

use std::sync::Arc;
use std::time::Duration;

use roadstead_cache::CatalogueKind;
use roadstead_core::{Descriptor, ErrorKind, ProviderId, RateBucket, Secret};
use roadstead_repository::{
    self as repository, AuditEntry, NewProvider, ProviderPatch, Verification,
};
use tracing::instrument;

use crate::error::{Error, FieldError, Result};
use crate::grant::{Grant, OperatorGrant, ReadInstances};
use crate::health::{CircuitState, CircuitStatus, LastCall};
use crate::platform::Platform;
use crate::registry::Account;

/// What is tried with a token before it is used.
const USE: &str = "use the token";

/// Why an account is frozen whose token opens another one.
pub(crate) const FOREIGN: &str = "its token belongs to another account at the provider";

/// How long the vendor may take to say whose token this is.
const PATIENCE: Duration = Duration::from_secs(10);

/// A vendor account to be registered.
#[derive(Debug)]
pub struct RegisterProvider {
    /// The operator's name for it.
    pub name: String,
    /// The vendor.
    pub kind: String,
    /// The vendor's token, or its credentials as JSON text.
    pub token: Secret<String>,
    /// Settings that are no secret.
    pub configuration: serde_json::Value,
}

/// A change to a vendor account; `None` leaves a part as it is.
#[derive(Debug, Default)]
pub struct ProviderChange {
    /// The operator's name for it.
    pub name: Option<String>,
    /// Whether servers may be created there.
    pub active: Option<bool>,
    /// A new token.
    pub token: Option<Secret<String>>,
    /// Settings that are no secret.
    pub configuration: Option<serde_json::Value>,
}

/// A vendor account with what its vendor can do.
#[derive(Debug)]
pub struct Registered {
    /// What is on record.
    pub record: repository::Provider,
    /// What the vendor can do.
    pub descriptor: Descriptor,
}

/// An account that is open to an organization, and how it has been doing.
#[derive(Debug)]
pub struct OpenAccount {
    /// The account, with what its vendor can do.
    pub account: Registered,
    /// How it has been doing.
    pub health: AccountHealth,
}

/// How an account has been doing, as this process has seen it.
#[derive(Clone, Debug, Default)]
pub struct AccountHealth {
    /// Whether nothing is sent with its token.
    pub frozen: bool,
    /// Whether calls are sent, by class.
    pub circuits: Vec<CircuitStatus>,
    /// The last call that the vendor answered, or should have.
    pub last_call: Option<LastCall>,
    /// How old what is kept of each catalogue is.
    pub catalogues: Vec<(CatalogueKind, Option<Duration>)>,
}

impl AccountHealth {
    fn of(account: &Account) -> Self {
        let verification = &account.record.verification;
        Self {
            frozen: matches!(verification, Verification::Refused { .. }),
            circuits: account.health.circuits().into(),
            last_call: account.health.last_call(),
            catalogues: CatalogueKind::ALL
                .map(|kind| (kind, account.catalogue.status(kind).age))
                .into(),
        }
    }

    /// Returns whether the vendor fails so often that some calls are not sent, so that what is
    /// shown of its servers grows old.
    #[must_use]
    pub fn is_troubled(&self) -> bool {
        let mut circuits = self.circuits.iter();
        circuits.any(|it| it.state != CircuitState::Closed)
    }
}

impl Platform {
    /// Returns the active accounts that are open to the caller's organization, in the
    /// operator's order.
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`] when the database is away.
    pub async fn open_providers(&self, _grant: &Grant<ReadInstances>) -> Result<Vec<Registered>> {
        let active = self.registry.active().await?;
        Ok(active
            .into_iter()
            .filter_map(|it| self.describe(it))
            .collect())
    }

    /// Returns the accounts that are open to the caller's organization with how they have been
    /// doing in this process. Asks nobody.
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`] when the database is away.
    pub async fn open_accounts(&self, _grant: &Grant<ReadInstances>) -> Result<Vec<OpenAccount>> {
        let mut open = Vec::new();
        for record in self.registry.active().await? {
            let health = match self.registry.at_hand(Arc::new(record.clone())).await {
                Ok(account) => AccountHealth::of(&account),
                // One that cannot be used was never asked anything; what is known of its servers
                // is shown all the same.
                Err(Error::Provider(_) | Error::NoSuchProvider) => AccountHealth::default(),
                Err(other) => return Err(other),
            };
            let account = self.describe(record);
            open.extend(account.map(|account| OpenAccount { account, health }));
        }
        Ok(open)
    }

    /// Returns all accounts.
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`] when the database is away.
    pub async fn providers(&self, _grant: &OperatorGrant) -> Result<Vec<Registered>> {
        let all = self.repository.list_providers().await?;
        Ok(all.into_iter().filter_map(|it| self.describe(it)).collect())
    }

    /// Returns one account.
    ///
    /// # Errors
    ///
    /// [`Error::NoSuchProvider`].
    pub async fn provider(&self, _grant: &OperatorGrant, id: ProviderId) -> Result<Registered> {
        let record = self
            .repository
            .find_provider(id)
            .await?
            .ok_or(Error::NoSuchProvider)?;
        self.describe(record).ok_or(Error::NoSuchProvider)
    }

    /// Registers an account, after asking the vendor whose token it is. A vendor that cannot
    /// be reached does not stand in the way: the account is then unverified, and says so.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] for a wrong name, type or token; [`Error::Provider`] when the vendor
    /// refuses the token; [`Error::Conflict`] when the name is taken or the vendor's
    /// account is registered already.
    #[instrument(skip_all, fields(provider.kind = request.kind))]
    pub async fn register_provider(
        &self,
        grant: &OperatorGrant,
        request: RegisterProvider,
    ) -> Result<Registered> {
        let id = ProviderId::fresh();
        let audit = grant.audit("provider.create", id.to_string());
        if let Some(earlier) = self.answered(&audit).await? {
            return Ok(earlier);
        }
        let name = account_name(&request.name)?;
        check_token(&request.token)?;
        let configuration = check_configuration(request.configuration)?;
        let candidate =
            self.registry
                .candidate(&request.kind, request.token.clone(), &configuration)?;
        let kind = candidate.descriptor().kind.clone();
        let (verification, fingerprint) = self.ask_whose(&*candidate).await?;
        if let Some(fingerprint) = &fingerprint {
            let all = self.repository.list_providers().await?;
            let twin = all
                .into_iter()
                .find(|it| it.kind == kind && it.fingerprint.as_deref() == Some(fingerprint));
            if let Some(twin) = twin {
                // The same request may have come twice at once, and the other one been first.
                if let Some(earlier) = self.answered(&audit).await? {
                    return Ok(earlier);
                }
                return Err(Error::Conflict(format!(
                    "this account at the provider is registered already, as `{}`",
                    twin.name
                )));
            }
        }
        let new = NewProvider {
            id,
            kind,
            name,
            configuration,
            token: request.token,
            fingerprint,
            verification,
        };
        let record = self.repository.create_provider(new, audit).await?;
        self.registry.changed();
        self.describe(record).ok_or(Error::NoSuchProvider)
    }

    /// Changes an account. A new token is tried first, and must belong to the same account
    /// at the vendor.
    ///
    /// # Errors
    ///
    /// As [`Self::register_provider`]; [`Error::NoSuchProvider`].
    #[instrument(skip_all, fields(provider.id = %id))]
    pub async fn change_provider(
        &self,
        grant: &OperatorGrant,
        id: ProviderId,
        change: ProviderChange,
    ) -> Result<Registered> {
        let audit = grant.audit("provider.update", id.to_string());
        if let Some(earlier) = self.answered(&audit).await? {
            return Ok(earlier);
        }
        let known = self
            .repository
            .find_provider(id)
            .await?
            .ok_or(Error::NoSuchProvider)?;
        let configuration = change.configuration.map(check_configuration).transpose()?;
        let token = match change.token {
            None => None,
            Some(token) => {
                check_token(&token)?;
                let settings = configuration.as_ref().unwrap_or(&known.configuration);
                let candidate =
                    self.registry
                        .candidate(known.kind.as_str(), token.clone(), settings)?;
                let (verification, fingerprint) = self.ask_whose(&*candidate).await?;
                if let (Some(old), Some(new)) = (&known.fingerprint, &fingerprint)
                    && old != new
                {
                    return Err(Error::invalid(
                        "token",
                        "this token belongs to another account at the provider; register it as \
                         a new account",
                    ));
                }
                Some((token, verification, fingerprint.or(known.fingerprint)))
            }
        };
        let patch = ProviderPatch {
            name: change.name.as_deref().map(account_name).transpose()?,
            active: change.active,
            configuration,
            token,
        };
        let record = self.repository.update_provider(id, patch, audit).await?;
        self.registry.changed();
        // What waited for a good token need not wait longer.
        self.bell.ring();
        self.describe(record).ok_or(Error::NoSuchProvider)
    }

    /// Asks the vendor again what it thinks of an account's token, and notes the answer.
    ///
    /// # Errors
    ///
    /// [`Error::NoSuchProvider`]; [`Error::Unavailable`]. What the vendor says is the result.
    #[instrument(skip_all, fields(provider.id = %id))]
    pub async fn validate_provider(
        &self,
        grant: &OperatorGrant,
        id: ProviderId,
    ) -> Result<Registered> {
        let audit = grant.audit("provider.validate", id.to_string());
        if let Some(earlier) = self.answered(&audit).await? {
            return Ok(earlier);
        }
        let account = self.registry.account(id).await?;
        let refused = |reason: String| {
            let at = self.clock.now();
            Some((Verification::Refused { reason, at }, None))
        };
        let said = match self.ask_whose(&*account.provider).await {
            Ok((_, Some(found)))
                if account
                    .record
                    .fingerprint
                    .as_ref()
                    .is_some_and(|it| *it != found) =>
            {
                refused(FOREIGN.to_owned())
            }
            // A vendor that does not answer takes nothing back.
            Ok((Verification::Unverified { .. }, None)) => None,
            Ok(verified) => Some(verified),
            Err(Error::Provider(error)) => refused(error.message.to_string()),
            Err(other) => return Err(other),
        };
        let record = self
            .repository
            .note_verification(&account.record, said, audit)
            .await?;
        self.registry.changed();
        self.bell.ring();
        self.describe(record).ok_or(Error::NoSuchProvider)
    }

    /// Returns what the same request was answered before.
    async fn answered(&self, audit: &AuditEntry) -> Result<Option<Registered>> {
        let earlier = self.repository.find_answer(audit).await?;
        Ok(earlier.and_then(|it| self.describe(it)))
    }

    /// Returns the first active account of a vendor.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] on `provider_type` for a vendor that is unknown or not available yet;
    /// [`Error::ProviderInactive`] when all its accounts are switched off;
    /// [`Error::NoSuchProvider`] when it has none.
    pub(crate) async fn account_of_kind(&self, kind: &str) -> Result<Account> {
        if let Err(Error::Invalid(mut errors)) = self.registry.descriptor(kind) {
            for error in &mut errors {
                error.field = "provider_type".into();
            }
            return Err(Error::Invalid(errors));
        }
        match self.registry.account_by_kind(kind).await {
            Err(Error::NoSuchProvider) => {
                let all = self.repository.list_providers().await?;
                // All of them switched off is another thing than none.
                let inactive = all.iter().any(|it| it.kind.as_str() == kind);
                Err(if inactive {
                    Error::ProviderInactive
                } else {
                    Error::NoSuchProvider
                })
            }
            found => found,
        }
    }

    /// Returns the account, after asking whose token it is if that is not known yet; and why it
    /// is still not known, if so. Then nothing may be sent with it.
    pub(crate) async fn verified(&self, account: Account) -> Result<(Account, Option<String>)> {
        let Verification::Unverified { .. } = account.record.verification else {
            return Ok((account, None));
        };
        let id = account.record.id;
        match self.ask_whose(&*account.provider).await {
            Ok((_, Some(found)))
                if account
                    .record
                    .fingerprint
                    .as_ref()
                    .is_some_and(|it| *it != found) =>
            {
                self.freeze(&account, FOREIGN).await;
            }
            Ok((verification, Some(found))) => {
                let found = Some(found.as_str());
                self.repository
                    .set_verification(&account.record, &verification, found)
                    .await?;
                self.registry.changed();
            }
            Ok((Verification::Unverified { reason }, None)) => {
                return Ok((account, Some(reason.unwrap_or_default())));
            }
            Ok((_, None)) => return Ok((account, Some("it did not say whose token it is".into()))),
            Err(Error::Provider(error)) if error.kind == ErrorKind::BadToken => {
                self.freeze(&account, &error.message).await;
            }
            Err(Error::Provider(error)) => return Ok((account, Some(error.message.to_string()))),
            Err(other) => return Err(other),
        }
        let account = self.registry.account(id).await?;
        let doubt = match &account.record.verification {
            // It was changed while the vendor was asked about what it had been.
            Verification::Unverified { .. } => Some("its token was not checked yet".to_owned()),
            Verification::Verified { .. } | Verification::Refused { .. } => None,
        };
        Ok((account, doubt))
    }

    /// Forgets an account and its token.
    ///
    /// # Errors
    ///
    /// [`Error::NoSuchProvider`]; [`Error::Conflict`] with their number while it has live servers.
    pub async fn delete_provider(&self, grant: &OperatorGrant, id: ProviderId) -> Result<()> {
        let audit = grant.audit("provider.delete", id.to_string());
        self.repository.delete_provider(id, audit).await?;
        self.registry.changed();
        self.registry.drop_made(id);
        Ok(())
    }

    /// Returns how an account has been doing in this process. Asks nobody.
    ///
    /// # Errors
    ///
    /// [`Error::NoSuchProvider`]; [`Error::Unavailable`].
    pub async fn account_health(
        &self,
        _grant: &OperatorGrant,
        id: ProviderId,
    ) -> Result<AccountHealth> {
        let account = match self.registry.account(id).await {
            Ok(account) => account,
            // One without a token, or of a vendor that is not there, was never asked anything.
            Err(Error::Provider(_)) => return Ok(AccountHealth::default()),
            Err(other) => return Err(other),
        };
        Ok(AccountHealth::of(&account))
    }

    /// Returns what is left of the calls that an account's provider takes, as far as this
    /// process knows. Asks nobody.
    ///
    /// # Errors
    ///
    /// As [`crate::Registry::account`].
    pub async fn provider_budget(
        &self,
        _grant: &OperatorGrant,
        id: ProviderId,
    ) -> Result<Vec<RateBucket>> {
        Ok(self.registry.account(id).await?.provider.budget())
    }

    /// Puts the accounts in this order; those not named follow in their old one.
    ///
    /// # Errors
    ///
    /// [`Error::NoSuchProvider`] when one is unknown.
    pub async fn reorder_providers(
        &self,
        grant: &OperatorGrant,
        order: &[ProviderId],
    ) -> Result<()> {
        let audit = grant.audit("provider.reorder", format!("{} accounts", order.len()));
        self.repository.reorder_providers(order, audit).await?;
        self.registry.changed();
        Ok(())
    }

    /// Asks the vendor whose token it is.
    async fn ask_whose(
        &self,
        provider: &dyn roadstead_core::Provider,
    ) -> Result<(Verification, Option<String>)> {
        let asked = tokio::time::timeout(PATIENCE, provider.validate_credentials()).await;
        let unverified = |reason: String| {
            Ok((
                Verification::Unverified {
                    reason: Some(reason),
                },
                None,
            ))
        };
        match asked {
            // A token that cannot do the work would fail later, where it is harder to see why.
            Ok(Ok(account)) if !account.missing_scopes.is_empty() => {
                let kind = provider.descriptor().kind.clone();
                let message = format!(
                    "it lacks the scopes {}; make a token that has them",
                    account.missing_scopes.join(", ")
                );
                let error = roadstead_core::Error::new(kind, USE, ErrorKind::Forbidden, message);
                Err(error.with_field("token").into())
            }
            Ok(Ok(account)) => {
                let at = self.clock.now();
                Ok((
                    Verification::Verified { at },
                    Some(account.fingerprint.into()),
                ))
            }
            Ok(Err(error)) => match error.kind {
                ErrorKind::Throttled
                | ErrorKind::Maintenance
                | ErrorKind::Server
                | ErrorKind::Transport
                | ErrorKind::Timeout
                | ErrorKind::Decode => unverified(error.to_string()),
                _ => Err(error.with_field("token").into()),
            },
            Err(_elapsed) => unverified(format!(
                "the provider did not answer within {} s",
                PATIENCE.as_secs()
            )),
        }
    }

    /// An account of a vendor that this program no longer knows is left out of every list.
    fn describe(&self, record: repository::Provider) -> Option<Registered> {
        let mut known = self.registry.descriptors();
        let descriptor = known.find(|it| it.kind == record.kind)?.clone();
        Some(Registered { record, descriptor })
    }
}

/// Refuses an account that may not be used now.
pub(crate) fn usable(account: &Account) -> Result<()> {
    if !account.record.active {
        return Err(Error::ProviderInactive);
    }
    match &account.record.verification {
        Verification::Refused { reason, .. } => Err(Error::ProviderRefused(reason.clone())),
        Verification::Unverified { .. } | Verification::Verified { .. } => Ok(()),
    }
}

fn account_name(name: &str) -> Result<String> {
    let name = name.trim();
    let length = name.chars().count();
    if length == 0 || length > 100 || name.chars().any(char::is_control) {
        return Err(Error::invalid(
            "name",
            "a name has 1 to 100 visible characters",
        ));
    }
    Ok(name.to_owned())
}

fn check_token(token: &Secret<String>) -> Result<()> {
    if token.expose().len() > 16_384 || token.expose().is_empty() {
        return Err(Error::invalid("token", "give the provider's API token"));
    }
    Ok(())
}

fn check_configuration(configuration: serde_json::Value) -> Result<serde_json::Value> {
    match configuration {
        serde_json::Value::Null => Ok(serde_json::json!({})),
        object @ serde_json::Value::Object(_) => Ok(object),
        _ => Err(Error::Invalid(vec![FieldError {
            field: "configuration".into(),
            error: "must be an object".to_owned(),
        }])),
    }
}
