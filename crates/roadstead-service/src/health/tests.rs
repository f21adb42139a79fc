//! What is shown of the health of an account, and what opens its circuits.

use async_trait::async_trait;

use super::*;

const POLICY: CircuitPolicy = CircuitPolicy {
    failures: 3,
    pause: Duration::from_secs(1),
    longest_pause: Duration::from_secs(4),
    silent: Duration::from_secs(10),
};

/// A clock that stands still until it is moved.
#[derive(Debug)]
struct Hand(Mutex<Timestamp>);

impl Hand {
    fn advance(&self, by: Duration) {
        let mut now = self.0.lock();
        *now = roadstead_core::after(*now, by);
    }
}

#[async_trait]
impl Clock for Hand {
    fn now(&self) -> Timestamp {
        *self.0.lock()
    }

    async fn sleep(&self, _: Duration) {
        unreachable!("a circuit never sleeps")
    }
}

fn health() -> (Arc<Hand>, Health) {
    let hand = Arc::new(Hand(Mutex::new(Timestamp::UNIX_EPOCH)));
    let clock = Arc::<Hand>::clone(&hand);
    (hand, Health::new(clock, POLICY, "account"))
}

fn error(kind: ErrorKind, http: Option<u16>) -> Error {
    Error::new("acme".into(), "look", kind, "it failed").with_vendor(http, None, None)
}

fn call(health: &Health, class: CallClass, answer: &Result<()>) -> Result<()> {
    health.enter(class, "look", &"acme".into())?.ended(answer);
    Ok(())
}

fn fail(health: &Health, class: CallClass) {
    for _ in 0..POLICY.failures {
        call(health, class, &Err(error(ErrorKind::Timeout, None))).unwrap();
    }
}

fn state(health: &Health, class: CallClass) -> CircuitState {
    let found = health.circuits().into_iter().find(|it| it.class == class);
    found.unwrap().state
}

#[test]
fn silence_and_breakdowns_count_and_refusals_do_not() {
    use ErrorKind as Kind;
    let failures = [
        (Kind::Timeout, None),
        (Kind::Timeout, Some(408)),
        (Kind::Transport, None),
        (Kind::OutcomeUnknown, None),
        (Kind::Server, None),
        (Kind::Server, Some(500)),
        (Kind::Server, Some(502)),
        (Kind::Maintenance, Some(503)),
        // A web page from a proxy.
        (Kind::Server, Some(200)),
    ];
    let refusals = [
        (Kind::BadToken, Some(401)),
        (Kind::NoSuchInstance, Some(404)),
        (Kind::Invalid, Some(422)),
        (Kind::Throttled, Some(429)),
        (Kind::Server, Some(400)),
        (Kind::Busy, Some(409)),
        (Kind::Decode, Some(200)),
        // Nobody was asked: our own budget, our own checks.
        (Kind::Throttled, None),
        (Kind::Unsupported, None),
        (Kind::Invalid, None),
    ];
    for (kind, http) in failures {
        let (_, health) = health();
        for _ in 0..POLICY.failures {
            call(&health, CallClass::Read, &Err(error(kind, http))).unwrap();
        }
        assert_eq!(
            state(&health, CallClass::Read),
            CircuitState::Open,
            "{kind:?} {http:?}"
        );
    }
    for (kind, http) in refusals {
        let (_, health) = health();
        for _ in 0..20 {
            call(&health, CallClass::Read, &Err(error(kind, http))).unwrap();
        }
        assert_eq!(
            state(&health, CallClass::Read),
            CircuitState::Closed,
            "{kind:?} {http:?}"
        );
    }
}

#[test]
fn what_is_not_sent_says_when_to_come_back() {
    let (hand, health) = health();
    fail(&health, CallClass::Mutate);
    let refused = call(&health, CallClass::Mutate, &Ok(())).unwrap_err();
    assert_eq!(refused.kind, ErrorKind::Transport);
    assert_eq!(refused.outcome, Outcome::NotExecuted);
    let until = roadstead_core::after(Timestamp::UNIX_EPOCH, POLICY.pause);
    assert_eq!(refused.retry, Retry::At(until));
    assert!(
        refused.to_string().contains("3 times in a row"),
        "{refused}"
    );
    hand.advance(POLICY.pause);
    call(&health, CallClass::Mutate, &Ok(())).unwrap();
    assert_eq!(state(&health, CallClass::Mutate), CircuitState::Closed);
}

#[test]
fn classes_fail_apart() {
    let (_, health) = health();
    fail(&health, CallClass::Background);
    for (class, expected) in [
        (CallClass::Background, CircuitState::Open),
        (CallClass::Read, CircuitState::Closed),
        (CallClass::Mutate, CircuitState::Closed),
    ] {
        assert_eq!(state(&health, class), expected, "{class:?}");
    }
}

#[test]
fn a_call_that_is_given_up_counts_only_where_the_provider_was_silent() {
    let (hand, health) = health();
    let give_up = |after: Duration| {
        let pass = health
            .enter(CallClass::Read, "look", &"acme".into())
            .unwrap();
        hand.advance(after);
        drop(pass);
    };
    for _ in 0..10 {
        give_up(Duration::from_secs(9));
    }
    assert_eq!(state(&health, CallClass::Read), CircuitState::Closed);
    assert_eq!(health.last_call(), None);
    for _ in 0..POLICY.failures {
        give_up(POLICY.silent);
    }
    assert_eq!(state(&health, CallClass::Read), CircuitState::Open);
    assert_eq!(health.last_call().unwrap().outcome, "cut_off");
}

#[test]
fn a_try_that_is_given_up_leaves_its_place_to_another() {
    let (hand, health) = health();
    fail(&health, CallClass::Read);
    hand.advance(POLICY.pause);
    drop(
        health
            .enter(CallClass::Read, "look", &"acme".into())
            .unwrap(),
    );
    call(&health, CallClass::Read, &Ok(())).unwrap();
    assert_eq!(state(&health, CallClass::Read), CircuitState::Closed);
}

#[test]
fn the_last_call_is_told_with_how_long_it_took() {
    let (hand, health) = health();
    let pass = health
        .enter(CallClass::Read, "get_plans", &"acme".into())
        .unwrap();
    hand.advance(Duration::from_millis(70));
    pass.ended(&Ok(()));
    let last = health.last_call().unwrap();
    assert_eq!((last.call, last.outcome), ("get_plans", "ok"));
    assert_eq!(last.took, Duration::from_millis(70));
}
