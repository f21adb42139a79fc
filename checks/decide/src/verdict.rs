//! What became of a play, by the invariants.

use std::ops::AddAssign;

use roadstead_repository::{AttemptOutcome, Lifecycle, OperationKind, OperationState};

use crate::vendor::Object;
use crate::world::{PATIENCE, World};

/// A line of the table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) accepted: u64,
    pub(crate) done: u64,
    pub(crate) refused: u64,
    pub(crate) failed: u64,
    pub(crate) attention: u64,
    pub(crate) quarantined: u64,
    pub(crate) leaked: u64,
    pub(crate) duplicated: u64,
    pub(crate) lost: u64,
    pub(crate) wrongly_deleted: u64,
    pub(crate) stuck: u64,
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.accepted += other.accepted;
        self.done += other.done;
        self.refused += other.refused;
        self.failed += other.failed;
        self.attention += other.attention;
        self.quarantined += other.quarantined;
        self.leaked += other.leaked;
        self.duplicated += other.duplicated;
        self.lost += other.lost;
        self.wrongly_deleted += other.wrongly_deleted;
        self.stuck += other.stuck;
    }
}

/// Judges a play that is over: counts, and adds every breach of an invariant.
pub(crate) fn judge(world: &mut World) -> Tally {
    let mut tally = Tally::default();
    let mut violations = Vec::new();
    operations(world, &mut tally, &mut violations);
    servers(world, &mut tally, &mut violations);
    tally.quarantined = count(world.quarantined());
    if tally.quarantined > 0 {
        violations.push(format!("{} servers are quarantined", tally.quarantined));
    }
    tally.duplicated += world.audit.bought_twice;
    tally.wrongly_deleted = count(world.audit.wrongly_deleted.len());
    for violation in violations {
        world.violation(violation);
    }
    tally
}

fn operations(world: &World, tally: &mut Tally, violations: &mut Vec<String>) {
    for (number, operation) in world.store.operations.iter().enumerate() {
        tally.accepted += 1;
        let kind = operation.kind.as_str();
        let settled = operation.settled_at;
        let effects = world.audit.effects.get(&number).copied().unwrap_or(0);
        let is_done_once = matches!(
            operation.kind,
            OperationKind::Reboot | OperationKind::Resize | OperationKind::Rebuild
        );
        if is_done_once && effects > 1 {
            violations.push(format!("{kind} {number} happened {effects} times"));
        }
        let is_disturbed = world.audit.disturbed.contains(&number);
        match operation.state {
            OperationState::Succeeded => tally.done += 1,
            OperationState::Failed if is_disturbed || world.audit.refused.contains(&number) => {
                tally.refused += 1;
            }
            OperationState::Failed => {
                tally.failed += 1;
                // After three requests without an answer, or ten whoever is to blame, and the
                // proof of an absence there is nothing more to try.
                let unanswered = operation.attempts.saturating_sub(operation.orphaned);
                let is_tried = operation.kind == OperationKind::Create
                    && (unanswered >= 3 || operation.attempts >= 10);
                let is_gone =
                    operation.kind != OperationKind::Create && is_gone(world, operation.server);
                if !is_tried && !is_gone {
                    violations.push(format!("{kind} {number} failed though nobody refused it"));
                }
            }
            OperationState::Attention => {
                tally.attention += 1;
                // Only of what is sent at most once, and whose answer was lost, nobody can tell.
                let is_undecided = matches!(
                    operation.kind,
                    OperationKind::Reboot | OperationKind::Rebuild
                ) && operation.last_outcome == Some(AttemptOutcome::Unknown);
                if !is_undecided && !is_disturbed {
                    violations.push(format!("{kind} {number} waits for a person"));
                }
                let is_told = effects > 0 && !world.audit.late.contains(&number);
                if is_told && !is_disturbed {
                    let why = "though the log tells of it";
                    violations.push(format!("{kind} {number} waits for a person {why}"));
                }
            }
            _ => {
                tally.stuck += 1;
                let state = operation.state.as_str();
                violations.push(format!("{kind} {number} is still {state}"));
            }
        }
        let begin = operation.created_at.max(world.faults_end());
        if settled.is_some_and(|it| it > begin + PATIENCE) {
            violations.push(format!("{kind} {number} took longer than the patience"));
        }
    }
}

fn is_gone(world: &World, server: usize) -> bool {
    world.vendor.alive(server, world.now).is_empty()
}

fn servers(world: &World, tally: &mut Tally, violations: &mut Vec<String>) {
    for (number, server) in world.store.servers.iter().enumerate() {
        let alive = world.vendor.alive(number, world.now);
        let is_bound = |id: u64| server.bound == Some(id);
        let (wanted, extra): (Vec<_>, Vec<_>) = alive.iter().copied().partition(|it: &&Object| {
            is_bound(it.id) && !matches!(server.lifecycle, Lifecycle::Failed | Lifecycle::Deleted)
        });
        if server.lifecycle == Lifecycle::Live && wanted.is_empty() {
            tally.lost += 1;
            violations.push(format!("server {number} is live in the books only"));
        }
        if wanted.is_empty() {
            tally.leaked += count(extra.len());
        } else {
            tally.duplicated += count(extra.len());
        }
        for object in extra {
            let (id, word) = (object.id, server.lifecycle.as_str());
            violations.push(format!(
                "{id} at the vendor belongs to server {number}, which is {word}"
            ));
        }
    }
}

fn count(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}
