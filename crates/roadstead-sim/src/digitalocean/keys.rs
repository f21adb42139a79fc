//! `/v2/account/keys`: SSH keys.

use md5::{Digest, Md5};
use serde_json::{Value, json};

use crate::ssh::key_bytes;
use crate::vendor::Answer;

use super::paging::page;
use super::refusal::Refusal;
use super::{Desk, Reply, object};

/// An SSH key of the account.
#[derive(Debug, Clone)]
pub(crate) struct Key {
    pub(crate) id: u64,
    pub(crate) fingerprint: String,
    pub(crate) public_key: String,
    pub(crate) name: String,
}

impl Key {
    pub(crate) fn view(&self) -> Value {
        json!({
            "id": self.id,
            "fingerprint": self.fingerprint,
            "public_key": self.public_key,
            "name": self.name,
        })
    }

    /// Returns whether a number or fingerprint names this key.
    pub(crate) fn is_named(&self, wanted: &str) -> bool {
        wanted == self.fingerprint || wanted.parse() == Ok(self.id)
    }
}

/// Answers `GET /v2/account/keys`.
pub(crate) fn list(desk: &Desk<'_>) -> Answer {
    let keys: Vec<&Key> = desk.account.keys.values().collect();
    page(desk.call, "ssh_keys", &keys, |it| it.view())
}

/// Answers `POST /v2/account/keys`.
pub(crate) fn add(desk: Desk<'_>) -> Reply {
    let body = &object(desk.call)?;
    let name = name(body)?;
    let public_key = body["public_key"]
        .as_str()
        .unwrap_or_default()
        .trim()
        .to_owned();
    let fingerprint = fingerprint(&public_key).ok_or_else(|| {
        Refusal::unprocessable("Key invalid, key should be of the format `type key [comment]`")
    })?;
    if desk
        .account
        .keys
        .values()
        .any(|it| it.fingerprint == fingerprint)
    {
        return Err(Refusal::unprocessable(
            "SSH Key is already in use on your account",
        ));
    }
    let id = desk.ids.key();
    let key = Key {
        id,
        fingerprint,
        public_key,
        name,
    };
    let answer = Answer::json(201, &json!({ "ssh_key": key.view() })).committed();
    desk.account.keys.insert(id, key);
    Ok(answer)
}

/// Answers `GET /v2/account/keys/{key}`.
pub(crate) fn show(desk: &Desk<'_>, wanted: &str) -> Reply {
    let key = desk.account.keys.values().find(|it| it.is_named(wanted));
    let key = key.ok_or_else(Refusal::not_found)?;
    Ok(Answer::json(200, &json!({ "ssh_key": key.view() })))
}

/// Answers `PUT /v2/account/keys/{key}`.
pub(crate) fn rename(desk: Desk<'_>, wanted: &str) -> Reply {
    let name = name(&object(desk.call)?)?;
    let key = desk
        .account
        .keys
        .values_mut()
        .find(|it| it.is_named(wanted));
    let key = key.ok_or_else(Refusal::not_found)?;
    key.name = name;
    Ok(Answer::json(200, &json!({ "ssh_key": key.view() })).committed())
}

/// Answers `DELETE /v2/account/keys/{key}`.
pub(crate) fn remove(desk: Desk<'_>, wanted: &str) -> Reply {
    let id = desk
        .account
        .keys
        .values()
        .find(|it| it.is_named(wanted))
        .map(|it| it.id);
    desk.account
        .keys
        .remove(&id.ok_or_else(Refusal::not_found)?);
    Ok(Answer::empty(204).committed())
}

fn name(body: &Value) -> Result<String, Refusal> {
    match body["name"].as_str() {
        Some(name) if !name.is_empty() => Ok(name.to_owned()),
        _ => Err(Refusal::unprocessable("Name can't be blank")),
    }
}

/// Returns the MD5 of the key's bytes as pairs of digits, as the vendor does.
fn fingerprint(public_key: &str) -> Option<String> {
    let pairs: Vec<String> = Md5::digest(key_bytes(public_key)?)
        .iter()
        .map(|it| format!("{it:02x}"))
        .collect();
    Some(pairs.join(":"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_is_the_md5_of_the_decoded_key() {
        let key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f comment";
        assert_eq!(
            fingerprint(key).as_deref(),
            Some("0f:a2:0a:d7:38:3e:65:45:08:6b:63:84:1c:ff:dc:ba")
        );
        assert_eq!(fingerprint("ssh-rsa AAAAC3NzaC1lZDI1NTE5AAAAIA== x"), None);
        assert_eq!(fingerprint("nonsense"), None);
    }
}
