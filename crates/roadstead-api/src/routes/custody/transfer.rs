//! Servers that are taken into an organization, and servers that are let go.

use actix_web::web;
use roadstead_core::{Code, OrgId, RemoteId};
use roadstead_service::{ImportServer, Platform};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::allowed::{Operator, Then};
use crate::body::{Body, NoBody};
use crate::error::{ApiError, DoorCode};
use crate::openapi::Tag;
use crate::openapi::words::{Id, Success};
use crate::route::Route;
use crate::routes::admin::provider_id;
use crate::routes::vps::{answer, instance_id};
use crate::view::{self, AcceptedAnswer, ImportableAnswer};

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::get("/api/admin/providers/{id}/importable", importable)
            .named(
                Tag::Accounts,
                "listImportable",
                "List the servers that can be imported",
            )
            .about(
                "All servers of the account that no server of ours is bound to: those without our \
                 mark, and those in the quarantine. The provider is asked for all of its servers. \
                 `refusal` says of one that cannot be imported why.",
            )
            .of("The account's id.")
            .asks_provider()
            .refuses([Code::ProviderNotFound])
            .refuses([DoorCode::Conflict]),
        Route::post("/api/admin/providers/{id}/import", import)
            .named(Tag::Accounts, "importServer", "Import a server")
            .about(
                "Takes a server that somebody else made into an organization. Puts the intent on \
                 record and answers with the server (`provisioning`) and its operation, which puts \
                 our two tags on it; its name, and everything on it, stay as they are. Plan, sizes \
                 and price are the provider's own, and unknown where it does not say. A server that \
                 is bound already, or carries the mark of another installation, is a `CONFLICT`. If \
                 it vanishes meanwhile the operation fails, and so does the server.",
            )
            .of("The account's id.")
            .asks_provider()
            .refuses([Code::ProviderNotFound, Code::ProviderInactive])
            .refuses([DoorCode::NotFound]),
        Route::post("/api/admin/vps/{id}/release", release)
            .named(
                Tag::Servers,
                "releaseServer",
                "Take a server off our books, and leave it alive",
            )
            .about(
                "The operation takes our tags off it. It stays at the provider as it is, and shows \
                 `deleted` here, with a `problem` that says so. Nobody here touches it any more, \
                 even if its name still carries our mark; it can be imported again. A second release \
                 gives the first one's operation.",
            )
            .of("The server's id.")
            .refuses([Code::InstanceNotFound, Code::InvalidCredentials])
            .refuses([DoorCode::Conflict]),
    ]
}

async fn importable(
    operator: Operator,
    id: web::Path<String>,
    platform: web::Data<Platform>,
) -> Result<web::Json<ImportableAnswer>, ApiError> {
    let found = platform.importable(&operator.0, provider_id(&id)?).await?;
    Ok(web::Json(ImportableAnswer {
        success: Success,
        importable: found.into_iter().map(view::Importable::from).collect(),
        next_cursor: None,
    }))
}

/// A server to be imported.
#[derive(Deserialize, JsonSchema)]
#[schemars(rename = "ImportServer")]
#[serde(deny_unknown_fields)]
struct ImportBody {
    /// Its id at the provider.
    #[schemars(example = &"3164494")]
    remote_id: String,
    /// Whose it becomes.
    #[schemars(with = "Id")]
    organization_id: OrgId,
    /// The member's name for it; the provider keeps its own.
    #[schemars(example = &"shop-frontend")]
    label: String,
    /// The member's tags.
    #[serde(default)]
    #[schemars(example = ["shop"])]
    tags: Vec<String>,
}

async fn import(
    Then(operator, body): Then<Operator, Body<ImportBody>>,
    id: web::Path<String>,
    platform: web::Data<Platform>,
) -> Result<web::Json<AcceptedAnswer>, ApiError> {
    let it = body.value;
    let request = ImportServer {
        remote: RemoteId::from(it.remote_id),
        organization: it.organization_id,
        label: it.label,
        tags: it.tags,
    };
    let accepted = platform
        .import_server(&operator.0, provider_id(&id)?, request)
        .await?;
    Ok(answer(accepted))
}

async fn release(
    Then(operator, _): Then<Operator, NoBody>,
    id: web::Path<String>,
    platform: web::Data<Platform>,
) -> Result<web::Json<AcceptedAnswer>, ApiError> {
    let accepted = platform
        .release_server(&operator.0, instance_id(&id)?)
        .await?;
    Ok(answer(accepted))
}
