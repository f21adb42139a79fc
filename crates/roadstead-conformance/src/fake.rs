//! A vendor in memory with a correct provider, and with flaws by which the suite is tested.

mod convert;
mod options;
mod provider;
mod vendor;

use std::sync::Arc;
use std::time::Duration;

use roadstead_core::{
    CreateGuarantee, CreateInstance, CreateKey, Feature, Image, ImageId, PlanId, Provider, Region,
    RegionId, RemoteId,
};

use serde_json::{Value, json};

pub use self::provider::Fake;
use self::vendor::Vendor;
use crate::harness::{CallClass, Fault, Harness, KnownPlan};

const TOKEN: &str = "fake-canary-token-5150";

/// A way to be wrong. Each breaks one sentence of the contract, and one case sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it all")]
pub enum Flaw {
    AskedOnceMoreAfterThrottle,
    CallsABlindLogEmpty,
    CallsAbsenceWhatFailed,
    CallsLostCreatesRejected,
    CallsPagesDecodeErrors,
    CallsUnreachableTimeout,
    DropsPrivateAddresses,
    FindsByNameOnly,
    FindsByTagOnly,
    FinishesOnce,
    ForgetsOtherTags,
    ForgetsRetryAfter,
    GuessesUnknownStatus,
    HidesGpuServers,
    IgnoresOptions,
    KeepsJobsInMemory,
    LeavesFloatNoise,
    LeavesOptionsUndescribed,
    LosesItsAccountInALane,
    LosesOptions,
    MarksTwice,
    MarksWhatIsGone,
    MistakesUnits,
    OffersWhatItHasNot,
    Pretends,
    RefusesSecondDelete,
    RenamesWhatItMarks,
    RepeatsALine,
    ResendsCreates,
    ShowsTheToken,
    SkipsAnswers,
    StopsAfterOnePage,
    TellsOfTheWholePast,
    TellsOnlyWhatIsOver,
    UnmarksTooMuch,
}

/// The harness of the vendor in memory.
#[derive(Debug)]
pub struct FakeHarness {
    vendor: Arc<Vendor>,
    flaw: Option<Flaw>,
}

impl FakeHarness {
    /// Starts a vendor that promises nothing about repeated creates.
    pub async fn start() -> Self {
        Self::with_guarantee(CreateGuarantee::LookupOnly).await
    }

    /// Starts a vendor with this promise.
    pub async fn with_guarantee(guarantee: CreateGuarantee) -> Self {
        Self {
            vendor: Arc::new(Vendor::new(guarantee)),
            flaw: None,
        }
    }

    /// Starts a vendor whose provider has a flaw.
    pub async fn with_flaw(flaw: Flaw) -> Self {
        Self {
            flaw: Some(flaw),
            ..Self::start().await
        }
    }
}

impl Harness for FakeHarness {
    fn provider(&self) -> Arc<dyn Provider> {
        Arc::new(Fake::new(
            Some(Arc::clone(&self.vendor)),
            self.vendor.guarantee,
            self.flaw,
        ))
    }

    fn unreachable(&self) -> Arc<dyn Provider> {
        Arc::new(Fake::new(None, self.vendor.guarantee, self.flaw))
    }

    fn request(&self, key: CreateKey) -> CreateInstance {
        CreateInstance {
            key,
            plan: PlanId::from("small"),
            region: RegionId::from("north"),
            image: ImageId::from("debian-13"),
            ssh_keys: Vec::new(),
            root_password: None,
            user_data: None,
            tags: vec!["own".into()],
            backups: false,
            ipv6: true,
            private_network: true,
            market: None,
            options: None,
        }
    }

    async fn rich_request(&self, key: CreateKey) -> CreateInstance {
        CreateInstance {
            options: Some(json!({
                "app": "blog", "answers": { "title": "Log", "color": "red" },
                "motto": "ship shape", "network": "quay",
            })),
            ..self.request(key)
        }
    }

    async fn options_at_vendor(&self, key: &CreateKey) -> Value {
        let books = self.vendor.lock();
        let marked = |it: &&vendor::Server| !it.gone && key.marks(&it.instance);
        let server = books.servers.iter().find(marked);
        server.map_or(Value::Null, |it| it.options.clone())
    }

    fn gpu_request(&self, key: CreateKey) -> Option<CreateInstance> {
        Some(CreateInstance {
            plan: PlanId::from("gpu"),
            ..self.request(key)
        })
    }

    fn known_plan(&self) -> KnownPlan {
        KnownPlan {
            id: PlanId::from("small"),
            vcpus: 1,
            memory_mib: 1024,
            disk_mib: Some(25 * 1024),
            transfer_gb: Some(500),
            hourly: Some("0.00744"),
            monthly: Some("5"),
        }
    }

    fn absent_instance(&self) -> RemoteId {
        RemoteId::from("999999")
    }

    fn secrets(&self) -> Vec<String> {
        vec![TOKEN.to_owned()]
    }

    async fn break_next(&self, class: CallClass, count: u32, fault: Fault) {
        self.vendor.lock().faults.push((class, count, fault));
    }

    async fn mend(&self) {
        self.vendor.lock().faults.clear();
    }

    async fn revoke_token(&self) {
        self.vendor.lock().revoked = true;
    }

    async fn show_status(&self, id: &RemoteId, word: &str) {
        self.vendor.lock().odd = Some((id.clone(), word.into()));
    }

    async fn pass_time(&self, by: Duration) {
        self.vendor.lock().now += by;
    }

    async fn servers_at_vendor(&self, key: &CreateKey) -> usize {
        let books = self.vendor.lock();
        books
            .servers
            .iter()
            .filter(|it| !it.gone && key.marks(&it.instance))
            .count()
    }

    async fn calls_seen(&self, class: CallClass) -> usize {
        let books = self.vendor.lock();
        books
            .calls
            .iter()
            .filter(|it| vendor::fits(class, **it))
            .count()
    }
}

/// What the vendor in memory does not offer.
const REFUSED: [(Feature, &str); 9] = [
    (Feature::Rescue, "the fake vendor has no rescue system"),
    (
        Feature::ResetPassword,
        "the fake vendor resets no passwords",
    ),
    (Feature::Backups, "the fake vendor makes no backups"),
    (Feature::SshKeys, "the fake vendor keeps no keys"),
    (Feature::StackScripts, "the fake vendor keeps no scripts"),
    (Feature::Firewall, "the fake vendor has no firewalls"),
    (Feature::PlacementGroup, "the fake vendor has one machine"),
    (Feature::Monitoring, "the fake vendor measures nothing"),
    (Feature::BackupWindow, "the fake vendor makes no backups"),
];

fn regions() -> Arc<[Region]> {
    Arc::new([Region {
        id: RegionId::from("north"),
        label: "North".into(),
        country: Some("IS".into()),
        city: None,
        available: true,
        features: vec![Feature::Ipv6],
    }])
}

fn images() -> Arc<[Image]> {
    Arc::new([Image {
        id: ImageId::from("debian-13"),
        label: "Debian 13".into(),
        family: "debian".into(),
        version: Some("13".into()),
        arch: roadstead_core::Arch::X86_64,
        min_disk: None,
        public: true,
        deprecated: false,
        end_of_life: None,
        cloud_init: Some(true),
        regions: None,
    }])
}
