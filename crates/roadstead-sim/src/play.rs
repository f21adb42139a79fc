//! One call from arrival to answer: journal, fault, vendor.

use std::sync::Arc;
use std::time::Duration;

use actix_web::rt;
use bytes::Bytes;
use serde_json::Value;

use crate::faults::{Drawn, Effect, Twice, When};
use crate::journal::{JournalEntry, Touch, Touched};
use crate::redact::journal_body;
use crate::stage::Stage;
use crate::vendor::{Answer, Call, Kind, Vendor};

/// How an answer leaves the simulator.
#[derive(Debug)]
pub(crate) enum Sending {
    /// As HTTP means it.
    Whole(Answer),
    /// So many bytes of the body, then the end of the connection.
    Cut(Answer, usize),
    /// One byte of the body at a time.
    Drip(Answer, Duration),
    /// The body and so many spaces.
    Padded(Answer, u64),
    /// So many spaces as a body of gzip.
    Bomb(Answer, u64),
    /// The end of the connection at once, in good order.
    Nothing,
    /// The end of the connection at once, by a reset.
    Reset,
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
    call.effect.clone_from(&effect);
    let answer = match drawn.fault.when {
        When::Before => {
            pause(&effect).await;
            if effect.keeps_the_answer() {
                deliver(&stage, vendor.as_ref(), &call, sequence)
            } else {
                unasked(vendor.as_ref(), &call)
            }
        }
        When::After => {
            let answer = deliver(&stage, vendor.as_ref(), &call, sequence);
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
                deliver(&stage, vendor.as_ref(), &call, sequence);
            });
            pause(&effect).await;
            answer
        }
    };
    let sending = spoil(&stage, answer, &effect);
    stage
        .journal
        .amend(sequence, |it| it.status = sending.status());
    if let Some(ms) = effect.refuse_ms {
        // The answer is to be out before the connection is cut.
        rt::spawn(async move {
            rt::time::sleep(ANSWERED).await;
            stage.gate.close(Duration::from_millis(ms));
        });
    }
    sending
}

/// How long an answer is given to leave.
pub(crate) const ANSWERED: Duration = Duration::from_millis(30);

impl Sending {
    const fn status(&self) -> Option<u16> {
        match self {
            Self::Whole(answer)
            | Self::Cut(answer, _)
            | Self::Drip(answer, _)
            | Self::Padded(answer, _)
            | Self::Bomb(answer, _) => Some(answer.status),
            Self::Nothing | Self::Reset => None,
        }
    }
}

/// Lets the vendor execute a call, twice where a fault says so.
fn deliver(stage: &Stage, vendor: &dyn Vendor, call: &Call, sequence: u64) -> Answer {
    let first = perform(stage, vendor, call, sequence);
    let Some(which) = call.effect.twice else {
        return first;
    };
    let second = perform(stage, vendor, call, sequence);
    match which {
        Twice::First => first,
        Twice::Second => second,
    }
}

fn perform(stage: &Stage, vendor: &dyn Vendor, call: &Call, sequence: u64) -> Answer {
    let answer = vendor.answer(call);
    let touched = touched(vendor, call, &answer);
    let now = stage.clock.now().true_text();
    stage.journal.amend(sequence, |it| {
        if answer.committed {
            it.committed = true;
            it.committed_at.get_or_insert(now);
        }
        if it.resource_id.is_none() {
            it.resource_id.clone_from(&answer.resource_id);
        }
        it.objects.extend(touched);
    });
    answer
}

fn touched(vendor: &dyn Vendor, call: &Call, answer: &Answer) -> Option<Touched> {
    if !answer.committed {
        return None;
    }
    let id = answer.resource_id.clone()?;
    let (name, tags) = vendor.marks(&id)?;
    let create = vendor.site(Kind::Create);
    let what = match call.method.as_str() {
        "DELETE" => Touch::Deleted,
        "POST" if call.path == create.path => Touch::Created,
        _ => Touch::Changed,
    };
    Some(Touched {
        id,
        name,
        tags,
        what,
    })
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

fn spoil(stage: &Stage, mut answer: Answer, effect: &Effect) -> Sending {
    if effect.reset {
        return Sending::Reset;
    }
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
    bend(&mut answer, effect);
    if let Some(content_type) = &effect.content_type {
        answer.content_type.clone_from(content_type);
    }
    for (name, value) in &effect.headers {
        let value = value.replace("{elsewhere}", &stage.elsewhere.endpoint());
        set_header(&mut answer, name, value);
    }
    if let Some(seconds) = effect.retry_after_date_s {
        let at = stage.clock.now() + Duration::from_secs(seconds.into());
        set_header(&mut answer, "retry-after", at.http_text());
    }
    if let Some(bytes) = effect.gzip_bomb_bytes {
        set_header(&mut answer, "content-encoding", "gzip".to_owned());
        return Sending::Bomb(answer, bytes);
    }
    if let Some(spaces) = effect.pad_bytes {
        return Sending::Padded(answer, spaces);
    }
    if let Some(bytes) = effect.truncate {
        return Sending::Cut(answer, bytes);
    }
    if let Some(gap) = effect.drip_ms {
        return Sending::Drip(answer, Duration::from_millis(gap));
    }
    Sending::Whole(answer)
}

/// Changes values of an answer that is JSON.
fn bend(answer: &mut Answer, effect: &Effect) {
    if effect.json_set.is_empty() && effect.json_remove.is_empty() {
        return;
    }
    let Ok(mut body) = serde_json::from_slice::<Value>(&answer.body) else {
        return;
    };
    for (pointer, value) in &effect.json_set {
        if let Some(place) = body.pointer_mut(pointer) {
            place.clone_from(value);
        }
    }
    for pointer in &effect.json_remove {
        let Some((parent, name)) = pointer.rsplit_once('/') else {
            continue;
        };
        if let Some(Value::Object(members)) = body.pointer_mut(parent) {
            members.remove(name);
        }
    }
    answer.body = Bytes::from(body.to_string());
}

fn set_header(answer: &mut Answer, name: &str, value: String) {
    answer
        .headers
        .retain(|(it, _)| !it.eq_ignore_ascii_case(name));
    answer.headers.push((name.to_ascii_lowercase(), value));
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
        time: stage.clock.now().true_text(),
        method: call.method.clone(),
        path: hide(&call.path),
        query: hide(&call.raw_query),
        token_sha256: call.bearer_digest(),
        body,
        status: None,
        committed: false,
        committed_at: None,
        objects: Vec::new(),
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
