//! What leaves this crate: core types and plain records, never rows.

mod custody;
mod event;
mod instance;
mod list;
mod operation;
mod people;
mod plan;
mod provider;
mod ssh_key;
mod sweep;

pub use self::custody::{Becomes, Import, NewImport, OpenFilter, Parting};
pub use self::event::{Event, EventBody, InstanceBrief, OperationBrief, Position};
pub use self::instance::{
    Instance, InstanceFilter, InstancePatch, Lifecycle, NewInstance, Observation, Specification,
};
pub use self::list::{InstanceSlice, ListedBy, Listing, OperationSlice};
pub use self::operation::{
    Accepted, AttemptOutcome, Change, Claim, ErrorRecord, IdempotencyKey, InstanceChange,
    NewOperation, Operation, OperationKind, OperationState, Request, SentAttempt, Terms,
};
pub use self::people::{
    AuditEntry, AuditLine, Membership, NewSession, Organization, Role, Session, User,
};
pub use self::plan::{
    Accounts, Apart, BaseChange, Hardware, Imported, NewSalePlan, OfferedIn, OfferedPlan,
    OfferedPrice, OwnMarkups, PlanImport, Sale, SaleOffering, SalePlan, SalePlanFilter,
    SalePlanMark, SalePlanOrder, SalePlanPatch,
};
pub use self::provider::{NewProvider, Provider, ProviderPatch, Verification};
pub use self::ssh_key::{NewPlacement, NewSshKey, Placement, SshKey};
pub use self::sweep::{
    BoundServer, CreateAttempt, DeleteOrder, DoomLeave, DoomSighting, Doubt, MarkedServer,
    OrderedDelete, QuarantineState, Quarantined, Suspect, Sweep, SweepBooks, SweepClaim, SweepEnd,
    SweepFindings, SweepOutcome, Unwanted,
};
