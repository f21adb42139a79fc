//! One bucket: what was made of its calls, what the vendor says of it, and who may go next.
//!
//! A call counts from the moment it is let go until a window after its answer. The vendor
//! counted it at some time between the two, so that it never remembers a call that is
//! forgotten here.

mod calls;
#[cfg(test)]
mod tests;

use std::cmp::max;
use std::collections::VecDeque;
use std::time::Duration;

use jiff::Timestamp;
use roadstead_core::{Lane, LimitSource, RateBucket, Reserve, after};

use self::calls::Calls;
use super::table::{BucketRule, Counting, Hears};
use crate::rate::RateLimit;

/// After so long without any call a lane may make one out of the next lane's reserve.
const STARVED: Duration = Duration::from_secs(30);

/// Windows begin and end in whole seconds, and are told so.
const ROUNDING: Duration = Duration::from_secs(1);

/// So many promises are remembered.
const PROMISES_MAX: usize = 10_000;

/// The calls that a vendor counts together.
#[derive(Debug)]
pub(super) struct Bucket {
    pub(super) rule: BucketRule,
    /// What the vendor gave as the limit, and when.
    stated: Option<(u64, Timestamp)>,
    /// Ours that were answered, and others'.
    calls: Calls,
    in_flight: u64,
    /// When the present fixed window ends, by the vendor's clock, to tell it from the next.
    reset: Option<Timestamp>,
    /// The same by our clock, and late enough.
    ends_at: Option<Timestamp>,
    /// When the present fixed window's first answer came.
    heard_at: Option<Timestamp>,
    closed_until: Option<Timestamp>,
    /// Since when each lane asks in vain.
    in_vain: [Option<Timestamp>; Lane::ALL.len()],
    /// When those come back who were told to.
    promises: VecDeque<(Timestamp, Lane)>,
    as_of: Option<Timestamp>,
}

impl Bucket {
    pub(super) fn new(rule: BucketRule) -> Self {
        Self {
            rule,
            stated: None,
            calls: Calls::default(),
            in_flight: 0,
            reset: None,
            ends_at: None,
            heard_at: None,
            closed_until: None,
            in_vain: [None; Lane::ALL.len()],
            promises: VecDeque::new(),
            as_of: None,
        }
    }

    /// Forgets what is over.
    pub(super) fn roll(&mut self, now: Timestamp) {
        if self.ends_at.is_some_and(|it| it <= now) {
            self.calls.clear();
            self.ends_at = None;
            self.heard_at = None;
        }
        if self.heard_at.is_some_and(|it| self.is_over(it, now)) {
            self.heard_at = None;
        }
        self.calls.forget(self.rule.window, now);
        self.promises.retain(|(then, _)| *then > now);
        self.closed_until = self.closed_until.filter(|it| *it > now);
    }

    /// Returns whether a call may leave now.
    pub(super) fn admits(&self, lane: Lane, now: Timestamp) -> bool {
        if self.closed_until.is_some() {
            return false;
        }
        let Some(limit) = self.limit() else {
            return true;
        };
        let kept = self.floor(lane, now);
        let left = limit.saturating_sub(self.calls.count());
        left.saturating_sub(self.in_flight) > kept && self.in_flight < self.at_once(limit, left)
    }

    /// Returns how many calls may be under way at once. Others may be doing the same with this
    /// token: what they do shows only in answers.
    fn at_once(&self, limit: u64, left: u64) -> u64 {
        let half = left.saturating_sub(self.reserve().mutate) / 2;
        let untold = self.rule.hears == Hears::Headers
            && self.rule.counting == Counting::Fixed
            && self.heard_at.is_none();
        let most = if untold { half.min(limit / 10) } else { half };
        most.max(1)
    }

    pub(super) fn take(&mut self, lane: Lane) {
        self.in_flight = self.in_flight.saturating_add(1);
        if let Some(since) = self.in_vain.get_mut(place(lane)) {
            *since = None;
        }
    }

    /// Notes that a lane has asked in vain.
    pub(super) fn refuse(&mut self, lane: Lane, now: Timestamp) {
        if let Some(since) = self.in_vain.get_mut(place(lane)) {
            since.get_or_insert(now);
        }
    }

    /// Takes back a call that has not left.
    pub(super) fn give_back(&mut self) {
        self.in_flight = self.in_flight.saturating_sub(1);
    }

    /// Counts a call that has left, answered or not.
    pub(super) fn settle(&mut self, now: Timestamp) {
        self.in_flight = self.in_flight.saturating_sub(1);
        self.calls.add(now, 1, self.rule.window);
    }

    /// Notes that the vendor has answered, whatever it said.
    pub(super) fn hear(&mut self, now: Timestamp) {
        self.heard_at.get_or_insert(now);
    }

    /// Sends nothing until then.
    pub(super) fn close(&mut self, until: Timestamp) {
        self.closed_until = max(self.closed_until, Some(until));
        self.heard_at = None;
    }

    /// Takes in what the vendor says of this bucket, and returns the calls of others that this
    /// shows. What the vendor says can only lower what is left within a window: answers
    /// overtake each other, and calls are under way.
    pub(super) fn learn(&mut self, said: &RateLimit, now: Timestamp) -> Vec<(Timestamp, u64)> {
        // Nobody could ever call: it means something else.
        if said.limit == Some(0) {
            return Vec::new();
        }
        if let Some(limit) = said.limit {
            self.learn_limit(limit, now);
        }
        let used = match (said.limit.or(self.limit()), said.remaining) {
            (Some(limit), Some(remaining)) => limit.checked_sub(remaining),
            _ => None,
        };
        if self.rule.counting == Counting::Fixed && !self.learn_window(said, used, now) {
            return Vec::new();
        }
        let since = self.as_of.replace(now);
        let ours = self.calls.count().saturating_add(self.in_flight);
        let others = used.unwrap_or(0).saturating_sub(ours);
        if others == 0 {
            return Vec::new();
        }
        let found = match self.rule.counting {
            Counting::Fixed => vec![(now, others)],
            Counting::Sliding => {
                // The vendor's oldest call is forgotten at the time of the refill.
                let oldest = said.refill.map(|it| before(it, self.rule.window));
                let since = since.or(oldest).unwrap_or(Timestamp::MIN);
                spread(others, max(since, before(now, self.rule.window)), now)
            }
        };
        self.add_others(&found, now);
        found
    }

    /// Counts calls of others.
    pub(super) fn add_others(&mut self, found: &[(Timestamp, u64)], now: Timestamp) {
        self.calls.insert(found);
        self.calls.forget(self.rule.window, now);
    }

    /// Of several limits within a window the least holds: they may be of calls that the vendor
    /// counts apart and we do not.
    fn learn_limit(&mut self, limit: u64, now: Timestamp) {
        match self.stated {
            Some((known, at)) if limit > known && !self.is_over(at, now) => {}
            _ => self.stated = Some((limit, now)),
        }
    }

    /// Notes when the present window ends; returns false for the word of an earlier one.
    fn learn_window(&mut self, said: &RateLimit, used: Option<u64>, now: Timestamp) -> bool {
        let window = self.rule.window;
        let (Some(reset), Some(refill)) = (said.reset, said.refill) else {
            return true;
        };
        // A time that no window of this length can have says nothing.
        let far = window.saturating_mul(2);
        if refill > after(now, far) || refill < before(now, far) {
            return true;
        }
        if let Some(known) = self.reset {
            let is_older = after(reset, ROUNDING) < known;
            let is_known_to_be_over = self.ends_at.is_none() && reset <= after(known, ROUNDING);
            if is_older || is_known_to_be_over {
                return false;
            }
            let next = before(after(known, window), ROUNDING.saturating_mul(2));
            if let Some(used) = used.filter(|_| reset >= next) {
                // The next window has begun: what was counted before is forgotten there.
                self.calls.clear();
                self.calls.add(now, used, window);
                self.ends_at = None;
            }
        }
        self.reset = max(self.reset, Some(reset));
        let ends = after(refill, ROUNDING).clamp(now, after(now, window + ROUNDING));
        self.ends_at = max(self.ends_at, Some(ends));
        true
    }

    /// Returns when a call can leave, if `ahead` others leave before it and nothing
    /// unforeseen happens; `now` where only calls under way stand before it.
    pub(super) fn opens_at(&self, lane: Lane, ahead: u64, now: Timestamp) -> Timestamp {
        let closed = max(self.closed_until.unwrap_or(now), now);
        let Some(limit) = self.limit() else {
            return closed;
        };
        let reserve = self.reserve();
        let promised = self.promises.iter().filter(|(_, it)| *it >= lane).count();
        let ahead = ahead.saturating_add(u64::try_from(promised).unwrap_or(u64::MAX));
        let mut opens = self.room_at(limit, reserve.of(lane), ahead, now);
        if ahead == 0
            && let Some(above) = above(lane)
        {
            let since = self.in_vain.get(place(lane)).copied().flatten();
            let starved = after(since.unwrap_or(now), STARVED);
            let out_of_reserve = self.room_at(limit, reserve.of(above), 0, now);
            opens = opens.min(max(starved, out_of_reserve));
        }
        max(opens, closed)
    }

    /// Returns when more than `kept` calls are left behind `ahead` others.
    fn room_at(&self, limit: u64, kept: u64, ahead: u64, now: Timestamp) -> Timestamp {
        let wanted = ahead.saturating_add(1).saturating_add(kept);
        let taken = self.calls.count().saturating_add(self.in_flight);
        let lacking = wanted
            .saturating_sub(limit.saturating_sub(taken))
            .saturating_add(taken.saturating_sub(limit));
        if lacking == 0 {
            return now;
        }
        let window = self.rule.window;
        let per_window = limit.saturating_sub(kept).max(1);
        let later = |first: Timestamp, windows: u64| {
            let windows = u32::try_from(windows).unwrap_or(u32::MAX);
            after(first, window.saturating_mul(windows))
        };
        if let Some(ends_at) = self.ends_at {
            return later(ends_at, ahead / per_window);
        }
        match self.calls.gone_at(lacking, window) {
            Some(gone) => gone,
            None => {
                let beyond = lacking.saturating_sub(self.calls.count());
                later(after(now, window), beyond.saturating_sub(1) / per_window)
            }
        }
    }

    /// Remembers that somebody was told to come back then.
    pub(super) fn promise(&mut self, then: Timestamp, lane: Lane) {
        if self.promises.len() < PROMISES_MAX {
            self.promises.push_back((then, lane));
        }
    }

    pub(super) fn is_idle(&self) -> bool {
        self.in_flight == 0 && self.calls.count() == 0 && self.closed_until.is_none()
    }

    pub(super) fn report(&self, waiting: u64) -> RateBucket {
        let taken = self.calls.count().saturating_add(self.in_flight);
        let oldest = self.calls.gone_at(1, self.rule.window);
        RateBucket {
            name: self.rule.name.into(),
            limit: self.limit(),
            limit_by: match self.stated {
                Some(_) => LimitSource::Stated,
                None => LimitSource::Assumed,
            },
            window: self.rule.window,
            left: self.limit().map(|it| it.saturating_sub(taken)),
            in_flight: self.in_flight,
            waiting,
            reserve: self.reserve(),
            resets_at: self.ends_at.or(oldest),
            closed_until: self.closed_until,
            as_of: self.as_of,
        }
    }

    fn limit(&self) -> Option<u64> {
        self.stated.map(|(limit, _)| limit).or(self.rule.limit)
    }

    /// Returns what is kept back. Each part is smaller than the limit, so that every lane gets
    /// its turn where the limit is one.
    fn reserve(&self) -> Reserve {
        let Some(limit) = self.limit() else {
            return Reserve::default();
        };
        let below = |part: u64| part.min(limit.saturating_sub(1));
        let mutate = below((limit / 20).max(1));
        let people = if self.rule.changes {
            below(limit / 5).max(mutate)
        } else {
            mutate
        };
        Reserve {
            background: below(share(limit, 2, 5)).max(people),
            people,
            mutate,
        }
    }

    fn floor(&self, lane: Lane, now: Timestamp) -> u64 {
        let since = self.in_vain.get(place(lane)).copied().flatten();
        let is_starved = since.is_some_and(|it| after(it, STARVED) <= now);
        let lane = above(lane).filter(|_| is_starved).unwrap_or(lane);
        self.reserve().of(lane)
    }

    fn is_over(&self, time: Timestamp, now: Timestamp) -> bool {
        after(time, self.rule.window) <= now
    }
}

const fn place(lane: Lane) -> usize {
    match lane {
        Lane::Background => 0,
        Lane::People => 1,
        Lane::Mutate => 2,
    }
}

/// Returns the lane that stops later.
const fn above(lane: Lane) -> Option<Lane> {
    match lane {
        Lane::Background => Some(Lane::People),
        Lane::People => Some(Lane::Mutate),
        Lane::Mutate => None,
    }
}

/// Returns a share of a limit, however large that is.
const fn share(limit: u64, parts: u64, of: u64) -> u64 {
    limit / of * parts + limit % of * parts / of
}

fn before(time: Timestamp, by: Duration) -> Timestamp {
    let by = jiff::SignedDuration::try_from(by).unwrap_or(jiff::SignedDuration::MAX);
    time.checked_sub(by).unwrap_or(Timestamp::MIN)
}

/// Spreads calls of which only the number is known evenly over a time.
fn spread(count: u64, since: Timestamp, until: Timestamp) -> Vec<(Timestamp, u64)> {
    let since = since.min(until);
    let parts = count.clamp(1, 60);
    let length = Duration::try_from(until.duration_since(since)).unwrap_or_default();
    let mut found = Vec::new();
    let mut placed = 0;
    for part in 1..=parts {
        // The last part ends with the whole count.
        let upto = share(count, part, parts);
        let elapsed = length / u32::try_from(parts).unwrap_or(1) * u32::try_from(part).unwrap_or(1);
        found.push((after(since, elapsed), upto.saturating_sub(placed)));
        placed = upto;
    }
    found
}
