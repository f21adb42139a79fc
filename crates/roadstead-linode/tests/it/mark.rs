//! The mark on a Linode that stands: what is sent for it, and what goes wrong.

use roadstead_core::{CreateKey, ErrorKind, Outcome, Provider, RemoteId};
use roadstead_sim::TOKEN_READ_ONLY;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::world::{World, provider, small};

const ONE: &str = "/v4/linode/instances/{id}";

struct Marked {
    world: World,
    id: RemoteId,
    key: CreateKey,
}

impl Marked {
    /// Starts with a Linode, and a mark that is not on it.
    async fn none() -> Self {
        let world = World::start();
        let id = world.running(&small("stranger")).await.id;
        let key = CreateKey::new("harbor", Uuid::now_v7(), "web");
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
        self.world.linodes()[0]["tags"].as_array().unwrap().clone()
    }

    fn changes(&self) -> usize {
        let journal = self.world.sim.handle().journal();
        journal.iter().filter(|it| it.method == "PUT").count()
    }
}

#[tokio::test]
async fn all_tags_are_sent_once_and_what_is_right_is_not_sent_at_all() {
    let marked = Marked::none().await;
    let before = marked.tags();
    for _ in 0..2 {
        marked.put_on().await.unwrap();
        assert_eq!(marked.changes(), 1);
    }
    assert_eq!(marked.tags()[..3], before);
    assert_eq!(marked.tags()[3..], marked.key.tags().map(Value::from));
    for _ in 0..2 {
        marked.take_off().await.unwrap();
        assert_eq!(marked.changes(), 2);
    }
    assert_eq!(marked.tags(), before);
}

#[tokio::test]
async fn tags_that_cannot_be_read_are_not_replaced() {
    let marked = Marked::none().await;
    marked.put_on().await.unwrap();
    for body in [
        json!({ "id": 7, "label": "web" }),
        json!({ "id": 7, "label": "web", "tags": "all" }),
        json!({ "id": 7, "label": "web", "tags": null }),
    ] {
        marked.world.fault(json!({
            "method": "GET", "path": ONE, "count": 2, "effect": { "status": 200, "body": body },
        }));
        for answer in [marked.put_on().await, marked.take_off().await] {
            let error = answer.unwrap_err();
            assert_eq!(error.kind, ErrorKind::Decode, "{body}: {error:?}");
            assert_eq!(error.outcome, Outcome::NotExecuted, "{body}: {error:?}");
        }
    }
    assert_eq!((marked.changes(), marked.tags().len()), (1, 5));
}

#[tokio::test]
async fn an_answer_without_the_change_is_not_believed() {
    let marked = Marked::none().await;
    let untouched = json!({ "id": 7, "label": "web", "tags": ["web"] });
    let effect = json!({ "status": 200, "body": untouched });
    let pretend = json!({ "method": "PUT", "path": ONE, "effect": effect });
    marked.world.fault(pretend);
    let error = marked.put_on().await.unwrap_err();
    assert_eq!(
        (error.kind, error.outcome),
        (ErrorKind::Decode, Outcome::Unknown)
    );
    marked.put_on().await.unwrap();

    let body = json!({ "id": 7, "label": "web", "tags": marked.tags() });
    let effect = json!({ "status": 200, "body": body });
    marked
        .world
        .fault(json!({ "method": "PUT", "path": ONE, "effect": effect }));
    let error = marked.take_off().await.unwrap_err();
    assert_eq!(
        (error.kind, error.outcome),
        (ErrorKind::Decode, Outcome::Unknown)
    );
    marked.take_off().await.unwrap();
    assert_eq!(marked.tags().len(), 3);
}

#[tokio::test]
async fn a_lost_answer_is_put_right_by_another_try() {
    for effect in [
        json!({ "drop": true }),
        json!({ "truncate": 100 }),
        json!({ "status": 502, "body": "<html>502</html>", "content_type": "text/html" }),
        json!({ "delay_ms": 3000, "drop": true }),
    ] {
        let marked = Marked::none().await;
        let before = marked.tags();
        let lost = json!({ "method": "PUT", "path": ONE, "when": "after", "effect": effect });
        marked.world.fault(lost.clone());
        let error = marked.put_on().await.unwrap_err();
        assert_eq!(error.outcome, Outcome::Unknown, "{effect}: {error:?}");
        marked.put_on().await.unwrap();
        assert_eq!(marked.changes(), 1, "{effect}: it was done, and is seen");
        marked.world.fault(lost);
        marked.take_off().await.unwrap_err();
        marked.take_off().await.unwrap();
        assert_eq!(marked.tags(), before, "{effect}");
    }
}

#[tokio::test]
async fn what_may_not_be_is_refused() {
    let mut marked = Marked::none().await;
    let reader = provider(&marked.world.sim, TOKEN_READ_ONLY);
    let error = reader.mark_instance(&marked.id, &marked.key).await;
    let error = error.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Forbidden, "{error:?}");
    assert!(
        error.to_string().contains("`linodes:read_write`"),
        "{error}"
    );

    for (reason, field, kind) in [
        ("Too many tags", Some("tags"), ErrorKind::Invalid),
        ("Linode busy.", None, ErrorKind::Busy),
    ] {
        let refusal = json!({ "errors": [{ "reason": reason, "field": field }] });
        let effect = json!({ "status": 400, "body": refusal });
        marked
            .world
            .fault(json!({ "method": "PUT", "path": ONE, "effect": effect }));
        let error = marked.put_on().await.unwrap_err();
        assert_eq!(
            (error.kind, error.outcome),
            (kind, Outcome::Rejected),
            "{error:?}"
        );
        assert_eq!(error.field.as_deref(), field, "{error:?}");
    }

    let sent = marked.changes();
    marked.key = CreateKey::new("a,b", Uuid::now_v7(), "web");
    let error = marked.put_on().await.unwrap_err();
    assert_eq!(
        (error.kind, error.outcome),
        (ErrorKind::Invalid, Outcome::NotExecuted)
    );
    marked.id = RemoteId::from("../1");
    for answer in [marked.put_on().await, marked.take_off().await] {
        assert_eq!(answer.unwrap_err().kind, ErrorKind::Invalid);
    }
    assert_eq!(marked.changes(), sent);
}
