//! A running simulator and a client for it.

use std::time::{Duration, Instant};

use reqwest::header::HeaderMap;
use reqwest::{Client, Method};
use roadstead_sim::{DigitalOceanSim, Handle, Running, SimulatorConfig, TOKEN_FULL};
use serde_json::{Value, json};

pub(crate) struct Sim {
    running: Running,
    http: Client,
}

#[derive(Debug)]
pub(crate) struct Got {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
}

impl Sim {
    pub(crate) fn start(config: SimulatorConfig) -> Self {
        Self::around(DigitalOceanSim::start(([127, 0, 0, 1], 0).into(), config).unwrap())
    }

    /// Makes a client for a simulator that runs.
    pub(crate) fn around(running: Running) -> Self {
        let http = Client::builder()
            .no_proxy()
            .timeout(Duration::from_secs(20))
            .build()
            .unwrap();
        Self { running, http }
    }

    /// At scale 1, so that nothing happens unless a test advances the time.
    pub(crate) fn frozen() -> Self {
        Self::start(SimulatorConfig {
            enforce_limits: false,
            ..SimulatorConfig::default()
        })
    }

    pub(crate) fn handle(&self) -> &Handle {
        self.running.handle()
    }

    pub(crate) fn running(self) -> Running {
        self.running
    }

    pub(crate) fn http(&self) -> &Client {
        &self.http
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.running.endpoint())
    }

    pub(crate) async fn call(
        &self,
        method: Method,
        path: &str,
        token: &str,
        body: Option<&Value>,
    ) -> Result<Got, reqwest::Error> {
        let mut request = self.http.request(method, self.url(path)).bearer_auth(token);
        if let Some(body) = body {
            request = request.json(body);
        }
        let response = request.send().await?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let text = response.text().await?;
        let body = serde_json::from_str(&text).unwrap_or(Value::String(text));
        Ok(Got {
            status,
            headers,
            body,
        })
    }

    pub(crate) async fn get(&self, path: &str) -> Got {
        self.call(Method::GET, path, TOKEN_FULL, None)
            .await
            .unwrap()
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Got {
        self.call(Method::POST, path, TOKEN_FULL, Some(body))
            .await
            .unwrap()
    }

    pub(crate) async fn delete(&self, path: &str) -> Got {
        self.call(Method::DELETE, path, TOKEN_FULL, None)
            .await
            .unwrap()
    }

    /// Creates a droplet and returns its id.
    pub(crate) async fn create(&self, body: &Value) -> u64 {
        let got = self.post("/v2/droplets", body).await;
        assert_eq!(got.status, 202, "{}", got.body);
        got.body["droplet"]["id"].as_u64().unwrap()
    }

    /// Creates a droplet, lets it become active and returns its id.
    pub(crate) async fn create_active(&self, body: &Value) -> u64 {
        let id = self.create(body).await;
        self.handle().advance(Duration::from_secs(60));
        id
    }

    pub(crate) async fn act(&self, id: u64, action: &Value) -> Got {
        self.post(&format!("/v2/droplets/{id}/actions"), action)
            .await
    }

    /// Asks until a droplet has a status, or fails after ten seconds.
    pub(crate) async fn wait_for(&self, id: u64, status: &str) -> Value {
        let deadline = Instant::now() + Duration::from_secs(10);
        loop {
            let droplet = self.get(&format!("/v2/droplets/{id}")).await.body["droplet"].clone();
            if droplet["status"] == status {
                return droplet;
            }
            assert!(Instant::now() < deadline, "still {droplet}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

/// A create body that the vendor accepts.
pub(crate) fn web(name: &str) -> Value {
    json!({ "name": name, "region": "nyc3", "size": "s-1vcpu-1gb", "image": "ubuntu-24-04-x64" })
}

/// The same with other fields.
pub(crate) fn web_with(fields: &Value) -> Value {
    let mut body = web("web-1");
    for (name, value) in fields.as_object().unwrap() {
        body[name] = value.clone();
    }
    body
}
