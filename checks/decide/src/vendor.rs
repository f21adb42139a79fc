//! A provider in virtual time: what it holds, and when it shows it.

use roadstead_core::{
    ActionKind, Billed, Code, CreateKey, ImageId, Instance, LoggedOperation, MiB, OperationStatus,
    PlanId, RemoteId, RemoteOperation, State, Status,
};
use uuid::Uuid;

use crate::world::{Millis, at, span};

/// The installation that is played.
pub(crate) const DEPLOYMENT: &str = "playplay";

/// How long a server takes to run, and what is done to its power to end.
pub(crate) const JOB: Millis = 20_000;

/// The lists of a vendor are behind by at most this much.
pub(crate) const LIST_LAG: Millis = 120_000;

/// A server at the vendor.
#[derive(Clone, Debug)]
pub(crate) struct Object {
    pub(crate) id: u64,
    /// Whose mark it carries.
    pub(crate) mark: usize,
    pub(crate) created: Millis,
    /// When the lists begin to show it.
    pub(crate) listed: Millis,
    /// When it was deleted, or given up by the vendor.
    pub(crate) gone: Option<Millis>,
    /// When the lists cease to show it.
    pub(crate) unlisted: Millis,
    /// Whether it came to be later than the request for it: no look could tell in time.
    pub(crate) late: bool,
    /// Whether the vendor gave it up itself.
    pub(crate) dropped: bool,
    runs: Millis,
    /// What it is at, and until when: nothing else can be done to it meanwhile.
    at_work: Option<(Millis, State)>,
    /// What was done to its power, and from when on it shows.
    power: Vec<(Millis, State)>,
    plans: Vec<(Millis, PlanId)>,
    images: Vec<(Millis, ImageId)>,
}

impl Object {
    pub(crate) fn is_alive(&self, now: Millis) -> bool {
        self.gone.is_none_or(|it| it > now)
    }

    pub(crate) fn remote(&self) -> RemoteId {
        remote(self.id)
    }

    fn is_listed(&self, now: Millis) -> bool {
        self.listed <= now && now < self.unlisted
    }

    pub(crate) fn state(&self, now: Millis) -> State {
        if now < self.runs {
            return State::Provisioning;
        }
        let shown = || latest(&self.power, now).unwrap_or(State::Running);
        self.at_work(now).unwrap_or_else(shown)
    }

    fn at_work(&self, now: Millis) -> Option<State> {
        let at_work = self.at_work.filter(|it| now < it.0);
        at_work.map(|it| it.1)
    }

    fn shown(&self, now: Millis) -> Instance {
        Instance {
            id: self.remote(),
            name: key(self.mark).name,
            status: Status {
                state: self.state(now),
                raw: "model".into(),
                busy: self.at_work(now).is_some(),
                billed: Billed::Full,
            },
            region: "r".into(),
            plan: Some(latest(&self.plans, now).unwrap_or_else(|| "p".into())),
            image: Some(latest(&self.images, now).unwrap_or_else(|| "i".into())),
            vcpus: 1,
            memory: MiB(1024),
            disk: None,
            addresses: vec![],
            tags: vec![
                key(self.mark).deployment_tag().into(),
                key(self.mark).instance_tag().into(),
            ],
            created: Some(at(self.created)),
        }
    }
}

/// Returns what shows of a history.
fn latest<T: Clone>(history: &[(Millis, T)], now: Millis) -> Option<T> {
    let over = history.iter().filter(|it| it.0 <= now);
    over.max_by_key(|it| it.0).map(|it| it.1.clone())
}

/// Returns the mark of a server.
pub(crate) fn key(mark: usize) -> CreateKey {
    CreateKey::new(DEPLOYMENT, uuid(mark), "m")
}

/// Returns the public id of a server.
pub(crate) fn uuid(mark: usize) -> Uuid {
    Uuid::from_u128(u128::try_from(mark).unwrap_or_default() + 1)
}

/// Returns the id of a server as the vendor writes it.
pub(crate) fn remote(id: u64) -> RemoteId {
    RemoteId::from(format!("{id:08}"))
}

/// What is to become of a server.
#[derive(Clone, Debug)]
pub(crate) enum Work {
    Power(State),
    Plan(PlanId),
    Image(ImageId),
}

/// What became of a request to do something to a server.
#[derive(Debug)]
pub(crate) enum Begun {
    Job(RemoteOperation),
    /// Something else is being done to it.
    Busy,
    Absent,
}

/// A job at the vendor.
#[derive(Clone, Debug)]
struct Job {
    object: u64,
    kind: ActionKind,
    ends: Millis,
    fails: bool,
}

/// How a vendor keeps a second server from being made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dedup {
    /// Not at all.
    None,
    /// Two living servers cannot have one name.
    Name,
    /// A repeated token gives back what the first one made.
    Token,
}

/// What became of a creating request.
#[derive(Debug)]
pub(crate) enum Made {
    Server(u64),
    NameTaken,
}

#[derive(Debug)]
pub(crate) struct Vendor {
    pub(crate) dedup: Dedup,
    /// Whether a server shows what is being done to it, and takes nothing else meanwhile. If not,
    /// nothing but the log tells of it before it is over.
    shows_work: bool,
    pub(crate) objects: Vec<Object>,
    jobs: Vec<Job>,
    last: u64,
}

impl Vendor {
    pub(crate) fn new(dedup: Dedup, shows_work: bool) -> Self {
        Self {
            dedup,
            shows_work,
            objects: Vec::new(),
            jobs: Vec::new(),
            last: 0,
        }
    }

    /// Makes a server with a mark. The lists show it after `lag`. One that is to be dropped
    /// vanishes after `drop`.
    pub(crate) fn create(
        &mut self,
        mark: usize,
        now: Millis,
        lag: Millis,
        drop: Option<Millis>,
    ) -> Made {
        let twin = self
            .objects
            .iter()
            .find(|it| it.mark == mark && it.is_alive(now));
        match (self.dedup, twin) {
            (Dedup::Name, Some(_)) => return Made::NameTaken,
            (Dedup::Token, Some(twin)) => return Made::Server(twin.id),
            _ => {}
        }
        self.last += 1;
        let gone = drop.map(|it| now + it);
        self.objects.push(Object {
            id: self.last,
            mark,
            created: now,
            listed: now + lag,
            gone,
            unlisted: gone.unwrap_or(Millis::MAX),
            late: false,
            dropped: drop.is_some(),
            runs: now + JOB,
            at_work: None,
            power: Vec::new(),
            plans: Vec::new(),
            images: Vec::new(),
        });
        Made::Server(self.last)
    }

    /// Notes that the last server came to be late.
    pub(crate) fn came_late(&mut self) {
        if let Some(last) = self.objects.last_mut() {
            last.late = true;
        }
    }

    pub(crate) fn object(&self, id: u64) -> Option<&Object> {
        self.objects.iter().find(|it| it.id == id)
    }

    /// Deletes a server; the lists show it for `lag` longer. Returns whether it was there.
    pub(crate) fn delete(&mut self, id: u64, now: Millis, lag: Millis) -> bool {
        let found = self.objects.iter_mut().find(|it| it.id == id);
        let Some(object) = found.filter(|it| it.is_alive(now)) else {
            return false;
        };
        object.gone = Some(now);
        object.unlisted = now + lag;
        true
    }

    /// Begins a job on a server that ends after a while.
    pub(crate) fn act(
        &mut self,
        id: u64,
        (kind, work): (ActionKind, Work),
        (now, lasts): (Millis, Millis),
        fails: bool,
    ) -> Begun {
        let found = self.objects.iter_mut().find(|it| it.id == id);
        let Some(object) = found.filter(|it| it.is_alive(now)) else {
            return Begun::Absent;
        };
        if object.at_work(now).is_some() {
            return Begun::Busy;
        }
        let ends = now + lasts;
        let shown = match work {
            Work::Power(_) => None,
            Work::Plan(_) => Some(State::Resizing),
            Work::Image(_) => Some(State::Rebuilding),
        };
        object.at_work = shown.filter(|_| self.shows_work).map(|it| (ends, it));
        match work {
            _ if fails => {}
            Work::Power(state) => object.power.push((ends, state)),
            Work::Plan(plan) => object.plans.push((ends, plan)),
            Work::Image(image) => {
                object.images.push((ends, image));
                object.power.push((ends, State::Running));
            }
        }
        self.jobs.push(Job {
            object: id,
            kind,
            ends,
            fails,
        });
        let job = self.job(self.jobs.len() - 1, now);
        job.map_or(Begun::Absent, Begun::Job)
    }

    /// Returns a job as it is now.
    pub(crate) fn job(&self, number: usize, now: Millis) -> Option<RemoteOperation> {
        let job = self.jobs.get(number)?;
        let status = match (now < job.ends, job.fails) {
            (true, _) => OperationStatus::Running { percent: None },
            (false, false) => OperationStatus::Succeeded,
            (false, true) => OperationStatus::Failed {
                code: Code::ApiError,
                message: "the job failed".into(),
            },
        };
        Some(RemoteOperation {
            id: number.to_string().into(),
            instance: Some(remote(job.object)),
            status,
            poll_after: span(2_000),
        })
    }

    /// Returns where the log ends.
    pub(crate) fn log_end(&self) -> usize {
        self.jobs.len()
    }

    /// Returns what the log tells of a server behind a place.
    pub(crate) fn log(&self, id: u64, place: usize, now: Millis) -> Vec<LoggedOperation> {
        let jobs = self.jobs.iter().enumerate().skip(place);
        jobs.filter(|(_, job)| job.object == id)
            .filter_map(|(number, job)| {
                Some(LoggedOperation {
                    kind: Some(job.kind),
                    started: None,
                    operation: self.job(number, now)?,
                })
            })
            .collect()
    }

    /// Returns what the lists show.
    pub(crate) fn list(&self, now: Millis) -> Vec<Instance> {
        let listed = self.objects.iter().filter(|it| it.is_listed(now));
        listed.map(|it| it.shown(now)).collect()
    }

    /// Looks for a mark.
    pub(crate) fn look(&self, mark: usize, now: Millis) -> Vec<Instance> {
        let mine = self.objects.iter().filter(|it| it.mark == mark);
        mine.filter(|it| it.is_listed(now))
            .map(|it| it.shown(now))
            .collect()
    }

    /// Reads a server.
    pub(crate) fn get(&self, id: u64, now: Millis) -> Option<Instance> {
        let object = self.object(id)?;
        object.is_alive(now).then(|| object.shown(now))
    }

    /// Returns the living servers with a mark.
    pub(crate) fn alive(&self, mark: usize, now: Millis) -> Vec<&Object> {
        let mine = self.objects.iter();
        mine.filter(|it| it.mark == mark && it.is_alive(now))
            .collect()
    }
}
