//! The organization's public SSH keys.

use actix_web::web;
use roadstead_core::SshKeyId;
use roadstead_service::{AddSshKey, Error, ManageKeys, PageRequest, Platform, ReadKeys};
use schemars::JsonSchema;
use serde::Deserialize;

use super::vps::fifty;
use crate::allowed::{Allowed, Then};
use crate::body::{Body, NoBody};
use crate::error::{ApiError, DoorCode};
use crate::openapi::Tag;
use crate::openapi::words::Success;
use crate::query::Query;
use crate::route::Route;
use crate::view::{self, Done, SshKeyAnswer, SshKeysAnswer};

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::get("/api/ssh-keys", list)
            .named(Tag::SshKeys, "listSshKeys", "List SSH keys")
            .about("Newest first."),
        Route::post("/api/ssh-keys", add)
            .named(Tag::SshKeys, "addSshKey", "Add an SSH key")
            .about(
                "A private key is refused, and so is a key or a name that the organization has \
                 already. No provider hears of it before a server needs it.",
            )
            .refuses([DoorCode::QuotaExceeded]),
        Route::delete("/api/ssh-keys/{id}", delete)
            .named(Tag::SshKeys, "deleteSshKey", "Delete an SSH key")
            .about(
                "The providers at which it was placed for this organization alone lose it soon \
                 afterwards. Servers that were made with it keep it.",
            )
            .of("The key's id.")
            .refuses([DoorCode::NotFound]),
    ]
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ListQuery {
    /// How many at most.
    #[serde(default = "fifty")]
    #[schemars(range(min = 1, max = 200))]
    limit: u32,
    /// `next_cursor` of the page before.
    #[schemars(example = &"AZOh4Fx-ezqdUm8cLopLEKt7VZ2JAsEdMQ")]
    cursor: Option<String>,
}

async fn list(
    Then(caller, query): Then<Allowed<ReadKeys>, Query<ListQuery>>,
    platform: web::Data<Platform>,
) -> Result<web::Json<SshKeysAnswer>, ApiError> {
    let page = PageRequest {
        cursor: query.0.cursor,
        limit: query.0.limit,
    };
    let page = platform.ssh_keys(&caller.0, &page).await?;
    Ok(web::Json(SshKeysAnswer {
        success: Success,
        ssh_keys: page.items.into_iter().map(view::SshKey::from).collect(),
        next_cursor: page.next,
    }))
}

/// An SSH key to be added.
#[derive(Deserialize, JsonSchema)]
#[schemars(rename = "AddSshKey")]
#[serde(deny_unknown_fields)]
struct AddBody {
    /// Your name for it: 1 to 100 characters, unique in the organization.
    #[schemars(example = &"laptop")]
    name: String,
    /// The public key in OpenSSH form, on one line.
    #[schemars(example = &"ssh-ed25519 AAAAC3Nz… you@example.com")]
    public_key: String,
}

async fn add(
    Then(caller, body): Then<Allowed<ManageKeys>, Body<AddBody>>,
    platform: web::Data<Platform>,
) -> Result<web::Json<SshKeyAnswer>, ApiError> {
    let AddBody { name, public_key } = body.value;
    let add = AddSshKey { name, public_key };
    let key = platform.add_ssh_key(&caller.0, add).await?;
    Ok(web::Json(SshKeyAnswer {
        success: Success,
        ssh_key: view::SshKey::from(key),
    }))
}

async fn delete(
    Then(caller, _): Then<Allowed<ManageKeys>, NoBody>,
    id: web::Path<String>,
    platform: web::Data<Platform>,
) -> Result<web::Json<Done>, ApiError> {
    // What is no id cannot be anybody's key.
    let id: SshKeyId = id.parse().map_err(|_text| Error::NotFound("SSH key"))?;
    platform.delete_ssh_key(&caller.0, id).await?;
    Ok(web::Json(Done { success: Success }))
}
