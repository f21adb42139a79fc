//! The audit log: one line in the same transaction as what it tells.

use diesel::prelude::Insertable;
use diesel_async::RunQueryDsl;
use serde_json::Value;
use uuid::Uuid;

use crate::db::{Connection, run};
use crate::error::Result;
use crate::record::AuditEntry;
use crate::schema::audit_log;
use crate::types::{Id, Time};

/// A line of the log.
#[derive(Debug, Insertable)]
#[diesel(table_name = audit_log, treat_none_as_default_value = false)]
pub(crate) struct Line<'a> {
    id: Id,
    organization_id: Option<Id>,
    user_id: Option<Id>,
    action: &'a str,
    subject: &'a str,
    request_id: Option<&'a str>,
    details: &'a Value,
    created_at: Time,
}

/// Spells a line.
pub(crate) fn line(entry: &AuditEntry, now: Time) -> Line<'_> {
    Line {
        id: Id(Uuid::now_v7()),
        organization_id: entry.organization.map(|it| Id(it.0)),
        user_id: entry.user.map(|it| Id(it.0)),
        action: entry.action,
        subject: &entry.subject,
        request_id: entry.request_id.as_deref(),
        details: &entry.details,
        created_at: now,
    }
}

/// Adds a line with these details.
pub(crate) async fn append_with(
    tx: &mut Connection,
    entry: &AuditEntry,
    details: Value,
    now: Time,
) -> Result<()> {
    let line = Line {
        details: &details,
        ..line(entry, now)
    };
    run!(tx, c => diesel::insert_into(audit_log::table).values(&line).execute(c).await)?;
    Ok(())
}

/// Adds a line.
pub(crate) async fn append(tx: &mut Connection, entry: &AuditEntry, now: Time) -> Result<()> {
    let line = line(entry, now);
    run!(tx, c => diesel::insert_into(audit_log::table).values(&line).execute(c).await)?;
    Ok(())
}
