//! The client: it asks as a careful one does, with a key, and again when the connection broke.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use parking_lot::Mutex;
use reqwest::{Client, Method};
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::time::Instant;
use uuid::Uuid;

use crate::database::{EMAIL, PASSWORD};
use crate::evidence::Asked;
use crate::vendor::Vendor;

/// How long the client tries in all.
const PATIENCE: Duration = Duration::from_secs(90);

/// How long it waits for one answer.
const ANSWER: Duration = Duration::from_secs(15);

/// An answer of the API.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The body.
    pub body: Value,
}

impl Answer {
    /// Returns a text in the body.
    ///
    /// # Errors
    ///
    /// Fails with the answer, if there is none.
    pub fn text(&self, pointer: &str) -> Result<String> {
        let found = self.body.pointer(pointer).and_then(Value::as_str);
        let status = self.status;
        found
            .map(str::to_owned)
            .with_context(|| format!("no `{pointer}` in {status} {}", self.body))
    }

    fn id(&self, pointer: &str) -> Option<Uuid> {
        self.body.pointer(pointer)?.as_str()?.parse().ok()
    }

    const fn is_good(&self) -> bool {
        self.status >= 200 && self.status < 300
    }
}

/// A member of an organization who is an operator too.
#[derive(Debug)]
pub struct Member {
    http: Client,
    addresses: Vec<watch::Receiver<Option<String>>>,
    token: Mutex<String>,
    asked: Mutex<Vec<Asked>>,
    bindings: Mutex<BTreeMap<Uuid, BTreeSet<String>>>,
    /// A secret that must be nowhere in the end.
    secret: String,
}

impl Member {
    /// Makes a client of servers, of which any may answer.
    ///
    /// # Errors
    ///
    /// Fails if there is no HTTP client.
    pub(crate) fn new(addresses: Vec<watch::Receiver<Option<String>>>) -> Result<Self> {
        Ok(Self {
            // A pooled connection to a server that is dead costs an attempt; none is kept.
            http: Client::builder()
                .no_proxy()
                .pool_max_idle_per_host(0)
                .build()?,
            addresses,
            token: Mutex::default(),
            asked: Mutex::default(),
            bindings: Mutex::default(),
            secret: roadstead_testkit::canary("harness"),
        })
    }

    /// Logs in.
    ///
    /// # Errors
    ///
    /// Fails if it is refused.
    pub async fn login(&self) -> Result<()> {
        let body = json!({ "email": EMAIL, "password": PASSWORD });
        let answer = self
            .call(Method::POST, "/api/auth/login", None, Some(&body))
            .await?;
        *self.token.lock() = answer.text("/token")?;
        Ok(())
    }

    /// Registers the simulated account of a provider; returns its id.
    ///
    /// # Errors
    ///
    /// Fails if it is refused.
    pub async fn register(&self, vendor: Vendor) -> Result<String> {
        let token = roadstead_sim::TOKEN_FULL;
        let body = json!({ "name": vendor.kind(), "type": vendor.kind(), "token": token });
        let answer = self
            .call(Method::POST, "/api/admin/providers", None, Some(&body))
            .await?;
        answer.text("/provider/id")
    }

    /// Asks for a server, until there is an answer. Returns its id if it was accepted.
    ///
    /// # Errors
    ///
    /// Fails if there is no answer in time.
    pub async fn create(&self, vendor: Vendor, label: &str) -> Result<Option<Uuid>> {
        let [plan, _] = vendor.plans();
        let [region, image] = vendor.place();
        let body = json!({
            "provider_type": vendor.kind(),
            "label": label,
            "type": plan,
            "region": region,
            "image": image,
            "rootPassword": format!("Aa1!{}", self.secret),
        });
        let asked = Asked {
            kind: "create".to_owned(),
            plan: Some(plan.to_owned()),
            ..Asked::default()
        };
        self.ask(Method::POST, "/api/vps", Some(&body), asked).await
    }

    /// Asks to delete a server, until there is an answer.
    ///
    /// # Errors
    ///
    /// Fails if there is no answer in time.
    pub async fn delete(&self, instance: Uuid) -> Result<()> {
        let asked = Asked {
            kind: "delete".to_owned(),
            instance: Some(instance),
            ..Asked::default()
        };
        let path = format!("/api/vps/{instance}");
        self.ask(Method::DELETE, &path, None, asked).await?;
        Ok(())
    }

    /// Asks for anything else to be done with a server, until there is an answer. `asked` says
    /// what it is and what shall be true afterwards.
    ///
    /// # Errors
    ///
    /// Fails if there is no answer in time.
    pub async fn act(
        &self,
        instance: Uuid,
        action: &str,
        body: Option<&Value>,
        asked: Asked,
    ) -> Result<()> {
        let asked = Asked {
            instance: Some(instance),
            ..asked
        };
        let path = format!("/api/vps/{instance}/{action}");
        self.ask(Method::POST, &path, body, asked).await?;
        Ok(())
    }

    /// Sends a request with a key until it is answered, and notes what the answers say.
    async fn ask(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
        asked: Asked,
    ) -> Result<Option<Uuid>> {
        let key = Uuid::new_v4().to_string();
        let place = {
            let mut all = self.asked.lock();
            all.push(Asked {
                key: key.clone(),
                ..asked
            });
            all.len().saturating_sub(1)
        };
        let answer = self.call(method, path, Some(&key), body).await?;
        let instance = answer.id("/instance/id");
        if let Some(noted) = self.asked.lock().get_mut(place) {
            if answer.is_good() {
                noted.operations.extend(answer.id("/operation/id"));
                noted.instance = noted.instance.or(instance);
            } else {
                let code = answer.text("/code").unwrap_or_default();
                noted.refusal = Some((answer.status, code));
            }
        }
        Ok(instance.filter(|_| answer.is_good()))
    }

    /// Sends a request until there is an answer that is one. A key makes that safe.
    ///
    /// # Errors
    ///
    /// Fails if there is none in time.
    pub async fn call(
        &self,
        method: Method,
        path: &str,
        key: Option<&str>,
        body: Option<&Value>,
    ) -> Result<Answer> {
        let deadline = Instant::now() + PATIENCE;
        let mut turn = 0_usize;
        let mut last = "nobody listens".to_owned();
        while Instant::now() < deadline {
            let listening: Vec<String> = self
                .addresses
                .iter()
                .filter_map(|it| it.borrow().clone())
                .collect();
            let place = turn.checked_rem(listening.len()).unwrap_or(0);
            turn = turn.saturating_add(1);
            if let Some(address) = listening.get(place) {
                let token = self.token.lock().clone();
                let mut request = self
                    .http
                    .request(method.clone(), format!("{address}{path}"))
                    .timeout(ANSWER)
                    .bearer_auth(token);
                if let Some(key) = key {
                    request = request.header("Idempotency-Key", key);
                }
                if let Some(body) = body {
                    request = request.json(body);
                }
                match answer(request).await {
                    Ok(answer) if answer.status < 500 && answer.status != 429 => {
                        self.note(&answer.body);
                        return Ok(answer);
                    }
                    Ok(answer) => last = format!("{} {}", answer.status, answer.body),
                    Err(error) => last = format!("{error:#}"),
                }
            }
            tokio::time::sleep(Duration::from_millis(40)).await;
        }
        bail!("{method} {path} got no answer: {last}")
    }

    /// Notes which servers an answer shows as bound.
    fn note(&self, body: &Value) {
        let one = body.get("instance").into_iter();
        let many = body.get("instances").and_then(Value::as_array);
        for instance in one.chain(many.into_iter().flatten()) {
            let text = |name: &str| instance.get(name).and_then(Value::as_str);
            if let (Some(id), Some(remote)) = (text("id"), text("provider_instance_id"))
                && let Ok(id) = id.parse()
            {
                let mut bindings = self.bindings.lock();
                bindings.entry(id).or_default().insert(remote.to_owned());
            }
        }
    }

    /// Reads the list of servers, as a member would who watches.
    ///
    /// # Errors
    ///
    /// Fails if there is no answer in time.
    pub async fn look(&self) -> Result<Answer> {
        self.call(Method::GET, "/api/vps?limit=200", None, None)
            .await
    }

    /// Waits until a server shows a status.
    ///
    /// # Errors
    ///
    /// Fails with the last answer, if it does not in time.
    pub async fn until(&self, instance: Uuid, status: &str) -> Result<()> {
        let deadline = Instant::now() + PATIENCE;
        let path = format!("/api/vps/{instance}");
        loop {
            let answer = self.call(Method::GET, &path, None, None).await?;
            let shown = answer.text("/instance/status")?;
            // A poll may show it before what it was asked for is over, and until then nothing
            // else is taken.
            if shown == status && !self.is_busy(instance).await? {
                return Ok(());
            }
            if Instant::now() > deadline {
                bail!("the server is not `{status}`: {}", answer.body);
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Returns whether something that was asked of a server is not over yet.
    async fn is_busy(&self, instance: Uuid) -> Result<bool> {
        let asked = self.asked();
        let of_it = asked.iter().filter(|it| it.instance == Some(instance));
        for operation in of_it.flat_map(|it| it.operations.iter()) {
            let path = format!("/api/operations/{operation}");
            let answer = self.call(Method::GET, &path, None, None).await?;
            let state = answer.text("/operation/state")?;
            if !matches!(state.as_str(), "succeeded" | "failed" | "attention") {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Returns what was asked for so far.
    #[must_use]
    pub fn asked(&self) -> Vec<Asked> {
        self.asked.lock().clone()
    }

    /// Returns what the API has shown as bound so far.
    #[must_use]
    pub fn bindings(&self) -> BTreeMap<Uuid, BTreeSet<String>> {
        self.bindings.lock().clone()
    }

    /// Returns the secret that every create carries.
    #[must_use]
    pub fn secret(&self) -> &str {
        &self.secret
    }
}

async fn answer(request: reqwest::RequestBuilder) -> Result<Answer> {
    let response = request.send().await?;
    let status = response.status().as_u16();
    let bytes = response.bytes().await?;
    let body = if bytes.is_empty() {
        Value::Null
    } else {
        serde_json::from_slice(&bytes)?
    };
    Ok(Answer { status, body })
}
