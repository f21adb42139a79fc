//! The checker: what became of everything, from the vendor's journal and state, the API's answers
//! and the database. It is pure, and knows nothing of how the engine works.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use uuid::Uuid;

use crate::evidence::{Asked, Entry, Evidence, Instance, Object, Operation};
use crate::table::Row;

/// By how much the clocks of the simulator and of the database may differ, in microseconds.
const SKEW: i64 = 100_000;

/// What may be in the evidence of a try although it may not be in others.
#[derive(Debug, Clone, Copy, Default)]
pub struct Allowed {
    /// A second server of one instance, if it is gone in the end: where the vendor gives no
    /// guarantee, and a request takes effect later than anybody waits for it. So may a resize be
    /// done a second time, to the same plan.
    pub extras: bool,
    /// Our database was put back to an earlier time: of what was accepted since, it knows
    /// nothing, and so many servers are in quarantine.
    pub restored: Option<u32>,
}

/// What the checker finds.
#[derive(Debug, Clone, Default)]
pub struct Verdict {
    /// What became of everything.
    pub row: Row,
    /// What breaks an invariant, in words. With any, the try has failed.
    pub findings: Vec<String>,
    /// What waits for a person, in words.
    pub attention: Vec<String>,
}

impl Verdict {
    /// Returns whether nothing is wrong.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.findings.is_empty()
    }
}

/// Judges the evidence.
#[must_use]
pub fn check(evidence: &Evidence, allowed: Allowed) -> Verdict {
    let mut checker = Checker {
        evidence,
        allowed,
        verdict: Verdict::default(),
    };
    checker.operations();
    checker.servers();
    checker.deletions();
    checker.repeats();
    checker.requests();
    checker.answers();
    checker.secrets();
    checker.conclude();
    checker.verdict
}

struct Checker<'a> {
    evidence: &'a Evidence,
    allowed: Allowed,
    verdict: Verdict,
}

impl<'a> Checker<'a> {
    fn find(&mut self, finding: String) {
        self.verdict.findings.push(finding);
    }

    fn instance(&self, id: Uuid) -> Option<&'a Instance> {
        self.evidence.books.instances.iter().find(|it| it.id == id)
    }

    fn object(&self, remote: &str) -> Option<&'a Object> {
        self.evidence.objects.iter().find(|it| it.id == remote)
    }

    /// Returns whose mark a server carries, by name or by tag.
    fn owner(&self, object: &Object) -> Option<&'a Instance> {
        let marks = |it: &&Instance| {
            // The name ends with the id, as the tag does.
            let id = it.name.rsplit('-').next().unwrap_or_default();
            let tag = format!("rs:i:{id}");
            object.name == it.name || object.tags.contains(&tag)
        };
        self.evidence.books.instances.iter().find(marks)
    }

    /// Each accepted operation goes into one column (I4).
    fn operations(&mut self) {
        let books = &self.evidence.books;
        let known: BTreeSet<Uuid> = books.operations.iter().map(|it| it.id).collect();
        let answered: BTreeSet<Uuid> = self
            .evidence
            .asked
            .iter()
            .flat_map(|it| it.operations.iter().copied())
            .collect();
        for gone in answered.difference(&known) {
            if self.allowed.restored.is_none() {
                self.verdict.row.accepted += 1;
                self.verdict.row.stuck += 1;
                self.find(format!(
                    "operation {gone} was accepted and is not on record"
                ));
            }
        }
        for operation in &books.operations {
            self.verdict.row.accepted += 1;
            let kind = &operation.kind;
            let id = operation.id;
            let said = operation.error.as_deref().unwrap_or("nothing said");
            match operation.state.as_str() {
                "succeeded" => match self.untrue(operation) {
                    None => self.verdict.row.done += 1,
                    Some(why) => {
                        self.verdict.row.failed += 1;
                        self.find(format!("{kind} {id} claims success, but {why}"));
                    }
                },
                "failed" if self.is_refused(operation) => self.verdict.row.refused += 1,
                "failed" if self.is_settled_by_delete(operation) => {
                    self.verdict.row.attention += 1;
                    self.verdict.attention.push(format!("{kind} {id}: {said}"));
                }
                "failed" => {
                    self.verdict.row.failed += 1;
                    self.find(format!("{kind} {id} failed without a refusal: {said}"));
                }
                "attention" => {
                    self.verdict.row.attention += 1;
                    self.verdict.attention.push(format!("{kind} {id}: {said}"));
                    // Only what can be done at most once may be left to a person.
                    if !AT_MOST_ONCE.contains(&kind.as_str()) {
                        self.find(format!("{kind} {id} was left to a person: {said}"));
                    }
                }
                state => {
                    self.verdict.row.stuck += 1;
                    self.find(format!("{kind} {id} is still `{state}`: {said}"));
                }
            }
        }
    }

    /// Returns why what an operation claims is not so.
    fn untrue(&self, operation: &Operation) -> Option<String> {
        let Some(instance) = self.instance(operation.instance) else {
            return Some("its server is not on record".to_owned());
        };
        let Some(remote) = instance.remote.as_deref() else {
            // Nothing was ever there: only a delete can say so.
            let nothing = operation.kind == "delete" && instance.lifecycle == "deleted";
            return (!nothing).then(|| "its server is bound to nothing".to_owned());
        };
        let object = self.object(remote);
        let is_live = object.is_some_and(|it| !it.deleted);
        if operation.kind == "delete" {
            if is_live {
                return Some(format!("server {remote} is still there"));
            }
            let lifecycle = &instance.lifecycle;
            return (lifecycle != "deleted")
                .then(|| format!("the server is `{lifecycle}` with us"));
        }
        let later_delete = self.siblings(operation).any(|it| it.kind == "delete");
        if later_delete {
            return None;
        }
        let Some(object) = object.filter(|it| !it.deleted) else {
            return Some(format!("server {remote} is not there"));
        };
        let is_last = |kinds: &[&str]| {
            let later = |it: &&Operation| {
                it.created_at > operation.created_at && kinds.contains(&it.kind.as_str())
            };
            !self.siblings(operation).any(|it| later(&it))
        };
        let asked = self.asked(operation);
        match operation.kind.as_str() {
            "create" | "resize" if is_last(&["resize"]) => {
                let plan = asked.and_then(|it| it.plan.as_deref())?;
                let has = &object.plan;
                (plan != has).then(|| format!("server {remote} is a `{has}`, not a `{plan}`"))
            }
            "rebuild" if is_last(&["rebuild"]) => {
                let image = asked.and_then(|it| it.image.as_deref())?;
                let has = &object.image;
                (image != has).then(|| format!("server {remote} runs `{has}`, not `{image}`"))
            }
            word @ ("boot" | "shutdown" | "power_off") if is_last(&POWER) => {
                let runs = matches!(object.status.as_str(), "active" | "running");
                let status = &object.status;
                (runs != (word == "boot")).then(|| format!("server {remote} is `{status}`"))
            }
            "reboot" if self.done(remote, "reboot") == 0 => {
                Some(format!("server {remote} was never rebooted"))
            }
            _ => None,
        }
    }

    fn siblings(&self, operation: &Operation) -> impl Iterator<Item = &'a Operation> + use<'a> {
        let (id, instance) = (operation.id, operation.instance);
        let all = &self.evidence.books.operations;
        all.iter()
            .filter(move |it| it.instance == instance && it.id != id)
    }

    fn asked(&self, operation: &Operation) -> Option<&'a Asked> {
        let asked = &self.evidence.asked;
        asked
            .iter()
            .find(|it| it.operations.contains(&operation.id))
    }

    /// Returns whether it waited for a person until the server was deleted, which settled it in
    /// the same moment.
    fn is_settled_by_delete(&self, operation: &Operation) -> bool {
        let may_wait = AT_MOST_ONCE.contains(&operation.kind.as_str());
        let settles = |it: &Operation| {
            it.kind == "delete"
                && it.state == "succeeded"
                && it.finished_at == operation.finished_at
        };
        may_wait && operation.finished_at.is_some() && self.siblings(operation).any(settles)
    }

    /// Returns how often the vendor did something to a server.
    fn done(&self, remote: &str, kind: &str) -> usize {
        let journal = &self.evidence.journal;
        let is_it = |it: &&Entry| {
            it.committed
                && it
                    .action()
                    .is_some_and(|(id, word)| id == remote && kind_of(word) == Some(kind))
        };
        journal.iter().filter(is_it).count()
    }

    /// Returns whether the vendor's journal holds a refusal of what an operation asked for.
    fn is_refused(&self, operation: &Operation) -> bool {
        let Some(instance) = self.instance(operation.instance) else {
            return false;
        };
        let within = |entry: &Entry| {
            let at = entry.time.as_microsecond();
            at >= operation.created_at - SKEW
                && operation.finished_at.is_none_or(|it| at <= it + SKEW)
        };
        self.evidence.journal.iter().any(|entry| {
            // Whoever is shut out of the account is refused everything.
            let is_shut_out = matches!(entry.status, Some(401 | 403)) && within(entry);
            if is_shut_out {
                return true;
            }
            if operation.kind == "create" {
                return entry.created_name() == Some(&*instance.name) && entry.is_refusal();
            }
            entry.method != "GET"
                && entry.is_refusal()
                && within(entry)
                && instance.remote.as_deref().is_some_and(|it| entry.names(it))
        })
    }

    /// Live marked servers and live bound rows are one and the same (I1, I2).
    fn servers(&mut self) {
        let mut live: BTreeMap<Uuid, Vec<&str>> = BTreeMap::new();
        for object in self.evidence.objects.iter().filter(|it| !it.deleted) {
            let remote = &object.id;
            let Some(owner) = self.owner(object) else {
                if !object.tags.iter().any(|it| it.starts_with("rs:")) {
                    continue;
                }
                if self.evidence.books.quarantine.contains(remote) {
                    self.verdict.row.quarantined += 1;
                } else {
                    self.verdict.row.leaked += 1;
                    let name = &object.name;
                    self.find(format!("server {remote} (`{name}`) is nobody's"));
                }
                continue;
            };
            live.entry(owner.id).or_default().push(remote);
            let is_bound = owner.remote.as_ref() == Some(remote);
            let is_over = matches!(owner.lifecycle.as_str(), "failed" | "deleted");
            if is_over || owner.remote.is_none() {
                self.verdict.row.leaked += 1;
                let lifecycle = &owner.lifecycle;
                self.find(format!(
                    "server {remote} is there, and with us it is `{lifecycle}`"
                ));
            } else if !is_bound {
                self.verdict.row.duplicated += 1;
                let bound = owner.remote.as_deref().unwrap_or_default();
                self.find(format!("server {remote} is there beside the bound {bound}"));
            }
        }
        for instance in &self.evidence.books.instances {
            let Some(remote) = &instance.remote else {
                continue;
            };
            let is_live = matches!(
                instance.lifecycle.as_str(),
                "live" | "missing" | "attention"
            );
            let is_there = self.object(remote).is_some_and(|it| !it.deleted);
            if is_live && !is_there {
                self.verdict.row.lost += 1;
                let lifecycle = &instance.lifecycle;
                self.find(format!(
                    "server {remote} is `{lifecycle}` with us, and is not there"
                ));
            }
        }
    }

    /// Nothing is deleted that nobody asked to delete (I3).
    fn deletions(&mut self) {
        let books = &self.evidence.books;
        let mut seen = BTreeSet::new();
        for entry in &self.evidence.journal {
            if !entry.committed || entry.method != "DELETE" {
                continue;
            }
            let path = &entry.path;
            if path.ends_with("/droplets") {
                self.verdict.row.wrongly_deleted += 1;
                self.find(format!("`DELETE {path}` deletes whatever carries a tag"));
                continue;
            }
            let Some(remote) = entry.deleted() else {
                continue;
            };
            if !seen.insert(remote) {
                continue;
            }
            let owner = self.object(remote).and_then(|it| self.owner(it));
            let is_asked = owner.is_some_and(|owner| {
                let mut operations = books.operations.iter();
                operations.any(|it| it.instance == owner.id && it.kind == "delete")
            });
            let is_doomed = books.dooms.iter().any(|it| it.remote == remote);
            let is_bound = owner.is_some_and(|it| it.remote.as_deref() == Some(remote));
            if !(is_asked || is_doomed && !is_bound) {
                self.verdict.row.wrongly_deleted += 1;
                self.find(format!(
                    "server {remote} was deleted, and nobody asked for it"
                ));
            }
        }
    }

    /// Nothing is made or done twice (I2).
    fn repeats(&mut self) {
        for instance in &self.evidence.books.instances {
            let made = self.evidence.objects.iter().filter(|it| {
                !self.evidence.planted.contains(&it.id)
                    && self.owner(it).is_some_and(|it| it.id == instance.id)
            });
            let (made, there) = made.fold((0_u32, 0_u32), |(made, there), it| {
                (made + 1, there + u32::from(!it.deleted))
            });
            // Those that are still there are counted beside the bound one.
            if made > 1 && there <= 1 && !self.allowed.extras {
                self.verdict.row.duplicated += 1;
                let name = &instance.name;
                self.find(format!("`{name}` was made {made} times"));
            }
            let Some(remote) = &instance.remote else {
                continue;
            };
            for kind in ["resize", "rebuild", "reboot"] {
                let done = self.done(remote, kind);
                let operations = &self.evidence.books.operations;
                let asked = operations
                    .iter()
                    .filter(|it| it.instance == instance.id && it.kind == kind)
                    .count();
                let is_harmless = self.allowed.extras && kind == "resize";
                if done > asked && !is_harmless {
                    self.verdict.row.duplicated += 1;
                    self.find(format!(
                        "{kind} of {remote}: asked {asked} times, done {done}"
                    ));
                }
            }
        }
    }

    /// Each request in the vendor's journal has an earlier attempt on record (I8).
    fn requests(&mut self) {
        if self.allowed.restored.is_some() {
            return;
        }
        let evidence = self.evidence;
        for entry in &evidence.journal {
            let kind = if entry.is_create() {
                "create"
            } else if entry.deleted().is_some() {
                "delete"
            } else {
                match entry.action().and_then(|(_, word)| kind_of(word)) {
                    Some(kind) => kind,
                    None => continue,
                }
            };
            let remote = entry.deleted().or_else(|| entry.action().map(|it| it.0));
            let owner = match (entry.created_name(), remote) {
                (Some(name), _) => evidence.books.instances.iter().find(|it| it.name == name),
                (None, Some(remote)) => {
                    if evidence.books.dooms.iter().any(|it| it.remote == remote) {
                        continue;
                    }
                    let bound = |it: &&Instance| it.remote.as_deref() == Some(remote);
                    evidence.books.instances.iter().find(bound)
                }
                (None, None) => None,
            };
            let (method, path) = (&entry.method, &entry.path);
            let Some(owner) = owner else {
                self.find(format!("`{method} {path}` belongs to no server of ours"));
                continue;
            };
            if !self.is_on_record(owner.id, kind, entry) {
                let name = &owner.name;
                self.find(format!(
                    "`{method} {path}` of `{name}` has no earlier attempt"
                ));
            }
        }
    }

    fn is_on_record(&self, instance: Uuid, kind: &str, entry: &Entry) -> bool {
        let books = &self.evidence.books;
        // The row of a request that was certainly not executed serves the next one too, and
        // says when that was sent.
        let is_reused = !entry.committed && matches!(entry.status, Some(401 | 403 | 429));
        let latest = entry.time.as_microsecond() + SKEW;
        let mut operations = books.operations.iter();
        operations.any(|operation| {
            // A resize may switch the server off and on again.
            let fits =
                operation.kind == kind || operation.kind == "resize" && POWER.contains(&kind);
            operation.instance == instance
                && fits
                && books
                    .attempts
                    .iter()
                    .any(|it| it.operation == operation.id && (is_reused || it.sent_at <= latest))
        })
    }

    /// One key stands for one operation, and a binding stays (I5, I9).
    fn answers(&mut self) {
        let mut creates: BTreeMap<Uuid, &str> = BTreeMap::new();
        for asked in &self.evidence.asked {
            let key = &asked.key;
            if asked.operations.len() > 1 {
                let count = asked.operations.len();
                self.find(format!("key `{key}` got {count} operations"));
            }
            if asked.operations.is_empty() && asked.refusal.is_none() {
                let kind = &asked.kind;
                self.find(format!("the {kind} with key `{key}` was never answered"));
            }
            // A second delete is answered with the first one's operation.
            if asked.kind != "delete" {
                for operation in &asked.operations {
                    if let Some(other) = creates.insert(*operation, key) {
                        self.find(format!("keys `{other}` and `{key}` got one operation"));
                    }
                }
            }
        }
        for (instance, remotes) in &self.evidence.bindings {
            let now = self.instance(*instance).and_then(|it| it.remote.clone());
            let mut all = remotes.clone();
            all.extend(now);
            if all.len() > 1 {
                self.find(format!("server {instance} was bound to {all:?} in turn"));
            }
        }
    }

    /// No secret outlives its use (I10).
    fn secrets(&mut self) {
        for operation in &self.evidence.books.operations {
            if operation.is_final() && operation.secret {
                let (kind, id) = (&operation.kind, operation.id);
                self.find(format!("{kind} {id} has ended and still keeps a secret"));
            }
        }
        for exposed in &self.evidence.exposed {
            self.find(format!("a secret is exposed: {exposed}"));
        }
    }

    fn conclude(&mut self) {
        for mishap in &self.evidence.mishaps {
            self.find(mishap.clone());
        }
        let quarantined = self.verdict.row.quarantined;
        let expected = self.allowed.restored.unwrap_or(0);
        if quarantined != expected {
            self.find(format!(
                "{quarantined} servers are in quarantine instead of {expected}"
            ));
        }
        if !self.verdict.row.adds_up() {
            self.find("the columns do not add up".to_owned());
        }
    }
}

/// What is never sent twice, so that a lost answer may have to be settled by a person.
const AT_MOST_ONCE: [&str; 2] = ["reboot", "rebuild"];

/// What changes whether a server runs.
const POWER: [&str; 4] = ["boot", "shutdown", "power_off", "reboot"];

/// Returns our word for what a vendor calls an action.
fn kind_of(word: &str) -> Option<&'static str> {
    Some(match word {
        "reboot" | "power_cycle" => "reboot",
        "resize" => "resize",
        "rebuild" => "rebuild",
        "boot" | "power_on" => "boot",
        "shutdown" => "shutdown",
        "power_off" => "power_off",
        _ => return None,
    })
}
