//! Bodies that are wrong: each is refused in one shape, and nothing is left of it.

use insta::assert_snapshot;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::answer::Answer;
use crate::app::{Member, Operator, TestApp, wanted};

/// Returns the good request with one field set.
fn with(field: &str, value: Value) -> Value {
    let mut request = wanted("web");
    request[field] = value;
    request
}

fn without(field: &str) -> Value {
    let mut request = wanted("web");
    request.as_object_mut().unwrap().remove(field);
    request
}

async fn create(app: &TestApp, body: String) -> Answer {
    app.post("/api/vps").by(Member).raw(body).await
}

#[tokio::test]
async fn a_body_of_the_wrong_form_names_the_field_and_leaves_nothing() {
    let app = TestApp::start_idle().await;
    app.register().await;
    let good = wanted("web").to_string();
    let table = [
        (with("color", json!("red")).to_string(), "color"),
        (with("label", json!(5)).to_string(), "label"),
        (with("label", json!(null)).to_string(), "label"),
        (with("label", json!(["web"])).to_string(), "label"),
        (with("type", json!({})).to_string(), "type"),
        (with("tags", json!("web")).to_string(), "tags"),
        (with("tags", json!(null)).to_string(), "tags"),
        (with("tags", json!(["web", 1])).to_string(), "tags[1]"),
        (with("ssh_keys", json!([null])).to_string(), "ssh_keys[0]"),
        (with("backups", json!("yes")).to_string(), "backups"),
        (with("backups", json!(1)).to_string(), "backups"),
        (with("wait", json!(-1)).to_string(), "wait"),
        (with("wait", json!(1.5)).to_string(), "wait"),
        (with("wait", json!("5")).to_string(), "wait"),
        (with("wait", json!(31)).to_string(), "wait"),
        (with("wait", json!(u64::MAX)).to_string(), "wait"),
        (with("provider_id", json!("7")).to_string(), "provider_id"),
        (with("provider_id", json!(7)).to_string(), "provider_id"),
        (
            with("rootPassword", json!(12_345_678)).to_string(),
            "rootPassword",
        ),
        (with("options", json!([])).to_string(), "options"),
        (with("options", json!("x")).to_string(), "options"),
        (without("label").to_string(), "label"),
        (without("type").to_string(), "type"),
        (without("region").to_string(), "region"),
        (without("image").to_string(), "image"),
        (good.replacen('{', r#"{"label":"a","#, 1), "label"),
        (
            good.replacen(
                '{',
                r#"{"rootPassword":"Str0ng-one","root_password":"Str0ng-two","#,
                1,
            ),
            "rootPassword",
        ),
        (format!("{good} x"), "body"),
        (format!("{good}{good}"), "body"),
        (good[..good.len() - 1].to_owned(), "body"),
        (good.replace(':', "="), "body"),
        (good.replace("web", "\u{1}"), "body"),
        (with("label", json!("a\u{0}b")).to_string(), "body"),
        (String::new(), "body"),
        (" ".to_owned(), "body"),
        ("null".to_owned(), "body"),
        ("[]".to_owned(), "body"),
        (
            r#"[null,"digitalocean","web","s-1vcpu-1gb","nyc3","ubuntu-22-04-x64"]"#.to_owned(),
            "body",
        ),
        ("\"label\"".to_owned(), "body"),
        ("{}".to_owned(), "label"),
        ("\u{feff}{}".to_owned(), "body"),
        ("[".repeat(10_000), "body"),
        (r#"{"a":"#.repeat(10_000), "a"),
        (with("options", deep(120)).to_string(), "body"),
    ];
    for (body, field) in table {
        let shown: String = body.chars().take(300).collect();
        let answer = create(&app, body).await.refused(400, "VALIDATION_ERROR");
        assert_eq!(answer.word("/field"), field, "{shown}\n{}", answer.text);
        assert_eq!(answer.fields(), [field], "{shown}");
        let said = answer.word("/error");
        assert!(field == "body" || !said.contains(" at line "), "{said}");
        assert!(!said.contains("struct "), "{said}");
    }
    assert_eq!(app.count().await, 0);
    assert!(app.vendor_calls("POST", "/v2/droplets") == 0);
}

/// Returns arrays in arrays.
fn deep(levels: usize) -> Value {
    (0..levels).fold(json!({}), |inner, _| json!({ "x": [inner] }))
}

#[tokio::test]
async fn what_is_no_object_is_told_from_what_is_no_json_and_from_nothing() {
    let app = TestApp::start_idle().await;
    let no_json = "the body is no JSON: it breaks off or goes wrong at line 1, column";
    for (body, said) in [
        ("", "the body is empty; send a JSON object"),
        (" \n", "the body is empty; send a JSON object"),
        ("nonsense", no_json),
        ("[1, ", no_json),
        ("{nonsense}", no_json),
        ("[]", "must be a JSON object"),
        ("\"nonsense\"", "must be a JSON object"),
    ] {
        let answer = create(&app, body.to_owned()).await;
        let answer = answer.refused(400, "VALIDATION_ERROR");
        assert_eq!(answer.fields(), ["body"], "{body}");
        assert!(answer.word("/error").starts_with(said), "{}", answer.text);
    }
}

#[tokio::test]
async fn invalid_utf_8_is_no_json() {
    let app = TestApp::start_idle().await;
    app.register().await;
    let mut bytes = wanted("web").to_string().into_bytes();
    let at = bytes.windows(3).position(|it| it == b"web").unwrap();
    bytes[at] = 0xff;
    let answer = app.post("/api/vps").by(Member).raw(bytes).await;
    answer.refused(400, "VALIDATION_ERROR");
    assert_eq!(app.count().await, 0);
}

#[tokio::test]
async fn what_is_not_said_to_be_json_is_not_read() {
    let app = TestApp::start_idle().await;
    app.register().await;
    let body = wanted("web").to_string();
    let untyped = app.post("/api/vps").by(Member).untyped(&body).await;
    assert_snapshot!(untyped.shown(), @r#"
    400
    {
      "code": "VALIDATION_ERROR",
      "error": "send JSON, with the header `Content-Type: application/json`",
      "errors": [
        {
          "error": "send JSON, with the header `Content-Type: application/json`",
          "field": "Content-Type"
        }
      ],
      "field": "Content-Type",
      "request_id": "[id]",
      "success": false
    }
    "#);
    for kind in [
        "text/plain",
        "application/x-www-form-urlencoded",
        "json",
        "",
        "\u{e9}",
    ] {
        let answer = app.post("/api/vps").by(Member).untyped(&body);
        let answer = answer.header("content-type", kind).await;
        let answer = answer.refused(400, "VALIDATION_ERROR");
        assert_eq!(answer.word("/field"), "Content-Type", "{kind}");
    }
    assert_eq!(app.count().await, 0);
    let typed = app.post("/api/vps").by(Member).untyped(&body);
    typed
        .header("content-type", "Application/JSON; charset=utf-8")
        .await
        .ok();
}

#[tokio::test]
async fn a_body_of_a_mebibyte_is_too_large_whether_its_length_is_told_or_not() {
    let app = TestApp::start_idle().await;
    app.register().await;
    let body = with("user_data", json!("x".repeat(1024 * 1024))).to_string();
    let told = create(&app, body.clone()).await;
    assert_snapshot!(told.shown(), @r#"
    413
    {
      "code": "PAYLOAD_TOO_LARGE",
      "error": "the body is larger than 262144 bytes",
      "request_id": "[id]",
      "success": false
    }
    "#);
    let chunks = body.as_bytes().chunks(64 * 1024);
    let chunks: Vec<_> = chunks
        .map(|it| Ok::<_, std::io::Error>(it.to_vec()))
        .collect();
    let stream = futures::stream::iter(chunks);
    let untold = app
        .post("/api/vps")
        .by(Member)
        .raw(reqwest::Body::wrap_stream(stream));
    untold.await.refused(413, "PAYLOAD_TOO_LARGE");
    assert_eq!(app.count().await, 0);
}

#[tokio::test]
async fn a_body_that_breaks_off_is_given_up_and_the_server_goes_on() {
    let app = TestApp::start_idle().await;
    app.register().await;
    let token = app.token(Member).await;
    let mut line = TcpStream::connect(app.address).await.unwrap();
    let head = format!(
        "POST /api/vps HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\n\
         content-type: application/json\r\ncontent-length: 500\r\n\r\n{{\"label\":"
    );
    line.write_all(head.as_bytes()).await.unwrap();
    line.shutdown().await.unwrap();
    let mut answer = Vec::new();
    // Whether there is an answer does not matter: nobody is there to read it.
    let _ = line.read_to_end(&mut answer).await;
    assert_eq!(app.count().await, 0);
}

#[tokio::test]
async fn several_wrong_fields_are_told_together() {
    let app = TestApp::start_idle().await;
    app.register().await;
    let request = json!({
        "provider_type": "digitalocean",
        "label": "no spaces allowed",
        "type": "s-none",
        "region": "atlantis",
        "image": "beos",
        "rootPassword": "short",
        "tags": ["x"],
        "user_data": "x".repeat(70_000),
    });
    let answer = app.post("/api/vps").by(Member).json(&request).await;
    assert_snapshot!(answer.shown(), @r#"
    400
    {
      "code": "VALIDATION_ERROR",
      "error": "DigitalOcean does not accept this label: letters, digits, dots and hyphens, ending with a letter or digit",
      "errors": [
        {
          "error": "DigitalOcean does not accept this label: letters, digits, dots and hyphens, ending with a letter or digit",
          "field": "label"
        },
        {
          "error": "`x` is no tag: a tag has 3 to 50 letters, digits, `-`, `_` or `:`",
          "field": "tags"
        },
        {
          "error": "there is no plan `s-none` at DigitalOcean",
          "field": "type"
        },
        {
          "error": "there is no image `beos` at DigitalOcean",
          "field": "image"
        },
        {
          "error": "there is no region `atlantis` at DigitalOcean",
          "field": "region"
        },
        {
          "error": "user data has at most 65536 bytes",
          "field": "user_data"
        },
        {
          "error": "a root password has 8 to 128 characters on one line",
          "field": "rootPassword"
        }
      ],
      "field": "label",
      "request_id": "[id]",
      "success": false
    }
    "#);
    assert_eq!(app.count().await, 0);
}

#[tokio::test]
async fn what_the_vendor_would_refuse_is_refused_before_it_is_asked() {
    let app = TestApp::start_idle().await;
    app.register().await;
    let longest = "x".repeat(256);
    let table = [
        ("label", json!("")),
        ("label", json!("two words")),
        ("label", json!("ends-with-")),
        ("label", json!("umlaut-\u{e4}")),
        ("label", json!("line\nbreak")),
        ("label", json!(longest)),
        ("type", json!("")),
        ("type", json!("S-1VCPU-1GB")),
        ("region", json!("nyc9")),
        ("image", json!("ubuntu")),
        ("rootPassword", json!("")),
        ("rootPassword", json!("short1")),
        ("rootPassword", json!("two\nlines-of-it")),
        ("rootPassword", json!("x".repeat(129))),
        ("ssh_keys", json!(vec!["1"; 51])),
        ("tags", json!(["rs:mine"])),
        ("tags", json!(["a"])),
    ];
    for (field, value) in table {
        let request = with(field, value.clone());
        let answer = app.post("/api/vps").by(Member).json(&request).await;
        let answer = answer.refused(400, "VALIDATION_ERROR");
        assert_eq!(answer.fields(), [field], "{value} {}", answer.text);
    }
    assert_eq!(app.count().await, 0);
    assert_eq!(app.vendor_calls("POST", "/v2/droplets"), 0);
}

#[tokio::test]
async fn no_answer_repeats_a_password() {
    let app = TestApp::start_idle().await;
    app.register().await;
    let secret = roadstead_testkit::canary("password");
    let bodies = [
        with("rootPassword", json!(secret.repeat(4))).to_string(),
        with("rootPassword", json!([secret])).to_string(),
        with("rootPassword", json!({ "text": secret })).to_string(),
        format!(r#"{{"rootPassword":"{secret}","root_password":"{secret}"}}"#),
        format!(r#"{{"rootPassword":"{secret}"#),
        format!(r#"{{"rootPassword":"{secret}"}}"#),
        format!(r#""{secret}""#),
    ];
    for body in bodies {
        let answer = create(&app, body).await.refused(400, "VALIDATION_ERROR");
        roadstead_testkit::assert_absent(&secret, answer.text.as_bytes());
    }
    let token = json!({ "name": "x", "type": "digitalocean", "token": [secret] });
    let answer = app
        .post("/api/admin/providers")
        .by(Operator)
        .json(&token)
        .await;
    let answer = answer.refused(400, "VALIDATION_ERROR");
    roadstead_testkit::assert_absent(&secret, answer.text.as_bytes());
}

#[tokio::test]
async fn the_account_of_a_create_has_to_exist_to_be_on_and_to_fit() {
    let app = TestApp::start_idle().await;
    let refused = async |field: &str, value: Value| {
        let request = with(field, value);
        app.post("/api/vps").by(Member).json(&request).await
    };
    let none = refused("provider_type", json!("digitalocean")).await;
    none.refused(404, "PROVIDER_NOT_FOUND");
    let id = app.register().await;
    let absent = refused("provider_id", json!("018f0000-0000-7000-8000-000000000000")).await;
    assert_snapshot!(absent.shown(), @r#"
    404
    {
      "code": "PROVIDER_NOT_FOUND",
      "error": "there is no such provider account",
      "request_id": "[id]",
      "success": false
    }
    "#);
    let mut mixed = with("provider_id", json!(id));
    mixed["provider_type"] = json!("linode");
    let mixed = app.post("/api/vps").by(Member).json(&mixed).await;
    assert_snapshot!(mixed.shown(), @r#"
    400
    {
      "code": "VALIDATION_ERROR",
      "error": "`provider_id` names an account at `digitalocean`, not `linode`",
      "errors": [
        {
          "error": "`provider_id` names an account at `digitalocean`, not `linode`",
          "field": "provider_type"
        }
      ],
      "field": "provider_type",
      "request_id": "[id]",
      "success": false
    }
    "#);
    let unknown = refused("provider_type", json!("nosuch")).await;
    assert_snapshot!(unknown.shown(), @r#"
    400
    {
      "code": "VALIDATION_ERROR",
      "error": "`nosuch` is no provider type; use one of `digitalocean`",
      "errors": [
        {
          "error": "`nosuch` is no provider type; use one of `digitalocean`",
          "field": "provider_type"
        }
      ],
      "field": "provider_type",
      "request_id": "[id]",
      "success": false
    }
    "#);
    let unavailable = refused("provider_type", json!("aws")).await;
    assert_snapshot!(unavailable.shown(), @r#"
    400
    {
      "code": "VALIDATION_ERROR",
      "error": "`aws` is not available yet: Roadstead cannot create servers at AWS EC2 yet",
      "errors": [
        {
          "error": "`aws` is not available yet: Roadstead cannot create servers at AWS EC2 yet",
          "field": "provider_type"
        }
      ],
      "field": "provider_type",
      "request_id": "[id]",
      "success": false
    }
    "#);
    let nowhere = app
        .post("/api/vps")
        .by(Member)
        .json(&without("provider_type"))
        .await;
    assert_snapshot!(nowhere.shown(), @r#"
    400
    {
      "code": "VALIDATION_ERROR",
      "error": "say where: give `provider_id`, or `provider_type`",
      "errors": [
        {
          "error": "say where: give `provider_id`, or `provider_type`",
          "field": "provider_id"
        }
      ],
      "field": "provider_id",
      "request_id": "[id]",
      "success": false
    }
    "#);

    let off = app
        .patch(&format!("/api/admin/providers/{id}"))
        .by(Operator);
    off.json(&json!({ "active": false })).await.ok();
    let by_type = refused("provider_type", json!("digitalocean")).await;
    assert_snapshot!(by_type.shown(), @r#"
    409
    {
      "code": "PROVIDER_INACTIVE",
      "error": "the provider account is switched off; ask the operator, or choose another one",
      "request_id": "[id]",
      "success": false
    }
    "#);
    let by_id = refused("provider_id", json!(id)).await;
    assert_eq!(by_id.shown(), by_type.shown());
    assert_eq!(app.count().await, 0);
}
