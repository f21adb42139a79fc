//! Every point once, and the proof that a table can fail. `cargo xtask test` builds the program
//! that is tried.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test that cannot go on has failed, and one that fails shows the table"
)]

use roadstead_crash::{once, proofs, prove};
use roadstead_testkit::{ScratchPostgres, block_on};
use tokio::sync::Semaphore;

/// How many stories are told at a time: two cores start so many programs in time.
static SEATS: Semaphore = Semaphore::const_new(2);

#[test]
fn every_point_once_loses_nothing_and_does_nothing_twice() {
    if ScratchPostgres::is_left_out("every_point_once_loses_nothing_and_does_nothing_twice") {
        return;
    }
    block_on(async {
        let outcome = once(5, &|line| println!("{line}")).await;
        println!("{}", outcome.table);
        assert!(
            outcome.failures.is_empty(),
            "{}",
            outcome.failures.join("\n")
        );
    });
}

/// Runs the stories whose names hold a word.
#[track_caller]
fn proved(word: &str) {
    let chosen: Vec<_> = proofs()
        .iter()
        .filter(|it| it.name.contains(word))
        .collect();
    assert!(!chosen.is_empty(), "{word}");
    block_on(async {
        for proof in chosen {
            let _seat = SEATS.acquire().await.unwrap();
            let verdict = prove(proof).await.unwrap();
            println!("{}: {:#?}", proof.name, verdict);
        }
    });
}

#[test]
fn the_right_engine_makes_no_table_fail() {
    proved("right: two creates");
}

#[test]
fn an_engine_that_fails_everything_makes_the_table_fail() {
    proved("fails everything");
}

#[test]
fn an_engine_that_parks_everything_makes_the_table_fail() {
    proved("parks everything");
}

#[test]
fn a_create_that_is_late_within_the_settle_window_makes_no_table_fail() {
    proved("late, within the window");
}

#[test]
fn without_the_settle_window_the_table_fails() {
    proved("without the settle window");
}

#[test]
fn without_the_sweeper_the_table_fails() {
    proved("without the sweeper");
}

#[test]
fn somebody_elses_account_makes_no_table_fail() {
    proved("somebody else's account");
}

#[test]
fn without_the_fingerprint_check_the_table_fails() {
    proved("without the fingerprint check");
}
