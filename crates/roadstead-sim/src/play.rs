//! One call from arrival to answer: journal, fault, vendor.

use std::sync::Arc;
use std::time::Duration;

use actix_web::rt;
use bytes::{Bytes, BytesMut};

use crate::faults::{Drawn, Effect, When};
use crate::journal::JournalEntry;
use crate::redact::journal_body;
use crate::stage::Stage;
use crate::vendor::{Answer, Call, Vendor};

/// How an answer leaves the simulator.
#[derive(Debug)]
pub(crate) enum Sending {
    /// As HTTP means it.
    Whole(Answer),
    /// So many bytes of the body, then the end of the connection.
    Cut(Answer, usize),
    /// One byte of the body at a time.
    Drip(Answer, Duration),
    /// The end of the connection at once.
    Nothing,
}

/// Takes a call through the fault it draws and the vendor, into the journal.
///
/// `fits` is false if the body was too large to be read.
pub(crate) async fn play(
    stage: Arc<Stage>,
    vendor: Arc<dyn Vendor>,
    mut call: Call,
    fits: bool,
) -> Sending {
    let sequence = stage.journal.open(entry(&stage, vendor.as_ref(), &call));
    if !fits {
        let answer = vendor.too_large();
        stage
            .journal
            .amend(sequence, |it| it.status = Some(answer.status));
        return Sending::Whole(answer);
    }
    let Some(drawn) = stage.faults.draw(&call) else {
        let answer = perform(&stage, vendor.as_ref(), &call, sequence);
        stage
            .journal
            .amend(sequence, |it| it.status = Some(answer.status));
        return Sending::Whole(answer);
    };
    stage
        .journal
        .amend(sequence, |it| it.fault = Some(describe(&drawn)));

    let effect = drawn.fault.effect;
    call.fate = effect.fate;
    let answer = match drawn.fault.when {
        When::Before => {
            pause(&effect).await;
            if effect.keeps_the_answer() {
                perform(&stage, vendor.as_ref(), &call, sequence)
            } else {
                unasked(vendor.as_ref(), &call)
            }
        }
        When::After => {
            let answer = perform(&stage, vendor.as_ref(), &call, sequence);
            pause(&effect).await;
            answer
        }
        When::Late => {
            let answer = unasked(vendor.as_ref(), &call);
            let wait = stage
                .clock
                .scaled(Duration::from_millis(drawn.fault.late_ms));
            let (stage, vendor) = (Arc::clone(&stage), Arc::clone(&vendor));
            rt::spawn(async move {
                rt::time::sleep(wait).await;
                perform(&stage, vendor.as_ref(), &call, sequence);
            });
            pause(&effect).await;
            answer
        }
    };
    let sending = spoil(answer, &effect);
    stage
        .journal
        .amend(sequence, |it| it.status = sending.status());
    sending
}

impl Sending {
    fn status(&self) -> Option<u16> {
        match self {
            Self::Whole(answer) | Self::Cut(answer, _) | Self::Drip(answer, _) => {
                Some(answer.status)
            }
            Self::Nothing => None,
        }
    }
}

fn perform(stage: &Stage, vendor: &dyn Vendor, call: &Call, sequence: u64) -> Answer {
    let answer = vendor.answer(call);
    stage.journal.amend(sequence, |it| {
        it.committed = answer.committed;
        it.resource_id.clone_from(&answer.resource_id);
    });
    answer
}

/// Stands for the answer of a vendor that has not been asked.
fn unasked(vendor: &dyn Vendor, call: &Call) -> Answer {
    Answer {
        headers: vendor.headers(call),
        ..Answer::empty(500)
    }
}

async fn pause(effect: &Effect) {
    if let Some(delay) = effect.delay_ms {
        rt::time::sleep(Duration::from_millis(delay)).await;
    }
}

fn spoil(mut answer: Answer, effect: &Effect) -> Sending {
    if effect.drop {
        return Sending::Nothing;
    }
    if let Some(status) = effect.status {
        answer.status = status;
        answer.body = Bytes::new();
        answer.content_type.clear();
        // How long to wait was said of the answer that is no more.
        answer.headers.retain(|(name, _)| name != "retry-after");
    }
    if let Some(body) = &effect.body {
        let text = body
            .as_str()
            .map_or_else(|| body.to_string(), str::to_owned);
        answer.body = Bytes::from(text);
        "application/json; charset=utf-8".clone_into(&mut answer.content_type);
    }
    if let Some(content_type) = &effect.content_type {
        answer.content_type.clone_from(content_type);
    }
    for (name, value) in &effect.headers {
        answer
            .headers
            .retain(|(it, _)| !it.eq_ignore_ascii_case(name));
        answer
            .headers
            .push((name.to_ascii_lowercase(), value.clone()));
    }
    if let Some(spaces) = effect.pad_bytes.and_then(|it| usize::try_from(it).ok()) {
        let mut padded = BytesMut::from(answer.body.as_ref());
        padded.resize(padded.len().saturating_add(spaces), b' ');
        answer.body = padded.freeze();
    }
    if let Some(bytes) = effect.truncate {
        return Sending::Cut(answer, bytes);
    }
    if let Some(gap) = effect.drip_ms {
        return Sending::Drip(answer, Duration::from_millis(gap));
    }
    Sending::Whole(answer)
}

fn entry(stage: &Stage, vendor: &dyn Vendor, call: &Call) -> JournalEntry {
    // A client that puts its token where it does not belong must not bring it
    // into the journal.
    let hide = |text: &str| match call.bearer().filter(|it| !it.is_empty()) {
        Some(token) => text.replace(token, "[token]"),
        None => text.to_owned(),
    };
    let text = hide(&String::from_utf8_lossy(&call.body));
    let body = journal_body(&text, vendor.secret_fields());
    JournalEntry {
        sequence: 0,
        time: stage.clock.now().rfc3339(),
        method: call.method.clone(),
        path: hide(&call.path),
        query: hide(&call.raw_query),
        token_sha256: call.bearer_digest(),
        body,
        status: None,
        committed: false,
        fault: None,
        resource_id: None,
    }
}

fn describe(drawn: &Drawn) -> String {
    let when = match drawn.fault.when {
        When::Before => "before",
        When::After => "after",
        When::Late => "late",
    };
    let effect = serde_json::to_string(&drawn.fault.effect).unwrap_or_default();
    format!("#{} {when} {effect}", drawn.id)
}
