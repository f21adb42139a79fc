//! What a vendor is to the shared parts: something that answers calls.

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::faults::{Effect, Fate};
use crate::presets::Site;
use crate::tokens::sha256_hex;

/// One request, free of the web framework.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    pub(crate) method: String,
    /// The decoded path without its trailing slash.
    pub(crate) path: String,
    pub(crate) raw_query: String,
    pub(crate) query: Vec<(String, String)>,
    /// Names are lower-case.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Bytes,
    /// What a fault has decided about the work that this call starts.
    pub(crate) fate: Option<Fate>,
    /// All that the fault does which the call has drawn.
    pub(crate) effect: Effect,
}

impl Call {
    /// Returns a header by its lower-case name.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(it, _)| it == name)
            .map(|(_, value)| value.as_str())
    }

    /// Returns the first value of a query parameter.
    pub(crate) fn query(&self, name: &str) -> Option<&str> {
        self.query
            .iter()
            .find(|(it, _)| it == name)
            .map(|(_, value)| value.as_str())
    }

    /// Returns the bearer token.
    pub(crate) fn bearer(&self) -> Option<&str> {
        let (scheme, token) = self.header("authorization")?.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
    }

    /// Returns the digest of the bearer token.
    pub(crate) fn bearer_digest(&self) -> Option<String> {
        self.bearer().map(sha256_hex)
    }
}

/// The calls that faults are written for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Makes a server.
    Create,
    /// Deletes a server.
    Delete,
    /// Gives a server another size.
    Resize,
    /// Reads a server.
    Get,
    /// Lists servers.
    List,
    /// Reads the account.
    Account,
    /// Any call at all.
    Any,
}

/// What a vendor says to a call.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) content_type: String,
    pub(crate) body: Bytes,
    /// Whether something changed at the vendor.
    pub(crate) committed: bool,
    /// The server that was made or touched.
    pub(crate) resource_id: Option<String>,
}

impl Answer {
    /// Makes an answer of JSON that changed nothing.
    pub(crate) fn json(status: u16, body: &Value) -> Self {
        Self {
            body: Bytes::from(body.to_string()),
            content_type: "application/json; charset=utf-8".to_owned(),
            ..Self::empty(status)
        }
    }

    /// Makes an answer without a body that changed nothing.
    pub(crate) const fn empty(status: u16) -> Self {
        Self {
            status,
            headers: Vec::new(),
            content_type: String::new(),
            body: Bytes::new(),
            committed: false,
            resource_id: None,
        }
    }

    /// Marks the answer as one that changed something.
    pub(crate) fn committed(mut self) -> Self {
        self.committed = true;
        self
    }

    /// Names the server that was made or touched.
    pub(crate) fn about(mut self, id: impl ToString) -> Self {
        self.resource_id = Some(id.to_string());
        self
    }
}

/// A vendor's API. Nothing in it waits: states follow from the time of asking.
pub(crate) trait Vendor: Send + Sync + 'static {
    /// Answers a call, with the vendor's own headers.
    fn answer(&self, call: &Call) -> Answer;

    /// Refuses a body that is too large, in the vendor's form.
    fn too_large(&self) -> Answer;

    /// Returns the headers that the vendor puts on every answer.
    fn headers(&self, call: &Call) -> Vec<(String, String)>;

    /// Returns the names of body fields that must not be journaled in clear.
    fn secret_fields(&self) -> &'static [&'static str];

    /// Returns everything the vendor knows, deleted servers included.
    fn state(&self) -> Value;

    /// Returns the marks of a server of any account, deleted ones included: its name and its
    /// tags.
    fn marks(&self, id: &str) -> Option<(String, Vec<String>)>;

    /// Returns where a kind of call is made.
    fn site(&self, kind: Kind) -> Site;

    /// Returns a body in which the vendor says that something went wrong.
    fn error_body(&self, status: u16) -> Value;
}
