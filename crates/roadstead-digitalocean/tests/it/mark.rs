//! The mark on a droplet that stands: what is sent for it, and what goes wrong.

use roadstead_core::{CreateKey, ErrorKind, Outcome, Provider, RemoteId};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::world::{World, provider, small};
use roadstead_sim::TOKEN_READ_ONLY;

const TAGS: &str = "/v2/tags";
const RESOURCES: &str = "/v2/tags/{tag}/resources";

struct Marked {
    world: World,
    id: RemoteId,
    key: CreateKey,
}

impl Marked {
    /// Starts with a droplet, and a mark that is not on it.
    async fn none() -> Self {
        let world = World::start();
        let id = world.running(&small("stranger")).await.id;
        let key = CreateKey::new("Harbor", Uuid::now_v7(), "web");
        Self { world, id, key }
    }

    async fn put_on(&self) -> roadstead_core::Result<()> {
        self.world.provider.mark_instance(&self.id, &self.key).await
    }

    async fn take_off(&self) -> roadstead_core::Result<()> {
        self.world
            .provider
            .unmark_instance(&self.id, &self.key)
            .await
    }

    fn tags(&self) -> Vec<Value> {
        self.world.droplets()[0]["tags"].as_array().unwrap().clone()
    }

    /// Returns the changing calls since the droplet was made.
    fn changes(&self) -> Vec<String> {
        let journal = self.world.sim.handle().journal();
        journal
            .iter()
            .filter(|it| it.method != "GET" && it.path != "/v2/droplets")
            .map(|it| format!("{} {}", it.method, it.path))
            .collect()
    }
}

#[tokio::test]
async fn a_tag_is_made_and_put_on_and_what_is_there_is_not_sent_again() {
    let marked = Marked::none().await;
    let [deployment, instance] = marked.key.tags();
    marked.put_on().await.unwrap();
    let resources = |tag: &str| format!("/v2/tags/{tag}/resources");
    let sent = [
        format!("POST {TAGS}"),
        format!("POST {}", resources(&deployment)),
        format!("POST {TAGS}"),
        format!("POST {}", resources(&instance)),
    ];
    assert_eq!(marked.changes(), sent);
    marked.put_on().await.unwrap();
    assert_eq!(marked.changes(), sent, "both tags are there");

    marked.take_off().await.unwrap();
    let removed = [&deployment, &instance].map(|it| format!("DELETE {}", resources(it)));
    assert_eq!(marked.changes()[4..], removed);
    marked.take_off().await.unwrap();
    assert_eq!(marked.changes().len(), 6, "none of the two is there");
    // The tags stay with the account: others may carry them.
    let account = marked.world.sim.handle().state();
    let known = account["accounts"][0]["tags"].as_array().unwrap();
    assert!(known.contains(&json!(deployment)) && known.contains(&json!(instance)));
}

#[tokio::test]
async fn a_tag_is_put_on_and_taken_off_as_it_was_first_spelled() {
    let marked = Marked::none().await;
    let mut first = small("first");
    first.tags = vec!["RS:D:harbor".into()];
    marked.world.running(&first).await;
    marked.put_on().await.unwrap();
    assert!(marked.tags().contains(&json!("RS:D:harbor")));
    marked.put_on().await.unwrap();
    assert_eq!(marked.tags().len(), 5, "{:?}", marked.tags());
    marked.take_off().await.unwrap();
    assert_eq!(marked.tags().len(), 3, "{:?}", marked.tags());
}

#[tokio::test]
async fn a_tag_that_the_vendor_forgets_again_is_asked_for_again() {
    let marked = Marked::none().await;
    let not_found = json!({ "id": "not_found", "message": "The resource you requested could not be found.", "request_id": "r" });
    let effect = json!({ "status": 404, "body": not_found });
    marked
        .world
        .fault(json!({ "method": "POST", "path": RESOURCES, "effect": effect }));
    let error = marked.put_on().await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Server, "{error:?}");
    assert_eq!(error.outcome, Outcome::Rejected, "{error:?}");
    marked.put_on().await.unwrap();
    assert_eq!(marked.tags().len(), 5);

    // The same answer to taking it off: the droplet carries it still, or not any more.
    let lost = |when: &str| json!({ "method": "DELETE", "path": RESOURCES, "when": when, "effect": effect });
    marked.world.fault(lost("before"));
    let error = marked.take_off().await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::NoSuchResource, "{error:?}");
    marked.world.fault(lost("after"));
    marked.take_off().await.unwrap();
    assert_eq!(marked.tags().len(), 3);
}

#[tokio::test]
async fn a_droplet_that_goes_half_way_is_gone_and_not_its_tag() {
    let marked = Marked::none().await;
    // Seen before the tags are put on, and not any more afterwards.
    let absent = json!({ "id": "not_found", "message": "gone", "request_id": "r" });
    let effect = json!({ "status": 404, "body": absent });
    for (method, path, skip) in [("POST", RESOURCES, 0), ("GET", "/v2/droplets/{id}", 1)] {
        marked
            .world
            .fault(json!({ "method": method, "path": path, "skip": skip, "effect": effect }));
    }
    let error = marked.put_on().await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::NoSuchInstance, "{error:?}");
}

#[tokio::test]
async fn a_lost_answer_of_each_call_is_put_right_by_another_try() {
    for (method, path) in [("POST", TAGS), ("POST", RESOURCES), ("DELETE", RESOURCES)] {
        for when in ["before", "after"] {
            let marked = Marked::none().await;
            let before = marked.tags();
            let effect = json!({ "drop": true });
            marked
                .world
                .fault(json!({ "method": method, "path": path, "when": when, "effect": effect }));
            let first = match method {
                "DELETE" => {
                    marked.put_on().await.unwrap();
                    marked.take_off().await
                }
                _ => marked.put_on().await,
            };
            let error = first.unwrap_err();
            assert_eq!(error.outcome, Outcome::Unknown, "{method} {path} {when}");
            marked.put_on().await.unwrap();
            assert_eq!(
                marked.tags().len(),
                before.len() + 2,
                "{method} {path} {when}"
            );
            marked.take_off().await.unwrap();
            assert_eq!(marked.tags(), before, "{method} {path} {when}");
        }
    }
}

#[tokio::test]
async fn what_may_not_be_is_refused() {
    let mut marked = Marked::none().await;
    let reader = provider(&marked.world.sim, TOKEN_READ_ONLY);
    let error = reader.mark_instance(&marked.id, &marked.key).await;
    let error = error.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Forbidden, "{error:?}");
    assert!(error.to_string().contains("`tag:create`"), "{error}");

    let refusal = json!({
        "error": "Error validating resource tag: too many tags", "messages": null,
        "root_causes": ["rpc error"],
    });
    let effect = json!({ "status": 400, "body": refusal });
    marked
        .world
        .fault(json!({ "method": "POST", "path": TAGS, "effect": effect }));
    let error = marked.put_on().await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Invalid, "{error:?}");
    assert_eq!(error.field.as_deref(), Some("tags"), "{error:?}");

    let sent = marked.changes().len();
    marked.key = CreateKey::new("no tag", Uuid::now_v7(), "web");
    let error = marked.put_on().await.unwrap_err();
    assert_eq!(
        (error.kind, error.outcome),
        (ErrorKind::Invalid, Outcome::NotExecuted)
    );
    marked.id = RemoteId::from("../1");
    for answer in [marked.put_on().await, marked.take_off().await] {
        assert_eq!(answer.unwrap_err().kind, ErrorKind::Invalid);
    }
    assert_eq!(marked.changes().len(), sent);
}
