//! Our books follow the vendor, with few calls.

use std::time::Duration;

use roadstead_core::Action;
use serde_json::json;

use crate::stage::{Stage, at_each_vendor};

at_each_vendor! {
    async fn a_server_switched_off_at_the_vendor_is_stopped_in_our_list(stage: &Stage) {
        let server = stage.running("web").await;
        for label in ["mail", "books"] {
            stage.running(label).await;
        }
        stage.direct().perform_action(&server.remote.unwrap(), &Action::Shutdown).await.unwrap();
        let mark = stage.mark();
        stage.until("our list says so", async || {
            let servers = stage.servers().await;
            let stopped = servers.iter().filter(|it| it.public_status() == "stopped");
            let stopped: Vec<_> = stopped.map(|it| it.id).collect();
            (stopped == [server.id]).then_some(())
        }).await;
        for call in stage.sim().journal_after(mark) {
            assert_eq!((call.method.as_str(), call.path.as_str()), ("GET", stage.vendor.path), "{call:?}");
        }
    }

    async fn a_list_of_servers_costs_no_call(stage: &Stage) {
        stage.running("web").await;
        stage.halt().await;
        let mark = stage.mark();
        for _ in 0..20 {
            assert_eq!(stage.servers().await.len(), 1);
        }
        assert_eq!(stage.mark(), mark);
    }

    async fn an_account_without_servers_is_not_read(stage: &Stage) {
        let mark = stage.mark();
        stage.stays("nothing is called", 4 * stage.clockwork.poll_idle, async || stage.mark() == mark).await;
    }

    async fn absence_from_a_list_kills_no_server(stage: &Stage) {
        let server = stage.running("web").await;
        // An empty page in the words of every vendor.
        let body = json!({
            "droplets": [], "meta": { "total": 0 },
            "data": [], "page": 1, "pages": 1, "results": 0,
        });
        stage.fault(json!({
            "method": "GET", "path": stage.vendor.path, "count": 100_000, "when": "after",
            "effect": { "status": 200, "body": body },
        }));
        stage.stays("it is alive", Duration::from_millis(1200), async || {
            stage.server(server.id).await.public_status() == "running"
        }).await;
        assert!(stage.sim().faults()[0].left < 100_000, "the list was not read");
        assert_eq!(stage.living().len(), 1);
    }
}
