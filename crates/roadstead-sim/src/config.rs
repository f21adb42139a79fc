//! The settings of one simulator.

use std::collections::BTreeMap;
use std::io;
use std::time::Duration;

use crate::limits::Limit;

/// How a simulator behaves; the same for every vendor.
#[derive(Debug, Clone)]
pub struct SimulatorConfig {
    /// Decides every drawn duration and address: the same seed repeats a run.
    pub seed: u64,
    /// Divides the simulator's own waits (states, late commits, list lag).
    /// `Retry-After`, reset times, prices and the delays of faults stay real.
    pub time_scale: f64,
    /// Whether the vendor's rate limits hold. Where they do not, a thousand
    /// times as many calls are admitted, and the headers say so.
    pub enforce_limits: bool,
    /// Changes to the vendor's rate limits, by their names (`/_sim/limits`
    /// lists them).
    pub limits: BTreeMap<String, Limit>,
    /// How many servers each account may have.
    pub server_limit: usize,
    /// How long a new server is missing from lists, before the time scale.
    pub list_lag: Duration,
    /// The largest request body that is read.
    pub max_body_bytes: usize,
}

impl Default for SimulatorConfig {
    fn default() -> Self {
        Self {
            seed: 1,
            time_scale: 1.0,
            enforce_limits: true,
            limits: BTreeMap::new(),
            server_limit: 500,
            list_lag: Duration::ZERO,
            max_body_bytes: 1024 * 1024,
        }
    }
}

impl SimulatorConfig {
    /// Refuses a time scale by which no wait can be divided.
    pub(crate) fn check(&self) -> io::Result<()> {
        if (0.001..=1e9).contains(&self.time_scale) {
            return Ok(());
        }
        Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            format!(
                "`time_scale` is {}, and must be from 0.001 to 1e9",
                self.time_scale
            ),
        ))
    }
}
