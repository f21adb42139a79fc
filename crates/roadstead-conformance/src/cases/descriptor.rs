//! Cases about what a provider says of itself, and whether it keeps to it.

use std::collections::BTreeSet;

use roadstead_core::{
    Action, ChoiceList, CreateKey, Descriptor, ErrorKind, Feature, Lane, Outcome, Provider,
    RootPassword, Secret, Support,
};
use serde_json::Value;
use uuid::Uuid;

use super::{key, make};
use crate::harness::{CallClass, Harness};

/// The descriptor is complete, survives JSON, and its name rule accepts our marks.
pub async fn the_descriptor_is_sound(harness: &impl Harness) {
    let provider = harness.provider();
    check_descriptor(provider.descriptor());
    assert_eq!(provider.descriptor().available, Support::Yes);
}

pub(crate) fn check_descriptor(descriptor: &Descriptor) {
    let kind = descriptor.kind.as_str();
    assert!(
        !kind.is_empty() && kind.bytes().all(|it| it.is_ascii_lowercase()),
        "{kind:?}"
    );
    assert!(!descriptor.name.trim().is_empty());

    let json = serde_json::to_string(descriptor).expect("a descriptor is plain data");
    assert_eq!(
        &serde_json::from_str::<Descriptor>(&json).expect("it reads back"),
        descriptor
    );

    for feature in Feature::ALL {
        match descriptor.features.get(&feature) {
            Some(Support::Yes) => {}
            Some(Support::No { why }) => assert!(!why.trim().is_empty(), "{feature:?} says no"),
            None => panic!("{feature:?} is missing"),
        }
    }
    if let RootPassword::No { why } = &descriptor.root_password {
        assert!(!why.trim().is_empty());
    }

    let rule = &descriptor.limits.name;
    assert!(
        rule.pattern.starts_with('^') && rule.pattern.ends_with('$'),
        "{}",
        rule.pattern
    );
    assert!(!rule.sentence.trim().is_empty());
    let pattern = regex::Regex::new(&rule.pattern).expect("the pattern of names is sound");
    for label in ["", "web", "-9-Web__Server..1!", &"x".repeat(300)] {
        let name = CreateKey::new("suite", Uuid::now_v7(), label).name;
        assert!(pattern.is_match(&name), "{name}");
        let range = usize::from(rule.min)..=usize::from(rule.max);
        assert!(range.contains(&name.len()), "{name}");
    }
    assert!(descriptor.limits.page_max > 0);
    check_schema(descriptor);
}

/// A panel can build a form from the schema: each option has a title, a description and a type,
/// and is chosen from a list that there is.
fn check_schema(descriptor: &Descriptor) {
    let schema = &descriptor.options_schema;
    assert_eq!(schema["type"], "object");
    let mut lists = Vec::new();
    check_members(schema, &mut lists);
    lists.sort_unstable();
    let mut offered = ChoiceList::ALL.to_vec();
    offered.retain(|it| descriptor.supports(it.feature()));
    offered.sort_unstable();
    assert_eq!(lists, offered, "each list serves one option");
}

fn check_members(object: &Value, lists: &mut Vec<ChoiceList>) {
    assert_eq!(object["additionalProperties"], false, "{object}");
    let members = object["properties"].as_object().expect("options by name");
    for (name, option) in members {
        for word in ["title", "description", "type"] {
            let text = option[word].as_str().unwrap_or_default();
            assert!(!text.trim().is_empty(), "option `{name}` has no {word}");
        }
        if let Some(choices) = option.get("enum") {
            let any = choices.as_array().is_some_and(|it| !it.is_empty());
            assert!(any, "option `{name}` has no choices");
        }
        if let Some(list) = option.get("x-roadstead-choices") {
            let list = list.as_str().and_then(ChoiceList::parse);
            lists.push(list.expect("a list that there is"));
        }
        if option.get("properties").is_some() {
            check_members(option, lists);
        }
    }
}

/// An extension is there exactly where the descriptor says yes.
pub async fn extensions_agree_with_the_descriptor(harness: &impl Harness) {
    let provider = harness.provider();
    let descriptor = provider.descriptor();
    let extensions = provider.extensions();
    assert_eq!(
        extensions.ssh_keys.is_some(),
        descriptor.supports(Feature::SshKeys)
    );
    assert_eq!(
        extensions.marketplace.is_some(),
        descriptor.supports(Feature::Marketplace)
    );
    assert_eq!(
        extensions.stack_scripts.is_some(),
        descriptor.supports(Feature::StackScripts)
    );
    if let Some(marketplace) = extensions.marketplace {
        let apps = marketplace.apps().await.expect("the apps are listed");
        assert!(
            apps.iter()
                .all(|it| !it.id.is_empty() && !it.label.is_empty())
        );
    }
}

/// What the descriptor says no to is refused with its reason, and nothing is sent.
pub async fn what_is_unsupported_refuses(harness: &impl Harness) {
    let provider = harness.provider();
    let descriptor = provider.descriptor();
    let (_, instance) = make(harness, &*provider, "refuse").await;
    let request = harness.request(key("refused"));
    let actions = [
        Action::PowerOff,
        Action::HardReset,
        Action::Rename {
            name: request.key.name.clone(),
        },
        Action::Resize {
            plan: request.plan.clone(),
            grow_disk: false,
        },
        Action::Rebuild {
            image: request.image.clone(),
            root_password: None,
            ssh_keys: Vec::new(),
            user_data: None,
        },
        Action::Rescue,
        Action::ResetPassword {
            root_password: None,
        },
    ];
    let seen = harness.calls_seen(CallClass::Any).await;
    for action in actions {
        let Some(why) = action
            .kind()
            .feature()
            .and_then(|it| descriptor.refusal(it))
        else {
            continue;
        };
        let error = provider
            .perform_action(&instance.id, &action)
            .await
            .expect_err("no");
        assert_eq!(error.kind, ErrorKind::Unsupported, "{action:?}");
        assert_eq!(error.outcome, Outcome::NotExecuted, "{action:?}");
        assert_eq!(error.message, why, "{action:?}");
        assert_eq!(error.provider, descriptor.kind);
    }

    let mut refused = Vec::new();
    if !descriptor.supports(Feature::Backups) {
        let mut request = harness.request(key("backups"));
        request.backups = true;
        refused.push(request);
    }
    if !descriptor.supports(Feature::Ipv6) {
        let mut request = harness.request(key("ipv6"));
        request.ipv6 = true;
        refused.push(request);
    }
    if !descriptor.supports(Feature::PrivateNetwork) {
        let mut request = harness.request(key("private"));
        request.private_network = true;
        refused.push(request);
    }
    if !descriptor.supports(Feature::UserData) {
        let mut request = harness.request(key("data"));
        request.user_data = Some(Secret::from("#cloud-config\n"));
        refused.push(request);
    }
    if matches!(descriptor.root_password, RootPassword::No { .. }) {
        let mut request = harness.request(key("password"));
        request.root_password = Some(Secret::from("correct-Horse-7-battery"));
        refused.push(request);
    }
    for request in refused {
        let error = provider
            .create_instance(&request)
            .await
            .expect_err("it is refused");
        let expected = [ErrorKind::Unsupported, ErrorKind::Invalid];
        assert!(
            expected.contains(&error.kind),
            "{}: {error:?}",
            request.key.name
        );
        assert_ne!(
            error.outcome,
            Outcome::Unknown,
            "{}: {error:?}",
            request.key.name
        );
        assert_eq!(
            harness.servers_at_vendor(&request.key).await,
            0,
            "{}",
            request.key.name
        );
    }
    assert_eq!(
        harness.calls_seen(CallClass::Any).await,
        seen,
        "a refusal needs no call"
    );
}

/// An option that the schema does not know is refused before anything is sent.
pub async fn an_unknown_option_is_invalid(harness: &impl Harness) {
    let provider = harness.provider();
    let mut request = harness.request(key("option"));
    request.options = Some(serde_json::json!({ "no_such_option": true }));
    let error = provider
        .create_instance(&request)
        .await
        .expect_err("the option is unknown");
    assert_eq!(error.kind, ErrorKind::Invalid, "{error:?}");
    assert!(error.field.is_some(), "{error:?}");
    assert_ne!(error.outcome, Outcome::Unknown, "{error:?}");
    assert_eq!(harness.calls_seen(CallClass::Create).await, 0);
}

/// Every lane leads to the same account and to the same budget, and what is made in one is
/// seen in the others.
pub async fn every_lane_leads_to_the_same_account(harness: &impl Harness) {
    let provider = harness.provider();
    let (_, made) = make(harness, &*provider, "lane").await;
    for lane in Lane::ALL {
        let other = provider.in_lane(lane);
        assert_eq!(other.descriptor().kind, provider.descriptor().kind);
        let seen = other.get_instance(&made.id).await;
        assert_eq!(seen.expect("it is seen").id, made.id, "{lane:?}");
        let left = |it: &dyn Provider| -> Vec<_> {
            let buckets = it.budget().into_iter();
            buckets.map(|it| (it.name, it.left)).collect()
        };
        assert_eq!(left(&*other), left(&*provider), "{lane:?}");
    }
    let mut names = BTreeSet::new();
    for bucket in provider.budget() {
        let reserve = bucket.reserve;
        assert!(reserve.background >= reserve.people && reserve.people >= reserve.mutate);
        assert!(
            bucket.left.is_none_or(|it| Some(it) <= bucket.limit),
            "{bucket:?}"
        );
        assert_eq!(bucket.in_flight, 0, "{bucket:?}");
        assert!(
            names.insert(bucket.name.clone()),
            "{bucket:?} is there twice"
        );
    }
}

/// Two providers of one account give it the same fingerprint.
pub async fn the_account_has_a_stable_fingerprint(harness: &impl Harness) {
    let first = harness
        .provider()
        .validate_credentials()
        .await
        .expect("the token is good");
    let second = harness
        .provider()
        .validate_credentials()
        .await
        .expect("the token is good");
    assert!(!first.fingerprint.is_empty());
    assert_eq!(first.fingerprint, second.fingerprint);
    assert_eq!(first.missing_scopes, []);
    for secret in harness.secrets() {
        assert!(
            !first.fingerprint.contains(&secret),
            "the fingerprint shows the token"
        );
    }
}
