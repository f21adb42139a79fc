//! Walks and waits over a provider that is nothing but a script.

use std::any::Any;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use jiff::Timestamp;
use rust_decimal::Decimal;

use super::*;
use crate::{
    Account, Action, Arch, Billed, CreateKey, Descriptor, Extensions, Image, Lane, ManualClock,
    Market, Money, Offering, OperationLog, PageToken, Price, PriceSource, RateBucket, Region,
    RemoteOperationId, Since, Status,
};

/// Three numbered pages, then two behind cursors, as where a second kind of server follows.
#[derive(Debug, Default)]
struct Script {
    asked: AtomicUsize,
    at_once: AtomicUsize,
    most_at_once: AtomicUsize,
    broken_page: Option<u32>,
    /// Whether numbered pages tell what follows them.
    tells: bool,
    /// Whether the first cursor leads to itself.
    circles: bool,
    plans: Vec<Plan>,
}

fn server(id: &str) -> Instance {
    Instance {
        id: id.into(),
        name: id.into(),
        status: Status {
            state: State::Running,
            raw: "on".into(),
            busy: false,
            billed: Billed::Full,
        },
        region: "r".into(),
        plan: None,
        image: None,
        vcpus: 1,
        memory: MiB(512),
        disk: None,
        addresses: vec![],
        tags: vec![],
        created: None,
    }
}

fn descriptor() -> Descriptor {
    serde_json::from_value(serde_json::json!({
        "kind": "script", "name": "Script", "available": { "supported": "yes" },
        "features": {}, "root_password": { "way": "native" },
        "limits": {
            "name": { "pattern": "", "min": 0, "max": 9, "unique": false, "sentence": "" },
            "user_data_bytes": 0, "tags": 0, "page_max": 1
        },
        "resize": { "needs_stopped": true, "shrinks_disk": false },
        "rebuild": { "root_password": false, "ssh_keys": false, "user_data": false },
        "billed_when_stopped": "full", "create_guarantee": "lookup_only",
        "visibility_lag_seconds": 0, "max_late_commit_seconds": 0,
        "options_schema": {}
    }))
    .unwrap()
}

fn refusal() -> Error {
    Error::new(
        "script".into(),
        "follow the script",
        ErrorKind::Server,
        "it is not in it",
    )
}

#[async_trait]
impl Provider for Script {
    fn descriptor(&self) -> &Descriptor {
        static SCRIPT: LazyLock<Descriptor> = LazyLock::new(descriptor);
        &SCRIPT
    }

    async fn validate_credentials(&self) -> Result<Account> {
        Err(refusal())
    }

    fn check_create(&self, _: &CreateInstance) -> Result<()> {
        Err(refusal())
    }

    async fn create_instance(&self, _: &CreateInstance) -> Result<Created> {
        Err(refusal())
    }

    async fn find_created(&self, _: &CreateKey) -> Result<Vec<Instance>> {
        Err(refusal())
    }

    async fn get_instance(&self, id: &RemoteId) -> Result<Instance> {
        Ok(server(id.as_str()))
    }

    async fn mark_instance(&self, _: &RemoteId, _: &CreateKey) -> Result<()> {
        Err(refusal())
    }

    async fn unmark_instance(&self, _: &RemoteId, _: &CreateKey) -> Result<()> {
        Err(refusal())
    }

    async fn list_instances(&self, _: &InstanceQuery, at: At) -> Result<Page<Instance>> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let now = self.at_once.fetch_add(1, Ordering::SeqCst) + 1;
        self.most_at_once.fetch_max(now, Ordering::SeqCst);
        tokio::task::yield_now().await;
        self.at_once.fetch_sub(1, Ordering::SeqCst);
        let cursor = |it: &str| Next::Cursor(PageToken::from(it));
        let numbered = |next| Next::Numbered {
            next,
            last: 3,
            then: self.tells.then(|| PageToken::from("odd ?&=/ü")),
        };
        let (id, next) = match &at {
            At::First => ("1", numbered(2)),
            At::Number(number) if Some(*number) == self.broken_page => return Err(refusal()),
            At::Number(2) => ("2", numbered(3)),
            At::Number(_) => ("3", cursor("odd ?&=/ü")),
            At::Cursor(_) if self.circles => ("4", cursor("odd ?&=/ü")),
            At::Cursor(token) if token.as_str() == "odd ?&=/ü" => ("4", cursor("last")),
            At::Cursor(_) => ("5", Next::End),
        };
        Ok(Page {
            items: vec![server(id)],
            total: None,
            next,
        })
    }

    fn check_action(&self, _: &Action) -> Result<()> {
        Err(refusal())
    }

    async fn perform_action(&self, _: &RemoteId, _: &Action) -> Result<RemoteOperation> {
        Err(refusal())
    }

    async fn get_operation(&self, _: &RemoteOperationId) -> Result<RemoteOperation> {
        Err(refusal())
    }

    async fn recent_operations(&self, _: &RemoteId, _: &Since) -> Result<OperationLog> {
        Err(refusal())
    }

    async fn get_plans(&self) -> Result<Arc<[Plan]>> {
        Ok(self.plans.clone().into())
    }

    async fn get_images(&self) -> Result<Arc<[Image]>> {
        Err(refusal())
    }

    async fn get_regions(&self) -> Result<Arc<[Region]>> {
        Err(refusal())
    }

    fn extensions(&self) -> Extensions<'_> {
        Extensions::default()
    }

    fn in_lane(&self, _: Lane) -> Arc<dyn Provider> {
        unreachable!("no test asks")
    }

    fn budget(&self) -> Vec<RateBucket> {
        Vec::new()
    }

    fn native(&self) -> &(dyn Any + Send + Sync) {
        self
    }
}

#[tokio::test]
async fn what_follows_numbered_pages_need_not_wait_for_them() {
    let script = Arc::new(Script {
        tells: true,
        ..Script::default()
    });
    let ids: Vec<_> = Arc::clone(&script)
        .instances(InstanceQuery::default())
        .map_ok(|it| it.id.to_string())
        .try_collect()
        .await
        .unwrap();
    assert_eq!(ids, ["1", "2", "3", "4", "5"]);
    assert_eq!(script.asked.load(Ordering::SeqCst), 5);
    assert_eq!(script.most_at_once.load(Ordering::SeqCst), 3);
}

#[tokio::test]
async fn a_list_that_leads_in_a_circle_is_an_error() {
    let script = Arc::new(Script {
        circles: true,
        ..Script::default()
    });
    let pages = Arc::clone(&script).instances(InstanceQuery::default());
    let error = pages.try_collect::<Vec<_>>().await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Decode);
}

#[tokio::test]
async fn every_page_is_followed_once_and_in_order() {
    let script = Arc::new(Script::default());
    let ids: Vec<_> = Arc::clone(&script)
        .instances(InstanceQuery::default())
        .map_ok(|it| it.id.to_string())
        .try_collect()
        .await
        .unwrap();
    assert_eq!(ids, ["1", "2", "3", "4", "5"]);
    assert_eq!(script.asked.load(Ordering::SeqCst), 5);
    assert_eq!(
        script.most_at_once.load(Ordering::SeqCst),
        2,
        "numbered pages go side by side"
    );
}

#[tokio::test]
async fn a_page_that_fails_ends_the_list_with_its_error() {
    let script = Arc::new(Script {
        broken_page: Some(3),
        ..Script::default()
    });
    let seen: Vec<_> = script.instances(InstanceQuery::default()).collect().await;
    assert_eq!(seen.len(), 3);
    assert!(
        seen[2].is_err(),
        "a list with a hole must not look complete"
    );
}

fn plan(id: &str, price: Option<&str>, availability: Availability, memory: u64) -> Plan {
    let price = price.map(|amount| Price {
        hourly: Some(Money::usd(amount.parse::<Decimal>().unwrap())),
        monthly: None,
        monthly_is_cap: false,
        source: PriceSource::ProviderApi,
        as_of: Timestamp::UNIX_EPOCH,
    });
    let region = RegionId::from("r");
    Plan {
        id: id.into(),
        label: id.into(),
        class: "basic".into(),
        arch: Arch::X86_64,
        vcpus: 1,
        dedicated_cpu: false,
        memory: MiB(memory),
        disk: None,
        gpus: 0,
        transfer: None,
        network_out: None,
        offerings: vec![Offering {
            region,
            market: Market::OnDemand,
            availability,
            price,
        }],
    }
}

#[tokio::test]
async fn the_cheapest_plan_is_one_that_can_be_had_and_has_a_price() {
    let plans = vec![
        plan("unpriced", None, Availability::Available, 1024),
        plan("sold-out", Some("0.001"), Availability::SoldOut, 1024),
        plan("small", Some("0.002"), Availability::Available, 512),
        plan("dear", Some("0.010"), Availability::Available, 1024),
        plan("right", Some("0.0099"), Availability::Available, 1024),
    ];
    let script = Script {
        plans,
        ..Script::default()
    };
    let cheapest = script
        .cheapest_plan(&"r".into(), 1, MiB(1024))
        .await
        .unwrap();
    assert_eq!(cheapest.unwrap().id.as_str(), "right");
    assert_eq!(
        script
            .cheapest_plan(&"elsewhere".into(), 1, MiB(1))
            .await
            .unwrap(),
        None
    );
}

#[tokio::test]
async fn a_job_that_is_over_is_not_asked_about() {
    let clock = ManualClock::new(Timestamp::UNIX_EPOCH);
    let over = RemoteOperation {
        id: "1".into(),
        instance: None,
        status: OperationStatus::Succeeded,
        poll_after: Duration::from_secs(1),
    };
    let script = Script::default();
    let waited = script
        .wait_for_operation(over.clone(), Duration::ZERO, &clock)
        .await;
    assert_eq!(waited.unwrap(), over);
}

#[tokio::test]
async fn a_state_is_waited_for_when_it_is_there() {
    let clock = ManualClock::new(Timestamp::UNIX_EPOCH);
    let script = Script::default();
    let patience = Duration::from_secs(1);
    let seen = script
        .wait_for_state(&"7".into(), State::Running, patience, &clock)
        .await;
    assert_eq!(seen.unwrap().id.as_str(), "7");
}
