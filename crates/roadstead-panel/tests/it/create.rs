//! The way to a new server.

mod down;
mod errors;
mod hostile;
mod snippet;
mod steps;

use roadstead_core::ProviderId;

use crate::app::{Setup, TestApp};
use crate::people::Member;
use crate::reply::Reply;

/// A panel with an account at each provider, whose catalogues are here.
pub(crate) async fn ready() -> (TestApp, [ProviderId; 2]) {
    ready_with(Setup::default()).await
}

pub(crate) async fn ready_with(setup: Setup) -> (TestApp, [ProviderId; 2]) {
    let app = TestApp::start_with(setup).await;
    let accounts = app.stock().await;
    app.warm(accounts).await;
    (app, accounts)
}

/// What is chosen at a provider.
fn chosen([blue, green]: [ProviderId; 2], kind: &str) -> String {
    match kind {
        "digitalocean" => {
            format!("account={blue}&region=nyc3&plan=s-1vcpu-1gb&image=ubuntu-22-04-x64")
        }
        _ => format!("account={green}&region=us-ord&plan=g6-nanode-1&image=linode/debian12"),
    }
}

const KEY: (&str, &str) = ("_key", "0193a1f0-5c7e-7b3a-9d52-6f1c2e8a4b10");

/// Sends the last page's form.
async fn send(app: &TestApp, query: &str, fields: &[(&str, &str)]) -> Reply {
    let path = format!("/create/details?{query}");
    app.post(&path, fields).by(Member).await
}

/// Returns the labels of the servers that there are.
async fn labels(app: &TestApp) -> Vec<String> {
    let csv = app
        .get("/servers.csv?sort=label")
        .by(Member)
        .await
        .expect(200);
    let lines = csv.text.lines().skip(1);
    lines
        .map(|it| it.split(',').nth(1).unwrap().to_owned())
        .collect()
}
