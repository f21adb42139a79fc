//! A server's change of plan, and its rebuild.

use actix_web::web;
use roadstead_core::{SalePlanId, Secret};
use roadstead_service::{ManageInstances, Platform, RebuildServer, ResizeServer};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{answer, instance_id, plan};
use crate::allowed::{Allowed, Then};
use crate::body::Body;
use crate::error::ApiError;
use crate::openapi::words::Id;
use crate::view::AcceptedAnswer;

/// A change of plan.
#[derive(Deserialize, JsonSchema)]
#[schemars(rename = "ResizeServer")]
#[serde(deny_unknown_fields)]
pub(super) struct ResizeBody {
    /// A plan on sale at the server's account, which says the provider's plan and the price.
    #[schemars(with = "Option<Id>")]
    plan_id: Option<SalePlanId>,
    /// The provider's id of a plan; needed without `plan_id`.
    #[serde(rename = "type")]
    #[schemars(example = &"s-1vcpu-2gb")]
    plan: Option<String>,
    /// Whether the disk grows with it. A disk that has grown does not shrink again at most
    /// providers, so that smaller plans are out of reach from then on.
    #[serde(default)]
    grow_disk: bool,
}

/// A rebuild.
#[derive(Deserialize, JsonSchema)]
#[schemars(rename = "RebuildServer")]
#[serde(deny_unknown_fields)]
pub(super) struct RebuildBody {
    /// The provider's id of an image.
    #[schemars(example = &"ubuntu-22-04-x64")]
    image: String,
    /// The new password of root, also taken as `root_password`, where `rebuild.root_password` of
    /// the provider's `descriptor` says so. It is sealed, and forgotten once it is set.
    #[serde(rename = "rootPassword", alias = "root_password")]
    #[schemars(with = "Option<String>", extend("format" = "password"))]
    root_password: Option<Secret<String>>,
    /// Ids of the organization's SSH keys, or public keys in OpenSSH form, where
    /// `rebuild.ssh_keys` says so.
    #[serde(default)]
    #[schemars(example = ["ssh-ed25519 AAAAC3Nz… you@example.com"])]
    ssh_keys: Vec<String>,
    /// User data for cloud-init, where `rebuild.user_data` says so.
    #[schemars(with = "Option<String>", example = &"#cloud-config\npackages: [nginx]\n")]
    user_data: Option<Secret<String>>,
}

pub(super) async fn resize(
    Then(caller, body): Then<Allowed<ManageInstances>, Body<ResizeBody>>,
    id: web::Path<String>,
    platform: web::Data<Platform>,
) -> Result<web::Json<AcceptedAnswer>, ApiError> {
    let it = body.value;
    let request = ResizeServer {
        sale: it.plan_id,
        plan: plan(it.plan, it.plan_id)?,
        grow_disk: it.grow_disk,
    };
    let accepted = platform
        .resize_server(&caller.0, instance_id(&id)?, request)
        .await?;
    Ok(answer(accepted))
}

pub(super) async fn rebuild(
    Then(caller, body): Then<Allowed<ManageInstances>, Body<RebuildBody>>,
    id: web::Path<String>,
    platform: web::Data<Platform>,
) -> Result<web::Json<AcceptedAnswer>, ApiError> {
    let it = body.value;
    let request = RebuildServer {
        image: it.image,
        root_password: it.root_password,
        ssh_keys: it.ssh_keys,
        user_data: it.user_data,
    };
    let accepted = platform
        .rebuild_server(&caller.0, instance_id(&id)?, request)
        .await?;
    Ok(answer(accepted))
}
