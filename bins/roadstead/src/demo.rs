//! Everything on one machine: simulator, database, accounts, people and the server.

use std::io::Write;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use roadstead_core::{Markup, Percent, ProviderId, Secret};
use roadstead_panel::Transport;
use roadstead_repository::Repository;
use roadstead_service::{
    Clockwork, ImportFilter, ImportPlans, NewUser, OwnMarkups, Platform, RegisterProvider, Role,
};
use roadstead_sim::{DigitalOceanSim, LinodeSim, SimulatorConfig, TOKEN_FULL};

use crate::command::DemoOptions;
use crate::serve::Running;
use crate::settings::{AtVendors, DatabaseUrl};
use crate::{key, listen, logs, smoke, wiring};

const OPERATOR: &str = "operator@demo.example";
const MEMBER: &str = "member@demo.example";
const ORGANIZATION: &str = "Demo";

/// What the demonstration adds to the providers' prices.
const MARKUP_PERCENT: u32 = 20;

/// A vendor that the demonstration simulates.
pub(crate) struct Simulated {
    /// The vendor.
    pub(crate) kind: &'static str,
    /// Its name for people.
    pub(crate) name: &'static str,
    /// Its simulator.
    pub(crate) simulator: roadstead_sim::Running,
    /// A create request that it accepts.
    pub(crate) example: Example,
}

/// What a create request needs.
#[derive(Clone, Copy)]
pub(crate) struct Example {
    pub(crate) plan: &'static str,
    pub(crate) region: &'static str,
    pub(crate) image: &'static str,
}

/// The demonstration, up and running.
pub(crate) struct Demo {
    /// The server.
    pub(crate) running: Running,
    /// The vendors.
    pub(crate) vendors: Vec<Simulated>,
    /// Vendors that cannot be had yet, with the reason.
    pub(crate) missing: Vec<(String, String)>,
    /// The operator's login.
    pub(crate) operator: (&'static str, Secret<String>),
    /// The member's login.
    pub(crate) member: (&'static str, Secret<String>),
    /// Keeps the throw-away database until the end.
    _scratch: Option<tempfile::TempDir>,
}

/// Runs the demonstration, or its smoke test.
pub(crate) async fn run(options: DemoOptions) -> anyhow::Result<ExitCode> {
    logs::start(if options.smoke {
        "error"
    } else {
        logs::DEFAULT
    });
    let default = if options.smoke { 0 } else { 8080 };
    let address = options
        .listen
        .unwrap_or_else(|| SocketAddr::from(([127, 0, 0, 1], default)));
    let listener = listen::bind(address, "--listen")?;
    let demo = start(&options, listener).await?;
    if options.smoke {
        let passed = smoke::run(&demo).await;
        demo.stop().await?;
        return passed;
    }
    demo.introduce()?;
    crate::serve::told_to_stop().await?;
    demo.stop().await?;
    Ok(ExitCode::SUCCESS)
}

async fn start(options: &DemoOptions, listener: TcpListener) -> anyhow::Result<Demo> {
    let (folder, scratch) = match &options.data {
        Some(folder) => {
            std::fs::create_dir_all(folder)
                .with_context(|| format!("could not make the folder `{}`", folder.display()))?;
            (folder.clone(), None)
        }
        None => {
            let scratch = tempfile::tempdir().context("could not make a temporary folder")?;
            (scratch.path().to_owned(), Some(scratch))
        }
    };
    let vendors = simulate(options.time_scale)?;
    let endpoint = |kind: &str| {
        vendors
            .iter()
            .find(|it| it.kind == kind)
            .map(|it| it.simulator.endpoint())
    };
    let at_vendors = AtVendors {
        digitalocean_endpoint: endpoint("digitalocean"),
        digitalocean_burst_limit: None,
        linode_endpoint: endpoint("linode"),
    };

    let repository = repository(&folder).await?;
    repository.migrate_up().await?;
    let clockwork = Clockwork {
        poll_open: Duration::from_secs(1),
        poll_idle: Duration::from_secs(10),
        ..Clockwork::default()
    };
    let platform = wiring::platform(repository, &at_vendors, clockwork).await?;
    let operator = person(&platform, OPERATOR, true).await?;
    let member = person(&platform, MEMBER, false).await?;
    register(&platform, &vendors, &operator).await?;
    let missing = platform
        .registry()
        .descriptors()
        .filter_map(|it| match &it.available {
            roadstead_core::Support::Yes => None,
            roadstead_core::Support::No { why } => Some((it.name.to_string(), why.to_string())),
        })
        .collect();
    let running = Running::start(platform, listener, 1, Transport::Loopback)?;
    Ok(Demo {
        running,
        vendors,
        missing,
        operator: (OPERATOR, operator),
        member: (MEMBER, member),
        _scratch: scratch,
    })
}

fn simulate(time_scale: f64) -> anyhow::Result<Vec<Simulated>> {
    let config = SimulatorConfig {
        time_scale,
        ..SimulatorConfig::default()
    };
    let any = SocketAddr::from(([127, 0, 0, 1], 0));
    let digitalocean =
        DigitalOceanSim::start(any, config.clone()).context("could not simulate DigitalOcean")?;
    let linode = LinodeSim::start(any, config).context("could not simulate Linode")?;
    Ok(vec![
        Simulated {
            kind: "digitalocean",
            name: "DigitalOcean",
            simulator: digitalocean,
            example: Example {
                plan: "s-1vcpu-1gb",
                region: "nyc3",
                image: "ubuntu-22-04-x64",
            },
        },
        Simulated {
            kind: "linode",
            name: "Linode",
            simulator: linode,
            example: Example {
                plan: "g6-nanode-1",
                region: "us-east",
                image: "linode/ubuntu24.04",
            },
        },
    ])
}

async fn repository(folder: &Path) -> anyhow::Result<Repository> {
    let database = DatabaseUrl(format!(
        "sqlite://{}",
        folder.join("roadstead.db").display()
    ));
    let key_file: PathBuf = folder.join("roadstead.key");
    let keys = key::load(&key_file, &database)?;
    Ok(Repository::connect(&database.0, keys, roadstead_repository::Options::default()).await?)
}

/// Adds somebody with a fresh password; who is there already gets a fresh one.
async fn person(
    platform: &Platform,
    email: &str,
    operator: bool,
) -> anyhow::Result<Secret<String>> {
    let password = Platform::fresh_password()?;
    let role = if operator { Role::Owner } else { Role::Member };
    let new = NewUser {
        email: email.to_owned(),
        password: password.clone(),
        operator,
        organization: Some((ORGANIZATION.to_owned(), role)),
    };
    match platform.add_user(new).await {
        Err(roadstead_service::Error::Conflict(_)) => {
            platform.reset_password(email, password.clone()).await?;
        }
        added => drop(added?),
    }
    Ok(password)
}

/// Registers one account per vendor and puts its plans on sale, as an operator would.
async fn register(
    platform: &Arc<Platform>,
    vendors: &[Simulated],
    operator: &Secret<String>,
) -> anyhow::Result<()> {
    let login = platform.login(OPERATOR, operator.clone()).await?;
    for vendor in vendors {
        let caller = platform
            .caller(login.token.expose(), "demo".to_owned())
            .await?;
        let request = RegisterProvider {
            name: format!("{} (simulated)", vendor.name),
            kind: vendor.kind.to_owned(),
            token: Secret::from(TOKEN_FULL),
            configuration: serde_json::Value::Null,
        };
        match platform
            .register_provider(&caller.operator()?, request)
            .await
        {
            Ok(registered) => sell(platform, registered.record.id, &login.token).await?,
            // A kept database has it already, and what somebody has made of its plans.
            Err(roadstead_service::Error::Conflict(_)) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

/// Puts all plans of an account on sale.
async fn sell(
    platform: &Platform,
    provider: ProviderId,
    token: &Secret<String>,
) -> anyhow::Result<()> {
    let caller = platform.caller(token.expose(), "demo".to_owned()).await?;
    let percent = Percent::new(MARKUP_PERCENT.into()).context("the markup is no percentage")?;
    let import = ImportPlans {
        provider,
        markup: Markup::Percent(percent),
        own_markups: OwnMarkups::Keep,
        regions: Vec::new(),
        filter: ImportFilter::default(),
    };
    platform.import_plans(&caller.operator()?, import).await?;
    Ok(())
}

impl Demo {
    fn introduce(&self) -> anyhow::Result<()> {
        let address = format!("http://{}", self.running.address);
        let mut out = std::io::stdout().lock();
        writeln!(
            out,
            "\nRoadstead is up at {address}, on simulated providers:\n"
        )?;
        for vendor in &self.vendors {
            writeln!(out, "  {:<22} {}", vendor.name, vendor.simulator.endpoint())?;
        }
        for (name, why) in &self.missing {
            writeln!(out, "  {name:<22} not available yet: {why}")?;
        }
        writeln!(
            out,
            "\n  plans on sale, {MARKUP_PERCENT} % above the providers' prices: GET \
             {address}/api/vps/plans"
        )?;
        writeln!(
            out,
            "\nOpen {address} in a browser on this machine, and log in:\n\n  operator  {}  {}",
            self.operator.0,
            self.operator.1.expose()
        )?;
        writeln!(
            out,
            "  member    {}    {}",
            self.member.0,
            self.member.1.expose()
        )?;
        let Some(vendor) = self.vendors.first() else {
            return Ok(());
        };
        let login = serde_json::json!({
            "email": self.member.0,
            "password": self.member.1.expose(),
        });
        let create = smoke::create_request(vendor, "first-server");
        writeln!(
            out,
            "\nOr create a server by the API:\n\n  \
             TOKEN=$(curl -s {address}/api/auth/login -H 'Content-Type: application/json' \
             -d '{login}' | sed 's/.*\"token\":\"\\([^\"]*\\)\".*/\\1/')\n  \
             curl -s {address}/api/vps -H \"Authorization: Bearer $TOKEN\" \
             -H 'Content-Type: application/json' -d '{create}'\n\n\
             See it become running:\n\n  \
             curl -s {address}/api/vps -H \"Authorization: Bearer $TOKEN\"\n\n\
             Ctrl-C stops everything.\n"
        )?;
        Ok(())
    }

    async fn stop(self) -> anyhow::Result<()> {
        self.running.stop().await?;
        for vendor in self.vendors {
            vendor.simulator.stop().await;
        }
        Ok(())
    }
}
