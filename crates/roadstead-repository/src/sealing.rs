//! Secrets at rest: each sealed under a key of its own and bound to its row and column.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use aws_lc_rs::{hkdf, hmac, rand};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use roadstead_core::Secret;
use zeroize::Zeroizing;

use crate::error::{Error, Result};

const VERSION: u8 = 1;
const KEY_LEN: usize = 32;
const SALT_LEN: usize = 32;
/// Version, key id, salt. The nonce and the ciphertext with its tag follow.
const HEAD_LEN: usize = 1 + 4 + SALT_LEN;

/// The master keys of an installation. The one with the highest number seals; every one opens.
///
/// As text, one line is one key: `v1:` and 32 bytes in base64. Lines that begin with `#` are
/// comments. To rotate, add a line with the next number.
#[derive(Clone)]
pub struct Keyring {
    keys: Arc<BTreeMap<u32, Zeroizing<[u8; KEY_LEN]>>>,
    current: u32,
}

/// A sealed secret with the number of the key that sealed it.
#[derive(Debug)]
pub(crate) struct Sealed {
    pub(crate) bytes: Vec<u8>,
    pub(crate) key: i64,
}

impl Keyring {
    /// Makes a keyring with one fresh random key.
    ///
    /// # Errors
    ///
    /// [`Error::Sealing`] if the system gives no random bytes.
    pub fn generate() -> Result<Self> {
        let mut key = Zeroizing::new([0; KEY_LEN]);
        random(key.as_mut())?;
        Ok(Self {
            keys: Arc::new(BTreeMap::from([(1, key)])),
            current: 1,
        })
    }

    /// Reads the text of a key file.
    ///
    /// # Errors
    ///
    /// [`Error::Sealing`] names the first line that is no key, or says that there is none.
    pub fn parse(text: &str) -> Result<Self> {
        let mut keys = BTreeMap::new();
        for (number, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let (id, key) = key_of_line(line).map_err(|reason| {
                failure(format!(
                    "line {} of the key file {reason}",
                    number.saturating_add(1)
                ))
            })?;
            if keys.insert(id, key).is_some() {
                return Err(failure(format!("the key file holds two keys `v{id}`")));
            }
        }
        let Some((&current, _)) = keys.last_key_value() else {
            return Err(failure(
                "the key file holds no key: one line of it is `v1:` and 32 bytes in base64",
            ));
        };
        Ok(Self {
            keys: Arc::new(keys),
            current,
        })
    }

    /// Returns the text of a key file, in the form that [`Keyring::parse`] reads.
    #[must_use]
    pub fn to_text(&self) -> Secret<String> {
        let lines = self.keys.iter().map(|(id, key)| {
            let encoded = Zeroizing::new(STANDARD.encode(key.as_slice()));
            format!("v{id}:{}\n", *encoded)
        });
        Secret::new(lines.collect())
    }

    /// Returns the HMAC-SHA256 of some bytes under a key derived from the oldest master key, a
    /// different one for each domain. The oldest, so that adding a key changes no hash on record.
    #[must_use]
    pub fn hmac(&self, domain: &str, bytes: &[u8]) -> Vec<u8> {
        let Some(master) = self.keys.values().next() else {
            unreachable!("`generate` and `parse` make no empty keyring");
        };
        let prk = hkdf::Salt::new(hkdf::HKDF_SHA256, &[]).extract(master.as_slice());
        let info: [&[u8]; 2] = [b"roadstead/hmac/v1/", domain.as_bytes()];
        let mut key = Zeroizing::new([0; KEY_LEN]);
        let filled = prk
            .expand(&info, Length)
            .and_then(|it| it.fill(key.as_mut()));
        if filled.is_err() {
            unreachable!("HKDF-SHA256 gives up to 8160 bytes, and 32 are asked for");
        }
        hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key.as_slice()), bytes)
            .as_ref()
            .to_vec()
    }

    /// Seals a secret for one place, written `table/row/column`. It opens nowhere else.
    pub(crate) fn seal(&self, secret: &Secret<String>, place: &str) -> Result<Sealed> {
        let mut head = [0; HEAD_LEN];
        let (lead, salt) = head.split_at_mut(HEAD_LEN - SALT_LEN);
        lead.copy_from_slice(&lead_bytes(self.current));
        random(salt)?;
        let key = self.record_key(self.current, salt)?;
        let mut body = Zeroizing::new(secret.expose().as_bytes().to_vec());
        let nonce = key
            .seal_in_place_append_tag(Aad::from([&head, place.as_bytes()].concat()), &mut *body)
            .map_err(|_unspecified| failure("a secret could not be sealed"))?;
        let bytes = [head.as_slice(), nonce.as_ref(), &body].concat();
        Ok(Sealed {
            bytes,
            key: i64::from(self.current),
        })
    }

    /// Opens what [`Keyring::seal`] made for the same place.
    pub(crate) fn open(&self, sealed: &[u8], place: &str) -> Result<Secret<String>> {
        let damaged = || failure("a sealed secret is damaged, or was moved here from elsewhere");
        let id = Self::key_of(sealed).ok_or_else(damaged)?;
        let (head, rest) = sealed.split_at_checked(HEAD_LEN).ok_or_else(damaged)?;
        let (nonce, body) = rest.split_at_checked(NONCE_LEN).ok_or_else(damaged)?;
        let salt = head.get(HEAD_LEN - SALT_LEN..).ok_or_else(damaged)?;
        let key = self.record_key(id, salt)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_unspecified| damaged())?;
        let mut body = Zeroizing::new(body.to_vec());
        let plain = key
            .open_in_place(
                nonce,
                Aad::from([head, place.as_bytes()].concat()),
                &mut body,
            )
            .map_err(|_unspecified| damaged())?;
        std::str::from_utf8(plain)
            .map(Secret::from)
            .map_err(|_not_text| damaged())
    }

    /// Returns the number of the key that seals.
    pub(crate) const fn current(&self) -> u32 {
        self.current
    }

    /// Returns the number of the key that sealed this.
    pub(crate) fn key_of(sealed: &[u8]) -> Option<u32> {
        match sealed {
            [VERSION, a, b, c, d, ..] => Some(u32::from_be_bytes([*a, *b, *c, *d])),
            _ => None,
        }
    }

    fn record_key(&self, id: u32, salt: &[u8]) -> Result<RandomizedNonceKey> {
        let master = self.keys.get(&id).ok_or_else(|| {
            failure(format!(
                "the key file lacks key `v{id}`, which sealed a secret on record"
            ))
        })?;
        let weak = |_unspecified| failure("a key could not be derived");
        let mut key = Zeroizing::new([0; KEY_LEN]);
        hkdf::Salt::new(hkdf::HKDF_SHA256, salt)
            .extract(master.as_slice())
            .expand(&[b"roadstead/seal/v1"], Length)
            .and_then(|it| it.fill(key.as_mut()))
            .map_err(weak)?;
        RandomizedNonceKey::new(&AES_256_GCM, key.as_slice()).map_err(weak)
    }
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keyring")
            .field("ids", &self.keys.keys())
            .finish_non_exhaustive()
    }
}

struct Length;

impl hkdf::KeyType for Length {
    fn len(&self) -> usize {
        KEY_LEN
    }
}

fn lead_bytes(id: u32) -> [u8; 5] {
    let [a, b, c, d] = id.to_be_bytes();
    [VERSION, a, b, c, d]
}

fn key_of_line(line: &str) -> Result<(u32, Zeroizing<[u8; KEY_LEN]>), &'static str> {
    const FORM: &str = "is no key: a key is `v1:` and 32 bytes in base64";
    let (id, encoded) = line
        .strip_prefix('v')
        .and_then(|it| it.split_once(':'))
        .ok_or(FORM)?;
    let id = id.parse().map_err(|_no_number| FORM)?;
    let bytes = Zeroizing::new(STANDARD.decode(encoded.trim()).map_err(|_no_base64| FORM)?);
    let key = <[u8; KEY_LEN]>::try_from(bytes.as_slice())
        .map_err(|_length| "has a key that is not 32 bytes long")?;
    Ok((id, Zeroizing::new(key)))
}

fn random(bytes: &mut [u8]) -> Result<()> {
    rand::fill(bytes).map_err(|_unspecified| failure("the system gives no random bytes"))
}

fn failure(message: impl Into<String>) -> Error {
    Error::Sealing {
        message: message.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keyring(ids: &[u32]) -> Keyring {
        let line = |id: &u32| {
            format!(
                "v{id}:{}\n",
                STANDARD.encode([u8::try_from(*id).unwrap(); 32])
            )
        };
        Keyring::parse(&ids.iter().map(line).collect::<String>()).unwrap()
    }

    #[test]
    fn a_sealed_secret_opens_only_where_it_was_sealed_and_only_whole() {
        let keys = keyring(&[1]);
        let sealed = keys
            .seal(&Secret::from("canary"), "providers/1/token")
            .unwrap()
            .bytes;
        assert_eq!(
            keys.open(&sealed, "providers/1/token").unwrap().expose(),
            "canary"
        );
        assert!(keys.open(&sealed, "providers/2/token").is_err());
        for place in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[place] ^= 1;
            assert!(
                keys.open(&changed, "providers/1/token").is_err(),
                "byte {place}"
            );
            assert!(
                keys.open(&sealed[..place], "providers/1/token").is_err(),
                "cut at {place}"
            );
        }
    }

    #[test]
    fn an_old_key_still_opens_and_the_newest_seals() {
        let sealed = keyring(&[1]).seal(&Secret::from("canary"), "p").unwrap();
        let both = keyring(&[2, 1]);
        assert_eq!(both.open(&sealed.bytes, "p").unwrap().expose(), "canary");
        assert_eq!(both.seal(&Secret::from("canary"), "p").unwrap().key, 2);
        let error = keyring(&[2]).open(&sealed.bytes, "p").unwrap_err();
        assert!(error.to_string().contains("lacks key `v1`"), "{error}");
        assert_eq!(both.hmac("d", b"x"), keyring(&[1]).hmac("d", b"x"));
        assert_ne!(both.hmac("d", b"x"), both.hmac("e", b"x"));
    }

    #[test]
    fn a_key_file_survives_the_round_trip_and_a_bad_one_names_its_line() {
        let keys = Keyring::generate().unwrap();
        let again = Keyring::parse(&format!("# comment\n\n{}", keys.to_text().expose())).unwrap();
        assert_eq!(again.to_text().expose(), keys.to_text().expose());
        for (text, part) in [
            ("", "holds no key"),
            ("# v1", "holds no key"),
            ("hello", "line 1 of the key file is no key"),
            ("v1:AAAA", "not 32 bytes"),
            ("v1:?", "line 1"),
            ("vx:AAAA", "line 1"),
        ] {
            let error = Keyring::parse(text).unwrap_err().to_string();
            assert!(error.contains(part), "{text}: {error}");
        }
        let line = keys.to_text().expose().clone();
        assert!(Keyring::parse(&format!("{line}{line}")).is_err());
    }

    #[test]
    fn debug_shows_no_key() {
        let keys = keyring(&[1]);
        let text = format!("{keys:?}");
        assert!(!text.contains("AQEB") && !text.contains("1, 1"), "{text}");
    }
}
