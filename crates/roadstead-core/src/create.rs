//! A request for a server, and the mark by which the server is found again.

use std::fmt;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{ImageId, Instance, Market, PlanId, RegionId, RemoteOperation, Secret};

/// The alphabet of base32hex in lower case: it keeps the order of the bytes and
/// is allowed in every vendor's names.
const BASE32: [char; 32] = [
    '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i',
    'j', 'k', 'l', 'm', 'n', 'o', 'p', 'q', 'r', 's', 't', 'u', 'v',
];

/// The longest readable part of a name, so that the whole fits 64 characters.
const SLUG_MAX: usize = 32;

/// Marks a server as ours, in the very call that creates it.
///
/// The name and the tags each carry the mark alone, so that a server is found
/// although the vendor dropped or delayed one of them.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct CreateKey {
    /// Our id of the server.
    pub id: Uuid,
    /// The installation that asks, so that two of them can share an account.
    pub deployment: Box<str>,
    /// The name at the vendor: `<readable part>-<26 characters of the id>`.
    pub name: Box<str>,
}

impl CreateKey {
    /// Makes the mark of a server. `label` gives the readable part of the name; what
    /// does not fit a vendor's name is left out.
    #[must_use]
    pub fn new(deployment: &str, id: Uuid, label: &str) -> Self {
        Self {
            id,
            deployment: deployment.into(),
            name: format!("{}-{}", slug(label), base32(id)).into(),
        }
    }

    /// Returns the tag that every server of this installation carries.
    #[must_use]
    pub fn deployment_tag(&self) -> String {
        format!("rs:d:{}", self.deployment)
    }

    /// Returns the tag that only this server carries.
    #[must_use]
    pub fn instance_tag(&self) -> String {
        format!("rs:i:{}", base32(self.id))
    }

    /// Returns the two tags of the mark: that of the installation and that of the server.
    #[must_use]
    pub fn tags(&self) -> [String; 2] {
        [self.deployment_tag(), self.instance_tag()]
    }

    /// Returns whether a server carries this mark, by name or by tag.
    #[must_use]
    pub fn marks(&self, instance: &Instance) -> bool {
        let tag = self.instance_tag();
        instance.name == self.name || instance.tags.iter().any(|it| **it == *tag)
    }

    /// Returns the installation that a tag names, if it is such a tag.
    #[must_use]
    pub fn deployment_in_tag(tag: &str) -> Option<&str> {
        tag.strip_prefix("rs:d:").filter(|it| !it.is_empty())
    }

    /// Returns the server that a tag names, if it is such a tag.
    #[must_use]
    pub fn id_in_tag(tag: &str) -> Option<Uuid> {
        tag.strip_prefix("rs:i:").and_then(unbase32)
    }

    /// Returns the server that a name names, if it may be one that was given by us.
    #[must_use]
    pub fn id_in_name(name: &str) -> Option<Uuid> {
        let (slug, id) = name.rsplit_once('-')?;
        // Ours are of version 7; of other people's names hardly any would read as one.
        unbase32(id).filter(|id| !slug.is_empty() && id.get_version_num() == 7)
    }
}

/// Returns the readable part of a name: lower-case letters, digits and single
/// hyphens, beginning with a letter.
fn slug(label: &str) -> String {
    let mut slug = String::new();
    for letter in label.chars().map(|it| it.to_ascii_lowercase()) {
        if slug.len() == SLUG_MAX {
            break;
        }
        match letter {
            'a'..='z' => slug.push(letter),
            '0'..='9' if !slug.is_empty() => slug.push(letter),
            _ if slug.is_empty() || slug.ends_with('-') => {}
            _ => slug.push('-'),
        }
    }
    let slug = slug.trim_end_matches('-');
    if slug.is_empty() {
        "server".to_owned()
    } else {
        slug.to_owned()
    }
}

fn base32(id: Uuid) -> String {
    let mut bits = id.as_u128();
    let mut text = [' '; 26];
    for place in text.iter_mut().rev() {
        let digit = usize::try_from(bits & 31).unwrap_or_default();
        *place = BASE32.get(digit).copied().unwrap_or('0');
        bits >>= 5;
    }
    text.iter().collect()
}

fn unbase32(text: &str) -> Option<Uuid> {
    let mut letters = 0_u32;
    let mut bits = 0_u128;
    for letter in text.chars().map(|it| it.to_ascii_lowercase()) {
        let digit = BASE32.iter().position(|it| *it == letter)?;
        // The first letter holds three bits of the 128.
        if letters == 0 && digit > 7 {
            return None;
        }
        bits = bits << 5 | u128::try_from(digit).ok()?;
        letters = letters.saturating_add(1);
        if letters > 26 {
            return None;
        }
    }
    (letters == 26).then(|| Uuid::from_u128(bits))
}

/// A request for a server. `Debug` names the options without their values, which may be
/// passwords of applications.
#[derive(Clone)]
pub struct CreateInstance {
    /// Marks the server; repeated with the same key, the request is the same one.
    pub key: CreateKey,
    /// The plan.
    pub plan: PlanId,
    /// Where.
    pub region: RegionId,
    /// What from.
    pub image: ImageId,
    /// Public keys in OpenSSH form, or the vendor's ids of keys it has.
    pub ssh_keys: Vec<Box<str>>,
    /// See [`crate::RootPassword`].
    pub root_password: Option<Secret<String>>,
    /// User data for cloud-init, before any encoding.
    pub user_data: Option<Secret<String>>,
    /// The member's own tags, beside the mark.
    pub tags: Vec<Box<str>>,
    /// Whether the vendor makes backups.
    pub backups: bool,
    /// Whether the server gets an IPv6 address.
    pub ipv6: bool,
    /// Whether it joins the region's default private network.
    pub private_network: bool,
    /// How it is paid for; on demand where absent.
    pub market: Option<Market>,
    /// What only this vendor knows; see [`crate::Descriptor::options_schema`].
    pub options: Option<serde_json::Value>,
}

impl fmt::Debug for CreateInstance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = |it: &serde_json::Value| -> Vec<String> {
            it.as_object()
                .map(|it| it.keys().cloned().collect())
                .unwrap_or_default()
        };
        f.debug_struct("CreateInstance")
            .field("key", &self.key)
            .field("plan", &self.plan)
            .field("region", &self.region)
            .field("image", &self.image)
            .field("ssh_keys", &self.ssh_keys.len())
            .field("root_password", &self.root_password.is_some())
            .field("user_data", &self.user_data.is_some())
            .field("tags", &self.tags)
            .field("backups", &self.backups)
            .field("ipv6", &self.ipv6)
            .field("private_network", &self.private_network)
            .field("market", &self.market)
            .field("options", &self.options.as_ref().map(names))
            .finish()
    }
}

/// A server that the vendor has accepted.
#[derive(Clone, Debug)]
pub struct Created {
    /// The server.
    pub instance: Instance,
    /// Whether this call made it.
    pub how: How,
    /// The vendor's job that makes it ready.
    pub operation: Option<RemoteOperation>,
}

/// Whether a server was made or found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum How {
    /// This call made it.
    Created,
    /// An earlier one did.
    Adopted,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_fits_every_vendor_and_carries_the_whole_id() {
        let id = Uuid::now_v7();
        for label in [
            "",
            "web",
            "-9-Web__Server..1!",
            "ünï",
            &"x".repeat(300),
            "a b  c",
        ] {
            let key = CreateKey::new("d1", id, label);
            assert!(key.name.len() <= 64 && key.name.len() >= 3, "{}", key.name);
            assert!(
                key.name.starts_with(|it: char| it.is_ascii_lowercase()),
                "{}",
                key.name
            );
            assert!(!key.name.contains("--"), "{}", key.name);
            assert!(key.name.ends_with(&base32(id)));
        }
        assert_eq!(slug("-9-Web__Server..1!"), "web-server-1");
    }

    #[test]
    fn debug_shows_no_value_that_may_be_a_secret() {
        let request = CreateInstance {
            key: CreateKey::new("d1", Uuid::nil(), "web"),
            plan: "p".into(),
            region: "r".into(),
            image: "i".into(),
            ssh_keys: Vec::new(),
            root_password: Some(Secret::from("hunter2")),
            user_data: Some(Secret::from("hunter2")),
            tags: Vec::new(),
            backups: false,
            ipv6: false,
            private_network: false,
            market: None,
            options: Some(serde_json::json!({ "answers": { "password": "hunter2" } })),
        };
        let shown = format!("{request:?}");
        assert!(
            !shown.contains("hunter2") && shown.contains("answers"),
            "{shown}"
        );
    }

    #[test]
    fn a_mark_tells_whose_it_is() {
        for id in [
            Uuid::now_v7(),
            Uuid::nil(),
            Uuid::max(),
            Uuid::from_u128(32),
        ] {
            let key = CreateKey::new("d1", id, "web");
            assert_eq!(CreateKey::id_in_tag(&key.instance_tag()), Some(id));
            assert_eq!(
                CreateKey::deployment_in_tag(&key.deployment_tag()),
                Some("d1")
            );
            let named = CreateKey::id_in_name(&key.name);
            assert_eq!(named, (id.get_version_num() == 7).then_some(id));
        }
        for odd in [
            "",
            "rs:i:",
            "rs:i:8vvvvvvvvvvvvvvvvvvvvvvvvv",
            "rs:i:0",
            "rs:i:zz",
            "blue",
            &format!("rs:i:{}0", "0".repeat(26)),
        ] {
            assert_eq!(CreateKey::id_in_tag(odd), None, "{odd}");
            assert_eq!(CreateKey::id_in_name(odd), None, "{odd}");
            assert_eq!(CreateKey::deployment_in_tag(odd), None, "{odd}");
        }
    }

    #[test]
    fn different_ids_never_share_a_mark() {
        assert_eq!(base32(Uuid::nil()), "0".repeat(26));
        assert_eq!(base32(Uuid::max()), format!("7{}", "v".repeat(25)));
        assert_ne!(base32(Uuid::from_u128(1)), base32(Uuid::from_u128(32)));
    }
}
