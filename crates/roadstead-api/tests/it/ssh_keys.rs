//! SSH keys over HTTP: added, listed, deleted, and named by a create.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::answer::Answer;
use crate::app::{Member, Person, Stranger, TestApp, Viewer, public_key, wanted};

async fn add(app: &TestApp, person: Person, name: &str, key: &str) -> Answer {
    let body = json!({ "name": name, "public_key": key });
    app.post("/api/ssh-keys").by(person).json(&body).await
}

async fn list(app: &TestApp, person: Person) -> Value {
    let list = app.get("/api/ssh-keys").by(person).await.ok();
    list.at("/ssh_keys")
}

#[tokio::test]
async fn a_key_is_added_shown_and_deleted() {
    let app = TestApp::start_idle().await;
    let key = "  ssh-ed25519\tAAAAC3NzaC1lZDI1NTE5AAAAIK+1DocvNjYkHfGp2iv7dWCLbM8EPfT0hDpprC+zHSk2   me @ home \n";
    let added = add(&app, Member, " laptop ", key).await.ok();
    assert_snapshot!(added.shown(), @r#"
    200
    {
      "ssh_key": {
        "comment": "me @ home",
        "created_at": "[time]",
        "fingerprint": "[fingerprint]",
        "id": "[id]",
        "kind": "ssh-ed25519",
        "name": "laptop",
        "public_key": "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIK+1DocvNjYkHfGp2iv7dWCLbM8EPfT0hDpprC+zHSk2"
      },
      "success": true
    }
    "#);
    assert_eq!(list(&app, Viewer).await, json!([added.at("/ssh_key")]));
    assert_eq!(list(&app, Stranger).await, json!([]));
    let path = format!("/api/ssh-keys/{}", added.word("/ssh_key/id"));
    assert_snapshot!(app.delete(&path).by(Member).await.shown(), @r#"
    200
    {
      "success": true
    }
    "#);
    assert_snapshot!(app.delete(&path).by(Member).await.shown(), @r#"
    404
    {
      "code": "NOT_FOUND",
      "error": "there is no such SSH key",
      "request_id": "[id]",
      "success": false
    }
    "#);
    assert_eq!(list(&app, Member).await, json!([]));
}

#[tokio::test]
async fn a_key_and_a_name_are_there_once() {
    let app = TestApp::start_idle().await;
    add(&app, Member, "laptop", &public_key(1)).await.ok();
    let twin = add(
        &app,
        Member,
        "desktop",
        &format!("{} other comment", public_key(1)),
    )
    .await;
    assert_snapshot!(twin.shown(), @r#"
    409
    {
      "code": "CONFLICT",
      "error": "this SSH key is on record already, as `laptop`",
      "request_id": "[id]",
      "success": false
    }
    "#);
    let named = add(&app, Member, "laptop", &public_key(2)).await;
    assert_eq!(
        named.refused(409, "CONFLICT").word("/error"),
        "another SSH key is on record already, as `laptop`"
    );
    add(&app, Stranger, "laptop", &public_key(1)).await.ok();
}

#[tokio::test]
async fn what_is_no_public_key_is_refused_and_not_repeated() {
    let app = TestApp::start_idle().await;
    let secret = roadstead_testkit::canary("private key");
    let private = format!(
        "-----BEGIN OPENSSH PRIVATE KEY-----\n{secret}\n-----END OPENSSH PRIVATE KEY-----\n"
    );
    let answer = add(&app, Member, "", &private).await;
    roadstead_testkit::assert_absent(&secret, answer.text.as_bytes());
    assert_snapshot!(answer.shown(), @r#"
    400
    {
      "code": "VALIDATION_ERROR",
      "error": "a name has 1 to 100 visible characters",
      "errors": [
        {
          "error": "a name has 1 to 100 visible characters",
          "field": "name"
        },
        {
          "error": "this is a private key, which nobody else should ever see: consider it leaked and make a new one; what belongs here is the public key, in the file that ends in `.pub`",
          "field": "public_key"
        }
      ],
      "field": "name",
      "request_id": "[id]",
      "success": false
    }
    "#);
    let long = format!("ssh-ed25519 {}", "A".repeat(100_000));
    for (key, says) in [
        ("", "this is no public key"),
        ("ssh-ed25519 AAAA", "the key is cut off"),
        ("ssh-dss AAAAB3NzaC1kc3M=", "DSA keys are too weak"),
        (&*long, "a public key has at most"),
        (
            &*format!("{}\n{}", public_key(1), public_key(2)),
            "give one key",
        ),
    ] {
        let answer = add(&app, Member, "laptop", key)
            .await
            .refused(400, "VALIDATION_ERROR");
        assert_eq!(answer.fields(), ["public_key"], "{}", answer.text);
        assert!(answer.word("/error").starts_with(says), "{}", answer.text);
    }
    for name in ["", " ", "a\nb", &"x".repeat(101)] {
        let answer = add(&app, Member, name, &public_key(1))
            .await
            .refused(400, "VALIDATION_ERROR");
        assert_eq!(answer.fields(), ["name"]);
    }
    for (body, field) in [
        (json!({ "name": "x" }), "public_key"),
        (json!({ "public_key": public_key(1) }), "name"),
        (json!({ "name": "x", "public_key": 5 }), "public_key"),
        (
            json!({ "name": "x", "public_key": public_key(1), "fingerprint": "mine" }),
            "fingerprint",
        ),
        (
            json!({ "name": "x", "public_key": public_key(1), "id": uuid::Uuid::now_v7() }),
            "id",
        ),
        (
            json!({ "name": "x", "public_key": public_key(1), "organization_id": uuid::Uuid::now_v7() }),
            "organization_id",
        ),
    ] {
        let answer = app
            .post("/api/ssh-keys")
            .by(Member)
            .json(&body)
            .await
            .refused(400, "VALIDATION_ERROR");
        assert_eq!(answer.fields(), [field], "{}", answer.text);
    }
    assert_eq!(list(&app, Member).await, json!([]));
}

#[tokio::test]
async fn an_organization_has_two_hundred_keys_and_sees_each_once() {
    let app = TestApp::start_idle().await;
    let mut made = BTreeSet::new();
    for number in 0..200 {
        let added = add(&app, Member, &format!("key {number}"), &public_key(number))
            .await
            .ok();
        made.insert(added.word("/ssh_key/id"));
    }
    assert_snapshot!(add(&app, Member, "one more", &public_key(200)).await.shown(), @r#"
    409
    {
      "code": "QUOTA_EXCEEDED",
      "error": "the organization has 200 SSH keys, and may have no more",
      "request_id": "[id]",
      "success": false
    }
    "#);
    let mut seen = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = app
            .get(&format!("/api/ssh-keys?limit=70{cursor}"))
            .by(Viewer)
            .await
            .ok();
        let keys = page.at("/ssh_keys");
        seen.extend(
            keys.as_array()
                .unwrap()
                .iter()
                .map(|it| it["id"].as_str().unwrap().to_owned()),
        );
        match page.at("/next_cursor") {
            Value::Null => break,
            next => cursor = format!("&cursor={}", next.as_str().unwrap()),
        }
    }
    assert_eq!(seen.len(), 200);
    assert!(seen.is_sorted_by(|one, next| one > next));
    assert_eq!(seen.into_iter().collect::<BTreeSet<_>>(), made);
    for (query, field) in [
        ("limit=0", "limit"),
        ("limit=201", "limit"),
        ("limit=x", "limit"),
        ("cursor=x", "cursor"),
        ("sort=x", "sort"),
    ] {
        let answer = app
            .get(&format!("/api/ssh-keys?{query}"))
            .by(Viewer)
            .await
            .refused(400, "VALIDATION_ERROR");
        assert_eq!(answer.fields(), [field]);
    }
}

#[tokio::test]
async fn a_repeated_request_has_the_same_answer() {
    let app = TestApp::start_idle().await;
    let ask = async |name: &str, key: &str| {
        let body = json!({ "name": name, "public_key": public_key(1) });
        app.post("/api/ssh-keys")
            .by(Member)
            .json(&body)
            .header("idempotency-key", key)
            .await
    };
    let first = ask("laptop", "k1").await.ok();
    assert_eq!(ask("laptop", "k1").await.ok().text, first.text);
    ask("desktop", "k1").await.refused(422, "CONFLICT");
    ask("laptop", "k2").await.refused(409, "CONFLICT");
    let path = format!("/api/ssh-keys/{}", first.word("/ssh_key/id"));
    let delete = async |key: &str| {
        app.delete(&path)
            .by(Member)
            .header("idempotency-key", key)
            .await
    };
    delete("k3").await.ok();
    delete("k3").await.ok();
    delete("k4").await.refused(404, "NOT_FOUND");
    delete("k1").await.refused(422, "CONFLICT");
    assert_eq!(ask("laptop", "k1").await.ok().text, first.text);

    app.register().await;
    let create = async |key: &str| {
        app.post("/api/vps")
            .by(Member)
            .json(&wanted("web"))
            .header("idempotency-key", key)
            .await
    };
    create("k1").await.refused(422, "CONFLICT");
    create("k5").await.ok();
    ask("laptop", "k5").await.refused(422, "CONFLICT");
    assert_eq!(app.count().await, 1);
}

#[tokio::test]
async fn a_create_names_keys_by_our_ids() {
    let app = TestApp::start().await;
    app.register().await;
    let key = add(&app, Member, "laptop", &public_key(1))
        .await
        .ok()
        .word("/ssh_key/id");
    let theirs = add(&app, Stranger, "laptop", &public_key(2))
        .await
        .ok()
        .word("/ssh_key/id");
    let create = async |keys: Value| {
        let mut request = wanted("web");
        request["ssh_keys"] = keys;
        app.post("/api/vps").by(Member).json(&request).await
    };
    let refused = create(json!([key, theirs]))
        .await
        .refused(400, "VALIDATION_ERROR");
    assert_eq!(refused.fields(), ["ssh_keys"]);
    assert_eq!(
        refused.word("/error"),
        format!("key 2: there is no SSH key `{theirs}` in this organization")
    );
    for wrong in [
        "-----BEGIN OPENSSH PRIVATE KEY-----",
        "no key at all",
        "laptop",
        "",
    ] {
        let refused = create(json!([wrong]))
            .await
            .refused(400, "VALIDATION_ERROR");
        assert_eq!(refused.fields(), ["ssh_keys"], "{wrong}");
    }
    assert_eq!(app.vendor_calls("POST", "/v2/account/keys"), 0);
    let created = create(json!([key, public_key(3)])).await.ok();
    app.finished(&created).await;
    assert_eq!(app.vendor_calls("POST", "/v2/account/keys"), 2);
    let journal = app.sim.handle().journal();
    let sent = journal
        .iter()
        .find(|it| it.method == "POST" && it.path == "/v2/droplets")
        .unwrap();
    assert_eq!(
        sent.body.as_ref().unwrap()["ssh_keys"]
            .as_array()
            .unwrap()
            .len(),
        2
    );
}

#[tokio::test]
async fn a_delete_does_not_wait_for_the_vendor() {
    let app = TestApp::start().await;
    app.register().await;
    let key = add(&app, Member, "laptop", &public_key(1))
        .await
        .ok()
        .word("/ssh_key/id");
    let mut request = wanted("web");
    request["ssh_keys"] = json!([key]);
    let created = app.post("/api/vps").by(Member).json(&request).await.ok();
    app.finished(&created).await;
    let hangs = roadstead_sim::Effect {
        delay_ms: Some(20_000),
        ..roadstead_sim::Effect::default()
    };
    app.spoil("/v2/account/keys*", hangs);
    let asked = Instant::now();
    app.delete(&format!("/api/ssh-keys/{key}"))
        .by(Member)
        .await
        .ok();
    assert!(
        asked.elapsed() < Duration::from_secs(10),
        "{:?}",
        asked.elapsed()
    );
}
