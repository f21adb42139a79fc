//! `GET /metrics`: where it is, what it counts, and that the documentation knows all of it.

use std::collections::{BTreeMap, BTreeSet};

use reqwest::{Client, Method};

use crate::api::{Api, PASSWORD, add_operator, serve, settings_for, word};
use crate::program::{Place, Program, run, with};
use crate::simulators::{Vendors, wanted};

/// The metrics of a server that was asked for them.
pub(crate) struct Metrics {
    url: String,
}

impl Metrics {
    /// Waits until a server says where its metrics are.
    pub(crate) fn of(program: &mut Program) -> Self {
        Self {
            url: program.address("metrics at http://"),
        }
    }

    /// Returns all that is measured, as it is answered.
    pub(crate) async fn text(&self) -> String {
        let answer = client().get(&self.url).send().await.unwrap();
        assert_eq!(answer.status(), 200);
        let kind = answer.headers()["content-type"]
            .to_str()
            .unwrap()
            .to_owned();
        assert!(kind.starts_with("text/plain; version=0.0.4"), "{kind}");
        answer.text().await.unwrap()
    }

    async fn samples(&self) -> Vec<Sample> {
        self.text().await.lines().filter_map(Sample::read).collect()
    }
}

/// One line of an answer.
#[derive(Debug)]
struct Sample {
    name: String,
    labels: BTreeMap<String, String>,
    value: f64,
}

impl Sample {
    fn read(line: &str) -> Option<Self> {
        if line.is_empty() || line.starts_with('#') {
            return None;
        }
        let (series, value) = line.rsplit_once(' ').unwrap();
        let (name, labels) = series.split_once('{').unwrap_or((series, "}"));
        let labels = labels.strip_suffix('}').unwrap();
        let labels = labels.split(',').filter(|it| !it.is_empty()).map(|it| {
            let (label, value) = it.split_once('=').unwrap();
            (label.to_owned(), value.trim_matches('"').to_owned())
        });
        Some(Self {
            name: name.to_owned(),
            labels: labels.collect(),
            value: value.parse().unwrap(),
        })
    }

    fn is(&self, name: &str, labels: &[(&str, &str)]) -> bool {
        self.name == name
            && labels
                .iter()
                .all(|(label, value)| self.labels.get(*label).map(String::as_str) == Some(value))
    }
}

/// Returns the sum of all samples that have these labels.
#[track_caller]
fn sum(samples: &[Sample], name: &str, labels: &[(&str, &str)]) -> f64 {
    let found: Vec<_> = samples.iter().filter(|it| it.is(name, labels)).collect();
    assert!(!found.is_empty(), "no {name} {labels:?} in {samples:#?}");
    found.iter().map(|it| it.value).sum()
}

fn client() -> Client {
    Client::builder().no_proxy().build().unwrap()
}

/// Returns the labels that the documentation names for each series.
fn documented() -> BTreeMap<String, BTreeSet<String>> {
    let docs = include_str!("../../../../docs/metrics.md");
    let rows = docs.lines().filter_map(|it| {
        let cells: Vec<_> = it.split('|').map(str::trim).collect();
        let [_, name, "counter" | "gauge" | "histogram", labels, ..] = cells[..] else {
            return None;
        };
        let labels = labels
            .split(',')
            .map(|it| it.trim().trim_matches('`').to_owned());
        let labels = labels.filter(|it| !it.is_empty());
        Some((name.trim_matches('`').to_owned(), labels.collect()))
    });
    rows.collect()
}

#[tokio::test]
async fn a_whole_life_is_measured_in_series_that_the_documentation_knows() {
    let vendors = Vendors::start("50");
    let place = Place::new();
    let settings = settings_for(&place, &vendors.addresses);
    let settings = with(settings, "ROADSTEAD_METRICS_LISTEN", "127.0.0.1:0");
    let settings = with(settings, "ROADSTEAD_POLL_INTERVAL", "1s");
    let settings = with(settings, "ROADSTEAD_SWEEP_INTERVAL", "1s");
    add_operator(&settings);
    let (mut program, address) = serve(&["serve"], &settings);
    let metrics = Metrics::of(&mut program);
    let api = Api::login(&address, "op@test.example", PASSWORD).await;
    for (kind, _) in &vendors.addresses {
        let provider = api.register(kind).await;
        let created = api.post("/api/vps", wanted(kind, &provider, "web")).await;
        let id = word(&created, "/instance/id");
        api.until(&id, "running").await;
        for _ in 0..2 {
            api.get(&format!("/api/vps/{kind}/plans")).await;
        }
        let deleting = api.delete(&format!("/api/vps/{id}")).await;
        api.finished(&deleting).await;

        let samples = metrics.samples().await;
        let account = [
            ("provider_kind", kind.as_str()),
            ("provider_id", provider.as_str()),
        ];
        let calls = |class, outcome| {
            let labels = [&account[..], &[("class", class), ("outcome", outcome)]].concat();
            sum(&samples, "roadstead_provider_calls_total", &labels)
        };
        assert_eq!(calls("create", "ok"), 1.0);
        assert_eq!(calls("action", "ok"), 1.0);
        assert!(calls("catalogue", "ok") >= 3.0);
        let age = |catalogue| {
            let labels = [&account[..], &[("catalogue", catalogue)]].concat();
            sum(&samples, "roadstead_cache_age_seconds", &labels)
        };
        assert!((0.0..60.0).contains(&age("plans")));
    }
    let samples = metrics.samples().await;
    let requests = |method, route, status| {
        let labels = [("method", method), ("route", route), ("status", status)];
        sum(&samples, "roadstead_http_requests_total", &labels)
    };
    let creates = vendors.addresses.len();
    assert_eq!(requests("POST", "/api/vps", "2xx"), count(creates));
    assert_eq!(requests("DELETE", "/api/vps/{id}", "2xx"), count(creates));
    let route = [("method", "POST"), ("route", "/api/vps")];
    let timed = sum(
        &samples,
        "roadstead_http_request_duration_seconds_count",
        &route,
    );
    assert_eq!(timed, count(creates));
    assert_eq!(sum(&samples, "roadstead_operations", &[]), 0.0);
    assert_eq!(sum(&samples, "roadstead_servers_attention", &[]), 0.0);
    assert_eq!(sum(&samples, "roadstead_database_up", &[]), 1.0);
    assert_eq!(
        sum(
            &samples,
            "roadstead_database_connections_max",
            &[("pool", "writer")]
        ),
        1.0
    );
    let version = [("version", env!("CARGO_PKG_VERSION"))];
    assert_eq!(sum(&samples, "roadstead_build_info", &version), 1.0);
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let started = sum(&samples, "process_start_time_seconds", &[]);
    let age = now.unwrap().as_secs_f64() - started;
    assert!((0.0..600.0).contains(&age), "{age}");

    let documented = documented();
    let mut seen = BTreeSet::new();
    for sample in &samples {
        let is_part = |it: &&str| documented.contains_key(*it);
        let parts = ["_bucket", "_sum", "_count"].map(|it| sample.name.strip_suffix(it));
        let whole = parts.into_iter().flatten().find(is_part);
        let name = whole.unwrap_or(&sample.name);
        let labels = documented
            .get(name)
            .unwrap_or_else(|| panic!("`{name}` is unknown"));
        let own: BTreeSet<_> = sample.labels.keys().cloned().collect();
        let own: BTreeSet<_> = own.into_iter().filter(|it| it != "le").collect();
        assert_eq!(&own, labels, "{sample:?}");
        seen.insert(name.to_owned());
    }
    assert_eq!(
        seen,
        documented.into_keys().collect(),
        "in a life everything is measured"
    );
    program.stop().ok();
}

#[expect(clippy::as_conversions, reason = "a handful")]
fn count(number: usize) -> f64 {
    number as f64
}

#[tokio::test]
async fn nothing_else_is_there_and_they_are_nowhere_else() {
    let place = Place::new();
    let settings = with(place.settings(), "ROADSTEAD_METRICS_LISTEN", "127.0.0.1:0");
    let (mut program, address) = serve(&["serve"], &settings);
    let metrics = Metrics::of(&mut program);
    let base = metrics.url.strip_suffix("/metrics").unwrap();
    for (method, path) in [
        (Method::GET, "/"),
        (Method::GET, "/api/health"),
        (Method::GET, "/metrics/"),
        (Method::POST, "/metrics"),
        (Method::DELETE, "/metrics"),
    ] {
        let request = client().request(method.clone(), format!("{base}{path}"));
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), 404, "{method} {path}");
    }
    let answer = client()
        .get(format!("{address}/metrics"))
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 404);
    program.stop().ok();
}

#[tokio::test]
async fn what_a_client_makes_up_makes_no_series() {
    let place = Place::new();
    let settings = with(place.settings(), "ROADSTEAD_METRICS_LISTEN", "127.0.0.1:0");
    let (mut program, address) = serve(&["serve"], &settings);
    let metrics = Metrics::of(&mut program);
    for number in 0..20 {
        let method = Method::from_bytes(format!("BREW{number}").as_bytes()).unwrap();
        let url = format!("{address}/made/up/{number}");
        client().request(method, url).send().await.unwrap();
    }
    // Asked by many at once, each gets an answer.
    let asked = (0..20).map(|_| metrics.samples());
    for samples in futures::future::join_all(asked).await {
        let made_up: Vec<_> = samples
            .iter()
            .filter(|it| it.is("roadstead_http_requests_total", &[("method", "other")]))
            .collect();
        assert_eq!(made_up.len(), 1, "{made_up:?}");
        assert_eq!(made_up[0].labels["route"], "unmatched");
        assert_eq!(made_up[0].value, 20.0);
    }
    program.stop().ok();
}

#[test]
fn without_the_setting_there_are_none() {
    let place = Place::new();
    let (program, _) = serve(&["serve"], &place.settings());
    let ended = program.stop().ok();
    assert!(!ended.err.contains("metrics"), "{}", ended.err);
}

#[test]
fn an_address_that_is_taken_is_told_and_nothing_is_left_behind() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let place = Place::new();
    let settings = with(place.settings(), "ROADSTEAD_METRICS_LISTEN", &address);
    let ended = run(&["serve"], &settings).failed(1, &[]);
    let message = ended.message();
    assert!(message.contains(&address), "{message}");
    assert!(message.contains("ROADSTEAD_METRICS_LISTEN"), "{message}");
    assert!(place.is_empty());

    let settings = with(settings, "ROADSTEAD_LISTEN", &address);
    let ended = run(&["serve"], &settings).failed(1, &[]);
    let message = ended.message();
    assert!(
        message.contains("must be another address than ROADSTEAD_LISTEN"),
        "{message}"
    );
}
