//! Plays the rules of durable operations against a faulty vendor in virtual time, seed by
//! seed, and judges the end by the invariants. `cargo xtask decide` runs it.
//!
//! The store here is a naive model of the repository, written from its promises and sharing no
//! code with it; the rules are the engine's own `decide`, or one that is known to be wrong.
#![expect(
    clippy::print_stdout,
    reason = "a command-line tool talks to whoever ran it"
)]

mod engine;
mod store;
mod vendor;
mod verdict;
mod world;

use std::process::ExitCode;
use std::time::Instant;

use clap::Parser;

use self::engine::Rules;
use self::verdict::Tally;
use self::world::World;

/// How many violations are told before the rest is only counted.
const TOLD: usize = 20;

/// Plays the rules of durable operations against a faulty vendor in virtual time.
///
/// Each seed is a play of about an hour: one to three servers, two workers that crash (6 % of
/// their steps) and pause, answers that are lost before and after their effect, late commits,
/// doubled deliveries, lists that are behind, jobs that fail, last long and do not show, another
/// account's token. Then all faults end, and half an hour later every invariant must hold.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask decide", bin_name = "cargo xtask decide")]
struct Options {
    /// How many plays.
    #[arg(long, default_value_t = 10_000)]
    seeds: u64,
    /// The first seed.
    #[arg(long, default_value_t = 1)]
    from: u64,
    /// Replays one seed and tells all that happens.
    #[arg(long, conflicts_with_all = ["seeds", "from"])]
    seed: Option<u64>,
    /// Plays other rules, to see that these checks can fail.
    #[arg(long, value_enum, default_value_t)]
    rules: Rules,
}

/// What some plays came to.
#[derive(Debug, Default)]
struct Report {
    tally: Tally,
    /// By seed.
    violations: Vec<(u64, String)>,
}

fn main() -> ExitCode {
    let options = Options::parse();
    let begun = Instant::now();
    let report = match options.seed {
        Some(seed) => play(seed..=seed, options.rules, true),
        None => {
            let last = options.from.saturating_add(options.seeds.max(1) - 1);
            play(options.from..=last, options.rules, false)
        }
    };
    print(&report, &options, begun.elapsed().as_secs_f64());
    if report.violations.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

fn play(seeds: impl Iterator<Item = u64>, rules: Rules, trace: bool) -> Report {
    let mut report = Report::default();
    for seed in seeds {
        let mut world = World::new(seed, rules.engine(), trace);
        world.play();
        report.tally += verdict::judge(&mut world);
        let violations = world.audit.violations.into_iter();
        report.violations.extend(violations.map(|it| (seed, it)));
    }
    report
}

fn print(report: &Report, options: &Options, seconds: f64) {
    let Tally {
        accepted,
        done,
        refused,
        failed,
        attention,
        quarantined,
        leaked,
        duplicated,
        lost,
        wrongly_deleted,
        stuck,
    } = report.tally;
    println!(
        "accepted  done  refused  failed without refusal  attention  quarantined  leaked  \
         duplicated  lost  wrongly deleted  stuck"
    );
    println!(
        "{accepted:>8}  {done:>4}  {refused:>7}  {failed:>22}  {attention:>9}  {quarantined:>11}  \
         {leaked:>6}  {duplicated:>10}  {lost:>4}  {wrongly_deleted:>15}  {stuck:>5}"
    );
    for (seed, violation) in report.violations.iter().take(TOLD) {
        println!("seed {seed}: {violation}");
    }
    let plays = options.seed.map_or(options.seeds, |_| 1);
    println!(
        "{plays} plays in {seconds:.1} s: {} violations",
        report.violations.len()
    );
    if let Some((seed, _)) = report.violations.first() {
        println!("to replay the first: cargo xtask decide --seed {seed}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many plays the tests make.
    const SOME: u64 = 400;

    fn report(rules: Rules) -> Report {
        play(1..=SOME, rules, false)
    }

    #[test]
    fn the_rules_hold_in_every_play() {
        let report = report(Rules::Real);
        assert_eq!(report.violations, []);
        let Tally {
            accepted,
            done,
            refused,
            failed,
            attention,
            stuck,
            ..
        } = report.tally;
        assert!(done > accepted / 2, "{:?}", report.tally);
        assert_eq!(accepted, done + refused + failed + attention + stuck);
    }

    #[test]
    fn a_play_can_be_repeated() {
        let (first, again) = (report(Rules::NoSweeper), report(Rules::NoSweeper));
        assert_eq!(first.tally, again.tally);
        assert_eq!(first.violations, again.violations);
    }

    #[test]
    fn rules_that_are_known_to_be_wrong_are_found_out() {
        let found = |rules, what: fn(&Tally) -> u64| {
            let report = report(rules);
            assert!(!report.violations.is_empty(), "{rules:?}");
            assert!(what(&report.tally) > 0, "{rules:?}: {:?}", report.tally);
        };
        found(Rules::FailAll, |it| it.failed);
        found(Rules::ParkAll, |it| it.attention);
        found(Rules::NoSettleWindow, |it| it.leaked + it.duplicated);
        found(Rules::NoSweeper, |it| it.leaked + it.duplicated);
        // What was absent by another account's word was ended, though nobody had refused it.
        found(Rules::NoFingerprint, |it| it.failed);
    }

    #[test]
    fn what_is_to_happen_once_is_seen_to_happen_twice() {
        for (rules, kind, what) in [
            (Rules::NoSettleWindow, "resize", "happened 2 times"),
            (Rules::BlindToTheLog, "resize", "happened 2 times"),
            (
                Rules::BlindToTheLog,
                "rebuild",
                "though the log tells of it",
            ),
            (Rules::BlindToTheLog, "reboot", "though the log tells of it"),
            (Rules::SendsAgain, "rebuild", "happened 2 times"),
            (Rules::SendsAgain, "reboot", "happened 2 times"),
            (
                Rules::BelievesAcceptance,
                "resize",
                "is done by the books only",
            ),
            (
                Rules::BelievesAcceptance,
                "rebuild",
                "is done by the books only",
            ),
        ] {
            let report = report(rules);
            let told = |it: &&(u64, String)| it.1.starts_with(kind) && it.1.ends_with(what);
            assert!(
                report.violations.iter().any(|it| told(&it)),
                "{rules:?}: {kind}"
            );
        }
    }
}
