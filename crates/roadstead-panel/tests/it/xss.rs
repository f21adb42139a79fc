//! Hostile texts in every field and every address: they are shown, and stay texts.

use roadstead_panel::Kind;

use crate::judge;
use crate::visits::{self, Visit, World};

/// Each tries to leave the place where it is shown.
pub(crate) const CORPUS: [&str; 12] = [
    "<xss-probe>",
    "\"><xss-probe>",
    "'><xss-probe>",
    "</title><xss-probe>",
    "</textarea><xss-probe>",
    "</script><script>xss()</script>",
    "<img src=x onerror=xss()>",
    "\" onfocus=\"xss()\" autofocus x=\"",
    "javascript:xss()",
    "//evil.example/",
    "<svg/onload=xss()>",
    "\u{202e}<style>*{display:none}</style>",
];

/// The fields of addresses.
const QUERY: [&str; 24] = [
    "label",
    "status",
    "provider",
    "region",
    "tag",
    "sort",
    "next",
    "q",
    "name",
    "account",
    "plan",
    "image",
    "app",
    "script",
    "other",
    "tab",
    "class",
    "arch",
    "vcpus",
    "memory",
    "price",
    "disk",
    "available",
    "pin",
];

#[tokio::test]
async fn no_text_of_an_address_becomes_markup() {
    let world = World::make().await;
    for visit in visits::all(&world) {
        if visit.kind != Kind::Page || visit.status == 303 {
            continue;
        }
        let path = visit.url.split('?').next().unwrap();
        for hostile in CORPUS {
            let pairs = QUERY.map(|it| (it, hostile));
            let query = reqwest::Url::parse_with_params("http://x/", pairs).unwrap();
            let url = format!("{path}?{}", query.query().unwrap());
            let reply = world.app.get(&url).by(visit.person).await;
            judge::page(&reply, &url);
        }
    }
}

#[tokio::test]
async fn no_text_of_a_form_becomes_markup() {
    let world = World::make().await;
    for visit in visits::all(&world) {
        if visit.kind != Kind::Action || visit.status != 422 {
            continue;
        }
        for hostile in CORPUS {
            let fields = visit.fields.iter();
            let visit = Visit {
                kind: visit.kind,
                route: visit.route,
                url: visit.url.clone(),
                person: visit.person,
                fields: fields
                    .map(|(name, _)| (*name, hostile.to_owned()))
                    .collect(),
                status: 0,
            };
            let reply = visit.make(&world.app).await;
            if reply.status.as_u16() != 303 {
                judge::page(&reply, &format!("{} with {hostile}", visit.name()));
            }
        }
    }
}
