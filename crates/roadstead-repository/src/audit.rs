//! The audit log: one line in the same transaction as what it tells.

use diesel::prelude::Insertable;
use diesel::{ExpressionMethods, NullableExpressionMethods, QueryDsl};
use diesel_async::RunQueryDsl;
use roadstead_core::OrgId;
use serde_json::Value;
use uuid::Uuid;

use crate::db::{Connection, Repository, read, run};
use crate::error::Result;
use crate::record::{AuditEntry, AuditLine};
use crate::schema::{audit_log, users};
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

/// A line of the log with who it tells of, as it is read.
type Told = (
    Id,
    Option<String>,
    String,
    String,
    Option<String>,
    Value,
    Time,
);

impl Repository {
    /// Returns a page of the log of an organization, or of the installation itself, newest first;
    /// only what is about `subject`, if there is one. The last id of a page is where the next
    /// begins.
    ///
    /// # Errors
    ///
    /// [`crate::Error::Unavailable`] if the database does not answer.
    pub async fn list_audit(
        &self,
        organization: Option<OrgId>,
        subject: Option<&str>,
        before: Option<Uuid>,
        limit: u32,
    ) -> Result<Vec<AuditLine>> {
        let lines: Vec<Told> = read!(self.db, c => {
            let mut query = audit_log::table.left_join(users::table).into_boxed();
            query = match organization {
                Some(organization) => query.filter(audit_log::organization_id.eq(Id(organization.0))),
                None => query.filter(audit_log::organization_id.is_null()),
            };
            if let Some(subject) = subject {
                query = query.filter(audit_log::subject.eq(subject));
            }
            if let Some(before) = before {
                query = query.filter(audit_log::id.lt(Id(before)));
            }
            query.order(audit_log::id.desc()).limit(i64::from(limit))
                .select((
                    audit_log::id,
                    users::email.nullable(),
                    audit_log::action,
                    audit_log::subject,
                    audit_log::request_id,
                    audit_log::details,
                    audit_log::created_at,
                ))
                .load(c).await
        })?;
        let line = |(id, who, action, subject, request_id, details, at): Told| AuditLine {
            id: id.0,
            who,
            action,
            subject,
            request_id,
            details,
            created_at: at.0,
        };
        Ok(lines.into_iter().map(line).collect())
    }
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
