//! Numbers that a vendor gives out.

/// Counts up and returns the next number.
pub(crate) const fn next(counter: &mut u64) -> u64 {
    *counter = counter.saturating_add(1);
    *counter
}
