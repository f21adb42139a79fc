//! Servers: created, listed, changed, run and deleted.

mod reshape;

use std::collections::BTreeMap;
use std::time::Duration;

use actix_web::web;
use roadstead_core::{Code, InstanceId, Market, ProviderId, SalePlanId, Secret};
use roadstead_service::{
    Accepted, CreateServer, Error, Grant, InstanceFilter, InstancePatch, ManageInstances,
    OperationKind, PageRequest, Platform, ReadInstances, ServerOrder,
};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::allowed::{Allowed, Then};
use crate::body::{Body, NoBody};
use crate::error::ApiError;
use crate::openapi::Tag;
use crate::openapi::words::{self, Id, Success};
use crate::query::Query;
use crate::route::Route;
use crate::view::{self, AcceptedAnswer, InstanceAnswer, InstancesAnswer};

/// The longest that an answer can be waited for.
const LONGEST_WAIT: u64 = 30;

pub(super) fn routes() -> Vec<Route> {
    let action = |route: Route, id, summary| {
        route
            .named(Tag::Servers, id, summary)
            .about(
                "Puts the intent on record and answers with the operation, which does it. One \
                 operation at a time works on a server; another action meanwhile is a `CONFLICT`. \
                 What the provider does not offer, and what does not fit what the server is doing, \
                 is an `INVALID_ACTION` with the reason.",
            )
            .of("The server's id.")
            .refuses([
                Code::InstanceNotFound,
                Code::InvalidAction,
                Code::ProviderInactive,
                Code::InvalidCredentials,
            ])
    };
    vec![
        Route::post("/api/vps", create)
            .named(Tag::Servers, "createServer", "Create a server")
            .about(
                "Checks the request against the provider's catalogue and limits, puts the intent \
                 on record, and answers with the server (`provisioning`) and its operation. With \
                 `wait` it answers when the provider has accepted or refused, so that a refusal \
                 has its own code and status; without it, a refusal is on the operation.\n\nGive \
                 `provider_id`, or `provider_type` for the first active account of that provider; \
                 if both are given, they must agree. `plan_id` may stand for `provider_id` and \
                 `type`: then the price is the plan's, and stays on the server.",
            )
            .asks_provider()
            .refuses([Code::ProviderNotFound, Code::ProviderInactive]),
        Route::get("/api/vps", list)
            .named(Tag::Servers, "listServers", "List servers")
            .about(
                "Without deleted ones. The filters are combined, and count together with `sort`. \
                 A list goes on where it was: a server that is there all the time is shown exactly \
                 once, whatever is created, renamed or deleted meanwhile. A `cursor` of another \
                 list, order or organization is refused.",
            ),
        Route::get("/api/vps/{id}", get)
            .named(Tag::Servers, "getServer", "Show a server")
            .about("A deleted one is still shown.")
            .of("The server's id.")
            .refuses([Code::InstanceNotFound]),
        Route::patch("/api/vps/{id}", change)
            .named(
                Tag::Servers,
                "changeServer",
                "Change a server's label, tags or notes",
            )
            .about("In our books only: the provider keeps its own name and tags.")
            .of("The server's id.")
            .refuses([Code::InstanceNotFound]),
        action(
            Route::post("/api/vps/{id}/boot", boot),
            "bootServer",
            "Switch a server on",
        ),
        action(
            Route::post("/api/vps/{id}/shutdown", shutdown),
            "shutDownServer",
            "Switch a server off, asking its system",
        ),
        action(
            Route::post("/api/vps/{id}/reboot", reboot),
            "rebootServer",
            "Switch a server off and on again",
        ),
        action(
            Route::post("/api/vps/{id}/power-off", power_off),
            "powerOffServer",
            "Cut a server's power",
        ),
        action(
            Route::post("/api/vps/{id}/resize", reshape::resize),
            "resizeServer",
            "Change a server's plan",
        )
        .about(
            "Checks the plan as a create does, puts the intent on record, and answers with the \
             operation. Give `type`, or `plan_id` of a plan on sale at the server's account. The \
             plan, what the server is made of, its price and the terms of its sale change together \
             when the provider has done it, and not if it fails; what it cost until then stays in \
             the audit log. `resize` of the provider's `descriptor` says whether the server has to \
             be stopped; if it runs then, that is an `INVALID_ACTION`.",
        )
        .asks_provider(),
        action(
            Route::post("/api/vps/{id}/rebuild", reshape::rebuild),
            "rebuildServer",
            "Put a fresh image on a server's disk",
        )
        .about(
            "Everything on the disk is lost; the id, the addresses and the price stay. `rebuild` \
             of the provider's `descriptor` says what can be given beside the image. It is sent to \
             the provider at most once: if the answer is lost and the provider's own log does not \
             tell of it, the operation is left in `attention`.",
        )
        .asks_provider(),
        action(
            Route::delete("/api/vps/{id}", delete),
            "deleteServer",
            "Delete a server",
        )
        .about(
            "At any time: it begins when the operation at hand has ended. A second one gives the \
             first one's operation. The server shows `deleting`, and once it is proved to be gone \
             `deleted`.",
        ),
    ]
}

/// A server to be created.
#[derive(Deserialize, JsonSchema)]
#[schemars(rename = "CreateServer")]
#[serde(deny_unknown_fields)]
struct CreateBody {
    /// The account to create it at.
    #[schemars(with = "Option<Id>")]
    provider_id: Option<ProviderId>,
    /// The provider to create it at, by its first active account.
    #[schemars(example = &"acme")]
    provider_type: Option<String>,
    /// Your name for it; the provider's `descriptor` says what names it takes.
    #[schemars(example = &"test-server")]
    label: String,
    /// A plan on sale, which says the account and the provider's plan.
    #[schemars(with = "Option<Id>")]
    plan_id: Option<SalePlanId>,
    /// The provider's id of a plan; needed without `plan_id`.
    #[serde(rename = "type")]
    #[schemars(example = &"s-1vcpu-1gb")]
    plan: Option<String>,
    /// The provider's id of a region.
    #[schemars(example = &"nyc3")]
    region: String,
    /// The provider's id of an image.
    #[schemars(example = &"ubuntu-22-04-x64")]
    image: String,
    /// The password of root, also taken as `root_password`. The provider's `descriptor` says how
    /// it reaches the server. It is sealed, and forgotten once it is set.
    #[serde(rename = "rootPassword", alias = "root_password")]
    #[schemars(with = "Option<String>", extend("format" = "password"))]
    root_password: Option<Secret<String>>,
    /// Up to 50 keys: ids of the organization's SSH keys, public keys in OpenSSH form, or the
    /// provider's ids of keys it has.
    #[serde(default)]
    #[schemars(example = ["ssh-ed25519 AAAAC3Nz… you@example.com"])]
    ssh_keys: Vec<String>,
    /// User data for cloud-init.
    #[schemars(with = "Option<String>", example = &"#cloud-config\npackages: [nginx]\n")]
    user_data: Option<Secret<String>>,
    /// Whether the provider makes backups.
    #[serde(default)]
    backups: bool,
    /// Whether it gets an IPv6 address.
    #[serde(default)]
    ipv6: bool,
    /// Whether it joins the region's private network.
    #[serde(default)]
    private_network: bool,
    /// Your tags.
    #[serde(default)]
    #[schemars(example = ["web"])]
    tags: Vec<String>,
    /// How it is paid for; on demand where it is not given. Plans say where they are sold how.
    #[schemars(with = "Option<words::Market>")]
    market: Option<String>,
    /// What only this provider knows; its `descriptor` has the JSON Schema.
    #[schemars(with = "Option<BTreeMap<String, serde_json::Value>>")]
    options: Option<serde_json::Value>,
    /// How many seconds to wait until the provider has accepted or refused.
    #[serde(default)]
    #[schemars(range(max = 30))]
    wait: u64,
}

async fn create(
    Then(caller, body): Then<Allowed<ManageInstances>, Body<CreateBody>>,
    platform: web::Data<Platform>,
) -> Result<web::Json<AcceptedAnswer>, ApiError> {
    let it = body.value;
    let request = CreateServer {
        provider: it.provider_id,
        kind: it.provider_type,
        sale: it.plan_id,
        label: it.label,
        plan: plan(it.plan, it.plan_id)?,
        region: it.region,
        image: it.image,
        root_password: it.root_password,
        ssh_keys: it.ssh_keys,
        user_data: it.user_data,
        backups: it.backups,
        ipv6: it.ipv6,
        private_network: it.private_network,
        tags: it.tags,
        market: it.market.as_deref().map(market).transpose()?,
        options: it.options,
        wait: wait(it.wait)?,
    };
    let accepted = platform.create_server(&caller.0, request).await?;
    Ok(answer(accepted))
}

/// Returns the provider's plan, which a plan on sale may stand for.
fn plan(named: Option<String>, sale: Option<SalePlanId>) -> Result<String, ApiError> {
    let message = match (named, sale) {
        (Some(plan), None) => return Ok(plan),
        (None, Some(_)) => return Ok(String::new()),
        (Some(plan), Some(_)) if !plan.is_empty() => return Ok(plan),
        (Some(_), Some(_)) => "must not be empty; leave it out, `plan_id` says enough",
        (None, None) => "say what: give `type`, or `plan_id`",
    };
    Err(ApiError::validation("type".to_owned(), message))
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ListQuery {
    /// Only servers that show this status.
    #[serde(default)]
    #[schemars(schema_with = "words::status")]
    status: Option<String>,
    /// Only servers at this provider.
    #[schemars(example = &"acme")]
    provider_type: Option<String>,
    /// Only servers at this account.
    #[schemars(with = "Option<Id>")]
    provider_id: Option<ProviderId>,
    /// Only servers in this region of the provider.
    #[schemars(example = &"nyc3")]
    region: Option<String>,
    /// Only servers whose label contains this, in capital or small letters.
    #[schemars(example = &"web")]
    label: Option<String>,
    /// Only servers with exactly this tag.
    #[schemars(example = &"blue")]
    tag: Option<String>,
    /// In what order: by a field, or with a minus backwards. `label` is compared in small letters,
    /// one after the other as Unicode numbers them; equal ones follow each other by id.
    #[serde(default = "newest_first")]
    #[schemars(schema_with = "words::server_order")]
    sort: String,
    /// How many at most.
    #[serde(default = "fifty")]
    #[schemars(range(min = 1, max = 200))]
    limit: u32,
    /// `next_cursor` of the page before, with the same `sort`.
    #[schemars(example = &"AAZAr8zzQAABk6HgXH57Op1SbxwuiksQq3tVnYkCwR0x")]
    cursor: Option<String>,
}

fn newest_first() -> String {
    ServerOrder::default().as_str().to_owned()
}

pub(super) const fn fifty() -> u32 {
    50
}

async fn list(
    Then(caller, query): Then<Allowed<ReadInstances>, Query<ListQuery>>,
    platform: web::Data<Platform>,
) -> Result<web::Json<InstancesAnswer>, ApiError> {
    let query = query.0;
    let order = order(&query.sort)?;
    let page = PageRequest {
        cursor: query.cursor,
        limit: query.limit,
    };
    let filter = InstanceFilter {
        status: query.status.map(status).transpose()?,
        kind: query.provider_type.map(Into::into),
        provider: query.provider_id,
        region: query.region.map(Into::into),
        label: query.label,
        tag: query.tag,
    };
    let page = platform.servers(&caller.0, &filter, order, &page).await?;
    Ok(web::Json(InstancesAnswer {
        success: Success,
        instances: page.items.into_iter().map(view::Instance::from).collect(),
        next_cursor: page.next,
    }))
}

async fn get(
    caller: Allowed<ReadInstances>,
    id: web::Path<String>,
    platform: web::Data<Platform>,
) -> Result<web::Json<InstanceAnswer>, ApiError> {
    let server = platform.server(&caller.0, instance_id(&id)?).await?;
    Ok(web::Json(InstanceAnswer {
        success: Success,
        instance: view::Instance::from(server),
    }))
}

/// What to change about a server. What is not given stays.
#[derive(Deserialize, JsonSchema)]
#[schemars(rename = "ChangeServer")]
#[serde(deny_unknown_fields)]
struct PatchBody {
    /// Your name for it.
    #[schemars(example = &"web-1")]
    label: Option<String>,
    /// Your tags, all of them.
    #[schemars(example = ["web", "blue"])]
    tags: Option<Vec<String>>,
    /// Your notes.
    #[schemars(example = &"behind the load balancer")]
    notes: Option<String>,
}

async fn change(
    Then(caller, body): Then<Allowed<ManageInstances>, Body<PatchBody>>,
    id: web::Path<String>,
    platform: web::Data<Platform>,
) -> Result<web::Json<InstanceAnswer>, ApiError> {
    let PatchBody { label, tags, notes } = body.value;
    let patch = InstancePatch { label, tags, notes };
    let server = platform
        .change_server(&caller.0, instance_id(&id)?, patch)
        .await?;
    Ok(web::Json(InstanceAnswer {
        success: Success,
        instance: view::Instance::from(server),
    }))
}

async fn boot(
    Then(caller, _): Then<Allowed<ManageInstances>, NoBody>,
    id: web::Path<String>,
    platform: web::Data<Platform>,
) -> Result<web::Json<AcceptedAnswer>, ApiError> {
    act(&platform, &caller.0, &id, OperationKind::Boot).await
}

async fn shutdown(
    Then(caller, _): Then<Allowed<ManageInstances>, NoBody>,
    id: web::Path<String>,
    platform: web::Data<Platform>,
) -> Result<web::Json<AcceptedAnswer>, ApiError> {
    act(&platform, &caller.0, &id, OperationKind::Shutdown).await
}

async fn reboot(
    Then(caller, _): Then<Allowed<ManageInstances>, NoBody>,
    id: web::Path<String>,
    platform: web::Data<Platform>,
) -> Result<web::Json<AcceptedAnswer>, ApiError> {
    act(&platform, &caller.0, &id, OperationKind::Reboot).await
}

async fn power_off(
    Then(caller, _): Then<Allowed<ManageInstances>, NoBody>,
    id: web::Path<String>,
    platform: web::Data<Platform>,
) -> Result<web::Json<AcceptedAnswer>, ApiError> {
    act(&platform, &caller.0, &id, OperationKind::PowerOff).await
}

async fn delete(
    Then(caller, _): Then<Allowed<ManageInstances>, NoBody>,
    id: web::Path<String>,
    platform: web::Data<Platform>,
) -> Result<web::Json<AcceptedAnswer>, ApiError> {
    act(&platform, &caller.0, &id, OperationKind::Delete).await
}

async fn act(
    platform: &Platform,
    grant: &Grant<ManageInstances>,
    id: &str,
    kind: OperationKind,
) -> Result<web::Json<AcceptedAnswer>, ApiError> {
    let accepted = platform.act(grant, instance_id(id)?, kind).await?;
    Ok(answer(accepted))
}

pub(super) fn answer(accepted: Accepted) -> web::Json<AcceptedAnswer> {
    web::Json(AcceptedAnswer {
        success: Success,
        instance: view::Instance::from(accepted.instance),
        operation: view::Operation::from(accepted.operation),
    })
}

/// What is no id cannot be anybody's server.
pub(super) fn instance_id(text: &str) -> Result<InstanceId, ApiError> {
    Ok(text.parse().map_err(|_text| Error::NoSuchInstance)?)
}

pub(super) fn wait(seconds: u64) -> Result<Duration, ApiError> {
    if seconds > LONGEST_WAIT {
        let message = format!("must be between 0 and {LONGEST_WAIT} seconds");
        return Err(ApiError::validation("wait".to_owned(), message));
    }
    Ok(Duration::from_secs(seconds))
}

fn market(word: &str) -> Result<Market, ApiError> {
    match word {
        "on_demand" => Ok(Market::OnDemand),
        "spot" => Ok(Market::Spot),
        _ => {
            let message = "must be `on_demand` or `spot`";
            Err(ApiError::validation("market".to_owned(), message))
        }
    }
}

fn order(word: &str) -> Result<ServerOrder, ApiError> {
    ServerOrder::from_word(word).ok_or_else(|| {
        let words = ServerOrder::ALL.map(ServerOrder::as_str).join(", ");
        ApiError::validation("sort".to_owned(), format!("must be one of {words}"))
    })
}

fn status(word: String) -> Result<String, ApiError> {
    let words: Vec<_> = words::statuses().collect();
    if words.contains(&word.as_str()) {
        return Ok(word);
    }
    let message = format!("must be one of {}", words.join(", "));
    Err(ApiError::validation("status".to_owned(), message))
}
