//! One server with what the pages about it need to know.

use maud::html;
use roadstead_core::{Descriptor, Feature, InstanceId, State};
use roadstead_service::{
    CatalogueSource, Error, Instance, Lifecycle, OpenAccount, OperationKind, Permission,
    ReadInstances,
};

use crate::failure::Failure;
use crate::ui::{Health, Page, tabs};
use crate::visitor::{Member, Visitor};

/// A server, and the account that it is at.
#[derive(Debug)]
pub(super) struct About {
    /// The server.
    pub(super) server: Instance,
    /// The account, if it is still open to the organization.
    pub(super) account: Option<OpenAccount>,
}

impl About {
    /// Reads a server and its account from our books.
    pub(super) async fn read<P: Permission>(member: &Member<P>, id: &str) -> Result<Self, Failure> {
        let grant = member.may::<ReadInstances>()?;
        let server = member.platform.server(&grant, server_id(id)?).await?;
        let accounts = member.platform.open_accounts(&grant).await?;
        let account = accounts
            .into_iter()
            .find(|it| it.account.record.id == server.provider);
        Ok(Self { server, account })
    }

    /// Returns the account's name, or the vendor's short one.
    pub(super) fn account_name(&self) -> &str {
        let account = self.account.as_ref();
        account.map_or(self.server.kind.as_str(), |it| &it.account.record.name)
    }

    /// Returns how the account is.
    pub(super) fn health(&self) -> Option<Health> {
        let account = self.account.as_ref()?;
        let record = &account.account.record;
        let (active, verification) = (record.active, &record.verification);
        Some(Health::of(active, verification, &account.health))
    }

    /// Returns the vendor's name for people.
    pub(super) fn provider_name(&self) -> &str {
        let account = self.account.as_ref();
        account.map_or(self.server.kind.as_str(), |it| &it.account.descriptor.name)
    }

    /// Returns what the vendor can do.
    pub(super) fn descriptor(&self) -> Option<&Descriptor> {
        self.account.as_ref().map(|it| &it.account.descriptor)
    }

    /// Returns why something cannot be had, as a sentence; `None` where it can.
    pub(super) fn refusal(&self, feature: Feature) -> Option<String> {
        match self.descriptor() {
            Some(descriptor) => descriptor.refusal(feature).map(|it| it.into_owned()),
            None => Some("its provider account is switched off".to_owned()),
        }
    }

    /// Returns whose catalogue the server's plans and images are in.
    pub(super) fn source(&self) -> CatalogueSource {
        CatalogueSource {
            kind: self.server.kind.to_string(),
            provider: Some(self.server.provider),
        }
    }

    /// Returns the address of one of its pages.
    pub(super) fn path(&self, page: &str) -> String {
        place(self.server.id, page)
    }

    /// Returns what can be done to its power now.
    pub(super) fn power_actions(&self) -> Vec<OperationKind> {
        if self.server.lifecycle != Lifecycle::Live {
            return Vec::new();
        }
        let mut actions = match self.server.power {
            State::Running => vec![OperationKind::Reboot, OperationKind::Shutdown],
            State::Stopped => vec![OperationKind::Boot],
            State::Error | State::Unknown => vec![OperationKind::Boot, OperationKind::Reboot],
            _ => Vec::new(),
        };
        let can_cut = self.refusal(Feature::PowerOff).is_none();
        if can_cut && !matches!(self.server.power, State::Stopped) && !actions.is_empty() {
            actions.push(OperationKind::PowerOff);
        }
        actions
    }

    /// Returns whether there is anything left to change.
    pub(super) const fn is_there(&self) -> bool {
        !matches!(
            self.server.lifecycle,
            Lifecycle::Deleting | Lifecycle::Deleted
        )
    }

    /// Begins a page about it, with the way to its other pages.
    pub(super) fn page<'a>(&'a self, visitor: &'a Visitor, title: String) -> Page<'a> {
        let mut pages = vec![
            (self.path(""), "Overview"),
            (self.path("/activity"), "Activity"),
        ];
        if visitor.may_change() && self.is_there() {
            pages.push((self.path("/settings"), "Settings"));
        }
        let pages: Vec<_> = pages.iter().map(|it| (it.0.as_str(), it.1)).collect();
        let delete = visitor.may_change() && self.is_there();
        Page::new(visitor, title)
            .crumb("/", "Servers")
            .actions(html! {
                @if delete && visitor.place() != self.path("/delete") {
                    a.button.danger-quiet href=(self.path("/delete")) { "Delete…" }
                }
            })
            .above(tabs("Server", visitor.place(), &pages))
    }
}

/// What is no id cannot be anybody's server.
pub(super) fn server_id(text: &str) -> Result<InstanceId, Failure> {
    Ok(text.parse().map_err(|_text| Error::NoSuchInstance)?)
}

/// Returns the address of a page about a server.
pub(super) fn place(id: InstanceId, page: &str) -> String {
    format!("/servers/{id}{page}")
}

/// Returns the name of an operation, as a button has it.
pub(super) const fn verb(kind: OperationKind) -> &'static str {
    match kind {
        OperationKind::Create => "Create",
        OperationKind::Boot => "Switch on",
        OperationKind::Shutdown => "Shut down",
        OperationKind::Reboot => "Reboot",
        OperationKind::PowerOff => "Cut the power",
        OperationKind::Resize => "Change the plan",
        OperationKind::Rebuild => "Rebuild",
        OperationKind::Delete => "Delete",
        OperationKind::Import => "Import",
        OperationKind::Release => "Release",
    }
}
