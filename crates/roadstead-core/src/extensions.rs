//! Abilities that not every vendor has.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::{ImageId, Result};

/// The optional abilities of a provider.
#[derive(Clone, Copy, Default)]
#[non_exhaustive]
pub struct Extensions<'a> {
    /// Keys kept at the vendor.
    pub ssh_keys: Option<&'a dyn SshKeys>,
    /// Ready-made applications.
    pub marketplace: Option<&'a dyn Marketplace>,
}

impl fmt::Debug for Extensions<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Extensions")
            .field("ssh_keys", &self.ssh_keys.is_some())
            .field("marketplace", &self.marketplace.is_some())
            .finish()
    }
}

/// How a creating request carries public keys to the vendor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyForm {
    /// As they are. The vendor need not have them.
    Full,
    /// By the ids of keys that the vendor has: [`SshKeys::ensure`] comes first.
    Placed,
}

/// A public key as the vendor keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptKey {
    /// The vendor's id, as a creating request takes it.
    pub id: Box<str>,
    /// The name it has there. Another name than the one given to [`SshKeys::ensure`] tells that
    /// somebody else put it there.
    pub name: Box<str>,
}

/// SSH keys kept at the vendor.
#[async_trait]
pub trait SshKeys: Send + Sync {
    /// Returns how a creating request carries public keys.
    fn form(&self) -> KeyForm;

    /// Makes sure that the vendor has the public key, and returns it as the vendor keeps it. One
    /// that is there already keeps its name. Safe to repeat.
    ///
    /// # Errors
    ///
    /// `Invalid` for a text that is no public key.
    async fn ensure(&self, public_key: &str, name: &str) -> Result<KeptKey>;

    /// Returns the public key as the vendor keeps it, if it does; of several copies the one with
    /// this name, if there is one.
    ///
    /// # Errors
    ///
    /// `Invalid` for a text that is no public key. A failure to ask is never an absence.
    async fn find(&self, public_key: &str, name: &str) -> Result<Option<KeptKey>>;

    /// Removes a key; one that is gone already is a success.
    ///
    /// # Errors
    ///
    /// Any.
    async fn delete(&self, id: &str) -> Result<()>;
}

/// A ready-made application that a server can be started from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MarketplaceApp {
    /// The vendor's id.
    pub id: Box<str>,
    /// A name for people.
    pub label: Box<str>,
    /// What to give as the image; `None` where the app works upon an image of choice.
    pub image: Option<ImageId>,
}

/// Ready-made applications.
#[async_trait]
pub trait Marketplace: Send + Sync {
    /// Returns all applications.
    ///
    /// # Errors
    ///
    /// Any.
    async fn apps(&self) -> Result<Arc<[MarketplaceApp]>>;
}
