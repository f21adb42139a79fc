//! What runs in processes of its own, so that it shares none with what is measured.

pub(crate) mod bare;
pub(crate) mod listing;
pub(crate) mod load;
pub(crate) mod simulators;

use std::io::Read;

/// Returns when the parent is gone, however it went: nothing outlives the bench.
pub(crate) fn wait_for_parent() {
    let mut nothing = Vec::new();
    // A broken pipe says the same as a closed one.
    let _ = std::io::stdin().read_to_end(&mut nothing);
}
