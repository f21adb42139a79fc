//! The way into a running simulator without HTTP.

use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use serde_json::Value;

use crate::elsewhere::Caller;
use crate::faults::{Fault, FaultStatus};
use crate::journal::JournalEntry;
use crate::limits::Limit;
use crate::play::ANSWERED;
use crate::presets::{Plan, Script, expand};
use crate::stage::Stage;
use crate::tokens::Scopes;
use crate::vendor::Vendor;

/// Reads and steers a simulator in this process: what `/_sim/*` does by HTTP.
#[derive(Clone)]
pub struct Handle {
    stage: Arc<Stage>,
    vendor: Arc<dyn Vendor>,
    address: SocketAddr,
}

impl Handle {
    pub(crate) const fn new(
        stage: Arc<Stage>,
        vendor: Arc<dyn Vendor>,
        address: SocketAddr,
    ) -> Self {
        Self {
            stage,
            vendor,
            address,
        }
    }

    /// Returns the base address without a version path.
    #[must_use]
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(crate) const fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) const fn parts(&self) -> (&Arc<Stage>, &Arc<dyn Vendor>) {
        (&self.stage, &self.vendor)
    }

    /// Returns every call so far, oldest first.
    #[must_use]
    pub fn journal(&self) -> Vec<JournalEntry> {
        self.stage.journal.after(0)
    }

    /// Returns the calls after a sequence number, oldest first.
    #[must_use]
    pub fn journal_after(&self, sequence: u64) -> Vec<JournalEntry> {
        self.stage.journal.after(sequence)
    }

    /// Forgets the calls so far; their numbers are not used again.
    pub fn clear_journal(&self) {
        self.stage.journal.clear();
    }

    /// Returns everything the vendor knows, deleted servers included.
    #[must_use]
    pub fn state(&self) -> Value {
        self.vendor.state()
    }

    /// Adds faults, written out or by name, all or none, and returns their numbers.
    ///
    /// # Errors
    ///
    /// A sentence that says what is wrong with one of them.
    pub fn add(&self, scripts: Vec<Script>) -> Result<Vec<u64>, String> {
        let mut whole = Plan::default();
        for script in scripts {
            match script {
                Script::Fault(fault) => whole.faults.push(*fault),
                Script::Named(named) => {
                    let plan = expand(&named, self.vendor.as_ref())?;
                    whole.faults.extend(plan.faults);
                    whole.refuse_ms = plan.refuse_ms.or(whole.refuse_ms);
                    whole.skew_ms = plan.skew_ms.or(whole.skew_ms);
                }
            }
        }
        let ids = self.stage.faults.add_all(whole.faults)?;
        if let Some(ms) = whole.skew_ms {
            self.set_skew(ms);
        }
        if let Some(ms) = whole.refuse_ms {
            self.close_listener(Duration::from_millis(ms));
        }
        Ok(ids)
    }

    /// Adds a fault and returns its number.
    ///
    /// # Errors
    ///
    /// A sentence that says what is wrong with the rule.
    pub fn add_fault(&self, fault: Fault) -> Result<u64, String> {
        let ids = self.stage.faults.add_all(vec![fault])?;
        Ok(ids.first().copied().unwrap_or_default())
    }

    /// Returns all faults, the spent ones included.
    #[must_use]
    pub fn faults(&self) -> Vec<FaultStatus> {
        self.stage.faults.all()
    }

    /// Removes all faults, and sets the vendor's clock right.
    pub fn clear_faults(&self) {
        self.stage.faults.clear();
        self.set_skew(0);
    }

    /// Closes the listener and every connection for a time; whoever comes meanwhile is
    /// refused. It takes effect a moment later, so that whoever asks for it gets an answer.
    pub fn close_listener(&self, closed_for: Duration) {
        let stage = Arc::clone(&self.stage);
        let waiting = thread::Builder::new().spawn(move || {
            thread::sleep(ANSWERED);
            stage.gate.close(closed_for);
        });
        if waiting.is_err() {
            self.stage.gate.close(closed_for);
        }
    }

    /// Lets the vendor's clock show so many milliseconds too much, or too little. Nothing
    /// happens earlier or later for it.
    pub fn set_skew(&self, ms: i64) {
        self.stage.clock.set_skew(ms);
    }

    /// Returns the address of the second listener, to which redirects may lead.
    #[must_use]
    pub fn elsewhere(&self) -> String {
        self.stage.elsewhere.endpoint()
    }

    /// Returns who came to the second listener.
    #[must_use]
    pub fn callers(&self) -> Vec<Caller> {
        self.stage.elsewhere.callers()
    }

    /// Adds, changes or revokes a token. Without an account it keeps the one
    /// it has, or opens `main`; an account that is not there is made.
    pub fn set_token(&self, token: &str, account: Option<&str>, scopes: Scopes) {
        self.stage.tokens.set(token, account, scopes);
    }

    /// Returns the rate limits as they hold now, by their names.
    #[must_use]
    pub fn limits(&self) -> BTreeMap<&'static str, Limit> {
        self.stage.limits.all()
    }

    /// Changes a rate limit from the next call on.
    ///
    /// # Errors
    ///
    /// A sentence that says what is wrong: the vendor has no such limit, or the
    /// window is not from a second to a day.
    pub fn set_limit(&self, name: &str, limit: Limit) -> Result<(), String> {
        self.stage.limits.set(name, limit)
    }

    /// Moves the simulator's time forward: states, list lag and rate limits.
    pub fn advance(&self, by: Duration) {
        self.stage.clock.advance(by);
    }

    pub(crate) fn now(&self) -> String {
        self.stage.clock.now().rfc3339()
    }
}

impl fmt::Debug for Handle {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Handle")
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}
