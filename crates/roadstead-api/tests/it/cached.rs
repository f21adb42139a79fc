//! Catalogues as bytes: their headers and encodings, and what is served when things go wrong.

use std::io::Read;
use std::time::{Duration, Instant};

use flate2::read::GzDecoder;
use futures::future::join_all;
use insta::assert_snapshot;
use reqwest::Response;
use roadstead_service::Keeper;
use roadstead_sim::{Effect, Scopes, TOKEN_FULL};
use serde_json::{Value, json};

use crate::answer::Answer;
use crate::app::{Member, Operator, Setup, TestApp, Viewer, wanted};

const PLANS: &str = "/api/vps/digitalocean/plans";
const REGIONS: &str = "/api/vps/digitalocean/regions";
const HOUR: Duration = Duration::from_secs(3600);

/// An application with an account, and a vendor that is given little time.
async fn app() -> TestApp {
    let app = TestApp::start_with(Setup {
        workers: 1,
        vendor_patience: (Duration::from_secs(2), Duration::from_secs(3)),
        ..Setup::default()
    })
    .await;
    app.register().await;
    app
}

impl TestApp {
    /// Asks with just these headers, and leaves the answer as it came.
    async fn raw(&self, path: &str, headers: &[(&str, &str)]) -> Response {
        let client = reqwest::Client::builder().no_proxy().no_gzip();
        let url = format!("http://{}{path}", self.address);
        let mut request = client.build().unwrap().get(url);
        request = request.bearer_auth(self.token(Member).await);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.send().await.unwrap()
    }

    /// Waits until an answer shows what is looked for.
    async fn until_seen(&self, path: &str, probe: impl Fn(&Answer) -> bool) -> Answer {
        let deadline = Instant::now() + Duration::from_secs(30);
        loop {
            let seen = self.get(path).by(Member).await;
            if probe(&seen) {
                return seen;
            }
            assert!(Instant::now() < deadline, "never: {}", seen.text);
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

fn header<'a>(response: &'a Response, name: &str) -> Option<&'a str> {
    response.headers().get(name)?.to_str().ok()
}

fn is_stale(answer: &Answer) -> bool {
    answer.status == 200 && answer.json()["stale"] == true
}

/// Returns a body without what grows with time.
fn timeless(mut body: Value) -> Value {
    body["age_seconds"].take();
    body
}

#[tokio::test]
async fn a_thousand_who_miss_at_once_make_one_call() {
    let app = TestApp::start_idle().await;
    app.register().await;
    let token = app.token(Viewer).await;
    let slow = Effect {
        delay_ms: Some(1_500),
        ..Effect::default()
    };
    app.spoil("/v2/sizes", slow);
    let client = reqwest::Client::builder().no_proxy().no_gzip();
    let client = client.build().unwrap();
    let asking = (0..1_000).map(|_| async {
        let url = format!("http://{}{PLANS}", app.address);
        let request = client.get(url).bearer_auth(&token);
        let answer = request
            .header("accept-encoding", "gzip")
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), 200);
        let tag = header(&answer, "etag").unwrap().to_owned();
        assert!(answer.bytes().await.unwrap().len() > 1_000);
        tag
    });
    let tags = join_all(asking).await;
    assert_eq!(app.vendor_calls("GET", "/v2/sizes"), 1);
    assert!(tags.iter().all(|it| *it == tags[0]));
}

#[tokio::test]
async fn gzip_and_plain_say_the_same_and_gzip_is_smaller() {
    let app = app().await;
    for path in [PLANS, "/api/vps/digitalocean/sizes", REGIONS] {
        let plain = app.raw(path, &[]).await;
        assert_eq!(header(&plain, "content-encoding"), None);
        let length = plain.content_length().unwrap();
        let plain = plain.bytes().await.unwrap();
        assert_eq!(length, u64::try_from(plain.len()).unwrap());
        let packed = app
            .raw(path, &[("accept-encoding", "br, gzip;q=0.8, *;q=0.1")])
            .await;
        assert_eq!(header(&packed, "content-encoding"), Some("gzip"));
        assert_eq!(header(&packed, "content-type"), Some("application/json"));
        let length = packed.content_length().unwrap();
        let packed = packed.bytes().await.unwrap();
        assert_eq!(length, u64::try_from(packed.len()).unwrap());
        assert!(
            packed.len() * 3 < plain.len(),
            "{} {}",
            packed.len(),
            plain.len()
        );
        let mut text = String::new();
        // The first stream alone, as browsers read it.
        GzDecoder::new(&*packed).read_to_string(&mut text).unwrap();
        let plain = serde_json::from_slice(&plain).unwrap();
        let packed = serde_json::from_str(&text).unwrap();
        assert_eq!(timeless(packed), timeless(plain));
    }
}

#[tokio::test]
async fn who_takes_no_gzip_gets_none() {
    let app = app().await;
    for accepted in [
        "identity",
        "gzip;q=0",
        "identity;q=1, gzip;q=0.5",
        "nonsense",
    ] {
        let answer = app.raw(PLANS, &[("accept-encoding", accepted)]).await;
        assert_eq!(answer.status(), 200, "{accepted}");
        assert_eq!(header(&answer, "content-encoding"), None, "{accepted}");
        let body: Value = serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap();
        assert_eq!(body["success"], true);
    }
}

#[tokio::test]
async fn who_has_the_answer_is_not_sent_it_again() {
    let app = app().await;
    let first = app.raw(PLANS, &[]).await;
    let tag = header(&first, "etag").unwrap().to_owned();
    assert!(tag.starts_with("W/\""), "{tag}");
    let vary = "Accept-Encoding, Authorization, X-Organization";
    let strong = tag.trim_start_matches("W/").to_owned();
    let listed = format!("\"other\", {tag}");
    for known in [&*tag, &strong, &listed, "*"] {
        for encoding in ["identity", "gzip"] {
            let headers = [("if-none-match", known), ("accept-encoding", encoding)];
            let again = app.raw(PLANS, &headers).await;
            assert_eq!(again.status(), 304, "{known}");
            assert_eq!(header(&again, "etag"), Some(&*tag));
            assert_eq!(header(&again, "vary"), Some(vary));
            assert!(header(&again, "age").unwrap().parse::<u64>().is_ok());
            assert!(again.bytes().await.unwrap().is_empty());
        }
    }
    for other in ["W/\"other\"", "\"\"", "nonsense", ""] {
        let again = app.raw(PLANS, &[("if-none-match", other)]).await;
        assert_eq!(again.status(), 200, "{other}");
    }
    // Only who may see it hears that it is unchanged.
    let nobody = app.get(PLANS).header("if-none-match", &tag).await;
    nobody.refused(401, "UNAUTHENTICATED");
}

#[tokio::test]
async fn a_list_keeps_its_tag_when_it_is_read_anew_unchanged() {
    let app = app().await;
    let tag = async || {
        let answer = app.raw(REGIONS, &[]).await;
        header(&answer, "etag").unwrap().to_owned()
    };
    let first = tag().await;
    let list = app.get("/api/admin/providers").by(Operator).await.ok();
    let id = list.word("/providers/0/id");
    let clear = format!("/api/admin/providers/{id}/cache/clear");
    app.post(&clear).by(Operator).await.ok();
    assert_eq!(tag().await, first);
    assert_eq!(app.vendor_calls("GET", "/v2/regions"), 2);
}

#[tokio::test]
async fn clients_may_keep_a_fresh_answer_for_a_minute() {
    let app = app().await;
    app.get(PLANS).by(Member).await.ok();
    app.clock.advance(Duration::from_secs(600));
    let plans = app.get(PLANS).by(Member).await.ok();
    let age = plans.at("/age_seconds").as_u64().unwrap();
    assert!((600..660).contains(&age), "{age}");
    assert_eq!(plans.header("age"), Some(&*age.to_string()));
    let caching = format!("private, max-age={}", age + 60);
    assert_eq!(plans.header("cache-control"), Some(&*caching));
    assert!(plans.json().get("stale").is_none());
    // A refusal is nobody's to keep.
    let refused = app.get("/api/vps/aws/plans").by(Member).await;
    assert_eq!(refused.header("cache-control"), Some("no-store"));
    assert_eq!(refused.header("etag"), None);
}

#[tokio::test]
async fn a_dead_vendor_leaves_a_stale_answer_that_says_so_and_is_asked_with_pauses() {
    let app = app().await;
    let fresh = app.get(REGIONS).by(Member).await.ok();
    let down = Effect {
        status: Some(503),
        ..Effect::default()
    };
    app.spoil("*", down);
    app.clock.advance(HOUR * 2);
    let asked = app.vendor_calls("GET", "/v2/regions");
    let stale = app.until_seen(REGIONS, is_stale).await.ok();
    assert!(stale.at("/age_seconds").as_u64().unwrap() >= 7_200);
    assert_eq!(stale.header("cache-control"), Some("private, no-cache"));
    assert_ne!(stale.header("etag"), fresh.header("etag"));
    assert_eq!(stale.at("/regions"), fresh.at("/regions"));
    for _ in 0..100 {
        assert!(is_stale(&app.get(REGIONS).by(Member).await));
    }
    let list = app.get("/api/admin/providers").by(Operator).await.ok();
    let cache = format!(
        "/api/admin/providers/{}/cache",
        list.word("/providers/0/id")
    );
    let deadline = Instant::now() + Duration::from_secs(30);
    let failure = loop {
        let kept = app.get(&cache).by(Operator).await.ok();
        let failure = kept.at("/catalogues/2/last_failure");
        if !failure.is_null() {
            break failure;
        }
        assert!(Instant::now() < deadline, "{}", kept.text);
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    assert_eq!(failure["code"], "API_ERROR");
    // A refresh or two, with the attempts that the client itself makes of each.
    let attempts = app.vendor_calls("GET", "/v2/regions") - asked;
    assert!((1..=10).contains(&attempts), "{attempts}");

    app.sim.handle().clear_faults();
    app.clock.advance(Duration::from_secs(3_600));
    let again = app.until_seen(REGIONS, |it| !is_stale(it)).await.ok();
    assert!(again.at("/age_seconds").as_u64().unwrap() < 60);
}

#[tokio::test]
async fn what_is_kept_can_be_read_by_operators() {
    let app = TestApp::start_idle().await;
    let id = app.register().await;
    let regions = app.get(REGIONS).by(Member).await.ok();
    app.get(REGIONS).by(Member).await.ok();
    let cache = format!("/api/admin/providers/{id}/cache");
    let kept = app.get(&cache).by(Operator).await.ok();
    let mut shown = kept.at("/catalogues/2");
    let count = regions.at("/regions").as_array().unwrap().len();
    assert_eq!(shown["items"].take(), count);
    assert!(shown["age_seconds"].take().as_u64().unwrap() < 60);
    assert_snapshot!(shown, @r#"{"age_seconds":null,"failed":0,"items":null,"kind":"regions","last_failure":null,"refreshing":false,"renewed":1,"served_fresh":1,"served_stale":0,"stale":false,"waited":1}"#);
    let unread = kept.at("/catalogues/0");
    assert_eq!(
        (&unread["kind"], &unread["items"]),
        (&json!("plans"), &json!(null))
    );
    app.get("/api/admin/providers/7/cache")
        .by(Operator)
        .await
        .refused(404, "PROVIDER_NOT_FOUND");
}

#[tokio::test]
async fn a_token_that_is_refused_in_the_background_freezes_the_account_and_logs_nobody_out() {
    let app = app().await;
    app.get(PLANS).by(Member).await.ok();
    app.sim
        .handle()
        .set_token(TOKEN_FULL, None, Scopes::Revoked);
    app.clock.advance(HOUR);
    let first = app.get(PLANS).by(Member).await;
    assert!(is_stale(&first), "{}", first.text);
    let refused = app.until_seen(PLANS, |it| it.status != 200).await;
    refused.refused(502, "INVALID_CREDENTIALS");
    let asked = app.vendor_calls("GET", "/v2/sizes");
    app.clock.advance(HOUR);
    for _ in 0..10 {
        let refused = app.get(PLANS).by(Member).await;
        refused.refused(502, "INVALID_CREDENTIALS");
    }
    assert_eq!(app.vendor_calls("GET", "/v2/sizes"), asked);
    app.get("/api/auth/me").by(Member).await.ok();
}

#[tokio::test]
async fn a_refused_create_has_the_contradicted_plans_read_anew() {
    let app = app().await;
    app.get(PLANS).by(Member).await.ok();
    app.clock.advance(Duration::from_secs(90));
    app.spoil(
        "/v2/droplets",
        Effect {
            status: Some(422),
            body: Some(json!({
                "id": "unprocessable_entity", "message": "You specified an invalid size",
            })),
            ..Effect::default()
        },
    );
    let mut request = wanted("refused");
    request["wait"] = json!(30);
    let refused = app.post("/api/vps").by(Member).json(&request).await;
    refused.refused(400, "VALIDATION_ERROR");
    assert!(is_stale(&app.get(PLANS).by(Member).await));
    app.until_seen(PLANS, |it| !is_stale(it)).await;
    assert_eq!(app.vendor_calls("GET", "/v2/sizes"), 2);
}

#[tokio::test]
async fn a_new_account_is_warm_before_anybody_asks() {
    let app = TestApp::start_idle().await;
    let keeper = Keeper::start(&app.platform);
    let id = app.register().await;
    let cache = format!("/api/admin/providers/{id}/cache");
    let deadline = Instant::now() + Duration::from_secs(30);
    loop {
        let kept = app.get(&cache).by(Operator).await.ok();
        let kept = kept.at("/catalogues");
        if kept
            .as_array()
            .unwrap()
            .iter()
            .all(|it| it["items"].is_u64())
        {
            break;
        }
        assert!(Instant::now() < deadline, "{kept}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    app.get(PLANS).by(Member).await.ok();
    assert_eq!(app.vendor_calls("GET", "/v2/sizes"), 1);
    keeper.stop().await;
}
