//! Registered vendor accounts and their sealed tokens.

use diesel::dsl::{count_star, max};
use diesel::sql_types::Bool;
use diesel::{ExpressionMethods, OptionalExtension, QueryDsl, SelectableHelper};
use diesel_async::RunQueryDsl;
use roadstead_core::{ProviderId, Secret};

use crate::answers::once;
use crate::db::{Connection, Repository, Written, detached, read, run, write, written};
use crate::error::{Error, Result};
use crate::record::{
    AuditEntry, NewProvider, Provider, ProviderPatch, QuarantineState, Verification,
};
use crate::schema::{dooms, quarantine, service_providers, vps_instances};
use crate::sealing::Keyring;
use crate::types::{DbTime, Id, Time};
use crate::{audit, placements, row};

const TAKEN: &str = "the name of the provider account is taken";

const fn missing() -> Error {
    Error::NotFound {
        what: "provider account",
    }
}

impl Repository {
    /// Adds a vendor account at the end of the operator's order.
    ///
    /// # Errors
    ///
    /// [`Error::Conflict`] if the name is taken.
    pub async fn create_provider(&self, p: NewProvider, audit: AuditEntry) -> Result<Provider> {
        let repository = self.clone();
        detached(async move {
            let mut tx = repository.db.begin().await?;
            let outcome = once!(
                &mut tx,
                &audit,
                create(&mut tx, &repository.keys, &p, &audit)
            );
            tx.finish(outcome).await
        })
        .await
    }

    /// Returns the vendor accounts in the operator's order.
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`] if the database does not answer.
    pub async fn list_providers(&self) -> Result<Vec<Provider>> {
        let rows: Vec<row::Provider> = read!(self.db, c => service_providers::table
            .filter(service_providers::deleted_at.is_null())
            .order((service_providers::position, service_providers::id))
            .select(row::Provider::as_select()).load(c).await)?;
        rows.into_iter().map(row::Provider::into_record).collect()
    }

    /// Returns a vendor account.
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`] if the database does not answer.
    pub async fn find_provider(&self, id: ProviderId) -> Result<Option<Provider>> {
        let row = read!(self.db, c => service_providers::table.find(Id(id.0))
            .filter(service_providers::deleted_at.is_null())
            .select(row::Provider::as_select()).first(c).await.optional())?;
        row.map(row::Provider::into_record).transpose()
    }

    /// Returns the token of a vendor account, opened.
    ///
    /// # Errors
    ///
    /// [`Error::Sealing`] if the token on record was not sealed for this account, or by a key
    /// that is not at hand.
    pub async fn provider_token(&self, id: ProviderId) -> Result<Option<Secret<String>>> {
        let id = Id(id.0);
        let sealed: Option<Option<Vec<u8>>> = read!(self.db, c => service_providers::table.find(id)
            .filter(service_providers::deleted_at.is_null())
            .select(service_providers::token).first(c).await.optional())?;
        let sealed = sealed.flatten();
        sealed
            .map(|it| self.keys.open(&it, &row::Provider::place(id)))
            .transpose()
    }

    /// Changes a vendor account.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] if there is none, [`Error::Conflict`] if the name is taken.
    pub async fn update_provider(
        &self,
        id: ProviderId,
        patch: ProviderPatch,
        audit: AuditEntry,
    ) -> Result<Provider> {
        let repository = self.clone();
        detached(async move {
            let mut tx = repository.db.begin().await?;
            let outcome = once!(
                &mut tx,
                &audit,
                update(&mut tx, &repository.keys, Id(id.0), &patch, &audit)
            );
            tx.finish(outcome).await
        })
        .await
    }

    /// Records what the vendor said to an account's token, and whose account it is where known.
    /// Returns whether it did: an account that has changed since `asked` was read keeps what it
    /// has, for what was said is not about it.
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`] if the database does not answer.
    pub async fn set_verification(
        &self,
        asked: &Provider,
        v: &Verification,
        fingerprint: Option<&str>,
    ) -> Result<bool> {
        let changes = (
            row::verification(v),
            fingerprint.map(|it| service_providers::fingerprint.eq(it)),
            service_providers::updated_at.eq(Time::now()),
        );
        let changed = write!(self.db, c => diesel::update(service_providers::table.find(Id(asked.id.0)))
            .filter(service_providers::deleted_at.is_null())
            .filter(service_providers::updated_at.eq(Time::from(asked.updated_at)))
            .set(changes).execute(c).await)?;
        Ok(changed > 0)
    }

    /// Records what the vendor said when an operator had it asked about an account, if it said
    /// anything, and returns the account as it is then. As with [`Self::set_verification`], one that has changed
    /// meanwhile keeps what it has.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] if there is none; [`Error::KeyReused`] if the idempotency key came
    /// with another request.
    pub async fn note_verification(
        &self,
        asked: &Provider,
        said: Option<(Verification, Option<String>)>,
        audit: AuditEntry,
    ) -> Result<Provider> {
        let (repository, asked) = (self.clone(), asked.clone());
        detached(async move {
            let mut tx = repository.db.begin().await?;
            let outcome = once!(
                &mut tx,
                &audit,
                verify(&mut tx, &asked, said.as_ref(), &audit)
            );
            tx.finish(outcome).await
        })
        .await
    }

    /// Tells every process to forget an account's catalogues. The account itself is not changed
    /// by it.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] if there is none; [`Error::KeyReused`] if the idempotency key came
    /// with another request.
    pub async fn forget_catalogues(&self, id: ProviderId, audit: AuditEntry) -> Result<()> {
        let repository = self.clone();
        detached(async move {
            let mut tx = repository.db.begin().await?;
            let outcome = once!(&mut tx, &audit, forget(&mut tx, Id(id.0), &audit));
            tx.finish(outcome).await
        })
        .await
    }

    /// Removes a vendor account and wipes its token. The rows of its dead servers stay.
    ///
    /// # Errors
    ///
    /// [`Error::InUse`] while it has servers, or may have: ours that live, that failed with an id
    /// at the vendor or whose operations are not over, and extra ones that are still to be
    /// deleted. [`Error::NotFound`] if there is no such account.
    pub async fn delete_provider(&self, id: ProviderId, audit: AuditEntry) -> Result<()> {
        let repository = self.clone();
        detached(async move {
            let mut tx = repository.db.begin().await?;
            let outcome = once!(&mut tx, &audit, delete(&mut tx, Id(id.0), &audit));
            tx.finish(outcome).await
        })
        .await
    }

    /// Puts the vendor accounts in this order; those it does not name follow as they were.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] if it names an account that is not there.
    pub async fn reorder_providers(&self, order: &[ProviderId], audit: AuditEntry) -> Result<()> {
        let repository = self.clone();
        let order = order.to_vec();
        detached(async move {
            let mut tx = repository.db.begin().await?;
            let outcome = once!(&mut tx, &audit, reorder(&mut tx, &order, &audit));
            tx.finish(outcome).await
        })
        .await
    }
}

/// Holds an account against deletion until the end of the transaction. Returns the time by the
/// database's clock, from the same flight.
///
/// # Errors
///
/// [`Error::NotFound`] if there is no such account.
pub(crate) async fn hold(tx: &mut Connection, id: Id) -> Result<Time> {
    let present = service_providers::table
        .find(id)
        .filter(service_providers::deleted_at.is_null());
    let found: Option<Time> = match tx {
        Connection::Postgres(object) => {
            let clock = written::<DbTime>("clock_timestamp()");
            let held = present.select(clock).for_share();
            held.first(&mut **object).await.optional()?
        }
        // SQLite's one writer is the lock.
        Connection::Sqlite(object) => {
            let present = present.select(service_providers::id);
            let found: Option<Id> = present.first(&mut **object).await.optional()?;
            found.map(|_| Time::now())
        }
    };
    found.ok_or_else(missing)
}

/// Holds an account for a change until the end of the transaction.
pub(crate) async fn lock(tx: &mut Connection, id: Id) -> Result<()> {
    let present = service_providers::table
        .find(id)
        .filter(service_providers::deleted_at.is_null())
        .select(service_providers::id);
    let found: Option<Id> = match tx {
        Connection::Postgres(object) => {
            present.for_update().first(&mut **object).await.optional()?
        }
        Connection::Sqlite(object) => present.first(&mut **object).await.optional()?,
    };
    found.map(drop).ok_or_else(missing)
}

async fn create(
    tx: &mut Connection,
    keys: &Keyring,
    new: &NewProvider,
    audit: &AuditEntry,
) -> Result<Provider> {
    let now = Time::now();
    let id = Id(new.id.0);
    let token = keys.seal(&new.token, &row::Provider::place(id))?;
    let last: Option<i32> = run!(tx, c => service_providers::table
        .select(max(service_providers::position)).first(c).await)?;
    let values = (
        (
            service_providers::id.eq(id),
            service_providers::kind.eq(new.kind.as_str()),
            service_providers::name.eq(&new.name),
            service_providers::configuration.eq(&new.configuration),
            service_providers::token.eq(Some(token.bytes)),
            service_providers::token_key.eq(Some(token.key)),
        ),
        service_providers::is_active.eq(true),
        service_providers::position.eq(last.map_or(0, |it| it.saturating_add(1))),
        service_providers::fingerprint.eq(new.fingerprint.as_deref()),
        row::verification(&new.verification),
        service_providers::created_at.eq(now),
        service_providers::updated_at.eq(now),
    );
    run!(tx, c => diesel::insert_into(service_providers::table).values(values).execute(c).await)
        .map_err(Error::taken(TAKEN))?;
    audit::append(tx, audit, now).await?;
    get(tx, id).await
}

async fn update(
    tx: &mut Connection,
    keys: &Keyring,
    id: Id,
    patch: &ProviderPatch,
    audit: &AuditEntry,
) -> Result<Provider> {
    let now = Time::now();
    lock(tx, id).await?;
    let plain = (
        patch.name.as_ref().map(|it| service_providers::name.eq(it)),
        patch.active.map(|it| service_providers::is_active.eq(it)),
        patch
            .configuration
            .as_ref()
            .map(|it| service_providers::configuration.eq(it)),
        service_providers::updated_at.eq(now),
    );
    run!(tx, c => diesel::update(service_providers::table.find(id))
        .set(plain).execute(c).await)
    .map_err(Error::taken(TAKEN))?;
    if let Some((token, verification, fingerprint)) = &patch.token {
        let sealed = keys.seal(token, &row::Provider::place(id))?;
        let changes = (
            service_providers::token.eq(Some(sealed.bytes)),
            service_providers::token_key.eq(Some(sealed.key)),
            row::verification(verification),
            service_providers::fingerprint.eq(fingerprint.as_deref()),
        );
        run!(tx, c => diesel::update(service_providers::table.find(id))
            .set(changes).execute(c).await)?;
    }
    audit::append(tx, audit, now).await?;
    get(tx, id).await
}

async fn verify(
    tx: &mut Connection,
    asked: &Provider,
    said: Option<&(Verification, Option<String>)>,
    audit: &AuditEntry,
) -> Result<Provider> {
    let now = Time::now();
    let id = Id(asked.id.0);
    lock(tx, id).await?;
    if let Some((verification, fingerprint)) = said {
        let changes = (
            row::verification(verification),
            fingerprint
                .as_deref()
                .map(|it| service_providers::fingerprint.eq(it)),
            service_providers::updated_at.eq(now),
        );
        run!(tx, c => diesel::update(service_providers::table.find(id))
            .filter(service_providers::updated_at.eq(Time::from(asked.updated_at)))
            .set(changes).execute(c).await)?;
    }
    audit::append(tx, audit, now).await?;
    get(tx, id).await
}

async fn forget(tx: &mut Connection, id: Id, audit: &AuditEntry) -> Result<()> {
    let changed = run!(tx, c => diesel::update(service_providers::table.find(id))
        .filter(service_providers::deleted_at.is_null())
        .set(service_providers::catalogue_epoch.eq(service_providers::catalogue_epoch + 1))
        .execute(c).await)?;
    if changed == 0 {
        return Err(missing());
    }
    audit::append(tx, audit, Time::now()).await
}

/// Servers of which something is or may be at the vendor. Without the token nobody could look
/// for it, or delete it.
fn needs_account() -> Written<Bool> {
    written(
        "(vps_instances.lifecycle NOT IN ('deleted', 'failed') \
        OR (vps_instances.lifecycle = 'failed' AND vps_instances.remote_id IS NOT NULL) \
        OR vps_instances.id IN (SELECT operations.instance_id FROM operations \
            WHERE operations.state NOT IN ('succeeded', 'failed')))",
    )
}

async fn delete(tx: &mut Connection, id: Id, audit: &AuditEntry) -> Result<()> {
    let now = Time::now();
    lock(tx, id).await?;
    // In this order: what ends an operation may leave a doom behind.
    let ours: i64 = run!(tx, c => vps_instances::table
        .filter(vps_instances::provider_id.eq(id))
        .filter(needs_account())
        .select(count_star()).first(c).await)?;
    let doomed: i64 = run!(tx, c => dooms::table
        .filter(dooms::provider_id.eq(id))
        .filter(dooms::done_at.is_null())
        .select(count_star()).first(c).await)?;
    let count = ours.unsigned_abs().saturating_add(doomed.unsigned_abs());
    if count > 0 {
        return Err(Error::InUse { count });
    }
    placements::forget_all(tx, id).await?;
    // Nobody could decide about them any more, or look at them.
    let ended = (
        quarantine::state.eq(QuarantineState::Cleared.as_str()),
        quarantine::ended_at.eq(Some(now)),
    );
    run!(tx, c => diesel::update(quarantine::table)
        .filter(quarantine::provider_id.eq(id))
        .filter(quarantine::state.eq(QuarantineState::Open.as_str()))
        .set(ended).execute(c).await)?;
    let changes = (
        service_providers::token.eq(None::<Vec<u8>>),
        service_providers::token_key.eq(None::<i64>),
        service_providers::is_active.eq(false),
        service_providers::deleted_at.eq(Some(now)),
        service_providers::updated_at.eq(now),
    );
    run!(tx, c => diesel::update(service_providers::table.find(id))
        .set(changes).execute(c).await)?;
    audit::append(tx, audit, now).await
}

async fn reorder(tx: &mut Connection, order: &[ProviderId], audit: &AuditEntry) -> Result<()> {
    let now = Time::now();
    let present: Vec<Id> = run!(tx, c => service_providers::table
        .filter(service_providers::deleted_at.is_null())
        .order((service_providers::position, service_providers::id))
        .select(service_providers::id).load(c).await)?;
    let named: Vec<Id> = order.iter().map(|it| Id(it.0)).collect();
    if named.iter().any(|it| !present.contains(it)) {
        return Err(missing());
    }
    let rest = present.iter().filter(|it| !named.contains(it));
    for (position, id) in (0_i32..).zip(named.iter().chain(rest)) {
        run!(tx, c => diesel::update(service_providers::table.find(*id))
            .set(service_providers::position.eq(position)).execute(c).await)?;
    }
    audit::append(tx, audit, now).await
}

async fn get(tx: &mut Connection, id: Id) -> Result<Provider> {
    run!(tx, c => service_providers::table.find(id)
        .select(row::Provider::as_select()).first(c).await)?
    .into_record()
}
