//! A secret is recognized in the forms in which it leaks.

use std::panic::catch_unwind;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use roadstead_testkit::{Haystack, assert_absent, canary};

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

#[test]
fn a_secret_is_found_as_a_list_of_bytes() {
    let secret = canary("token");
    let shown = format!("Bind({:?})", secret.as_bytes());
    assert!(is_found(&secret, shown.as_bytes()), "{shown}");
    assert!(is_found(&secret, &serde_like(&secret)));
}

fn serde_like(secret: &str) -> Vec<u8> {
    let numbers: Vec<_> = secret.bytes().map(|it| it.to_string()).collect();
    format!("[{}]", numbers.join(",")).into_bytes()
}

#[test]
fn a_haystack_says_where_a_secret_is_and_that_it_would_see_one() {
    let (one, two) = (canary("one"), canary("two"));
    let secrets = [one.as_str(), two.as_str()];
    let mut haystack = Haystack::default();
    haystack.add("an answer", "nothing");
    haystack.add("an empty file", "");
    haystack.assert_clean(&secrets);
    haystack.add("a log", format!("token={two}"));
    let found = haystack.find(&secrets);
    assert_eq!(found.len(), 1);
    assert!(
        found[0].starts_with("a log: ") && found[0].contains(&two),
        "{found:?}"
    );
    assert!(catch_unwind(|| haystack.assert_clean(&secrets)).is_err());
    assert_eq!(
        haystack.places().collect::<Vec<_>>(),
        ["an answer", "an empty file", "a log"]
    );
}
