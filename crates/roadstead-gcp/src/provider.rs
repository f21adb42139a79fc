//! `impl Provider`: every call refuses, with the reason.

use std::any::Any;
use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use roadstead_core::{
    Account, Action, At, Billed, CreateGuarantee, CreateInstance, CreateKey, Created, Descriptor,
    Error, Extensions, Feature, Image, Instance, InstanceQuery, Lane, Limits, NameRule,
    OperationLog, Page, Plan, Provider, ProviderKind, RateBucket, RebuildRule, Region, RemoteId,
    RemoteOperation, RemoteOperationId, ResizeRule, Result, RootPassword, Since, Support,
};

/// Why nothing can be had.
const WHY: &str = "Roadstead cannot create servers at Google Compute Engine yet";

/// Google Compute Engine, which this version describes but cannot use: every call refuses
/// ([`roadstead_core::ErrorKind::Unsupported`]) and nothing is ever sent.
#[derive(Clone, Debug)]
pub struct Gcp {
    descriptor: Descriptor,
}

impl Gcp {
    pub(crate) fn new() -> Self {
        Self {
            descriptor: descriptor(),
        }
    }

    fn refuse(&self, operation: &'static str) -> Error {
        Error::unsupported(self.descriptor.kind.clone(), operation, WHY)
    }
}

/// Returns the vendor's short name.
pub(crate) fn kind() -> ProviderKind {
    ProviderKind::from("gcp")
}

/// Describes what the vendor can do, without an account.
#[must_use]
pub fn descriptor() -> Descriptor {
    let no = || Support::No {
        why: Cow::Borrowed(WHY),
    };
    Descriptor {
        kind: kind(),
        name: Cow::Borrowed("Google Compute Engine"),
        available: no(),
        features: Feature::ALL.into_iter().map(|it| (it, no())).collect(),
        limits: Limits {
            name: NameRule {
                pattern: Cow::Borrowed("^[a-z]([-a-z0-9]{0,61}[a-z0-9])?$"),
                min: 1,
                max: 63,
                unique: true,
                sentence: Cow::Borrowed(
                    "1 to 63 lower-case letters, digits and hyphens, beginning with a letter and \
                     not ending with a hyphen; unique in its zone",
                ),
            },
            user_data_bytes: 262144,
            tags: 64,
            page_max: 500,
        },
        root_password: RootPassword::No {
            why: Cow::Borrowed(WHY),
        },
        // For what refuses all, the strictest rules.
        resize: ResizeRule {
            needs_stopped: true,
            shrinks_disk: false,
        },
        rebuild: RebuildRule {
            root_password: false,
            ssh_keys: false,
            user_data: false,
        },
        billed_when_stopped: Billed::StorageOnly,
        // A repeated `requestId` is recognized too, but only within the vendor's memory of
        // requests; the name stays taken as long as the server lives.
        create_guarantee: CreateGuarantee::UniqueName,
        visibility_lag: Duration::from_secs(60),
        max_late_commit: Duration::from_secs(60),
        options_schema: serde_json::json!({
            "type": "object",
            "properties": {},
            "additionalProperties": false,
        }),
    }
}

#[async_trait]
impl Provider for Gcp {
    fn descriptor(&self) -> &Descriptor {
        &self.descriptor
    }

    async fn validate_credentials(&self) -> Result<Account> {
        Err(self.refuse("check the credentials"))
    }

    fn check_create(&self, _request: &CreateInstance) -> Result<()> {
        Err(self.refuse("create the instance"))
    }

    async fn create_instance(&self, _request: &CreateInstance) -> Result<Created> {
        Err(self.refuse("create the instance"))
    }

    async fn find_created(&self, _key: &CreateKey) -> Result<Vec<Instance>> {
        Err(self.refuse("look for the instance"))
    }

    async fn get_instance(&self, _id: &RemoteId) -> Result<Instance> {
        Err(self.refuse("read the instance"))
    }

    async fn mark_instance(&self, _id: &RemoteId, _key: &CreateKey) -> Result<()> {
        Err(self.refuse("mark the instance"))
    }

    async fn unmark_instance(&self, _id: &RemoteId, _key: &CreateKey) -> Result<()> {
        Err(self.refuse("unmark the instance"))
    }

    async fn list_instances(&self, _query: &InstanceQuery, _at: At) -> Result<Page<Instance>> {
        Err(self.refuse("list the instances"))
    }

    fn check_action(&self, _action: &Action) -> Result<()> {
        Err(self.refuse("perform the action"))
    }

    async fn perform_action(&self, _id: &RemoteId, _action: &Action) -> Result<RemoteOperation> {
        Err(self.refuse("perform the action"))
    }

    async fn get_operation(&self, _id: &RemoteOperationId) -> Result<RemoteOperation> {
        Err(self.refuse("read the operation"))
    }

    async fn recent_operations(&self, _id: &RemoteId, _since: &Since) -> Result<OperationLog> {
        Err(self.refuse("read the log of the instance"))
    }

    async fn get_plans(&self) -> Result<Arc<[Plan]>> {
        Err(self.refuse("list the plans"))
    }

    async fn get_images(&self) -> Result<Arc<[Image]>> {
        Err(self.refuse("list the images"))
    }

    async fn get_regions(&self) -> Result<Arc<[Region]>> {
        Err(self.refuse("list the regions"))
    }

    fn extensions(&self) -> Extensions<'_> {
        Extensions::default()
    }

    fn in_lane(&self, _lane: Lane) -> Arc<dyn Provider> {
        Arc::new(self.clone())
    }

    fn budget(&self) -> Vec<RateBucket> {
        Vec::new()
    }

    fn native(&self) -> &(dyn Any + Send + Sync) {
        self
    }
}
