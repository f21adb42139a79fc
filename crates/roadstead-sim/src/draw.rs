//! Seeded chance: the same seed and name always draw the same number.

use std::time::Duration;

/// Draws numbers by name, so that they do not depend on the order of calls.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Draw {
    seed: u64,
}

impl Draw {
    pub(crate) const fn new(seed: u64) -> Self {
        Self { seed }
    }

    /// Returns the number that belongs to `name`.
    pub(crate) fn number(self, name: &str) -> u64 {
        let mut state = mix(self.seed);
        for byte in name.bytes() {
            state = mix(state ^ u64::from(byte));
        }
        state
    }

    /// Returns a duration from `low` to `high` milliseconds.
    pub(crate) fn wait(self, name: &str, low: u64, high: u64) -> Duration {
        let span = high.saturating_sub(low).saturating_add(1);
        Duration::from_millis(low.saturating_add(self.number(name) % span))
    }

    /// Returns 32 hexadecimal digits in the grouping of a UUID, version 4.
    pub(crate) fn uuid(self, name: &str) -> String {
        let high = self.number(&format!("{name}/high")) & 0xffff_ffff_ffff_0fff | 0x4000;
        let low = self.number(&format!("{name}/low")) & 0x3fff_ffff_ffff_ffff | (1 << 63);
        format!(
            "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
            high >> 32,
            (high >> 16) & 0xffff,
            high & 0xffff,
            low >> 48,
            low & 0xffff_ffff_ffff
        )
    }
}

/// One step of SplitMix64, which is short and the same on every machine.
fn mix(value: u64) -> u64 {
    let mut state = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    state = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    state = (state ^ (state >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    state ^ (state >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_and_name_repeat_and_others_differ() {
        assert_eq!(Draw::new(1).number("a"), Draw::new(1).number("a"));
        assert_ne!(Draw::new(1).number("a"), Draw::new(2).number("a"));
        assert_ne!(Draw::new(1).number("a"), Draw::new(1).number("b"));
    }

    #[test]
    fn waits_stay_between_their_bounds() {
        for index in 0..1000 {
            let wait = Draw::new(7).wait(&index.to_string(), 30_000, 60_000);
            assert!((30..=60).contains(&wait.as_secs()));
        }
    }

    #[test]
    fn a_uuid_has_the_version_and_variant_of_a_random_one() {
        let uuid = Draw::new(3).uuid("request");
        assert_eq!(uuid.len(), 36);
        assert_eq!(uuid.as_bytes()[14], b'4');
        assert!(matches!(uuid.as_bytes()[19], b'8' | b'9' | b'a' | b'b'));
    }
}
