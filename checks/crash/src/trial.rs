//! The points, and how each is tried: what is asked for, and where the program dies meanwhile.

use std::fmt;

use roadstead_harness::{CutAt, Vendor};
use roadstead_testkit::Backend;

/// What is asked for while the program dies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ask {
    /// Three servers at once.
    Create,
    /// A server whose first request is lost on its way.
    CreateLost,
    /// A server, of a program that is stopped with the attempt on record and goes on when
    /// another one has done the work.
    CreateStopped,
    /// Two servers to be deleted at once.
    Delete,
    /// A server to be deleted about whose create nothing is known yet.
    DeleteUnknown,
    /// A server to be resized.
    Resize,
    /// A server to be rebooted.
    Reboot,
    /// Nothing; a server that carries another's mark is there.
    Sweep,
    /// Three servers that our database forgets.
    Restore,
}

/// How the program dies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Death {
    /// By itself, at a named point.
    Point(&'static str),
    /// Killed in the middle of an exchange with the provider.
    Cut(CutAt),
    /// As the trial itself has it.
    Own,
}

/// A point before it is tried at one provider on one database.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Point {
    /// Its name in the design.
    pub(crate) name: &'static str,
    /// `before`, `after`, or nothing where there is only one.
    pub(crate) side: &'static str,
    /// What the death does, in words.
    pub(crate) what: &'static str,
    pub(crate) ask: Ask,
    pub(crate) death: Death,
    /// Where the two providers' rules lead to different places: the death at the other one.
    pub(crate) at_linode: Option<Death>,
}

const fn at(
    name: &'static str,
    side: &'static str,
    ask: Ask,
    death: Death,
    what: &'static str,
) -> Point {
    Point {
        name,
        side,
        what,
        ask,
        death,
        at_linode: None,
    }
}

use Ask::{
    Create, CreateLost, CreateStopped, Delete, DeleteUnknown, Reboot, Resize, Restore, Sweep,
};
use Death::{Cut, Own, Point as Named};

#[rustfmt::skip]
pub(crate) const POINTS: [Point; 40] = [
    at("C1", "", Create, Named("create.t1_before"), "the intent is written, its COMMIT not sent"),
    at("C2", "", Create, Named("create.t1_after"), "the intent is committed, the answer not sent"),
    at("C3", "before", Create, Named("create.claim_before"), "the claim is written, its COMMIT not sent"),
    at("C3", "after", Create, Named("create.claimed"), "the claim is committed, nothing else done"),
    at("C4", "before", Create, Named("create.t2_before"), "the attempt is written, its COMMIT not sent"),
    at("C4", "after", Create, Named("create.t2_after"), "the attempt is committed, not a byte has left"),
    at("C5", "", Create, Cut(CutAt::HalfRequest), "half of the request's body is with the provider"),
    at("C6", "before", Create, Cut(CutAt::WholeRequest), "the whole request is with the provider, who works on it after the death"),
    at("C6", "after", Create, Cut(CutAt::Answer), "the provider has answered, not a byte is read"),
    at("C7", "", Create, Named("create.send_after"), "the answer is read, nothing of it written"),
    at("C8", "before", Create, Named("create.t3_before"), "the binding is written, its COMMIT not sent"),
    at("C8", "after", Create, Named("create.t3_after"), "the binding is committed, nobody has heard of it"),
    at("C9", "before", Create, Named("create.get_before"), "bound, about to poll"),
    at("C9", "after", Create, Named("create.get_after"), "bound, polled, nothing of it written"),
    Point { at_linode: Some(Named("create.look_after")), ..at("C11", "before", CreateLost, Named("create.count_before"), "the first look that counts is read, its COMMIT not sent") },
    Point { at_linode: Some(Named("create.look_written")), ..at("C11", "after", CreateLost, Named("create.count_after"), "the first look that counts is committed") },
    at("C12", "", CreateStopped, Own, "stopped with the attempt on record, continued when another has bound the server"),
    at("D1", "before", Delete, Named("delete.t1_before"), "the intent is written, its COMMIT not sent"),
    at("D1", "after", Delete, Named("delete.t1_after"), "the intent is committed, the answer not sent"),
    at("D2", "before", Delete, Named("delete.t2_before"), "the attempt is written, its COMMIT not sent"),
    at("D2", "after", Delete, Named("delete.t2_after"), "the attempt is committed, not a byte has left"),
    at("D3", "before", Delete, Cut(CutAt::WholeRequest), "the DELETE is with the provider, who works on it after the death"),
    at("D3", "after", Delete, Cut(CutAt::Answer), "the provider has answered, not a byte is read"),
    at("D4", "before", Delete, Named("delete.end_before"), "the end is written, its COMMIT not sent"),
    at("D4", "after", Delete, Named("delete.end_after"), "the end is committed, nobody has heard of it"),
    at("D5", "before", DeleteUnknown, Named("delete.t1_before"), "the create is unknown; the intent is written, its COMMIT not sent"),
    at("D5", "after", DeleteUnknown, Named("delete.t1_after"), "the create is unknown; the intent is committed, the answer not sent"),
    at("R1", "", Resize, Named("resize.t2_before"), "the attempt is written, its COMMIT not sent"),
    at("R2", "", Resize, Named("resize.t2_after"), "the attempt is committed, not a byte has left"),
    at("R3", "before", Resize, Cut(CutAt::WholeRequest), "the request is with the provider, who works on it after the death"),
    at("R3", "after", Resize, Cut(CutAt::Answer), "the provider has answered, not a byte is read"),
    at("R4", "before", Resize, Named("resize.t3_before"), "what became of the attempt is written, its COMMIT not sent"),
    at("R4", "after", Resize, Named("resize.t3_after"), "what became of the attempt is committed"),
    at("R5", "before", Reboot, Cut(CutAt::WholeRequest), "the reboot is with the provider, who works on it after the death"),
    at("R5", "after", Reboot, Cut(CutAt::Answer), "the provider has answered, not a byte is read"),
    at("S1", "", Sweep, Named("sweep.listed"), "everything is listed, our books are not read"),
    at("S2", "before", Sweep, Named("sweep.doom_before"), "an extra is found, nothing of it written"),
    at("S2", "after", Sweep, Named("sweep.doom_after"), "the doom is committed"),
    at("S3", "", Sweep, Named("sweep.delete_after"), "the extra is deleted, nothing of it written"),
    at("M1", "", Restore, Own, "the database is put back to before three creates"),
];

/// A point tried at one provider on one database.
#[derive(Debug, Clone, Copy)]
pub struct Trial {
    pub(crate) point: &'static Point,
    /// At which provider.
    pub vendor: Vendor,
    /// On which database.
    pub backend: Backend,
}

impl Trial {
    /// Returns the name of the point in the design.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.point.name
    }

    /// Returns how the program dies here.
    pub(crate) fn death(&self) -> Death {
        match (self.vendor, self.point.at_linode) {
            (Vendor::Linode, Some(death)) => death,
            _ => self.point.death,
        }
    }

    /// Returns what is missing for it, if something is.
    pub(crate) const fn is_built(&self) -> bool {
        match self.point.ask {
            Resize => BUILT.resize,
            Sweep | Restore => BUILT.sweeper,
            // Where no name is refused, the late request makes a server for the sweeper.
            CreateStopped => BUILT.sweeper || matches!(self.vendor, Vendor::Linode),
            Create | CreateLost | Delete | DeleteUnknown | Reboot => true,
        }
    }

    /// Returns the command that repeats it.
    #[must_use]
    pub fn repeat(&self) -> String {
        format!(
            "cargo xtask crash --point {} --vendor {} --database {}",
            self.point.name,
            self.vendor,
            self.backend.to_string().to_lowercase()
        )
    }
}

impl fmt::Display for Trial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Point { name, side, .. } = self.point;
        let vendor = self.vendor.kind();
        write!(f, "{name:<3} {side:<6} {vendor:<12} {}", self.backend)
    }
}

/// What the program can do by now.
pub(crate) struct Built {
    pub(crate) resize: bool,
    pub(crate) sweeper: bool,
}

pub(crate) const BUILT: Built = Built {
    resize: true,
    sweeper: true,
};

/// Returns every point at every provider on every database.
#[must_use]
pub fn trials() -> Vec<Trial> {
    let mut trials = Vec::new();
    for point in &POINTS {
        for vendor in Vendor::ALL {
            for backend in [Backend::Sqlite, Backend::Postgres] {
                let trial = Trial {
                    point,
                    vendor,
                    backend,
                };
                if trial.makes_sense() {
                    trials.push(trial);
                }
            }
        }
    }
    trials
}

impl Trial {
    /// An embedded database has one program.
    fn makes_sense(&self) -> bool {
        self.point.ask != CreateStopped || self.backend == Backend::Postgres
    }
}

/// Returns every point once, the providers and databases spread over them.
pub(crate) fn spread() -> Vec<Trial> {
    let mut trials = Vec::new();
    for (number, point) in POINTS.iter().enumerate() {
        let vendor = if number % 2 == 0 {
            Vendor::DigitalOcean
        } else {
            Vendor::Linode
        };
        let backend = if number / 2 % 2 == 0 {
            Backend::Sqlite
        } else {
            Backend::Postgres
        };
        let trial = Trial {
            point,
            vendor,
            backend,
        };
        trials.push(if trial.makes_sense() {
            trial
        } else {
            Trial {
                backend: Backend::Postgres,
                ..trial
            }
        });
    }
    trials
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_point_of_the_design_is_tried_everywhere() {
        let all = trials();
        let names = [
            "C1", "C2", "C3", "C4", "C5", "C6", "C7", "C8", "C9", "C11", "C12", "D1", "D2", "D3",
            "D4", "D5", "R1", "R2", "R3", "R4", "R5", "S1", "S2", "S3", "M1",
        ];
        let found: BTreeSet<_> = all.iter().map(Trial::name).collect();
        assert_eq!(found, names.into_iter().collect());
        // C12 needs two programs on one database, which only PostgreSQL takes.
        assert_eq!(all.len(), POINTS.len() * 4 - 2);
    }

    #[test]
    fn once_each_they_are_spread_over_both_providers_and_databases() {
        let spread = spread();
        assert_eq!(spread.len(), POINTS.len());
        for vendor in Vendor::ALL {
            for backend in [Backend::Sqlite, Backend::Postgres] {
                let here = spread
                    .iter()
                    .filter(|it| it.vendor == vendor && it.backend == backend);
                assert!(here.count() >= 8);
            }
        }
    }
}
