//! `cargo xtask tidy`: the house rules that a machine can check.

mod layout;
mod text;

#[cfg(test)]
mod tests;

use std::fmt;
use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Result, bail};

use crate::process;

/// A file that git holds or would add.
#[derive(Debug)]
struct File {
    /// From the repository's root, with `/`.
    path: String,
    text: String,
}

impl File {
    fn has_extension(&self, extension: &str) -> bool {
        Path::new(&self.path)
            .extension()
            .is_some_and(|it| it == extension)
    }

    fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or(&self.path)
    }

    fn is_generated(&self) -> bool {
        self.text
            .lines()
            .next()
            .is_some_and(|it| it.contains("@generated"))
    }

    /// Returns whether the file is an integration test or belongs to one.
    fn is_test(&self) -> bool {
        self.path.contains("/tests/")
    }

    /// Returns whether the file holds words that are not ours: copies of what
    /// others publish, and snapshots of what we print.
    fn is_fixture(&self) -> bool {
        self.path.contains("/fixtures/")
            || self.path.contains("/snapshots/")
            || self.path.starts_with("LICENSE")
    }

    /// Returns whether the file spells the forbidden words in order to forbid them.
    fn spells_rules(&self) -> bool {
        self.path.starts_with("xtask/src/tidy")
    }
}

/// One broken rule.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Finding {
    path: String,
    line: usize,
    rule: &'static str,
    message: String,
}

impl Finding {
    fn new(file: &File, line: usize, rule: &'static str, message: impl Into<String>) -> Self {
        Self {
            path: file.path.clone(),
            line,
            rule,
            message: message.into(),
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "{}:{}: {}: {}",
            self.path, self.line, self.rule, self.message
        )
    }
}

/// Checks every file that git holds or would add.
///
/// # Errors
///
/// Fails if a rule is broken, after printing each case.
pub(crate) fn run() -> Result<()> {
    let files = files()?;
    let findings = check(&files);
    for finding in &findings {
        println!("{finding}");
    }
    if !findings.is_empty() {
        bail!(
            "tidy: {} findings in {} files looked at",
            findings.len(),
            files.len()
        );
    }
    println!("tidy: nothing found in {} files", files.len());
    Ok(())
}

fn check(files: &[File]) -> Vec<Finding> {
    let mut findings: Vec<Finding> = files.iter().flat_map(text::check).collect();
    findings.extend(layout::check(files));
    findings.sort();
    findings
}

/// Reads every text file of the repository; what is not UTF-8 is not text.
fn files() -> Result<Vec<File>> {
    let root = process::root();
    let mut git = Command::new("git");
    git.current_dir(&root).args([
        "ls-files",
        "-z",
        "--cached",
        "--others",
        "--exclude-standard",
    ]);
    let listed = process::read(&mut git)?;
    let mut files = Vec::new();
    for path in listed.split_terminator('\0') {
        // Git still lists a file that was deleted and not yet committed.
        let Ok(bytes) = fs::read(root.join(path)) else {
            continue;
        };
        if let Ok(text) = String::from_utf8(bytes) {
            files.push(File {
                path: path.to_owned(),
                text,
            });
        }
    }
    Ok(files)
}
