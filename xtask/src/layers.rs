//! `cargo xtask layers`: which crate may import which.

use std::path::Path;

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use crate::process;

const CORE: &str = "roadstead-core";

/// Crates that serve tests alone: they may import anything, and others may
/// import them only as dev-dependencies.
const FOR_TESTS: [&str; 2] = ["roadstead-conformance", "roadstead-testkit"];

const WEB: &[&str] = &["actix-*", "axum"];
const SQL: &[&str] = &[
    "diesel*",
    "tokio-postgres*",
    "libsqlite3-sys",
    "rusqlite",
    "sqlx",
];
const CLIENT: &[&str] = &["reqwest", "hyper", "ureq"];
const STORES: &[&str] = &["cached", "redis"];
const RUNTIME: &[&str] = &["tokio", "async-std", "smol"];

/// One row of the table in ARCHITECTURE.md.
struct Layer {
    name: &'static str,
    /// Crates of the workspace that it may import besides `core`.
    imports: &'static [&'static str],
    /// Crates of others that it never imports. A trailing `*` stands for any ending.
    never: &'static [&'static [&'static str]],
}

const LAYERS: [Layer; 8] = [
    Layer {
        name: CORE,
        imports: &[],
        never: &[RUNTIME, CLIENT, WEB, SQL, STORES],
    },
    Layer {
        name: "roadstead-http",
        imports: &[],
        never: &[WEB, SQL, STORES],
    },
    Layer {
        name: "roadstead-cache",
        imports: &[],
        never: &[WEB, SQL, CLIENT],
    },
    Layer {
        name: "roadstead-repository",
        imports: &[],
        never: &[WEB, CLIENT, STORES],
    },
    Layer {
        name: "roadstead-service",
        imports: &["roadstead-cache", "roadstead-repository"],
        never: &[WEB, SQL, CLIENT],
    },
    Layer {
        name: "roadstead-api",
        imports: &["roadstead-service"],
        never: &[SQL, CLIENT],
    },
    Layer {
        name: "roadstead-panel",
        imports: &["roadstead-service", "roadstead-api"],
        never: &[SQL, CLIENT],
    },
    Layer {
        name: "roadstead-sim",
        imports: &[],
        never: &[SQL, STORES],
    },
];

/// Every crate under `crates/` that has no row is a provider: a new cloud needs
/// no line here, and anything else that is new has to be entered above.
const PROVIDER: Layer = Layer {
    name: "a provider",
    imports: &["roadstead-http"],
    never: &[WEB, SQL, STORES],
};

/// What `cargo metadata` says, as far as we read it.
#[derive(Debug, Deserialize)]
struct Metadata {
    packages: Vec<Package>,
    workspace_root: String,
}

#[derive(Debug, Deserialize)]
struct Package {
    name: String,
    manifest_path: String,
    dependencies: Vec<Dependency>,
}

#[derive(Debug, Deserialize)]
struct Dependency {
    name: String,
    /// `null` for a normal one, else `dev` or `build`.
    kind: Option<String>,
}

/// The folder a package lives in, which says what it is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Room {
    Crate,
    /// `bins/*`: may import everything that does not serve tests, imported by nobody.
    Program,
    /// `checks/*`: may import everything, imported by each other alone.
    Check,
    /// `xtask`: imports no crate of the workspace.
    Tool,
}

/// Checks the workspace.
///
/// # Errors
///
/// Fails if a crate imports what its layer may not, after printing each case.
pub(crate) fn run() -> Result<()> {
    let findings = check(&metadata()?);
    for finding in &findings {
        println!("{finding}");
    }
    if !findings.is_empty() {
        bail!(
            "{} imports break the layers of ARCHITECTURE.md",
            findings.len()
        );
    }
    println!("layers: every import is allowed");
    Ok(())
}

fn metadata() -> Result<Metadata> {
    // Direct dependencies are all that counts, and they need no resolution.
    let mut command = process::cargo();
    command.args(["metadata", "--format-version", "1", "--no-deps"]);
    serde_json::from_str(&process::read(&mut command)?).context("`cargo metadata` is not readable")
}

fn check(metadata: &Metadata) -> Vec<String> {
    let rooms: Vec<(&str, Room)> = metadata
        .packages
        .iter()
        .map(|it| (it.name.as_str(), room(&metadata.workspace_root, it)))
        .collect();
    let mut findings = Vec::new();
    for package in &metadata.packages {
        let from = room(&metadata.workspace_root, package);
        for dependency in &package.dependencies {
            if dependency.kind.as_deref() == Some("dev") {
                continue;
            }
            let to = rooms
                .iter()
                .find(|(name, _)| *name == dependency.name)
                .map(|(_, it)| *it);
            let reason = match to {
                Some(to) => refuse_own(from, &package.name, to, &dependency.name),
                None => refuse_foreign(from, &package.name, &dependency.name),
            };
            if let Some(reason) = reason {
                findings.push(format!(
                    "{}: layers: `{}` must not import `{}`: {reason}",
                    package.manifest_path, package.name, dependency.name
                ));
            }
        }
    }
    findings
}

fn refuse_own(from: Room, importer: &str, to: Room, imported: &str) -> Option<String> {
    if from == Room::Check && to == Room::Check {
        return None;
    }
    if to != Room::Crate {
        return Some("programs and tools are imported by nobody".to_owned());
    }
    match from {
        Room::Tool => Some("xtask builds without the workspace's crates".to_owned()),
        Room::Check => None,
        Room::Crate if FOR_TESTS.contains(&importer) => None,
        Room::Crate | Room::Program if FOR_TESTS.contains(&imported) => {
            Some("it serves tests, so only a dev-dependency".to_owned())
        }
        Room::Program => None,
        Room::Crate => {
            let layer = layer(importer);
            if imported == CORE || layer.imports.contains(&imported) {
                return None;
            }
            let mut allowed = vec![CORE];
            allowed.extend(layer.imports);
            allowed.retain(|it| *it != importer);
            Some(format!("{} may import {}", layer.name, list(&allowed)))
        }
    }
}

fn refuse_foreign(from: Room, importer: &str, imported: &str) -> Option<String> {
    if from != Room::Crate {
        return None;
    }
    if imported == "anyhow" {
        return Some("anyhow stops at bins, checks and xtask".to_owned());
    }
    if FOR_TESTS.contains(&importer) {
        return None;
    }
    let layer = layer(importer);
    let never = layer
        .never
        .iter()
        .copied()
        .flatten()
        .any(|it| matches(it, imported));
    never.then(|| format!("{} never does", layer.name))
}

fn layer(name: &str) -> &'static Layer {
    LAYERS
        .iter()
        .find(|it| it.name == name)
        .unwrap_or(&PROVIDER)
}

fn list(names: &[&str]) -> String {
    if names.is_empty() {
        "none of our crates".to_owned()
    } else {
        names.join(", ")
    }
}

fn matches(pattern: &str, name: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(beginning) => name.starts_with(beginning),
        None => name == pattern,
    }
}

fn room(workspace_root: &str, package: &Package) -> Room {
    let manifest = Path::new(&package.manifest_path);
    let inside = manifest.strip_prefix(workspace_root).unwrap_or(manifest);
    let folder = inside
        .components()
        .next()
        .map(|it| it.as_os_str().to_string_lossy());
    match folder.as_deref() {
        Some("crates") => Room::Crate,
        Some("xtask") => Room::Tool,
        Some("checks") => Room::Check,
        _ => Room::Program,
    }
}

#[cfg(test)]
mod tests {
    use super::{Dependency, Metadata, Package, check, metadata};

    #[test]
    fn the_workspace_keeps_its_layers() {
        let findings = check(&metadata().unwrap());
        assert!(findings.is_empty(), "{}", findings.join("\n"));
    }

    /// Checks a workspace in which `importer` imports `imported`.
    fn findings(importer: &str, kind: Option<&str>, imported: &str) -> Vec<String> {
        let mut packages: Vec<Package> = [
            "crates/roadstead-core",
            "crates/roadstead-http",
            "crates/roadstead-linode",
            "crates/roadstead-aws",
            "crates/roadstead-cache",
            "crates/roadstead-repository",
            "crates/roadstead-service",
            "crates/roadstead-api",
            "crates/roadstead-panel",
            "crates/roadstead-sim",
            "crates/roadstead-conformance",
            "crates/roadstead-testkit",
            "bins/roadstead",
            "checks/bench",
            "xtask",
        ]
        .iter()
        .map(|folder| Package {
            name: folder.rsplit('/').next().unwrap().to_owned(),
            manifest_path: format!("/w/{folder}/Cargo.toml"),
            dependencies: Vec::new(),
        })
        .collect();
        let package = packages.iter_mut().find(|it| it.name == importer).unwrap();
        package.dependencies.push(Dependency {
            name: imported.to_owned(),
            kind: kind.map(ToOwned::to_owned),
        });
        check(&Metadata {
            packages,
            workspace_root: "/w".to_owned(),
        })
    }

    #[test]
    fn a_forbidden_import_is_reported() {
        for (importer, imported) in [
            ("roadstead-core", "tokio"),
            ("roadstead-core", "reqwest"),
            ("roadstead-core", "actix-web"),
            ("roadstead-core", "diesel"),
            ("roadstead-core", "roadstead-http"),
            ("roadstead-http", "roadstead-linode"),
            ("roadstead-http", "roadstead-cache"),
            ("roadstead-linode", "roadstead-aws"),
            ("roadstead-linode", "roadstead-cache"),
            ("roadstead-linode", "diesel-async"),
            ("roadstead-aws", "actix-web"),
            ("roadstead-cache", "roadstead-linode"),
            ("roadstead-cache", "diesel"),
            ("roadstead-repository", "roadstead-linode"),
            ("roadstead-repository", "actix-web"),
            ("roadstead-repository", "reqwest"),
            ("roadstead-service", "roadstead-http"),
            ("roadstead-service", "roadstead-aws"),
            ("roadstead-service", "actix-web"),
            ("roadstead-service", "diesel"),
            ("roadstead-api", "roadstead-repository"),
            ("roadstead-api", "roadstead-linode"),
            ("roadstead-api", "diesel"),
            ("roadstead-panel", "roadstead-repository"),
            ("roadstead-sim", "roadstead-linode"),
            ("roadstead-sim", "roadstead-http"),
            ("roadstead-sim", "roadstead-service"),
            ("roadstead-service", "anyhow"),
            ("roadstead-testkit", "anyhow"),
            ("roadstead-service", "roadstead-testkit"),
            ("roadstead", "xtask"),
            ("roadstead", "roadstead-testkit"),
            ("roadstead-api", "bench"),
            ("xtask", "roadstead-core"),
        ] {
            let found = findings(importer, None, imported);
            assert_eq!(found.len(), 1, "{importer} imports {imported}");
            assert!(
                found[0].contains(&format!("must not import `{imported}`")),
                "{found:?}"
            );
        }
    }

    #[test]
    fn an_allowed_import_is_not_reported() {
        for (importer, imported) in [
            ("roadstead-http", "roadstead-core"),
            ("roadstead-http", "reqwest"),
            ("roadstead-linode", "roadstead-http"),
            ("roadstead-cache", "cached"),
            ("roadstead-repository", "diesel"),
            ("roadstead-service", "roadstead-repository"),
            ("roadstead-api", "roadstead-service"),
            ("roadstead-panel", "roadstead-api"),
            ("roadstead-sim", "actix-web"),
            ("roadstead-testkit", "roadstead-api"),
            ("roadstead-conformance", "roadstead-testkit"),
            ("roadstead", "roadstead-linode"),
            ("roadstead", "anyhow"),
            ("bench", "roadstead-sim"),
            ("bench", "roadstead-conformance"),
            ("xtask", "anyhow"),
        ] {
            assert_eq!(
                findings(importer, None, imported),
                [""; 0],
                "{importer} {imported}"
            );
        }
    }

    #[test]
    fn a_dev_dependency_may_cross_layers_and_a_build_dependency_may_not() {
        assert_eq!(
            findings("roadstead-service", Some("dev"), "roadstead-testkit"),
            [""; 0]
        );
        assert_eq!(findings("roadstead-core", Some("dev"), "tokio"), [""; 0]);
        assert_eq!(findings("roadstead-core", Some("build"), "tokio").len(), 1);
    }
}
