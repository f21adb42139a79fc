//! The answers that repeated requests get again.

use std::time::Duration;

use diesel::{ExpressionMethods, OptionalExtension, QueryDsl};
use diesel_async::RunQueryDsl;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::db::{Connection, Repository, read, run, write};
use crate::error::{Error, Result};
use crate::record::{AuditEntry, IdempotencyKey};
use crate::row;
use crate::schema::{idempotency_keys, operator_idempotency_keys};
use crate::types::{Id, Time};

/// The place of an answer in the database, for what is said of one that cannot be read.
const COLUMN: &str = "idempotency_keys.answer";

/// Whose a key is: an organization's, or that of an operator, who acts for none.
#[derive(Clone, Copy)]
enum Owner {
    Organization(Id),
    Operator(Id),
}

/// A request's key with whose it is.
#[derive(Clone, Copy)]
struct Ours<'a> {
    owner: Owner,
    key: &'a IdempotencyKey,
}

impl<'a> Ours<'a> {
    /// Returns the key under which a change is asked for, if there is one.
    fn of(audit: &'a AuditEntry) -> Result<Option<Self>> {
        let Some(key) = &audit.key else {
            return Ok(None);
        };
        let owner = match (audit.organization, audit.user) {
            (Some(organization), _) => Owner::Organization(Id(organization.0)),
            (None, Some(operator)) => Owner::Operator(Id(operator.0)),
            (None, None) => {
                return Err(Error::Invalid {
                    what: "an idempotency key of nobody",
                });
            }
        };
        Ok(Some(Self { owner, key }))
    }
}

/// Says one thing of both tables of keys. Both have the columns that it may name.
macro_rules! of_owner {
    ($owner:expr, |$id:ident, $table:ident, $mine:ident| $body:expr) => {
        match $owner {
            Owner::Organization($id) => {
                use idempotency_keys as $table;
                use idempotency_keys::organization_id as $mine;
                $body
            }
            Owner::Operator($id) => {
                use operator_idempotency_keys as $table;
                use operator_idempotency_keys::user_id as $mine;
                $body
            }
        }
    };
}

/// Makes a change under the key of its request, or gives back the answer that the key already
/// stands for. Key, answer and change are in one transaction, so that there is none without the
/// other.
macro_rules! once {
    ($tx:expr, $audit:expr, $change:expr) => {
        async {
            if let Some(earlier) = $crate::answers::take($tx, $audit).await? {
                return Ok(earlier);
            }
            let answer = $change.await?;
            $crate::answers::keep($tx, $audit, &answer).await?;
            Ok::<_, $crate::error::Error>(answer)
        }
        .await
    };
}

pub(crate) use once;

impl Repository {
    /// Returns the answer that an earlier request with the same key got, if there was one. It is
    /// asked first, so that a repeat gets its answer whatever has changed since.
    ///
    /// # Errors
    ///
    /// [`Error::KeyReused`] if the key came with another request.
    pub async fn find_answer<T: DeserializeOwned>(&self, audit: &AuditEntry) -> Result<Option<T>> {
        let Some(Ours { owner, key }) = Ours::of(audit)? else {
            return Ok(None);
        };
        let found: Option<(Vec<u8>, Option<Value>)> = of_owner!(owner, |id, keys, mine| {
            use diesel::expression_methods::NullableExpressionMethods;
            read!(self.db, c => keys::table
            .filter(mine.eq(id)).filter(keys::key.eq(&key.key))
                .select((keys::hash, keys::answer.nullable())).first(c).await.optional())?
        });
        found
            .map(|(hash, answer)| same(key, &hash, answer))
            .transpose()
    }

    /// Forgets the keys, and the answers with them, that are older than `age`: at most `most` of
    /// each kind at a time. Returns how many it forgot.
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`] if the database does not answer.
    pub async fn purge_idempotency_keys(&self, age: Duration, most: u32) -> Result<u32> {
        let before = Time::now().before(age);
        let mut forgotten = 0_usize;
        let kinds = [
            Owner::Organization(Id(uuid::Uuid::nil())),
            Owner::Operator(Id(uuid::Uuid::nil())),
        ];
        for kind in kinds {
            // By one owner's keys at a time: a pair of columns cannot be looked for in a list.
            let old: Vec<(Id, String)> = of_owner!(kind, |_id, keys, mine| {
                read!(self.db, c => keys::table.filter(keys::created_at.lt(before))
                    .order(keys::created_at).limit(i64::from(most))
                    .select((mine, keys::key)).load(c).await)?
            });
            let mut old = old.as_slice();
            while let Some((owner, _)) = old.first() {
                let (theirs, rest) =
                    old.split_at(old.iter().take_while(|it| it.0 == *owner).count());
                let names: Vec<&str> = theirs.iter().map(|it| it.1.as_str()).collect();
                forgotten += of_owner!(kind, |_id, keys, mine| {
                    write!(self.db, c => diesel::delete(keys::table)
                        .filter(mine.eq(*owner)).filter(keys::key.eq_any(&names))
                        .filter(keys::created_at.lt(before)).execute(c).await)?
                });
                old = rest;
            }
        }
        Ok(u32::try_from(forgotten).unwrap_or(u32::MAX))
    }
}

/// Puts a request's key on record, or returns the answer that it already stands for. Of two
/// requests at a time the second waits here until the first has ended.
///
/// # Errors
///
/// [`Error::KeyReused`] if the key came with another request.
pub(crate) async fn take<T: DeserializeOwned>(
    tx: &mut Connection,
    audit: &AuditEntry,
) -> Result<Option<T>> {
    let Some(Ours { owner, key }) = Ours::of(audit)? else {
        return Ok(None);
    };
    let inserted = of_owner!(owner, |id, keys, mine| {
        let values = (
            mine.eq(id),
            keys::key.eq(&key.key),
            keys::hash.eq(&key.hash),
            keys::answer.eq(Value::Null),
            // It says when the key may be forgotten, which no clock need be exact for.
            keys::created_at.eq(Time::now()),
        );
        run!(tx, c => diesel::insert_into(keys::table).values(values)
            .on_conflict((mine, keys::key)).do_nothing().execute(c).await)?
    });
    if inserted > 0 {
        return Ok(None);
    }
    let (hash, answer): (Vec<u8>, Option<Value>) = of_owner!(owner, |id, keys, mine| {
        use diesel::expression_methods::NullableExpressionMethods;
        run!(tx, c => keys::table
            .filter(mine.eq(id)).filter(keys::key.eq(&key.key))
            .select((keys::hash, keys::answer.nullable())).first(c).await)?
    });
    same(key, &hash, answer).map(Some)
}

/// Keeps the answer to a request whose key was taken in the same transaction.
pub(crate) async fn keep<T: Serialize>(
    tx: &mut Connection,
    audit: &AuditEntry,
    answer: &T,
) -> Result<()> {
    let Some(Ours { owner, key }) = Ours::of(audit)? else {
        return Ok(());
    };
    let answer = row::json("this answer", answer)?;
    of_owner!(owner, |id, keys, mine| {
        run!(tx, c => diesel::update(keys::table
            .filter(mine.eq(id)).filter(keys::key.eq(&key.key)))
            .set(keys::answer.eq(answer)).execute(c).await)?
    });
    Ok(())
}

/// Reads the answer on record under a key, if it was given to the same request.
fn same<T: DeserializeOwned>(
    key: &IdempotencyKey,
    hash: &[u8],
    answer: Option<Value>,
) -> Result<T> {
    if hash != key.hash.as_slice() {
        return Err(Error::KeyReused);
    }
    // Without an answer it stands for an operation that a version before this one accepted.
    let answer = answer.ok_or(Error::KeyReused)?;
    row::parse(COLUMN, answer)
}
