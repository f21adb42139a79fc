//! The audit log as people read it: who did what, and when.

use std::collections::{BTreeMap, BTreeSet};

use roadstead_core::InstanceId;
use roadstead_repository::AuditLine;

use crate::error::Result;
use crate::grant::{Grant, OperatorGrant, ReadInstances};
use crate::pages::{Cursors, Page, PageRequest};
use crate::platform::Platform;

impl Platform {
    /// Returns a page of what was done in the caller's organization, newest first; only to
    /// `subject`, if there is one.
    ///
    /// # Errors
    ///
    /// [`crate::Error::Invalid`] for a limit out of range, or a cursor that is not of this list.
    pub async fn activity(
        &self,
        grant: &Grant<ReadInstances>,
        subject: Option<&str>,
        page: &PageRequest,
    ) -> Result<Page<AuditLine>> {
        let tenant = grant.tenant();
        let cursors = Cursors::of_activity(&self.repository, &tenant, subject);
        let before = page.cursor.as_deref().map(|it| cursors.open_id(it));
        let (before, limit) = (before.transpose()?, page.checked_limit()?);
        let more = limit.saturating_add(1);
        let lines = self
            .repository
            .list_audit(Some(tenant.org), subject, before, more)
            .await?;
        Ok(cursors.cut(lines, limit, |it| it.id))
    }

    /// Returns the labels of the servers that lines of the organization's log are about.
    ///
    /// # Errors
    ///
    /// [`crate::Error::Unavailable`] when the database is away.
    pub async fn labels(
        &self,
        grant: &Grant<ReadInstances>,
        lines: &[AuditLine],
    ) -> Result<BTreeMap<String, String>> {
        let about_servers = lines.iter().filter(|it| it.action.starts_with("instance."));
        let ids: BTreeSet<InstanceId> = about_servers
            .filter_map(|it| it.subject.parse().ok())
            .collect();
        let ids: Vec<_> = ids.into_iter().collect();
        let tenant = grant.tenant();
        let named = self.repository.instance_labels(&tenant, &ids).await?;
        let named = named.into_iter();
        Ok(named.map(|(id, label)| (id.to_string(), label)).collect())
    }

    /// Returns a page of what was done to the installation itself, newest first.
    ///
    /// # Errors
    ///
    /// As [`Self::activity`].
    pub async fn installation_activity(
        &self,
        _grant: &OperatorGrant,
        page: &PageRequest,
    ) -> Result<Page<AuditLine>> {
        let cursors = Cursors::of_operators(&self.repository, "activity");
        let before = page.cursor.as_deref().map(|it| cursors.open_id(it));
        let (before, limit) = (before.transpose()?, page.checked_limit()?);
        let more = limit.saturating_add(1);
        let lines = self.repository.list_audit(None, None, before, more).await?;
        Ok(cursors.cut(lines, limit, |it| it.id))
    }
}
