//! Who may call: tokens, kept only as SHA-256 digests, and the accounts they open.

use std::collections::HashMap;

use aws_lc_rs::digest;
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};

/// Opens the account `main` completely.
pub const TOKEN_FULL: &str = "sim-token";
/// Opens the account `other` completely.
pub const TOKEN_OTHER: &str = "sim-other";
/// Opens the account `main` for reading only.
pub const TOKEN_READ_ONLY: &str = "sim-readonly";

const MAIN: &str = "main";
const OTHER: &str = "other";

/// What a token may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scopes {
    /// Everything.
    Full,
    /// Reads only.
    Read,
    /// Nothing: refused like a token nobody knows.
    Revoked,
}

/// A token that every simulator knows from the start.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct WellKnownToken {
    /// The token itself.
    pub token: &'static str,
    /// The simulator's own name for the account.
    pub account: &'static str,
    /// What the token may do.
    pub scopes: Scopes,
}

/// Returns the tokens that every simulator knows from the start.
#[must_use]
pub const fn well_known_tokens() -> [WellKnownToken; 3] {
    [
        WellKnownToken {
            token: TOKEN_FULL,
            account: MAIN,
            scopes: Scopes::Full,
        },
        WellKnownToken {
            token: TOKEN_OTHER,
            account: OTHER,
            scopes: Scopes::Full,
        },
        WellKnownToken {
            token: TOKEN_READ_ONLY,
            account: MAIN,
            scopes: Scopes::Read,
        },
    ]
}

/// What a known token opens.
#[derive(Debug, Clone)]
pub(crate) struct Grant {
    pub(crate) account: String,
    pub(crate) scopes: Scopes,
}

/// The tokens in force.
#[derive(Debug)]
pub(crate) struct Tokens {
    by_digest: Mutex<HashMap<String, Grant>>,
}

impl Tokens {
    pub(crate) fn new() -> Self {
        let tokens = Self {
            by_digest: Mutex::new(HashMap::new()),
        };
        for known in well_known_tokens() {
            tokens.set(known.token, Some(known.account), known.scopes);
        }
        tokens
    }

    /// Adds or changes a token; without an account it keeps the one it has,
    /// or opens `main`.
    pub(crate) fn set(&self, token: &str, account: Option<&str>, scopes: Scopes) {
        let mut by_digest = self.by_digest.lock();
        let grant = by_digest.entry(sha256_hex(token)).or_insert_with(|| Grant {
            account: MAIN.to_owned(),
            scopes,
        });
        grant.scopes = scopes;
        if let Some(account) = account {
            account.clone_into(&mut grant.account);
        }
    }

    /// Returns what a token opens, or `None` if it is unknown or revoked.
    pub(crate) fn find(&self, digest: &str) -> Option<Grant> {
        let grant = self.by_digest.lock().get(digest).cloned()?;
        match grant.scopes {
            Scopes::Full | Scopes::Read => Some(grant),
            Scopes::Revoked => None,
        }
    }

    /// Returns the names of all accounts that a token was made for.
    pub(crate) fn accounts(&self) -> Vec<String> {
        let mut names: Vec<String> = self
            .by_digest
            .lock()
            .values()
            .map(|it| it.account.clone())
            .collect();
        names.sort();
        names.dedup();
        names
    }
}

/// Returns the SHA-256 of a text in hexadecimal.
pub(crate) fn sha256_hex(text: &str) -> String {
    hex(digest::digest(&digest::SHA256, text.as_bytes()).as_ref())
}

/// Returns 40 hexadecimal digits that no setting changes, so that an account
/// is recognized after a restart.
pub(crate) fn identity(vendor: &str, kind: &str, name: &str) -> String {
    sha256_hex(&format!("roadstead-sim/{vendor}/{kind}/{name}"))
        .chars()
        .take(40)
        .collect()
}

/// Returns bytes in lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
