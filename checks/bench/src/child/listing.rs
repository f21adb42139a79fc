//! All servers of an account, listed through a provider's crate: time, processor, memory.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use clap::Args;
use futures::TryStreamExt;
use roadstead_core::{InstanceQuery, Provider, ProviderExt, Secret};
use roadstead_digitalocean::DigitalOceanBuilder;
use roadstead_linode::LinodeBuilder;
use roadstead_sim::TOKEN_FULL;
use serde::{Deserialize, Serialize};

use crate::process;

/// Whose servers are listed.
#[derive(Debug, Args)]
pub(crate) struct Options {
    #[arg(long)]
    provider: String,
    #[arg(long)]
    endpoint: String,
}

/// What it took.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Listing {
    pub(crate) servers: usize,
    /// Of the second time, when connections stand and code is warm.
    pub(crate) wall_millis: f64,
    pub(crate) cpu_millis: f64,
    /// The same pages fetched by a bare HTTP client and thrown away.
    pub(crate) bare_cpu_millis: f64,
    /// How many requests that took, all in all.
    pub(crate) bare_requests: usize,
    /// How far the first time raised the most memory that was ever in use.
    pub(crate) extra_kib: u32,
}

/// Lists them and prints what it took.
///
/// # Errors
///
/// Fails if the provider does, or without `/proc`.
pub(crate) fn run(options: &Options) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let listing = runtime.block_on(list(options))?;
    println!("{}", serde_json::to_string(&listing)?);
    Ok(())
}

async fn list(options: &Options) -> Result<Listing> {
    let provider = provider(options)?;
    // The connection, the resolver and the rest are there before the first figure.
    provider.validate_credentials().await?;
    let before = process::memory_kib("self", "VmHWM")?;
    let servers = count(&provider).await?;
    let after = process::memory_kib("self", "VmHWM")?;
    let (started, cpu) = (Instant::now(), cpu()?);
    let again = count(&provider).await?;
    anyhow::ensure!(again == servers, "the second list differs from the first");
    let (wall, spent) = (started.elapsed(), self::cpu()?.saturating_sub(cpu));
    let (bare, bare_requests) = fetch(options).await?;
    Ok(Listing {
        servers,
        wall_millis: wall.as_secs_f64() * 1e3,
        cpu_millis: spent.as_secs_f64() * 1e3,
        bare_cpu_millis: bare.as_secs_f64() * 1e3,
        bare_requests,
        extra_kib: after.saturating_sub(before),
    })
}

/// Fetches the same pages without reading what is in them; returns the processor time, and how
/// many requests that were.
async fn fetch(options: &Options) -> Result<(Duration, usize)> {
    let pages: Vec<String> = if options.provider == "digitalocean" {
        let page = |it| format!("/v2/droplets?per_page=200&page={it}");
        (1..=5)
            .map(page)
            .chain(["/v2/droplets?type=gpus&per_page=200".to_owned()])
            .collect()
    } else {
        let page = |it| format!("/v4/linode/instances?page_size=500&page={it}");
        (1..=2).map(page).collect()
    };
    let client = reqwest::Client::builder().no_proxy().build()?;
    let (mut spent, mut requests) = (Duration::ZERO, 0_usize);
    // Once for the connection.
    for _ in 0..2 {
        let before = cpu()?;
        for page in &pages {
            let url = format!("{}{page}", options.endpoint);
            let answer = client.get(url).bearer_auth(TOKEN_FULL).send().await?;
            answer.error_for_status()?.bytes().await?;
            requests = requests.saturating_add(1);
        }
        spent = cpu()?.saturating_sub(before);
    }
    Ok((spent, requests))
}

fn provider(options: &Options) -> Result<Arc<dyn Provider>> {
    let (token, endpoint) = (Secret::from(TOKEN_FULL), options.endpoint.as_str());
    Ok(match options.provider.as_str() {
        "digitalocean" => Arc::new(
            DigitalOceanBuilder::new(token)
                // No answer states it, so that the simulator cannot lift it.
                .with_burst_limit(1_000_000)
                .with_endpoint(endpoint)
                .build()?,
        ),
        _ => Arc::new(LinodeBuilder::new(token).with_endpoint(endpoint).build()?),
    })
}

async fn count(provider: &Arc<dyn Provider>) -> Result<usize> {
    let all: Vec<_> = Arc::clone(provider)
        .instances(InstanceQuery::default())
        .try_collect()
        .await?;
    Ok(all.len())
}

/// Returns the processor time of all living threads, in nanoseconds of resolution.
fn cpu() -> Result<Duration> {
    let mut total = 0_u64;
    for task in std::fs::read_dir("/proc/self/task").context("no `/proc`")? {
        let schedule = std::fs::read_to_string(task?.path().join("schedstat"))?;
        let nanos: u64 = schedule
            .split_whitespace()
            .next()
            .and_then(|it| it.parse().ok())
            .context("an odd `schedstat`")?;
        total = total.saturating_add(nanos);
    }
    Ok(Duration::from_nanos(total))
}
