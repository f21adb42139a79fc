//! How answers leave: whole, in pieces, far too long, or not at all.

use std::io::{self, Write};
use std::net::Shutdown;
use std::sync::OnceLock;
use std::time::Duration;

use actix_web::body::{BodyStream, BoxBody, MessageBody, SizedStream};
use actix_web::http::{StatusCode, header};
use actix_web::rt;
use actix_web::{HttpRequest, HttpResponse};
use bytes::Bytes;
use flate2::{Compress, Compression, Crc, FlushCompress};
use futures::stream::{self, Stream, StreamExt};
use socket2::Socket;

use crate::clock::Instant;
use crate::play::Sending;
use crate::vendor::Answer;

/// A second handle on a connection's socket, to end it without an answer.
pub(crate) struct Line(pub(crate) Socket);

/// How much of a long body is sent at a time.
const PIECE: usize = 64 * 1024;

/// Answers a request the way that was decided.
pub(crate) fn send(request: &HttpRequest, sending: Sending, now: Instant) -> HttpResponse {
    match sending {
        Sending::Whole(answer) => {
            let body = answer.body.clone().boxed();
            respond(&answer, body, now)
        }
        Sending::Cut(answer, bytes) => {
            let kept = answer.body.slice(..bytes.min(answer.body.len()));
            let body = SizedStream::new(length(&answer.body), cut_after(kept)).boxed();
            respond(&answer, body, now)
        }
        Sending::Drip(answer, gap) => {
            let whole = length(&answer.body);
            let body = SizedStream::new(whole, drip(answer.body.clone(), gap)).boxed();
            respond(&answer, body, now)
        }
        Sending::Padded(answer, spaces) => {
            let whole = length(&answer.body).saturating_add(spaces);
            let body = SizedStream::new(whole, padded(answer.body.clone(), spaces)).boxed();
            respond(&answer, body, now)
        }
        Sending::Bomb(answer, bytes) => respond(&answer, BodyStream::new(bomb(bytes)).boxed(), now),
        Sending::Nothing => {
            if let Some(Line(socket)) = request.conn_data::<Line>() {
                // The answer below then fails to be written. If the client was
                // first to close, there is nothing to shut.
                drop(socket.shutdown(Shutdown::Both));
            }
            HttpResponse::InternalServerError().finish()
        }
        Sending::Reset => {
            if let Some(Line(socket)) = request.conn_data::<Line>() {
                // A socket that is closed so says farewell by a reset.
                drop(socket.set_linger(Some(Duration::ZERO)));
            }
            // A body that fails before its first byte: nothing is sent, the head neither, and
            // the connection is dropped.
            let body = stream::once(async { broken() });
            HttpResponse::Ok().body(SizedStream::new(1, body).boxed())
        }
    }
}

fn respond(answer: &Answer, body: BoxBody, now: Instant) -> HttpResponse {
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = HttpResponse::build(status);
    // By the same clock as everything else that the vendor says of time.
    response.insert_header((header::DATE, now.http_text()));
    for (name, value) in &answer.headers {
        response.insert_header((name.as_str(), value.as_str()));
    }
    if !answer.content_type.is_empty() {
        response.content_type(answer.content_type.as_str());
    }
    response.body(body)
}

fn length(body: &Bytes) -> u64 {
    u64::try_from(body.len()).unwrap_or(u64::MAX)
}

fn broken() -> io::Result<Bytes> {
    Err(io::ErrorKind::ConnectionAborted.into())
}

/// Yields the bytes and then fails, which closes the connection.
fn cut_after(kept: Bytes) -> impl Stream<Item = io::Result<Bytes>> {
    stream::unfold(Some(kept), |kept| async move {
        match kept {
            Some(bytes) if !bytes.is_empty() => Some((Ok(bytes), Some(Bytes::new()))),
            Some(_) => {
                // Without this pause the bytes before the failure are not sent.
                rt::time::sleep(Duration::from_millis(20)).await;
                Some((broken(), None))
            }
            None => None,
        }
    })
}

/// Yields one byte at a time.
fn drip(body: Bytes, gap: Duration) -> impl Stream<Item = io::Result<Bytes>> {
    stream::unfold(body, move |mut rest| async move {
        if rest.is_empty() {
            return None;
        }
        rt::time::sleep(gap).await;
        let byte = rest.split_to(1);
        Some((Ok(byte), rest))
    })
}

/// Yields the body and then spaces, of which there are never more than a piece in memory.
fn padded(body: Bytes, spaces: u64) -> impl Stream<Item = io::Result<Bytes>> {
    static SPACES: [u8; PIECE] = [b' '; PIECE];
    stream::unfold((Some(body), spaces), |(body, left)| async move {
        if let Some(body) = body.filter(|it| !it.is_empty()) {
            return Some((Ok(body), (None, left)));
        }
        if left == 0 {
            return None;
        }
        let take = usize::try_from(left).unwrap_or(PIECE).min(PIECE);
        let piece = Bytes::from_static(SPACES.get(..take).unwrap_or(&SPACES));
        let left = left.saturating_sub(length(&piece));
        Some((Ok(piece), (None, left)))
    })
}

/// What a bomb is made of: one mebibyte of spaces, compressed so that it can be repeated.
struct Charge {
    packed: Bytes,
    check: Crc,
}

const CHARGE_BYTES: usize = 1024 * 1024;

fn charge() -> &'static Charge {
    static CHARGE: OnceLock<Charge> = OnceLock::new();
    CHARGE.get_or_init(|| {
        let spaces = vec![b' '; CHARGE_BYTES];
        let mut packed = Vec::with_capacity(16 * 1024);
        // A full flush ends on a whole byte and forgets what came before.
        drop(Compress::new(Compression::best(), false).compress_vec(
            &spaces,
            &mut packed,
            FlushCompress::Full,
        ));
        let mut check = Crc::new();
        check.update(&spaces);
        Charge {
            packed: Bytes::from(packed),
            check,
        }
    })
}

/// Yields a stream of gzip that unpacks to at least so many bytes, in whole mebibytes.
fn bomb(bytes: u64) -> impl Stream<Item = io::Result<Bytes>> {
    let charge = charge();
    let size = u64::try_from(CHARGE_BYTES).unwrap_or(u64::MAX);
    let count = bytes.div_ceil(size);
    let head = Bytes::from_static(&[0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255]);
    let packed = stream::iter(0..count).map(move |_| Ok(charge.packed.clone()));
    let tail = stream::once(async move {
        let mut check = Crc::new();
        for _ in 0..count {
            check.combine(&charge.check);
        }
        let mut tail = Vec::with_capacity(13);
        // An empty last block, the sum of what was unpacked, and its length.
        tail.write_all(&[1, 0, 0, 0xff, 0xff])?;
        tail.write_all(&check.sum().to_le_bytes())?;
        tail.write_all(&check.amount().to_le_bytes())?;
        Ok(Bytes::from(tail))
    });
    stream::once(async move { Ok(head) })
        .chain(packed)
        .chain(tail)
}
