//! All buckets of an account, and who waits for them.

use jiff::Timestamp;
use reqwest::Method;
use roadstead_core::{Lane, RateBucket};
use tokio::sync::oneshot;

use super::bucket::Bucket;
use super::table::{Hears, RateTable};
use crate::rate::RateLimit;

/// The buckets in which a call counts, by their places, the narrowest first.
pub(super) type Route = Vec<usize>;

/// A vendor's word that it takes no more for now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Throttle {
    pub(crate) until: Timestamp,
    /// Whether the vendor named the time by `Retry-After`.
    pub(crate) is_named: bool,
}

/// All buckets of an account, and who waits for them.
#[derive(Debug)]
pub(super) struct State {
    buckets: Vec<Bucket>,
    route: fn(&Method, &str) -> &'static [&'static str],
    /// In the order in which they go: by lane, then by arrival.
    waiting: Vec<Waiter>,
    last: u64,
}

#[derive(Debug)]
struct Waiter {
    id: u64,
    lane: Lane,
    route: Route,
    go: oneshot::Sender<()>,
}

impl State {
    pub(super) fn new(table: &RateTable) -> Self {
        Self {
            buckets: table.buckets.iter().copied().map(Bucket::new).collect(),
            route: table.route,
            waiting: Vec::new(),
            last: 0,
        }
    }

    pub(super) fn route(&self, method: &Method, template: &str) -> Route {
        let place = |name: &&str| self.buckets.iter().position(|it| it.rule.name == *name);
        (self.route)(method, template)
            .iter()
            .filter_map(place)
            .collect()
    }

    /// Puts a call into the queue, and returns its number and the word for which it waits.
    pub(super) fn arrive(&mut self, lane: Lane, route: Route) -> (u64, oneshot::Receiver<()>) {
        self.last = self.last.wrapping_add(1);
        let id = self.last;
        let (go, gone) = oneshot::channel();
        let behind = self.waiting.partition_point(|it| it.lane >= lane);
        let waiter = Waiter {
            id,
            lane,
            route,
            go,
        };
        self.waiting.insert(behind, waiter);
        (id, gone)
    }

    /// Lets go whoever may go now.
    pub(super) fn advance(&mut self, now: Timestamp) {
        for bucket in &mut self.buckets {
            bucket.roll(now);
        }
        let mut place = 0;
        while let Some(waiter) = self.waiting.get(place) {
            let lane = waiter.lane;
            let mut may_go = true;
            for index in &waiter.route {
                if let Some(bucket) = self.buckets.get_mut(*index)
                    && !bucket.admits(lane, now)
                {
                    bucket.refuse(lane, now);
                    may_go = false;
                }
            }
            if !may_go {
                place += 1;
                continue;
            }
            let waiter = self.waiting.remove(place);
            self.each(&waiter.route, |it| it.take(lane));
            // Who has given up meanwhile finds itself let go, and gives back.
            let _ = waiter.go.send(());
        }
    }

    /// Takes a call out of the queue; returns false when it was let go already.
    pub(super) fn leave(&mut self, id: u64) -> bool {
        let place = self.waiting.iter().position(|it| it.id == id);
        place.map(|it| self.waiting.remove(it)).is_some()
    }

    /// Takes a call out of the queue that is told to come back then.
    pub(super) fn postpone(&mut self, id: u64, then: Timestamp, now: Timestamp) {
        let Some(place) = self.waiting.iter().position(|it| it.id == id) else {
            return;
        };
        let Waiter { lane, route, .. } = self.waiting.remove(place);
        self.each(&route, |it| {
            if !it.admits(lane, now) {
                it.promise(then, lane);
            }
        });
    }

    /// Returns when a waiting call can go; `None` for one that is not in the queue.
    pub(super) fn opens_at(&self, id: u64, now: Timestamp) -> Option<Timestamp> {
        let place = self.waiting.iter().position(|it| it.id == id)?;
        let (before, waiter) = (self.waiting.get(..place)?, self.waiting.get(place)?);
        let of = |index: &usize| {
            let ahead = before.iter().filter(|it| it.route.contains(index)).count();
            let ahead = u64::try_from(ahead).unwrap_or(u64::MAX);
            let bucket = self.buckets.get(*index)?;
            Some(bucket.opens_at(waiter.lane, ahead, now))
        };
        Some(waiter.route.iter().filter_map(of).max().unwrap_or(now))
    }

    /// Takes back a call that has not left.
    pub(super) fn give_back(&mut self, route: &Route) {
        self.each(route, Bucket::give_back);
    }

    /// Counts a call that was not answered. The vendor may have counted it.
    pub(super) fn lose(&mut self, route: &Route, now: Timestamp) {
        self.each(route, |it| it.settle(now));
    }

    /// Counts a call with its answer.
    pub(super) fn answer(
        &mut self,
        route: &Route,
        said: Option<&RateLimit>,
        throttle: Option<Throttle>,
        now: Timestamp,
    ) {
        self.each(route, |it| {
            it.roll(now);
            it.settle(now);
            it.hear(now);
        });
        let speaks = |it: &&usize| {
            let bucket = self.buckets.get(**it);
            bucket.is_some_and(|it| it.rule.hears == Hears::Headers)
        };
        let spoken_of = route.iter().find(speaks).copied();
        let mut closes = None;
        if let Some(throttle) = throttle {
            // Where the vendor names a time the narrowest limit was met; else the one of which
            // its headers tell the time.
            let narrowest = route.first().copied();
            let index = if throttle.is_named {
                narrowest
            } else {
                spoken_of.or(narrowest)
            };
            if let Some(bucket) = index.and_then(|it| self.buckets.get_mut(it)) {
                bucket.close(throttle.until);
            }
            closes = index;
        }
        // The numbers on a refusal by another bucket are that one's.
        let is_about_it = closes.is_none() || closes == spoken_of;
        let bucket = spoken_of.and_then(|it| self.buckets.get_mut(it));
        if let (Some(said), Some(bucket), true) = (said, bucket, is_about_it) {
            let others = bucket.learn(said, now);
            self.each(route, |it| {
                if it.rule.hears == Hears::Alongside {
                    it.add_others(&others, now);
                }
            });
        }
    }

    pub(super) fn is_idle(&mut self, now: Timestamp) -> bool {
        self.advance(now);
        self.waiting.is_empty() && self.buckets.iter().all(Bucket::is_idle)
    }

    pub(super) fn report(&mut self, now: Timestamp) -> Vec<RateBucket> {
        self.advance(now);
        let report = |(index, bucket): (usize, &Bucket)| {
            let waits = |it: &&Waiter| it.route.contains(&index);
            let waiting = self.waiting.iter().filter(waits).count();
            bucket.report(u64::try_from(waiting).unwrap_or(u64::MAX))
        };
        self.buckets.iter().enumerate().map(report).collect()
    }

    fn each(&mut self, route: &[usize], mut work: impl FnMut(&mut Bucket)) {
        for index in route {
            if let Some(bucket) = self.buckets.get_mut(*index) {
                work(bucket);
            }
        }
    }
}
