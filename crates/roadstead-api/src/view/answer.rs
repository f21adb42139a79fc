//! Whole answers: `success`, the noun, and for lists where they go on.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use super::{
    AdminProvider, BudgetBucket, Instance, Operation, Organization, Provider, SshKey, User,
};
use crate::openapi::words::Success;

/// It is done.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Done {
    pub(crate) success: Success,
}

/// The process lives.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct HealthAnswer {
    pub(crate) success: Success,
    /// Always `ok`.
    #[schemars(extend("const" = "ok"))]
    pub(crate) status: &'static str,
    /// The version that runs.
    #[schemars(example = &"0.1.0")]
    pub(crate) version: &'static str,
}

/// The service can work.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct ReadyAnswer {
    pub(crate) success: Success,
    /// Always `ready`.
    #[schemars(extend("const" = "ready"))]
    pub(crate) status: &'static str,
}

/// Who asks.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct MeAnswer {
    pub(crate) success: Success,
    pub(crate) user: User,
    /// Where the user belongs, and as what. The first one counts without `X-Organization`.
    pub(crate) organizations: Vec<Organization>,
    /// When this login ends.
    pub(crate) expires_at: Timestamp,
}

/// What is left of the calls that a provider takes.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct BudgetAnswer {
    pub(crate) success: Success,
    /// What the provider counts together, the narrowest first. A call may count in several.
    /// Empty where calls are not counted.
    pub(crate) buckets: Vec<BudgetBucket>,
}

/// A server.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct InstanceAnswer {
    pub(crate) success: Success,
    pub(crate) instance: Instance,
}

/// A page of servers.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct InstancesAnswer {
    pub(crate) success: Success,
    /// The servers, in the order that was asked for.
    pub(crate) instances: Vec<Instance>,
    /// Where the next page begins, for `cursor`; `null` on the last page.
    #[schemars(example = &"AAGToeBcfns6nVJvHC6KSxA")]
    pub(crate) next_cursor: Option<String>,
}

/// What was accepted: the server as it is now, and the operation that will change it.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct AcceptedAnswer {
    pub(crate) success: Success,
    pub(crate) instance: Instance,
    pub(crate) operation: Operation,
}

/// An operation.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct OperationAnswer {
    pub(crate) success: Success,
    pub(crate) operation: Operation,
}

/// A page of a server's operations.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct OperationsAnswer {
    pub(crate) success: Success,
    /// The operations, newest first.
    pub(crate) operations: Vec<Operation>,
    /// Where the next page begins, for `cursor`; `null` on the last page.
    #[schemars(example = &"AAGToeBcfns6nVJvHC6KSxA")]
    pub(crate) next_cursor: Option<String>,
}

/// An SSH key.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct SshKeyAnswer {
    pub(crate) success: Success,
    pub(crate) ssh_key: SshKey,
}

/// A page of the organization's SSH keys.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct SshKeysAnswer {
    pub(crate) success: Success,
    /// The keys, newest first.
    pub(crate) ssh_keys: Vec<SshKey>,
    /// Where the next page begins, for `cursor`; `null` on the last page.
    #[schemars(example = &"AZOh4Fx-ezqdUm8cLopLEKt7VZ2JAsEdMQ")]
    pub(crate) next_cursor: Option<String>,
}

/// The active provider accounts that are open to the organization.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct ProvidersAnswer {
    pub(crate) success: Success,
    /// In the operator's order.
    pub(crate) providers: Vec<Provider>,
    /// Always `null`: they come in one page.
    #[schemars(extend("type" = "null"))]
    pub(crate) next_cursor: Option<String>,
}

/// A provider account.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct AccountAnswer {
    pub(crate) success: Success,
    pub(crate) provider: AdminProvider,
}

/// Every provider account.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct AccountsAnswer {
    pub(crate) success: Success,
    /// In the operator's order.
    pub(crate) providers: Vec<AdminProvider>,
    /// Always `null`: they come in one page.
    #[schemars(extend("type" = "null"))]
    pub(crate) next_cursor: Option<String>,
}
