//! Long lists as bytes: serialized and compressed once, and sent again and again between a head
//! and a tail that are made for each answer.

use std::array;
use std::convert::Infallible;
use std::io::{self, Write};
use std::pin::Pin;
use std::task::{Context, Poll};

use actix_web::body::{BodySize, MessageBody};
use actix_web::web::Bytes;
use aws_lc_rs::digest::{self, SHA256};
use crc32fast::Hasher;
use flate2::Compression;
use flate2::write::DeflateEncoder;
use serde::{Serialize, Serializer};

/// The start of a gzip stream: deflated, without a name or a time, from no system in particular.
const GZIP_HEADER: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];

/// A list as it is sent.
#[derive(Debug)]
pub(crate) struct Rendered {
    plain: Bytes,
    /// Deflated blocks, none of them the last, that end at the edge of a byte.
    packed: Option<Bytes>,
    check: Hasher,
    tag: String,
}

impl Rendered {
    /// Serializes and compresses items as a JSON array. `context` goes into the tag: what else
    /// an answer with these items says.
    ///
    /// # Errors
    ///
    /// When an item cannot be serialized.
    pub(crate) fn new<V: Serialize>(
        items: impl IntoIterator<Item = V>,
        context: &str,
    ) -> io::Result<Self> {
        let mut plain = Vec::new();
        serde_json::Serializer::new(&mut plain).collect_seq(items)?;
        let mut check = Hasher::new();
        check.update(&plain);
        let packed = pack(&plain)?;
        Ok(Self {
            tag: tag(&plain, context),
            // A list that does not shrink is not worth unpacking.
            packed: (packed.len() < plain.len()).then(|| packed.into()),
            plain: plain.into(),
            check,
        })
    }

    /// Returns what tells these items from others.
    pub(crate) fn tag(&self) -> &str {
        &self.tag
    }

    /// Returns whether it can be sent as gzip.
    pub(crate) const fn is_packed(&self) -> bool {
        self.packed.is_some()
    }

    /// Returns the list between a head and a tail.
    pub(crate) fn between(&self, head: String, tail: String) -> Spliced {
        Spliced::of([head.into(), self.plain.clone(), tail.into()])
    }

    /// Returns the list between a head and a tail as one gzip stream; `None` where it is not
    /// packed, or head or tail is longer than anybody's.
    ///
    /// Head and tail are blocks that are stored as they are. Three streams one after another
    /// would be gzip too, but browsers read only the first of them.
    pub(crate) fn packed_between(&self, head: &str, tail: &str) -> Option<Spliced> {
        let packed = self.packed.as_ref()?;
        let mut check = Hasher::new();
        check.update(head.as_bytes());
        check.combine(&self.check);
        check.update(tail.as_bytes());
        let length = [head.len(), self.plain.len(), tail.len()]
            .into_iter()
            .fold(0_u32, |sum, it| sum.wrapping_add(low_word(it)));

        let mut start = Vec::with_capacity(head.len() + 15);
        start.extend(GZIP_HEADER);
        store(&mut start, head, false)?;
        let mut end = Vec::with_capacity(tail.len() + 13);
        store(&mut end, tail, true)?;
        end.extend(check.finalize().to_le_bytes());
        end.extend(length.to_le_bytes());
        Some(Spliced::of([start.into(), packed.clone(), end.into()]))
    }
}

/// Deflates bytes into whole blocks, and leaves the stream open.
fn pack(plain: &[u8]) -> io::Result<Vec<u8>> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(plain)?;
    // A flush ends the block, and fills its last byte.
    encoder.flush()?;
    Ok(std::mem::take(encoder.get_mut()))
}

/// Adds a block that is stored as it is.
fn store(out: &mut Vec<u8>, text: &str, last: bool) -> Option<()> {
    let length = u16::try_from(text.len()).ok()?;
    out.push(u8::from(last));
    out.extend(length.to_le_bytes());
    out.extend((!length).to_le_bytes());
    out.extend(text.as_bytes());
    Some(())
}

/// Returns a length as gzip writes it down: modulo 2³².
fn low_word(length: usize) -> u32 {
    let [a, b, c, d, ..] = length.to_le_bytes();
    u32::from_le_bytes([a, b, c, d])
}

fn tag(plain: &[u8], context: &str) -> String {
    let mut digest = digest::Context::new(&SHA256);
    digest.update(context.as_bytes());
    digest.update(b"\0");
    digest.update(plain);
    let digest = digest.finish();
    let half = digest.as_ref().iter().take(16);
    half.map(|it| format!("{it:02x}")).collect()
}

/// A body of three pieces, of known length. No piece is copied to join them.
#[derive(Debug)]
pub(crate) struct Spliced {
    length: u64,
    pieces: array::IntoIter<Bytes, 3>,
}

impl Spliced {
    fn of(pieces: [Bytes; 3]) -> Self {
        let lengths = pieces.iter().map(|it| u64::try_from(it.len()));
        Self {
            length: lengths.map(|it| it.unwrap_or(u64::MAX)).sum(),
            pieces: pieces.into_iter(),
        }
    }
}

impl MessageBody for Spliced {
    type Error = Infallible;

    fn size(&self) -> BodySize {
        BodySize::Sized(self.length)
    }

    fn poll_next(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Infallible>>> {
        Poll::Ready(self.pieces.next().map(Ok))
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use flate2::read::GzDecoder;

    use super::*;

    fn joined(body: Spliced) -> Vec<u8> {
        let length = usize::try_from(body.length).unwrap();
        let joined = body.pieces.as_slice().concat();
        assert_eq!(joined.len(), length);
        joined
    }

    /// The first stream alone, as browsers read it.
    fn unpacked(bytes: &[u8]) -> String {
        let mut text = String::new();
        let mut decoder = GzDecoder::new(bytes);
        decoder.read_to_string(&mut text).unwrap();
        assert!(decoder.into_inner().is_empty(), "more than one stream");
        text
    }

    #[test]
    fn plain_and_packed_say_the_same_in_one_stream() {
        for count in [40_u32, 1_000, 50_000] {
            let list = Rendered::new((0..count).map(|it| format!("item {it}")), "").unwrap();
            for tail in ["}", ",\"age_seconds\":3599}", &"x".repeat(60_000)] {
                let plain = joined(list.between("{\"items\":".to_owned(), tail.to_owned()));
                let packed = list.packed_between("{\"items\":", tail).unwrap();
                assert_eq!(unpacked(&joined(packed)).as_bytes(), plain);
            }
        }
    }

    #[test]
    fn what_does_not_shrink_is_not_packed() {
        let empty = Rendered::new([0_u8; 0], "").unwrap();
        assert!(!empty.is_packed() && empty.packed_between("{", "}").is_none());
        assert_eq!(
            joined(empty.between("{".to_owned(), "}".to_owned())),
            b"{[]}"
        );
        let long = Rendered::new(["a"; 1_000], "").unwrap();
        assert!(long.packed_between("", &"x".repeat(65_536)).is_none());
        assert!(long.packed_between("", &"x".repeat(65_535)).is_some());
    }

    #[test]
    fn a_tag_tells_items_and_context_apart() {
        let tag = |items: &[&str], context| Rendered::new(items, context).unwrap().tag;
        assert_eq!(tag(&["a", "b"], "one"), tag(&["a", "b"], "one"));
        assert_ne!(tag(&["a", "b"], "one"), tag(&["b", "a"], "one"));
        assert_ne!(tag(&["a", "b"], "one"), tag(&["a", "b"], "two"));
        assert_eq!(tag(&[], "").len(), 32);
    }
}
