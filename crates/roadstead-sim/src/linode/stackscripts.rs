//! `/linode/stackscripts`: the vendor's applications and one of the account's own.

use serde_json::{Value, json};

use crate::vendor::Answer;

use super::paging::page;
use super::refusal::Refusal;
use super::{Desk, Reply, with};

/// The published description leaves `username` out, but it is how the
/// vendor's own panel finds the applications.
const FILTERABLE: &[&str] = &[
    "deployments_total",
    "description",
    "is_public",
    "label",
    "mine",
    "rev_note",
    "username",
];

/// A script that runs at the first boot.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Script {
    pub(crate) id: u64,
    label: &'static str,
    images: &'static [&'static str],
    fields: &'static [Field],
    mine: bool,
}

/// Something that a script must be told.
#[derive(Debug, Clone, Copy)]
struct Field {
    name: &'static str,
    label: &'static str,
    default: Option<&'static str>,
}

const fn needed(name: &'static str, label: &'static str) -> Field {
    Field {
        name,
        label,
        default: None,
    }
}

const fn optional(name: &'static str, label: &'static str, default: &'static str) -> Field {
    Field {
        name,
        label,
        default: Some(default),
    }
}

const fn app(
    id: u64,
    label: &'static str,
    images: &'static [&'static str],
    fields: &'static [Field],
) -> Script {
    Script {
        id,
        label,
        images,
        fields,
        mine: false,
    }
}

const UBUNTU: &[&str] = &["linode/ubuntu22.04", "linode/ubuntu24.04"];
const OLDER: &[&str] = &["linode/ubuntu22.04", "linode/debian12"];
const MAIL: &[Field] = &[needed(
    "soa_email_address",
    "Email address for the SOA record",
)];
const SUDO: &[Field] = &[
    needed("user_name", "The limited sudo user to be created"),
    optional("disable_root", "Disable root access over SSH?", "No"),
];
const NONE: &[Field] = &[];

/// Every script. Only the last one is private.
#[rustfmt::skip]
const SCRIPTS: &[Script] = &[
    app(401_697, "WordPress One-Click", UBUNTU, MAIL),
    app(401_698, "Drupal One-Click", OLDER, MAIL),
    app(401_701, "LAMP One-Click", UBUNTU, NONE),
    app(401_702, "MERN One-Click", OLDER, NONE),
    app(401_706, "WireGuard One-Click", UBUNTU, SUDO),
    app(401_707, "GitLab One-Click", UBUNTU, SUDO),
    app(401_719, "OpenVPN One-Click", OLDER, SUDO),
    app(593_835, "Plesk One-Click", UBUNTU, NONE),
    app(595_742, "cPanel One-Click", &["linode/almalinux8", "linode/almalinux9"], NONE),
    app(604_068, "Shadowsocks One-Click", UBUNTU, NONE),
    app(607_026, "MySQL/MariaDB One-Click", UBUNTU, SUDO),
    app(607_033, "Docker One-Click", UBUNTU, NONE),
    app(607_034, "Jenkins One-Click", UBUNTU, NONE),
    app(607_401, "PostgreSQL One-Click", OLDER, SUDO),
    app(607_433, "phpMyAdmin One-Click", OLDER, SUDO),
    app(607_488, "Redis One-Click", UBUNTU, SUDO),
    app(609_018, "Nextcloud One-Click", UBUNTU, SUDO),
    app(609_392, "Grafana One-Click", UBUNTU, NONE),
    app(611_376, "Prometheus One-Click", UBUNTU, NONE),
    app(688_912, "Odoo One-Click", UBUNTU, NONE),
    app(691_621, "Cloudron One-Click", UBUNTU, NONE),
    app(923_029, "Webmin One-Click", OLDER, NONE),
    app(1_008_123, "Ant Media Server One-Click", UBUNTU, NONE),
    app(1_308_539, "Mastodon One-Click", OLDER, SUDO),
    Script { mine: true, ..app(1_700_001, "own-setup", &["any/all"], NONE) },
];

/// Answers `GET /v4/linode/stackscripts`.
pub(crate) fn list(desk: &Desk<'_>) -> Reply {
    let username = desk.account.username();
    let views = SCRIPTS
        .iter()
        .filter(|it| it.is_seen_by(&desk.account.name))
        .map(|it| it.view(&username))
        .collect();
    page(desk.call, views, FILTERABLE)
}

/// Answers `GET /v4/linode/stackscripts/{id}`.
pub(crate) fn show(desk: &Desk<'_>, id: &str) -> Reply {
    let script = id.parse().ok().and_then(|id| find(desk, id));
    let script = script.ok_or_else(Refusal::not_found)?;
    Ok(Answer::json(200, &script.view(&desk.account.username())))
}

/// Returns a script that the account may use.
pub(crate) fn find(desk: &Desk<'_>, id: u64) -> Option<&'static Script> {
    SCRIPTS
        .iter()
        .find(|it| it.id == id && it.is_seen_by(&desk.account.name))
}

impl Script {
    /// Returns whether it runs on an image.
    pub(crate) fn runs_on(&self, image: &str) -> bool {
        self.images.contains(&"any/all") || self.images.contains(&image)
    }

    /// Returns a field that it must be told and is not.
    pub(crate) fn missing(&self, data: &Value) -> Option<&'static str> {
        let told = |it: &Field| data[it.name].as_str().is_some_and(|it| !it.is_empty());
        let missing = self
            .fields
            .iter()
            .find(|it| it.default.is_none() && !told(it));
        missing.map(|it| it.name)
    }

    /// Returns whether it knows every field that it is told.
    pub(crate) fn knows(&self, data: &Value) -> bool {
        let told = data.as_object().into_iter().flatten();
        told.into_iter()
            .all(|(name, _)| self.fields.iter().any(|it| it.name == name))
    }

    fn is_seen_by(&self, account: &str) -> bool {
        !self.mine || account == "main"
    }

    fn view(&self, username: &str) -> Value {
        let fields: Vec<Value> = self
            .fields
            .iter()
            .map(|it| {
                let field = json!({ "name": it.name, "label": it.label });
                match it.default {
                    None => field,
                    Some(default) => with(field, json!({ "default": default })),
                }
            })
            .collect();
        let owner = if self.mine { username } else { "linode" };
        json!({
            "id": self.id,
            "username": owner,
            "user_gravatar_id": "9d4d301385af69ceb7ad658aad09c142",
            "label": self.label,
            "description": self.label,
            "ordinal": self.id,
            "logo_url": "",
            "images": self.images,
            "deployments_total": self.id % 1_000,
            "deployments_active": self.id % 100,
            "is_public": !self.mine,
            "mine": self.mine,
            "created": "2019-03-08T21:13:32",
            "updated": "2025-09-02T15:03:22",
            "rev_note": "",
            "script": "#!/bin/bash\n",
            "user_defined_fields": fields,
        })
    }
}
