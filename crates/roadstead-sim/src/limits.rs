//! How many calls a simulator admits: the vendor's documented limits, and changes to them.

use std::collections::BTreeMap;
use std::io;
use std::time::Duration;

use parking_lot::Mutex;
use serde::{Deserialize, Serialize};

/// Where limits do not matter, so many times as much is allowed.
const BOUNDLESS: u64 = 1000;

/// How many calls a window admits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limit {
    /// How many calls.
    pub calls: u64,
    /// How long the window is.
    pub seconds: u64,
}

impl Limit {
    pub(crate) const fn new(calls: u64, seconds: u64) -> Self {
        Self { calls, seconds }
    }

    pub(crate) const fn window(self) -> Duration {
        Duration::from_secs(self.seconds)
    }
}

/// The limits of one simulator, by their names.
#[derive(Debug)]
pub(crate) struct LimitBook {
    enforced: bool,
    limits: Mutex<BTreeMap<&'static str, Limit>>,
}

impl LimitBook {
    pub(crate) const fn new(enforced: bool) -> Self {
        Self {
            enforced,
            limits: Mutex::new(BTreeMap::new()),
        }
    }

    /// Begins with the vendor's limits, and changes those of the settings.
    pub(crate) fn open(
        &self,
        vendors: &[(&'static str, Limit)],
        changes: &BTreeMap<String, Limit>,
    ) -> io::Result<()> {
        self.limits.lock().extend(vendors.iter().copied());
        for (name, limit) in changes {
            let set = self.set(name, *limit);
            set.map_err(|message| io::Error::new(io::ErrorKind::InvalidInput, message))?;
        }
        Ok(())
    }

    /// Returns a limit by a name that the vendor has.
    pub(crate) fn get(&self, name: &str) -> Limit {
        let boundless = Limit::new(u64::MAX, 1);
        let limit = self.limits.lock().get(name).copied().unwrap_or(boundless);
        if self.enforced {
            limit
        } else {
            Limit::new(limit.calls.saturating_mul(BOUNDLESS), limit.seconds)
        }
    }

    /// Changes a limit from the next call on, or says what is wrong with that.
    pub(crate) fn set(&self, name: &str, limit: Limit) -> Result<(), String> {
        if !(1..=86_400).contains(&limit.seconds) {
            return Err("`seconds` must be from 1 to 86400".to_owned());
        }
        let mut limits = self.limits.lock();
        let Some(known) = limits.get_mut(name) else {
            let names: Vec<_> = limits.keys().map(|it| format!("`{it}`")).collect();
            return Err(format!(
                "there is no limit `{name}`; there are {}",
                names.join(", ")
            ));
        };
        *known = limit;
        Ok(())
    }

    /// Returns all limits as they hold.
    pub(crate) fn all(&self) -> BTreeMap<&'static str, Limit> {
        let names: Vec<_> = self.limits.lock().keys().copied().collect();
        names.into_iter().map(|it| (it, self.get(it))).collect()
    }
}
