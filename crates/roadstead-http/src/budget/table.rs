//! Which calls a vendor counts together, as its documentation tells.

use std::borrow::Cow;
use std::time::Duration;

use reqwest::Method;

/// Which calls a vendor counts together. A provider crate gives its vendor's; the vendor's own
/// answers correct the numbers.
#[derive(Clone, Debug)]
pub struct RateTable {
    /// All buckets.
    pub buckets: Cow<'static, [BucketRule]>,
    /// Names the buckets in which a call counts, the narrowest first, by its method and the
    /// template of its path. A name that is no bucket's counts nowhere.
    pub route: fn(&Method, &str) -> &'static [&'static str],
}

/// Calls that a vendor counts together.
#[derive(Clone, Copy, Debug)]
pub struct BucketRule {
    /// Which calls.
    pub name: &'static str,
    /// How many a window allows, until the vendor says otherwise; `None` where nobody knows.
    pub limit: Option<u64>,
    /// How long a window is.
    pub window: Duration,
    /// How the vendor counts.
    pub counting: Counting,
    /// How we learn of calls that others make with the same token.
    pub hears: Hears,
    /// Whether calls that change something are among them, for which a part is kept.
    pub changes: bool,
}

/// How a vendor counts the calls of a bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counting {
    /// In windows that end for all calls at once.
    Fixed,
    /// Each call is forgotten a window's length after it was made.
    Sliding,
}

/// How we learn of calls that others make with the same token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hears {
    /// The headers of an answer speak of this bucket.
    Headers,
    /// No header speaks of it, but all calls are in it that are in the one the headers speak of.
    Alongside,
    /// Not at all.
    Nothing,
}

impl RateTable {
    /// Returns one bucket for all calls, of which nothing is known before the vendor speaks.
    #[must_use]
    pub const fn unknown() -> Self {
        const ALL: &[BucketRule] = &[BucketRule {
            name: "calls",
            limit: None,
            window: Duration::from_mins(1),
            counting: Counting::Fixed,
            hears: Hears::Headers,
            changes: true,
        }];
        Self {
            buckets: Cow::Borrowed(ALL),
            route: |_, _| &["calls"],
        }
    }

    /// Sets the limit of a bucket, where an account's differs from the documented one.
    pub fn set_limit(&mut self, name: &str, limit: u64) {
        let named = self.buckets.to_mut().iter_mut().find(|it| it.name == name);
        if let Some(bucket) = named {
            bucket.limit = Some(limit);
        }
    }
}

impl Default for RateTable {
    fn default() -> Self {
        Self::unknown()
    }
}
