//! Public SSH keys, as far as vendors look into them.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// Returns the bytes of a key of the form `type base64 [comment]`.
pub(crate) fn key_bytes(public_key: &str) -> Option<Vec<u8>> {
    let mut words = public_key.split_whitespace();
    let kind = words.next()?;
    let bytes = STANDARD.decode(words.next()?).ok()?;
    // The bytes begin with the length and the text of the kind.
    let named = bytes.get(4..)?.starts_with(kind.as_bytes());
    named.then_some(bytes)
}
