//! Keeps secrets out of the vendor's words before those reach a log.

use std::collections::BTreeSet;
use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use roadstead_core::Secret;
use serde_json::Value;

/// How much of the vendor's words is kept.
const WORDS_MAX: usize = 2048;

/// The shortest run of letters and digits that could be a token.
const TOKEN_LEN: usize = 24;

/// A shorter secret would blot out half of any sentence, and protects nothing.
const SECRET_MIN: usize = 4;

/// The shortest word out of a longer secret that is kept out by itself.
const WORD_MIN: usize = 8;

const BLOT: &str = "***";

/// The vendor's own words: redacted, shortened, and for the log only.
#[derive(Clone, PartialEq, Eq)]
pub struct VendorWords(Box<str>);

impl fmt::Display for VendorWords {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for VendorWords {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl std::error::Error for VendorWords {}

/// Blots out known secrets and whatever looks like one.
#[derive(Clone, Debug)]
pub struct Redactor(Vec<Secret<String>>);

impl Redactor {
    /// Makes one for these secrets.
    #[must_use]
    pub fn new(mut secrets: Vec<Secret<String>>) -> Self {
        // The longest first: where one holds another, nothing of it may stay around the blot.
        secrets.sort_by_key(|it| std::cmp::Reverse(it.expose().len()));
        Self(secrets)
    }

    /// Returns whether a text that is kept as it is, such as an id, holds none of the secrets. It
    /// may well look like one.
    #[must_use]
    pub fn is_clean(&self, text: &str) -> bool {
        let mut secrets = self.0.iter().filter(|it| !it.expose().is_empty());
        !secrets.any(|it| text.contains(it.expose().as_str()))
    }

    /// Returns what may be logged of a body.
    #[must_use]
    pub fn words(&self, body: &[u8]) -> VendorWords {
        // A secret across the cut must not survive in half, so the cut comes last.
        let body = body.get(..WORDS_MAX * 4).unwrap_or(body);
        let mut text = String::from_utf8_lossy(body).into_owned();
        for secret in self.0.iter().filter(|it| !it.expose().is_empty()) {
            text = text.replace(secret.expose().as_str(), BLOT);
        }
        let mut clean = blot_tokens(&text);
        let end = clean.floor_char_boundary(WORDS_MAX);
        clean.truncate(end);
        VendorWords(clean.into())
    }
}

/// Returns the texts under some members of a JSON body, and what a vendor may make of them when
/// it complains: decoded, escaped, or one word of many.
pub(crate) fn forms_of(body: &Value, members: &[&str]) -> Vec<Secret<String>> {
    let mut texts = Vec::new();
    gather(body, members, false, &mut texts);
    let decoded: Vec<_> = texts
        .iter()
        .filter_map(|it| String::from_utf8(STANDARD.decode(it).ok()?).ok())
        .collect();
    texts.extend(decoded);
    let mut forms = BTreeSet::new();
    for text in &texts {
        forms.extend(text.split_whitespace().filter(|it| it.len() >= WORD_MIN));
    }
    let mut forms: Vec<_> = forms.into_iter().map(Secret::from).collect();
    for text in texts.into_iter().filter(|it| it.len() >= SECRET_MIN) {
        let escaped = Value::from(text.as_str()).to_string();
        let escaped = escaped.trim_matches('"');
        if escaped != text {
            forms.push(Secret::from(escaped));
        }
        forms.push(Secret::new(text));
    }
    forms
}

fn gather(value: &Value, members: &[&str], secret: bool, texts: &mut Vec<String>) {
    match value {
        Value::String(text) if secret => texts.push(text.clone()),
        Value::Array(items) => items
            .iter()
            .for_each(|it| gather(it, members, secret, texts)),
        Value::Object(object) => object.iter().for_each(|(name, it)| {
            let secret = secret || members.contains(&name.as_str());
            gather(it, members, secret, texts);
        }),
        _ => {}
    }
}

/// Replaces long runs that mix letters and digits, password hashes (`$6$…`) and what
/// follows the word `Bearer`; control characters become spaces.
fn blot_tokens(text: &str) -> String {
    let mut clean = String::with_capacity(text.len().min(WORDS_MAX * 4));
    let mut after_bearer = false;
    for piece in text.split_inclusive(|it: char| !is_token_letter(it)) {
        let word = piece.trim_end_matches(|it: char| !is_token_letter(it));
        let rest = piece.get(word.len()..).unwrap_or_default();
        if (after_bearer && !word.is_empty()) || looks_like_a_secret(word) {
            clean.push_str(BLOT);
        } else {
            clean.push_str(word);
        }
        if !word.is_empty() {
            after_bearer = word.eq_ignore_ascii_case("bearer");
        }
        clean.extend(
            rest.chars()
                .map(|it| if it.is_control() { ' ' } else { it }),
        );
    }
    clean
}

fn is_token_letter(it: char) -> bool {
    it.is_ascii_alphanumeric() || matches!(it, '_' | '-' | '+' | '=' | '$')
}

fn looks_like_a_secret(word: &str) -> bool {
    let mixed = word.bytes().any(|it| it.is_ascii_digit())
        && word.bytes().any(|it| it.is_ascii_alphabetic());
    let hash = word.starts_with('$') && word.bytes().filter(|it| *it == b'$').count() >= 3;
    hash || (mixed && word.len() >= TOKEN_LEN && !is_uuid(word))
}

/// Request ids are UUIDs, and the log needs them.
fn is_uuid(word: &str) -> bool {
    word.len() == 36
        && word.bytes().enumerate().all(|(at, it)| match at {
            8 | 13 | 18 | 23 => it == b'-',
            _ => it.is_ascii_hexdigit(),
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> String {
        Redactor::new(vec![Secret::from("hunter2")])
            .words(text.as_bytes())
            .to_string()
    }

    #[test]
    fn secrets_are_blotted_out_and_plain_words_stay() {
        assert_eq!(words("token hunter2 is bad"), "token *** is bad");
        assert_eq!(
            words("unknown abc_v1_0123456789abcdef0123456789"),
            "unknown ***"
        );
        assert_eq!(
            words("Authorization: Bearer short1"),
            "Authorization: Bearer ***"
        );
        assert_eq!(words("a $6$rounds=5000$salt$h b"), "a *** b");
        let id = "request 760e09ef-dc84-11e8-981e-3cfdfeaae000 at s-1vcpu-1gb";
        assert_eq!(words(id), id);
        assert_eq!(words("two\r\nlines"), "two  lines");
    }

    #[test]
    fn long_words_are_cut_and_no_half_secret_stays_at_the_cut() {
        let text = format!("{}{}", "é ".repeat(680), "hunter2 ".repeat(200));
        let kept = words(&text);
        assert!(kept.len() <= WORDS_MAX && !kept.contains("hunt"), "{kept}");
    }
    #[test]
    fn what_was_sent_is_kept_out_in_the_forms_in_which_it_may_come_back() {
        let script = "#!/bin/sh\necho \"pass-word-9\"\n";
        let body = serde_json::json!({
            "label": "web-server", "root_pass": "short 1", "tags": ["web-server"],
            "metadata": { "user_data": STANDARD.encode(script) },
            "stackscript_data": { "db": ["p\"w\u{e9}"], "empty": "", "yes": "no" },
        });
        let members = ["root_pass", "user_data", "stackscript_data"];
        let redactor = Redactor::new(forms_of(&body, &members));
        for (said, kept) in [
            ("root_pass `short 1` is weak", "root_pass `***` is weak"),
            (
                "line 2: echo \"pass-word-9\" is odd",
                "line 2: echo *** is odd",
            ),
            ("not valid: p\\\"w\u{e9}!", "not valid: ***!"),
            ("web-server is no name", "web-server is no name"),
        ] {
            assert_eq!(redactor.words(said.as_bytes()).to_string(), kept);
        }
        let whole = format!("{} and {script}", STANDARD.encode(script));
        let kept = redactor.words(whole.as_bytes()).to_string();
        assert_eq!(kept, "*** and ***");
        assert!(redactor.is_clean("760e09ef-dc84-11e8-981e-3cfdfeaae000"));
        assert!(!redactor.is_clean("id-short 1"));
    }

    #[test]
    fn of_two_secrets_the_one_within_the_other_leaves_nothing_of_it() {
        let redactor = Redactor::new(vec![Secret::from("hunter"), Secret::from("hunter-two")]);
        assert_eq!(redactor.words(b"a hunter-two b").to_string(), "a *** b");
    }
}
