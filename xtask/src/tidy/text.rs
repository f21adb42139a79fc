//! Rules that look at one file's lines.

use super::{File, Finding};

const MAX_LINES: usize = 800;

/// What never stands in Rust code, and why.
const FORBIDDEN_CODE: [(&str, &str); 8] = [
    ("todo!(", "finish it, or refuse with an error that says so"),
    (
        "unimplemented!(",
        "finish it, or refuse with an error that says so",
    ),
    ("dbg!(", "it is left over from debugging"),
    ("#[ignore", "a skipped test must not look like a passed one"),
    ("#[should_panic", "assert the error itself"),
    ("#[allow(", "write `#[expect(…, reason = \"…\")]`"),
    ("#![allow(", "write `#![expect(…, reason = \"…\")]`"),
    (
        "#[cfg_attr(test, allow(",
        "write `#[expect(…, reason = \"…\")]`",
    ),
];

/// British stems and what to write instead.
const SPELLINGS: [(&str, &str); 16] = [
    ("authoris", "authoriz"),
    ("behaviour", "behavior"),
    ("centre", "center"),
    ("colour", "color"),
    ("favour", "favor"),
    ("harbour", "harbor"),
    ("honour", "honor"),
    ("initialis", "initializ"),
    ("licence", "license"),
    ("neighbour", "neighbor"),
    ("normalis", "normaliz"),
    ("optimis", "optimiz"),
    ("organis", "organiz"),
    ("recognis", "recogniz"),
    ("serialis", "serializ"),
    ("summaris", "summariz"),
];

/// Words that a British stem is part of although nothing is wrong with them.
const NOT_BRITISH: [&str; 3] = ["organism", "optimist", "optimism"];

/// A vendor's words, and the only crate that says them.
const VENDOR_WORDS: [(&str, &str); 7] = [
    ("linode", "crates/roadstead-linode/"),
    ("digitalocean", "crates/roadstead-digitalocean/"),
    ("droplet", "crates/roadstead-digitalocean/"),
    ("ec2", "crates/roadstead-aws/"),
    ("amazon", "crates/roadstead-aws/"),
    ("gcp", "crates/roadstead-gcp/"),
    ("google", "crates/roadstead-gcp/"),
];

/// Where every vendor may be named: the wiring, the emulators and the tests.
const VENDOR_ROOMS: [&str; 5] = [
    "bins/",
    "checks/",
    "xtask/",
    "crates/roadstead-sim/",
    "crates/roadstead-conformance/",
];

/// Package registries: a build must work with whatever mirror it is given.
const REGISTRIES: [&str; 4] = [
    "crates.io",
    "pypi.org",
    "registry.npmjs.org",
    "deb.debian.org",
];

/// A folder beside the repository, which is not there for anyone else.
const OUTSIDE: &str = "../shared";

/// Returns what is wrong with one file.
pub(super) fn check(file: &File) -> Vec<Finding> {
    let mut findings = Vec::new();
    let prose = ["rs", "md", "toml", "sql", "css", "js"]
        .iter()
        .any(|it| file.has_extension(it));
    if prose && !file.is_fixture() {
        check_end(file, &mut findings);
        check_spaces(file, &mut findings);
        if !file.spells_rules() {
            check_spelling(file, &mut findings);
        }
    }
    if !file.spells_rules() {
        check_outside(file, &mut findings);
        check_registries(file, &mut findings);
    }
    if file.has_extension("rs") {
        check_size(file, &mut findings);
        check_head(file, &mut findings);
        if !file.spells_rules() {
            check_code(file, &mut findings);
            check_fixme(file, &mut findings);
            check_vendors(file, &mut findings);
        }
    }
    findings
}

fn numbered(file: &File) -> impl Iterator<Item = (usize, &str)> {
    (1..).zip(file.text.lines())
}

fn check_end(file: &File, findings: &mut Vec<Finding>) {
    if !file.text.is_empty() && !file.text.ends_with('\n') {
        let last = file.text.lines().count();
        findings.push(Finding::new(
            file,
            last,
            "newline",
            "the file does not end with a newline",
        ));
    }
}

fn check_spaces(file: &File, findings: &mut Vec<Finding>) {
    for (number, line) in numbered(file) {
        if line.ends_with([' ', '\t']) {
            findings.push(Finding::new(
                file,
                number,
                "spaces",
                "spaces at the end of the line",
            ));
        }
    }
}

fn check_spelling(file: &File, findings: &mut Vec<Finding>) {
    for (number, line) in numbered(file) {
        let line = line.to_lowercase();
        for (british, american) in SPELLINGS {
            if line.contains(british) && !NOT_BRITISH.iter().any(|it| line.contains(it)) {
                let message = format!("`{british}` is British: write `{american}`");
                findings.push(Finding::new(file, number, "spelling", message));
            }
        }
    }
}

fn check_outside(file: &File, findings: &mut Vec<Finding>) {
    if file.path.starts_with("xtask/src/contract") {
        return;
    }
    for (number, line) in numbered(file) {
        if line.contains(OUTSIDE) {
            let message = format!("`{OUTSIDE}` is outside the repository");
            findings.push(Finding::new(file, number, "outside", message));
        }
    }
}

fn check_registries(file: &File, findings: &mut Vec<Finding>) {
    if file.name() == "Cargo.lock" {
        return;
    }
    for (number, line) in numbered(file) {
        for registry in REGISTRIES {
            if line.contains(registry) {
                let message = format!("the registry `{registry}` is named");
                findings.push(Finding::new(file, number, "registry", message));
            }
        }
    }
}

fn check_size(file: &File, findings: &mut Vec<Finding>) {
    let lines = file.text.lines().count();
    if lines > MAX_LINES && !file.is_test() && !file.is_generated() {
        let message = format!("{lines} lines; split it before {MAX_LINES}");
        findings.push(Finding::new(file, lines, "size", message));
    }
}

fn check_head(file: &File, findings: &mut Vec<Finding>) {
    let ours = ["crates/", "bins/", "checks/", "xtask/"]
        .iter()
        .any(|it| file.path.starts_with(it));
    let first = file.text.lines().next().unwrap_or_default();
    let has_head = first.starts_with("//!")
        || (file.name() == "lib.rs" && first == "#![doc = include_str!(\"../README.md\")]");
    if ours && !has_head && !file.is_generated() {
        let message = "the file does not open with `//!` and a sentence that says what lives here";
        findings.push(Finding::new(file, 1, "head", message));
    }
}

fn check_code(file: &File, findings: &mut Vec<Finding>) {
    for (number, line) in numbered(file) {
        let code = code_of(line);
        for (forbidden, reason) in FORBIDDEN_CODE {
            if code.contains(forbidden) {
                let message = format!("`{forbidden}`: {reason}");
                findings.push(Finding::new(file, number, "code", message));
            }
        }
    }
}

fn check_fixme(file: &File, findings: &mut Vec<Finding>) {
    for (number, line) in numbered(file) {
        let mut rest = line;
        while let Some((_, after)) = rest.split_once("FIXME") {
            if !names_issue(after) {
                let message = "a FIXME names its issue: `FIXME(#12)`";
                findings.push(Finding::new(file, number, "fixme", message));
            }
            rest = after;
        }
    }
}

fn names_issue(after: &str) -> bool {
    let number = after
        .strip_prefix("(#")
        .and_then(|it| it.split_once(')'))
        .map(|(it, _)| it);
    number.is_some_and(|it| !it.is_empty() && it.chars().all(|it| it.is_ascii_digit()))
}

fn check_vendors(file: &File, findings: &mut Vec<Finding>) {
    if file.is_test() || VENDOR_ROOMS.iter().any(|it| file.path.starts_with(it)) {
        return;
    }
    for (number, line) in numbered(file) {
        // Unit tests stand at the end of a file.
        if line.trim() == "#[cfg(test)]" {
            return;
        }
        // The example of a documented field has to name something.
        if line.contains("example") {
            continue;
        }
        for (word, home) in VENDOR_WORDS {
            if !file.path.starts_with(home) && says(code_of(line), word) {
                let message = format!("`{word}` is a vendor's word; it belongs to `{home}`");
                findings.push(Finding::new(file, number, "vendor", message));
            }
        }
    }
}

/// Returns the line without its comment.
fn code_of(line: &str) -> &str {
    let trimmed = line.trim_start();
    if trimmed.starts_with("//") {
        return "";
    }
    // A comment after code follows a space; `https://` in a string does not.
    line.split_once(" // ").map_or(line, |(code, _)| code)
}

/// Returns whether the line says the word, also inside `CamelCase` or `snake_case`.
fn says(line: &str, word: &str) -> bool {
    let line_lower = line.to_ascii_lowercase();
    line_lower.match_indices(word).any(|(start, found)| {
        // Short words are also parts of others: `vec2` does not say `ec2`.
        word.len() > 3
            || (!line_lower
                .get(..start)
                .is_some_and(|it| it.ends_with(|it: char| it.is_ascii_alphanumeric()))
                && !line.get(start + found.len()..).is_some_and(|it| {
                    it.starts_with(|it: char| it.is_ascii_lowercase() || it.is_ascii_digit())
                }))
    })
}
