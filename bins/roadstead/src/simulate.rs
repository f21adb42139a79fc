//! The vendors' APIs alone, for other programs.

use std::io::Write;

use anyhow::{Context, bail};
use roadstead_sim::{DigitalOceanSim, Fault, LinodeSim, SimulatorConfig};

use crate::command::SimulateOptions;
use crate::logs;
use crate::serve::told_to_stop;

/// Runs the simulators that were asked for until told to stop; without any, all of them at
/// free ports.
pub(crate) async fn run(options: SimulateOptions) -> anyhow::Result<()> {
    logs::start("info");
    if options.aws.is_some() {
        bail!("there is no simulator of AWS EC2 yet; leave --aws out");
    }
    if options.gcp.is_some() {
        bail!("there is no simulator of Google Compute Engine yet; leave --gcp out");
    }
    let config = SimulatorConfig {
        seed: options.seed,
        time_scale: options.time_scale,
        ..SimulatorConfig::default()
    };
    let any = "127.0.0.1:0".parse().context("loopback is an address")?;
    let all = options.digitalocean.is_none() && options.linode.is_none();
    let faults = read_faults(options.faults.as_deref())?;

    let mut running = Vec::new();
    if let Some(address) = options.digitalocean.or(all.then_some(any)) {
        let simulator = DigitalOceanSim::start(address, config.clone())
            .with_context(|| format!("could not simulate DigitalOcean at {address}"))?;
        running.push(("digitalocean", simulator));
    }
    if let Some(address) = options.linode.or(all.then_some(any)) {
        let simulator = LinodeSim::start(address, config.clone())
            .with_context(|| format!("could not simulate Linode at {address}"))?;
        running.push(("linode", simulator));
    }
    for (_, simulator) in &running {
        for fault in &faults {
            let added = simulator.handle().add_fault(fault.clone());
            added
                .map_err(anyhow::Error::msg)
                .context("a fault of --faults is wrong")?;
        }
    }
    let addresses: Vec<_> = running
        .iter()
        .map(|(name, it)| format!("{name}={}", it.endpoint()))
        .collect();
    writeln!(std::io::stdout(), "ready {}", addresses.join(" "))?;
    told_to_stop().await?;
    for (_, simulator) in running {
        simulator.stop().await;
    }
    Ok(())
}

fn read_faults(file: Option<&std::path::Path>) -> anyhow::Result<Vec<Fault>> {
    let Some(file) = file else {
        return Ok(Vec::new());
    };
    let text = std::fs::read_to_string(file)
        .with_context(|| format!("could not read the faults in `{}`", file.display()))?;
    serde_json::from_str(&text)
        .with_context(|| format!("the faults in `{}` are no list of faults", file.display()))
}
