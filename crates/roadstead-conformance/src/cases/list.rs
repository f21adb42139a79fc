//! Cases about lists and look-ups: complete, without repetition, filtered.

use std::collections::BTreeSet;
use std::sync::Arc;

use futures::TryStreamExt;
use roadstead_core::{
    Action, At, CreateKey, Feature, Instance, InstanceQuery, Next, Provider, ProviderExt, RemoteId,
};
use uuid::Uuid;

use super::{key, make};
use crate::harness::Harness;
use crate::wait::{until, until_state};

/// A walk by small pages meets every server once and asks for no page twice; the
/// stream of [`ProviderExt`] brings the same.
pub async fn listing_follows_every_page_and_repeats_none(harness: &impl Harness) {
    let provider = harness.provider();
    let mut made = BTreeSet::new();
    for _ in 0..5 {
        made.insert(make(harness, &*provider, "page").await.1.id);
    }
    let query = InstanceQuery {
        page_size: Some(2),
        ..InstanceQuery::default()
    };
    let walked = walk(&*provider, &query).await;
    let ids: BTreeSet<RemoteId> = walked.iter().map(|it| it.id.clone()).collect();
    assert_eq!(ids.len(), walked.len(), "a server is there twice");
    assert_eq!(ids, made);

    let streamed: Vec<Instance> = Arc::clone(&provider)
        .instances(query)
        .try_collect()
        .await
        .expect("every page comes");
    assert_eq!(streamed.len(), made.len());
    assert!(streamed.iter().all(|it| made.contains(&it.id)));

    let whole = walk(&*provider, &InstanceQuery::default()).await;
    assert_eq!(whole.len(), made.len());
}

pub(super) async fn walk(provider: &dyn Provider, query: &InstanceQuery) -> Vec<Instance> {
    let mut found = Vec::new();
    let mut asked = Vec::new();
    let mut at = At::First;
    loop {
        assert!(!asked.contains(&at), "{at:?} is asked for twice");
        asked.push(at.clone());
        assert!(asked.len() < 50, "the list does not end");
        let page = provider
            .list_instances(query, at)
            .await
            .expect("the page comes");
        if let Some(size) = query.page_size {
            assert!(
                page.items.len() <= usize::from(size),
                "a page has {}",
                page.items.len()
            );
        }
        found.extend(page.items);
        at = match page.next {
            Next::End => return found,
            Next::Cursor(token) => At::Cursor(token),
            Next::Numbered { next, last, .. } => {
                assert!(next <= last, "page {next} of {last}");
                At::Number(next)
            }
        };
    }
}

/// Servers with graphics processors are listed, found and filtered like all others.
pub async fn gpu_servers_are_listed(harness: &impl Harness) {
    let provider = harness.provider();
    let key = key("gpu");
    let request = harness.gpu_request(key.clone());
    assert_eq!(
        request.is_some(),
        provider.descriptor().supports(Feature::Gpu)
    );
    let Some(request) = request else { return };
    let (_, plain) = make(harness, &*provider, "plain").await;
    let gpu = provider
        .create_instance(&request)
        .await
        .expect("it is created")
        .instance;

    let both = BTreeSet::from([plain.id, gpu.id.clone()]);
    for page_size in [None, Some(1)] {
        let query = InstanceQuery {
            page_size,
            ..InstanceQuery::default()
        };
        let walked = walk(&*provider, &query).await;
        assert_eq!(walked.len(), 2, "pages of {page_size:?}");
        assert_eq!(
            walked.into_iter().map(|it| it.id).collect::<BTreeSet<_>>(),
            both
        );
    }
    let tag = InstanceQuery {
        tag: Some(key.instance_tag().into()),
        ..InstanceQuery::default()
    };
    let name = InstanceQuery {
        name: Some(key.name.clone()),
        ..InstanceQuery::default()
    };
    for query in [tag, name] {
        assert_only(&gpu.id, &walk(&*provider, &query).await);
    }
    assert_only(
        &gpu.id,
        &provider
            .find_created(&key)
            .await
            .expect("the look is complete"),
    );
}

/// A filter by tag or name brings exactly what fits it.
pub async fn a_list_filters_by_tag_and_by_name(harness: &impl Harness) {
    let provider = harness.provider();
    let (key, wanted) = make(harness, &*provider, "filter").await;
    let (_, other) = make(harness, &*provider, "filter").await;
    let by_name = InstanceQuery {
        name: Some(key.name.clone()),
        ..InstanceQuery::default()
    };
    assert_only(&wanted.id, &walk(&*provider, &by_name).await);
    if provider.descriptor().supports(Feature::Tags) {
        let of_tag = |tag: String| InstanceQuery {
            tag: Some(tag.into()),
            ..InstanceQuery::default()
        };
        assert_only(
            &wanted.id,
            &walk(&*provider, &of_tag(key.instance_tag())).await,
        );
        let ours = walk(&*provider, &of_tag(key.deployment_tag())).await;
        let ours: BTreeSet<RemoteId> = ours.into_iter().map(|it| it.id).collect();
        assert_eq!(ours, BTreeSet::from([wanted.id, other.id]));
        assert_eq!(
            walk(&*provider, &of_tag("rs:d:nobody".to_owned())).await,
            []
        );
    }
}

/// A server is found although only its name or only its tag is left.
pub async fn find_created_sees_it_by_name_and_by_tag(harness: &impl Harness) {
    let provider = harness.provider();
    let (key, instance) = make(harness, &*provider, "find").await;
    make(harness, &*provider, "find").await;
    let looked = provider
        .find_created(&key)
        .await
        .expect("the look is complete");
    assert_only(&instance.id, &looked);
    assert!(key.marks(&looked[0]));

    // The same name under another id: only the name can be found.
    let by_name = CreateKey {
        id: Uuid::now_v7(),
        ..key.clone()
    };
    let looked = provider
        .find_created(&by_name)
        .await
        .expect("the look is complete");
    assert_only(&instance.id, &looked);

    let stranger = super::key("find");
    assert_eq!(
        provider
            .find_created(&stranger)
            .await
            .expect("the look is complete"),
        []
    );

    if provider.descriptor().supports(Feature::Tags) {
        // The same id under another name: only the tag can be found.
        let by_tag = CreateKey {
            name: stranger.name,
            ..key.clone()
        };
        let looked = provider
            .find_created(&by_tag)
            .await
            .expect("the look is complete");
        assert_only(&instance.id, &looked);
    }
    if provider.descriptor().supports(Feature::Rename) {
        let up = roadstead_core::State::Running;
        until_state(harness, &*provider, &instance.id, up).await;
        let rename = Action::Rename {
            name: "renamed-by-hand".into(),
        };
        provider
            .perform_action(&instance.id, &rename)
            .await
            .expect("it is renamed");
        until(harness, "it keeps its name", || async {
            let now = provider
                .get_instance(&instance.id)
                .await
                .expect("it can be read");
            (*now.name == *"renamed-by-hand").then_some(())
        })
        .await;
        let looked = provider
            .find_created(&key)
            .await
            .expect("the look is complete");
        assert_only(&instance.id, &looked);
    }
}

pub(super) fn assert_only(id: &RemoteId, found: &[Instance]) {
    let ids: Vec<&str> = found.iter().map(|it| it.id.as_str()).collect();
    assert_eq!(ids, [id.as_str()]);
}
