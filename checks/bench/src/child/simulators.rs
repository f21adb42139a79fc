//! The providers' simulators, in a process of their own.

use anyhow::Result;
use clap::Args;
use roadstead_sim::{DigitalOceanSim, LinodeSim, SimulatorConfig};
use serde::{Deserialize, Serialize};

use super::wait_for_parent;

/// How the simulators behave.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Enforces the providers' rate limits.
    #[arg(long)]
    limits: bool,
}

/// Where they listen: base addresses without a version path.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Endpoints {
    pub(crate) digitalocean: String,
    pub(crate) linode: String,
}

/// Runs them until the parent is gone; prints where they listen.
///
/// # Errors
///
/// Fails if no socket can be had.
pub(crate) fn run(options: &Options) -> Result<()> {
    let config = SimulatorConfig {
        time_scale: 1000.0,
        enforce_limits: options.limits,
        server_limit: 5_000,
        ..SimulatorConfig::default()
    };
    let any = ([127, 0, 0, 1], 0).into();
    let digitalocean = DigitalOceanSim::start(any, config.clone())?;
    let linode = LinodeSim::start(any, config)?;
    let endpoints = Endpoints {
        digitalocean: digitalocean.endpoint(),
        linode: linode.endpoint(),
    };
    println!("{}", serde_json::to_string(&endpoints)?);
    wait_for_parent();
    Ok(())
}
