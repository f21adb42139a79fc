//! The provider of the vendor in memory.

use std::any::Any;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use parking_lot::{Mutex, MutexGuard};
use roadstead_core::{
    Account, Action, At, CreateGuarantee, CreateInstance, CreateKey, Created, Descriptor, Error,
    ErrorKind, Extensions, Feature, How, Image, Instance, InstanceQuery, Lane, LogPlace,
    LoggedOperation, Next, OperationLog, OperationStatus, Page, Plan, Provider, RateBucket, Region,
    RemoteId, RemoteOperation, RemoteOperationId, Result, Since, State,
};

use super::convert::{descriptor, failure, kind, plans};
use super::vendor::{Books, Vendor};
use super::{Flaw, images, regions};
use crate::harness::{CallClass, When};

/// The id of a job that was done at once.
const DONE: &str = "done";

/// A provider of the vendor in memory.
#[derive(Clone, Debug)]
pub struct Fake {
    /// Nobody listens where there is none.
    vendor: Option<Arc<Vendor>>,
    pub(super) descriptor: Descriptor,
    flaw: Option<Flaw>,
    started: Arc<Mutex<Vec<RemoteOperationId>>>,
}

impl Fake {
    pub(super) fn new(
        vendor: Option<Arc<Vendor>>,
        guarantee: CreateGuarantee,
        flaw: Option<Flaw>,
    ) -> Self {
        Self {
            vendor,
            descriptor: descriptor(guarantee, flaw),
            flaw,
            started: Arc::default(),
        }
    }

    pub(super) fn has(&self, flaw: Flaw) -> bool {
        self.flaw == Some(flaw)
    }

    pub(super) fn error(
        &self,
        operation: &'static str,
        kind: ErrorKind,
        message: &'static str,
    ) -> Error {
        Error::new(self.descriptor.kind.clone(), operation, kind, message)
    }

    pub(super) fn reach(&self, operation: &'static str) -> Result<MutexGuard<'_, Books>> {
        let Some(vendor) = &self.vendor else {
            let wrong = self.has(Flaw::CallsUnreachableTimeout);
            let kind = if wrong {
                ErrorKind::Timeout
            } else {
                ErrorKind::Transport
            };
            return Err(self.error(operation, kind, "nobody listens"));
        };
        Ok(vendor.lock())
    }

    fn refuse_token(&self, books: &Books, operation: &'static str) -> Result<()> {
        if books.revoked {
            return Err(self.error(operation, ErrorKind::BadToken, "the token is not known"));
        }
        Ok(())
    }

    /// Reads the books, unless the reading goes wrong.
    pub(super) fn read(&self, operation: &'static str) -> Result<MutexGuard<'_, Books>> {
        let mut books = self.reach(operation)?;
        let Some(fault) = books.draw(CallClass::Read) else {
            self.refuse_token(&books, operation)?;
            return Ok(books);
        };
        if self.has(Flaw::AskedOnceMoreAfterThrottle) {
            books.draw(CallClass::Read);
        }
        Err(failure(&fault, CallClass::Read, operation, self.flaw))
    }

    fn check(&self, request: &CreateInstance) -> Result<()> {
        let operation = "create the instance";
        self.check_options(request)?;
        if request.backups
            && let Some(why) = self.descriptor.refusal(Feature::Backups)
        {
            return Err(Error::unsupported(kind(), operation, why).with_field("backups"));
        }
        Ok(())
    }

    fn show(&self, books: &Books, instance: &Instance) -> Instance {
        let mut shown = instance.clone();
        if self.has(Flaw::DropsPrivateAddresses) {
            shown
                .addresses
                .retain(|it| it.scope == roadstead_core::Scope::Public);
        }
        if let Some((id, word)) = &books.odd
            && *id == shown.id
        {
            shown.status.raw = word.clone();
            let guess = self.has(Flaw::GuessesUnknownStatus);
            shown.status.state = if guess {
                State::Running
            } else {
                State::Unknown
            };
        }
        shown
    }

    /// Changes the tags of a server, unless that goes wrong.
    fn retag(
        &self,
        operation: &'static str,
        id: &RemoteId,
        change: impl Fn(&mut Instance),
    ) -> Result<()> {
        let mut books = self.reach(operation)?;
        if let Some(fault) = books.draw(CallClass::Mark) {
            if fault.effect() == When::After
                && let Some(server) = books.find(id)
            {
                change(&mut server.instance);
            }
            return Err(failure(&fault, CallClass::Mark, operation, self.flaw));
        }
        self.refuse_token(&books, operation)?;
        match books.find(id) {
            Some(server) => change(&mut server.instance),
            None if self.has(Flaw::MarksWhatIsGone) => {}
            None => return Err(self.error(operation, ErrorKind::NoSuchInstance, "there is none")),
        }
        Ok(())
    }

    fn job(&self, id: impl Into<Box<str>>, instance: &RemoteId, done: bool) -> RemoteOperation {
        let status = match done {
            true => OperationStatus::Succeeded,
            false => OperationStatus::Running { percent: None },
        };
        RemoteOperation {
            id: RemoteOperationId(id.into()),
            instance: Some(instance.clone()),
            status,
            poll_after: Duration::from_secs(3),
        }
    }
}

#[async_trait]
impl Provider for Fake {
    fn descriptor(&self) -> &Descriptor {
        &self.descriptor
    }

    async fn validate_credentials(&self) -> Result<Account> {
        drop(self.read("check the credentials")?);
        Ok(Account {
            fingerprint: "fake-account".into(),
            label: None,
            instance_limit: None,
            missing_scopes: Vec::new(),
        })
    }

    fn check_create(&self, request: &CreateInstance) -> Result<()> {
        self.check(request)
    }

    async fn create_instance(&self, request: &CreateInstance) -> Result<Created> {
        let operation = "create the instance";
        self.check(request)?;
        let mut books = self.reach(operation)?;
        let guarantee = self.descriptor.create_guarantee;
        if let Some(fault) = books.draw(CallClass::Create) {
            match fault.effect() {
                When::Before => {}
                When::After => drop(books.add(request)),
                When::Late(after) => books.add_late(request, after),
            }
            if self.has(Flaw::ResendsCreates) {
                books.calls.push(CallClass::Create);
                let instance = books.add(request);
                return Ok(Created {
                    instance,
                    how: How::Created,
                    operation: None,
                });
            }
            return Err(failure(&fault, CallClass::Create, operation, self.flaw));
        }
        self.refuse_token(&books, operation)?;
        let known = books
            .servers
            .iter()
            .find(|it| !it.gone && it.key == request.key.id);
        let known = known.map(|it| it.instance.clone());
        match (guarantee, known) {
            (CreateGuarantee::Token, Some(instance)) => Ok(Created {
                instance,
                how: How::Adopted,
                operation: None,
            }),
            (CreateGuarantee::UniqueName, Some(_)) => {
                Err(self.error(operation, ErrorKind::Conflict, "the name is taken"))
            }
            (_, _) => {
                let instance = books.add(request);
                if self.has(Flaw::LosesOptions)
                    && let Some(server) = books.servers.last_mut()
                {
                    server.options = serde_json::json!({});
                }
                Ok(Created {
                    instance,
                    how: How::Created,
                    operation: None,
                })
            }
        }
    }

    async fn find_created(&self, key: &CreateKey) -> Result<Vec<Instance>> {
        let books = self.read("look for the instance")?;
        let tag = key.instance_tag();
        let by_tag = |it: &Instance| it.tags.iter().any(|it| **it == *tag);
        let by_name = |it: &Instance| it.name == key.name;
        let marked = |it: &Instance| match self.flaw {
            Some(Flaw::FindsByNameOnly) => by_name(it),
            Some(Flaw::FindsByTagOnly) => by_tag(it),
            _ => by_name(it) || by_tag(it),
        };
        let live = books
            .servers
            .iter()
            .filter(|it| !it.gone)
            .map(|it| &it.instance);
        Ok(live
            .filter(|it| marked(it))
            .map(|it| self.show(&books, it))
            .collect())
    }

    async fn get_instance(&self, id: &RemoteId) -> Result<Instance> {
        let operation = "read the instance";
        let books = self.read(operation)?;
        let found = books
            .servers
            .iter()
            .find(|it| !it.gone && &it.instance.id == id);
        match found {
            Some(server) => Ok(self.show(&books, &server.instance)),
            None => Err(self.error(operation, ErrorKind::NoSuchInstance, "there is none")),
        }
    }

    async fn mark_instance(&self, id: &RemoteId, key: &CreateKey) -> Result<()> {
        self.retag("mark the instance", id, |instance| {
            if self.has(Flaw::RenamesWhatItMarks) {
                instance.name = key.name.clone();
            }
            if self.has(Flaw::ForgetsOtherTags) {
                instance.tags.clear();
            }
            for tag in key.tags().map(Box::from) {
                if !instance.tags.contains(&tag) || self.has(Flaw::MarksTwice) {
                    instance.tags.push(tag);
                }
            }
        })
    }

    async fn unmark_instance(&self, id: &RemoteId, key: &CreateKey) -> Result<()> {
        let mark = key.tags();
        self.retag("unmark the instance", id, |instance| {
            let too_much = self.has(Flaw::UnmarksTooMuch);
            let goes =
                |it: &str| mark.iter().any(|tag| tag == it) || (too_much && it.starts_with("rs:"));
            instance.tags.retain(|it| !goes(it));
        })
    }

    async fn list_instances(&self, query: &InstanceQuery, at: At) -> Result<Page<Instance>> {
        let books = self.read("list the instances")?;
        let fits = |it: &Instance| {
            let tag = query.tag.as_ref().is_none_or(|tag| it.tags.contains(tag));
            let name = query.name.as_ref().is_none_or(|name| it.name == *name);
            let gpu = it.plan.as_ref().is_some_and(|it| it.as_str() == "gpu");
            tag && name && !(gpu && self.has(Flaw::HidesGpuServers))
        };
        let all: Vec<&Instance> = books
            .servers
            .iter()
            .filter(|it| !it.gone)
            .map(|it| &it.instance)
            .filter(|it| fits(it))
            .collect();
        let size = usize::from(query.page_size.unwrap_or(100).clamp(1, 100));
        let number = match at {
            At::Number(number) => usize::try_from(number).unwrap_or(usize::MAX),
            At::First | At::Cursor(_) => 1,
        };
        let mut start = size.saturating_mul(number.saturating_sub(1));
        if self.has(Flaw::RepeatsALine) {
            start = start.saturating_sub(1);
        }
        let last = all.len().div_ceil(size).max(1);
        let ends = number >= last || self.has(Flaw::StopsAfterOnePage);
        let page = |it: usize| u32::try_from(it).unwrap_or(u32::MAX);
        Ok(Page {
            items: all
                .iter()
                .skip(start)
                .take(size)
                .map(|it| self.show(&books, it))
                .collect(),
            total: u64::try_from(all.len()).ok(),
            next: match ends {
                true => Next::End,
                false => Next::Numbered {
                    next: page(number + 1),
                    last: page(last),
                    then: None,
                },
            },
        })
    }

    fn check_action(&self, action: &Action) -> Result<()> {
        let feature = action.kind().feature();
        match feature.and_then(|it| self.descriptor.refusal(it)) {
            Some(why) => Err(Error::unsupported(kind(), "perform the action", why)),
            None => Ok(()),
        }
    }

    async fn perform_action(&self, id: &RemoteId, action: &Action) -> Result<RemoteOperation> {
        let operation = "perform the action";
        if let Err(refusal) = self.check_action(action) {
            if self.has(Flaw::Pretends) {
                return Ok(self.job(DONE, id, true));
            }
            return Err(refusal);
        }
        let deletes = matches!(action, Action::Delete);
        let class = if deletes {
            CallClass::Delete
        } else {
            CallClass::Action
        };
        let mut books = self.reach(operation)?;
        if let Some(fault) = books.draw(class) {
            if fault.effect() == When::After {
                books.act(id, action);
            }
            return Err(failure(&fault, class, operation, self.flaw));
        }
        self.refuse_token(&books, operation)?;
        match books.act(id, action) {
            Some(number) => {
                let job = self.job(number.to_string(), id, false);
                self.started.lock().push(job.id.clone());
                Ok(job)
            }
            None if deletes && !self.has(Flaw::RefusesSecondDelete) => Ok(self.job(DONE, id, true)),
            None => Err(self.error(operation, ErrorKind::NoSuchInstance, "there is none")),
        }
    }

    async fn get_operation(&self, id: &RemoteOperationId) -> Result<RemoteOperation> {
        let operation = "read the operation";
        let books = self.read(operation)?;
        let absent = || self.error(operation, ErrorKind::NoSuchResource, "there is no such job");
        if self.has(Flaw::KeepsJobsInMemory) && !self.started.lock().contains(id) {
            return Err(absent());
        }
        let number = id.as_str().parse().unwrap_or_default();
        let done = books.job_is_done(number).ok_or_else(absent)?;
        let mut job = self.job(id.as_str(), &RemoteId::from(""), done);
        job.instance = None;
        Ok(job)
    }

    async fn recent_operations(&self, id: &RemoteId, since: &Since) -> Result<OperationLog> {
        let operation = "read the log of the instance";
        let books = match self.read(operation) {
            Ok(books) => books,
            Err(_) if self.has(Flaw::CallsABlindLogEmpty) => {
                return Ok(OperationLog {
                    entries: Vec::new(),
                    end: LogPlace::from("0"),
                });
            }
            Err(error) => return Err(error),
        };
        let all = books.log(id);
        let end = all.last().map_or(0, |(number, _)| *number);
        let after = match since {
            Since::Now => end,
            Since::Place(place) => place.as_str().parse().map_err(|_text| {
                self.error(
                    operation,
                    ErrorKind::Invalid,
                    "the place is not of this log",
                )
            })?,
            Since::Ago(ago) => {
                let from = books.now.saturating_sub(*ago);
                all.iter()
                    .filter(|(_, job)| job.began < from)
                    .map(|(number, _)| *number)
                    .max()
                    .unwrap_or(0)
            }
        };
        let is_told = |number: usize| match self.flaw {
            // Only what is over.
            Some(Flaw::TellsOnlyWhatIsOver) => books.job_is_done(number) == Some(true),
            Some(Flaw::TellsOfTheWholePast) => true,
            _ => number > after,
        };
        let entries = all.into_iter().filter(|(number, _)| is_told(*number));
        let entries = entries.map(|(number, job)| LoggedOperation {
            kind: Some(job.kind),
            started: Some(Timestamp::UNIX_EPOCH + job.began),
            operation: self.job(
                number.to_string(),
                id,
                books.job_is_done(number) == Some(true),
            ),
        });
        Ok(OperationLog {
            entries: entries.collect(),
            end: LogPlace::from(end.to_string()),
        })
    }

    async fn get_plans(&self) -> Result<Arc<[Plan]>> {
        drop(self.read("list the plans")?);
        Ok(Arc::new(plans(self.flaw)))
    }

    async fn get_images(&self) -> Result<Arc<[Image]>> {
        drop(self.read("list the images")?);
        Ok(images())
    }

    async fn get_regions(&self) -> Result<Arc<[Region]>> {
        drop(self.read("list the regions")?);
        Ok(regions())
    }

    fn extensions(&self) -> Extensions<'_> {
        let mut extensions = Extensions::default();
        extensions.marketplace = Some(self);
        extensions.choices = Some(self);
        extensions.after_create = Some(self);
        extensions
    }

    fn in_lane(&self, _lane: Lane) -> Arc<dyn Provider> {
        let mut same = self.clone();
        if self.has(Flaw::LosesItsAccountInALane) {
            same.vendor = None;
        }
        Arc::new(same)
    }

    fn budget(&self) -> Vec<RateBucket> {
        Vec::new()
    }

    fn native(&self) -> &(dyn Any + Send + Sync) {
        self
    }
}
