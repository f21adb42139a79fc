//! What `cargo xtask faults` does: lets the simulated providers fail in every way that the fault
//! matrix names, for every kind of operation, waits until all is quiet, and counts what became of
//! everything.

mod extras;
mod matrix;
mod play;
mod prove;
mod run;
mod split;

pub use crate::matrix::{Fault, Kind, Line, lines};
pub use crate::play::{Cell, Play, play};
pub use crate::prove::{Proof, proofs, prove};
pub use crate::run::{Options, Outcome, quick, run};
