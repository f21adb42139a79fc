//! What a case needs of a vendor: a way in, ways to break it, and the truth.

use std::sync::Arc;
use std::time::Duration;

use roadstead_core::{CreateInstance, CreateKey, PlanId, Provider, RemoteId};

/// A vendor, or its simulator, in a state of its own.
#[expect(
    async_fn_in_trait,
    reason = "cases run on one task, so the futures need not be `Send`"
)]
pub trait Harness {
    /// Makes a provider for the vendor's account. Each call makes another one, as
    /// another process would; they share nothing but the account.
    fn provider(&self) -> Arc<dyn Provider>;

    /// Makes a provider for an address where nobody listens.
    fn unreachable(&self) -> Arc<dyn Provider>;

    /// Returns a request that the vendor accepts, for a server with every kind of
    /// address that the vendor has.
    fn request(&self, key: CreateKey) -> CreateInstance;

    /// Returns a request that uses every option of the descriptor's schema.
    async fn rich_request(&self, key: CreateKey) -> CreateInstance;

    /// Returns the options that the server of a mark has, without the help of any provider, as
    /// the request for it would spell them.
    async fn options_at_vendor(&self, key: &CreateKey) -> serde_json::Value;

    /// Returns a request for a server with a graphics processor, where the vendor has them.
    fn gpu_request(&self, key: CreateKey) -> Option<CreateInstance>;

    /// Returns what is known of one plan from the vendor's own documents.
    fn known_plan(&self) -> KnownPlan;

    /// Returns a well-formed id that no server has.
    fn absent_instance(&self) -> RemoteId;

    /// Returns the secrets by which the provider proves itself.
    fn secrets(&self) -> Vec<String>;

    /// Spoils the next `count` calls of a class.
    async fn break_next(&self, class: CallClass, count: u32, fault: Fault);

    /// Takes back what [`Self::break_next`] has not used up.
    async fn mend(&self);

    /// Makes the vendor refuse the provider's token from now on.
    async fn revoke_token(&self);

    /// Makes the vendor report the status `word` when it is asked for a server.
    async fn show_status(&self, id: &RemoteId, word: &str);

    /// Moves the vendor's time on.
    async fn pass_time(&self, by: Duration);

    /// Counts the live servers that carry a mark, without the help of any provider.
    async fn servers_at_vendor(&self, key: &CreateKey) -> usize;

    /// Counts the calls of a class that have reached the vendor.
    async fn calls_seen(&self, class: CallClass) -> usize;
}

/// What a call is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallClass {
    /// Any call.
    Any,
    /// A call that changes nothing.
    Read,
    /// The call that creates a server.
    Create,
    /// The call that deletes a server.
    Delete,
    /// A call that starts any other action.
    Action,
    /// The call that puts a tag of a mark on a server, or all of its tags.
    Mark,
}

/// What goes wrong.
#[derive(Clone, Debug)]
pub enum Fault {
    /// No answer before the provider gives up.
    Silence {
        /// Whether the call has its effect.
        when: When,
    },
    /// Another status.
    Status {
        /// The status.
        status: u16,
        /// Whether the call has its effect.
        when: When,
        /// The body; the vendor's own error shape where absent.
        body: Option<serde_json::Value>,
    },
    /// The connection is closed without an answer.
    Drop {
        /// Whether the call has its effect.
        when: When,
    },
    /// A web page of something between us and the vendor.
    Html {
        /// Its status.
        status: u16,
        /// Whether the call has its effect.
        when: When,
    },
    /// The connection is closed in the middle of the answer, after the effect.
    Truncate,
    /// 429 in the vendor's own shape; the call has no effect.
    Throttle {
        /// When to come back.
        retry_after: Duration,
    },
}

/// On which side of a call's effect a fault lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// There is no effect.
    Before,
    /// There is, and only the answer is spoiled.
    After,
    /// There is, so long after the spoiled answer in real time.
    Late(Duration),
}

/// A plan as the vendor's documents describe it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownPlan {
    /// Its id.
    pub id: PlanId,
    /// Virtual processors.
    pub vcpus: u32,
    /// Memory in MiB.
    pub memory_mib: u64,
    /// Local disk in MiB.
    pub disk_mib: Option<u64>,
    /// Included transfer in decimal gigabytes.
    pub transfer_gb: Option<u64>,
    /// The hourly price in dollars, as printed in the price list.
    pub hourly: Option<&'static str>,
    /// The monthly price in dollars, as printed in the price list.
    pub monthly: Option<&'static str>,
}
