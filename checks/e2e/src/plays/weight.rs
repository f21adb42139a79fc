//! What the first load costs, on a bad line.

use anyhow::{Context, Result, ensure};
use serde::Deserialize;
use serde_json::json;

use crate::driver::Scripts;
use crate::session::Session;
use crate::stage::Stage;

/// The most bytes of a first load, headers included.
const MOST_BYTES: u64 = 25_000;
/// The most requests of a first load.
const MOST_REQUESTS: usize = 3;

const COST: &str = r"
    const all = [...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')];
    return all.map(it => ({ name: it.name, bytes: it.transferSize }));
";

/// Waits for the largest paint and sums what the main thread was blocked for beyond 50 ms a task.
const SPEED: &str = r"
    const done = arguments[arguments.length - 1];
    let paint = 0, blocked = 0;
    new PerformanceObserver(list => { for (const it of list.getEntries()) paint = it.startTime; })
        .observe({ type: 'largest-contentful-paint', buffered: true });
    new PerformanceObserver(list => { for (const it of list.getEntries()) blocked += it.duration - 50; })
        .observe({ type: 'longtask', buffered: true });
    setTimeout(() => done({ paint, blocked }), 1500);
";

#[derive(Debug, Deserialize)]
struct Loaded {
    name: String,
    bytes: u64,
}

#[derive(Debug, Deserialize)]
struct Speed {
    paint: f64,
    blocked: f64,
}

/// Loads the list of servers and the choice of a plan, with an empty cache. The bytes and the
/// requests are judged; the times are told, as they depend on the machine.
pub(crate) async fn first_load(stage: &Stage) -> Result<()> {
    stage
        .play("weight", Scripts::On, |session| Box::pin(measure(session)))
        .await
}

async fn measure(session: &mut Session<'_>) -> Result<()> {
    session.log_in(&session.stage.demo.member).await?;
    for (name, path) in [
        ("log-in", "/login"),
        ("servers", "/"),
        ("compare", "/compare"),
    ] {
        if name == "log-in" {
            session.browser.delete_all_cookies().await?;
        } else if session.path().await?.starts_with("/login") {
            session.log_in(&session.stage.demo.member).await?;
        }
        session.devtools("Network.enable", json!({})).await?;
        session
            .devtools("Network.clearBrowserCache", json!({}))
            .await?;
        session.open(path).await?;
        let loaded: Vec<Loaded> = serde_json::from_value(session.script(COST).await?)
            .context("the browser did not say what it has loaded")?;
        let bytes: u64 = loaded.iter().map(|it| it.bytes).sum();
        let names: Vec<&str> = loaded.iter().map(|it| it.name.as_str()).collect();
        ensure!(
            loaded.len() <= MOST_REQUESTS,
            "{name}: {} requests, at most {MOST_REQUESTS}: {names:?}",
            loaded.len()
        );
        ensure!(
            bytes > 0 && bytes <= MOST_BYTES,
            "{name}: {bytes} bytes, at most {MOST_BYTES}"
        );
        let speed = throttled(session, path).await?;
        println!(
            "    {name}: {bytes} bytes in {} requests; on 1.6 Mbit/s, 150 ms and a quarter of \
             the processor the largest paint after {:.0} ms, blocked for {:.0} ms",
            loaded.len(),
            speed.paint,
            speed.blocked
        );
    }
    Ok(())
}

async fn throttled(session: &Session<'_>, path: &str) -> Result<Speed> {
    let line = json!({
        "offline": false, "latency": 150, "downloadThroughput": 200_000,
        "uploadThroughput": 93_750,
    });
    session
        .devtools("Network.emulateNetworkConditions", line)
        .await?;
    session
        .devtools("Emulation.setCPUThrottlingRate", json!({ "rate": 4 }))
        .await?;
    session
        .devtools("Network.clearBrowserCache", json!({}))
        .await?;
    session.open(path).await?;
    let speed = session.script_until_done(SPEED).await?;
    let free = json!({
        "offline": false, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1,
    });
    session
        .devtools("Network.emulateNetworkConditions", free)
        .await?;
    session
        .devtools("Emulation.setCPUThrottlingRate", json!({ "rate": 1 }))
        .await?;
    serde_json::from_value(speed).context("the browser did not say how fast it was")
}
