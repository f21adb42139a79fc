//! The second listener: another host, to which a client must not carry its token.

use std::net::SocketAddr;
use std::sync::OnceLock;

use parking_lot::Mutex;
use serde::Serialize;

use crate::vendor::Call;

/// Somebody who came to the second listener.
#[derive(Debug, Clone, Serialize)]
pub struct Caller {
    /// `GET`, `POST`, …
    pub method: String,
    /// The path without the query.
    pub path: String,
    /// The SHA-256 of the token in hexadecimal, if one was brought.
    pub token_sha256: Option<String>,
    /// Whether any `Authorization` was brought.
    pub authorized: bool,
    /// How long the body was.
    pub body_bytes: usize,
}

/// Writes down who comes.
#[derive(Debug, Default)]
pub(crate) struct Elsewhere {
    address: OnceLock<SocketAddr>,
    callers: Mutex<Vec<Caller>>,
}

impl Elsewhere {
    /// Says where it listens, once.
    pub(crate) fn open(&self, address: SocketAddr) {
        self.address.get_or_init(|| address);
    }

    pub(crate) fn is_at(&self, address: SocketAddr) -> bool {
        self.address.get() == Some(&address)
    }

    /// Returns the base address.
    pub(crate) fn endpoint(&self) -> String {
        self.address
            .get()
            .map_or_else(String::new, |it| format!("http://{it}"))
    }

    pub(crate) fn write_down(&self, call: &Call) {
        self.callers.lock().push(Caller {
            method: call.method.clone(),
            path: call.path.clone(),
            token_sha256: call.bearer_digest(),
            authorized: call.header("authorization").is_some(),
            body_bytes: call.body.len(),
        });
    }

    pub(crate) fn callers(&self) -> Vec<Caller> {
        self.callers.lock().clone()
    }
}
