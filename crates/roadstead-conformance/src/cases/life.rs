//! Cases about a server's life, from create to delete.

use std::collections::BTreeSet;

use roadstead_core::{
    Action, Billed, ErrorKind, Feature, How, OperationStatus, RemoteOperation, Retry, Scope, State,
};

use super::{key, make};
use crate::harness::{CallClass, Fault, Harness, When};
use crate::wait::{until_done, until_gone, until_state};

/// Created, running, shut down, booted, rebooted, deleted: each step is reached and
/// seen, and at the end nothing is left.
pub async fn a_server_lives_its_whole_life(harness: &impl Harness) {
    let provider = harness.provider();
    let request = harness.request(key("life"));
    let created = provider
        .create_instance(&request)
        .await
        .expect("the server is created");
    assert_eq!(created.how, How::Created);
    let id = created.instance.id.clone();
    assert_eq!(created.instance.name, request.key.name);
    if let Some(operation) = created.operation {
        until_done(harness, &*provider, operation).await;
    }

    let up = until_state(harness, &*provider, &id, State::Running).await;
    assert_eq!((&up.id, &up.name), (&id, &request.key.name));
    assert_eq!(up.region, request.region);
    assert_eq!(up.plan.as_ref(), Some(&request.plan));
    assert_eq!(up.status.billed, Billed::Full);
    assert!(up.created.is_some());
    let plans = provider.get_plans().await.expect("the plans are listed");
    let plan = plans
        .iter()
        .find(|it| it.id == request.plan)
        .expect("its plan is listed");
    assert_eq!(
        (up.vcpus, up.memory, up.disk),
        (plan.vcpus, plan.memory, plan.disk)
    );
    if provider.descriptor().supports(Feature::Tags) {
        for tag in [request.key.instance_tag(), request.key.deployment_tag()] {
            assert!(
                up.tags.iter().any(|it| **it == *tag),
                "{tag} is not in {:?}",
                up.tags
            );
        }
    }

    for (action, state) in [
        (Action::Shutdown, State::Stopped),
        (Action::Boot, State::Running),
        (Action::Reboot, State::Running),
    ] {
        let operation = provider
            .perform_action(&id, &action)
            .await
            .expect("the action starts");
        until_done(harness, &*provider, operation).await;
        let instance = until_state(harness, &*provider, &id, state).await;
        if state == State::Stopped {
            let billed = provider.descriptor().billed_when_stopped;
            assert_eq!(instance.status.billed, billed, "a stopped server's bill");
        }
    }

    provider
        .perform_action(&id, &Action::Delete)
        .await
        .expect("the delete starts");
    until_gone(harness, &*provider, &id).await;
    assert_eq!(harness.servers_at_vendor(&request.key).await, 0);
    assert_eq!(
        provider
            .find_created(&request.key)
            .await
            .expect("the look is complete"),
        []
    );
}

/// A running server shows an address of every kind that was asked for, each once.
pub async fn all_addresses_are_kept(harness: &impl Harness) {
    let provider = harness.provider();
    let request = harness.request(key("address"));
    let created = provider
        .create_instance(&request)
        .await
        .expect("the server is created");
    let up = until_state(harness, &*provider, &created.instance.id, State::Running).await;
    let unique: BTreeSet<_> = up.addresses.iter().map(|it| it.ip).collect();
    assert_eq!(unique.len(), up.addresses.len(), "{:?}", up.addresses);

    let has = |scope: Scope, v6: bool| {
        up.addresses
            .iter()
            .any(|it| it.scope == scope && it.ip.is_ipv6() == v6)
    };
    assert!(
        has(Scope::Public, false),
        "no public IPv4 in {:?}",
        up.addresses
    );
    if request.ipv6 {
        assert!(
            has(Scope::Public, true),
            "no public IPv6 in {:?}",
            up.addresses
        );
    }
    if request.private_network {
        assert!(
            has(Scope::Private, false),
            "no private IPv4 in {:?}",
            up.addresses
        );
    }
    let descriptor = provider.descriptor();
    assert_eq!(
        request.ipv6,
        descriptor.supports(Feature::Ipv6),
        "ask for all there is"
    );
    let private = descriptor.supports(Feature::PrivateNetwork);
    assert_eq!(request.private_network, private, "ask for all there is");
}

/// A job written down by one process is followed to its end by another.
pub async fn an_operation_survives_serialization(harness: &impl Harness) {
    let provider = harness.provider();
    let (_, instance) = make(harness, &*provider, "resume").await;
    until_state(harness, &*provider, &instance.id, State::Running).await;
    let operation = provider.perform_action(&instance.id, &Action::Reboot).await;
    let operation = operation.expect("the reboot starts");
    assert!(
        !matches!(operation.status, OperationStatus::Failed { .. }),
        "{operation:?}"
    );

    let json = serde_json::to_string(&operation).expect("a job is plain data");
    let resumed: RemoteOperation = serde_json::from_str(&json).expect("it reads back");
    assert_eq!(resumed, operation);
    let other = harness.provider();
    until_done(harness, &*other, resumed).await;
    let up = until_state(harness, &*other, &instance.id, State::Running).await;
    assert_eq!(up.id, instance.id);
}

/// A status that this version does not know is a value, with the vendor's word kept.
pub async fn an_unknown_status_is_kept(harness: &impl Harness) {
    let provider = harness.provider();
    let (_, instance) = make(harness, &*provider, "status").await;
    until_state(harness, &*provider, &instance.id, State::Running).await;
    harness.show_status(&instance.id, "thawing").await;
    let odd = provider
        .get_instance(&instance.id)
        .await
        .expect("an odd word is no failure");
    assert_eq!(odd.status.state, State::Unknown);
    assert_eq!(&*odd.status.raw, "thawing");
    assert_eq!((odd.id, odd.name), (instance.id, instance.name));
}

/// Deleting what is gone, or never was, succeeds.
pub async fn deleting_twice_succeeds(harness: &impl Harness) {
    let provider = harness.provider();
    let (key, instance) = make(harness, &*provider, "delete").await;
    until_state(harness, &*provider, &instance.id, State::Running).await;
    provider
        .perform_action(&instance.id, &Action::Delete)
        .await
        .expect("the delete starts");
    until_gone(harness, &*provider, &instance.id).await;
    for id in [&instance.id, &harness.absent_instance()] {
        let again = provider
            .perform_action(id, &Action::Delete)
            .await
            .expect("gone is gone");
        assert_eq!(again.status, OperationStatus::Succeeded, "`{id}`");
    }
    assert_eq!(harness.servers_at_vendor(&key).await, 0);
}

/// A delete whose answer was lost may be repeated, by the provider or by its caller.
pub async fn a_delete_whose_answer_was_lost_can_be_repeated(harness: &impl Harness) {
    let provider = harness.provider();
    let (key, instance) = make(harness, &*provider, "delete").await;
    until_state(harness, &*provider, &instance.id, State::Running).await;
    harness
        .break_next(CallClass::Delete, 1, Fault::Drop { when: When::After })
        .await;
    if let Err(error) = provider.perform_action(&instance.id, &Action::Delete).await {
        assert_eq!(error.kind, ErrorKind::Timeout, "{error:?}");
        assert_eq!(error.retry, Retry::Backoff, "{error:?}");
        provider
            .perform_action(&instance.id, &Action::Delete)
            .await
            .expect("it is repeated");
    }
    until_gone(harness, &*provider, &instance.id).await;
    assert_eq!(harness.servers_at_vendor(&key).await, 0);
}
