//! Starting and stopping.

use std::io::ErrorKind;
use std::time::{Duration, Instant};

use roadstead_sim::{DigitalOceanSim, SimulatorConfig, TOKEN_FULL, well_known_tokens};
use serde_json::json;

use crate::sim::Sim;

#[tokio::test]
async fn a_port_in_use_is_an_error() {
    let sim = Sim::frozen();
    let running = sim.running();
    let again = DigitalOceanSim::start(running.address(), SimulatorConfig::default());
    assert_eq!(again.unwrap_err().kind(), ErrorKind::AddrInUse);
}

#[tokio::test]
async fn a_stopped_simulator_frees_its_port() {
    let running = Sim::frozen().running();
    let address = running.address();
    running.stop().await;
    DigitalOceanSim::start(address, SimulatorConfig::default())
        .unwrap()
        .stop()
        .await;
}

#[test]
fn a_simulator_starts_without_any_runtime() {
    let address = ([127, 0, 0, 1], 0).into();
    let running = DigitalOceanSim::start(address, SimulatorConfig::default()).unwrap();
    assert!(running.endpoint().starts_with("http://127.0.0.1:"));
    assert_eq!(well_known_tokens().len(), 3);
}

#[test]
fn a_time_scale_out_of_bounds_is_an_error() {
    for time_scale in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        let config = SimulatorConfig {
            time_scale,
            ..SimulatorConfig::default()
        };
        let error = DigitalOceanSim::start(([127, 0, 0, 1], 0).into(), config).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
    }
}

#[tokio::test]
async fn stopping_does_not_wait_for_calls_that_a_fault_holds_back() {
    let sim = Sim::frozen();
    let rule = json!({ "path": "/v2/account", "effect": { "delay_ms": 60_000 } });
    assert_eq!(sim.post("/_sim/faults", &rule).await.status, 201);
    let request = sim
        .http()
        .get(sim.url("/v2/account"))
        .bearer_auth(TOKEN_FULL)
        .send();
    let hanging = tokio::spawn(request);
    let deadline = Instant::now() + Duration::from_secs(5);
    while sim.handle().journal().is_empty() {
        assert!(Instant::now() < deadline, "the call never arrives");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    tokio::time::timeout(Duration::from_secs(5), sim.running().stop())
        .await
        .unwrap();
    assert!(hanging.await.unwrap().is_err());
}
