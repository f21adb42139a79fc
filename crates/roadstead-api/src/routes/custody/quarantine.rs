//! Servers that carry our mark and that nobody here can vouch for: shown, and decided about.

use actix_web::web;
use roadstead_core::{Code, OrgId};
use roadstead_service::{Adoption, Decided, Error, Platform, QuarantineDecision};
use schemars::JsonSchema;
use serde::Deserialize;
use uuid::Uuid;

use super::ListQuery;
use crate::allowed::{Operator, Then};
use crate::body::Body;
use crate::error::{ApiError, DoorCode};
use crate::openapi::Tag;
use crate::openapi::words::{self, Id, Success};
use crate::query::Query;
use crate::route::Route;
use crate::view::{self, DecidedAnswer, QuarantineAnswer};

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::get("/api/admin/quarantine", list)
            .named(Tag::Accounts, "listQuarantine", "List the quarantine")
            .about(
                "Servers at the providers that carry our mark and that nobody here can vouch for, \
                 those that were seen first before the others. None is ever deleted by itself. One \
                 that was decided about, is deleted at the provider, or carries our mark no more, \
                 leaves the list; one that is to be deleted, when it is gone.",
            ),
        Route::post("/api/admin/quarantine/{id}/decision", decide)
            .named(
                Tag::Accounts,
                "decideQuarantined",
                "Decide about a quarantined server",
            )
            .about(
                "With `adopt` it comes into our books as by an import, and the answer has `instance` and \
                 `operation`. Where its mark names a server of ours that has failed or was deleted, \
                 it goes back into that one; `organization_id` is then that one's, or left out. Else \
                 `organization_id` says whose it becomes.\n\nWith `release` it is left alone: nothing is \
                 changed at the provider, and it is shown again only if its mark changes.\n\nWith \
                 `delete` it is deleted at the provider. `name` is its name there, typed once more. Before the \
                 request is sent the server is read again: if its name or its date is another one, or \
                 it carries our mark no more, it is not deleted, and `deletion` says why.",
            )
            .of("The entry's id.")
            .asks_provider()
            .refuses([Code::ProviderNotFound, Code::ProviderInactive])
            .refuses([DoorCode::NotFound]),
    ]
}

async fn list(
    Then(operator, query): Then<Operator, Query<ListQuery>>,
    platform: web::Data<Platform>,
) -> Result<web::Json<QuarantineAnswer>, ApiError> {
    let page = platform.quarantine(&operator.0, &query.0.into()).await?;
    Ok(web::Json(QuarantineAnswer {
        success: Success,
        quarantine: page
            .items
            .into_iter()
            .map(view::Quarantined::from)
            .collect(),
        next_cursor: page.next,
    }))
}

/// What was decided about a quarantined server.
#[derive(Deserialize, JsonSchema)]
#[schemars(rename = "DecideQuarantined")]
#[serde(deny_unknown_fields)]
struct DecisionBody {
    /// `adopt`, `release` or `delete`.
    #[schemars(schema_with = "words::quarantine_decision")]
    decision: String,
    /// Whose it becomes, with `adopt`.
    #[schemars(with = "Option<Id>")]
    organization_id: Option<OrgId>,
    /// The member's name for it, with `adopt`; without one, that at the provider.
    #[schemars(example = &"shop-frontend")]
    label: Option<String>,
    /// The member's tags, with `adopt`.
    #[schemars(example = ["shop"])]
    tags: Option<Vec<String>>,
    /// Its name at the provider, with `delete`.
    #[schemars(example = &"web-0d3p1ab2s9t6k0ub2qv9c1d4e8")]
    name: Option<String>,
}

impl DecisionBody {
    fn into_decision(self) -> Result<QuarantineDecision, ApiError> {
        let refused = |field: &str, error: &str| ApiError::validation(field.to_owned(), error);
        let is_adopted = self.decision == "adopt";
        let of_adopt = [
            ("organization_id", self.organization_id.is_some()),
            ("label", self.label.is_some()),
            ("tags", self.tags.is_some()),
        ];
        if let Some((field, _)) = of_adopt.iter().find(|(_, given)| *given && !is_adopted) {
            return Err(refused(field, "goes with `adopt` only"));
        }
        if self.name.is_some() && self.decision != "delete" {
            return Err(refused("name", "goes with `delete` only"));
        }
        match (self.decision.as_str(), self.name) {
            ("adopt", _) => Ok(QuarantineDecision::Adopt(Adoption {
                organization: self.organization_id,
                label: self.label,
                tags: self.tags.unwrap_or_default(),
            })),
            ("release", _) => Ok(QuarantineDecision::Release),
            ("delete", Some(name)) => Ok(QuarantineDecision::Delete { name }),
            ("delete", None) => Err(refused(
                "name",
                "type the server's name at the provider, to confirm",
            )),
            _ => Err(refused(
                "decision",
                "must be `adopt`, `release` or `delete`",
            )),
        }
    }
}

async fn decide(
    Then(operator, body): Then<Operator, Body<DecisionBody>>,
    id: web::Path<String>,
    platform: web::Data<Platform>,
) -> Result<web::Json<DecidedAnswer>, ApiError> {
    let id: Uuid = id
        .parse()
        .map_err(|_text| Error::NotFound("quarantined server"))?;
    let decision = body.value.into_decision()?;
    let decided = platform
        .decide_quarantined(&operator.0, id, decision)
        .await?;
    Ok(web::Json(match decided {
        Decided::Adopted(accepted) => DecidedAnswer {
            success: Success,
            quarantined: None,
            instance: Some(view::Instance::from(accepted.instance)),
            operation: Some(view::Operation::from(accepted.operation)),
        },
        Decided::Settled(entry) => DecidedAnswer {
            success: Success,
            quarantined: Some(view::Quarantined::from(*entry)),
            instance: None,
            operation: None,
        },
    }))
}
