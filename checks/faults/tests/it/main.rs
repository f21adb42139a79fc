//! A few lines of the fault matrix, and the proof that the table can fail. `cargo xtask test`
//! builds the program that is tried.

use roadstead_faults::{proofs, prove, quick};
use roadstead_testkit::block_on;

#[test]
fn a_few_faults_lose_nothing_and_do_nothing_twice() {
    block_on(async {
        let outcome = quick(6, &|line| println!("{line}")).await;
        println!("{}", outcome.table);
        let failures = &outcome.failures;
        assert!(failures.is_empty(), "{}", failures.join("\n"));
    });
}

#[test]
fn without_a_rule_the_table_fails() {
    block_on(async {
        for proof in proofs() {
            match prove(&proof).await {
                Ok(findings) => println!("{}: {}", proof.name, findings.join("; ")),
                Err(error) => panic!("{error:#}"),
            }
        }
    });
}
