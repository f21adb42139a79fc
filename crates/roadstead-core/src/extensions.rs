//! Abilities that not every vendor has.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::{CreateInstance, Feature, MarketplaceApp, RegionId, RemoteId, Result};

/// The optional abilities of a provider.
#[derive(Clone, Copy, Default)]
#[non_exhaustive]
pub struct Extensions<'a> {
    /// Keys kept at the vendor.
    pub ssh_keys: Option<&'a dyn SshKeys>,
    /// Ready-made applications.
    pub marketplace: Option<&'a dyn Marketplace>,
    /// Setup scripts kept at the vendor.
    pub stack_scripts: Option<&'a dyn StackScripts>,
    /// Lists from which options of a create are chosen.
    pub choices: Option<&'a dyn Choices>,
    /// What a creating request cannot carry; absent where it carries everything.
    pub after_create: Option<&'a dyn AfterCreate>,
}

impl fmt::Debug for Extensions<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Extensions")
            .field("ssh_keys", &self.ssh_keys.is_some())
            .field("marketplace", &self.marketplace.is_some())
            .field("stack_scripts", &self.stack_scripts.is_some())
            .field("choices", &self.choices.is_some())
            .field("after_create", &self.after_create.is_some())
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
    /// `Invalid` on the field `id` for an id that is not this provider's.
    async fn delete(&self, id: &str) -> Result<()>;
}

/// Ready-made applications.
#[async_trait]
pub trait Marketplace: Send + Sync {
    /// Returns all applications that the vendor itself offers.
    ///
    /// # Errors
    ///
    /// Any.
    async fn apps(&self) -> Result<Arc<[MarketplaceApp]>>;
}

/// Setup scripts kept at the vendor. They start like applications, which is why they have
/// the same form.
#[async_trait]
pub trait StackScripts: Send + Sync {
    /// Returns the account's own scripts. Those that others have published are too many to
    /// list, and are asked for by their id.
    ///
    /// # Errors
    ///
    /// Any.
    async fn own(&self) -> Result<Arc<[MarketplaceApp]>>;

    /// Returns one script that the account can use, be it its own, the vendor's or one that
    /// somebody has published.
    ///
    /// # Errors
    ///
    /// `NoSuchResource` when the account sees no such script, `Invalid` on the field `id` for
    /// an id that is not this provider's.
    async fn script(&self, id: &str) -> Result<MarketplaceApp>;
}

/// A list at the vendor from which an option of a create is chosen.
///
/// In [`crate::Descriptor::options_schema`] the member `x-roadstead-choices` of an option
/// names its list by [`Self::as_str`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ChoiceList {
    /// Firewalls.
    Firewalls,
    /// Private networks that a server can join.
    Networks,
    /// Groups that keep servers apart or together.
    PlacementGroups,
}

impl ChoiceList {
    /// Every list.
    pub const ALL: [Self; 3] = [Self::Firewalls, Self::Networks, Self::PlacementGroups];

    /// Returns the name as it stands in schemas and URLs.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Firewalls => "firewalls",
            Self::Networks => "networks",
            Self::PlacementGroups => "placement_groups",
        }
    }

    /// Returns the list of a name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.as_str() == name)
    }

    /// Returns the feature that the list belongs to.
    #[must_use]
    pub const fn feature(self) -> Feature {
        match self {
            Self::Firewalls => Feature::Firewall,
            Self::Networks => Feature::Vpc,
            Self::PlacementGroups => Feature::PlacementGroup,
        }
    }
}

/// Something to choose as the value of an option.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Choice {
    /// What to give as the option.
    pub value: serde_json::Value,
    /// A name for people.
    pub label: Box<str>,
    /// Where it can be chosen; everywhere where absent.
    pub region: Option<RegionId>,
    /// What else there is to say of it, such as a range of addresses.
    pub summary: Option<Box<str>>,
}

/// Lists from which options of a create are chosen. They belong to the whole account, whoever
/// the server is for.
#[async_trait]
pub trait Choices: Send + Sync {
    /// Returns what can be chosen.
    ///
    /// # Errors
    ///
    /// `Unsupported`, with the descriptor's reason, where the vendor has no
    /// [`ChoiceList::feature`]; `Forbidden` when the token may not see the list.
    async fn choices(&self, of: ChoiceList) -> Result<Arc<[Choice]>>;
}

/// What a creating request cannot carry, and is set once the server is there.
#[async_trait]
pub trait AfterCreate: Send + Sync {
    /// Returns what is left to do for a server made by this request, if anything is. It holds
    /// no secret, so that it can be kept until the server runs.
    fn plan(&self, request: &CreateInstance) -> Option<serde_json::Value>;

    /// Does it, on a server that runs. Safe to repeat.
    ///
    /// # Errors
    ///
    /// Any; the server stays as it is. `Invalid` on the field `plan` for what does not come from
    /// [`Self::plan`].
    async fn finish(&self, id: &RemoteId, plan: &serde_json::Value) -> Result<()>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_found_by_the_name_that_json_has_for_it() {
        for list in ChoiceList::ALL {
            assert_eq!(serde_json::to_value(list).unwrap(), list.as_str());
            assert_eq!(ChoiceList::parse(list.as_str()), Some(list));
        }
        assert_eq!(ChoiceList::parse("Firewalls"), None);
    }
}
