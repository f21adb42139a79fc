//! Keeps secrets out of the vendor's words before those reach a log.

use std::fmt;

use roadstead_core::Secret;

/// How much of the vendor's words is kept.
const WORDS_MAX: usize = 2048;

/// The shortest run of letters and digits that could be a token.
const TOKEN_LEN: usize = 24;

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
    pub fn new(secrets: Vec<Secret<String>>) -> Self {
        Self(secrets)
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
}
