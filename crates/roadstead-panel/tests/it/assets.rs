//! The style sheet and the script: small, kept by browsers, and not needed.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use roadstead_panel::{SCRIPT, STYLE};

use crate::app::TestApp;
use crate::people::Member;

fn compressed(bytes: &[u8]) -> usize {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap().len()
}

#[test]
fn the_assets_are_small() {
    let (style, script) = (compressed(STYLE), compressed(SCRIPT));
    assert!(style <= 8_000, "{style} bytes of style");
    assert!(script <= 4_000, "{script} bytes of script");
}

#[tokio::test]
async fn a_first_visit_costs_three_small_answers() {
    let app = TestApp::start_stocked().await;
    for number in 0..20 {
        app.create(&format!("web-{number}")).await;
    }
    let gzip = ("accept-encoding", "gzip");
    let page = app
        .get("/")
        .by(Member)
        .header(gzip.0, gzip.1)
        .await
        .expect(200);
    let plain = app.get("/").by(Member).await;
    let mut size = page.bytes.len();
    let links = [("link[rel=stylesheet]", "href"), ("script", "src")];
    for (selector, attribute) in links {
        let [asset] = &plain.attributes(selector, attribute)[..] else {
            panic!("not one of {selector}");
        };
        let asset = app.get(asset).header(gzip.0, gzip.1).await.expect(200);
        assert_eq!(asset.header("content-encoding"), "gzip");
        assert_eq!(
            asset.header("cache-control"),
            "public, max-age=31536000, immutable"
        );
        size += asset.bytes.len();
    }
    // Nothing else is loaded: the icon is in the page.
    for (selector, attribute) in [("link:not([rel=stylesheet])", "href"), ("img", "src")] {
        for address in plain.attributes(selector, attribute) {
            assert!(address.starts_with("data:"), "{address}");
        }
    }
    assert!(size <= 25_000, "{size} bytes");
}

#[tokio::test]
async fn the_script_makes_no_markup_but_through_its_policy() {
    let script = std::str::from_utf8(SCRIPT).unwrap();
    for sink in [
        "innerHTML",
        "outerHTML",
        "insertAdjacentHTML",
        "document.write",
        "eval(",
        "Function(",
    ] {
        assert!(!script.contains(sink), "{sink}");
    }
    assert_eq!(script.matches("parseFromString(policy.").count(), 1);
    assert_eq!(script.matches("parseFromString").count(), 1);
}
