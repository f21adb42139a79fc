//! The answers that repeated requests get again, where no operation holds them.

use diesel::{ExpressionMethods, QueryDsl};
use diesel_async::RunQueryDsl;
use serde::Serialize;
use serde_json::Value;

use crate::db::{Connection, run};
use crate::error::{Error, Result};
use crate::record::IdempotencyKey;
use crate::schema::idempotency_keys;
use crate::types::{Id, Time};
use crate::{Tenant, row};

/// Puts a key on record, or returns the answer that it already stands for. Of two requests at a
/// time the second waits here until the first has ended.
///
/// # Errors
///
/// [`Error::KeyReused`] if the key came with another request.
pub(crate) async fn take(
    tx: &mut Connection,
    tenant: &Tenant,
    key: Option<&IdempotencyKey>,
    now: Time,
) -> Result<Option<Value>> {
    let Some(key) = key else {
        return Ok(None);
    };
    let organization = Id(tenant.org.0);
    let values = (
        idempotency_keys::organization_id.eq(organization),
        idempotency_keys::key.eq(&key.key),
        idempotency_keys::hash.eq(&key.hash),
        idempotency_keys::answer.eq(Some(Value::Null)),
        idempotency_keys::created_at.eq(now),
    );
    let inserted = run!(tx, c => diesel::insert_into(idempotency_keys::table).values(values)
        .on_conflict((idempotency_keys::organization_id, idempotency_keys::key)).do_nothing()
        .execute(c).await)?;
    if inserted > 0 {
        return Ok(None);
    }
    let (hash, answer): (Vec<u8>, Option<Value>) = run!(tx, c => idempotency_keys::table
        .find((organization, &key.key))
        .select((idempotency_keys::hash, idempotency_keys::answer)).first(c).await)?;
    match answer {
        Some(answer) if hash == key.hash => Ok(Some(answer)),
        _ => Err(Error::KeyReused),
    }
}

/// Keeps the answer to a request whose key was taken in the same transaction.
pub(crate) async fn keep<T: Serialize>(
    tx: &mut Connection,
    tenant: &Tenant,
    key: Option<&IdempotencyKey>,
    answer: &T,
) -> Result<()> {
    let Some(key) = key else {
        return Ok(());
    };
    let answer = row::json("this answer", answer)?;
    let found = idempotency_keys::table.find((Id(tenant.org.0), &key.key));
    run!(tx, c => diesel::update(found).set(idempotency_keys::answer.eq(Some(answer)))
        .execute(c).await)?;
    Ok(())
}
