//! `/linode/stackscripts`: the vendor's applications, two scripts of the account's own and
//! one that somebody has published.

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
    owner: Owner,
}

/// Whose a script is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Owner {
    Vendor,
    Main,
    Somebody,
}

/// Something that a script must be told.
#[derive(Debug, Clone, Copy)]
struct Field {
    name: &'static str,
    label: &'static str,
    default: Option<&'static str>,
    kind: Kind,
}

/// What a field takes. Choices are joined by commas.
#[derive(Debug, Clone, Copy)]
enum Kind {
    Text,
    OneOf(&'static str),
    ManyOf(&'static str),
    /// Nothing: it is a heading over those that follow.
    Header,
}

const fn needed(name: &'static str, label: &'static str) -> Field {
    Field {
        name,
        label,
        default: None,
        kind: Kind::Text,
    }
}

const fn one_of(
    name: &'static str,
    label: &'static str,
    choices: &'static str,
    default: &'static str,
) -> Field {
    Field {
        kind: Kind::OneOf(choices),
        ..optional(name, label, default)
    }
}

const fn many_of(name: &'static str, label: &'static str, choices: &'static str) -> Field {
    Field {
        kind: Kind::ManyOf(choices),
        ..needed(name, label)
    }
}

const fn header(name: &'static str, label: &'static str) -> Field {
    Field {
        kind: Kind::Header,
        ..optional(name, label, "Yes")
    }
}

const fn optional(name: &'static str, label: &'static str, default: &'static str) -> Field {
    Field {
        name,
        label,
        default: Some(default),
        kind: Kind::Text,
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
        owner: Owner::Vendor,
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
const BLOG: &[Field] = &[
    needed("soa_email_address", "Email address for the SOA record"),
    one_of("webserver_stack", "Web server", "Apache,NGINX", "Apache"),
    optional("site_title", "Website title", "My WordPress Site"),
    optional("db_password", "Password of the database", ""),
];
const SOCIAL: &[Field] = &[
    header("account_header", "The first account"),
    needed("owner_username", "Name of the owner"),
    needed("owner_password", "Password of the owner"),
    header("server_header", "The server"),
    one_of("single_user_mode", "Single user mode?", "Yes,No", "No"),
];
const CLUSTER: &[Field] = &[
    needed("cluster_name", "Name of the cluster"),
    needed("join_password", "Password of the cluster"),
    many_of("roles", "Roles", "web,worker,database"),
    one_of("size", "Size", "small,large", "small"),
];
const DEBIAN: &[&str] = &["linode/debian12"];
const ANY: &[&str] = &["any/all"];

/// Every script. One account has two of its own, and one is published by somebody else.
#[rustfmt::skip]
const SCRIPTS: &[Script] = &[
    app(401_697, "WordPress One-Click", UBUNTU, BLOG),
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
    app(1_308_539, "Mastodon One-Click", OLDER, SOCIAL),
    Script { owner: Owner::Main, ..app(1_700_001, "own-setup", ANY, NONE) },
    Script { owner: Owner::Main, ..app(1_700_002, "own-cluster", DEBIAN, CLUSTER) },
    Script { owner: Owner::Somebody, ..app(1_800_001, "Better WordPress One-Click", ANY, MAIL) },
];

/// Answers `GET /v4/linode/stackscripts`.
pub(crate) fn list(desk: &Desk<'_>) -> Reply {
    let username = desk.account.username();
    let views = SCRIPTS
        .iter()
        .filter(|it| it.is_seen_by(&desk.account.name))
        .map(|it| it.view(&desk.account.name, &username))
        .collect();
    page(desk.call, views, FILTERABLE)
}

/// Answers `GET /v4/linode/stackscripts/{id}`.
pub(crate) fn show(desk: &Desk<'_>, id: &str) -> Reply {
    let script = id.parse().ok().and_then(|id| find(desk, id));
    let script = script.ok_or_else(Refusal::not_found)?;
    let view = script.view(&desk.account.name, &desk.account.username());
    Ok(Answer::json(200, &view))
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

    /// Returns the first field that it was not told, does not know or does not take, and why.
    pub(crate) fn complaint(&self, data: &Value) -> Option<(String, String)> {
        let asks = |it: &&Field| !matches!(it.kind, Kind::Header);
        let told = data.as_object();
        for (name, answer) in told.into_iter().flatten() {
            let Some(field) = self.fields.iter().filter(asks).find(|it| it.name == name) else {
                let reason = format!("{name} is not a field of this StackScript");
                return Some((name.clone(), reason));
            };
            if let Some(reason) = field.complaint(answer) {
                return Some((name.clone(), reason));
            }
        }
        let has = |it: &Field| data[it.name].as_str().is_some_and(|it| !it.is_empty());
        let missing = self
            .fields
            .iter()
            .filter(asks)
            .find(|it| it.default.is_none() && !has(it))?;
        Some((
            missing.name.to_owned(),
            format!("{} is required", missing.name),
        ))
    }

    fn is_seen_by(&self, account: &str) -> bool {
        self.owner != Owner::Main || account == "main"
    }

    fn view(&self, account: &str, username: &str) -> Value {
        let fields: Vec<Value> = self.fields.iter().map(Field::view).collect();
        let owner = match self.owner {
            Owner::Vendor => "linode",
            Owner::Main => username,
            Owner::Somebody => "somebody",
        };
        json!({
            "id": self.id,
            "username": owner,
            "user_gravatar_id": "9d4d301385af69ceb7ad658aad09c142",
            "label": self.label,
            "description": format!("Sets up {}.", self.label),
            "ordinal": self.id,
            "logo_url": "",
            "images": self.images,
            "deployments_total": self.id % 1_000,
            "deployments_active": self.id % 100,
            "is_public": self.owner != Owner::Main,
            "mine": self.owner == Owner::Main && account == "main",
            "created": "2019-03-08T21:13:32",
            "updated": "2025-09-02T15:03:22",
            "rev_note": "",
            "script": "#!/bin/bash\n",
            "user_defined_fields": fields,
        })
    }
}

impl Field {
    fn complaint(&self, answer: &Value) -> Option<String> {
        let name = self.name;
        let Some(text) = answer.as_str() else {
            return Some(format!("{name} must be a string"));
        };
        let among = |choices: &str, it: &str| choices.split(',').any(|choice| choice == it);
        match self.kind {
            Kind::OneOf(choices) if !text.is_empty() && !among(choices, text) => {
                Some(format!("{name} must be one of {choices}"))
            }
            Kind::ManyOf(choices) if !text.split(',').all(|it| among(choices, it)) => {
                Some(format!("{name} must be some of {choices}"))
            }
            Kind::Text | Kind::OneOf(_) | Kind::ManyOf(_) | Kind::Header => None,
        }
    }

    /// The description writes `oneOf` and `manyOf`, the vendor's answers have small letters.
    fn view(&self) -> Value {
        let mut view = json!({ "name": self.name, "label": self.label });
        if let Some(default) = self.default {
            view = with(view, json!({ "default": default }));
        }
        match self.kind {
            Kind::Text => view,
            Kind::OneOf(choices) => with(view, json!({ "oneof": choices })),
            Kind::ManyOf(choices) => with(view, json!({ "manyof": choices })),
            Kind::Header => with(view, json!({ "header": "Yes" })),
        }
    }
}
