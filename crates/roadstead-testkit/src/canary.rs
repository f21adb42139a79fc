//! Secrets that can be recognized where they must not be.

use aho_corasick::{AhoCorasick, MatchKind};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use uuid::Uuid;

/// Returns a secret that occurs nowhere else, with `name` in it so that a
/// failure says which one leaked.
pub fn canary(name: &str) -> String {
    format!("canary-{name}-{}", Uuid::new_v4().simple())
}

/// Asserts that the secret is not in the bytes: neither as it is, nor in other
/// case, nor as hexadecimal, base64, percent-encoded or escaped text, nor as a
/// list of numbers.
///
/// # Panics
///
/// Panics if it is, and says in which form and where.
#[track_caller]
pub fn assert_absent(canary: &str, bytes: &[u8]) {
    if let Some(found) = Search::of(&[canary]).find(bytes) {
        panic!("{found}");
    }
}

/// Everything that was seen, by where it was seen.
#[derive(Debug, Default)]
pub struct Haystack {
    pieces: Vec<(String, Vec<u8>)>,
}

impl Haystack {
    /// Adds what was seen somewhere.
    pub fn add(&mut self, place: impl Into<String>, bytes: impl Into<Vec<u8>>) {
        self.pieces.push((place.into(), bytes.into()));
    }

    /// Returns the places, in the order in which they were added.
    pub fn places(&self) -> impl Iterator<Item = &str> {
        self.pieces.iter().map(|it| it.0.as_str())
    }

    /// Returns where the secrets are, in words.
    pub fn find(&self, secrets: &[&str]) -> Vec<String> {
        let search = Search::of(secrets);
        let in_piece = |(place, bytes): &(String, Vec<u8>)| {
            search.find(bytes).map(|it| format!("{place}: {it}"))
        };
        self.pieces.iter().filter_map(in_piece).collect()
    }

    /// Asserts that none of the secrets is anywhere, and that the search would have seen it:
    /// planted in a copy of each piece, each is found.
    ///
    /// # Panics
    ///
    /// Panics with all that was found, or with what would have been missed.
    #[track_caller]
    pub fn assert_clean(&self, secrets: &[&str]) {
        let found = self.find(secrets);
        assert!(found.is_empty(), "secrets leaked:\n{}", found.join("\n"));
        let search = Search::of(secrets);
        for (number, (place, bytes)) in self.pieces.iter().enumerate() {
            let Some(secret) = secrets.get(number % secrets.len()) else {
                continue;
            };
            let mut copy = bytes.clone();
            let middle = copy.len() / 2;
            copy.splice(middle..middle, secret.bytes());
            let found = search.find(&copy);
            assert!(
                found.is_some_and(|it| it.contains(secret)),
                "a secret in `{place}` would not have been seen"
            );
        }
    }
}

/// All forms of all secrets, looked for in one go.
struct Search {
    automaton: AhoCorasick,
    /// What each needle is: a secret, and in which form.
    needles: Vec<(String, &'static str)>,
}

impl Search {
    fn of(secrets: &[&str]) -> Self {
        let mut needles = Vec::new();
        let mut texts = Vec::new();
        for secret in secrets {
            assert!(!secret.is_empty(), "an empty canary is everywhere");
            for (form, text) in forms(secret) {
                needles.push(((*secret).to_owned(), form));
                texts.push(text);
            }
        }
        // Case is ignored in every form; an accidental match stays out of the
        // question at this length.
        let automaton = AhoCorasick::builder()
            .ascii_case_insensitive(true)
            .match_kind(MatchKind::LeftmostLongest)
            .build(texts)
            .expect("a handful of texts makes an automaton");
        Self { automaton, needles }
    }

    fn find(&self, bytes: &[u8]) -> Option<String> {
        let found = self.automaton.find(bytes)?;
        let (secret, form) = self.needles.get(found.pattern().as_usize())?;
        let offset = found.start();
        Some(format!(
            "the secret `{secret}` is in the bytes, as {form}, at offset {offset}"
        ))
    }
}

fn forms(canary: &str) -> Vec<(&'static str, String)> {
    let numbers: Vec<_> = canary.bytes().map(|it| it.to_string()).collect();
    let mut forms = vec![
        ("itself", canary.to_owned()),
        (
            "hexadecimal",
            canary.bytes().map(|it| format!("{it:02x}")).collect(),
        ),
        ("percent-encoded text", percent(canary)),
        ("escaped text", canary.escape_default().to_string()),
        // As `Debug` shows bytes, and as JSON spells them.
        ("a list of numbers", numbers.join(", ")),
        ("a list of numbers", numbers.join(",")),
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
