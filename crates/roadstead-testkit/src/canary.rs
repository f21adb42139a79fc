//! Secrets that can be recognized where they must not be.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use uuid::Uuid;

/// Returns a secret that occurs nowhere else, with `name` in it so that a
/// failure says which one leaked.
pub fn canary(name: &str) -> String {
    format!("canary-{name}-{}", Uuid::new_v4().simple())
}

/// Asserts that the secret is not in the bytes: neither as it is, nor in other
/// case, nor as hexadecimal, base64, percent-encoded or escaped text.
///
/// # Panics
///
/// Panics if it is, and says in which form and where.
#[track_caller]
pub fn assert_absent(canary: &str, bytes: &[u8]) {
    assert!(!canary.is_empty(), "an empty canary is everywhere");
    let lower = bytes.to_ascii_lowercase();
    for (form, needle) in forms(canary) {
        // Case is ignored in every form; an accidental match stays out of the
        // question at this length.
        let needle = needle.to_ascii_lowercase();
        if let Some(offset) = find(&lower, needle.as_bytes()) {
            panic!("the secret `{canary}` is in the bytes, as {form}, at offset {offset}");
        }
    }
}

fn forms(canary: &str) -> Vec<(&'static str, String)> {
    let mut forms = vec![
        ("itself", canary.to_owned()),
        (
            "hexadecimal",
            canary.bytes().map(|it| format!("{it:02x}")).collect(),
        ),
        ("percent-encoded text", percent(canary)),
        ("escaped text", canary.escape_default().to_string()),
    ];
    // Base64 spells a text in three ways, by where it begins within a group of
    // three bytes; what shares a group with a neighbor is cut off.
    for before in 0..3 {
        let mut padded = vec![0_u8; before];
        padded.extend(canary.bytes());
        padded.truncate(padded.len() / 3 * 3);
        for engine in [STANDARD_NO_PAD, URL_SAFE_NO_PAD] {
            let text = engine.encode(&padded);
            let own: String = text.chars().skip(if before == 0 { 0 } else { 4 }).collect();
            // Too little left would be found by accident.
            if own.len() >= 12 {
                forms.push(("base64", own));
            }
        }
    }
    forms
}

fn percent(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

fn find(bytes: &[u8], needle: &[u8]) -> Option<usize> {
    bytes.windows(needle.len()).position(|it| it == needle)
}
