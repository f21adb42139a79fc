//! The evidence of one try, divided by the kinds of operations that it was about.

use std::collections::BTreeSet;

use roadstead_harness::{Entry, Evidence, Instance, Object};
use uuid::Uuid;

use crate::matrix::Kind;

/// What was there before the faults.
#[derive(Debug, Default)]
pub(crate) struct Before {
    /// The operations that made the servers which are deleted and resized.
    pub(crate) operations: BTreeSet<Uuid>,
    /// The last call in the provider's journal.
    pub(crate) sequence: u64,
}

/// Returns the part of the evidence that is about some servers. What is about none goes to the
/// part that `takes_the_rest`.
pub(crate) fn only(
    evidence: &Evidence,
    chosen: &BTreeSet<Uuid>,
    before: &Before,
    kind: Kind,
    takes_the_rest: bool,
) -> Evidence {
    let books = &evidence.books;
    let instances: Vec<Instance> = books
        .instances
        .iter()
        .filter(|it| chosen.contains(&it.id))
        .cloned()
        .collect();
    let owned = |object: &Object, among: &[Instance]| {
        among.iter().any(|it| {
            let id = it.name.rsplit('-').next().unwrap_or_default();
            let tag = format!("rs:i:{id}");
            object.name == it.name || object.tags.contains(&tag)
        })
    };
    let objects: Vec<Object> = evidence
        .objects
        .iter()
        .filter(|it| owned(it, &instances) || takes_the_rest && !owned(it, &books.instances))
        .cloned()
        .collect();
    let is_about = |entry: &Entry, instances: &[Instance], objects: &[Object]| {
        let by_name = entry
            .created_name()
            .is_some_and(|name| instances.iter().any(|it| it.name == name));
        by_name || objects.iter().any(|it| entry.names(&it.id))
    };
    let about_it = evidence.journal.iter().filter(|entry| {
        let is_new = entry.sequence > before.sequence;
        // A read of lists, of the account: whoever is shut out sees it there.
        let is_about_none = !is_about(entry, &books.instances, &evidence.objects)
            && (entry.method == "GET" || takes_the_rest);
        is_new && (is_about(entry, &instances, &objects) || is_about_none)
    });
    let journal: Vec<Entry> = about_it.cloned().collect();
    let operations: Vec<_> = books
        .operations
        .iter()
        .filter(|it| chosen.contains(&it.instance) && !before.operations.contains(&it.id))
        .cloned()
        .collect();
    let kept: BTreeSet<Uuid> = operations.iter().map(|it| it.id).collect();
    let mut part = Evidence {
        objects,
        journal,
        planted: evidence.planted.clone(),
        ..Evidence::default()
    };
    part.asked = evidence
        .asked
        .iter()
        .filter(|it| {
            let is_old = it
                .operations
                .iter()
                .any(|it| before.operations.contains(it));
            let is_here = match it.instance {
                Some(instance) => chosen.contains(&instance),
                None => kind.word() == it.kind,
            };
            is_here && !is_old
        })
        .cloned()
        .collect();
    part.bindings = evidence
        .bindings
        .iter()
        .filter(|(id, _)| chosen.contains(id))
        .map(|(id, it)| (*id, it.clone()))
        .collect();
    part.books.attempts = books
        .attempts
        .iter()
        .filter(|it| kept.contains(&it.operation))
        .cloned()
        .collect();
    part.books.dooms = books
        .dooms
        .iter()
        .filter(|it| chosen.contains(&it.instance))
        .cloned()
        .collect();
    part.books.quarantine = books
        .quarantine
        .iter()
        .filter(|id| part.objects.iter().any(|it| it.id == **id))
        .cloned()
        .collect();
    part.books.operations = operations;
    part.books.instances = instances;
    if takes_the_rest {
        part.exposed.clone_from(&evidence.exposed);
        part.mishaps.clone_from(&evidence.mishaps);
    }
    part
}
