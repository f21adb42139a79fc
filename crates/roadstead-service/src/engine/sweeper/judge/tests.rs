//! The rules of the sweep, line by line, and what must hold whatever they are given.

use proptest::prelude::*;
use roadstead_core::{Billed, MiB, Status};
use roadstead_repository::DoomSighting;

use super::*;

const NOW: i64 = 1_800_000_000;
const DEPLOYMENT: &str = "d0000001";

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(NOW + seconds).unwrap()
}

fn provider() -> ProviderId {
    ProviderId(Uuid::from_u128(7))
}

fn id(number: u128) -> InstanceId {
    // As those of version 7 look, so that a name is read as a mark.
    InstanceId(Uuid::from_u128(
        0x0190_0000_0000_7000_8000_0000_0000_0000 + number,
    ))
}

fn key(number: u128) -> CreateKey {
    CreateKey::new(DEPLOYMENT, id(number).0, "web")
}

/// A server at the vendor that was made for one of ours, 2 s after it was asked for.
fn made(remote: &str, number: u128) -> Instance {
    let key = key(number);
    Instance {
        id: remote.to_owned().into(),
        name: key.name.clone(),
        status: Status {
            state: State::Running,
            raw: "on".into(),
            busy: false,
            billed: Billed::Full,
        },
        region: "r".into(),
        plan: None,
        image: None,
        vcpus: 1,
        memory: MiB(1024),
        disk: None,
        addresses: Vec::new(),
        tags: vec![key.deployment_tag().into(), key.instance_tag().into()],
        created: Some(at(-998)),
    }
}

fn tagged(mut it: Instance, tags: &[&str]) -> Instance {
    it.tags = tags.iter().map(|it| (*it).into()).collect();
    it
}

fn named(mut it: Instance, name: &str) -> Instance {
    it.name = name.into();
    it
}

fn made_at(mut it: Instance, seconds: i64) -> Instance {
    it.created = Some(at(seconds));
    it
}

fn ours(number: u128, lifecycle: Lifecycle, remote: Option<&str>) -> MarkedServer {
    MarkedServer {
        instance: id(number),
        provider: provider(),
        remote: remote.map(|it| it.to_owned().into()),
        remote_name: key(number).name.to_string(),
        lifecycle,
        is_being_created: false,
        was_deleted: lifecycle == Lifecycle::Deleted,
        updated_at: at(-500),
    }
}

fn attempt(number: u128, sent: i64, answered: Option<i64>) -> CreateAttempt {
    CreateAttempt {
        instance: id(number),
        sent_at: at(sent),
        answered_at: answered.map(at),
    }
}

/// Books with these servers, one lost attempt for each, 1,000 s ago.
fn books(servers: Vec<MarkedServer>) -> SweepBooks {
    let is_bound = |it: &&MarkedServer| {
        !matches!(it.lifecycle, Lifecycle::Failed | Lifecycle::Deleted) && it.remote.is_some()
    };
    let bound = |it: &MarkedServer| BoundServer {
        instance: it.instance,
        remote: it.remote.clone().unwrap(),
        lifecycle: it.lifecycle,
        is_busy: false,
    };
    SweepBooks {
        bound: servers.iter().filter(is_bound).map(bound).collect(),
        attempts: servers
            .iter()
            .map(|it| CreateAttempt {
                instance: it.instance,
                sent_at: at(-1000),
                answered_at: None,
            })
            .collect(),
        marked: servers,
        live: 100,
        now: at(0),
        ..SweepBooks::default()
    }
}

fn seen_before(books: &mut SweepBooks, remote: &str, number: u128, seconds: i64) {
    books.doomed.push(DoomSighting {
        remote: remote.to_owned().into(),
        instance: id(number),
        first_at: at(seconds),
        second_at: None,
        sent_at: None,
    });
}

fn judged(listed: &[Instance], books: &SweepBooks) -> Vec<Verdict> {
    let verdicts = judgment(listed, books).verdicts;
    verdicts.into_iter().map(|it| it.1).collect()
}

fn judgment(listed: &[Instance], books: &SweepBooks) -> Judgment {
    let rule = Rule {
        deployment: DEPLOYMENT,
        provider: provider(),
        gap: Duration::from_secs(5),
        rest: Duration::from_secs(30),
    };
    judge(listed, books, &rule)
}

fn verdict(it: Instance, books: &SweepBooks) -> Verdict {
    judged(&[it], books).remove(0)
}

fn doubt(it: Instance, books: &SweepBooks) -> Option<Doubt> {
    match verdict(it, books) {
        Verdict::Suspect { doubt, .. } => Some(doubt),
        _ => None,
    }
}

fn unwanted(verdict: Verdict) -> Option<bool> {
    match verdict {
        Verdict::Unwanted { again, .. } => Some(again),
        _ => None,
    }
}

#[test]
fn what_is_bound_is_fine_whatever_it_says_of_itself() {
    for lifecycle in [Lifecycle::Live, Lifecycle::Deleting, Lifecycle::Attention] {
        let books = books(vec![ours(1, lifecycle, Some("r1"))]);
        assert_eq!(verdict(made("r1", 1), &books), Verdict::Bound);
        assert_eq!(
            verdict(named(tagged(made("r1", 1), &[]), "x"), &books),
            Verdict::Bound
        );
        assert_eq!(
            verdict(tagged(made("r1", 1), &["rs:d:other"]), &books),
            Verdict::Bound
        );
        assert_eq!(verdict(made("r1", 2), &books), Verdict::Bound);
    }
}

#[test]
fn what_was_missing_and_is_seen_is_back() {
    let books = books(vec![ours(1, Lifecycle::Missing, Some("r1"))]);
    assert_eq!(verdict(made("r1", 1), &books), Verdict::Returned(id(1)));
    // Another one with its mark may be all that is left of it.
    assert_eq!(doubt(made("r2", 1), &books), Some(Doubt::Missing));
}

#[test]
fn what_carries_no_mark_of_this_installation_is_foreign() {
    let books = books(vec![ours(1, Lifecycle::Failed, None)]);
    let plain = || named(tagged(made("r2", 1), &["blue"]), "web");
    assert_eq!(verdict(plain(), &books), Verdict::Foreign);
    assert_eq!(
        verdict(tagged(plain(), &["rs:d:other"]), &books),
        Verdict::Foreign
    );
    // Nor if all the rest of our mark is on it.
    let tag = key(1).instance_tag();
    let theirs = tagged(made("r2", 1), &["rs:d:other", &tag]);
    assert_eq!(verdict(theirs, &books), Verdict::Foreign);
    let both = tagged(made("r2", 1), &["rs:d:other", "rs:d:d0000001", &tag]);
    assert_eq!(doubt(both, &books), Some(Doubt::OtherDeployment));
}

#[test]
fn what_our_books_do_not_know_is_never_unwanted() {
    let mut books = books(vec![ours(1, Lifecycle::Failed, None)]);
    seen_before(&mut books, "r9", 9, -100);
    assert_eq!(doubt(made("r9", 9), &books), Some(Doubt::Unknown));
    let by_name = tagged(made("r9", 9), &[]);
    assert_eq!(doubt(by_name, &books), Some(Doubt::Unknown));
    let unnamed = named(tagged(made("r9", 9), &["rs:d:d0000001"]), "web");
    assert_eq!(doubt(unnamed, &books), Some(Doubt::Unnamed));
    let two = named(made("r9", 1), &key(9).name);
    assert_eq!(doubt(two, &books), Some(Doubt::Ambiguous));
}

#[test]
fn what_is_open_or_young_is_left() {
    for lifecycle in [
        Lifecycle::Pending,
        Lifecycle::Resolving,
        Lifecycle::Attention,
    ] {
        let books = books(vec![ours(1, lifecycle, None)]);
        assert_eq!(verdict(made("r2", 1), &books), Verdict::Leave);
    }
    let mut open = books(vec![ours(1, Lifecycle::Live, Some("r1"))]);
    open.marked[0].is_being_created = true;
    assert_eq!(
        judged(&[made("r1", 1), made("r2", 1)], &open)[1],
        Verdict::Leave
    );
    for lifecycle in [Lifecycle::Failed, Lifecycle::Deleted] {
        let mut young = books(vec![ours(1, lifecycle, None)]);
        young.marked[0].updated_at = at(-29);
        assert_eq!(verdict(made("r2", 1), &young), Verdict::Leave);
        young.marked[0].updated_at = at(-30);
        assert_eq!(unwanted(verdict(made("r2", 1), &young)), Some(false));
    }
    let going = books(vec![ours(1, Lifecycle::Failed, None)]);
    let mut deleting = made("r2", 1);
    deleting.status.state = State::Deleting;
    assert_eq!(verdict(deleting, &going), Verdict::Leave);
}

#[test]
fn what_nobody_wants_goes_at_the_second_sighting() {
    for (lifecycle, remote) in [
        (Lifecycle::Failed, None),
        (Lifecycle::Failed, Some("r2")),
        (Lifecycle::Deleted, Some("r2")),
        (Lifecycle::Deleted, Some("r1")),
        (Lifecycle::Deleting, Some("r1")),
        (Lifecycle::Deleting, None),
    ] {
        let mut books = books(vec![ours(1, lifecycle, remote)]);
        let name_only = || tagged(made("r2", 1), &[]);
        let tag_only = || named(made("r2", 1), "renamed");
        for it in [made("r2", 1), name_only(), tag_only()] {
            assert_eq!(unwanted(verdict(it, &books)), Some(false), "{lifecycle:?}");
        }
        seen_before(&mut books, "r2", 1, -4);
        assert_eq!(unwanted(verdict(made("r2", 1), &books)), Some(false));
        books.doomed[0].first_at = at(-5);
        assert_eq!(unwanted(verdict(made("r2", 1), &books)), Some(true));
        // What was seen of another server's leftover counts nothing here.
        books.doomed[0].instance = id(3);
        assert_eq!(unwanted(verdict(made("r2", 1), &books)), Some(false));
    }
}

#[test]
fn a_twin_goes_only_while_the_bound_one_is_seen() {
    let books = books(vec![ours(1, Lifecycle::Live, Some("r1"))]);
    let both = judged(&[made("r2", 1), made("r1", 1)], &books);
    assert_eq!(unwanted(both[0]), Some(false));
    assert_eq!(both[1], Verdict::Bound);
    assert_eq!(verdict(made("r2", 1), &books), Verdict::Leave);
}

#[test]
fn what_a_person_took_off_our_books_is_never_unwanted() {
    let mut books = books(vec![ours(1, Lifecycle::Deleted, Some("r1"))]);
    books.marked[0].was_deleted = false;
    seen_before(&mut books, "r1", 1, -100);
    assert_eq!(doubt(made("r1", 1), &books), Some(Doubt::Dismissed));
}

#[test]
fn what_was_not_made_when_we_asked_for_it_is_doubtful() {
    let books = books(vec![ours(1, Lifecycle::Failed, None)]);
    let made_at = |seconds| made_at(made("r2", 1), seconds);
    assert_eq!(doubt(made_at(-1061), &books), Some(Doubt::Older));
    assert_eq!(unwanted(verdict(made_at(-1060), &books)), Some(false));
    assert_eq!(unwanted(verdict(made_at(-100), &books)), Some(false));
    assert_eq!(unwanted(verdict(made_at(2600), &books)), Some(false));
    assert_eq!(doubt(made_at(2601), &books), Some(Doubt::Later));
    let mut undated = made("r2", 1);
    undated.created = None;
    assert_eq!(doubt(undated, &books), Some(Doubt::Undated));
    let mut unasked = books.clone();
    unasked.attempts.clear();
    assert_eq!(doubt(made("r2", 1), &unasked), Some(Doubt::Unasked));
    let mut elsewhere = books.clone();
    elsewhere.marked[0].provider = ProviderId(Uuid::from_u128(8));
    assert_eq!(doubt(made("r2", 1), &elsewhere), Some(Doubt::OtherAccount));
    // The second attempt may have made what the first has not.
    let mut twice = books;
    twice.attempts.push(attempt(1, -100, None));
    assert_eq!(unwanted(verdict(made_at(3000), &twice)), Some(false));
}

#[test]
fn a_vendors_clock_is_told_by_a_server_whose_making_we_know() {
    for hour in [-3600, 3600] {
        let left = made_at(made("r2", 1), -998 + hour);
        let mut books = books(vec![ours(1, Lifecycle::Failed, None)]);
        let other = ours(2, Lifecycle::Live, Some("r1"));
        books.bound.push(BoundServer {
            instance: other.instance,
            remote: "r1".to_owned().into(),
            lifecycle: Lifecycle::Live,
            is_busy: false,
        });
        books.attempts.push(attempt(2, -2000, Some(-1997)));
        let bound = made_at(made("r1", 2), -1998 + hour);
        let listed = [left.clone(), bound];
        assert_eq!(unwanted(judged(&listed, &books)[0]), Some(false), "{hour}");
        // Made before it was asked for, by the same clock.
        let older = made_at(left.clone(), -1100 + hour);
        let doubtful = judged(&[older, listed[1].clone()], &books)[0];
        assert_eq!(
            doubtful,
            Verdict::Suspect {
                instance: Some(id(1)),
                doubt: Doubt::Older
            }
        );
        // One whose answer was lost may have come late, and tells nothing of a clock.
        books.attempts[1].answered_at = None;
        assert_eq!(unwanted(judged(&listed, &books)[0]), None, "{hour}");
    }
}

#[test]
fn a_server_of_ours_is_absent_only_where_it_should_be() {
    let mut books = books(vec![
        ours(1, Lifecycle::Live, Some("r1")),
        ours(2, Lifecycle::Deleting, Some("r2")),
        ours(3, Lifecycle::Attention, Some("r3")),
        ours(4, Lifecycle::Missing, Some("r4")),
        ours(5, Lifecycle::Live, Some("r5")),
    ]);
    books.bound[4].is_busy = true;
    let absent = |books: &SweepBooks| {
        let absent = judgment(&[], books).absent;
        absent
            .into_iter()
            .map(|it| (it.instance, it.again))
            .collect::<Vec<_>>()
    };
    assert_eq!(absent(&books), [(id(1), false)]);
    books.absent.push((id(1), at(-4)));
    assert_eq!(absent(&books), [(id(1), false)]);
    books.absent[0].1 = at(-5);
    assert_eq!(absent(&books), [(id(1), true)]);
    assert_eq!(judgment(&[made("r1", 1)], &books).absent, []);
}

#[test]
fn a_torn_list_that_shows_a_server_twice_counts_it_once() {
    let books = books(vec![ours(1, Lifecycle::Failed, None)]);
    assert_eq!(judged(&[made("r2", 1), made("r2", 1)], &books).len(), 1);
}

fn lifecycle() -> impl Strategy<Value = Lifecycle> {
    proptest::sample::select(Lifecycle::ALL.to_vec())
}

prop_compose! {
    fn anything()(
        servers in proptest::collection::vec(
            (lifecycle(), proptest::option::of(0_u8..8), any::<bool>(), any::<bool>(), -2000_i64..0),
            0..6,
        ),
        listed in proptest::collection::vec(
            (0_u8..8, 0_u128..8, 0_u128..8, 0_u8..4, proptest::option::of(-5000_i64..5000)), 0..8),
        attempts in proptest::collection::vec(
            (0_u128..6, -3000_i64..0, proptest::option::of(-3000_i64..0)), 0..8),
        doomed in proptest::collection::vec((0_u8..8, 0_u128..8, -20_i64..0), 0..6),
    ) -> (Vec<Instance>, SweepBooks) {
        let mut taken = BTreeSet::new();
        let servers: Vec<_> = servers.into_iter().enumerate().map(|(number, it)| {
            let (lifecycle, remote, open, deleted, updated) = it;
            let remote = remote.filter(|it| taken.insert(*it)).map(|it| format!("r{it}"));
            let mut server = ours(u128::try_from(number).unwrap(), lifecycle, remote.as_deref());
            server.is_being_created = open;
            server.was_deleted = deleted;
            server.updated_at = at(updated);
            server
        }).collect();
        let mut books = books(servers);
        books.attempts = attempts.into_iter()
            .map(|(number, sent, answered)| attempt(number, sent, answered)).collect();
        for (remote, number, seconds) in doomed {
            seen_before(&mut books, &format!("r{remote}"), number, seconds);
        }
        let listed = listed.into_iter().map(|(remote, name, tag, tags, created)| {
            let mut it = named(made(&format!("r{remote}"), tag), &key(name).name);
            it.created = created.map(at);
            let instance = key(tag).instance_tag();
            match tags {
                0 => tagged(it, &[]),
                1 => tagged(it, &["rs:d:other", &instance]),
                2 => tagged(it, &["rs:d:d0000001"]),
                _ => it,
            }
        }).collect();
        (listed, books)
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_bound_or_unknown_is_doomed_and_nothing_goes_at_first_sight(
        (listed, books) in anything()
    ) {
        for (remote, verdict) in judgment(&listed, &books).verdicts {
            let Verdict::Unwanted { instance, again, .. } = verdict else { continue };
            prop_assert!(books.bound.iter().all(|it| it.remote != remote), "bound: {remote}");
            let ours = books.marked.iter().find(|it| it.instance == instance);
            let Some(ours) = ours else {
                return Err(TestCaseError::fail(format!("unknown: {remote}")));
            };
            prop_assert!(!ours.is_being_created);
            prop_assert!(ours.lifecycle != Lifecycle::Deleted || ours.was_deleted);
            prop_assert!(!matches!(ours.lifecycle,
                Lifecycle::Pending | Lifecycle::Resolving | Lifecycle::Missing | Lifecycle::Attention));
            prop_assert!(books.attempts.iter().any(|it| it.instance == instance));
            let before = books.doomed.iter().any(|it| it.remote == remote && it.instance == instance);
            prop_assert!(before || !again, "at first sight: {remote}");
            let it = listed.iter().find(|it| it.id == remote).unwrap();
            prop_assert!(it.tags.iter().all(|it| **it != *"rs:d:other"));
        }
    }
}

fn parting(it: &Instance) -> Parting {
    Parting {
        remote: it.id.clone(),
        name: it.name.to_string(),
        tags: it.tags.iter().map(ToString::to_string).collect(),
        created: it.created,
    }
}

#[test]
fn what_was_let_go_is_left_alone_until_its_mark_changes() {
    let whole = made("r1", 1);
    let bare = tagged(whole.clone(), &["blue"]);
    // Its server was deleted by an operation, so that anything else with its mark would go.
    let mut books = books(vec![ours(1, Lifecycle::Deleted, None)]);
    seen_before(&mut books, "r1", 1, -100);
    let unwanted = judged(std::slice::from_ref(&whole), &books);
    assert!(matches!(
        unwanted[..],
        [Verdict::Unwanted { again: true, .. }]
    ));

    for it in [&whole, &bare] {
        books.released = vec![parting(it)];
        assert_eq!(
            judged(std::slice::from_ref(it), &books),
            [Verdict::Released]
        );
        // Other tags are its new owner's business.
        let mut more = it.clone();
        more.tags.push("green".into());
        assert_eq!(judged(&[more], &books), [Verdict::Released]);
    }
    // Marked again, or another server under its id: shown, and not deleted.
    books.released = vec![parting(&bare)];
    for it in [whole.clone(), made_at(bare.clone(), -900)] {
        let shown = Verdict::Suspect {
            instance: Some(id(1)),
            doubt: Doubt::Dismissed,
        };
        assert_eq!(judged(&[it], &books), [shown]);
    }
    let foreign = named(bare, "somebodys");
    assert_eq!(judged(&[foreign], &books), [Verdict::Foreign]);
}

#[test]
fn what_a_person_wanted_is_not_deleted_when_its_import_fails() {
    let mut books = books(vec![ours(1, Lifecycle::Failed, None)]);
    seen_before(&mut books, "r1", 1, -100);
    books.imported.insert("r1".to_owned().into());
    let shown = Verdict::Suspect {
        instance: Some(id(1)),
        doubt: Doubt::Dismissed,
    };
    assert_eq!(judged(&[made("r1", 1)], &books), [shown]);
}

#[test]
fn one_that_is_bound_is_ours_whatever_else_is_said_of_it() {
    let mut books = books(vec![ours(1, Lifecycle::Live, Some("r1"))]);
    books.released = vec![parting(&made("r1", 1))];
    assert_eq!(judged(&[made("r1", 1)], &books), [Verdict::Bound]);
}
