//! What `cargo xtask crash` does: kills the program at every named point and at random, starts it
//! again, waits until all is quiet, and counts what became of everything.

mod play;
mod prove;
mod random;
mod run;
mod trial;

pub use crate::prove::{Proof, proofs, prove};
pub use crate::run::{Options, Outcome, once, run};
pub use crate::trial::{Trial, trials};
