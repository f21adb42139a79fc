//! What befalls a server from outside: it stands still past its lease, and PostgreSQL goes away
//! under load.

use std::time::{Duration, Instant};

use futures::future::join_all;
use reqwest::{Client, Method, StatusCode};
use roadstead_testkit::{OwnPostgres, ScratchPostgres, block_on};
use serde_json::{Value, json};

use crate::api::{Api, PASSWORD, add_operator, serve, settings_for, word};
use crate::program::{PATIENCE, Place, run, with};
use crate::simulators::{Vendors, wanted};

/// 32 bytes in base64.
const KEY: &str = "v1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n";

const VENDORS: [&str; 2] = ["linode", "digitalocean"];

/// How long a process stands still: the lease and more.
const STILL: Duration = Duration::from_millis(2500);

/// Settings of a server on PostgreSQL whose clockwork is short.
fn settings(place: &Place, vendors: &Vendors, database: &str) -> Vec<(String, String)> {
    place.write("roadstead.key", KEY);
    let mut settings = settings_for(place, &vendors.addresses);
    for (name, value) in [
        ("ROADSTEAD_DATABASE_URL", database),
        ("ROADSTEAD_LEASE", "1s"),
        ("ROADSTEAD_SETTLE_WINDOW", "3s"),
        ("ROADSTEAD_SWEEP_INTERVAL", "2s"),
        ("ROADSTEAD_POLL_INTERVAL", "1s"),
        ("ROADSTEAD_OPEN_POLL_INTERVAL", "200ms"),
    ] {
        settings = with(settings, name, value);
    }
    settings
}

/// A client that asks again under the same key until it is answered.
#[derive(Clone)]
struct Persistent {
    client: Client,
    address: String,
    token: String,
}

impl Persistent {
    fn of(api: &Api, address: &str) -> Self {
        Self {
            client: Client::builder()
                .no_proxy()
                .timeout(PATIENCE)
                .build()
                .unwrap(),
            address: address.to_owned(),
            token: api.token.clone(),
        }
    }

    async fn once(
        &self,
        method: Method,
        path: &str,
        key: &str,
        body: Option<&Value>,
    ) -> Result<(StatusCode, Value), reqwest::Error> {
        let url = format!("{}{path}", self.address);
        let mut request = self.client.request(method, url).bearer_auth(&self.token);
        if !key.is_empty() {
            request = request.header("idempotency-key", key);
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        let answer = request.send().await?;
        let status = answer.status();
        Ok((status, answer.json().await?))
    }

    async fn surely(&self, method: Method, path: &str, key: &str, body: Option<Value>) -> Value {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let answered = self.once(method.clone(), path, key, body.as_ref()).await;
            if let Ok((status, answer)) = &answered {
                if status.is_success() {
                    return answer.clone();
                }
                // A server that is not live yet, and what only the database's absence explains.
                let passes = [StatusCode::CONFLICT, StatusCode::SERVICE_UNAVAILABLE];
                assert!(
                    passes.contains(status),
                    "{method} {path}: {status} {answer}"
                );
            }
            assert!(Instant::now() < deadline, "{method} {path}: {answered:?}");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// Waits until an operation has succeeded.
    async fn succeeded(&self, accepted: &Value) {
        let path = format!("/api/operations/{}?wait=5", word(accepted, "/operation/id"));
        let deadline = Instant::now() + PATIENCE;
        loop {
            let shown = self.surely(Method::GET, &path, "", None).await;
            let state = word(&shown, "/operation/state");
            if state == "succeeded" {
                return;
            }
            assert!(state != "failed" && state != "attention", "{shown}");
            assert!(Instant::now() < deadline, "{shown}");
        }
    }
}

/// Waits until the vendors have exactly the servers that are wanted.
async fn only(vendors: &Vendors, each: usize) {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let mut counts = Vec::new();
        for vendor in VENDORS {
            counts.push(vendors.servers(vendor).await);
        }
        if counts.iter().all(|it| *it == each) {
            return;
        }
        assert!(
            Instant::now() < deadline,
            "{counts:?} instead of {each} each"
        );
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// Returns how many creating calls of a vendor had their effect, by the name of the server.
async fn made_twice(vendors: &Vendors) -> Vec<String> {
    let mut twice = Vec::new();
    for vendor in VENDORS {
        let journal = vendors.journal(vendor).await;
        let mut names: Vec<String> = journal
            .iter()
            .filter(|it| it["method"] == "POST" && it["committed"] == json!(true))
            .filter_map(|it| {
                let body = &it["body"];
                let name = body.get("name").or_else(|| body.get("label"))?;
                (!body["image"].is_null()).then(|| name.as_str().map(str::to_owned))?
            })
            .collect();
        names.sort();
        twice.extend(
            names
                .windows(2)
                .filter(|it| it[0] == it[1])
                .map(|it| it[0].clone()),
        );
    }
    twice
}

/// Asks whether a write by a stale epoch, or a broken rule, is on record.
async fn quiet_books(database: &str) {
    let (client, connection) = tokio_postgres::connect(database, tokio_postgres::NoTls)
        .await
        .unwrap();
    tokio::spawn(connection);
    for (what, sql) in [
        (
            "operations that are not over",
            "SELECT COUNT(*) FROM operations WHERE state <> 'succeeded'",
        ),
        (
            "attempts without a verdict, or more than one that had an effect",
            "SELECT COUNT(*) FROM (SELECT operation_id FROM attempts \
             WHERE outcome = 'committed' GROUP BY operation_id HAVING COUNT(*) > 1) AS twice",
        ),
        (
            "transactions that nobody ends",
            "SELECT COUNT(*) FROM pg_stat_activity WHERE state LIKE 'idle in transaction%' \
             AND state_change < clock_timestamp() - interval '2 seconds'",
        ),
    ] {
        let count: i64 = client.query_one(sql, &[]).await.unwrap().get(0);
        assert_eq!(count, 0, "{what}");
    }
}

/// Runs the test on a PostgreSQL, unless it is left out.
macro_rules! on_postgres {
    ($name:ident, $body:expr) => {
        #[test]
        fn $name() {
            if ScratchPostgres::is_left_out(concat!(module_path!(), "::", stringify!($name))) {
                return;
            }
            block_on($body);
        }
    };
}

on_postgres!(
    of_two_servers_the_one_that_stands_still_past_its_lease_does_no_harm,
    async {
        let vendors = Vendors::start("100");
        let place = Place::new();
        let scratch = ScratchPostgres::create().await;
        let settings = settings(&place, &vendors, scratch.url());
        run(&["migrate", "up"], &settings).ok();
        add_operator(&settings);
        let (one, _) = serve(&["serve"], &settings);
        let (two, at_two) = serve(&["serve"], &settings);
        let api = Api::login(&at_two, "op@test.example", PASSWORD).await;
        let mut accounts = Vec::new();
        for vendor in VENDORS {
            accounts.push((vendor, api.register(vendor).await));
        }
        let client = Persistent::of(&api, &at_two);
        let lives = (0..6).flat_map(|number| accounts.iter().map(move |it| (number, it)));
        let lives = join_all(lives.map(|(number, (vendor, account))| {
            let client = client.clone();
            async move {
                let label = format!("web-{vendor}-{number}");
                let request = Some(wanted(vendor, account, &label));
                let created = client
                    .surely(Method::POST, "/api/vps", &label, request)
                    .await;
                client.succeeded(&created).await;
                let path = format!("/api/vps/{}", word(&created, "/instance/id"));
                let key = format!("{label} off");
                let off = client
                    .surely(Method::POST, &format!("{path}/shutdown"), &key, None)
                    .await;
                client.succeeded(&off).await;
                let plan = match *vendor {
                    "linode" => "g6-standard-1",
                    _ => "s-1vcpu-2gb",
                };
                let (key, body) = (format!("{label} resize"), json!({ "type": plan }));
                let resized = client
                    .surely(Method::POST, &format!("{path}/resize"), &key, Some(body))
                    .await;
                client.succeeded(&resized).await;
                // Half of them go again.
                if number % 2 == 0 {
                    let key = format!("{label} delete");
                    let deleted = client.surely(Method::DELETE, &path, &key, None).await;
                    client.succeeded(&deleted).await;
                }
            }
        }));
        let shake = async {
            // One and the other, at whatever they are about to send.
            for turn in 0..4 {
                let pid = if turn % 2 == 0 { one.pid() } else { two.pid() };
                signal("STOP", pid);
                tokio::time::sleep(STILL).await;
                signal("CONT", pid);
                tokio::time::sleep(Duration::from_millis(500)).await;
            }
        };
        futures::join!(lives, shake);
        only(&vendors, 3).await;
        assert_eq!(made_twice(&vendors).await, Vec::<String>::new());
        quiet_books(scratch.url()).await;
        one.stop().ok();
        two.stop().ok();
    }
);

on_postgres!(
    postgresql_that_is_restarted_under_load_loses_nothing_that_was_accepted,
    async {
        let vendors = Vendors::start("100");
        let place = Place::new();
        let mut postgres = OwnPostgres::start();
        let settings = settings(&place, &vendors, &postgres.url());
        run(&["migrate", "up"], &settings).ok();
        add_operator(&settings);
        let (server, address) = serve(&["serve"], &settings);
        let api = Api::login(&address, "op@test.example", PASSWORD).await;
        let mut accounts = Vec::new();
        for vendor in VENDORS {
            accounts.push((vendor, api.register(vendor).await));
        }
        let client = Persistent::of(&api, &address);
        let load = join_all((0..8).flat_map(|number| {
            let client = &client;
            accounts.iter().map(move |(vendor, account)| async move {
                // Not all at once: some meet the database as it goes, some as it comes.
                tokio::time::sleep(Duration::from_millis(150 * number)).await;
                let label = format!("web-{vendor}-{number}");
                let request = Some(wanted(vendor, account, &label));
                client
                    .surely(Method::POST, "/api/vps", &label, request)
                    .await
            })
        }));
        let shake = async {
            for _ in 0..2 {
                tokio::time::sleep(Duration::from_millis(400)).await;
                postgres.stop_immediately();
                // What is asked meanwhile.
                for path in ["/api/vps", "/api/health/ready", "/api/admin/providers"] {
                    let asked = Instant::now();
                    let answer = client.once(Method::GET, path, "", None).await.unwrap();
                    let took = asked.elapsed();
                    assert_eq!(answer.0, StatusCode::SERVICE_UNAVAILABLE, "{path}");
                    assert_eq!(answer.1["code"], json!("UNAVAILABLE"), "{path}");
                    let words = answer.1["error"].as_str().unwrap();
                    assert!(words.contains("database"), "{path}: {words}");
                    assert!(took < Duration::from_secs(1), "{path}: {took:?}");
                }
                let alive = client
                    .once(Method::GET, "/api/health", "", None)
                    .await
                    .unwrap();
                assert_eq!(alive.0, StatusCode::OK);
                postgres.start_again();
            }
        };
        let (accepted, ()) = futures::join!(load, shake);
        for accepted in &accepted {
            client.succeeded(accepted).await;
        }
        only(&vendors, 8).await;
        assert_eq!(made_twice(&vendors).await, Vec::<String>::new());
        quiet_books(&postgres.url()).await;
        client
            .surely(Method::GET, "/api/health/ready", "", None)
            .await;
        server.stop().ok();
    }
);

fn signal(name: &str, pid: u32) {
    let told = std::process::Command::new("sh")
        .args(["-c", &format!("kill -{name} {pid}")])
        .status();
    assert!(told.unwrap().success());
}
