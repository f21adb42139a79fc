#![doc = include_str!("../README.md")]

mod activity;
mod catalogue;
mod custody;
mod engine;
mod error;
mod feed;
mod grant;
mod health;
mod instances;
mod observed;
mod operations;
mod pages;
mod people;
mod platform;
mod providers;
mod registry;
mod sale_plans;
mod search;
mod setup;
mod ssh_keys;
mod telemetry;
mod waiting;

pub use roadstead_cache::{
    CatalogueKind, Counts as CatalogueCounts, Failure as CatalogueFailure, Fetched,
    Status as CatalogueStatus,
};
pub use roadstead_repository::{
    Accepted, Accounts, AuditLine, Decision, DeleteOrder, Doubt, ErrorRecord, Event, EventBody,
    IdempotencyKey, Imported, Instance, InstanceBrief, InstanceFilter, InstancePatch, Lifecycle,
    Membership, OpenFilter, Operation, OperationBrief, OperationKind, OperationState, Organization,
    OwnMarkups, Provider as ProviderRecord, ProviderPatch, QuarantineState, Quarantined, Role,
    Sale, SaleOffering, SalePlan, SalePlanFilter, SalePlanOrder, Session, Specification, SshKey,
    Sweep, SweepOutcome, User, Verification,
};

pub use crate::catalogue::{Catalogue, CatalogueSource, Keeper};
pub use crate::custody::{
    Adoption, Decided, ImportServer, Importable, MissingDecision, QuarantineDecision,
};
pub use crate::engine::{
    Absence, Book, Call, Clockwork, Engine, Judgment, Observed, Step, SweepRule, Tags, Target,
    Verdict, decide, judge,
};
pub use crate::error::{Error, FieldError, Result, public_field};
pub use crate::feed::{
    End, EventClockwork, EventFilter, EventItem, EventKind, EventRequest, EventStream,
};
pub use crate::grant::{
    Caller, Grant, ManageInstances, ManageKeys, OperatorGrant, Permission, ReadInstances, ReadKeys,
};
pub use crate::health::{CallClass, CircuitPolicy, CircuitState, CircuitStatus, Health, LastCall};
pub use crate::instances::{CreateServer, RebuildServer, ResizeServer};
pub use crate::observed::ObservedProvider;
pub use crate::pages::{Page, PageRequest, ServerOrder};
pub use crate::people::{Login, NewUser};
pub use crate::platform::{Platform, PlatformConfig};
pub use crate::providers::{
    AccountHealth, OpenAccount, ProviderChange, RegisterProvider, Registered,
};
pub use crate::registry::{Account, Factory, Registry};
pub use crate::sale_plans::{BasePrice, ImportFilter, ImportPlans, SalePlanChange, SellPlan};
pub use crate::search::{Found, FoundPlans, Silent};
pub use crate::ssh_keys::AddSshKey;
pub use crate::telemetry::describe;
pub use crate::waiting::Waiting;
