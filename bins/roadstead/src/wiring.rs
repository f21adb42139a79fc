//! The vendors by name: the only place that knows them all.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, anyhow};
use roadstead_core::{Error, ErrorKind, Provider, ProviderKind, Result};
use roadstead_digitalocean::DigitalOceanBuilder;
use roadstead_http::{Budgets, TokioClock};
use roadstead_linode::LinodeBuilder;
use roadstead_repository::{Options, Repository};
use roadstead_service::{Clockwork, Factory, Platform, PlatformConfig};

use crate::key;
use crate::settings::{AtVendors, Settings};

/// How long a login lasts.
const SESSION_LIFETIME: Duration = Duration::from_hours(24 * 7);

/// Returns the vendors.
pub(crate) fn factories(vendors: &AtVendors) -> Vec<Factory> {
    let (digitalocean, linode) = (vendors.clone(), vendors.clone());
    // One for all, so that an account's calls stay counted when its client is made anew.
    let budgets = Budgets::default();
    let (of_digitalocean, of_linode) = (budgets.clone(), budgets);
    vec![
        Factory::new(
            roadstead_digitalocean::descriptor(),
            move |token, configuration| {
                without_configuration("digitalocean", configuration)?;
                let mut builder = DigitalOceanBuilder::new(token).with_budgets(&of_digitalocean);
                if let Some(endpoint) = &digitalocean.digitalocean_endpoint {
                    builder = builder.with_endpoint(endpoint.as_str());
                }
                if let Some(limit) = digitalocean.digitalocean_burst_limit {
                    builder = builder.with_burst_limit(limit);
                }
                provider(builder.build()?)
            },
        ),
        Factory::new(
            roadstead_linode::descriptor(),
            move |token, configuration| {
                without_configuration("linode", configuration)?;
                let mut builder = LinodeBuilder::new(token).with_budgets(&of_linode);
                if let Some(endpoint) = &linode.linode_endpoint {
                    builder = builder.with_endpoint(endpoint.as_str());
                }
                provider(builder.build()?)
            },
        ),
        Factory::unavailable(roadstead_aws::descriptor()),
        Factory::unavailable(roadstead_gcp::descriptor()),
    ]
}

fn provider(it: impl Provider) -> Result<Arc<dyn Provider>> {
    Ok(Arc::new(it))
}

/// Refuses settings that would go unheeded.
fn without_configuration(kind: &str, configuration: &serde_json::Value) -> Result<()> {
    if configuration
        .as_object()
        .is_none_or(serde_json::Map::is_empty)
    {
        return Ok(());
    }
    let kind = ProviderKind::from(kind);
    let message = "this provider's accounts have no configuration";
    Err(
        Error::new(kind, "use the configuration", ErrorKind::Invalid, message)
            .with_field("configuration"),
    )
}

/// Connects to the database of the settings.
pub(crate) async fn repository(settings: &Settings) -> anyhow::Result<Repository> {
    let keys = key::load(&settings.master_key_file, &settings.database)?;
    Repository::connect(&settings.database.0, keys, Options::default())
        .await
        .context("could not open the database of ROADSTEAD_DATABASE_URL")
}

/// Opens the platform of the settings on their database, migrated.
pub(crate) async fn platform_of(
    settings: &Settings,
    repository: Repository,
) -> anyhow::Result<Arc<Platform>> {
    let opened = platform(repository, &settings.vendors, settings.clockwork).await;
    opened.map_err(|error| {
        let wrong_key = error.chain().any(|it| {
            let it = it.downcast_ref();
            matches!(it, Some(roadstead_repository::Error::WrongKey))
        });
        if !wrong_key {
            return error;
        }
        anyhow!(
            "the master key in `{}` does not fit this database; let ROADSTEAD_MASTER_KEY_FILE \
             name the key file that the database was made with",
            settings.master_key_file.display()
        )
    })
}

/// Opens the platform on a migrated database.
pub(crate) async fn platform(
    repository: Repository,
    vendors: &AtVendors,
    clockwork: Clockwork,
) -> anyhow::Result<Arc<Platform>> {
    let config = PlatformConfig {
        repository,
        factories: factories(vendors),
        clock: Arc::new(TokioClock),
        clockwork,
        session_lifetime: SESSION_LIFETIME,
    };
    Ok(Platform::open(config).await?)
}
