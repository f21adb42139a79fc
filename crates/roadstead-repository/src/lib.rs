#![doc = include_str!("../README.md")]

mod accept;
mod answers;
mod apply;
mod audit;
mod claim;
mod custody;
mod db;
mod decision;
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
mod sweep;
mod tally;
mod types;

pub use crate::custody::CustodyDecision;
pub use crate::db::{Backend, Options, Repository};
pub use crate::decision::Decision;
pub use crate::error::{Error, Result};
pub use crate::events::{EventPage, EventWatch, Wake};
pub use crate::migrations::Deployment;
pub use crate::record::{
    Accepted, Accounts, Apart, AttemptOutcome, AuditEntry, AuditLine, BaseChange, Becomes,
    BoundServer, Change, Claim, CreateAttempt, DeleteOrder, DoomLeave, DoomSighting, Doubt,
    ErrorRecord, Event, EventBody, Hardware, IdempotencyKey, Import, Imported, Instance,
    InstanceBrief, InstanceChange, InstanceFilter, InstancePatch, InstanceSlice, Lifecycle,
    ListedBy, Listing, MarkedServer, Membership, NewImport, NewInstance, NewOperation,
    NewPlacement, NewProvider, NewSalePlan, NewSession, NewSshKey, Observation, OfferedIn,
    OfferedPlan, OfferedPrice, OpenFilter, Operation, OperationBrief, OperationKind,
    OperationSlice, OperationState, OrderedDelete, Organization, OwnMarkups, Parting, Placement,
    PlanImport, Position, Provider, ProviderPatch, QuarantineState, Quarantined, Request, Role,
    Sale, SaleOffering, SalePlan, SalePlanFilter, SalePlanMark, SalePlanOrder, SalePlanPatch,
    SentAttempt, Session, Specification, SshKey, Suspect, Sweep, SweepBooks, SweepClaim, SweepEnd,
    SweepFindings, SweepOutcome, Terms, Unwanted, User, Verification,
};
pub use crate::sealing::Keyring;
pub use crate::sweep::{Doom, DoomRule};
pub use crate::tally::{OpenOperations, Pool, Tally};

/// On whose behalf a query runs. Every query about an organization's things takes one, so that
/// forgetting the organization does not compile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tenant {
    /// The organization.
    pub org: roadstead_core::OrgId,
}
