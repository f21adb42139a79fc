//! Two hundred clients at once, and vendors that enforce their limits.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use reqwest::{Client, Method, StatusCode};
use serde_json::{Value, json};

use crate::api::{Api, PASSWORD, add_operator, serve, settings_for, word};
use crate::program::{Place, with};
use crate::simulators::{Vendors, wanted};

const CLIENTS: usize = 200;

/// More than Linode lets be created in one window.
const LINODES: usize = 24;
const DROPLETS: usize = 22;

/// How many of them are deleted again.
const DELETED: usize = 5;

/// How often the catalogues of a vendor are forgotten, so that it has to be asked.
const CLEARED: usize = 6;

/// How long the crowd may take.
const PATIENCE: Duration = Duration::from_secs(75);

/// What all clients share.
struct Crowd {
    client: Client,
    address: String,
    token: String,
    accounts: [(&'static str, String); 2],
    /// How many keys were given out.
    keys: AtomicUsize,
    /// How many have not finished creating.
    busy: AtomicUsize,
    /// How many answers said that the provider takes no more for now.
    told_to_wait: AtomicUsize,
    deadline: Instant,
}

impl Crowd {
    /// Calls again, by the same key, what the server was too busy for: this is about the
    /// vendors' limits, and the machine may be slow.
    async fn call(&self, method: Method, path: &str, body: Option<Value>) -> (StatusCode, Value) {
        let url = format!("{}{path}", self.address);
        let key = format!("crowd-{}", self.keys.fetch_add(1, Ordering::SeqCst));
        loop {
            let mut request = self.client.request(method.clone(), &url);
            request = request.bearer_auth(&self.token);
            if method != Method::GET {
                request = request.header("idempotency-key", &key);
            }
            if let Some(body) = &body {
                request = request.json(body);
            }
            // Timed out is what the server did not get to read in time.
            let busy = [StatusCode::SERVICE_UNAVAILABLE, StatusCode::REQUEST_TIMEOUT];
            if let Ok(answer) = request.send().await
                && !busy.contains(&answer.status())
            {
                let status = answer.status();
                let shown = answer.text().await.unwrap();
                let json = serde_json::from_str(&shown);
                return (
                    status,
                    json.unwrap_or_else(|_| panic!("{status}: `{shown}`")),
                );
            }
            assert!(Instant::now() < self.deadline, "{method} {path}");
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }

    /// Asks again after a pause until `done`, and returns what it was shown last.
    async fn until(&self, path: &str, done: impl Fn(&Value) -> bool) -> Value {
        loop {
            let (status, shown) = self.call(Method::GET, path, None).await;
            assert!(status.is_success(), "{path}: {shown}");
            if done(&shown) {
                return shown;
            }
            assert!(Instant::now() < self.deadline, "{path}: {shown}");
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }

    /// Creates a server, waits until it runs, and may delete it again.
    async fn create(&self, account: usize, number: usize) {
        let (kind, id) = &self.accounts[account];
        let request = wanted(kind, id, &format!("crowd-{number}"));
        let created = loop {
            let request = Some(request.clone());
            let (status, answer) = self.call(Method::POST, "/api/vps", request).await;
            if status.is_success() {
                break answer;
            }
            // The catalogue by which it is checked has to be read first.
            assert_eq!(status, StatusCode::TOO_MANY_REQUESTS, "{answer}");
            assert!(Instant::now() < self.deadline, "{answer}");
            tokio::time::sleep(Duration::from_millis(200)).await;
        };
        let path = format!("/api/vps/{}", word(&created, "/instance/id"));
        self.until(&path, |it| {
            let status = it.pointer("/instance/status").unwrap();
            assert!(
                *status != json!("failed") && *status != json!("attention"),
                "{it}"
            );
            *status == json!("running")
        })
        .await;
        if number < DELETED {
            let (_, deleting) = self.call(Method::DELETE, &path, None).await;
            let path = format!("/api/operations/{}", word(&deleting, "/operation/id"));
            self.until(&path, |it| {
                it.pointer("/operation/state") == Some(&json!("succeeded"))
            })
            .await;
        }
        self.busy.fetch_sub(1, Ordering::SeqCst);
    }

    /// Lists servers and reads catalogues as long as others create.
    async fn read(&self, number: usize) {
        let parts = ["plans", "images", "regions", "marketplace"];
        for turn in number.. {
            if self.busy.load(Ordering::SeqCst) == 0 {
                return;
            }
            assert!(Instant::now() < self.deadline, "the others never end");
            let (kind, _) = &self.accounts[turn % 2];
            let path = match turn % 3 {
                0 => "/api/vps?limit=50".to_owned(),
                _ => format!("/api/vps/{kind}/{}", parts[turn / 2 % 4]),
            };
            let (status, shown) = self.call(Method::GET, &path, None).await;
            if status == StatusCode::TOO_MANY_REQUESTS {
                assert_eq!(shown["code"], json!("RATE_LIMIT_EXCEEDED"), "{shown}");
                self.told_to_wait.fetch_add(1, Ordering::SeqCst);
            } else {
                assert!(status.is_success(), "{path}: {shown}");
            }
            tokio::time::sleep(Duration::from_millis(400)).await;
        }
    }

    /// Makes the server forget what it keeps, now and then.
    async fn forget(&self) {
        for _ in 0..CLEARED {
            for (_, id) in &self.accounts {
                let path = format!("/api/admin/providers/{id}/cache/clear");
                let (status, shown) = self.call(Method::POST, &path, None).await;
                assert!(status.is_success(), "{shown}");
            }
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    }
}

#[tokio::test]
async fn two_hundred_clients_who_list_read_create_and_delete_never_meet_a_vendors_limit() {
    let vendors = Vendors::start("1000");
    let place = Place::new();
    let settings = settings_for(&place, &vendors.addresses);
    let settings = with(settings, "ROADSTEAD_POLL_INTERVAL", "1s");
    add_operator(&settings);
    let (program, address) = serve(&["serve"], &settings);
    let api = Api::login(&address, "op@test.example", PASSWORD).await;
    let accounts = [
        ("linode", api.register("linode").await),
        ("digitalocean", api.register("digitalocean").await),
    ];
    let crowd = Arc::new(Crowd {
        client: Client::builder().no_proxy().build().unwrap(),
        address,
        token: api.token.clone(),
        accounts,
        keys: AtomicUsize::new(0),
        busy: AtomicUsize::new(LINODES + DROPLETS),
        told_to_wait: AtomicUsize::new(0),
        deadline: Instant::now() + PATIENCE,
    });
    let begun = Instant::now();
    let clients = (0..CLIENTS).map(|number| {
        let crowd = Arc::clone(&crowd);
        tokio::spawn(async move {
            match number {
                0 => crowd.forget().await,
                _ if number <= LINODES => crowd.create(0, number - 1).await,
                _ if number <= LINODES + DROPLETS => crowd.create(1, number - LINODES - 1).await,
                _ => crowd.read(number).await,
            }
        })
    });
    for client in clients.collect::<Vec<_>>() {
        client.await.unwrap();
    }
    let took = begun.elapsed();

    for (kind, id) in &crowd.accounts {
        let journal = vendors.journal(kind).await;
        let refused = journal.iter().filter(|it| it["status"] == json!(429));
        assert_eq!(refused.count(), 0, "{kind}, {} calls", journal.len());
        let made = journal.iter().filter(|it| {
            it["method"] == "POST"
                && it["committed"] == json!(true)
                && !it["body"]["image"].is_null()
        });
        let wanted = if *kind == "linode" { LINODES } else { DROPLETS };
        assert_eq!(made.count(), wanted, "each is made once");
        let shown = api.get(&format!("/api/admin/providers/{id}/budget")).await;
        let buckets = shown["buckets"].as_array().unwrap();
        for bucket in buckets {
            assert!(bucket["left"].as_u64() > Some(0), "{kind}: {bucket}");
            let under_way = [&bucket["in_flight"], &bucket["waiting"]];
            assert!(
                under_way.iter().all(|it| it.as_u64() < Some(20)),
                "{bucket}"
            );
        }
    }
    assert_eq!(vendors.servers("linode").await, LINODES - DELETED);
    assert_eq!(vendors.servers("digitalocean").await, DROPLETS - DELETED);
    // The limits did bind: one window does not take so many creates.
    assert!(took > Duration::from_secs(14), "{took:?}");
    println!(
        "{took:?}; {} readers were told to wait",
        crowd.told_to_wait.load(Ordering::SeqCst)
    );
    program.stop().ok();
}
