//! Cases about the mark on a server that stands: it comes and goes, and nothing else changes.

use std::collections::BTreeSet;

use roadstead_core::{
    Action, CreateKey, ErrorKind, Feature, Instance, InstanceQuery, Provider, RemoteId, Result,
    State,
};
use uuid::Uuid;

use super::list::{assert_only, walk};
use super::{key, make};
use crate::harness::{CallClass, Fault, Harness, When};
use crate::wait::{until_gone, until_state};

/// A server of somebody else is marked, keeps its name and its tags, and is then found by our
/// tag, graphics processors or not.
pub async fn a_stranger_is_marked_and_found_by_its_tag(harness: &impl Harness) {
    let provider = harness.provider();
    let mut requests = vec![harness.request(key("stranger"))];
    requests.extend(harness.gpu_request(key("stranger")));
    for request in requests {
        let created = provider.create_instance(&request).await;
        let id = created.expect("the server is created").instance.id;
        let before = read(&*provider, &id).await;
        let ours = adopter();
        let marked = provider.mark_instance(&id, &ours).await;
        if !takes_tags(&*provider, &marked) {
            return;
        }
        marked.expect("it is marked");

        let after = read(&*provider, &id).await;
        assert_ne!(after.name, ours.name, "it is not renamed");
        assert_eq!(after.name, before.name);
        assert_eq!(tags(&after), &tags(&before) | &mark(&ours));
        assert_eq!(after.tags.len(), tags(&after).len(), "{:?}", after.tags);
        assert_only(&id, &found(&*provider, &ours).await);
        assert_only(&id, &found(&*provider, &request.key).await);
        let of_ours = InstanceQuery {
            tag: Some(ours.deployment_tag().into()),
            ..InstanceQuery::default()
        };
        let listed = walk(&*provider, &of_ours).await;
        assert_only(&id, &listed);

        let other = key("stranger");
        assert_eq!(found(&*provider, &other).await, []);
        let unmarked = provider.unmark_instance(&id, &ours).await;
        unmarked.expect("the mark is taken off");
        let after = read(&*provider, &id).await;
        assert_eq!((tags(&after), after.name), (tags(&before), before.name));
        assert_eq!(found(&*provider, &ours).await, []);
    }
}

/// Marked twice, a server carries each tag once; unmarked twice, it has lost no other. Of two
/// servers with a mark of one installation, only the one is unmarked.
pub async fn marking_and_unmarking_can_be_repeated(harness: &impl Harness) {
    let provider = harness.provider();
    let (_, one) = make(harness, &*provider, "mark").await;
    let (_, other) = make(harness, &*provider, "mark").await;
    let (ours, too) = (adopter(), adopter());
    let before = read(&*provider, &one.id).await;
    if !takes_tags(&*provider, &provider.mark_instance(&other.id, &too).await) {
        return;
    }
    for _ in 0..2 {
        let marked = provider.mark_instance(&one.id, &ours).await;
        marked.expect("it is marked");
        let after = read(&*provider, &one.id).await;
        assert_eq!(tags(&after), &tags(&before) | &mark(&ours));
        assert_eq!(after.tags.len(), tags(&after).len(), "{:?}", after.tags);
    }
    for _ in 0..2 {
        let unmarked = provider.unmark_instance(&one.id, &ours).await;
        unmarked.expect("the mark is taken off");
        assert_eq!(tags(&read(&*provider, &one.id).await), tags(&before));
    }
    assert_only(&other.id, &found(&*provider, &too).await);
    let kept = read(&*provider, &other.id).await;
    assert!(mark(&too).is_subset(&tags(&kept)), "{:?}", kept.tags);
}

/// A mark whose answer was lost, before or after its effect, is put on by another try.
pub async fn a_mark_whose_answer_was_lost_can_be_repeated(harness: &impl Harness) {
    let provider = harness.provider();
    if !provider.descriptor().supports(Feature::Tags) {
        return;
    }
    let (_, instance) = make(harness, &*provider, "lost").await;
    let before = read(&*provider, &instance.id).await;
    let faults = [
        Fault::Drop { when: When::Before },
        Fault::Drop { when: When::After },
        Fault::Truncate,
        Fault::Html {
            status: 502,
            when: When::After,
        },
    ];
    let mut marks = BTreeSet::new();
    for fault in faults {
        let ours = adopter();
        let sent = harness.calls_seen(CallClass::Mark).await;
        harness.break_next(CallClass::Mark, 1, fault.clone()).await;
        // An answer that has no body cannot be cut short.
        if let Err(error) = provider.mark_instance(&instance.id, &ours).await {
            assert_ne!(
                error.kind,
                ErrorKind::NoSuchInstance,
                "{fault:?}: {error:?}"
            );
            let sent = harness.calls_seen(CallClass::Mark).await - sent;
            assert_eq!(sent, 1, "{fault:?}: what changes something is not repeated");
        }
        harness.mend().await;
        let again = provider.mark_instance(&instance.id, &ours).await;
        again.unwrap_or_else(|error| panic!("{fault:?}: {error:?}"));
        marks.extend(mark(&ours));
        let after = read(&*provider, &instance.id).await;
        assert_eq!(tags(&after), &tags(&before) | &marks, "{fault:?}");
    }
}

/// What the vendor does not have, or no more, is `NoSuchInstance`.
pub async fn a_server_that_is_gone_takes_no_mark(harness: &impl Harness) {
    let provider = harness.provider();
    if !provider.descriptor().supports(Feature::Tags) {
        return;
    }
    let (key, instance) = make(harness, &*provider, "gone").await;
    until_state(harness, &*provider, &instance.id, State::Running).await;
    let deleted = provider.perform_action(&instance.id, &Action::Delete).await;
    deleted.expect("the delete starts");
    until_gone(harness, &*provider, &instance.id).await;
    let ours = adopter();
    for id in [instance.id, harness.absent_instance()] {
        let marked = provider.mark_instance(&id, &ours).await;
        let unmarked = provider.unmark_instance(&id, &key).await;
        for error in [marked, unmarked].map(|it| it.expect_err("there is none")) {
            assert_eq!(error.kind, ErrorKind::NoSuchInstance, "{error:?}");
            assert_eq!(error.provider, provider.descriptor().kind);
        }
    }
    assert_eq!(found(&*provider, &ours).await, []);
}

/// Returns the mark of an installation that has made none of the servers here.
fn adopter() -> CreateKey {
    CreateKey::new("adopter", Uuid::now_v7(), "adopted")
}

/// Returns whether marks can be put on. Where they cannot, that is what is said.
fn takes_tags(provider: &dyn Provider, answer: &Result<()>) -> bool {
    let takes = provider.descriptor().supports(Feature::Tags);
    if !takes {
        let error = answer.as_ref().expect_err("it takes no tags");
        assert_eq!(error.kind, ErrorKind::Unsupported, "{error:?}");
    }
    takes
}

async fn read(provider: &dyn Provider, id: &RemoteId) -> Instance {
    provider.get_instance(id).await.expect("it can be read")
}

async fn found(provider: &dyn Provider, key: &CreateKey) -> Vec<Instance> {
    let found = provider.find_created(key).await;
    found.expect("the look is complete")
}

fn tags(instance: &Instance) -> BTreeSet<Box<str>> {
    instance.tags.iter().cloned().collect()
}

fn mark(key: &CreateKey) -> BTreeSet<Box<str>> {
    key.tags().map(Box::from).into()
}
