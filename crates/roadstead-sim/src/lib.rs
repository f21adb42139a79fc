#![doc = include_str!("../README.md")]

mod agenda;
mod clock;
mod config;
mod control;
mod digitalocean;
mod draw;
mod elsewhere;
mod faults;
mod gate;
mod handle;
mod ids;
mod journal;
mod limits;
mod linode;
mod paging;
mod play;
mod presets;
mod redact;
mod sending;
mod server;
mod ssh;
mod stage;
mod tokens;
mod vendor;

pub use config::SimulatorConfig;
pub use digitalocean::DigitalOceanSim;
pub use elsewhere::Caller;
pub use faults::{Effect, Fate, Fault, FaultStatus, Twice, When};
pub use handle::Handle;
pub use journal::{JournalEntry, Touch, Touched};
pub use limits::Limit;
pub use linode::LinodeSim;
pub use presets::{Named, Preset, Script, presets};
pub use server::Running;
pub use tokens::{
    Scopes, TOKEN_FULL, TOKEN_OTHER, TOKEN_READ_ONLY, WellKnownToken, well_known_tokens,
};
pub use vendor::Kind;
