//! What the provider makes of the vendor's answers and failures.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use roadstead_core::{
    Arch, Availability, Billed, CreateGuarantee, Descriptor, Error, ErrorKind, Feature, GbPerMonth,
    Limits, Market, MiB, Money, NameRule, Offering, Outcome, Plan, PlanId, Price, PriceSource,
    ProviderKind, RebuildRule, RegionId, ResizeRule, Retry, RootPassword, Support,
};

use super::options::schema;
use super::{Flaw, REFUSED, TOKEN};
use crate::harness::{CallClass, Fault};

pub(super) fn kind() -> ProviderKind {
    ProviderKind::from("fake")
}

pub(super) fn descriptor(guarantee: CreateGuarantee, flaw: Option<Flaw>) -> Descriptor {
    let mut features: BTreeMap<_, _> = Feature::ALL
        .into_iter()
        .map(|it| (it, Support::Yes))
        .collect();
    for (feature, why) in REFUSED {
        features.insert(
            feature,
            Support::No {
                why: Cow::Borrowed(why),
            },
        );
    }
    Descriptor {
        kind: kind(),
        name: Cow::Borrowed("Fake"),
        available: Support::Yes,
        features,
        limits: Limits {
            name: NameRule {
                pattern: Cow::Borrowed("^[a-z][a-z0-9-]{2,63}$"),
                min: 3,
                max: 64,
                unique: guarantee == CreateGuarantee::UniqueName,
                sentence: Cow::Borrowed("3 to 64 lower-case letters, digits and hyphens"),
            },
            user_data_bytes: 16_384,
            tags: 10,
            page_max: 100,
        },
        root_password: RootPassword::Native,
        resize: ResizeRule {
            needs_stopped: false,
            shrinks_disk: false,
        },
        rebuild: RebuildRule {
            root_password: true,
            ssh_keys: false,
            user_data: false,
        },
        billed_when_stopped: Billed::Full,
        create_guarantee: guarantee,
        visibility_lag: Duration::ZERO,
        max_late_commit: Duration::from_secs(60),
        options_schema: schema(flaw),
    }
}

pub(super) fn plans(flaw: Option<Flaw>) -> [Plan; 2] {
    let plan = |id: &str, hourly: &str, monthly: &str, gpus: u32| Plan {
        id: PlanId::from(id),
        label: id.into(),
        class: "basic".into(),
        arch: Arch::X86_64,
        vcpus: 1,
        dedicated_cpu: false,
        memory: if flaw == Some(Flaw::MistakesUnits) {
            MiB(1)
        } else {
            MiB::from_gib(1)
        },
        disk: Some(MiB::from_gib(25)),
        gpus,
        transfer: Some(GbPerMonth(500)),
        network_out: None,
        offerings: vec![Offering {
            region: RegionId::from("north"),
            market: Market::OnDemand,
            availability: Availability::Available,
            price: Some(Price {
                hourly: Some(Money::usd(hourly.parse().expect("a price"))),
                monthly: Some(Money::usd(monthly.parse().expect("a price"))),
                monthly_is_cap: true,
                source: PriceSource::ProviderApi,
                as_of: Timestamp::UNIX_EPOCH,
            }),
        }],
    };
    let noise = flaw == Some(Flaw::LeavesFloatNoise);
    let hourly = if noise {
        "0.00743999984115362"
    } else {
        "0.00744"
    };
    [plan("small", hourly, "5", 0), plan("gpu", "0.75", "504", 1)]
}

/// Returns what a spoiled call means.
pub(super) fn failure(
    fault: &Fault,
    class: CallClass,
    operation: &'static str,
    flaw: Option<Flaw>,
) -> Error {
    let kind = kind_of(fault, class, flaw);
    let shows = flaw == Some(Flaw::ShowsTheToken);
    let message = if shows {
        format!("{TOKEN} was refused")
    } else {
        "it failed".to_owned()
    };
    let error = Error::new(self::kind(), operation, kind, message);
    match fault {
        Fault::Throttle { retry_after } if flaw != Some(Flaw::ForgetsRetryAfter) => {
            let wait = SignedDuration::try_from(*retry_after).unwrap_or_default();
            error.with_retry(Retry::At(Timestamp::now() + wait))
        }
        _ if class == CallClass::Create && error.outcome == Outcome::Unknown => {
            if flaw == Some(Flaw::CallsLostCreatesRejected) {
                error.with_outcome(Outcome::Rejected)
            } else {
                error.with_retry(Retry::AfterReconcile)
            }
        }
        _ => error,
    }
}

fn kind_of(fault: &Fault, class: CallClass, flaw: Option<Flaw>) -> ErrorKind {
    let absence = flaw == Some(Flaw::CallsAbsenceWhatFailed);
    match fault {
        Fault::Html { .. } if flaw == Some(Flaw::CallsPagesDecodeErrors) => ErrorKind::Decode,
        Fault::Html { status: 404, .. } if absence => ErrorKind::NoSuchInstance,
        Fault::Html { .. } => ErrorKind::Server,
        Fault::Silence { .. } | Fault::Drop { .. } => ErrorKind::Timeout,
        Fault::Truncate => ErrorKind::Decode,
        Fault::Throttle { .. } => ErrorKind::Throttled,
        Fault::Status { status, .. } => match status {
            200..=299 => ErrorKind::Decode,
            401 => ErrorKind::BadToken,
            403 => ErrorKind::Forbidden,
            404 if class == CallClass::Create => ErrorKind::NoSuchResource,
            404 => ErrorKind::NoSuchInstance,
            409 => ErrorKind::Conflict,
            400..=499 if *status != 408 => ErrorKind::Invalid,
            _ => ErrorKind::Server,
        },
    }
}
