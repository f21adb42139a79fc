//! The stub's suite, and what its builder refuses.
#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on panics, in its fixtures too"
)]

use roadstead_aws::{Aws, AwsBuilder, AwsConfig};
use roadstead_conformance::stub_suite;
use roadstead_core::{CreateGuarantee, ErrorKind, Provider, Secret};

const SECRET: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";

fn config(id: &str, secret: &str) -> AwsConfig {
    AwsConfig {
        access_key_id: id.into(),
        secret_access_key: Secret::from(secret),
        endpoint: Some("http://127.0.0.1:9".into()),
    }
}

fn aws() -> Aws {
    AwsBuilder::new(config("AKIAIOSFODNN7EXAMPLE", SECRET))
        .build()
        .unwrap()
}

stub_suite!(aws());

#[test]
fn an_empty_key_is_no_token_and_a_broken_one_is_invalid() {
    for (id, secret, kind) in [
        ("", SECRET, ErrorKind::NoToken),
        ("AKIA", "", ErrorKind::NoToken),
        ("AKIA", "two\r\nlines", ErrorKind::Invalid),
    ] {
        let error = AwsBuilder::new(config(id, secret)).build().unwrap_err();
        assert_eq!(error.kind, kind, "{error}");
        assert!(!error.to_string().contains("lines"), "{error}");
    }
}

#[test]
fn nothing_shows_the_secret_key() {
    let config = config("AKIAIOSFODNN7EXAMPLE", SECRET);
    let builder = AwsBuilder::new(config.clone()).with_endpoint("https://ec2.example.com");
    let shown = format!(
        "{config:?} {builder:?} {:?}",
        builder.clone().build().unwrap()
    );
    assert!(!shown.contains(SECRET), "{shown}");
}

#[test]
fn a_repeated_token_is_what_the_vendor_will_promise() {
    assert_eq!(aws().descriptor().create_guarantee, CreateGuarantee::Token);
    assert!(aws().native().downcast_ref::<Aws>().is_some());
}
