//! `/profile/sshkeys`: SSH keys of the user.

use serde_json::{Value, json};

use crate::clock::Instant;
use crate::ssh::key_bytes;
use crate::vendor::Answer;

use super::paging::page;
use super::refusal::{Complaints, Refusal};
use super::{Desk, Reply, object};

/// An SSH key.
#[derive(Debug, Clone)]
pub(crate) struct Key {
    id: u64,
    label: String,
    pub(crate) public_key: String,
    created: Instant,
}

impl Key {
    pub(crate) fn view(&self) -> Value {
        json!({
            "id": self.id,
            "label": self.label,
            "ssh_key": self.public_key,
            "created": self.created.zoneless_text(),
        })
    }
}

/// Answers `GET /v4/profile/sshkeys`.
pub(crate) fn list(desk: &Desk<'_>) -> Reply {
    let views = desk.account.keys.values().map(Key::view).collect();
    page(desk.call, views, &["label"])
}

/// Answers `POST /v4/profile/sshkeys`. The same key may be there twice.
pub(crate) fn add(desk: Desk<'_>) -> Reply {
    let body = &object(desk.call)?;
    let mut complaints = Complaints::default();
    let label = complaints.hear(label(body));
    let public_key = complaints.hear(public_key(body));
    complaints.end()?;
    let id = desk.ids.key();
    let key = Key {
        id,
        label: label.unwrap_or_default(),
        public_key: public_key.unwrap_or_default(),
        created: desk.now,
    };
    let answer = Answer::json(200, &key.view()).committed();
    desk.account.keys.insert(id, key);
    Ok(answer)
}

/// Answers `GET /v4/profile/sshkeys/{id}`.
pub(crate) fn show(desk: &Desk<'_>, id: &str) -> Reply {
    let key = desk.account.keys.get(&number(id)?);
    let key = key.ok_or_else(Refusal::not_found)?;
    Ok(Answer::json(200, &key.view()))
}

/// Answers `PUT /v4/profile/sshkeys/{id}`, which changes the label only.
pub(crate) fn rename(desk: Desk<'_>, id: &str) -> Reply {
    let key = desk.account.keys.get_mut(&number(id)?);
    let key = key.ok_or_else(Refusal::not_found)?;
    key.label = label(&object(desk.call)?)?;
    Ok(Answer::json(200, &key.view()).committed())
}

/// Answers `DELETE /v4/profile/sshkeys/{id}`.
pub(crate) fn remove(desk: Desk<'_>, id: &str) -> Reply {
    let removed = desk.account.keys.remove(&number(id)?);
    removed.ok_or_else(Refusal::not_found)?;
    Ok(Answer::json(200, &json!({})).committed())
}

fn number(id: &str) -> Result<u64, Refusal> {
    id.parse().ok().ok_or_else(Refusal::not_found)
}

fn label(body: &Value) -> Result<String, Refusal> {
    let label = body["label"].as_str().unwrap_or_default();
    if (1..=64).contains(&label.chars().count()) {
        return Ok(label.to_owned());
    }
    Err(Refusal::field("label", "Length must be 1-64 characters"))
}

fn public_key(body: &Value) -> Result<String, Refusal> {
    let key = body["ssh_key"].as_str().unwrap_or_default().trim();
    if key_bytes(key).is_some() {
        return Ok(key.to_owned());
    }
    Err(Refusal::field("ssh_key", "ssh_key is not valid"))
}
