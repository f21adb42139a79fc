//! Bare handlers: the same session check and the same statements as the server's, and bytes that
//! were made before.

use std::path::PathBuf;
use std::sync::Arc;

use actix_web::http::header;
use actix_web::web::{Bytes, Data};
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use anyhow::{Context, Result};
use clap::Args;
use roadstead_core::{InstanceId, MiB, OperationId, Price, PriceSource, ProviderId, ProviderKind};
use roadstead_http::TokioClock;
use roadstead_repository::{
    AuditEntry, InstanceFilter, Keyring, ListedBy, Listing, NewInstance, NewOperation,
    OperationKind, Options as Pool, Repository, Request, Specification, Tenant,
};
use roadstead_service::{Clockwork, Platform, PlatformConfig, ReadInstances};
use serde::Deserialize;
use serde_json::json;

use super::wait_for_parent;

/// What the handlers stand on.
#[derive(Debug, Args)]
pub(crate) struct Options {
    #[arg(long)]
    database: String,
    #[arg(long)]
    key: PathBuf,
    /// The provider account under which servers are put on record.
    #[arg(long)]
    provider: ProviderId,
    /// The bytes that are answered.
    #[arg(long)]
    bytes: PathBuf,
}

struct Stage {
    platform: Arc<Platform>,
    repository: Repository,
    provider: ProviderId,
    bytes: Bytes,
}

/// Serves until the parent is gone; prints where.
///
/// # Errors
///
/// Fails if the database or a socket cannot be had.
pub(crate) fn run(options: Options) -> Result<()> {
    actix_web::rt::System::new().block_on(serve(options))
}

async fn serve(options: Options) -> Result<()> {
    let key = std::fs::read_to_string(&options.key)?;
    let repository =
        Repository::connect(&options.database, Keyring::parse(&key)?, Pool::default()).await?;
    let platform = Platform::open(PlatformConfig {
        repository: repository.clone(),
        factories: Vec::new(),
        clock: Arc::new(TokioClock),
        clockwork: Clockwork::default(),
        session_lifetime: std::time::Duration::from_hours(1),
    })
    .await?;
    let stage = Data::new(Stage {
        platform,
        repository,
        provider: options.provider,
        bytes: std::fs::read(&options.bytes)?.into(),
    });
    let server = HttpServer::new(move || {
        App::new()
            .app_data(stage.clone())
            .route("/open", web::get().to(open))
            .route("/bytes", web::get().to(checked))
            .route("/list", web::get().to(list))
            .route("/create", web::post().to(create))
    })
    .workers(2)
    .tcp_nodelay(true)
    .disable_signals()
    .bind(("127.0.0.1", 0))?;
    let address = server.addrs().first().copied().context("no socket")?;
    println!("{}", json!({ "ready": address }));
    let running = server.run();
    let handle = running.handle();
    std::thread::spawn(move || {
        wait_for_parent();
        drop(handle.stop(false));
        std::process::exit(0);
    });
    Ok(running.await?)
}

fn answer(stage: &Stage) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((header::CONTENT_TYPE, "application/json"))
        .body(stage.bytes.clone())
}

fn refused(error: impl std::fmt::Display) -> actix_web::Error {
    actix_web::error::ErrorInternalServerError(error.to_string())
}

/// Asks nobody: what authentication costs is the difference to the next.
async fn open(stage: Data<Stage>) -> HttpResponse {
    answer(&stage)
}

async fn checked(request: HttpRequest, stage: Data<Stage>) -> actix_web::Result<HttpResponse> {
    organization(&request, &stage).await?;
    Ok(answer(&stage))
}

/// The same session check as the server's, and the organization that it names.
async fn organization(request: &HttpRequest, stage: &Stage) -> actix_web::Result<Tenant> {
    let token = request
        .headers()
        .get(header::AUTHORIZATION)
        .and_then(|it| it.to_str().ok())
        .and_then(|it| it.strip_prefix("Bearer "))
        .unwrap_or_default();
    let caller = stage
        .platform
        .caller(token, String::new())
        .await
        .map_err(refused)?;
    let org = caller
        .session
        .memberships
        .first()
        .map(|it| it.organization.id)
        .ok_or_else(|| refused("no organization"))?;
    caller.grant::<ReadInstances>(None).map_err(refused)?;
    Ok(Tenant { org })
}

#[derive(Deserialize)]
struct Page {
    before: Option<InstanceId>,
    created_at: Option<jiff::Timestamp>,
}

async fn list(
    request: HttpRequest,
    page: web::Query<Page>,
    stage: Data<Stage>,
) -> actix_web::Result<HttpResponse> {
    let tenant = organization(&request, &stage).await?;
    let listing = Listing {
        by: ListedBy::Created {
            after: page.created_at.zip(page.before),
        },
        ..Listing::default()
    };
    stage
        .repository
        .list_instances(&tenant, &InstanceFilter::default(), &listing)
        .await
        .map_err(refused)?;
    Ok(answer(&stage))
}

async fn create(request: HttpRequest, stage: Data<Stage>) -> actix_web::Result<HttpResponse> {
    let tenant = organization(&request, &stage).await?;
    let id = InstanceId::fresh();
    let instance = NewInstance {
        id,
        provider: stage.provider,
        kind: ProviderKind::from("digitalocean"),
        label: "bench".to_owned(),
        remote_name: format!("bench-{id}"),
        specification: Specification {
            plan: "s-1vcpu-1gb".into(),
            region: "nyc3".into(),
            image: "ubuntu-22-04-x64".into(),
            vcpus: 1,
            memory: MiB(1024),
            disk: Some(MiB(25 * 1024)),
        },
        tags: Vec::new(),
        price: Some(Price {
            hourly: None,
            monthly: None,
            monthly_is_cap: true,
            source: PriceSource::ProviderApi,
            as_of: jiff::Timestamp::UNIX_EPOCH,
        }),
        sale: None,
    };
    let operation = NewOperation {
        id: OperationId::fresh(),
        kind: OperationKind::Create,
        request: Request {
            plain: json!({ "plan": "s-1vcpu-1gb" }),
            secret: None,
        },
    };
    let audit = AuditEntry {
        organization: Some(tenant.org),
        user: None,
        action: "instance.create",
        subject: id.to_string(),
        request_id: None,
        details: json!({}),
        key: None,
    };
    stage
        .repository
        .accept_create(&tenant, instance, operation, audit)
        .await
        .map_err(refused)?;
    Ok(answer(&stage))
}
