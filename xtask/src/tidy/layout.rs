//! Rules that look at where files stand and at manifests.

use std::collections::BTreeSet;

use toml::{Table, Value};

use super::{File, Finding};
use crate::migrate;

const DEPENDENCY_TABLES: [&str; 3] = ["dependencies", "dev-dependencies", "build-dependencies"];

/// Returns what is wrong with how the files stand together.
pub(super) fn check(files: &[File]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in files {
        check_module(file, &mut findings);
        check_manifest(file, &mut findings);
        check_readme(file, files, &mut findings);
        check_migration(file, files, &mut findings);
    }
    findings
}

fn check_module(file: &File, findings: &mut Vec<Finding>) {
    if file.name() == "mod.rs" {
        let message = "a module is `foo.rs` beside the folder `foo/`";
        findings.push(Finding::new(file, 1, "mod", message));
    }
    let mut folders = file.path.rsplit('/');
    folders.next();
    if file.has_extension("rs") && folders.next() == Some("tests") && is_crate_test(file) {
        let message = "integration tests are one binary: `tests/it/main.rs` and what is beside it";
        findings.push(Finding::new(file, 1, "tests", message));
    }
}

/// Returns whether the file is in a package's `tests/`, not in a module's folder of that name.
fn is_crate_test(file: &File) -> bool {
    !file.path.contains("/src/")
}

fn check_manifest(file: &File, findings: &mut Vec<Finding>) {
    if file.name() != "Cargo.toml" || file.path == "Cargo.toml" || file.is_test() {
        return;
    }
    let manifest: Table = match file.text.parse() {
        Ok(manifest) => manifest,
        Err(error) => {
            let message = format!("not readable: {error}");
            findings.push(Finding::new(file, 1, "manifest", message));
            return;
        }
    };
    check_tables(file, &manifest, findings);
    let targets = manifest.get("target").and_then(Value::as_table);
    for target in targets
        .into_iter()
        .flatten()
        .filter_map(|(_, it)| it.as_table())
    {
        check_tables(file, target, findings);
    }
}

fn check_tables(file: &File, manifest: &Table, findings: &mut Vec<Finding>) {
    for name in DEPENDENCY_TABLES {
        let Some(table) = manifest.get(name).and_then(Value::as_table) else {
            continue;
        };
        for (dependency, value) in table {
            if value.get("workspace").and_then(Value::as_bool) != Some(true) {
                let line = line_of(file, dependency);
                let message = format!(
                    "`{dependency}` gets its version in the root Cargo.toml; \
                     here write `{dependency}.workspace = true`"
                );
                findings.push(Finding::new(file, line, "manifest", message));
            }
        }
    }
}

fn line_of(file: &File, beginning: &str) -> usize {
    (1..)
        .zip(file.text.lines())
        .find(|(_, it)| it.starts_with(beginning))
        .map_or(1, |(it, _)| it)
}

fn check_readme(file: &File, files: &[File], findings: &mut Vec<Finding>) {
    let Some(folder) = file.path.strip_suffix("/Cargo.toml") else {
        return;
    };
    let needs_one = folder == "xtask"
        || folder
            .strip_prefix("crates/")
            .is_some_and(|it| !it.contains('/'));
    let readme = format!("{folder}/README.md");
    if needs_one && !files.iter().any(|it| it.path == readme) {
        let message = format!("the crate has no `{readme}`");
        findings.push(Finding::new(file, 1, "readme", message));
    }
}

/// Every migration has `up.sql` and `down.sql`, on both databases.
fn check_migration(file: &File, files: &[File], findings: &mut Vec<Finding>) {
    let Some(rest) = file.path.strip_prefix("migrations/") else {
        return;
    };
    let mut parts = rest.split('/');
    let (Some(_), Some(migration), Some(_)) = (parts.next(), parts.next(), parts.next()) else {
        return;
    };
    let expected: BTreeSet<String> = migrate::DATABASES
        .iter()
        .flat_map(|database| {
            ["up.sql", "down.sql"].map(|it| format!("migrations/{database}/{migration}/{it}"))
        })
        .collect();
    if !expected.contains(&file.path) {
        let message = "a migration is `up.sql` and `down.sql` under `postgres` and `sqlite`";
        findings.push(Finding::new(file, 1, "migration", message));
    }
    // Said once, by the file that comes first.
    let present = |path: &String| files.iter().any(|it| it.path == *path);
    if expected.iter().find(|it| present(it)) == Some(&file.path) {
        for missing in expected.iter().filter(|it| !present(it)) {
            let message = format!("`{missing}` is missing");
            findings.push(Finding::new(file, 1, "migration", message));
        }
    }
}
