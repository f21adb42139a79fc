//! The vendors' APIs alone, for other programs.

use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::Path;

use anyhow::{Context, anyhow, bail};
use roadstead_sim::{DigitalOceanSim, LinodeSim, Script, SimulatorConfig};
use serde_json::Value;

use crate::command::SimulateOptions;
use crate::serve::told_to_stop;
use crate::{listen, logs};

/// Runs the simulators that were asked for until told to stop; without any, all of them at
/// free ports.
pub(crate) async fn run(options: SimulateOptions) -> anyhow::Result<()> {
    logs::start(logs::DEFAULT);
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
            .map_err(|error| failed(error, "DigitalOcean", address, "--digitalocean"))?;
        running.push(("digitalocean", simulator));
    }
    if let Some(address) = options.linode.or(all.then_some(any)) {
        let simulator = LinodeSim::start(address, config.clone())
            .map_err(|error| failed(error, "Linode", address, "--linode"))?;
        running.push(("linode", simulator));
    }
    for (_, simulator) in &running {
        for (number, fault) in (1..).zip(&faults) {
            let added = simulator.handle().add(vec![fault.clone()]);
            added.map_err(|error| anyhow!("fault {number} of --faults is wrong: {error}"))?;
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

/// Says why a simulator did not start: for its address, or for its other options.
fn failed(error: io::Error, vendor: &str, address: SocketAddr, option: &str) -> anyhow::Error {
    if error.kind() == io::ErrorKind::InvalidInput {
        anyhow::Error::new(error).context(format!("could not simulate {vendor}"))
    } else {
        listen::refused(error, address, option)
    }
}

fn read_faults(file: Option<&Path>) -> anyhow::Result<Vec<Script>> {
    let Some(file) = file else {
        return Ok(Vec::new());
    };
    let name = file.display();
    let text = std::fs::read_to_string(file)
        .with_context(|| format!("could not read the faults in `{name}`"))?;
    let value: Value = serde_json::from_str(&text)
        .with_context(|| format!("the faults in `{name}` are no JSON"))?;
    let Value::Array(faults) = value else {
        bail!(
            "the faults in `{name}` are no list: write \
             `[{{\"path\": \"/v2/droplets\", \"effect\": {{\"status\": 500}}}}]`"
        );
    };
    let read = |(number, it): (usize, Value)| {
        Script::read(&it).map_err(|error| anyhow!("fault {number} in `{name}` is wrong: {error}"))
    };
    (1..).zip(faults).map(read).collect()
}
