//! Reading public keys in OpenSSH form, strictly: what is kept is what every vendor takes.

use aws_lc_rs::digest;
use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

/// The longest text that is read at all. A key of RSA's largest size has 2,800 characters.
const LONGEST: usize = 8192;

/// The longest comment.
const LONGEST_COMMENT: usize = 255;

/// The least modulus of an RSA key, in bits.
const LEAST_RSA: usize = 2048;

/// The largest, which is also OpenSSH's.
const LARGEST_RSA: usize = 16_384;

/// The algorithms that are accepted.
const KINDS: [&str; 7] = [
    "ssh-ed25519",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "ssh-rsa",
    "sk-ssh-ed25519@openssh.com",
    "sk-ecdsa-sha2-nistp256@openssh.com",
];

const PRIVATE: &str = "this is a private key, which nobody else should ever see: consider it \
    leaked and make a new one; what belongs here is the public key, in the file that ends in `.pub`";

const OTHER_FORM: &str =
    "this public key is in another form; `ssh-keygen -i -f FILE` prints it in OpenSSH's";

const NO_KEY: &str = "this is no public key in OpenSSH form, which is one line such as \
    `ssh-ed25519 AAAA… you@example.org`";

const BROKEN: &str = "the key is cut off or was changed: copy the whole line again";

/// With or without its padding, which some programs leave out.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// A public key, taken apart and written anew.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PublicKey {
    /// Its algorithm.
    pub(crate) kind: &'static str,
    /// Algorithm and key, one space between them.
    pub(crate) text: String,
    /// What followed, as the owner wrote it; may be empty.
    pub(crate) comment: String,
    /// SHA-256 of the key, as `ssh-keygen -l` prints it.
    pub(crate) fingerprint: String,
}

impl PublicKey {
    /// Reads a key. A refusal is a sentence for people, and repeats nothing of the text.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        if looks_private(text) {
            return Err(PRIVATE.to_owned());
        }
        if text.starts_with("---- BEGIN SSH2 PUBLIC KEY") || text.starts_with("-----BEGIN") {
            return Err(OTHER_FORM.to_owned());
        }
        if text.len() > LONGEST {
            return Err(format!("a public key has at most {LONGEST} characters"));
        }
        if text.contains(['\n', '\r']) {
            return Err("give one key, on one line".to_owned());
        }
        let (word, rest) = text.split_once([' ', '\t']).unwrap_or((text, ""));
        let kind = kind(word)?;
        let rest = rest.trim_start();
        let (body, comment) = rest.split_once([' ', '\t']).unwrap_or((rest, ""));
        let bytes = BASE64
            .decode(body)
            .map_err(|_no_base64| BROKEN.to_owned())?;
        check(kind, &bytes)?;
        let comment = comment.trim();
        if comment.chars().count() > LONGEST_COMMENT || comment.chars().any(char::is_control) {
            return Err(format!(
                "the comment behind the key has at most {LONGEST_COMMENT} visible characters"
            ));
        }
        let hash = BASE64.encode(digest::digest(&digest::SHA256, &bytes));
        Ok(Self {
            kind,
            text: format!("{kind} {}", BASE64.encode(&bytes)),
            comment: comment.to_owned(),
            fingerprint: format!("SHA256:{}", hash.trim_end_matches('=')),
        })
    }

    /// Returns the key with its comment, as it stands in an `authorized_keys` file.
    pub(crate) fn line(&self) -> String {
        if self.comment.is_empty() {
            self.text.clone()
        } else {
            format!("{} {}", self.text, self.comment)
        }
    }
}

/// Returns whether a text is meant as a key, and not as a vendor's id of one.
pub(crate) fn is_meant_as_key(text: &str) -> bool {
    let text = text.trim();
    let words = ["ssh-", "ecdsa-", "sk-", "----"];
    looks_private(text)
        || words.iter().any(|it| text.starts_with(it))
        || text.contains([' ', '\t', '\n', '\r'])
}

fn looks_private(text: &str) -> bool {
    text.contains("PRIVATE KEY")
        || text.starts_with("PuTTY-User-Key-File")
        || text.starts_with("AGE-SECRET-KEY-")
}

fn kind(word: &str) -> Result<&'static str, String> {
    if let Some(kind) = KINDS.iter().find(|it| **it == word) {
        return Ok(kind);
    }
    let accepted = KINDS.join(", ");
    if word == "ssh-dss" {
        return Err(format!(
            "DSA keys are too weak, and servers refuse them; use one of {accepted}"
        ));
    }
    if word.contains("-cert-v") {
        return Err("this is a certificate; give the public key that it was made for".to_owned());
    }
    let of_keys = ["ssh-", "ecdsa-", "sk-"];
    if of_keys.iter().any(|it| word.starts_with(it)) {
        return Err(format!(
            "keys of this kind are not accepted; use one of {accepted}"
        ));
    }
    Err(NO_KEY.to_owned())
}

/// Checks that the bytes are a key of this kind and nothing else.
fn check(kind: &str, bytes: &[u8]) -> Result<(), String> {
    let mut wire = Wire(bytes);
    let whole = (|| {
        if wire.string()? != kind.as_bytes() {
            return None;
        }
        let rsa = match kind {
            "ssh-ed25519" | "sk-ssh-ed25519@openssh.com" => {
                (wire.string()?.len() == 32).then_some(())?;
                None
            }
            "ssh-rsa" => Some((wire.number()?, wire.number()?)),
            // What is left are points of a curve, whose name the kind holds.
            _ => {
                let curve = wire.string()?;
                let half = match curve {
                    b"nistp256" => 32,
                    b"nistp384" => 48,
                    b"nistp521" => 66,
                    _ => return None,
                };
                let (name, _) = kind.split_once('@').unwrap_or((kind, ""));
                name.as_bytes().ends_with(curve).then_some(())?;
                let point = wire.string()?;
                (point.len() == 1 + 2 * half && point.first() == Some(&4)).then_some(())?;
                None
            }
        };
        if kind.starts_with("sk-") {
            // For which application the key was made; mostly `ssh:`.
            let application = wire.string()?;
            (!application.is_empty()).then_some(())?;
        }
        wire.0.is_empty().then_some(rsa)
    })();
    match whole {
        None => Err(BROKEN.to_owned()),
        Some(Some((exponent, modulus))) => check_rsa(exponent, modulus),
        Some(None) => Ok(()),
    }
}

fn check_rsa(exponent: &[u8], modulus: &[u8]) -> Result<(), String> {
    let size = bits(modulus);
    if size < LEAST_RSA {
        return Err(format!(
            "this RSA key has {size} bits, and fewer than {LEAST_RSA} are too weak; an Ed25519 key \
             (`ssh-keygen -t ed25519`) is shorter and stronger"
        ));
    }
    if size > LARGEST_RSA {
        return Err(format!("an RSA key has at most {LARGEST_RSA} bits"));
    }
    let odd = |it: &[u8]| it.last().is_some_and(|it| it % 2 == 1);
    if odd(exponent) && bits(exponent) > 1 && odd(modulus) {
        Ok(())
    } else {
        Err(BROKEN.to_owned())
    }
}

/// Returns the size of a number without leading zeros.
fn bits(number: &[u8]) -> usize {
    let unused = number.first().map_or(0, |it| it.leading_zeros());
    let unused = usize::try_from(unused).unwrap_or_default();
    (number.len() * 8).saturating_sub(unused)
}

/// SSH's binary form: each part behind its length.
struct Wire<'a>(&'a [u8]);

impl<'a> Wire<'a> {
    fn string(&mut self) -> Option<&'a [u8]> {
        let (length, rest) = self.0.split_first_chunk::<4>()?;
        let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
        let (string, rest) = rest.split_at_checked(length)?;
        self.0 = rest;
        Some(string)
    }

    /// Reads a number above zero in its one right spelling, and returns it without its sign.
    fn number(&mut self) -> Option<&'a [u8]> {
        match self.string()? {
            [0, rest @ ..] if rest.first().is_some_and(|it| *it >= 128) => Some(rest),
            number if number.first().is_some_and(|it| (1..128).contains(it)) => Some(number),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests;
