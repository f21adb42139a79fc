//! What is known when all is quiet: the vendor's books and journal, the API's answers, and ours.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;
use uuid::Uuid;

/// Everything that the checker reads.
#[derive(Debug, Default)]
pub struct Evidence {
    /// What the client asked for, and what it was answered.
    pub asked: Vec<Asked>,
    /// Our database.
    pub books: Books,
    /// The servers at the vendors, deleted ones included.
    pub objects: Vec<Object>,
    /// What the program sent to the vendors: all but the reads that were answered well.
    pub journal: Vec<Entry>,
    /// Servers that the harness itself has put there.
    pub planted: BTreeSet<String>,
    /// What the API has shown as bound, over the whole run.
    pub bindings: BTreeMap<Uuid, BTreeSet<String>>,
    /// Places where a secret was found that must not be there.
    pub exposed: Vec<String>,
    /// What went wrong with the run itself, such as a program that ended uncalled for.
    pub mishaps: Vec<String>,
}

/// One thing that the client asked for, however often.
#[derive(Debug, Clone, Default)]
pub struct Asked {
    /// The idempotency key.
    pub key: String,
    /// What: the word of an operation's kind.
    pub kind: String,
    /// The plan that was asked for, by a create or a resize.
    pub plan: Option<String>,
    /// The image that was asked for, by a rebuild.
    pub image: Option<String>,
    /// The server: known from the answer, or named in the request.
    pub instance: Option<Uuid>,
    /// The operations that the answers named; more than one is a fault.
    pub operations: BTreeSet<Uuid>,
    /// The status and code with which it was refused, if it was.
    pub refusal: Option<(u16, String)>,
}

/// Our database.
#[derive(Debug, Clone, Default)]
pub struct Books {
    /// All operations.
    pub operations: Vec<Operation>,
    /// All servers.
    pub instances: Vec<Instance>,
    /// All attempts.
    pub attempts: Vec<Attempt>,
    /// All servers that were to be deleted beside the bound ones.
    pub dooms: Vec<Doom>,
    /// The vendor's ids of the servers that are shown to the operator as nobody's.
    pub quarantine: BTreeSet<String>,
}

/// An operation on record.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Operation {
    /// Its id.
    pub id: Uuid,
    /// Whose.
    pub instance: Uuid,
    /// What it does.
    pub kind: String,
    /// How far it is.
    pub state: String,
    /// Whether a secret is kept for it.
    pub secret: bool,
    /// What it says of itself.
    pub error: Option<String>,
    /// When it was accepted, in microseconds.
    pub created_at: i64,
    /// When it ended.
    pub finished_at: Option<i64>,
}

impl Operation {
    /// Returns whether it has ended.
    #[must_use]
    pub fn is_final(&self) -> bool {
        matches!(self.state.as_str(), "succeeded" | "failed")
    }

    /// Returns whether it waits for a person.
    #[must_use]
    pub fn is_parked(&self) -> bool {
        self.state == "attention"
    }
}

/// A server on record.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Instance {
    /// Its id.
    pub id: Uuid,
    /// How far its life has come.
    pub lifecycle: String,
    /// Its id at the vendor.
    pub remote: Option<String>,
    /// Its name at the vendor, which is its mark.
    pub name: String,
}

/// An attempt on record.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Attempt {
    /// Of which operation.
    pub operation: Uuid,
    /// Which one, from 1.
    pub number: i64,
    /// When it was put on record, in microseconds.
    pub sent_at: i64,
}

/// A server that was to be deleted beside the bound one.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Doom {
    /// Its id at the vendor.
    pub remote: String,
    /// Whose mark it carried.
    pub instance: Uuid,
    /// Whether it was deleted.
    pub done: bool,
}

/// A server at a vendor.
#[derive(Debug, Clone, Default)]
pub struct Object {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its tags.
    pub tags: Vec<String>,
    /// Whether it is gone.
    pub deleted: bool,
    /// Its plan.
    pub plan: String,
    /// Its image.
    pub image: String,
    /// The vendor's word for how it is.
    pub status: String,
}

impl Object {
    /// Reads what a simulator says of a server.
    #[must_use]
    pub fn read(state: &Value) -> Self {
        let text = |name: &str| match state.get(name) {
            Some(Value::String(text)) => text.clone(),
            Some(Value::Null) | None => String::new(),
            Some(other) => other.to_string(),
        };
        let tags = state.get("tags").and_then(Value::as_array);
        let either = |one: &str, other: &str| {
            let found = text(one);
            if found.is_empty() { text(other) } else { found }
        };
        Self {
            id: text("id"),
            name: text("name"),
            tags: tags
                .into_iter()
                .flatten()
                .filter_map(|it| it.as_str().map(str::to_owned))
                .collect(),
            deleted: state.get("deleted").and_then(Value::as_bool) == Some(true),
            plan: either("size", "type"),
            image: text("image"),
            status: text("status"),
        }
    }
}

/// A call in a simulator's journal.
#[derive(Debug, Clone, Deserialize)]
pub struct Entry {
    /// Its number.
    pub sequence: u64,
    /// When it arrived.
    pub time: Timestamp,
    /// `GET`, `POST`, …
    pub method: String,
    /// The path.
    pub path: String,
    /// Whose token it came with.
    pub token_sha256: Option<String>,
    /// The body.
    pub body: Option<Value>,
    /// The status of the answer.
    pub status: Option<u16>,
    /// Whether it changed something.
    pub committed: bool,
    /// The fault that was applied.
    pub fault: Option<String>,
    /// The server that it made or touched.
    pub resource_id: Option<String>,
}

impl Entry {
    /// Returns whether it asks for a new server.
    #[must_use]
    pub fn is_create(&self) -> bool {
        self.method == "POST"
            && (self.path.ends_with("/droplets") || self.path.ends_with("/linode/instances"))
    }

    /// Returns the name that a creating call gives.
    #[must_use]
    pub fn created_name(&self) -> Option<&str> {
        let body = self.body.as_ref().filter(|_| self.is_create())?;
        body.get("name").or_else(|| body.get("label"))?.as_str()
    }

    /// Returns the server that it asks to delete.
    #[must_use]
    pub fn deleted(&self) -> Option<&str> {
        let mut segments = self.segments().rev();
        let id = segments.next()?;
        let is_server = matches!(segments.next(), Some("droplets" | "instances"));
        (self.method == "DELETE" && is_server).then_some(id)
    }

    /// Returns the server and the vendor's word for what is to be done with it.
    #[must_use]
    pub fn action(&self) -> Option<(&str, &str)> {
        if self.method != "POST" {
            return None;
        }
        let mut segments = self.segments().rev();
        let (word, id) = (segments.next()?, segments.next()?);
        if !matches!(segments.next(), Some("droplets" | "instances")) {
            return None;
        }
        if word == "actions" {
            return Some((id, self.body.as_ref()?.get("type")?.as_str()?));
        }
        Some((id, word))
    }

    /// Returns whether the vendor refused it, for good and by its own decision.
    #[must_use]
    pub fn is_refusal(&self) -> bool {
        let vanishes = self
            .fault
            .as_ref()
            .is_some_and(|it| it.contains("\"fate\":\"fails\""));
        let is_final = |it: u16| (400..500).contains(&it) && it != 408 && it != 429;
        vanishes || (!self.committed && self.status.is_some_and(is_final))
    }

    /// Returns whether it is of a server.
    #[must_use]
    pub fn names(&self, remote: &str) -> bool {
        self.resource_id.as_deref() == Some(remote) || self.segments().any(|it| it == remote)
    }

    fn segments(&self) -> impl DoubleEndedIterator<Item = &str> {
        self.path.split('/')
    }
}
