//! The OpenAPI document: made from the list of routes and the types of their handlers.

mod describe;
mod document;
mod example;
mod page;
pub(crate) mod words;

use std::sync::LazyLock;

use crate::prebuilt::Prebuilt;

pub(crate) use self::describe::{Answers, Describe, Description, Given, Media, Sent};

/// Groups of routes, in the order of the reference.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Tag {
    Sessions,
    Catalogue,
    Servers,
    Operations,
    SshKeys,
    Accounts,
    Plans,
    Service,
}

impl Tag {
    /// Every group.
    pub(crate) const ALL: [Self; 8] = [
        Self::Sessions,
        Self::Catalogue,
        Self::Servers,
        Self::Operations,
        Self::SshKeys,
        Self::Accounts,
        Self::Plans,
        Self::Service,
    ];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Sessions => "Sessions",
            Self::Catalogue => "Catalogue",
            Self::Servers => "Servers",
            Self::Operations => "Operations",
            Self::SshKeys => "SSH keys",
            Self::Accounts => "Provider accounts",
            Self::Plans => "Plans on sale",
            Self::Service => "Service",
        }
    }

    pub(crate) const fn text(self) -> &'static str {
        match self {
            Self::Sessions => "Log in, log out, and see who you are.",
            Self::Catalogue => {
                "What can be bought, and where. Catalogues come from the provider and are kept: \
                 `age_seconds` says how old an answer is, and `stale` that it is older than it \
                 should be."
            }
            Self::Servers => {
                "Create servers, list them, run them and delete them. Lists and single servers \
                 come from our own books and cost the provider no call."
            }
            Self::Operations => {
                "What was asked for is on record as an operation, and is done however often the \
                 service is restarted meanwhile."
            }
            Self::SshKeys => {
                "The organization's public keys, which a create names by their ids. They are \
                 placed at a provider when a server first needs them there."
            }
            Self::Accounts => {
                "The accounts at the providers, for operators. Tokens go in and never come out."
            }
            Self::Plans => {
                "What the operator sells, and for how much: a base price and a markup, which is \
                 put on once and rounded half-even to nine decimal places."
            }
            Self::Service => "Whether the service works, and this reference.",
        }
    }
}

static DOCUMENT: LazyLock<Prebuilt> = LazyLock::new(|| {
    let document = document::document(&crate::routes::all());
    // Values without floats and with texts as keys always print.
    let mut text = serde_json::to_string_pretty(&document).unwrap_or_default();
    text.push('\n');
    Prebuilt::new("application/json", text)
});

static PAGE: LazyLock<Prebuilt> = LazyLock::new(|| {
    let document = document::document(&crate::routes::all());
    Prebuilt::new("text/html; charset=utf-8", page::page(&document)).with_policy(page::POLICY)
});

static STYLE: LazyLock<Prebuilt> =
    LazyLock::new(|| Prebuilt::new("text/css; charset=utf-8", page::STYLE.to_owned()));

/// Returns the OpenAPI document, as JSON.
#[must_use]
pub fn openapi() -> &'static str {
    DOCUMENT.text()
}

/// Returns the document as it is served.
pub(crate) fn document() -> &'static Prebuilt {
    &DOCUMENT
}

/// Returns the page that shows the document.
pub(crate) fn page() -> &'static Prebuilt {
    &PAGE
}

/// Returns the style sheet of the page.
pub(crate) fn style() -> &'static Prebuilt {
    &STYLE
}
