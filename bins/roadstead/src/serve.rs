//! The server: settings to a listening socket, and back down without losing anything.

use std::fs::File;
use std::io::Write;
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, OnceLock};

use actix_web::dev::ServerHandle;
use actix_web::middleware::{Compress, from_fn};
use actix_web::{App, HttpServer};
use anyhow::{Context, bail};
use roadstead_panel::Transport;
use roadstead_repository::{Backend, Repository};
use roadstead_service::{Engine, Keeper, Platform};
use tokio::sync::watch;
use tracing::info;

use crate::metrics::{Metrics, Recorder};
use crate::settings::Settings;
use crate::{listen, logs, wiring};

/// How many threads answer requests.
const HTTP_WORKERS: usize = 2;

/// Runs the server until it is told to stop.
pub(crate) async fn run(settings: Settings, migrate: bool) -> anyhow::Result<()> {
    logs::start(&settings.log);
    // The socket first: a server that cannot listen leaves no files behind.
    let listener = listen::bind(settings.listen, "ROADSTEAD_LISTEN")?;
    let metrics_listener = settings
        .metrics_listen
        .map(|it| listen::bind(it, "ROADSTEAD_METRICS_LISTEN"))
        .transpose()?;
    // The database before its lock: it says best what is wrong with its own place.
    let repository = wiring::repository(&settings).await?;
    let _lock = lock(&settings)?;
    apply_migrations(&repository, migrate).await?;
    let platform = wiring::platform_of(&settings, repository).await?;
    if settings.workers > 0 {
        let taken_back = platform.take_back().await?;
        if taken_back > 0 {
            info!(
                operations.count = taken_back,
                "took back {taken_back} operations of a server that died"
            );
        }
    }
    let metrics = metrics_listener
        .map(|it| Metrics::start(Recorder::install()?, Arc::clone(&platform), it))
        .transpose()?;
    let transport = settings.transport();
    let running = Running::start(Arc::clone(&platform), listener, settings.workers, transport)?;
    info!(
        listen.address = %running.address,
        engine.workers = settings.workers,
        "listening at http://{}",
        running.address
    );
    if let Some(metrics) = &metrics {
        info!(listen.address = %metrics.address, "metrics at http://{}/metrics", metrics.address);
    }
    if let Some(code) = platform.open_setup().await? {
        info!("nobody can log in yet; run `roadstead user create --email YOU --operator`");
        let panel = match &settings.public_url {
            Some(url) => url.as_str().trim_end_matches('/').to_owned(),
            None => format!("http://{}", running.address),
        };
        // Not into the log, which more people read.
        let mut out = std::io::stdout().lock();
        writeln!(
            out,
            "Nobody can log in yet. Open {panel}/setup with the code {}",
            code.expose()
        )?;
        out.flush()?;
    }
    running.until_stopped().await?;
    // Last, so that what happens while the rest stops can still be read.
    match metrics {
        Some(metrics) => metrics.stop().await,
        None => Ok(()),
    }
}

/// A server that is up.
pub(crate) struct Running {
    /// Where it listens.
    pub(crate) address: SocketAddr,
    engine: Engine,
    keeper: Keeper,
    handle: ServerHandle,
    server: tokio::task::JoinHandle<std::io::Result<()>>,
}

impl Running {
    /// Starts the workers, and the answers on a socket that listens.
    pub(crate) fn start(
        platform: Arc<Platform>,
        listener: TcpListener,
        workers: usize,
        transport: Transport,
    ) -> anyhow::Result<Self> {
        let address = listener.local_addr()?;
        let api = roadstead_api::configure(Arc::clone(&platform));
        let panel = roadstead_panel::configure(Arc::clone(&platform), transport);
        let http = HttpServer::new(move || {
            App::new()
                .wrap(Compress::default())
                .wrap(from_fn(roadstead_api::request::trace))
                .configure(api.clone())
                .configure(panel.clone())
        });
        let server = http
            .workers(HTTP_WORKERS)
            // The last piece of an answer must not wait until the client has acknowledged the
            // one before.
            .tcp_nodelay(true)
            .shutdown_timeout(20)
            .disable_signals()
            .listen(listener)?
            .run();
        let engine = Engine::start(&platform, workers);
        let keeper = Keeper::start(&platform);
        let handle = server.handle();
        Ok(Self {
            address,
            engine,
            keeper,
            handle,
            server: tokio::spawn(server),
        })
    }

    /// Waits for SIGINT or SIGTERM, then stops.
    pub(crate) async fn until_stopped(self) -> anyhow::Result<()> {
        told_to_stop().await?;
        info!("stopping: finishing what is under way");
        self.stop().await
    }

    /// Finishes the requests and calls under way, and hands the rest back.
    pub(crate) async fn stop(self) -> anyhow::Result<()> {
        // They would not end by themselves, and the server would wait for them.
        self.engine.end_streams();
        self.handle.stop(true).await;
        self.engine.stop().await;
        self.keeper.stop().await;
        self.server.await?.context("the server ended badly")
    }
}

async fn apply_migrations(repository: &Repository, migrate: bool) -> anyhow::Result<()> {
    let applies = match repository.backend() {
        Backend::Sqlite => true,
        Backend::Postgres => migrate,
    };
    if applies {
        for name in repository.migrate_up().await? {
            info!(migration.name = name, "applied migration `{name}`");
        }
    }
    Ok(())
}

/// Keeps a second server off an embedded database: it has one writer, in one process.
fn lock(settings: &Settings) -> anyhow::Result<Option<File>> {
    let Some(file) = settings.database.sqlite_file() else {
        return Ok(None);
    };
    let path = file.with_extension("lock");
    let lock = File::create(&path)
        .with_context(|| format!("could not make the lock file `{}`", path.display()))?;
    match lock.try_lock() {
        Ok(()) => Ok(Some(lock)),
        Err(std::fs::TryLockError::WouldBlock) => bail!(
            "another `roadstead serve` uses `{}`; stop it, or use PostgreSQL to run several",
            file.display()
        ),
        Err(std::fs::TryLockError::Error(error)) => {
            Err(error).with_context(|| format!("could not lock `{}`", path.display()))
        }
    }
}

/// Becomes true when this process is told to stop.
static STOP: OnceLock<watch::Receiver<bool>> = OnceLock::new();

/// Listens for SIGINT and SIGTERM from now on. It comes before the start, because a signal that
/// arrives during it would otherwise end the process on the spot.
pub(crate) fn heed_signals() -> anyhow::Result<()> {
    let (tell, told) = watch::channel(false);
    #[cfg(unix)]
    let signaled = {
        use tokio::signal::unix::{SignalKind, signal};
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut terminate = signal(SignalKind::terminate())?;
        async move {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
        }
    };
    #[cfg(not(unix))]
    let signaled = async { drop(tokio::signal::ctrl_c().await) };
    tokio::spawn(async move {
        signaled.await;
        tell.send_replace(true);
    });
    STOP.get_or_init(|| told);
    Ok(())
}

/// Waits for SIGINT or SIGTERM.
pub(crate) async fn told_to_stop() -> anyhow::Result<()> {
    let told = STOP.get().context("nobody listens for signals")?;
    told.clone().wait_for(|it| *it).await?;
    Ok(())
}
