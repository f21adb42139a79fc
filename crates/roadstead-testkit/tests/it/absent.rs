//! A secret is recognized in the forms in which it leaks.

use std::panic::catch_unwind;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use roadstead_testkit::{assert_absent, canary};

fn is_found(secret: &str, bytes: &[u8]) -> bool {
    catch_unwind(|| assert_absent(secret, bytes)).is_err()
}

#[test]
fn two_canaries_differ_and_say_their_name() {
    let (one, two) = (canary("token"), canary("token"));
    assert_ne!(one, two);
    assert!(one.contains("token"));
    assert!(!is_found(&one, two.as_bytes()));
}

#[test]
fn a_secret_is_found_in_every_form() {
    let secret = canary("root/password+1");
    let hex: String = secret.bytes().map(|it| format!("{it:02X}")).collect();
    let percent: String = url::form_urlencoded::byte_serialize(secret.as_bytes()).collect();
    for form in [secret.clone(), secret.to_uppercase(), hex, percent] {
        assert!(
            is_found(&secret, format!("before {form} after").as_bytes()),
            "{form}"
        );
    }
}

#[test]
fn a_secret_is_found_in_base64_wherever_it_begins() {
    let secret = canary("token");
    for before in ["", "u", "us", "user:"] {
        let text = STANDARD.encode(format!("{before}{secret}:after"));
        assert!(is_found(&secret, text.as_bytes()), "{before}");
    }
}

#[test]
fn other_bytes_are_clean() {
    assert!(!is_found(&canary("token"), b""));
    assert!(!is_found(
        &canary("token"),
        &[0_u8, 159, 146, 150].repeat(1000)
    ));
}
