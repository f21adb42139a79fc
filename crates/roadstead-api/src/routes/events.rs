//! Live events: a stream that goes on where its client left off.

use std::convert::Infallible;
use std::future::{Ready, ready};

use actix_web::http::header;
use actix_web::{FromRequest, HttpRequest, HttpResponse, dev, web};
use futures::StreamExt;
use roadstead_core::{Code, EventId, InstanceId};
use roadstead_service::{
    EventFilter, EventKind, EventRequest, IdempotencyKey, Platform, ReadInstances,
};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use crate::allowed::{Allowed, Then, UnderKey};
use crate::error::{ApiError, DoorCode};
use crate::openapi::words::Id;
use crate::openapi::{Describe, Description, Media, Sent, Tag};
use crate::query::Query;
use crate::route::Route;
use crate::view;

const LAST_EVENT_ID: &str = "Last-Event-ID";

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::get("/api/events", listen)
            .named(Tag::Operations, "listenToEvents", "Listen to what happens")
            .about(
                "Server-sent events: the changes of the organization's servers and operations, in \
                 the order in which they happened, until the client closes the stream.\n\n\
                 Each event has an `id`. A client that was cut off sends the last one that it has \
                 as `Last-Event-ID`, as `EventSource` does by itself, and gets each event after \
                 it once. An event `reset` says that more was missed than is kept: load \
                 everything anew; the stream goes on from there. Events are kept for 24 hours.",
            )
            .refuses([Code::InstanceNotFound])
            .refuses([DoorCode::TooManyRequests]),
    ]
}

/// Which events are wanted.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Wanted {
    /// Only events of these types: `instance`, `operation`, or both with a comma between them.
    #[schemars(example = &"instance,operation")]
    types: Option<String>,
    /// Only events of this server and its operations.
    #[schemars(with = "Option<Id>")]
    instance_id: Option<InstanceId>,
    /// The same as the header `Last-Event-ID`, for clients that cannot send one the first time.
    /// Where both are sent, the header counts.
    #[schemars(with = "Option<Id>")]
    last_event_id: Option<EventId>,
}

/// The last event that the client has.
struct LastEventId(Option<EventId>);

impl FromRequest for LastEventId {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut dev::Payload) -> Self::Future {
        let Some(value) = request.headers().get(LAST_EVENT_ID) else {
            return ready(Ok(Self(None)));
        };
        let text = value.to_str().unwrap_or("?").trim();
        if text.is_empty() {
            return ready(Ok(Self(None)));
        }
        let read = text.parse().map(|it| Self(Some(it)));
        ready(read.map_err(|_no_id| {
            let message = "the header `Last-Event-ID` must be the `id` of an event, as it came";
            ApiError::validation(LAST_EVENT_ID.to_owned(), message)
        }))
    }
}

impl Describe for LastEventId {
    fn describe(to: &mut Description<'_>) {
        to.refuse(Code::ValidationError);
        to.parameters.push(json!({
            "name": LAST_EVENT_ID,
            "in": "header",
            "required": false,
            "description": "The `id` of the last event that the client has. Without it the stream \
                            begins now.",
            "schema": { "type": "string", "format": "uuid" },
        }));
    }
}

struct Events;

impl Media for Events {
    const TYPE: &'static str = "text/event-stream";
    const TEXT: &'static str = "Events of four types, each with one line of JSON. `instance`: the \
        `id` of a server, its `status`, `label` and `addresses`, and `at`, when that was so. \
        `operation`: the `id` of an operation, its `instance_id`, `kind`, `state`, `progress` and \
        `error`, as elsewhere, and `at`. `reset`: load everything anew. `end`: the stream ends, \
        with the `reason`: `stopping` (the server stops), `slow` (the client took too little), \
        `logged_out`, `no_member` (of the organization any more) or `unavailable` (the database \
        is). Pass over other types; there may be more one day. A line that begins with a colon \
        says every 15 seconds that the stream is alive.";
}

impl UnderKey for LastEventId {
    /// Who only listens needs no key.
    fn under_key(self, _: Option<IdempotencyKey>) -> Self {
        self
    }
}

async fn listen(
    Then(caller, Then(last, wanted)): Then<
        Allowed<ReadInstances>,
        Then<LastEventId, Query<Wanted>>,
    >,
    platform: web::Data<Platform>,
) -> Result<Sent<Events>, ApiError> {
    let Wanted {
        types,
        instance_id,
        last_event_id,
    } = wanted.0;
    let request = EventRequest {
        after: last.0.or(last_event_id),
        filter: EventFilter {
            kinds: types.as_deref().map(kinds).transpose()?,
            instance: instance_id,
        },
    };
    let items = platform.into_inner().events(&caller.0, request).await?;
    let frames = items.map(|it| Ok::<_, Infallible>(view::frame(&it)));
    let response = HttpResponse::Ok()
        .content_type(Events::TYPE)
        .insert_header((header::CACHE_CONTROL, "no-store"))
        // Proxies pass each event on as it comes, and compression, ours too, keeps its hands off.
        .insert_header(("X-Accel-Buffering", "no"))
        .insert_header((header::CONTENT_ENCODING, "identity"))
        // What comes after a stream comes on a connection that is sure to live.
        .force_close()
        .streaming(frames);
    Ok(Sent::new(response))
}

fn kinds(text: &str) -> Result<Vec<EventKind>, ApiError> {
    let kind = |word: &str| match word.trim() {
        "instance" => Ok(EventKind::Instance),
        "operation" => Ok(EventKind::Operation),
        _ => {
            let message = "must be `instance`, `operation`, or both with a comma between them";
            Err(ApiError::validation("types".to_owned(), message))
        }
    };
    text.split(',').map(kind).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_read_as_a_list() {
        assert_eq!(kinds("instance").unwrap(), [EventKind::Instance]);
        let both = [EventKind::Operation, EventKind::Instance];
        assert_eq!(kinds("operation, instance").unwrap(), both);
        for bad in ["", ",", "instances", "instance,", "INSTANCE"] {
            assert!(kinds(bad).is_err(), "{bad}");
        }
    }
}
