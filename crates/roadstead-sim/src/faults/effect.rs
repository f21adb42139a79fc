//! What a fault does: to the vendor that executes the call, to its answer, to the connection.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What a fault does. Members combine: a delay comes first, the end of a connection wins over
/// an answer, `status` and `body` replace it, the rest spoils how it is sent.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Effect {
    /// Waits, in real milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delay_ms: Option<u64>,
    /// Replaces the status.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// Replaces the body: a text is sent as it is, anything else as JSON.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<Value>,
    /// Replaces values in an answer of JSON, by their JSON pointers.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub json_set: BTreeMap<String, Value>,
    /// Takes values out of an answer of JSON, by their JSON pointers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub json_remove: Vec<String>,
    /// Replaces the content type.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content_type: Option<String>,
    /// Sets headers, replacing those of the same name. In a value `{elsewhere}` stands for the
    /// address of the simulator's second listener, which writes down who comes.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, String>,
    /// Sends a `Retry-After` as a date, so many seconds from now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after_date_s: Option<u32>,
    /// Ends the connection in good order without an answer.
    #[serde(default, skip_serializing_if = "is_false")]
    pub drop: bool,
    /// Resets the connection without an answer.
    #[serde(default, skip_serializing_if = "is_false")]
    pub reset: bool,
    /// Closes the listener and every connection for so many real milliseconds, as soon as the
    /// call is answered: whoever comes meanwhile is refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refuse_ms: Option<u64>,
    /// Sends this many bytes of the body, then closes the connection.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub truncate: Option<usize>,
    /// Sends the body byte by byte, so many milliseconds apart.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub drip_ms: Option<u64>,
    /// Puts so many spaces after the body.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pad_bytes: Option<u64>,
    /// Sends, instead of the body, so many bytes of spaces as a small body of gzip.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gzip_bomb_bytes: Option<u64>,
    /// Decides how the work ends that the call starts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fate: Option<Fate>,
    /// Executes the call twice, and decides which answer is sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub twice: Option<Twice>,
    /// Executes the call in another account, as the token of somebody else would.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// Lists show no server, and each by itself is refused, as with a token that lost a scope.
    #[serde(default, skip_serializing_if = "is_false")]
    pub hides_servers: bool,
    /// Lists show the servers that there were so many milliseconds ago (divided by the time
    /// scale), those deleted since included.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stale_ms: Option<u64>,
    /// Gives pages of so many items, however many were asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub page_size: Option<usize>,
    /// On a later page: a new item has come in before all others since the first page.
    #[serde(default, skip_serializing_if = "is_false")]
    pub torn: bool,
    /// A server that the call makes is missing from lists for so long (divided by the time
    /// scale).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unlisted_ms: Option<u64>,
    /// A server that the call makes gets its tags so much later (divided by the time scale).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tags_late_ms: Option<u64>,
    /// A server that the call makes gets no tags.
    #[serde(default, skip_serializing_if = "is_false")]
    pub untagged: bool,
}

/// How work ends that a vendor had accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Fate {
    /// It fails: a created server vanishes, any other action changes nothing.
    Fails,
    /// It is reported as done and changes nothing, as a guest that ignores a
    /// shutdown.
    Ignored,
}

/// Which answer is sent to a call that is executed twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Twice {
    /// That of the first time.
    First,
    /// That of the second time, which may be a refusal.
    Second,
}

/// How work ends that a vendor has accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    Completed,
    Errored,
}

impl Ending {
    /// Returns how work ends for which a fault has decided.
    pub(crate) const fn of(fate: Option<Fate>) -> Self {
        match fate {
            None | Some(Fate::Ignored) => Self::Completed,
            Some(Fate::Fails) => Self::Errored,
        }
    }
}

impl Effect {
    /// Returns whether the answer is sent as the vendor gives it.
    pub(crate) fn keeps_the_answer(&self) -> bool {
        !self.drop
            && !self.reset
            && self.status.is_none()
            && self.body.is_none()
            && self.json_set.is_empty()
            && self.json_remove.is_empty()
            && self.content_type.is_none()
            && self.headers.is_empty()
            && self.retry_after_date_s.is_none()
            && self.truncate.is_none()
            && self.drip_ms.is_none()
            && self.pad_bytes.is_none()
            && self.gzip_bomb_bytes.is_none()
    }

    /// Returns whether nothing at all is asked for.
    pub(crate) fn does_nothing(&self) -> bool {
        self.keeps_the_answer()
            && self.delay_ms.is_none()
            && self.refuse_ms.is_none()
            && self.fate.is_none()
            && self.twice.is_none()
            && self.account.is_none()
            && !self.hides_servers
            && self.stale_ms.is_none()
            && self.page_size.is_none()
            && !self.torn
            && self.unlisted_ms.is_none()
            && self.tags_late_ms.is_none()
            && !self.untagged
    }
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde hands over a reference"
)]
const fn is_false(it: &bool) -> bool {
    !*it
}
