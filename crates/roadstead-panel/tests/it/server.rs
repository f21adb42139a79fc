//! The pages about one server, from its creation to its end.

use std::time::Duration;

use roadstead_core::InstanceId;

use crate::app::{Setup, TestApp};
use crate::people::{Member, PASSWORD, Stranger, Viewer};
use crate::reply::Reply;

/// How a server shows what it is doing.
fn badge(tone: &str, word: &str) -> String {
    format!(r#"<span class="badge {tone}">{word}</span>"#)
}

struct Running {
    app: TestApp,
    id: InstanceId,
    path: String,
}

impl Running {
    /// Starts with a server that runs.
    async fn start() -> Self {
        let setup = Setup {
            workers: 1,
            ..Setup::default()
        };
        let app = TestApp::start_with(setup).await;
        app.stock().await;
        let id = app.create("web-1").await;
        let path = format!("/servers/{id}");
        let it = Self { app, id, path };
        it.until("ok", "Running").await;
        it
    }

    /// Waits until the server is seen to do something, and nothing is being done to it.
    async fn until(&self, tone: &str, word: &str) -> Reply {
        loop {
            let page = self.app.until(&self.path, Member, &badge(tone, word)).await;
            if page.attributes("#live", "data-refresh") != ["2"] {
                return page;
            }
        }
    }

    async fn get(&self, page: &str) -> Reply {
        self.app
            .get(&format!("{}{page}", self.path))
            .by(Member)
            .await
    }

    async fn post(&self, page: &str, fields: &[(&str, &str)]) -> Reply {
        let path = format!("{}{page}", self.path);
        self.app.post(&path, fields).by(Member).await
    }
}

#[tokio::test]
async fn a_server_that_was_just_accepted_shows_its_steps() {
    let app = TestApp::start_stocked().await;
    let id = app.create("web-1").await;
    let path = format!("/servers/{id}");
    let page = app.get(&path).by(Viewer).await.expect(200);
    assert_eq!(page.texts("h1"), ["web-1"]);
    assert_eq!(page.texts(".panel-head .badge"), ["Being created"]);
    let steps = page.texts(".timeline li");
    assert_eq!(steps.len(), 4, "{steps:?}");
    assert!(steps[0].starts_with("Accepted here , done"), "{steps:?}");
    assert!(steps[1].ends_with("under way"), "{steps:?}");
    assert_eq!(page.attributes("#live", "data-refresh"), ["2"]);
    assert_eq!(
        page.attributes("#live", "data-src"),
        [format!("{path}/live")]
    );
    assert_eq!(
        page.texts("[role=status]#said"),
        ["Create: waits to be sent"]
    );
    assert!(page.text.contains("no address yet"), "{}", page.text);
    // Whoever may only look is offered nothing else.
    assert!(
        page.attributes("a[href$=delete], a[href*=power]", "href")
            .is_empty()
    );
    let quiet = app
        .get(&path)
        .by(Member)
        .cookie("roadstead_live", "off")
        .await;
    assert!(
        quiet
            .attributes("[data-refresh], [data-src]", "id")
            .is_empty()
    );
}

#[tokio::test]
async fn a_running_server_can_be_reached_and_says_what_it_costs() {
    let it = Running::start().await;
    let page = it.get("").await.expect(200);
    let ssh = &page.texts("#ssh")[0];
    let addresses = page.texts("dd code[id^=address-]");
    assert_eq!(addresses.len(), 2, "{addresses:?}");
    assert!(
        addresses.iter().any(|it| *ssh == format!("ssh root@{it}")),
        "{ssh}"
    );
    assert_eq!(page.texts(".price"), ["$6.00"]);
    assert_eq!(page.attributes("#live", "data-refresh"), ["10"]);
    assert_eq!(page.texts("#said"), ["The server is running"]);
    let fragment = it.get("/live").await.expect(200);
    assert!(
        fragment.text.starts_with(r#"<div id="live""#),
        "{}",
        fragment.text
    );
    assert!(!fragment.text.contains("<html"));
}

#[tokio::test]
async fn power_is_asked_for_once_and_only_as_it_fits() {
    let it = Running::start().await;
    let page = it.get("").await;
    let offered = page.texts("#live .buttons a");
    assert_eq!(offered, ["Reboot…", "Shut down…", "Cut the power…"]);
    let asked = it.get("/power/shutdown").await.expect(200);
    assert!(
        asked.text.contains("costs as much as a running one"),
        "{}",
        asked.text
    );
    let key = asked.attributes("main input[name=_key]", "value");
    let form = [("_key", key[0].as_str())];
    let (one, two) = tokio::join!(
        it.post("/power/shutdown", &form),
        it.post("/power/shutdown", &form),
    );
    one.leads_to(&it.path);
    two.leads_to(&it.path);
    let page = it.until("quiet", "Stopped").await;
    assert_eq!(page.texts("#live .buttons a"), ["Switch on…"]);
    let shutdowns = page.texts(".log li");
    let shutdowns = shutdowns.iter().filter(|it| it.starts_with("Shut down"));
    assert_eq!(shutdowns.count(), 1, "{}", page.text);

    let refused = it.post("/power/reboot", &[]).await.expect(422);
    assert!(refused.text.contains("boot it instead"), "{}", refused.text);
    assert!(refused.text.contains("CONFLICT"), "{}", refused.text);
    it.post("/power/boot", &[]).await.leads_to(&it.path);
    it.until("ok", "Running").await;
}

#[tokio::test]
async fn label_tags_and_notes_are_changed_and_kept_when_they_are_wrong() {
    let it = Running::start().await;
    let page = it.get("/settings").await.expect(200);
    assert_eq!(page.attributes("#field-label", "value"), ["web-1"]);
    let wrong = [
        ("label", "not a name!"),
        ("tags", "a, b"),
        ("notes", "\nby hand\n"),
    ];
    let reply = it.post("/settings", &wrong).await;
    assert!(!reply.mistake("label").is_empty());
    assert_eq!(reply.attributes("#field-tags", "value"), ["a, b"]);
    assert!(reply.text.starts_with("<!DOCTYPE html>"));
    assert_eq!(
        reply.texts("title"),
        ["Error: Settings of web-1 · Roadstead"]
    );

    let right = [
        ("label", "web-2"),
        ("tags", " blue,, green "),
        ("notes", "by hand"),
    ];
    let settings = format!("{}/settings", it.path);
    it.post("/settings", &right).await.leads_to(&settings);
    let page = it.get("").await;
    assert_eq!(page.texts("h1"), ["web-2"]);
    assert_eq!(page.texts(".tags li"), ["blue", "green"]);
    assert_eq!(page.texts(".notes"), ["by hand"]);
    it.app.post(&settings, &right).by(Viewer).await.expect(403);
}

#[tokio::test]
async fn a_server_is_deleted_only_by_its_label() {
    let it = Running::start().await;
    let page = it.get("/delete").await.expect(200);
    assert!(page.text.contains("This cannot be undone"), "{}", page.text);
    assert!(
        page.text.contains("given back and may go to somebody else"),
        "{}",
        page.text
    );
    assert!(page.attributes("#field-password", "name").is_empty());
    for typed in ["", "web", "WEB-1"] {
        let reply = it.post("/delete", &[("typed", typed)]).await;
        assert!(reply.mistake("typed").contains("web-1"));
    }
    it.until("ok", "Running").await;
    it.post("/delete", &[("typed", " web-1 ")])
        .await
        .leads_to(&it.path);
    let page = it.until("quiet", "Deleted").await;
    assert!(
        page.attributes("a[href$=delete], a[href$=settings]", "href")
            .is_empty()
    );
    assert!(page.attributes("#live", "data-refresh").is_empty());
    let list = it.app.get("/").by(Member).await;
    assert!(!list.text.contains("web-1"), "{}", list.text);
}

#[tokio::test]
async fn what_cannot_be_undone_needs_a_fresh_login() {
    let it = Running::start().await;
    let old = it.app.token(Member).await;
    it.app.clock.advance(Duration::from_mins(16));
    for page in ["/delete", "/rebuild"] {
        let shown = it.get(page).await.expect(200);
        assert_eq!(shown.attributes("#field-password", "name"), ["password"]);
        let typed = [("typed", "web-1"), ("image", "debian-12-x64")];
        let reply = it.post(page, &typed).await;
        assert!(reply.mistake("password").contains("once more"));
        let wrong = [typed[0], typed[1], ("password", "wrong horse")];
        let reply = it.post(page, &wrong).await;
        assert!(reply.mistake("password").contains("not your password"));
        assert!(!reply.text.contains("wrong horse"));
    }
    it.until("ok", "Running").await;
    // What can be undone does not.
    it.get("/power/reboot").await.expect(200);

    let right = [("typed", "web-1"), ("password", PASSWORD)];
    let done = it.post("/delete", &right).await.leads_to(&it.path);
    let fresh = done.cookie_value("roadstead_session");
    assert_ne!(fresh, old);
    let page = it
        .app
        .get(&it.path)
        .cookie("roadstead_session", &fresh)
        .await;
    page.expect(200);
    // The old one has ended with it.
    it.app
        .get("/")
        .cookie("roadstead_session", &old)
        .await
        .leads_to("/login");
}

#[tokio::test]
async fn a_plan_is_changed_with_both_prices_in_sight() {
    let it = Running::start().await;
    let list = it.get("/resize").await.expect(200);
    assert!(
        list.text.contains("has to be shut down first"),
        "{}",
        list.text
    );
    let refused = list.texts("tr:has(input[disabled])");
    assert!(
        refused.iter().any(|it| it.contains("it has this plan")),
        "{refused:?}"
    );

    let chosen = it.get("/resize?type=s-2vcpu-2gb").await.expect(200);
    assert!(chosen.text.contains("+$12.00"), "{}", chosen.text);
    let seen = chosen.attributes("input[name=price_seen]", "value");
    let form = [("type", "s-2vcpu-2gb"), ("price_seen", &*seen[0])];
    let reply = it.post("/resize", &form).await.expect(422);
    assert!(reply.text.contains("shut it down first"), "{}", reply.text);
    let stale = [("type", "s-2vcpu-2gb"), ("price_seen", "$1.00")];
    let reply = it.post("/resize", &stale).await.expect(422);
    assert!(reply.text.contains("price has changed"), "{}", reply.text);

    it.post("/power/shutdown", &[]).await.leads_to(&it.path);
    it.until("quiet", "Stopped").await;
    it.post("/resize", &form).await.leads_to(&it.path);
    let page = it.app.until(&it.path, Member, "<dd>s-2vcpu-2gb</dd>").await;
    assert_eq!(page.texts(".price"), ["$18.00"]);
}

#[tokio::test]
async fn a_server_is_rebuilt_from_an_image_of_the_provider() {
    let it = Running::start().await;
    let page = it.get("/rebuild").await.expect(200);
    let images = page.attributes("#field-image option", "value");
    assert!(images.iter().any(|it| it == "debian-12-x64"), "{images:?}");
    let reply = it
        .post("/rebuild", &[("image", "beos-5"), ("typed", "web-1")])
        .await;
    assert!(reply.mistake("image").contains("beos-5"));
    let right = [("image", "debian-12-x64"), ("typed", "web-1")];
    it.post("/rebuild", &right).await.leads_to(&it.path);
    it.app
        .until(&it.path, Member, "<dd>debian-12-x64</dd>")
        .await;
}

#[tokio::test]
async fn nobody_else_finds_it() {
    let it = Running::start().await;
    for page in [
        "",
        "/live",
        "/activity",
        "/settings",
        "/delete",
        "/power/reboot",
    ] {
        let path = format!("{}{page}", it.path);
        let reply = it.app.get(&path).by(Stranger).await.expect(404);
        assert!(!reply.text.contains("web-1"), "{path}");
    }
    let delete = format!("{}/delete", it.path);
    it.app
        .post(&delete, &[("typed", "web-1")])
        .by(Stranger)
        .await
        .expect(404);
    let activity = it.get("/activity").await.expect(200);
    assert!(
        activity.text.contains("member@test.example"),
        "{}",
        activity.text
    );
    assert!(activity.text.contains(&it.id.to_string()));
}
