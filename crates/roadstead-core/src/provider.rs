//! The trait that every cloud implements.

use std::any::Any;
use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::{
    Action, At, CreateInstance, CreateKey, Created, Descriptor, Extensions, Image, Instance,
    InstanceQuery, Lane, OperationLog, Page, Plan, RateBucket, Region, RemoteId, RemoteOperation,
    RemoteOperationId, Result, Since,
};

/// Who a token belongs to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// The account's stable identity at its vendor. Two tokens with the same
    /// fingerprint reach the same servers.
    pub fingerprint: Box<str>,
    /// A name or address for people.
    pub label: Option<Box<str>>,
    /// How many servers the vendor allows, where it says.
    pub instance_limit: Option<u32>,
    /// Permissions that this platform needs and the token lacks, as the vendor spells them.
    pub missing_scopes: Vec<Box<str>>,
}

/// One vendor account.
///
/// No method has a default body, so that a wrapper which forgets to forward one
/// does not compile. A method may refuse ([`crate::ErrorKind::Unsupported`], with
/// the reason in the message); it never pretends. Users call [`crate::ProviderExt`]
/// for streams and waits.
#[async_trait]
pub trait Provider: fmt::Debug + Send + Sync + 'static {
    /// Describes what the vendor can do.
    fn descriptor(&self) -> &Descriptor;

    /// Asks the vendor whose token this is.
    ///
    /// # Errors
    ///
    /// `NoToken`, `BadToken` when the vendor does not know the token, `Forbidden`
    /// when the token may not even read the account (the message names the scope).
    async fn validate_credentials(&self) -> Result<Account>;

    /// Checks all of a creating request that can be checked without asking the vendor: options,
    /// keys, passwords, sizes of data. Sends nothing.
    ///
    /// # Errors
    ///
    /// `Invalid` with the field, `Unsupported`; the same that [`Self::create_instance`] would return.
    fn check_create(&self, request: &CreateInstance) -> Result<()>;

    /// Sends at most **one** creating request.
    ///
    /// # Errors
    ///
    /// Any; [`crate::Details::outcome`] says whether a server may exist nevertheless.
    /// `Conflict` where the vendor shows that another request used the same key.
    async fn create_instance(&self, request: &CreateInstance) -> Result<Created>;

    /// Returns every live server that carries the key's mark, by name or by tag.
    ///
    /// The answer is complete or an error; an empty one means the vendor shows none *now*
    /// (see [`Descriptor::visibility_lag`]).
    ///
    /// # Errors
    ///
    /// Any; none of them means absence.
    async fn find_created(&self, key: &CreateKey) -> Result<Vec<Instance>>;

    /// Returns one server.
    ///
    /// # Errors
    ///
    /// `NoSuchInstance` only when the vendor itself says so; a failure to ask never reads as absence.
    async fn get_instance(&self, id: &RemoteId) -> Result<Instance>;

    /// Puts both tags of the mark on a server that stands, whoever made it. Keeps its name and all
    /// its other tags. Safe to repeat: after an error one of the two may be there, and one that is
    /// there already is not put on again.
    ///
    /// # Errors
    ///
    /// `NoSuchInstance` only when the vendor itself says so, `Invalid` where the vendor takes no
    /// such tag or no more of them; any other.
    async fn mark_instance(&self, id: &RemoteId, key: &CreateKey) -> Result<()>;

    /// Takes exactly these two tags off a server, and keeps all others. Safe to repeat: one that is
    /// not there needs no taking off.
    ///
    /// # Errors
    ///
    /// `NoSuchInstance` only when the vendor itself says so; any other.
    async fn unmark_instance(&self, id: &RemoteId, key: &CreateKey) -> Result<()>;

    /// Returns one page of the servers. All pages together are complete, GPU servers included.
    ///
    /// # Errors
    ///
    /// Any.
    async fn list_instances(&self, query: &InstanceQuery, at: At) -> Result<Page<Instance>>;

    /// Checks all of an action that can be checked without asking the vendor. Sends nothing.
    ///
    /// # Errors
    ///
    /// `Invalid` with the field, `Unsupported`; the same that [`Self::perform_action`] would return.
    fn check_action(&self, action: &Action) -> Result<()>;

    /// Starts an action. Sends at most one changing request.
    ///
    /// # Errors
    ///
    /// `Unsupported` where the descriptor says no, `Busy` while another action runs,
    /// `NoSuchInstance` for anything but a delete (deleting what is gone succeeds).
    async fn perform_action(&self, id: &RemoteId, action: &Action) -> Result<RemoteOperation>;

    /// Returns how far a job is.
    ///
    /// # Errors
    ///
    /// `NoSuchResource` when the vendor has forgotten it.
    async fn get_operation(&self, id: &RemoteOperationId) -> Result<RemoteOperation>;

    /// Returns what the vendor's own log tells of a server: all that was asked for, or an error.
    /// It may lag, so that what is not in it yet may come later.
    ///
    /// # Errors
    ///
    /// `NoSuchInstance` where the vendor has no such server and keeps no log of it; `Invalid` for
    /// a place that does not come from this log; any other, none of which means that nothing was
    /// done.
    async fn recent_operations(&self, id: &RemoteId, since: &Since) -> Result<OperationLog>;

    /// Returns all plans, with where they are sold and for how much.
    ///
    /// # Errors
    ///
    /// Any.
    async fn get_plans(&self) -> Result<Arc<[Plan]>>;

    /// Returns all images that a server can be made from.
    ///
    /// # Errors
    ///
    /// Any.
    async fn get_images(&self) -> Result<Arc<[Image]>>;

    /// Returns all regions.
    ///
    /// # Errors
    ///
    /// Any.
    async fn get_regions(&self) -> Result<Arc<[Region]>>;

    /// Returns the optional abilities; each is `None` exactly where the descriptor says no.
    fn extensions(&self) -> Extensions<'_>;

    /// Returns the same account, for calls of another lane: same token, same budget, same caches.
    fn in_lane(&self, lane: Lane) -> Arc<dyn Provider>;

    /// Returns what is left of the calls that the vendor takes, as far as this program knows.
    /// Asks nobody; empty where the calls are not counted.
    fn budget(&self) -> Vec<RateBucket>;

    /// Returns the vendor's own typed client, for what the common model does not cover.
    fn native(&self) -> &(dyn Any + Send + Sync);
}
