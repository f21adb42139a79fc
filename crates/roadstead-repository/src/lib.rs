#![doc = include_str!("../README.md")]

mod accept;
mod apply;
mod audit;
mod claim;
mod db;
mod error;
mod instances;
mod migrations;
mod observe;
mod operations;
mod people;
mod providers;
mod record;
mod row;
mod schema;
mod sealing;
mod types;

pub use crate::db::{Backend, Options, Repository};
pub use crate::error::{Error, Result};
pub use crate::migrations::Deployment;
pub use crate::observe::Doom;
pub use crate::record::{
    Accepted, AttemptOutcome, AuditEntry, Change, Claim, ErrorRecord, IdempotencyKey, Instance,
    InstanceChange, InstanceFilter, InstancePatch, Lifecycle, Membership, NewInstance,
    NewOperation, NewProvider, NewSession, Observation, Operation, OperationKind, OperationState,
    Organization, Provider, ProviderPatch, Request, Role, SentAttempt, Session, Specification,
    User, Verification,
};
pub use crate::sealing::Keyring;

/// On whose behalf a query runs. Every query about an organization's things takes one, so that
/// forgetting the organization does not compile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tenant {
    /// The organization.
    pub org: roadstead_core::OrgId,
}
