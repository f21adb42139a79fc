//! A row of `service_providers`, without the token: that is asked for by name or not at all.

use diesel::prelude::{AsChangeset, Queryable, Selectable};
use roadstead_core::ProviderId;
use serde_json::Value;

use crate::error::{Error, Result};
use crate::record;
use crate::schema::service_providers;
use crate::types::{Id, Time};

#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = service_providers)]
pub(crate) struct Provider {
    pub(crate) id: Id,
    pub(crate) kind: String,
    pub(crate) name: String,
    pub(crate) configuration: Value,
    pub(crate) is_active: bool,
    pub(crate) position: i32,
    pub(crate) fingerprint: Option<String>,
    pub(crate) verification: String,
    pub(crate) verification_reason: Option<String>,
    pub(crate) verification_at: Option<Time>,
    pub(crate) created_at: Time,
    pub(crate) updated_at: Time,
    pub(crate) catalogue_epoch: i64,
}

/// The columns that a verification fills.
#[derive(Clone, Debug, AsChangeset, diesel::prelude::Insertable)]
#[diesel(table_name = service_providers, treat_none_as_null = true)]
pub(crate) struct Verification {
    verification: String,
    verification_reason: Option<String>,
    verification_at: Option<Time>,
}

/// Spells a verification as columns.
pub(crate) fn verification(it: &record::Verification) -> Verification {
    let (word, reason, at) = match it {
        record::Verification::Unverified { reason } => ("unverified", reason.clone(), None),
        record::Verification::Verified { at } => ("verified", None, Some(*at)),
        record::Verification::Refused { reason, at } => {
            ("refused", Some(reason.clone()), Some(*at))
        }
    };
    Verification {
        verification: word.to_owned(),
        verification_reason: reason,
        verification_at: at.map(Time::from),
    }
}

impl Provider {
    /// Returns where the token of an account is sealed to.
    pub(crate) fn place(id: Id) -> String {
        format!("service_providers/{}/token", id.0)
    }

    pub(crate) fn into_record(self) -> Result<record::Provider> {
        let corrupt = Error::Corrupt {
            column: "service_providers.verification",
        };
        let at = self.verification_at.map(|it| it.0);
        let verification = match (self.verification.as_str(), self.verification_reason, at) {
            ("unverified", reason, _) => record::Verification::Unverified { reason },
            ("verified", _, Some(at)) => record::Verification::Verified { at },
            ("refused", Some(reason), Some(at)) => record::Verification::Refused { reason, at },
            _ => return Err(corrupt),
        };
        Ok(record::Provider {
            id: ProviderId(self.id.0),
            kind: self.kind.into(),
            name: self.name,
            configuration: self.configuration,
            active: self.is_active,
            position: self.position,
            fingerprint: self.fingerprint,
            verification,
            created_at: self.created_at.0,
            updated_at: self.updated_at.0,
            catalogue_epoch: self.catalogue_epoch,
        })
    }
}
