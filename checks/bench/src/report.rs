//! The lines of the report: what was measured, beside what it is measured against.

use anyhow::Result;

use crate::child::load::Load;
use crate::process::Running;

/// What a figure must reach.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Target {
    AtLeast(f64),
    AtMost(f64),
    /// Printed for comparison.
    None,
}

impl Target {
    fn verdict(self, figure: f64) -> String {
        let (met, text) = match self {
            Self::AtLeast(least) => (figure >= least, format!("target ≥ {least}")),
            Self::AtMost(most) => (figure <= most, format!("target ≤ {most}")),
            Self::None => return String::new(),
        };
        let word = if met { "met" } else { "MISSED" };
        format!("  [{text}: {word}]")
    }
}

/// The lines so far.
#[derive(Debug, Default)]
pub(crate) struct Report {
    missed: Vec<String>,
}

impl Report {
    /// Begins a part of the report.
    pub(crate) fn heading(&self, text: &str) {
        println!("\n## {text}\n");
    }

    /// Says something about how the figures were made.
    pub(crate) fn note(&self, text: &str) {
        println!("  {text}");
    }

    /// Prints one figure with its unit.
    pub(crate) fn figure(&mut self, name: &str, figure: f64, unit: &str, target: Target) {
        let verdict = target.verdict(figure);
        if verdict.contains("MISSED") {
            self.missed.push(name.to_owned());
        }
        println!("  {name:<58} {figure:>10.2} {unit}{verdict}");
    }

    /// Prints two rates and their ratio.
    pub(crate) fn ratio(&mut self, name: &str, pair: &Pair, target: Target) {
        println!(
            "  {name:<58} {:>8.0}/s  p99 {:>6} µs  cpu {:>6.1} µs",
            pair.ours.rate, pair.ours.p99, pair.ours.cpu
        );
        println!(
            "  {:<58} {:>8.0}/s  p99 {:>6} µs  cpu {:>6.1} µs",
            "  against", pair.theirs.rate, pair.theirs.p99, pair.theirs.cpu
        );
        self.figure("  ratio of the rates", pair.ratio, "", target);
    }

    /// Says which targets were missed.
    pub(crate) fn conclude(&self) {
        match self.missed.as_slice() {
            [] => println!("\nevery target was met"),
            missed => println!("\nmissed: {}", missed.join("; ")),
        }
    }
}

/// One side of a comparison: medians over the rounds.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Side {
    pub(crate) rate: f64,
    pub(crate) p99: u32,
    /// Processor time of the server for one answer, in microseconds.
    pub(crate) cpu: f64,
}

/// Two sides that took turns.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pair {
    pub(crate) ours: Side,
    pub(crate) theirs: Side,
    /// The median of the ratios of each round.
    pub(crate) ratio: f64,
}

/// Lets two sides take turns, so that what else the machine does hits both alike.
///
/// # Errors
///
/// Fails if a round does, or if anything but 200 was answered.
pub(crate) fn side_by_side(
    rounds: u32,
    (our_server, ours): (&Running, impl Fn() -> Result<Load>),
    (their_server, theirs): (&Running, impl Fn() -> Result<Load>),
) -> Result<Pair> {
    // Once for nothing: pools are opened and pages read.
    turn(our_server, &ours)?;
    turn(their_server, &theirs)?;
    let mut all: Vec<(Side, Side)> = Vec::new();
    for _ in 0..rounds {
        all.push((turn(our_server, &ours)?, turn(their_server, &theirs)?));
    }
    let ratios = all.iter().map(|(ours, theirs)| ours.rate / theirs.rate);
    Ok(Pair {
        ratio: median(ratios.collect()),
        ours: middle(all.iter().map(|it| it.0).collect()),
        theirs: middle(all.iter().map(|it| it.1).collect()),
    })
}

fn turn(server: &Running, load: &impl Fn() -> Result<Load>) -> Result<Side> {
    let before = server.cpu()?;
    let load = load()?;
    anyhow::ensure!(
        load.refusals == 0 && load.answers > 0,
        "{} of the answers were refusals",
        load.refusals
    );
    let cpu = server.cpu()?.saturating_sub(before);
    Ok(Side {
        rate: load.rate(),
        p99: load.p99_micros,
        cpu: cpu.as_secs_f64() * 1e6 / f64::from(load.answers),
    })
}

fn middle(mut sides: Vec<Side>) -> Side {
    sides.sort_by(|a, b| a.rate.total_cmp(&b.rate));
    let half = sides.len() / 2;
    sides.get(half).copied().unwrap_or_default()
}

/// Returns the least of the figures that so many percent of them do not exceed.
pub(crate) fn quantile<T: Copy + Default>(sorted: &[T], percent: usize) -> T {
    let place = sorted.len().saturating_mul(percent).div_ceil(100);
    let figure = sorted.get(place.saturating_sub(1));
    figure.copied().unwrap_or_default()
}

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    let half = figures.len() / 2;
    figures.get(half).copied().unwrap_or(f64::NAN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missed_target_is_said() {
        assert!(Target::AtLeast(0.8).verdict(0.79).contains("MISSED"));
        assert!(Target::AtLeast(0.8).verdict(0.8).contains(": met"));
        assert!(Target::AtMost(12.0).verdict(12.1).contains("MISSED"));
        assert_eq!(Target::None.verdict(1.0), "");
    }

    #[test]
    fn quantiles_are_taken_from_what_was_measured() {
        let measured: Vec<u32> = (1..=100).collect();
        assert_eq!(quantile(&measured, 50), 50);
        assert_eq!(quantile(&measured, 99), 99);
        assert_eq!(quantile(&[7], 99), 7);
        assert_eq!(quantile::<u32>(&[], 99), 0);
    }

    #[test]
    fn one_odd_round_does_not_move_the_median() {
        assert!((median(vec![0.9, 5.0, 0.8]) - 0.9).abs() < 1e-9);
        assert!(median(Vec::new()).is_nan());
    }
}
