//! The stub's suite, and what its builder refuses.
#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on panics, in its fixtures too"
)]

use roadstead_conformance::stub_suite;
use roadstead_core::{CreateGuarantee, ErrorKind, Provider, Secret};
use roadstead_gcp::{Gcp, GcpBuilder, GcpConfig};

const KEY: &str = r#"{"type": "service_account", "project_id": "p", "private_key": "canary-93"}"#;

fn config(key: &str) -> GcpConfig {
    GcpConfig {
        service_account_key: Secret::from(key),
        endpoint: Some("http://127.0.0.1:9".into()),
    }
}

fn gcp() -> Gcp {
    GcpBuilder::new(config(KEY)).build().unwrap()
}

stub_suite!(gcp());

#[test]
fn an_empty_key_is_no_token_and_a_broken_one_is_invalid() {
    for (key, kind) in [
        ("", ErrorKind::NoToken),
        (" \n", ErrorKind::NoToken),
        ("canary-93", ErrorKind::Invalid),
        (r#"{"private_key": "canary-93"}"#, ErrorKind::Invalid),
    ] {
        let error = GcpBuilder::new(config(key)).build().unwrap_err();
        assert_eq!(error.kind, kind, "{error}");
        assert!(!format!("{error} {error:?}").contains("canary"), "{error}");
    }
}

#[test]
fn nothing_shows_the_key() {
    let config = config(KEY);
    let builder = GcpBuilder::new(config.clone()).with_endpoint("https://compute.example.com");
    let shown = format!(
        "{config:?} {builder:?} {:?}",
        builder.clone().build().unwrap()
    );
    assert!(!shown.contains("canary"), "{shown}");
}

#[test]
fn a_unique_name_is_what_the_vendor_will_promise() {
    assert_eq!(
        gcp().descriptor().create_guarantee,
        CreateGuarantee::UniqueName
    );
    assert!(gcp().native().downcast_ref::<Gcp>().is_some());
}
