//! `cargo xtask ci`: all of continuous integration, step by step.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use crate::{layers, process, test, tidy};

/// The version that is installed where there is none. Any other will do.
const CARGO_DENY: &str = "cargo-deny@0.20.2";

struct Step {
    name: &'static str,
    /// What to type to run this step alone.
    repeat: &'static str,
    run: fn() -> Result<()>,
}

const STEPS: [Step; 7] = [
    Step {
        name: "fmt",
        repeat: "cargo fmt --all --check",
        run: fmt,
    },
    Step {
        name: "clippy",
        repeat: "cargo clippy --workspace --all-targets -- -D warnings",
        run: clippy,
    },
    Step {
        name: "test",
        repeat: "cargo xtask test",
        run: all_tests,
    },
    Step {
        name: "doc",
        repeat: "RUSTDOCFLAGS='-D warnings' cargo doc --workspace --no-deps",
        run: doc,
    },
    Step {
        name: "deny",
        repeat: "cargo deny check bans licenses sources",
        run: deny,
    },
    Step {
        name: "tidy",
        repeat: "cargo xtask tidy",
        run: tidy::run,
    },
    Step {
        name: "layers",
        repeat: "cargo xtask layers",
        run: layers::run,
    },
];

/// Runs every step until one fails.
///
/// # Errors
///
/// Fails with the first step that does, and names the command that repeats it.
pub(crate) fn run() -> Result<()> {
    let mut times = Vec::new();
    let mut result = Ok(());
    for step in &STEPS {
        println!("\n=== {} ({})", step.name, step.repeat);
        let start = Instant::now();
        result = (step.run)().with_context(|| {
            format!(
                "step `{}` failed; to repeat it alone: {}",
                step.name, step.repeat
            )
        });
        let verdict = if result.is_ok() { "ok" } else { "FAILED" };
        println!(
            "=== {} {verdict} in {}",
            step.name,
            seconds(start.elapsed())
        );
        times.push((step.name, verdict, start.elapsed()));
        if result.is_err() {
            break;
        }
    }
    println!("\n{}", table(&times));
    result
}

fn table(times: &[(&str, &str, Duration)]) -> String {
    let total: Duration = times.iter().map(|(_, _, time)| *time).sum();
    times
        .iter()
        .chain([&("total", "", total)])
        .map(|(name, verdict, time)| format!("{name:<8}{:>10}  {verdict}\n", seconds(*time)))
        .collect()
}

fn seconds(time: Duration) -> String {
    format!("{:.1} s", time.as_secs_f64())
}

fn fmt() -> Result<()> {
    process::run(process::cargo().args(["fmt", "--all", "--check"]))
}

fn clippy() -> Result<()> {
    let arguments = [
        "clippy",
        "--workspace",
        "--all-targets",
        "--",
        "-D",
        "warnings",
    ];
    process::run(process::cargo().args(arguments))
}

fn all_tests() -> Result<()> {
    test::run(&test::Options::default())
}

fn doc() -> Result<()> {
    let mut command = process::cargo();
    command
        .args(["doc", "--workspace", "--no-deps"])
        .env("RUSTDOCFLAGS", "-D warnings");
    process::run(&mut command)
}

fn deny() -> Result<()> {
    if process::read(process::cargo().args(["deny", "--version"])).is_err() {
        println!("cargo-deny is not installed: installing it, which takes some minutes");
        process::run(process::cargo().args(["install", "--locked", CARGO_DENY]))?;
    }
    process::run(process::cargo().args(["deny", "check", "bans", "licenses", "sources"]))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::table;

    #[test]
    fn the_table_ends_with_the_sum() {
        let times = [
            ("fmt", "ok", Duration::from_secs(1)),
            ("clippy", "FAILED", Duration::from_secs(2)),
        ];
        let table = table(&times);
        let last = table.lines().last().unwrap();
        assert!(
            last.starts_with("total") && last.contains("3.0 s"),
            "{table}"
        );
    }
}
