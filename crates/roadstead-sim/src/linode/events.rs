//! `/account/events`: what is done to servers, and how far it is.

use serde_json::{Value, json};

use crate::clock::Instant;
use crate::faults::Ending;
use crate::vendor::Answer;

use super::paging::page;
use super::refusal::Refusal;
use super::{Desk, Reply};

const FILTERABLE: &[&str] = &[
    "action",
    "created",
    "entity.id",
    "entity.type",
    "id",
    "read",
    "seen",
];

/// Something that is done to a server.
#[derive(Debug, Clone)]
pub(crate) struct Event {
    id: u64,
    action: &'static str,
    pub(crate) instance: u64,
    label: String,
    secondary: Value,
    /// From when on it is scheduled; nobody sees it before.
    created: Instant,
    began: Instant,
    ends: Instant,
    ending: Ending,
    notification: bool,
}

impl Event {
    /// Returns the event in the vendor's JSON. The label is the server's at
    /// the time of the event, as the vendor keeps it.
    pub(crate) fn view(&self, username: &str, now: Instant) -> Value {
        let length = self.ends.since(self.began);
        let elapsed = now.since(self.began).min(length);
        let seconds = |it: std::time::Duration| json!(it.as_secs_f64());
        let (status, percent, remaining, duration) = if self.notification {
            ("notification", Value::Null, Value::Null, Value::Null)
        } else if now < self.began {
            ("scheduled", json!(0), Value::Null, Value::Null)
        } else if now < self.ends {
            let share = elapsed.as_micros().saturating_mul(100) / length.as_micros().max(1);
            let share = u64::try_from(share).unwrap_or(99).min(99);
            ("started", json!(share), Value::Null, seconds(elapsed))
        } else {
            match self.ending {
                Ending::Completed => ("finished", json!(100), json!(0), seconds(length)),
                Ending::Errored => ("failed", json!(100), Value::Null, seconds(length)),
            }
        };
        json!({
            "id": self.id,
            "created": self.created.zoneless_text(),
            "seen": false,
            "read": false,
            "percent_complete": percent,
            "time_remaining": remaining,
            "rate": null,
            "duration": duration,
            "action": self.action,
            "username": username,
            "entity": {
                "label": self.label,
                "id": self.instance,
                "type": "linode",
                "url": format!("/v4/linode/instances/{}", self.instance),
            },
            "status": status,
            "secondary_entity": self.secondary,
            "message": "",
        })
    }

    /// Returns whether it exists at `now` and has not ended.
    pub(crate) fn is_open(&self, now: Instant) -> bool {
        now < self.ends
    }
}

/// What is known of an event when it is written down.
#[derive(Debug)]
pub(crate) struct Record {
    pub(crate) action: &'static str,
    pub(crate) instance: u64,
    pub(crate) secondary: Value,
    pub(crate) created: Instant,
    pub(crate) ends: Instant,
    pub(crate) ending: Ending,
}

/// Writes down an event that will begin shortly after it was created.
pub(crate) fn record(desk: &mut Desk<'_>, record: Record) {
    let id = desk.ids.event();
    let length = record.ends.since(record.created);
    let label = label(desk, record.instance);
    let event = Event {
        id,
        action: record.action,
        instance: record.instance,
        label,
        secondary: record.secondary,
        created: record.created,
        began: record.created + length / 10,
        ends: record.ends,
        ending: record.ending,
        notification: false,
    };
    desk.account.events.insert(id, event);
}

/// Writes down something that has been done already.
pub(crate) fn notify(desk: &mut Desk<'_>, action: &'static str, instance: u64) {
    let id = desk.ids.event();
    let (now, label) = (desk.now, label(desk, instance));
    let event = Event {
        id,
        action,
        instance,
        label,
        secondary: Value::Null,
        created: now,
        began: now,
        ends: now,
        ending: Ending::Completed,
        notification: true,
    };
    desk.account.events.insert(id, event);
}

/// Ends what is done to a server that is being deleted.
pub(crate) fn cut_short(desk: &mut Desk<'_>, instance: u64) {
    let now = desk.now;
    desk.account
        .events
        .retain(|_, it| it.instance != instance || it.created <= now);
    for event in desk.account.events.values_mut() {
        if event.instance == instance && event.is_open(now) {
            event.began = event.began.min(now);
            event.ends = now;
            event.ending = Ending::Errored;
        }
    }
}

/// Answers `GET /v4/account/events`, newest first.
pub(crate) fn list(desk: &Desk<'_>) -> Reply {
    let mut seen: Vec<&Event> = desk
        .account
        .events
        .values()
        .filter(|it| it.created <= desk.now)
        .collect();
    seen.sort_by_key(|it| std::cmp::Reverse((it.created, it.id)));
    let username = desk.account.username();
    let views = seen.iter().map(|it| it.view(&username, desk.now));
    page(desk.call, views.collect(), FILTERABLE)
}

/// Answers `GET /v4/account/events/{id}`.
pub(crate) fn show(desk: &Desk<'_>, id: &str) -> Reply {
    let id: Option<u64> = id.parse().ok();
    let event = id
        .and_then(|id| desk.account.events.get(&id))
        .filter(|it| it.created <= desk.now)
        .ok_or_else(Refusal::not_found)?;
    let view = event.view(&desk.account.username(), desk.now);
    Ok(Answer::json(200, &view).about(event.instance))
}

fn label(desk: &Desk<'_>, instance: u64) -> String {
    desk.account
        .instance(instance)
        .map(|it| it.label.clone())
        .unwrap_or_default()
}
