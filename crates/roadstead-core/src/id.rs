//! Identities: our own UUIDs and the vendors' opaque texts, each a type of its own.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

macro_rules! own_id {
    ($($(#[$meta:meta])* $name:ident),* $(,)?) => { $(
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl $name {
            /// Makes a fresh id. Ids made later sort later (UUIDv7).
            #[must_use]
            pub fn fresh() -> Self {
                Self(Uuid::now_v7())
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                text.parse().map(Self)
            }
        }
    )* };
}

own_id!(
    /// One of our servers, whatever its vendor calls it.
    InstanceId,
    /// A registered vendor account.
    ProviderId,
    /// A plan on sale here, whatever its vendor calls it (see [`PlanId`]).
    SalePlanId,
    /// An organization (tenant).
    OrgId,
    /// A person who can log in.
    UserId,
    /// A login session.
    SessionId,
    /// One of our durable operations; not the vendor's (see [`RemoteOperationId`]).
    OperationId,
    /// An organization's public SSH key; not the vendors' copies of it.
    SshKeyId,
    /// Something that members were told.
    EventId,
);

macro_rules! text_id {
    ($($(#[$meta:meta])* $name:ident),* $(,)?) => { $(
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub Box<str>);

        impl $name {
            /// Returns the text as the vendor spells it.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl<T: Into<Box<str>>> From<T> for $name {
            fn from(text: T) -> Self {
                Self(text.into())
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    )* };
}

text_id!(
    /// A server at its vendor. Made and read only by its provider, and enough on
    /// its own to address the server again.
    RemoteId,
    /// A job that the vendor runs. Made and read only by its provider.
    RemoteOperationId,
    /// A plan (size, type) at its vendor.
    PlanId,
    /// An image at its vendor.
    ImageId,
    /// A region, or a zone where the vendor places servers in zones.
    RegionId,
    /// A place in a vendor's log of what was done to a server. Made and read only by its
    /// provider.
    LogPlace,
    /// A vendor's place in a listing.
    PageToken,
    /// The short name of a vendor, as it stands in URLs and tables.
    ProviderKind,
);
