//! Linode's half.

mod access;
mod catalogue;
mod faults;
mod joins;
mod life;
mod limits;
mod lists;
mod others;
mod refusals;

use std::time::{Duration, Instant};

use reqwest::Method;
use roadstead_sim::{LinodeSim, SimulatorConfig, TOKEN_FULL};
use serde_json::{Value, json};

use crate::sim::{Got, Sim};

const INSTANCES: &str = "/v4/linode/instances";

fn start(config: SimulatorConfig) -> Sim {
    Sim::around(LinodeSim::start(([127, 0, 0, 1], 0).into(), config).unwrap())
}

/// At scale 1, so that nothing happens unless a test advances the time.
fn frozen() -> Sim {
    start(SimulatorConfig {
        enforce_limits: false,
        ..SimulatorConfig::default()
    })
}

/// A create body that the vendor accepts.
fn web(label: &str) -> Value {
    json!({
        "label": label,
        "region": "us-east",
        "type": "g6-nanode-1",
        "image": "linode/debian12",
        "root_pass": "correct-Horse-7-battery",
    })
}

/// The same with other fields; null takes one away.
fn web_with(fields: &Value) -> Value {
    let mut body = web("web-1");
    for (name, value) in fields.as_object().unwrap() {
        body[name] = value.clone();
    }
    body
}

/// Creates a server and returns its id.
async fn create(sim: &Sim, body: &Value) -> u64 {
    let got = sim.post(INSTANCES, body).await;
    assert_eq!(got.status, 200, "{}", got.body);
    got.body["id"].as_u64().unwrap()
}

/// Creates a server, lets it run and returns its id.
async fn create_running(sim: &Sim, body: &Value) -> u64 {
    let id = create(sim, body).await;
    sim.handle().advance(Duration::from_secs(60));
    assert_eq!(show(sim, id).await["status"], "running");
    id
}

async fn show(sim: &Sim, id: u64) -> Value {
    let got = sim.get(&format!("{INSTANCES}/{id}")).await;
    assert_eq!(got.status, 200, "{}", got.body);
    got.body
}

/// Starts an action without a body.
async fn act(sim: &Sim, id: u64, action: &str) -> Got {
    let path = format!("{INSTANCES}/{id}/{action}");
    let call = sim.call(Method::POST, &path, TOKEN_FULL, None);
    call.await.unwrap()
}

async fn act_with(sim: &Sim, id: u64, action: &str, body: &Value) -> Got {
    sim.post(&format!("{INSTANCES}/{id}/{action}"), body).await
}

async fn put(sim: &Sim, path: &str, body: &Value) -> Got {
    let call = sim.call(Method::PUT, path, TOKEN_FULL, Some(body));
    call.await.unwrap()
}

/// Lists with an `X-Filter` as it is.
async fn filtered(sim: &Sim, path: &str, filter: &str) -> Got {
    let request = sim.http().get(sim.url(path)).bearer_auth(TOKEN_FULL);
    let response = request.header("x-filter", filter).send().await.unwrap();
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let body = serde_json::from_str(&response.text().await.unwrap()).unwrap();
    Got {
        status,
        headers,
        body,
    }
}

/// Returns the newest event of an action on a server.
async fn event(sim: &Sim, id: u64, action: &str) -> Value {
    let filter = json!({ "entity.id": id, "entity.type": "linode", "action": action });
    let got = filtered(sim, "/v4/account/events", &filter.to_string()).await;
    assert_eq!(got.status, 200, "{}", got.body);
    got.body["data"][0].clone()
}

fn reason(got: &Got) -> (u16, &str, Option<&str>) {
    let error = &got.body["errors"][0];
    (
        got.status,
        error["reason"].as_str().unwrap(),
        error["field"].as_str(),
    )
}

fn column<'a>(got: &'a Got, name: &str) -> Vec<&'a str> {
    let data = got.body["data"].as_array().unwrap();
    data.iter().map(|it| it[name].as_str().unwrap()).collect()
}

/// Asks until a server has a status, or fails after ten seconds.
async fn wait_for(sim: &Sim, id: u64, status: &str) -> Value {
    let deadline = Instant::now() + Duration::from_secs(10);
    loop {
        let instance = show(sim, id).await;
        if instance["status"] == status {
            return instance;
        }
        assert!(Instant::now() < deadline, "still {instance}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
