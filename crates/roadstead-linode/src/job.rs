//! Linode's jobs. An action answers nothing: its job is known by what was asked of which
//! Linode when, and is found among the account's events.

use std::time::Duration;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use roadstead_core::{
    ActionKind, Code, OperationStatus, RemoteId, RemoteOperation, RemoteOperationId,
};

use crate::wire;

/// How long to wait before asking again for a job.
const POLL_AFTER: Duration = Duration::from_secs(3);

/// How long before the answer to an action its event may have been made.
const LEAD: i64 = 15;

/// What was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verb {
    Create,
    Boot,
    Shutdown,
    Reboot,
    Rename,
    Resize,
    Rebuild,
    Rescue,
    Password,
    Delete,
}

impl Verb {
    const ALL: [Self; 10] = [
        Self::Create,
        Self::Boot,
        Self::Shutdown,
        Self::Reboot,
        Self::Rename,
        Self::Resize,
        Self::Rebuild,
        Self::Rescue,
        Self::Password,
        Self::Delete,
    ];

    /// Those of which one event tells as no other does. A rescue is told as a boot or a reboot.
    const LOGGED: [Self; 9] = [
        Self::Create,
        Self::Boot,
        Self::Shutdown,
        Self::Reboot,
        Self::Rename,
        Self::Resize,
        Self::Rebuild,
        Self::Password,
        Self::Delete,
    ];

    /// Returns the action that asks for it; a create is none.
    const fn kind(self) -> Option<ActionKind> {
        Some(match self {
            Self::Create => return None,
            Self::Boot => ActionKind::Boot,
            Self::Shutdown => ActionKind::Shutdown,
            Self::Reboot => ActionKind::Reboot,
            Self::Rename => ActionKind::Rename,
            Self::Resize => ActionKind::Resize,
            Self::Rebuild => ActionKind::Rebuild,
            Self::Rescue => ActionKind::Rescue,
            Self::Password => ActionKind::ResetPassword,
            Self::Delete => ActionKind::Delete,
        })
    }

    /// Returns the word in the id of a job, by which Linode calls its actions too.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Boot => "boot",
            Self::Shutdown => "shutdown",
            Self::Reboot => "reboot",
            Self::Rename => "rename",
            Self::Resize => "resize",
            Self::Rebuild => "rebuild",
            Self::Rescue => "rescue",
            Self::Password => "password",
            Self::Delete => "delete",
        }
    }

    /// Returns the verb phrase for errors.
    pub(crate) const fn operation(self) -> &'static str {
        match self {
            Self::Create => "create the instance",
            Self::Boot => "boot the instance",
            Self::Shutdown => "shut down the instance",
            Self::Reboot => "reboot the instance",
            Self::Rename => "rename the instance",
            Self::Resize => "resize the instance",
            Self::Rebuild => "rebuild the instance",
            Self::Rescue => "start the rescue system",
            Self::Password => "reset the root password",
            Self::Delete => "delete the instance",
        }
    }

    /// Returns the actions by which events tell of it.
    const fn events(self) -> &'static [&'static str] {
        match self {
            Self::Create => &["linode_create"],
            Self::Boot => &["linode_boot"],
            Self::Shutdown => &["linode_shutdown"],
            Self::Reboot => &["linode_reboot"],
            Self::Rename => &["linode_update"],
            Self::Resize => &["linode_resize"],
            Self::Rebuild => &["linode_rebuild"],
            // The rescue system is booted; a Linode that runs is rebooted into it.
            Self::Rescue => &["linode_reboot", "linode_boot"],
            Self::Password => &["password_reset"],
            Self::Delete => &["linode_delete"],
        }
    }
}

/// A job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Job {
    pub(crate) verb: Verb,
    pub(crate) linode: u64,
    /// When the vendor accepted it, in seconds since 1970 by the vendor's clock.
    since: i64,
    /// The event that tells of it, where that is known.
    event: Option<u64>,
}

impl Job {
    pub(crate) fn new(verb: Verb, linode: u64, accepted: Timestamp) -> Self {
        Self {
            verb,
            linode,
            since: accepted.as_second(),
            event: None,
        }
    }

    /// Returns the job of which an event tells, and what was asked for; `None` for an event about
    /// something else. What no verb of ours asks for keeps the event's number only.
    pub(crate) fn of_event(
        linode: u64,
        event: &wire::Event,
        written: Timestamp,
    ) -> Option<(Self, Option<ActionKind>)> {
        if !is_about(event, linode) {
            return None;
        }
        let verb = Verb::LOGGED
            .into_iter()
            .find(|it| it.events().contains(&&*event.action));
        let job = Self {
            event: Some(event.id),
            // Such a job is only ever looked at by its event.
            ..Self::new(verb.unwrap_or(Verb::Rename), linode, written)
        };
        Some((job, verb.and_then(Verb::kind)))
    }

    /// Reads the id of a job; `None` for one that is not ours.
    pub(crate) fn parse(id: &RemoteOperationId) -> Option<Self> {
        let mut parts = id.as_str().split(':');
        let (verb, linode, since) = (parts.next()?, parts.next()?, parts.next()?);
        let event = parts.next().map(str::parse).transpose().ok()?;
        if parts.next().is_some() {
            return None;
        }
        Some(Self {
            event,
            verb: Verb::ALL.into_iter().find(|it| it.as_str() == verb)?,
            linode: linode.parse().ok()?,
            since: since.parse().ok()?,
        })
    }

    /// Returns the job as others see it.
    pub(crate) fn at(&self, status: OperationStatus) -> RemoteOperation {
        let Self {
            verb,
            linode,
            since,
            event,
        } = self;
        let event = event.map(|it| format!(":{it}")).unwrap_or_default();
        RemoteOperation {
            id: RemoteOperationId::from(format!("{}:{linode}:{since}{event}", verb.as_str())),
            instance: Some(RemoteId::from(linode.to_string())),
            status,
            poll_after: POLL_AFTER,
        }
    }

    pub(crate) fn running(&self) -> RemoteOperation {
        self.at(OperationStatus::Running { percent: None })
    }

    /// Returns the job when its Linode is gone.
    pub(crate) fn orphaned(&self) -> RemoteOperation {
        self.at(match self.verb {
            Verb::Delete => OperationStatus::Succeeded,
            Verb::Create
            | Verb::Boot
            | Verb::Shutdown
            | Verb::Reboot
            | Verb::Rename
            | Verb::Resize
            | Verb::Rebuild
            | Verb::Rescue
            | Verb::Password => OperationStatus::Failed {
                code: Code::InstanceNotFound,
                message: "the server is gone".into(),
            },
        })
    }

    /// Returns how far the job is by the newest event that tells of it; `None` when none does.
    pub(crate) fn by_events(&self, events: &[wire::Event]) -> Option<RemoteOperation> {
        let newest = events
            .iter()
            .filter(|it| self.is_told_by(it))
            .max_by_key(|it| (created(it), it.id))?;
        Some(self.by_event(newest))
    }

    /// Returns how far the job is by an event that tells of it.
    pub(crate) fn by_event(&self, event: &wire::Event) -> RemoteOperation {
        self.at(match &*event.status {
            // An event that only notifies tells of what was done at once.
            "finished" | "notification" => OperationStatus::Succeeded,
            "failed" => OperationStatus::Failed {
                code: Code::ApiError,
                message: format!("the provider gave up the job `{}`", self.verb.as_str()).into(),
            },
            // An unknown word is no end.
            _ => OperationStatus::Running {
                percent: event
                    .percent_complete
                    .as_ref()
                    .and_then(serde_json::Value::as_u64)
                    .and_then(|it| u8::try_from(it.min(100)).ok()),
            },
        })
    }

    fn is_told_by(&self, event: &wire::Event) -> bool {
        if let Some(number) = self.event {
            return event.id == number;
        }
        is_about(event, self.linode)
            && self.verb.events().contains(&&*event.action)
            && created(event).is_some_and(|it| it >= self.since.saturating_sub(LEAD))
    }
}

/// Returns whether an event is about a Linode; other things of the account may have its number.
fn is_about(event: &wire::Event, linode: u64) -> bool {
    event.entity.as_ref().is_some_and(|it| {
        let id = it.id.as_ref();
        let number = id.and_then(|it| it.as_u64().or_else(|| it.as_str()?.parse().ok()));
        // Events about a Linode's disks carry the Linode's id.
        let kind = matches!(it.kind.as_deref(), None | Some("linode" | "disks"));
        kind && number == Some(linode)
    })
}

/// Returns when an event was written, by the vendor's clock.
pub(crate) fn written(event: &wire::Event) -> Option<Timestamp> {
    utc(event.created.as_deref()?)
}

fn created(event: &wire::Event) -> Option<i64> {
    written(event).map(Timestamp::as_second)
}

/// Reads a time of Linode's, which has no zone and means UTC.
pub(crate) fn utc(text: &str) -> Option<Timestamp> {
    if let Ok(time) = text.parse::<Timestamp>() {
        return Some(time);
    }
    let civil: DateTime = text.parse().ok()?;
    civil.to_zoned(TimeZone::UTC).ok().map(|it| it.timestamp())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const ACCEPTED: &str = "2026-11-22T12:00:10Z";

    fn job(verb: Verb) -> Job {
        Job::new(verb, 123, ACCEPTED.parse().unwrap())
    }

    /// Shaped after the example of the vendor's OpenAPI document, `GET /account/events`.
    fn event(id: u64, action: &str, status: &str, created: &str) -> wire::Event {
        serde_json::from_value(json!({
            "id": id, "action": action, "status": status, "created": created,
            "percent_complete": 20, "rate": null, "duration": null, "secondary_entity": null,
            "entity": { "id": 123, "type": "linode", "label": "web" }
        }))
        .unwrap()
    }

    #[test]
    fn a_job_is_found_again_by_its_id() {
        for verb in Verb::ALL {
            let it = job(verb);
            assert_eq!(Job::parse(&it.running().id), Some(it));
        }
        for odd in [
            "",
            "boot",
            "boot:1",
            "boot:x:1",
            "melt:1:1",
            "boot:1:1:x",
            "boot:1:1:1:1",
            "boot:-1:1",
        ] {
            assert_eq!(Job::parse(&odd.into()), None, "{odd}");
        }
    }

    #[test]
    fn the_newest_event_that_fits_tells_how_far_a_job_is() {
        let events = [
            event(1, "linode_reboot", "finished", "2026-11-22T11:00:00"),
            event(2, "linode_boot", "failed", "2026-11-22T12:00:11"),
            event(3, "linode_reboot", "failed", "2026-11-22T12:00:08"),
            event(4, "linode_reboot", "started", "2026-11-22T12:00:09"),
        ];
        let told = job(Verb::Reboot).by_events(&events).unwrap();
        let running = OperationStatus::Running { percent: Some(20) };
        assert_eq!(told.status, running);
        assert_eq!(job(Verb::Shutdown).by_events(&events), None);
        let later = Job::new(Verb::Reboot, 123, "2026-11-22T13:00:00Z".parse().unwrap());
        assert_eq!(later.by_events(&events), None);
        let other = Job::new(Verb::Reboot, 124, ACCEPTED.parse().unwrap());
        assert_eq!(other.by_events(&events), None);
    }

    #[test]
    fn a_job_ends_only_by_a_word_that_says_so() {
        let of = |word: &str| {
            let event = event(1, "linode_boot", word, "2026-11-22T12:00:10");
            job(Verb::Boot).by_events(&[event]).unwrap().status
        };
        assert_eq!(of("finished"), OperationStatus::Succeeded);
        assert_eq!(of("notification"), OperationStatus::Succeeded);
        for word in ["scheduled", "started", "pondering"] {
            assert!(
                matches!(of(word), OperationStatus::Running { .. }),
                "{word}"
            );
        }
        assert!(matches!(of("failed"), OperationStatus::Failed { .. }));
    }

    #[test]
    fn an_event_without_an_entity_tells_of_nothing() {
        let mut it = event(1, "linode_boot", "finished", "2026-11-22T12:00:10");
        it.entity = None;
        assert_eq!(job(Verb::Boot).by_events(&[it]), None);
    }

    #[test]
    fn a_server_that_is_gone_ends_every_job() {
        assert_eq!(
            job(Verb::Delete).orphaned().status,
            OperationStatus::Succeeded
        );
        let failed = job(Verb::Create).orphaned().status;
        assert!(matches!(failed, OperationStatus::Failed { .. }));
    }

    #[test]
    fn a_time_without_a_zone_is_utc() {
        assert_eq!(
            utc("2018-01-02T03:04:05").unwrap().to_string(),
            "2018-01-02T03:04:05Z"
        );
        assert_eq!(
            utc("2018-01-02T03:04:05Z").unwrap().to_string(),
            "2018-01-02T03:04:05Z"
        );
        assert_eq!(utc("yesterday"), None);
    }
}
