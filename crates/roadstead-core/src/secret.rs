//! A value that must not be shown: no `Display`, no `Serialize`, zeroed on drop.

use std::fmt;

use serde::{Deserialize, Deserializer};
use zeroize::{Zeroize, Zeroizing};

/// Holds a secret. `Debug` prints `***`; the memory is zeroed when it is dropped.
#[derive(Clone)]
pub struct Secret<T: Zeroize>(Zeroizing<T>);

impl<T: Zeroize> Secret<T> {
    /// Takes the value in.
    pub fn new(value: T) -> Self {
        Self(Zeroizing::new(value))
    }

    /// Hands the value out. Each use is a place to look at in a review.
    pub fn expose(&self) -> &T {
        &self.0
    }
}

impl Secret<String> {
    /// Returns whether the text can stand in an HTTP header: visible ASCII, not empty.
    #[must_use]
    pub fn is_visible_ascii(&self) -> bool {
        !self.0.is_empty() && self.0.bytes().all(|it| it.is_ascii_graphic())
    }
}

impl From<String> for Secret<String> {
    fn from(value: String) -> Self {
        Self::new(value)
    }
}

impl From<&str> for Secret<String> {
    fn from(value: &str) -> Self {
        Self::new(value.to_owned())
    }
}

impl<T: Zeroize> fmt::Debug for Secret<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl<'de, T: Zeroize + Deserialize<'de>> Deserialize<'de> for Secret<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        T::deserialize(deserializer).map(Self::new)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_never_shows_the_value() {
        assert_eq!(format!("{:?}", Secret::from("hunter2")), "***");
    }

    #[test]
    fn a_token_with_a_line_break_is_not_fit_for_a_header() {
        assert!(Secret::from("dop_v1_abc").is_visible_ascii());
        for bad in ["", "a b", "a\r\nX: y", "päss"] {
            assert!(!Secret::from(bad).is_visible_ascii(), "{bad:?}");
        }
    }
}
