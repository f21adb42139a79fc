//! The audit log: one line in the same transaction as what it tells.

use diesel::ExpressionMethods;
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use crate::db::{Connection, run};
use crate::error::Result;
use crate::record::AuditEntry;
use crate::schema::audit_log;
use crate::types::{Id, Time};

/// Adds a line.
pub(crate) async fn append(tx: &mut Connection, entry: &AuditEntry, now: Time) -> Result<()> {
    let values = (
        audit_log::id.eq(Id(Uuid::now_v7())),
        audit_log::organization_id.eq(entry.organization.map(|it| Id(it.0))),
        audit_log::user_id.eq(entry.user.map(|it| Id(it.0))),
        audit_log::action.eq(entry.action),
        audit_log::subject.eq(&entry.subject),
        audit_log::request_id.eq(entry.request_id.as_deref()),
        audit_log::details.eq(&entry.details),
        audit_log::created_at.eq(now),
    );
    run!(tx, c => diesel::insert_into(audit_log::table).values(values).execute(c).await)?;
    Ok(())
}
