//! The SSH keys of an organization.

use crate::app::TestApp;
use crate::people::{Member, Stranger, Viewer};

/// Returns a public key of which there is one for each number.
pub(crate) fn public_key(number: u8) -> String {
    let mut bytes = b"\0\0\0\x0bssh-ed25519\0\0\0\x20".to_vec();
    bytes.extend([number; 32]);
    // 51 bytes have no padding.
    let digits = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let body: String = bytes
        .chunks(3)
        .flat_map(|it| {
            let bits = u32::from_be_bytes([0, it[0], it[1], it[2]]);
            [18, 12, 6, 0]
                .map(|shift| char::from(digits[usize::try_from(bits >> shift & 63).unwrap()]))
        })
        .collect();
    format!("ssh-ed25519 {body}")
}

#[tokio::test]
async fn a_key_is_added_seen_and_removed() {
    let app = TestApp::start().await;
    let key = format!("  {} ada@laptop\n", public_key(1));
    let fields = [("name", "laptop"), ("public_key", &*key)];
    let added = app
        .post("/ssh-keys", &fields)
        .by(Member)
        .await
        .leads_to("/ssh-keys");
    assert_eq!(added.cookie_value("roadstead_done"), "key_added");

    let page = app.get("/ssh-keys").by(Viewer).await.expect(200);
    assert!(
        page.texts("tbody code")[0].starts_with("SHA256:"),
        "{}",
        page.text
    );
    assert!(
        page.attributes("form[action='/ssh-keys']", "method")
            .is_empty()
    );
    assert!(page.attributes("a[href$=delete]", "href").is_empty());
    let others = app.get("/ssh-keys").by(Stranger).await.expect(200);
    assert!(!others.text.contains("laptop"));

    let again = app.post("/ssh-keys", &fields).by(Member).await.expect(422);
    assert!(again.text.contains("CONFLICT"), "{}", again.text);
    assert_eq!(again.attributes("#field-name", "value"), ["laptop"]);

    let page = app.get("/ssh-keys").by(Member).await.expect(200);
    let [delete] = &page.attributes("a[href$=delete]", "href")[..] else {
        panic!("{}", page.text);
    };
    let asked = app.get(delete).by(Member).await.expect(200);
    assert!(asked.text.contains("Remove the key laptop?"));
    app.post(delete, &[]).by(Member).await.leads_to("/ssh-keys");
    app.post(delete, &[]).by(Member).await.expect(404);
    let page = app.get("/ssh-keys").by(Member).await.expect(200);
    assert!(page.text.contains("No keys yet"), "{}", page.text);
}

#[tokio::test]
async fn what_is_no_key_is_said_beside_its_field() {
    let app = TestApp::start().await;
    let fields = [
        ("name", " "),
        ("public_key", "-----BEGIN OPENSSH PRIVATE KEY-----"),
    ];
    let reply = app.post("/ssh-keys", &fields).by(Member).await;
    reply.mistake("name");
    assert!(!reply.mistake("public_key").is_empty());
}

#[tokio::test]
async fn a_key_that_is_sent_twice_is_added_once() {
    let app = TestApp::start().await;
    let key = public_key(2);
    let fields = [
        ("name", "laptop"),
        ("public_key", &*key),
        ("_key", "0193a1f0-5c7e-7b3a-9d52-6f1c2e8a4b10"),
    ];
    let (one, two) = tokio::join!(
        async { app.post("/ssh-keys", &fields).by(Member).await },
        async { app.post("/ssh-keys", &fields).by(Member).await },
    );
    one.leads_to("/ssh-keys");
    two.leads_to("/ssh-keys");
    // The same form with something else in it is another one.
    let mut other = fields;
    other[0].1 = "desktop";
    let reply = app.post("/ssh-keys", &other).by(Member).await.expect(422);
    assert!(reply.text.contains("choose a new key"), "{}", reply.text);
    let page = app.get("/ssh-keys").by(Member).await.expect(200);
    assert_eq!(page.texts("tbody tr").len(), 1);
}
