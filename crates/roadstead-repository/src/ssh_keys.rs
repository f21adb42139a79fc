//! An organization's public SSH keys.

use diesel::dsl::count_star;
use diesel::{ExpressionMethods, OptionalExtension, QueryDsl, SelectableHelper};
use diesel_async::RunQueryDsl;
use roadstead_core::SshKeyId;

use crate::answers::once;
use crate::db::{Connection, Repository, detached, read, run};
use crate::error::{Error, Result};
use crate::record::{AuditEntry, NewSshKey, SshKey};
use crate::schema::{organizations, ssh_keys};
use crate::types::{Id, Time};
use crate::{Tenant, audit, row};

const WHAT: &str = "SSH key";

impl Repository {
    /// Adds a public key to an organization that has fewer than `most` of them. A repeated
    /// request gets the answer of the first one.
    ///
    /// # Errors
    ///
    /// [`Error::Exists`] if the organization has the key, or another one of this name;
    /// [`Error::Full`] if it has as many as it may; [`Error::KeyReused`] if the idempotency key
    /// came with another request; [`Error::NotFound`] if there is no such organization.
    pub async fn create_ssh_key(
        &self,
        tenant: &Tenant,
        new: NewSshKey,
        most: u32,
        audit: AuditEntry,
    ) -> Result<SshKey> {
        let (repository, tenant) = (self.clone(), *tenant);
        detached(async move {
            let mut tx = repository.db.begin().await?;
            let outcome = once!(
                &mut tx,
                &audit,
                create(&mut tx, &tenant, &new, most, &audit)
            );
            tx.finish(outcome).await
        })
        .await
    }

    /// Returns a page of an organization's public keys, newest first. The last id of a page is
    /// where the next begins.
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`] if the database does not answer.
    pub async fn list_ssh_keys(
        &self,
        tenant: &Tenant,
        before: Option<SshKeyId>,
        limit: u32,
    ) -> Result<Vec<SshKey>> {
        let rows: Vec<row::SshKey> = read!(self.db, c => {
            let mut query = ssh_keys::table
                .filter(ssh_keys::organization_id.eq(Id(tenant.org.0)))
                .into_boxed();
            if let Some(before) = before {
                query = query.filter(ssh_keys::id.lt(Id(before.0)));
            }
            query.order(ssh_keys::id.desc()).limit(i64::from(limit))
                .select(row::SshKey::as_select()).load(c).await
        })?;
        Ok(rows.into_iter().map(row::SshKey::into_record).collect())
    }

    /// Returns those of an organization's public keys that have these ids.
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`] if the database does not answer.
    pub async fn find_ssh_keys(&self, tenant: &Tenant, ids: &[SshKeyId]) -> Result<Vec<SshKey>> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let ids: Vec<Id> = ids.iter().map(|it| Id(it.0)).collect();
        let rows: Vec<row::SshKey> = read!(self.db, c => ssh_keys::table
            .filter(ssh_keys::organization_id.eq(Id(tenant.org.0)))
            .filter(ssh_keys::id.eq_any(&ids))
            .select(row::SshKey::as_select()).load(c).await)?;
        Ok(rows.into_iter().map(row::SshKey::into_record).collect())
    }

    /// Removes a public key from an organization. Where the vendors keep it for us alone, it is
    /// unwanted from this commit on; see [`Self::claim_unwanted_placements`]. A repeated request
    /// gets the answer of the first one.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] if there is none, or if it is another tenant's;
    /// [`Error::KeyReused`] if the idempotency key came with another request.
    pub async fn delete_ssh_key(
        &self,
        tenant: &Tenant,
        id: SshKeyId,
        audit: AuditEntry,
    ) -> Result<()> {
        let (repository, tenant) = (self.clone(), *tenant);
        detached(async move {
            let mut tx = repository.db.begin().await?;
            let outcome = once!(&mut tx, &audit, delete(&mut tx, &tenant, Id(id.0), &audit));
            tx.finish(outcome).await
        })
        .await
    }
}

async fn create(
    tx: &mut Connection,
    tenant: &Tenant,
    new: &NewSshKey,
    most: u32,
    audit: &AuditEntry,
) -> Result<SshKey> {
    let now = tx.now().await?;
    lock_organization(tx, Id(tenant.org.0)).await?;
    let theirs = || ssh_keys::table.filter(ssh_keys::organization_id.eq(Id(tenant.org.0)));
    let twin: Option<String> = run!(tx, c => theirs()
        .filter(ssh_keys::fingerprint.eq(&new.fingerprint))
        .select(ssh_keys::name).first(c).await.optional())?;
    if let Some(name) = twin {
        return Err(Error::Exists {
            what: "this SSH key",
            name,
        });
    }
    let named: i64 = run!(tx, c => theirs().filter(ssh_keys::name.eq(&new.name))
        .select(count_star()).first(c).await)?;
    if named > 0 {
        return Err(Error::Exists {
            what: "another SSH key",
            name: new.name.clone(),
        });
    }
    let count: i64 = run!(tx, c => theirs().select(count_star()).first(c).await)?;
    if count >= i64::from(most) {
        return Err(Error::Full {
            what: "SSH keys",
            most,
        });
    }
    let row = row::SshKey::new(tenant, new, now);
    run!(tx, c => diesel::insert_into(ssh_keys::table).values(&row).execute(c).await)?;
    audit::append(tx, audit, now).await?;
    Ok(row.into_record())
}

/// Holds an organization, so that what it has is counted and added to by one at a time.
async fn lock_organization(tx: &mut Connection, id: Id) -> Result<()> {
    let found = organizations::table.find(id).select(organizations::id);
    let found: Option<Id> = match tx {
        Connection::Postgres(object) => found
            .for_no_key_update()
            .first(&mut **object)
            .await
            .optional()?,
        // SQLite's one writer is the lock.
        Connection::Sqlite(object) => found.first(&mut **object).await.optional()?,
    };
    found.map(drop).ok_or(Error::NotFound {
        what: "organization",
    })
}

async fn delete(tx: &mut Connection, tenant: &Tenant, id: Id, audit: &AuditEntry) -> Result<()> {
    let now: Time = tx.now().await?;
    let theirs = ssh_keys::table
        .find(id)
        .filter(ssh_keys::organization_id.eq(Id(tenant.org.0)));
    let deleted = run!(tx, c => diesel::delete(theirs).execute(c).await)?;
    if deleted == 0 {
        return Err(Error::NotFound { what: WHAT });
    }
    audit::append(tx, audit, now).await
}
