//! Events as they stand in a stream.

use actix_web::web::Bytes;
use jiff::Timestamp;
use roadstead_core::{Address, InstanceId, OperationId};
use roadstead_service::{Event, EventBody, EventItem};
use serde::Serialize;
use serde_json::json;
use uuid::Uuid;

use super::instance::Failure;

/// A server after a change.
#[derive(Debug, Serialize)]
struct InstanceEvent<'a> {
    id: InstanceId,
    status: &'a str,
    label: &'a str,
    addresses: &'a [Address],
    at: Timestamp,
}

/// An operation after a change.
#[derive(Debug, Serialize)]
struct OperationEvent<'a> {
    id: OperationId,
    instance_id: InstanceId,
    kind: &'a str,
    state: &'a str,
    progress: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<Failure>,
    at: Timestamp,
}

/// Spells an item of a stream.
pub(crate) fn frame(item: &EventItem) -> Bytes {
    let text = match item {
        EventItem::Begin { at } => {
            let id = at.map(|it| format!("id: {it}\n")).unwrap_or_default();
            format!("retry: {}\n{id}\n", retry())
        }
        EventItem::Event(event) => told(event),
        // Without data it only tells the client where it is.
        EventItem::Passed(id) => format!("id: {id}\n\n"),
        EventItem::Beat => ":\n\n".to_owned(),
        EventItem::Reset { at } => {
            let text = json!({ "reason": "more was missed than is kept: load everything anew" });
            format!(
                "retry: {}\nid: {at}\nevent: reset\ndata: {text}\n\n",
                retry()
            )
        }
        EventItem::End(end) => {
            let text = json!({ "reason": end.as_str() });
            format!("event: end\ndata: {text}\n\n")
        }
    };
    Bytes::from(text)
}

fn told(event: &Event) -> String {
    let (kind, data) = match &event.body {
        EventBody::Instance(brief) => {
            let data = InstanceEvent {
                id: event.instance,
                status: &brief.status,
                label: &brief.label,
                addresses: &brief.addresses,
                at: event.created_at,
            };
            ("instance", serde_json::to_string(&data))
        }
        EventBody::Operation { id, brief } => {
            let data = OperationEvent {
                id: *id,
                instance_id: event.instance,
                kind: &brief.kind,
                state: &brief.state,
                progress: brief.progress,
                error: brief.error.clone().map(Failure::from),
                at: event.created_at,
            };
            ("operation", serde_json::to_string(&data))
        }
    };
    // Texts, numbers and times always print, on one line.
    let data = data.unwrap_or_default();
    format!("id: {}\nevent: {kind}\ndata: {data}\n\n", event.id)
}

/// In how many milliseconds a client that was cut off comes again: 2 to 5 seconds, so that those
/// of a server that was started anew do not come all at once.
fn retry() -> u64 {
    let [.., random] = Uuid::new_v4().into_bytes();
    2000_u64.saturating_add(u64::from(random).saturating_mul(12))
}
