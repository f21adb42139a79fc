//! Metrics for Prometheus, on a listener of their own: nobody who may use the API sees them.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use actix_web::dev::ServerHandle;
use actix_web::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use actix_web::{App, HttpResponse, HttpServer, web};
use anyhow::Context;
use metrics::{Unit, describe_gauge, gauge};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use metrics_util::MetricKindMask;
use roadstead_service::Platform;
use tokio::sync::Mutex;
use tokio::task::JoinHandle;
use tokio::time::Instant;

const BUILD_INFO: &str = "roadstead_build_info";
/// Named as Prometheus's own libraries name it, so that common dashboards know it.
const START_TIME: &str = "process_start_time_seconds";

/// Between two looks at the database there is at least this much time, however often and by
/// however many the metrics are asked for.
const BETWEEN_LOOKS: Duration = Duration::from_secs(1);

/// How often observed durations are put into their buckets, so that they do not pile up while
/// nobody asks.
const UPKEEP: Duration = Duration::from_secs(5);

/// After this long without news a gauge is no longer shown: its account is gone.
const FORGOTTEN_AFTER: Duration = Duration::from_secs(300);

/// In seconds. A cached answer takes less than a millisecond, a create waited for half a minute.
const BUCKETS: [f64; 14] = [
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0,
];

/// Where durations and counts of this process are kept from now on.
pub(crate) struct Recorder {
    handle: PrometheusHandle,
    started: SystemTime,
}

impl Recorder {
    /// Starts to record. Before this, and without it, nothing is.
    ///
    /// # Errors
    ///
    /// Fails if this process records already.
    pub(crate) fn install() -> anyhow::Result<Self> {
        let handle = builder()?
            .install_recorder()
            .context("could not begin to record metrics")?;
        describe();
        Ok(Self {
            handle,
            started: SystemTime::now(),
        })
    }
}

fn builder() -> anyhow::Result<PrometheusBuilder> {
    Ok(PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &BUCKETS)
        .context("the buckets of the metrics are wrong")?
        .idle_timeout(MetricKindMask::GAUGE, Some(FORGOTTEN_AFTER)))
}

/// Describes every series that this program has.
fn describe() {
    roadstead_api::describe();
    roadstead_service::describe();
    describe_gauge!(BUILD_INFO, "The version of this program; always 1.");
    describe_gauge!(
        START_TIME,
        Unit::Seconds,
        "When this process started, since 1970."
    );
}

/// The listener of the metrics, while it runs.
pub(crate) struct Metrics {
    /// Where it listens.
    pub(crate) address: SocketAddr,
    handle: ServerHandle,
    server: JoinHandle<std::io::Result<()>>,
    upkeep: JoinHandle<()>,
}

impl Metrics {
    /// Answers `GET /metrics` on a socket that listens, and nothing else.
    pub(crate) fn start(
        recorder: Recorder,
        platform: Arc<Platform>,
        listener: TcpListener,
    ) -> anyhow::Result<Self> {
        let address = listener.local_addr()?;
        let handle = recorder.handle.clone();
        let upkeep = tokio::spawn(async move {
            loop {
                tokio::time::sleep(UPKEEP).await;
                handle.run_upkeep();
            }
        });
        let scrape = web::Data::new(Scrape {
            recorder,
            platform,
            looked: Mutex::new(None),
        });
        let http = HttpServer::new(move || {
            App::new()
                .app_data(scrape.clone())
                .service(
                    web::resource("/metrics")
                        .get(answer)
                        .default_service(web::to(nothing)),
                )
                .default_service(web::to(nothing))
        });
        let server = http
            .workers(1)
            .shutdown_timeout(5)
            .disable_signals()
            .listen(listener)?
            .run();
        Ok(Self {
            address,
            handle: server.handle(),
            server: tokio::spawn(server),
            upkeep,
        })
    }

    /// Stops answering.
    pub(crate) async fn stop(self) -> anyhow::Result<()> {
        self.upkeep.abort();
        self.handle.stop(true).await;
        self.server
            .await?
            .context("the listener of the metrics ended badly")
    }
}

/// What an answer is made from.
struct Scrape {
    recorder: Recorder,
    platform: Arc<Platform>,
    looked: Mutex<Option<Instant>>,
}

async fn answer(scrape: web::Data<Scrape>) -> HttpResponse {
    {
        // Who asks meanwhile waits, and takes what this look has shown.
        let mut looked = scrape.looked.lock().await;
        if looked.is_none_or(|it| it.elapsed() >= BETWEEN_LOOKS) {
            scrape.platform.sample().await;
            *looked = Some(Instant::now());
        }
    }
    gauge!(BUILD_INFO, "version" => env!("CARGO_PKG_VERSION")).set(1.0);
    let started = scrape.recorder.started.duration_since(UNIX_EPOCH);
    gauge!(START_TIME).set(started.unwrap_or_default().as_secs_f64());
    HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8"))
        .insert_header((CACHE_CONTROL, "no-store"))
        .body(scrape.recorder.handle.render())
}

async fn nothing() -> HttpResponse {
    HttpResponse::NotFound()
        .content_type("text/plain; charset=utf-8")
        .body("the metrics are at GET /metrics\n")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::Mutex as Lock;

    use metrics::{Counter, Gauge, Histogram, Key, KeyName, Metadata, Recorder, SharedString};

    use super::{Unit, describe};

    /// Keeps what is described.
    #[derive(Default)]
    struct Described(Lock<BTreeMap<String, &'static str>>);

    impl Described {
        fn add(&self, name: &KeyName, kind: &'static str) {
            let name = name.as_str().to_owned();
            let before = self.0.lock().unwrap().insert(name.clone(), kind);
            assert_eq!(before, None, "`{name}` is described twice");
        }
    }

    impl Recorder for Described {
        fn describe_counter(&self, name: KeyName, _: Option<Unit>, _: SharedString) {
            self.add(&name, "counter");
        }

        fn describe_gauge(&self, name: KeyName, _: Option<Unit>, _: SharedString) {
            self.add(&name, "gauge");
        }

        fn describe_histogram(&self, name: KeyName, _: Option<Unit>, _: SharedString) {
            self.add(&name, "histogram");
        }

        fn register_counter(&self, _: &Key, _: &Metadata<'_>) -> Counter {
            Counter::noop()
        }

        fn register_gauge(&self, _: &Key, _: &Metadata<'_>) -> Gauge {
            Gauge::noop()
        }

        fn register_histogram(&self, _: &Key, _: &Metadata<'_>) -> Histogram {
            Histogram::noop()
        }
    }

    #[test]
    fn every_series_is_documented_with_its_kind_and_the_reverse() {
        let described = Described::default();
        metrics::with_local_recorder(&described, describe);
        let described = described.0.into_inner().unwrap();
        let docs = include_str!("../../../docs/metrics.md");
        let rows = docs.lines().filter_map(|it| {
            let mut cells = it.strip_prefix("| `")?.split('|').map(str::trim);
            let (name, kind) = (cells.next()?, cells.next()?);
            let kind = ["counter", "gauge", "histogram"]
                .into_iter()
                .find(|it| *it == kind)?;
            Some((name.trim_end_matches('`').to_owned(), kind))
        });
        assert_eq!(rows.collect::<BTreeMap<_, _>>(), described);
    }

    #[test]
    fn names_say_their_unit_as_is_usual() {
        let described = Described::default();
        metrics::with_local_recorder(&described, describe);
        for (name, kind) in described.0.into_inner().unwrap() {
            assert_eq!(name.ends_with("_total"), kind == "counter", "{name}");
            if kind == "histogram" {
                assert!(name.ends_with("_seconds"), "{name}");
            }
        }
    }
}
