//! The rules of the sweep as one pure function: a complete list of an account and our books, to
//! what is to be thought of each server.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use roadstead_core::{CreateKey, Instance, InstanceId, ProviderId, RemoteId, State, after};
use roadstead_repository::{
    BoundServer, CreateAttempt, Doubt, Lifecycle, MarkedServer, Parting, SweepBooks,
};
use uuid::Uuid;

/// By how much the vendor's clock and ours may differ without being measured.
const SKEW: SignedDuration = SignedDuration::from_secs(60);

/// How long after it was asked for a server may be made by the vendor. What carries the mark and
/// is younger is somebody's copy.
const LATEST: SignedDuration = SignedDuration::from_secs(3600);

/// What the rules need beside the list and the books.
#[derive(Clone, Debug)]
pub struct Rule<'a> {
    /// This installation, as its marks name it.
    pub deployment: &'a str,
    /// The account.
    pub provider: ProviderId,
    /// The least time between two sightings.
    pub gap: Duration,
    /// How long a server must have failed, or been deleted, before what is left of it counts.
    pub rest: Duration,
}

/// What is to be thought of a server at the vendor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It carries no mark of this installation.
    Foreign,
    /// It is what our books say it is.
    Bound,
    /// It was missing, and is there again.
    Returned(InstanceId),
    /// A person has let it go, and its mark says what it said then.
    Released,
    /// Nothing can be said yet.
    Leave,
    /// Nobody wants it. It goes when that is seen for the second time.
    Unwanted {
        /// Whose mark it carries.
        instance: InstanceId,
        /// Why nobody wants it.
        reason: &'static str,
        /// Whether this is the second time.
        again: bool,
    },
    /// Nobody can vouch for it.
    Suspect {
        /// Whose mark it carries, as far as it can be read.
        instance: Option<InstanceId>,
        /// Why not.
        doubt: Doubt,
    },
}

/// A server of ours that the list did not show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Absence {
    /// Ours.
    pub instance: InstanceId,
    /// Its id at the vendor.
    pub remote: RemoteId,
    /// Whether it was absent before.
    pub again: bool,
}

/// What is to be thought of everything in the list, and of what is not in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Judgment {
    /// Of each server of the list, in its order; a server that a torn list shows twice, once.
    pub verdicts: Vec<(RemoteId, Verdict)>,
    /// Servers of ours that should be in the list.
    pub absent: Vec<Absence>,
}

/// Judges. `books` are read after `listed` was complete: what the list shows and our books do
/// not know is not merely too young for them.
#[must_use]
pub fn judge(listed: &[Instance], books: &SweepBooks, rule: &Rule<'_>) -> Judgment {
    let court = Court::new(listed, books, rule);
    let mut judged = BTreeSet::new();
    let verdicts = listed
        .iter()
        .filter(|it| judged.insert(&it.id))
        .map(|it| (it.id.clone(), court.verdict(it)))
        .collect();
    let absent = books.bound.iter().filter_map(|it| court.absence(it));
    Judgment {
        verdicts,
        absent: absent.collect(),
    }
}

/// Judges one server as it is now, with everything else as the list showed it.
pub(super) fn judge_one(
    fresh: &Instance,
    listed: &[Instance],
    books: &SweepBooks,
    rule: &Rule<'_>,
) -> Verdict {
    Court::new(listed, books, rule).verdict(fresh)
}

/// Returns the servers of ours that the marks of a list name.
pub(crate) fn marks(listed: &[Instance]) -> BTreeSet<InstanceId> {
    let ids = |it: &Instance| {
        let mark = Mark::of(it, "");
        mark.tagged.into_iter().chain(mark.named)
    };
    listed.iter().flat_map(ids).map(InstanceId).collect()
}

/// What a server at the vendor says of itself.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Mark {
    /// Whether it carries the tag of this installation.
    pub(crate) ours: bool,
    /// Whether it carries that of another one.
    pub(crate) others: bool,
    /// The servers that its tags name; more than one is odd.
    pub(crate) tagged: BTreeSet<Uuid>,
    /// The server that its name names, if it is such a name.
    pub(crate) named: Option<Uuid>,
}

impl Mark {
    pub(crate) fn of(instance: &Instance, deployment: &str) -> Self {
        let tags = instance.tags.iter().map(|it| &**it);
        Self::read(&instance.name, tags, deployment)
    }

    /// Reads the mark from a name and tags.
    fn read<'a>(name: &str, tags: impl Iterator<Item = &'a str> + Clone, deployment: &str) -> Self {
        let tags = || tags.clone();
        let deployments = || tags().filter_map(CreateKey::deployment_in_tag);
        Self {
            // The vendor may spell a tag as whoever first used it did.
            ours: deployments().any(|it| it.eq_ignore_ascii_case(deployment)),
            others: deployments().any(|it| !it.eq_ignore_ascii_case(deployment)),
            tagged: tags().filter_map(CreateKey::id_in_tag).collect(),
            named: CreateKey::id_in_name(name),
        }
    }

    /// Returns whether a server still says of itself what it said when a person let it go.
    fn is_unchanged(&self, it: &Instance, parting: &Parting, deployment: &str) -> bool {
        let tags = parting.tags.iter().map(String::as_str);
        it.created == parting.created && *self == Self::read(&parting.name, tags, deployment)
    }
}

struct Court<'a> {
    rule: &'a Rule<'a>,
    books: &'a SweepBooks,
    seen: BTreeSet<&'a RemoteId>,
    bound: BTreeMap<&'a RemoteId, &'a BoundServer>,
    marked: BTreeMap<InstanceId, &'a MarkedServer>,
    released: BTreeMap<&'a RemoteId, &'a Parting>,
    clocks: Vec<Clock>,
}

/// How far the vendor's clock was ahead of ours at some moment, between two bounds.
struct Clock {
    at: Timestamp,
    most: SignedDuration,
}

impl<'a> Court<'a> {
    fn new(listed: &'a [Instance], books: &'a SweepBooks, rule: &'a Rule<'a>) -> Self {
        let bound: BTreeMap<_, _> = books.bound.iter().map(|it| (&it.remote, it)).collect();
        let mut attempts: BTreeMap<InstanceId, Vec<&CreateAttempt>> = BTreeMap::new();
        for attempt in &books.attempts {
            attempts.entry(attempt.instance).or_default().push(attempt);
        }
        let clock = |it: &Instance| {
            let created = it.created?;
            let ours = bound.get(&it.id)?;
            // Only one whose answer named this very server: it was made between two moments
            // that we know.
            let [attempt] = attempts.get(&ours.instance)?.as_slice() else {
                return None;
            };
            attempt.answered_at?;
            Some(Clock {
                at: attempt.sent_at,
                most: created.duration_since(attempt.sent_at),
            })
        };
        Self {
            rule,
            books,
            seen: listed.iter().map(|it| &it.id).collect(),
            clocks: listed.iter().filter_map(clock).collect(),
            bound,
            marked: books.marked.iter().map(|it| (it.instance, it)).collect(),
            released: books.released.iter().map(|it| (&it.remote, it)).collect(),
        }
    }

    fn verdict(&self, it: &Instance) -> Verdict {
        if let Some(ours) = self.bound.get(&it.id) {
            return match ours.lifecycle {
                Lifecycle::Missing => Verdict::Returned(ours.instance),
                _ => Verdict::Bound,
            };
        }
        let mark = Mark::of(it, self.rule.deployment);
        let parting = self.released.get(&it.id);
        if parting.is_some_and(|parting| mark.is_unchanged(it, parting, self.rule.deployment)) {
            return Verdict::Released;
        }
        let is_a_persons = parting.is_some() || self.books.imported.contains(&it.id);
        match self.by_mark(it, &mark) {
            // What a person has let go or wanted is shown, and never deleted by itself.
            Verdict::Unwanted { instance, .. } if is_a_persons => Verdict::Suspect {
                instance: Some(instance),
                doubt: Doubt::Dismissed,
            },
            verdict => verdict,
        }
    }

    /// Judges what is bound to no server of ours.
    fn by_mark(&self, it: &Instance, mark: &Mark) -> Verdict {
        if mark.others && !mark.ours {
            return Verdict::Foreign;
        }
        let mut named: BTreeSet<Uuid> = mark.tagged.clone();
        named.extend(mark.named);
        let named: Vec<InstanceId> = named.into_iter().map(InstanceId).collect();
        let suspect = |doubt| Verdict::Suspect {
            instance: named.first().copied(),
            doubt,
        };
        match named.as_slice() {
            [] if !mark.ours => Verdict::Foreign,
            _ if mark.others => suspect(Doubt::OtherDeployment),
            [] => suspect(Doubt::Unnamed),
            [id] => match self.marked.get(id) {
                None => suspect(Doubt::Unknown),
                Some(ours) => self.of_ours(it, ours, mark),
            },
            _ => suspect(Doubt::Ambiguous),
        }
    }

    /// Judges what carries the mark of a server that our books have, and is not bound to it.
    fn of_ours(&self, it: &Instance, ours: &MarkedServer, mark: &Mark) -> Verdict {
        let suspect = |doubt| Verdict::Suspect {
            instance: Some(ours.instance),
            doubt,
        };
        // A name is a mark only where it is the whole name.
        if mark.tagged.is_empty() && *it.name != *ours.remote_name {
            return suspect(Doubt::Ambiguous);
        }
        if ours.provider != self.rule.provider {
            return suspect(Doubt::OtherAccount);
        }
        if ours.is_being_created {
            return Verdict::Leave;
        }
        // Bound to it since the list of bound servers was read.
        let is_its_own = ours.remote.as_ref() == Some(&it.id);
        let rests = after(ours.updated_at, self.rule.rest) <= self.books.now;
        let reason = match ours.lifecycle {
            Lifecycle::Pending | Lifecycle::Resolving | Lifecycle::Attention => {
                return Verdict::Leave;
            }
            Lifecycle::Missing => return suspect(Doubt::Missing),
            Lifecycle::Deleted if !ours.was_deleted => return suspect(Doubt::Dismissed),
            Lifecycle::Failed | Lifecycle::Deleted if !rests => return Verdict::Leave,
            Lifecycle::Failed => "carries the mark of a server that failed",
            Lifecycle::Deleted => "carries the mark of a server that was deleted",
            Lifecycle::Live | Lifecycle::Deleting if is_its_own => return Verdict::Bound,
            Lifecycle::Live => match &ours.remote {
                // Without the one that is bound this may be the only one there is.
                Some(bound) if self.seen.contains(bound) => {
                    "carries the mark of a server that is bound to another"
                }
                _ => return Verdict::Leave,
            },
            Lifecycle::Deleting => "carries the mark of a server that is being deleted",
        };
        if matches!(it.status.state, State::Deleting | State::Deleted) {
            return Verdict::Leave;
        }
        if let Some(doubt) = self.doubt(it, ours) {
            return suspect(doubt);
        }
        let again = self.books.doomed.iter().any(|sighting| {
            sighting.remote == it.id
                && sighting.instance == ours.instance
                && after(sighting.first_at, self.rule.gap) <= self.books.now
        });
        Verdict::Unwanted {
            instance: ours.instance,
            reason,
            again,
        }
    }

    /// Returns why a server cannot be one that we have asked for, if it cannot.
    fn doubt(&self, it: &Instance, ours: &MarkedServer) -> Option<Doubt> {
        let Some(created) = it.created else {
            return Some(Doubt::Undated);
        };
        let ours = |attempt: &&CreateAttempt| attempt.instance == ours.instance;
        let mut doubt = Doubt::Unasked;
        for attempt in self.books.attempts.iter().filter(ours) {
            // By the vendor's clock, as far as that is known.
            let ahead = self.ahead_at(attempt.sent_at);
            let passed = created
                .duration_since(attempt.sent_at)
                .saturating_sub(ahead);
            if passed < -SKEW {
                doubt = if doubt == Doubt::Later {
                    doubt
                } else {
                    Doubt::Older
                };
            } else if passed > LATEST {
                doubt = Doubt::Later;
            } else {
                return None;
            }
        }
        Some(doubt)
    }

    /// Returns how far the vendor's clock was ahead of ours: by the server whose making we know
    /// that is nearest in time. A clock that is a little off is none.
    fn ahead_at(&self, at: Timestamp) -> SignedDuration {
        let apart = |it: &&Clock| it.at.duration_since(at).abs();
        let nearest = self.clocks.iter().min_by_key(apart);
        nearest
            .map(|it| it.most)
            .filter(|it| it.abs() > SKEW)
            .unwrap_or_default()
    }

    /// A server that no operation is at work on has to be in the list.
    fn absence(&self, it: &BoundServer) -> Option<Absence> {
        let is_absent =
            it.lifecycle == Lifecycle::Live && !it.is_busy && !self.seen.contains(&it.remote);
        is_absent.then(|| Absence {
            instance: it.instance,
            remote: it.remote.clone(),
            again: self.books.absent.iter().any(|(instance, since)| {
                *instance == it.instance && after(*since, self.rule.gap) <= self.books.now
            }),
        })
    }
}

#[cfg(test)]
mod tests;
