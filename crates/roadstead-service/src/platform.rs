//! Everything a use case needs, in one place.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use roadstead_core::{Clock, after};
use roadstead_repository::{Claim, Repository};
use tokio::sync::{Mutex, Semaphore};

use crate::engine::{Bell, Clockwork};
use crate::error::{Error, Result};
use crate::feed::Feed;
use crate::people::WAITING_LOGINS;
use crate::registry::{Account, Factory, Registry};

/// How long the database may take to say that it is there.
const READINESS: Duration = Duration::from_millis(900);

/// What a [`Platform`] is made from.
#[derive(Debug)]
pub struct PlatformConfig {
    /// The database, migrated.
    pub repository: Repository,
    /// The vendors.
    pub factories: Vec<Factory>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// The engine's clockwork.
    pub clockwork: Clockwork,
    /// How long a login lasts.
    pub session_lifetime: Duration,
}

/// The use cases. Their methods stand beside what they are about: `people`, `providers`,
/// `catalogue`, `instances`, `operations`.
#[derive(Debug)]
pub struct Platform {
    pub(crate) repository: Repository,
    pub(crate) registry: Registry,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) clockwork: Clockwork,
    pub(crate) bell: Bell,
    /// Wakes the sweeper.
    pub(crate) sweeps: Bell,
    pub(crate) feed: Arc<Feed>,
    pub(crate) deployment: Box<str>,
    /// When this process began, by the database's clock.
    pub(crate) opened_at: Timestamp,
    pub(crate) session_lifetime: Duration,
    /// Bounds how many passwords are hashed at once: each takes 19 MiB.
    pub(crate) hashing: Semaphore,
    /// Bounds how many wait for their turn at hashing.
    pub(crate) login_queue: Semaphore,
    /// The hash of the code that opens the first-run setup, while there is one.
    pub(crate) setup_code: Mutex<Option<Vec<u8>>>,
}

impl Platform {
    /// Opens the database and takes everything at hand.
    ///
    /// # Errors
    ///
    /// [`Error::Internal`] when migrations are pending or the master key does not fit;
    /// [`Error::Unavailable`] when the database is away.
    pub async fn open(config: PlatformConfig) -> Result<Arc<Self>> {
        let deployment = config.repository.open().await?;
        let opened_at = config.repository.now().await?;
        let registry = Registry::new(
            config.repository.clone(),
            config.factories,
            Arc::clone(&config.clock),
            config.clockwork.circuit,
        );
        Ok(Arc::new(Self {
            repository: config.repository,
            registry,
            clock: config.clock,
            clockwork: config.clockwork,
            bell: Bell::new(),
            sweeps: Bell::new(),
            feed: Feed::new(config.clockwork.events),
            deployment: deployment.id.into(),
            opened_at,
            session_lifetime: config.session_lifetime,
            hashing: Semaphore::new(2),
            login_queue: Semaphore::new(WAITING_LOGINS),
            setup_code: Mutex::default(),
        }))
    }

    /// Returns the registered vendors and their accounts.
    #[must_use]
    pub const fn registry(&self) -> &Registry {
        &self.registry
    }

    /// Returns the time by which logins end and ages grow.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Takes back at once what an earlier process was at work on when it died, where this one is
    /// alone: what was not sent is ready again, and what may have been sent is looked for. Where
    /// several processes share the database, the leases of the dead end by themselves. Returns how
    /// many there were.
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`] when the database is away.
    pub async fn take_back(&self) -> Result<u32> {
        Ok(self.repository.take_back_leases().await?)
    }

    /// Asks the database whether it is there.
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`] when it is not.
    pub async fn ready(&self) -> Result<()> {
        let repository = self.repository.clone();
        // On a task of its own: a statement that is cut off would spoil its connection.
        let asked = tokio::spawn(async move { repository.ping().await });
        match tokio::time::timeout(READINESS, asked).await {
            Ok(Ok(answer)) => Ok(answer?),
            Ok(Err(failure)) => Err(Error::Unavailable(away(failure))),
            Err(elapsed) => Err(Error::Unavailable(away(elapsed))),
        }
    }

    /// Returns the database's time now: that of the claim, plus what has passed here since
    /// `taken_up`. Two machines' clocks may differ; the lengths of their seconds do not.
    pub(crate) fn now_at(&self, claim: &Claim, taken_up: Timestamp) -> Timestamp {
        let passed = self.clock.now().duration_since(taken_up);
        claim.now.checked_add(passed).unwrap_or(claim.now)
    }

    pub(crate) fn expires(&self) -> Timestamp {
        after(self.clock.now(), self.session_lifetime)
    }

    /// Notes that the vendor refuses an account's token, for the operator to see. Nothing is
    /// sent with it until it changes.
    pub(crate) async fn freeze(&self, account: &Account, reason: &str) {
        self.registry.freeze(&account.record, reason).await;
    }
}

fn away(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> roadstead_repository::Error {
    roadstead_repository::Error::Unavailable(cause.into())
}

impl From<roadstead_repository::Error> for Error {
    fn from(error: roadstead_repository::Error) -> Self {
        use roadstead_repository::Error as Repository;
        match error {
            Repository::NotFound { what } => match what {
                "instance" => Self::NoSuchInstance,
                "provider account" => Self::NoSuchProvider,
                other => Self::NotFound(other),
            },
            Repository::KeyReused => Self::KeyReused,
            exists @ Repository::Exists { .. } => Self::Conflict(exists.to_string()),
            full @ Repository::Full { .. } => Self::QuotaExceeded(full.to_string()),
            Repository::Conflict { what } => Self::Conflict(what.to_owned()),
            Repository::Busy { operation, kind } => Self::Conflict(format!(
                "the server is busy with operation `{operation}` ({}); wait for it and try again",
                kind.as_str()
            )),
            Repository::Bound { instance } => Self::Conflict(format!(
                "the server is on record already, as `{instance}`; release or delete that one first"
            )),
            Repository::WrongState { lifecycle } => Self::Conflict(format!(
                "the server is `{}`, and this needs a live one",
                lifecycle.as_str()
            )),
            Repository::InUse { count } => Self::Conflict(format!(
                "the account still has {count} {} to look after; delete them and wait until \
                 they are gone",
                if count == 1 { "server" } else { "servers" }
            )),
            Repository::PlanInUse { count } => Self::Conflict(format!(
                "the plan still has {count} {}; take it off sale with `active` instead",
                if count == 1 { "server" } else { "servers" }
            )),
            Repository::Changed { what } => Self::Conflict(format!(
                "the {what} is being changed; look at it and try again"
            )),
            Repository::Markup { plan, error } => Self::invalid(
                "markup",
                format!("this does not fit the plan `{plan}`: {error}"),
            ),
            unavailable @ Repository::Unavailable(_) => Self::Unavailable(unavailable),
            other => Self::Internal(Box::new(other)),
        }
    }
}
