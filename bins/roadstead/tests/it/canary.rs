//! Secrets that are told apart from everything else, looked for in all that the program leaves
//! behind: answers, logs at `trace`, databases, metrics, documents.

use std::sync::Mutex;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use reqwest::{Client, Method};
use roadstead_sim::{DigitalOceanSim, LinodeSim, Running, Scopes, SimulatorConfig};
use roadstead_testkit::{Haystack, Scratch, canary, on_both_databases};
use serde_json::{Value, json};

use crate::metrics::Metrics;
use crate::program::{PATIENCE, Place, Program, run_with_input, with};

/// What nobody may find.
struct Secrets {
    login: String,
    /// Logs in nobody.
    guess: String,
    session: String,
    tokens: [String; 2],
    /// Tokens that the vendors do not know.
    stranger: String,
    root: String,
    user_data: String,
    script_data: String,
    master: String,
}

impl Secrets {
    fn new() -> Self {
        Self {
            login: canary("login"),
            guess: canary("guess"),
            session: String::new(),
            tokens: [canary("token-1"), canary("token-2")],
            stranger: canary("stranger"),
            root: short("Root"),
            user_data: short("Data"),
            script_data: short("Script"),
            // As many bytes as a key has, so that it can be looked for as text.
            master: canary("")[..32].to_owned(),
        }
    }

    fn all(&self) -> Vec<&str> {
        let [one, two] = &self.tokens;
        let all = [
            &self.login,
            &self.guess,
            &self.session,
            one,
            two,
            &self.stranger,
            &self.root,
            &self.user_data,
            &self.script_data,
            &self.master,
        ];
        all.map(String::as_str).to_vec()
    }

    /// What a vendor that means no good says when anything goes wrong: who asked, and the way
    /// through its own code.
    fn echo(token: &str) -> String {
        format!(
            "panicked at src/handler.rs:42: Authorization: Bearer {token}\n\
             stack backtrace:\n  0: postgres://root:{token}@db"
        )
    }

    /// What it says of a create: that, and all that it was sent.
    fn echo_of_create(&self, vendor: &Vendor, token: &str) -> String {
        let echo = Self::echo(token);
        let data = self.user_data();
        let sent = format!("{echo}\ncloud-init: {} is\n{data}", STANDARD.encode(&data));
        match vendor.kind {
            "linode" => format!("{sent} with {}, for `{}`", self.root, self.script_data),
            // It gets no password but a hash within the user data.
            _ => sent,
        }
    }

    fn user_data(&self) -> String {
        format!("#!/bin/sh\necho {}\n", self.user_data)
    }
}

/// Returns a secret that nothing takes for a token by its length.
fn short(name: &str) -> String {
    let canary = canary("");
    format!("{name}-{}", &canary[canary.len() - 12..])
}

/// A client that keeps all that it is answered.
struct Witness {
    client: Client,
    address: String,
    session: String,
    seen: Mutex<Haystack>,
}

impl Witness {
    fn new(address: &str) -> Self {
        Self {
            client: Client::builder().no_proxy().build().unwrap(),
            address: address.to_owned(),
            session: String::new(),
            seen: Mutex::default(),
        }
    }

    /// Logs in. The answer is the one place where the session's token may be.
    async fn login(&mut self, password: &str) {
        let (status, answer) = self
            .ask(
                Method::POST,
                "/api/auth/login",
                json!({"email": "op@test.example", "password": password}),
                false,
            )
            .await;
        assert_eq!(status, 200, "{answer}");
        let answer: Value = serde_json::from_str(&answer).unwrap();
        self.session = answer["token"].as_str().unwrap().to_owned();
    }

    async fn call(&self, method: Method, path: &str, body: Value) -> (u16, Value) {
        let (status, text) = self.ask(method, path, body, true).await;
        (status, serde_json::from_str(&text).unwrap_or(Value::Null))
    }

    async fn get(&self, path: &str) -> (u16, Value) {
        self.call(Method::GET, path, Value::Null).await
    }

    async fn ask(&self, method: Method, path: &str, body: Value, keep: bool) -> (u16, String) {
        let url = format!("{}{path}", self.address);
        let mut request = self
            .client
            .request(method.clone(), url)
            .bearer_auth(&self.session);
        if !body.is_null() {
            request = request.json(&body);
        }
        let answer = request.send().await.unwrap();
        let status = answer.status().as_u16();
        let head = format!("{:?}", answer.headers());
        let text = answer.text().await.unwrap();
        if keep {
            let mut seen = self.seen.lock().unwrap();
            seen.add(
                format!("the answer to {method} {path}"),
                format!("{status} {head}\n{text}"),
            );
        }
        (status, text)
    }

    async fn until(&self, id: &str, wished: impl Fn(&str) -> bool) {
        let deadline = std::time::Instant::now() + PATIENCE;
        loop {
            let (_, shown) = self.get(&format!("/api/vps/{id}")).await;
            if wished(shown["instance"]["status"].as_str().unwrap()) {
                return;
            }
            assert!(std::time::Instant::now() < deadline, "{shown}");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// Waits until an accepted operation is over, well or not.
    async fn over(&self, accepted: &Value) -> Value {
        let id = accepted["operation"]["id"].as_str();
        let id = id.unwrap_or_else(|| panic!("not accepted: {accepted}"));
        let deadline = std::time::Instant::now() + PATIENCE;
        loop {
            let (_, shown) = self.get(&format!("/api/operations/{id}?wait=5")).await;
            let state = shown["operation"]["state"].as_str().unwrap().to_owned();
            if ["succeeded", "failed", "attention"].contains(&&*state) {
                return shown;
            }
            assert!(std::time::Instant::now() < deadline, "{shown}");
        }
    }
}

/// A vendor, and what a create needs there.
struct Vendor {
    kind: &'static str,
    sim: Running,
    plan: &'static str,
    region: &'static str,
    image: &'static str,
    /// Where servers are created.
    servers: &'static str,
    /// Where the token's owner is told.
    account: &'static str,
    plans: &'static str,
}

fn vendors() -> [Vendor; 2] {
    let config = SimulatorConfig {
        time_scale: 100.0,
        ..SimulatorConfig::default()
    };
    let any = ([127, 0, 0, 1], 0).into();
    [
        Vendor {
            kind: "digitalocean",
            sim: DigitalOceanSim::start(any, config.clone()).unwrap(),
            plan: "s-1vcpu-1gb",
            region: "nyc3",
            image: "ubuntu-22-04-x64",
            servers: "/v2/droplets",
            account: "/v2/account",
            plans: "/v2/sizes",
        },
        Vendor {
            kind: "linode",
            sim: LinodeSim::start(any, config).unwrap(),
            plan: "g6-nanode-1",
            region: "us-east",
            image: "linode/ubuntu24.04",
            servers: "/v4/linode/instances",
            account: "/v4/account",
            plans: "/v4/linode/types",
        },
    ]
}

impl Vendor {
    fn spoil(&self, fault: Value) {
        let fault = serde_json::from_value(fault).unwrap();
        self.sim.handle().add_fault(fault).unwrap();
    }

    fn wanted(&self, provider: &str, label: &str, secrets: &Secrets) -> Value {
        let mut wanted = json!({
            "provider_id": provider, "label": label, "type": self.plan, "region": self.region,
            "image": self.image, "rootPassword": secrets.root, "user_data": secrets.user_data(),
        });
        if self.kind == "linode" {
            wanted["options"] = json!({
                "stackscript_id": 401_697,
                "stackscript_data": { "soa_email_address": secrets.script_data },
            });
        }
        wanted
    }
}

on_both_databases! {
    async fn no_secret_is_left_anywhere_in_a_whole_life_at_vendors_that_echo_them(
        database: &Scratch
    ) {
        let mut secrets = Secrets::new();
        let vendors = vendors();
        let place = Place::new();
        let key = format!("v1:{}\n", STANDARD.encode(&secrets.master));
        place.write("roadstead.key", &key);
        let mut settings = place.settings_on(database.url());
        for (name, value) in [
            ("ROADSTEAD_LOG", "trace"),
            ("ROADSTEAD_METRICS_LISTEN", "127.0.0.1:0"),
            ("ROADSTEAD_POLL_INTERVAL", "1s"),
            ("ROADSTEAD_SETTLE_WINDOW", "1s"),
            ("ROADSTEAD_LEASE", "20s"),
            ("ROADSTEAD_DIGITALOCEAN_ENDPOINT", &vendors[0].sim.endpoint()),
            ("ROADSTEAD_LINODE_ENDPOINT", &vendors[1].sim.endpoint()),
        ] {
            settings = with(settings, name, value);
        }
        let mut seen = Haystack::default();
        let migrated = run_with_input(&["migrate", "up"], &settings, "").ok();
        let create = ["user", "create", "--email", "op@test.example", "--operator",
            "--organization", "Harbor"];
        let added = run_with_input(&create, &settings, &secrets.login).ok();
        let twice = run_with_input(&create, &settings, &secrets.login);
        for (name, ended) in [("migrate", migrated), ("user create", added), ("again", twice)] {
            seen.add(format!("what `{name}` prints"), ended.out);
            seen.add(format!("what `{name}` logs"), ended.err);
        }
        let mut program = Program::start(&["serve"], &settings);
        let address = program.address("listening at http://");
        let metrics = Metrics::of(&mut program);
        let mut witness = Witness::new(&address);
        witness.login(&secrets.login).await;
        secrets.session.clone_from(&witness.session);
        let wrong = json!({"email": "op@test.example", "password": secrets.guess});
        let (status, _) = witness.call(Method::POST, "/api/auth/login", wrong).await;
        assert_eq!(status, 401);

        // Side by side, because each waits until a lost answer is proved to be lost.
        let lives = vendors.iter().zip(&secrets.tokens)
            .map(|(vendor, token)| live(&witness, vendor, token, &secrets));
        futures::future::join_all(lives).await;
        for path in ["/api/auth/me", "/api/vps", "/api/admin/providers", "/api/vps/providers",
            "/api/openapi.json", "/docs", "/api/health/ready"] {
            witness.get(path).await;
        }
        seen.add("the metrics", metrics.text().await);
        // Once while the log of the database is full, and once when all is written down.
        stored(database, &mut seen, "while it runs").await;
        witness.call(Method::POST, "/api/auth/logout", Value::Null).await;
        let ended = program.stop().ok();
        // The vendors claim to; the program does not.
        assert!(!ended.err.lines().any(|it| it.starts_with("thread '")), "it panicked");
        assert!(ended.err.contains("\"level\":\"TRACE\""), "it was asked for everything");
        seen.add("the log of the server", ended.err);
        seen.add("the output of the server", ended.out);
        stored(database, &mut seen, "after the end").await;

        for haystack in [seen, witness.seen.into_inner().unwrap()] {
            haystack.assert_clean(&secrets.all());
        }
    }
}

/// A server's life at a vendor, with everything that can go wrong on the way.
async fn live(witness: &Witness, vendor: &Vendor, token: &str, secrets: &Secrets) {
    let echo = Secrets::echo(token);
    let body = |echo: &str| {
        json!({
            "id": "unprocessable_entity", "message": echo, "request_id": token,
            "errors": [{ "reason": echo, "field": "root_pass" }],
        })
    };
    let headers = json!({ "x-request-id": token, "x-linode-request": token });
    let fault = |method: &str, path: &str, status: u16| {
        json!({
            "method": method, "path": path, "count": 1,
            "effect": { "status": status, "body": body(&echo), "headers": headers },
        })
    };
    let register =
        |token: &str| json!({ "name": vendor.kind, "type": vendor.kind, "token": token });
    let accounts = "/api/admin/providers";
    // One that the vendor does not know, and one that it cannot check.
    let (status, _) = witness
        .call(Method::POST, accounts, register(&secrets.stranger))
        .await;
    assert_eq!(status, 502);
    vendor
        .sim
        .handle()
        .set_token(token, Some("main"), Scopes::Full);
    for status in [401, 403] {
        vendor.spoil(fault("GET", vendor.account, status));
        let (status, _) = witness.call(Method::POST, accounts, register(token)).await;
        assert_eq!(status, 502);
        vendor.sim.handle().clear_faults();
    }
    let (status, registered) = witness.call(Method::POST, accounts, register(token)).await;
    assert_eq!(status, 200, "{registered}");
    let provider = registered["provider"]["id"].as_str().unwrap().to_owned();
    let one = format!("{accounts}/{provider}");
    let (status, _) = witness
        .call(Method::PATCH, &one, json!({ "token": secrets.stranger }))
        .await;
    assert_eq!(status, 502);
    witness
        .call(Method::PATCH, &one, json!({ "token": token }))
        .await;
    // Odd bodies: secrets where they do not belong.
    witness.call(Method::POST, "/api/vps", json!({
        "label": "odd", "rootPassword": [secrets.root], "user_data": { "x": secrets.user_data },
    })).await;
    witness
        .call(
            Method::POST,
            accounts,
            json!({ "token": [token], "tokn": token }),
        )
        .await;

    // The catalogue fails in the vendor's own words, then it does not.
    for (status, body) in [(500, body(&echo)), (200, json!(echo)), (401, json!(echo))] {
        let effect = json!({ "status": status, "body": body, "headers": headers });
        vendor.spoil(json!({ "path": vendor.plans, "effect": effect, "count": 999 }));
        // What is kept would be answered although the vendor fails.
        witness
            .call(Method::POST, &format!("{one}/cache/clear"), Value::Null)
            .await;
        let (status, _) = witness
            .get(&format!("/api/vps/{}/plans", vendor.kind))
            .await;
        assert!(status >= 500, "{status}");
        vendor.sim.handle().clear_faults();
        // A refused token has frozen the account.
        witness
            .call(Method::POST, &format!("{one}/validate"), Value::Null)
            .await;
    }
    for part in ["plans", "images", "regions", "marketplace", "stackscripts"] {
        witness
            .get(&format!("/api/vps/{}/{part}", vendor.kind))
            .await;
    }
    // Creates that are refused, that fail, and whose answer is lost or spoiled.
    for (status, label) in [(422, "refused"), (400, "wrong"), (503, "failed")] {
        let echo = secrets.echo_of_create(vendor, token);
        let effect = json!({ "status": status, "body": body(&echo), "headers": headers });
        vendor.spoil(json!({ "method": "POST", "path": vendor.servers, "effect": effect }));
        let wanted = vendor.wanted(&provider, label, secrets);
        let (status, accepted) = witness.call(Method::POST, "/api/vps", wanted).await;
        assert_eq!(status, 200, "{accepted}");
        let over = witness.over(&accepted).await;
        if label == "failed" {
            let id = accepted["instance"]["id"].as_str().unwrap();
            assert_eq!(over["operation"]["state"], "succeeded", "{over}");
            end(witness, id).await;
        }
        vendor.sim.handle().clear_faults();
    }
    let mut wanted = vendor.wanted(&provider, "web", secrets);
    wanted["wait"] = json!(20);
    let (status, accepted) = witness.call(Method::POST, "/api/vps", wanted).await;
    assert_eq!(status, 200, "{accepted}");
    let id = accepted["instance"]["id"].as_str().unwrap().to_owned();
    witness.over(&accepted).await;
    witness.until(&id, |it| it == "running").await;
    for action in ["reboot", "shutdown", "boot"] {
        let path = format!("/api/vps/{id}/{action}");
        let (status, accepted) = witness.call(Method::POST, &path, Value::Null).await;
        assert_eq!(status, 200, "{accepted}");
        witness.over(&accepted).await;
    }
    let notes = json!({ "notes": "nothing secret", "tags": ["web"] });
    witness
        .call(Method::PATCH, &format!("/api/vps/{id}"), notes)
        .await;
    witness.get(&format!("/api/vps/{id}/operations")).await;
    end(witness, &id).await;
}

async fn end(witness: &Witness, id: &str) {
    let path = format!("/api/vps/{id}");
    let (status, accepted) = witness.call(Method::DELETE, &path, Value::Null).await;
    assert_eq!(status, 200, "{accepted}");
    let over = witness.over(&accepted).await;
    assert_eq!(over["operation"]["state"], "succeeded", "{over}");
}

/// Adds all that a thief of the database would hold.
async fn stored(database: &Scratch, seen: &mut Haystack, when: &str) {
    match database {
        Scratch::Sqlite(file) => {
            for ending in ["db", "db-wal", "db-shm", "lock"] {
                let path = file.path().with_extension(ending);
                // What a closed database leaves is its file alone.
                let bytes = std::fs::read(&path).unwrap_or_default();
                assert!(
                    ending != "db" || !bytes.is_empty(),
                    "nothing in {}",
                    path.display()
                );
                seen.add(format!("the database's .{ending} {when}"), bytes);
            }
        }
        Scratch::Postgres(it) => {
            let (client, connection) = tokio_postgres::connect(it.url(), tokio_postgres::NoTls)
                .await
                .unwrap();
            tokio::spawn(connection);
            let tables = "SELECT tablename FROM pg_tables WHERE schemaname = 'public'";
            for table in client.query(tables, &[]).await.unwrap() {
                let table: String = table.get(0);
                let sql = format!("SELECT CAST(it AS TEXT) FROM \"{table}\" AS it");
                let rows = client.query(&sql, &[]).await.unwrap();
                let rows: Vec<String> = rows.iter().map(|it| it.get(0)).collect();
                seen.add(format!("the table `{table}` {when}"), rows.join("\n"));
            }
        }
    }
}
