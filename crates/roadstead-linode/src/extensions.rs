//! Keys kept at Linode, and its applications.

use std::sync::Arc;

use async_trait::async_trait;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use roadstead_core::{
    AfterCreate, Choice, ChoiceList, Choices, CreateInstance, Error, ErrorKind, ImageId, KeptKey,
    KeyForm, Marketplace, MarketplaceApp, Outcome, RemoteId, Result, SshKeys, StackScripts,
};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::Linode;
use crate::client::Client;
use crate::convert;
use crate::error::{invalid, kind};
use crate::provider::linode_id;
use crate::request::{CREATE, SCHEDULE, backup_change};
use crate::wire;

const ENSURE: &str = "register the SSH key";

const GET_SCRIPT: &str = "get the StackScript";

/// The longest label of a key.
const LABEL_MAX: usize = 64;

const NO_KEY: &str = "this is no public key in OpenSSH form";

#[async_trait]
impl SshKeys for Linode {
    /// A Linode takes keys in full.
    fn form(&self) -> KeyForm {
        KeyForm::Full
    }

    /// Linode takes one key any number of times, so all of them are looked at first.
    async fn ensure(&self, public_key: &str, name: &str) -> Result<KeptKey> {
        let label: String = name.chars().take(LABEL_MAX).collect();
        if let Some(known) = find(&self.client, ENSURE, public_key, &label).await? {
            return Ok(kept(known));
        }
        let key = wire::CreateKey {
            label: &label,
            ssh_key: public_key.trim(),
        };
        Ok(kept(self.client.fetch_create_key(&key).await?))
    }

    async fn find(&self, public_key: &str, name: &str) -> Result<Option<KeptKey>> {
        let label: String = name.chars().take(LABEL_MAX).collect();
        let known = find(&self.client, "find the SSH key", public_key, &label).await?;
        Ok(known.map(kept))
    }

    async fn delete(&self, id: &str) -> Result<()> {
        let Ok(id) = id.parse() else {
            let message = "the id does not come from this provider";
            return Err(invalid("delete the SSH key", "id", message));
        };
        match self.client.fetch_delete_key(id).await {
            Err(error) if error.kind == ErrorKind::NoSuchResource => Ok(()),
            done => done,
        }
    }
}

#[async_trait]
impl Marketplace for Linode {
    async fn apps(&self) -> Result<Arc<[MarketplaceApp]>> {
        Ok(self
            .client
            .fetch_apps()
            .await?
            .into_iter()
            .filter_map(convert::app)
            .collect())
    }
}

/// Looks for a key; of several copies the one with this label comes first.
async fn find(
    client: &Client,
    operation: &'static str,
    public_key: &str,
    label: &str,
) -> Result<Option<wire::Key>> {
    let Some(wanted) = essence(public_key) else {
        return Err(invalid(operation, "public_key", NO_KEY));
    };
    let known = client.fetch_keys(operation).await?;
    let copies = known
        .into_iter()
        .filter(|it| essence(&it.ssh_key) == Some(wanted));
    Ok(copies.min_by_key(|it| it.label.as_deref() != Some(label)))
}

fn kept(key: wire::Key) -> KeptKey {
    KeptKey {
        id: key.id.to_string().into(),
        name: key.label.unwrap_or_default(),
    }
}

#[async_trait]
impl StackScripts for Linode {
    async fn own(&self) -> Result<Arc<[MarketplaceApp]>> {
        let scripts = self.client.fetch_own_scripts().await?;
        let mine = |it: &wire::StackScript| it.mine == Some(true);
        Ok(scripts
            .into_iter()
            .filter(mine)
            .map(convert::script)
            .collect())
    }

    async fn script(&self, id: &str) -> Result<MarketplaceApp> {
        let Ok(id) = id.parse() else {
            let message = "the id does not come from this provider";
            return Err(invalid(GET_SCRIPT, "id", message));
        };
        let script = self.client.fetch_script(GET_SCRIPT, id).await?;
        Ok(convert::script(script))
    }
}

#[async_trait]
impl Choices for Linode {
    async fn choices(&self, of: ChoiceList) -> Result<Arc<[Choice]>> {
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
                vpcs.into_iter().flat_map(convert::subnets).collect()
            }
            ChoiceList::PlacementGroups => {
                let groups = self.client.fetch_groups().await?;
                groups.into_iter().map(convert::group).collect()
            }
            _ => {
                let why = "this version does not know the list";
                return Err(Error::unsupported(kind(), "list the choices", why));
            }
        })
    }
}

/// Linode's creating call takes no backup schedule, only a later change does.
#[async_trait]
impl AfterCreate for Linode {
    fn plan(&self, request: &CreateInstance) -> Option<Value> {
        serde_json::to_value(backup_change(request).ok()??).ok()
    }

    async fn finish(&self, id: &RemoteId, plan: &Value) -> Result<()> {
        let Ok(change) = wire::BackupChange::deserialize(plan) else {
            return Err(invalid(
                SCHEDULE,
                "plan",
                "the plan is none of this provider",
            ));
        };
        let id = linode_id(SCHEDULE, id.as_str())?;
        self.client.fetch_set_backups(id, &change).await
    }
}

/// Checks the answers to a StackScript by what it asks for, so that the wrong one is named
/// before a server is asked for.
pub(crate) async fn check_script(
    client: &Client,
    id: u64,
    image: &ImageId,
    answers: &Map<String, Value>,
) -> Result<()> {
    match client.fetch_script(CREATE, id).await {
        Ok(it) => convert::script(it).check(&kind(), CREATE, image, answers),
        Err(error) if error.kind == ErrorKind::NoSuchResource => {
            let message = format!("the account sees no StackScript `{id}`");
            Err(invalid(CREATE, "options.stackscript_id", message))
        }
        // A token may be allowed to create servers and not to read scripts; then Linode checks.
        Err(error) if error.kind == ErrorKind::Forbidden => Ok(()),
        // No server was asked for yet, whatever became of the script.
        Err(error) => Err(error.with_outcome(Outcome::NotExecuted)),
    }
}

/// Returns the keys of a create as Linode takes them, which is in full. Those given by their
/// id at Linode are fetched.
pub(crate) async fn keys_for_create(client: &Client, keys: &[Box<str>]) -> Result<Vec<Box<str>>> {
    let mut full = Vec::with_capacity(keys.len());
    for key in keys {
        let key = key.trim();
        if essence(key).is_some() {
            full.push(key.into());
            continue;
        }
        let Ok(id) = key.parse() else {
            return Err(invalid(CREATE, "ssh_keys", NO_KEY));
        };
        // No server was asked for yet, whatever became of the key.
        match client.fetch_key(CREATE, id).await {
            Ok(it) => full.push(it.ssh_key),
            Err(error) if error.kind == ErrorKind::NoSuchResource => {
                let message = format!("the account has no SSH key `{id}`");
                return Err(invalid(CREATE, "ssh_keys", message));
            }
            Err(error) => return Err(error.with_outcome(Outcome::NotExecuted)),
        }
    }
    Ok(full)
}

/// Refuses what is neither a public key nor the id of one.
pub(crate) fn check_keys(keys: &[Box<str>]) -> Result<()> {
    let fits = |it: &str| essence(it).is_some() || it.parse::<u64>().is_ok();
    if keys.iter().all(|it| fits(it.trim())) {
        Ok(())
    } else {
        Err(invalid(CREATE, "ssh_keys", NO_KEY))
    }
}

/// Returns what makes a key, which is all but its comment; `None` for a text that is no
/// public key.
fn essence(public_key: &str) -> Option<(&str, &str)> {
    let public_key = public_key.trim();
    if public_key.contains(['\n', '\r']) {
        return None;
    }
    let mut words = public_key.split_whitespace();
    let (kind, body) = (words.next()?, words.next()?);
    let bytes = STANDARD.decode(body).ok()?;
    // The body begins with its own kind, behind a length of four bytes.
    let named = bytes.get(4..)?.get(..kind.len())?;
    (named == kind.as_bytes()).then_some((kind, body))
}

#[cfg(test)]
mod tests {
    use super::*;

    // Made by `ssh-keygen -t ed25519`.
    const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIK+1DocvNjYkHfGp2iv7dWCLbM8EPfT0hDpprC+zHSk2 someone@example";

    #[test]
    fn a_comment_does_not_make_another_key() {
        let (bare, _) = KEY.rsplit_once(' ').unwrap();
        assert!(essence(KEY).is_some());
        assert_eq!(essence(KEY), essence(bare));
    }

    #[test]
    fn what_is_no_key_is_refused() {
        let two_lines = format!("{KEY}\n{KEY}");
        let private = "-----BEGIN OPENSSH PRIVATE KEY-----";
        for bad in [
            "",
            "512189",
            "ssh-ed25519",
            "ssh-ed25519 AAAA",
            "ssh-rsa !!!",
            private,
            &two_lines,
        ] {
            assert_eq!(essence(bad), None, "{bad}");
        }
    }
}
