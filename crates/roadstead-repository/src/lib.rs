#![doc = include_str!("../README.md")]

mod accept;
mod answers;
mod apply;
mod audit;
mod claim;
mod db;
mod error;
mod events;
mod instances;
mod migrations;
mod observe;
mod operations;
mod people;
mod placements;
mod plans;
mod providers;
mod record;
mod row;
mod schema;
mod sealing;
mod ssh_keys;
mod tally;
mod types;

pub use crate::db::{Backend, Options, Repository};
pub use crate::error::{Error, Result};
pub use crate::events::{EventPage, EventWatch, Wake};
pub use crate::migrations::Deployment;
pub use crate::observe::Doom;
pub use crate::record::{
    Accepted, Accounts, Apart, AttemptOutcome, AuditEntry, BaseChange, Change, Claim, ErrorRecord,
    Event, EventBody, Hardware, IdempotencyKey, Imported, Instance, InstanceBrief, InstanceChange,
    InstanceFilter, InstancePatch, InstanceSlice, Lifecycle, ListedBy, Listing, Membership,
    NewInstance, NewOperation, NewPlacement, NewProvider, NewSalePlan, NewSession, NewSshKey,
    Observation, OfferedIn, OfferedPlan, OfferedPrice, Operation, OperationBrief, OperationKind,
    OperationSlice, OperationState, Organization, OwnMarkups, Placement, PlanImport, Position,
    Provider, ProviderPatch, Request, Role, Sale, SaleOffering, SalePlan, SalePlanFilter,
    SalePlanMark, SalePlanOrder, SalePlanPatch, SentAttempt, Session, Specification, SshKey, Terms,
    User, Verification,
};
pub use crate::sealing::Keyring;
pub use crate::tally::{OpenOperations, Pool, Tally};

/// On whose behalf a query runs. Every query about an organization's things takes one, so that
/// forgetting the organization does not compile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tenant {
    /// The organization.
    pub org: roadstead_core::OrgId,
}
