//! `roadstead serve` against simulated vendors: through a life, a stop and a power cut.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::api::{Api, PASSWORD, add_operator, serve, settings_for, word};
use crate::program::{Place, Program, with};
use crate::simulators::{Vendors, wanted};

#[tokio::test]
async fn a_server_is_created_at_every_vendor_and_survives_a_restart() {
    let vendors = Vendors::start("50");
    let place = Place::new();
    let settings = settings_for(&place, &vendors.addresses);
    let settings = with(settings, "ROADSTEAD_POLL_INTERVAL", "1s");
    add_operator(&settings);
    let (program, address) = serve(&["serve"], &settings);
    let api = Api::login(&address, "op@test.example", PASSWORD).await;
    let mut servers = Vec::new();
    for (kind, _) in &vendors.addresses {
        let provider = api.register(kind).await;
        let created = api
            .post("/api/vps", wanted(kind, &provider, "test-server"))
            .await;
        assert_eq!(created["success"], json!(true));
        assert_eq!(word(&created, "/instance/provider_type"), *kind);
        let id = word(&created, "/instance/id");
        let running = api.until(&id, "running").await;
        assert!(
            running["instance"]["addresses"][0]["ip"].is_string(),
            "{running}"
        );
        servers.push((kind.clone(), id));
    }

    let stopping = Instant::now();
    let ended = program.stop().ok();
    assert!(
        stopping.elapsed() < Duration::from_secs(10),
        "{:?}",
        stopping.elapsed()
    );
    assert!(!ended.err.contains("panicked"), "{}", ended.err);
    for secret in ["sim-token", "Str0ng-harbor-Passw0rd", PASSWORD, &api.token] {
        roadstead_testkit::assert_absent(secret, ended.err.as_bytes());
    }

    let (program, address) = serve(&["serve"], &settings);
    let api = api.moved_to(&address);
    let list = api.get("/api/vps").await;
    assert_eq!(list["instances"].as_array().unwrap().len(), servers.len());
    for (kind, id) in servers {
        let deleting = api.delete(&format!("/api/vps/{id}")).await;
        api.finished(&deleting).await;
        assert_eq!(vendors.servers(&kind).await, 0);
    }
    program.stop().ok();
}

#[tokio::test]
async fn a_server_stops_while_somebody_waits_and_goes_on_where_it_was() {
    let vendors = Vendors::start("5");
    let place = Place::new();
    let settings = settings_for(&place, &vendors.addresses);
    add_operator(&settings);
    let (program, address) = serve(&["serve"], &settings);
    let api = Api::login(&address, "op@test.example", PASSWORD).await;
    let provider = api.register("digitalocean").await;
    let request = wanted("digitalocean", &provider, "patient");
    let created = api.post("/api/vps", request).await;
    let waiting = {
        let api = api.moved_to(&address);
        let path = format!("/api/operations/{}?wait=2", word(&created, "/operation/id"));
        tokio::spawn(async move { api.get(&path).await })
    };
    let stopping = Instant::now();
    program.stop().ok();
    assert!(
        stopping.elapsed() < Duration::from_secs(15),
        "{:?}",
        stopping.elapsed()
    );
    // Who waits gets an answer, or is cut off; nobody waits for ever.
    drop(
        tokio::time::timeout(Duration::from_secs(5), waiting)
            .await
            .unwrap(),
    );
    let (program, address) = serve(&["serve"], &settings);
    let api = api.moved_to(&address);
    api.until(&word(&created, "/instance/id"), "running").await;
    assert_eq!(vendors.servers("digitalocean").await, 1);
    program.stop().ok();
}

/// When the power goes.
#[derive(Clone, Copy, Debug)]
enum Cut {
    /// So many milliseconds after the create was accepted.
    After(u64),
    /// While the vendor, which has made the server, has not answered yet.
    BeforeTheAnswer,
    /// While the vendor has the request, and makes the server only later.
    BeforeTheEffect,
}

#[tokio::test]
async fn a_create_that_was_accepted_before_a_power_cut_is_carried_out_exactly_once() {
    // Side by side, because some wait for what may still come.
    let cuts = [
        Cut::After(0),
        Cut::After(5),
        Cut::After(20),
        Cut::After(60),
        Cut::BeforeTheAnswer,
        Cut::BeforeTheEffect,
    ];
    let tasks = cuts.map(|it| tokio::spawn(cut_off(it)));
    for task in tasks {
        task.await.unwrap();
    }
}

async fn cut_off(cut: Cut) {
    let vendors = Vendors::start("50");
    let place = Place::new();
    let settings = settings_for(&place, &vendors.addresses);
    // Longer than any test waits: on an embedded database the next server takes the leases back.
    let settings = with(settings, "ROADSTEAD_LEASE", "10m");
    let settings = with(settings, "ROADSTEAD_SETTLE_WINDOW", "10s");
    add_operator(&settings);
    let (program, address) = serve(&["serve"], &settings);
    let api = Api::login(&address, "op@test.example", PASSWORD).await;
    let provider = api.register("digitalocean").await;
    // What a catalogue costs is paid before.
    api.get("/api/vps/digitalocean/plans").await;
    let when = match cut {
        Cut::After(_) => None,
        Cut::BeforeTheAnswer => Some("after"),
        Cut::BeforeTheEffect => Some("before"),
    };
    if let Some(when) = when {
        let effect = json!({ "delay_ms": 3000 });
        let fault = json!({
            "method": "POST", "path": "/v2/droplets", "when": when, "effect": effect
        });
        vendors.spoil("digitalocean", fault).await;
    }
    let request = wanted("digitalocean", &provider, "once");
    let created = api.post("/api/vps", request).await;
    match cut {
        Cut::After(millis) => tokio::time::sleep(Duration::from_millis(millis)).await,
        Cut::BeforeTheAnswer | Cut::BeforeTheEffect => {
            vendors.called("digitalocean", "POST", "/v2/droplets").await;
        }
    }
    program.kill();

    let (program, address) = serve(&["serve"], &settings);
    let api = api.moved_to(&address);
    let running = api.until(&word(&created, "/instance/id"), "running").await;
    assert!(
        running["instance"]["provider_instance_id"].is_string(),
        "{running}"
    );
    let journal = vendors.journal("digitalocean").await;
    let made = journal.iter().filter(|it| {
        it["method"] == "POST" && it["path"] == "/v2/droplets" && it["committed"] == json!(true)
    });
    assert_eq!(made.count(), 1, "{cut:?}");
    assert_eq!(vendors.servers("digitalocean").await, 1, "{cut:?}");
    program.stop().ok();
}

#[test]
fn by_default_the_log_tells_where_the_server_listens_and_nothing_of_its_insides() {
    let place = Place::new();
    let mut program = Program::start(&["serve"], &place.settings());
    program.logged("listening at http://127.0.0.1:");
    let ended = program.stop().ok();
    assert!(!ended.err.contains("actix"), "{}", ended.err);
    assert!(ended.err.contains("nobody can log in yet"), "{}", ended.err);
}

#[test]
fn a_signal_that_comes_as_soon_as_the_program_is_up_stops_it_cleanly() {
    for _ in 0..10 {
        let place = Place::new();
        let (program, _) = serve(&["serve"], &place.settings());
        program.stop().ok();
    }
}

#[tokio::test]
async fn a_server_does_not_wait_for_the_streams_that_are_open() {
    let vendors = Vendors::start("50");
    let place = Place::new();
    let settings = settings_for(&place, &vendors.addresses);
    add_operator(&settings);
    let (program, address) = serve(&["serve"], &settings);
    let api = Api::login(&address, "op@test.example", PASSWORD).await;
    let mut streams = Vec::new();
    for _ in 0..20 {
        let mut stream = api.stream("/api/events").await;
        assert_eq!(stream.headers()["content-type"], "text/event-stream");
        let begin = stream.chunk().await.unwrap().unwrap();
        assert!(begin.starts_with(b"retry: "), "{begin:?}");
        streams.push(stream);
    }
    let stopping = Instant::now();
    program.stop().ok();
    assert!(
        stopping.elapsed() < Duration::from_secs(5),
        "{:?}",
        stopping.elapsed()
    );
    for stream in streams {
        let rest = stream.text().await.unwrap();
        assert!(
            rest.ends_with("event: end\ndata: {\"reason\":\"stopping\"}\n\n"),
            "{rest}"
        );
    }
}
