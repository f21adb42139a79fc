//! The sweeper in virtual time: the engine's own judgment, and a model of what it keeps.

use std::collections::{BTreeMap, BTreeSet};

use roadstead_core::{Instance, InstanceId, ProviderId, RemoteId};
use roadstead_repository::{
    BoundServer, CreateAttempt, DoomSighting, Lifecycle, MarkedServer, OperationKind, SweepBooks,
};
use roadstead_service::{SweepRule, Verdict, judge};
use uuid::Uuid;

use super::{Event, Millis, SECOND, World, at, millis};
use crate::vendor::{DEPLOYMENT, key};

/// The one account.
const ACCOUNT: ProviderId = ProviderId(Uuid::nil());

/// The fewest servers that one sweep may delete.
const FEWEST: usize = 3;

/// What earlier sweeps have seen.
#[derive(Debug, Default)]
pub(super) struct Sweeper {
    /// Since when a server at the vendor is unwanted, and whose mark it carries.
    doomed: BTreeMap<u64, (usize, Millis)>,
    /// Since when a server of ours is in no list.
    absent: BTreeMap<usize, Millis>,
    /// What nobody vouches for.
    pub(super) quarantined: BTreeSet<u64>,
}

impl World {
    /// Puts a server on record that is to go, and has the account swept soon.
    pub(super) fn doom(&mut self, id: u64, server: usize) {
        self.sweeper.doomed.entry(id).or_insert((server, self.now));
        let soon = self.now + millis(self.engine.clockwork.look_interval);
        self.put(soon, Event::Sweep);
    }

    /// Identifies the account and lists all of it. The process may be killed afterwards.
    pub(super) fn sweep(&mut self) {
        if !self.engine.sweeper || self.frozen || self.accident(150) || !self.is_same() {
            return;
        }
        let listed = if self.foreign {
            Vec::new()
        } else {
            self.vendor.list(self.now)
        };
        if !self.accident(60) {
            let time = self.now + self.rng.u64(1..2 * SECOND);
            self.put(time, Event::SweepJudge(listed));
        }
    }

    /// Compares what was listed with the books, and does what follows.
    pub(super) fn sweep_judge(&mut self, listed: &[Instance]) {
        let books = self.books();
        let rule = SweepRule {
            deployment: DEPLOYMENT,
            provider: ACCOUNT,
            gap: self.engine.clockwork.look_interval,
            rest: self.engine.clockwork.lease,
        };
        let judgment = judge(listed, &books, &rule);
        let mut deleted = 0;
        for (remote, verdict) in judgment.verdicts {
            let Ok(id) = remote.as_str().parse::<u64>() else {
                continue;
            };
            match verdict {
                Verdict::Unwanted {
                    instance, again, ..
                } => {
                    self.sweeper
                        .doomed
                        .entry(id)
                        .or_insert((number(instance), self.now));
                    if again && deleted < FEWEST {
                        deleted += 1;
                        let time = self.now + self.rng.u64(1..SECOND);
                        self.put(time, Event::Delete(id, number(instance)));
                    }
                }
                Verdict::Suspect { .. } => {
                    self.sweeper.quarantined.insert(id);
                }
                Verdict::Returned(instance) => {
                    if let Some(server) = self.store.servers.get_mut(number(instance)) {
                        server.lifecycle = Lifecycle::Live;
                    }
                }
                Verdict::Bound | Verdict::Foreign | Verdict::Released => {
                    self.sweeper.doomed.remove(&id);
                    self.sweeper.quarantined.remove(&id);
                }
                Verdict::Leave => {}
            }
        }
        let mut absent = BTreeMap::new();
        for absence in judgment.absent {
            let server = number(absence.instance);
            let since = self.sweeper.absent.get(&server).copied();
            absent.insert(server, since.unwrap_or(self.now));
            let id = absence.remote.as_str().parse().unwrap_or_default();
            let is_there = self.foreign || self.vendor.get(id, self.now).is_some();
            if absence.again && !is_there && self.is_same() {
                self.say(&format!("server {server} is missing"));
                if let Some(server) = self.store.servers.get_mut(server) {
                    server.lifecycle = Lifecycle::Missing;
                }
            }
        }
        self.sweeper.absent = absent;
    }

    /// Deletes what nobody wants, unless it is bound after all.
    pub(super) fn sweep_delete(&mut self, id: u64, server: usize) {
        if self.frozen || self.foreign || self.accident(200) {
            return;
        }
        let bound = self.store.servers.get(server).and_then(|it| it.bound);
        if bound != Some(id) || self.is_over(server) {
            self.delete(id);
        }
    }

    fn is_over(&self, server: usize) -> bool {
        let server = self.store.servers.get(server);
        server.is_some_and(|it| matches!(it.lifecycle, Lifecycle::Failed | Lifecycle::Deleted))
    }

    fn books(&self) -> SweepBooks {
        let servers = || self.store.servers.iter().enumerate();
        let bound = servers().filter_map(|(number, it)| {
            let id = it.bound?;
            let is_over = matches!(it.lifecycle, Lifecycle::Failed | Lifecycle::Deleted);
            (!is_over).then(|| BoundServer {
                instance: instance(number),
                remote: crate::vendor::remote(id),
                lifecycle: it.lifecycle,
                is_busy: self.is_busy(number),
            })
        });
        let marked = servers().map(|(number, it)| MarkedServer {
            instance: instance(number),
            provider: ACCOUNT,
            remote: it.bound.map(crate::vendor::remote),
            remote_name: key(number).name.to_string(),
            lifecycle: it.lifecycle,
            is_being_created: self.is_being_created(number),
            was_deleted: it.was_deleted,
            updated_at: at(it.updated),
        });
        let attempts = servers().flat_map(|(number, it)| {
            it.attempts.iter().map(move |sent| CreateAttempt {
                instance: instance(number),
                sent_at: at(*sent),
                answered_at: None,
            })
        });
        let doomed = self.sweeper.doomed.iter();
        let doomed = doomed.map(|(id, (server, first))| DoomSighting {
            remote: crate::vendor::remote(*id),
            instance: instance(*server),
            first_at: at(*first),
            second_at: None,
            sent_at: None,
        });
        let absent = self.sweeper.absent.iter();
        let live = servers().filter(|(_, it)| it.lifecycle == Lifecycle::Live);
        SweepBooks {
            bound: bound.collect(),
            marked: marked.collect(),
            attempts: attempts.collect(),
            doomed: doomed.collect(),
            absent: absent
                .map(|(it, since)| (instance(*it), at(*since)))
                .collect(),
            quarantined: Vec::<RemoteId>::new(),
            live: u64::try_from(live.count()).unwrap_or(u64::MAX),
            now: at(self.now),
            // Nobody imports or lets go here.
            ..SweepBooks::default()
        }
    }

    fn is_busy(&self, server: usize) -> bool {
        let mut operations = self.store.operations.iter();
        operations.any(|it| it.server == server && !it.state.is_settled())
    }

    fn is_being_created(&self, server: usize) -> bool {
        let mut operations = self.store.operations.iter();
        operations.any(|it| {
            it.server == server && it.kind == OperationKind::Create && !it.state.is_final()
        })
    }
}

fn instance(number: usize) -> InstanceId {
    InstanceId(crate::vendor::uuid(number))
}

fn number(instance: InstanceId) -> usize {
    let id = instance.0.as_u128().saturating_sub(1);
    usize::try_from(id).unwrap_or(usize::MAX)
}
