//! Every page of the panel, from its own list, with an example for each placeholder.

use std::collections::HashSet;

use anyhow::{Context, Result};
use reqwest::Method;
use roadstead_panel::{Entry, Kind, Who};
use serde_json::{Value, json};

use crate::demo::{Demo, Person};

/// A page to look at.
#[derive(Debug, Clone)]
pub(crate) struct Shown {
    /// Where it is.
    pub(crate) path: String,
    /// What its picture is called.
    pub(crate) name: String,
}

/// Returns what is there without a log-in.
pub(crate) fn of_anybody() -> Vec<Shown> {
    [
        ("/login", "login"),
        ("/login?next=%2Fcompare", "login-next"),
    ]
    .into_iter()
    .map(|(path, name)| Shown {
        path: path.to_owned(),
        name: name.to_owned(),
    })
    .collect()
}

/// Returns every page that somebody may open, and one that there is not.
///
/// # Errors
///
/// Fails if an example of something cannot be made, or if a page needs one that is not known here.
pub(crate) async fn of_somebody(demo: &Demo, operator: bool) -> Result<Vec<Shown>> {
    let who = if operator {
        &demo.operator
    } else {
        &demo.member
    };
    let examples = Examples::make(demo, who, operator).await?;
    let mut shown = Vec::new();
    let mut seen = HashSet::new();
    for entry in roadstead_panel::entries() {
        if !may_open(&entry, operator) || !seen.insert(entry.path) {
            continue;
        }
        shown.push(Shown {
            path: examples.fill(entry.path)?,
            name: name_of(entry.path),
        });
    }
    shown.push(Shown {
        path: "/nowhere".to_owned(),
        name: "not-found".to_owned(),
    });
    Ok(shown)
}

fn may_open(entry: &Entry, operator: bool) -> bool {
    // A log-in and the first set-up are not for those who are logged in.
    let is_door = matches!(entry.who, Who::Anyone)
        && entry.path != "/preferences"
        && entry.path != "/styleguide";
    // What needs a provider to lose an answer or a server is judged without a browser.
    let is_rare = ["/attention/{", "/quarantine/{", "/missing/{"]
        .iter()
        .any(|it| entry.path.starts_with(it));
    let may = operator || entry.who != Who::Operator;
    entry.kind == Kind::Page && !is_door && !is_rare && may
}

fn name_of(path: &str) -> String {
    let name: String = path
        .chars()
        .map(|it| if it.is_ascii_alphanumeric() { it } else { '-' })
        .collect();
    let name = name.trim_matches('-').replace("--", "-");
    if name.is_empty() {
        "servers".to_owned()
    } else {
        name
    }
}

/// Something of each kind that pages are about.
struct Examples {
    server: String,
    account: Option<String>,
    key: String,
    plan: Option<String>,
    query: String,
}

impl Examples {
    async fn make(demo: &Demo, who: &Person, operator: bool) -> Result<Self> {
        let servers = demo.api(who, Method::GET, "/api/vps?limit=1", None).await?;
        let server = match text(&servers, "/instances/0/id") {
            Some(id) => id,
            None => demo.create("DigitalOcean", "looked-at").await?,
        };
        let key = json!({
            "name": format!("key of {}", who.email),
            "public_key": PUBLIC_KEY,
        });
        // Another play may have added it.
        let _ = demo
            .api(who, Method::POST, "/api/ssh-keys", Some(&key))
            .await;
        let keys = demo.api(who, Method::GET, "/api/ssh-keys", None).await?;
        let key = first_id(&keys).context("there is no SSH key")?;
        let (account, plan) = if operator {
            let accounts = demo
                .api(who, Method::GET, "/api/admin/providers", None)
                .await?;
            let plan = plan(demo, who, &accounts).await?;
            (first_id(&accounts), Some(plan))
        } else {
            (None, None)
        };
        Ok(Self {
            server,
            account,
            key,
            plan,
            query: demo.chosen("DigitalOcean").await?,
        })
    }

    /// Puts an example in the place of each placeholder.
    fn fill(&self, path: &str) -> Result<String> {
        let Some((before, rest)) = path.split_once('{') else {
            return Ok(format!("{path}{}", self.query(path)));
        };
        let after = rest.split_once('}').map_or("", |(_, after)| after);
        let example = match before.trim_matches('/') {
            "servers" => Some(&self.server),
            "providers" => self.account.as_ref(),
            "ssh-keys" => Some(&self.key),
            "plans" => self.plan.as_ref(),
            _ => None,
        };
        let example = example.with_context(|| format!("no example is known for {path}"))?;
        // Of the power actions, one looks like the others.
        let after = after.replace("{action}", "reboot");
        Ok(format!("{before}{example}{after}"))
    }

    /// Returns what pages need that show what was chosen before.
    fn query(&self, path: &str) -> String {
        match path {
            "/create/plan" | "/create/image" | "/create/details" => self.query.clone(),
            "/servers/bulk" => format!("?action=reboot&server={}", self.server),
            "/search" => "?q=running".to_owned(),
            _ => String::new(),
        }
    }
}

/// Returns a plan of the operator's. It is not on sale, so that the other plays go on to buy the
/// provider's own.
async fn plan(demo: &Demo, who: &Person, accounts: &Value) -> Result<String> {
    const LIST: &str = "/api/admin/plans?limit=1";
    let plans = demo.api(who, Method::GET, LIST, None).await?;
    if let Some(id) = first_id(&plans) {
        return Ok(id);
    }
    let all = accounts.get("providers").and_then(Value::as_array);
    let blue = all
        .into_iter()
        .flatten()
        .find(|it| text(it, "/type").as_deref() == Some("digitalocean"));
    let account = blue.and_then(|it| text(it, "/id"));
    let account = account.context("there is no account to sell a plan of")?;
    let new = json!({ "provider_id": account, "type": "s-1vcpu-1gb", "active": false });
    // Another play may have added it.
    let _ = demo
        .api(who, Method::POST, "/api/admin/plans", Some(&new))
        .await;
    let plans = demo.api(who, Method::GET, LIST, None).await?;
    first_id(&plans).context("there is no plan")
}

/// Returns the id of the first of a list, whatever the list is called.
fn first_id(answer: &Value) -> Option<String> {
    let lists = answer.as_object()?.values();
    let first = lists.filter_map(Value::as_array).next()?.first()?;
    Some(first.get("id")?.as_str()?.to_owned())
}

fn text(answer: &Value, pointer: &str) -> Option<String> {
    answer.pointer(pointer)?.as_str().map(str::to_owned)
}

const PUBLIC_KEY: &str =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHN0YW5kLWluLWtleS1mb3ItYnJvd3Nlci10ZXN0cy0h e2e";
