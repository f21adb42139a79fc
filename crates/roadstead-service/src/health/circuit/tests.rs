//! The circuit, by a clock that is moved by hand.

use super::*;

const POLICY: CircuitPolicy = CircuitPolicy {
    failures: 3,
    pause: Duration::from_secs(1),
    longest_pause: Duration::from_secs(4),
    silent: Duration::from_secs(10),
};

fn at(milliseconds: i64) -> Timestamp {
    Timestamp::from_millisecond(milliseconds).unwrap()
}

fn let_through(circuit: &mut Circuit, now: i64) -> Turn {
    match circuit.enter(at(now)) {
        Gate::Open(turn) => turn,
        Gate::Shut { .. } => panic!("shut at {now}: {circuit:?}"),
    }
}

#[track_caller]
fn is_shut(circuit: &mut Circuit, now: i64, until: i64) {
    match circuit.enter(at(now)) {
        Gate::Open(_) => panic!("open at {now}: {circuit:?}"),
        Gate::Shut { until: told, .. } => assert_eq!(told, at(until)),
    }
}

fn opened() -> Circuit {
    let mut circuit = Circuit::default();
    for _ in 0..3 {
        let turn = let_through(&mut circuit, 0);
        circuit.fail(turn, at(0), &POLICY);
    }
    circuit
}

#[test]
fn it_opens_after_so_many_failures_in_a_row_and_not_before() {
    let mut circuit = Circuit::default();
    for round in 0..5 {
        for _ in 0..2 {
            let turn = let_through(&mut circuit, round);
            assert_eq!(circuit.fail(turn, at(round), &POLICY), None);
        }
        let turn = let_through(&mut circuit, round);
        assert!(!circuit.succeed(turn));
    }
    assert_eq!(circuit.state(at(9)), CircuitState::Closed);
    let circuit = opened();
    assert_eq!(circuit.state(at(999)), CircuitState::Open);
    assert_eq!(circuit.until(at(999)), Some(at(1000)));
    assert_eq!(circuit.state(at(1000)), CircuitState::HalfOpen);
}

#[test]
fn one_call_tries_and_the_others_wait_for_it() {
    let mut circuit = opened();
    is_shut(&mut circuit, 0, 1000);
    is_shut(&mut circuit, 999, 1000);
    let first = let_through(&mut circuit, 1000);
    is_shut(&mut circuit, 1001, 2001);
    assert!(circuit.succeed(first));
    assert_eq!(circuit.state(at(1002)), CircuitState::Closed);
    assert_eq!(circuit.failures(), 0);
    let turn = let_through(&mut circuit, 1002);
    circuit.pass_by(turn);
}

#[test]
fn each_try_that_fails_doubles_the_pause_up_to_a_bound() {
    let mut circuit = opened();
    let mut now = 1000;
    for pause in [2000, 4000, 4000] {
        let turn = let_through(&mut circuit, now);
        assert_eq!(circuit.fail(turn, at(now), &POLICY), Some(at(now + pause)));
        is_shut(&mut circuit, now, now + pause);
        now += pause;
    }
    let turn = let_through(&mut circuit, now);
    circuit.succeed(turn);
    // From the beginning.
    for _ in 0..3 {
        let turn = let_through(&mut circuit, now);
        circuit.fail(turn, at(now), &POLICY);
    }
    assert_eq!(circuit.until(at(now)), Some(at(now + 1000)));
}

#[test]
fn a_try_that_told_nothing_leaves_its_place_to_another() {
    let mut circuit = opened();
    let turn = let_through(&mut circuit, 1000);
    circuit.pass_by(turn);
    let turn = let_through(&mut circuit, 1001);
    assert!(circuit.succeed(turn));
}

#[test]
fn what_a_call_of_before_finds_out_is_old_news() {
    let mut circuit = Circuit::default();
    let mut slow: Vec<_> = (0..6).map(|_| let_through(&mut circuit, 0)).collect();
    for turn in slow.drain(..3) {
        circuit.fail(turn, at(10), &POLICY);
    }
    assert_eq!(circuit.until(at(10)), Some(at(1010)));
    // They neither lengthen the pause nor end it.
    let (late, well) = (slow.remove(0), slow.remove(0));
    assert_eq!(circuit.fail(late, at(500), &POLICY), None);
    assert!(!circuit.succeed(well));
    assert_eq!(circuit.until(at(500)), Some(at(1010)));
    circuit.pass_by(slow.remove(0));
    is_shut(&mut circuit, 501, 1010);
}
