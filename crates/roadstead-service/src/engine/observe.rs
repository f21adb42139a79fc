//! What our books keep of a server as the vendor reports it.

use roadstead_core::Instance;
use roadstead_repository::Observation;

/// Returns what our books keep.
pub(crate) fn observation(instance: &Instance) -> Observation {
    Observation {
        power: instance.status.state,
        power_raw: instance.status.raw.to_string(),
        addresses: instance.addresses.clone(),
        plan: instance.plan.clone(),
        vcpus: instance.vcpus,
        memory: instance.memory,
        disk: instance.disk,
    }
}
