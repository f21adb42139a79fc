//! The vendor's side: its books, its time, and what is to go wrong next.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use parking_lot::{Mutex, MutexGuard};
use roadstead_core::{
    Action, ActionKind, Address, Billed, CreateGuarantee, CreateInstance, Instance, MiB, RemoteId,
    Scope, State, Status,
};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::harness::{CallClass, Fault, When};

/// How long the vendor needs for anything.
const WORK: Duration = Duration::from_secs(10);

/// A vendor in memory.
#[derive(Debug)]
pub(super) struct Vendor {
    pub(super) guarantee: CreateGuarantee,
    books: Mutex<Books>,
}

/// What the vendor knows.
#[derive(Debug, Default)]
pub(super) struct Books {
    pub(super) now: Duration,
    pub(super) servers: Vec<Server>,
    pub(super) calls: Vec<CallClass>,
    pub(super) faults: Vec<(CallClass, u32, Fault)>,
    pub(super) revoked: bool,
    pub(super) odd: Option<(RemoteId, Box<str>)>,
    late: Vec<(Instant, CreateInstance)>,
    jobs: Vec<Job>,
}

/// Something that was asked for.
#[derive(Clone, Debug)]
pub(super) struct Job {
    pub(super) instance: RemoteId,
    pub(super) kind: ActionKind,
    pub(super) began: Duration,
    ready: Duration,
}

/// A server in the vendor's books.
#[derive(Debug)]
pub(super) struct Server {
    pub(super) instance: Instance,
    pub(super) key: Uuid,
    pub(super) gone: bool,
    pub(super) options: Value,
    ready: Duration,
    becomes: State,
}

impl Vendor {
    pub(super) fn new(guarantee: CreateGuarantee) -> Self {
        Self {
            guarantee,
            books: Mutex::default(),
        }
    }

    /// Opens the books, with all that has become due entered.
    pub(super) fn lock(&self) -> MutexGuard<'_, Books> {
        let mut books = self.books.lock();
        books.settle(self.guarantee);
        books
    }
}

impl Books {
    fn settle(&mut self, guarantee: CreateGuarantee) {
        let due: Vec<_> = self
            .late
            .extract_if(.., |(at, _)| *at <= Instant::now())
            .collect();
        for (_, request) in due {
            let known = self
                .servers
                .iter()
                .any(|it| !it.gone && it.key == request.key.id);
            if guarantee == CreateGuarantee::LookupOnly || !known {
                self.add(&request);
            }
        }
        let now = self.now;
        for server in self.servers.iter_mut().filter(|it| it.ready <= now) {
            server.instance.status = status(server.becomes);
            if server.becomes == State::Deleted {
                server.gone = true;
            } else if server.instance.addresses.is_empty() {
                server.instance.addresses = addresses();
            }
        }
    }

    /// Enters a call and returns what is to go wrong with it.
    pub(super) fn draw(&mut self, class: CallClass) -> Option<Fault> {
        self.calls.push(class);
        let (_, left, fault) = self
            .faults
            .iter_mut()
            .find(|(it, left, _)| *left > 0 && fits(*it, class))?;
        *left -= 1;
        Some(fault.clone())
    }

    pub(super) fn add_late(&mut self, request: &CreateInstance, after: Duration) {
        self.late.push((Instant::now() + after, request.clone()));
    }

    pub(super) fn add(&mut self, request: &CreateInstance) -> Instance {
        let mut tags = request.tags.clone();
        tags.push(request.key.instance_tag().into());
        tags.push(request.key.deployment_tag().into());
        let instance = Instance {
            id: RemoteId::from((self.servers.len() + 1).to_string()),
            name: request.key.name.clone(),
            status: status(State::Provisioning),
            region: request.region.clone(),
            plan: Some(request.plan.clone()),
            image: Some(request.image.clone()),
            vcpus: 1,
            memory: MiB::from_gib(1),
            disk: Some(MiB::from_gib(25)),
            addresses: Vec::new(),
            tags,
            created: Some(Timestamp::UNIX_EPOCH),
        };
        self.servers.push(Server {
            instance: instance.clone(),
            key: request.key.id,
            gone: false,
            options: on_creation(request.options.as_ref()),
            ready: self.now + WORK,
            becomes: State::Running,
        });
        instance
    }

    pub(super) fn find(&mut self, id: &RemoteId) -> Option<&mut Server> {
        self.servers
            .iter_mut()
            .find(|it| !it.gone && &it.instance.id == id)
    }

    /// Starts an action and returns the number of its job; `None` if there is no such server.
    pub(super) fn act(&mut self, id: &RemoteId, action: &Action) -> Option<usize> {
        let ready = self.now + WORK;
        let server = self.find(id)?;
        server.ready = ready;
        server.instance.status.busy = true;
        match action {
            Action::Shutdown | Action::PowerOff => server.becomes = State::Stopped,
            Action::Delete => {
                server.becomes = State::Deleted;
                server.instance.status = status(State::Deleting);
            }
            Action::Rename { name } => server.instance.name = name.clone(),
            _ => server.becomes = State::Running,
        }
        self.jobs.push(Job {
            instance: id.clone(),
            kind: action.kind(),
            began: self.now,
            ready,
        });
        Some(self.jobs.len())
    }

    /// Returns whether a job is done; `None` if there is no such job.
    pub(super) fn job_is_done(&self, number: usize) -> Option<bool> {
        self.jobs
            .get(number.checked_sub(1)?)
            .map(|it| it.ready <= self.now)
    }

    /// Returns what was done to a server, each with its number, the oldest first.
    pub(super) fn log(&self, id: &RemoteId) -> Vec<(usize, Job)> {
        let numbered = (1..).zip(&self.jobs);
        numbered
            .filter(|(_, job)| job.instance == *id)
            .map(|(number, job)| (number, job.clone()))
            .collect()
    }
}

impl Fault {
    /// Returns when the call that it spoils takes effect.
    pub(super) fn effect(&self) -> When {
        match self {
            Self::Silence { when }
            | Self::Status { when, .. }
            | Self::Drop { when }
            | Self::Html { when, .. } => *when,
            Self::Truncate => When::After,
            Self::Throttle { .. } => When::Before,
        }
    }
}

/// Returns whether a call belongs to a class.
pub(super) fn fits(class: CallClass, call: CallClass) -> bool {
    class == CallClass::Any || class == call
}

/// Gives a server its motto.
pub(super) fn carve(server: &mut Server, motto: &str) {
    if let Some(options) = server.options.as_object_mut() {
        options.insert("motto".to_owned(), json!(motto));
    }
}

/// Returns the options that the creating call takes. A motto is none of them.
fn on_creation(options: Option<&Value>) -> Value {
    let mut options = options.cloned().unwrap_or_else(|| json!({}));
    if let Some(options) = options.as_object_mut() {
        options.remove("motto");
    }
    options
}

fn status(state: State) -> Status {
    let at_work = [State::Provisioning, State::Deleting].contains(&state);
    Status {
        state,
        raw: state.as_str().into(),
        busy: at_work,
        billed: Billed::Full,
    }
}

fn addresses() -> Vec<Address> {
    let address = |ip: IpAddr, scope| Address { ip, scope };
    vec![
        address(Ipv4Addr::new(203, 0, 113, 7).into(), Scope::Public),
        address(
            Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 7).into(),
            Scope::Public,
        ),
        address(Ipv4Addr::new(10, 0, 0, 7).into(), Scope::Private),
    ]
}
