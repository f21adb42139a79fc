//! Keys kept at DigitalOcean, and its one-click applications.

use std::fmt::Write;
use std::sync::Arc;

use async_trait::async_trait;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use md5::{Digest, Md5};
use roadstead_core::{
    Choice, ChoiceList, Choices, Error, ErrorKind, KeptKey, KeyForm, Marketplace, MarketplaceApp,
    Outcome, Result, SshKeys,
};
use uuid::Uuid;

use crate::DigitalOcean;
use crate::client::Client;
use crate::convert;
use crate::descriptor::NO_PLACEMENT_GROUP;
use crate::error::{invalid, kind};
use crate::request::CREATE;
use crate::wire;

/// Why a text is no key.
const NO_KEY: &str = "this is no public key in OpenSSH form";

const ENSURE: &str = "register the SSH key";

#[async_trait]
impl SshKeys for DigitalOcean {
    /// A droplet takes keys by their ids.
    fn form(&self) -> KeyForm {
        KeyForm::Placed
    }

    async fn ensure(&self, public_key: &str, name: &str) -> Result<KeptKey> {
        let key = ensure_key(&self.client, ENSURE, "public_key", public_key, name).await?;
        Ok(kept(key))
    }

    /// DigitalOcean takes each key once, whatever its name.
    async fn find(&self, public_key: &str, _name: &str) -> Result<Option<KeptKey>> {
        let Some(fingerprint) = fingerprint(public_key.trim()) else {
            return Err(invalid("find the SSH key", "public_key", NO_KEY));
        };
        match self.client.fetch_key(&fingerprint).await {
            Err(error) if error.kind == ErrorKind::NoSuchResource => Ok(None),
            known => known.map(|it| Some(kept(it))),
        }
    }

    async fn delete(&self, id: &str) -> Result<()> {
        if !is_known_form(id) {
            let message = "the id does not come from this provider";
            return Err(invalid("delete the SSH key", "id", message));
        }
        match self.client.fetch_delete_key(id).await {
            Err(error) if error.kind == ErrorKind::NoSuchResource => Ok(()),
            done => done,
        }
    }
}

#[async_trait]
impl Marketplace for DigitalOcean {
    async fn apps(&self) -> Result<Arc<[MarketplaceApp]>> {
        Ok(self
            .client
            .fetch_one_clicks()
            .await?
            .into_iter()
            .filter_map(convert::app)
            .collect())
    }
}

#[async_trait]
impl Choices for DigitalOcean {
    async fn choices(&self, of: ChoiceList) -> Result<Arc<[Choice]>> {
        const OPERATION: &str = "list the choices";
        Ok(match of {
            ChoiceList::Firewalls => {
                let firewalls = self.client.fetch_firewalls().await?;
                firewalls
                    .into_iter()
                    .filter_map(convert::firewall)
                    .collect()
            }
            ChoiceList::Networks => {
                let vpcs = self.client.fetch_vpcs().await?;
                vpcs.into_iter().map(convert::vpc).collect()
            }
            ChoiceList::PlacementGroups => {
                return Err(Error::unsupported(kind(), OPERATION, NO_PLACEMENT_GROUP));
            }
            _ => {
                let why = "this version does not know the list";
                return Err(Error::unsupported(kind(), OPERATION, why));
            }
        })
    }
}

/// Returns a firewall that a droplet shall be behind.
pub(crate) async fn firewall_for_create(client: &Client, id: Uuid) -> Result<wire::Firewall> {
    // No server was asked for yet, whatever became of the firewall.
    match client.fetch_firewall(CREATE, id).await {
        Err(error) if error.kind == ErrorKind::NoSuchResource => {
            let message = format!("the account has no firewall `{id}`");
            Err(invalid(CREATE, "options.firewall_id", message))
        }
        known => known.map_err(|error| error.with_outcome(Outcome::NotExecuted)),
    }
}

/// Returns the keys of a create as DigitalOcean takes them: its ids and fingerprints as they
/// are, full public keys by their id at DigitalOcean, where they are registered when absent.
pub(crate) async fn keys_for_create(
    client: &Client,
    operation: &'static str,
    keys: &[Box<str>],
    name: &str,
) -> Result<Vec<wire::NumberOrText>> {
    let mut ids = Vec::with_capacity(keys.len());
    for key in keys {
        let key = key.trim();
        if is_known_form(key) {
            ids.push(key.into());
            continue;
        }
        // No server was asked for yet, whatever became of the key.
        let known = ensure_key(client, operation, "ssh_keys", key, name)
            .await
            .map_err(|error| error.with_outcome(Outcome::NotExecuted))?;
        ids.push(wire::NumberOrText::Number(known.id));
    }
    Ok(ids)
}

/// Refuses what is neither a public key nor the id or fingerprint of one.
pub(crate) fn check_keys(operation: &'static str, keys: &[Box<str>]) -> Result<()> {
    let fits = |it: &str| is_known_form(it) || fingerprint(it).is_some();
    if keys.iter().all(|it| fits(it.trim())) {
        Ok(())
    } else {
        Err(invalid(operation, "ssh_keys", NO_KEY))
    }
}

/// Returns whether the text is an id or a fingerprint.
fn is_known_form(key: &str) -> bool {
    let pairs = || {
        key.split(':')
            .all(|it| it.len() == 2 && it.bytes().all(|it| it.is_ascii_hexdigit()))
    };
    !key.is_empty() && (key.bytes().all(|it| it.is_ascii_digit()) || (key.len() == 47 && pairs()))
}

async fn ensure_key(
    client: &Client,
    operation: &'static str,
    field: &str,
    public_key: &str,
    name: &str,
) -> Result<wire::Key> {
    let public_key = public_key.trim();
    let Some(fingerprint) = fingerprint(public_key) else {
        return Err(invalid(operation, field, NO_KEY));
    };
    match client.fetch_key(&fingerprint).await {
        Err(error) if error.kind == ErrorKind::NoSuchResource => {}
        known => return known,
    }
    match client
        .fetch_create_key(&wire::CreateKey { name, public_key })
        .await
    {
        // Somebody else, or an earlier call of ours, was faster.
        Err(error) if error.kind == ErrorKind::Conflict => client.fetch_key(&fingerprint).await,
        made => made,
    }
}

fn kept(key: wire::Key) -> KeptKey {
    KeptKey {
        id: key.id.to_string().into(),
        name: key.name.unwrap_or_default(),
    }
}

/// Returns the fingerprint by which DigitalOcean knows a key: MD5 in pairs of digits. `None`
/// for a text that is no public key.
fn fingerprint(public_key: &str) -> Option<String> {
    let mut words = public_key.split_whitespace();
    let (kind, body) = (words.next()?, words.next()?);
    let body = STANDARD.decode(body).ok()?;
    // The body begins with its own kind, behind a length of four bytes.
    let named = body.get(4..)?.get(..kind.len())?;
    if named != kind.as_bytes() || public_key.contains(['\n', '\r']) {
        return None;
    }
    let mut text = String::new();
    for byte in Md5::digest(&body) {
        let colon = if text.is_empty() { "" } else { ":" };
        // Writing to a `String` cannot fail.
        let _ = write!(text, "{colon}{byte:02x}");
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    // Made by `ssh-keygen -t ed25519`, its fingerprint by `ssh-keygen -l -E md5`.
    const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIK+1DocvNjYkHfGp2iv7dWCLbM8EPfT0hDpprC+zHSk2 someone@example";
    const FINGERPRINT: &str = "43:92:f3:e0:02:f0:8c:25:49:be:c1:1f:04:90:4a:a4";

    #[test]
    fn a_key_has_the_fingerprint_that_ssh_keygen_prints() {
        assert_eq!(fingerprint(KEY).as_deref(), Some(FINGERPRINT));
        assert!(is_known_form(FINGERPRINT) && is_known_form("512189"));
    }

    #[test]
    fn what_is_no_key_is_refused() {
        let two_lines = format!("{KEY}\n{KEY}");
        let private = "-----BEGIN OPENSSH PRIVATE KEY-----";
        for bad in [
            "",
            "ssh-ed25519",
            "ssh-ed25519 AAAA",
            "ssh-rsa !!!",
            private,
            &two_lines,
        ] {
            assert_eq!(fingerprint(bad), None, "{bad}");
            assert!(!is_known_form(bad), "{bad}");
        }
    }
}
