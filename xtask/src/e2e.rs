//! `cargo xtask e2e`: the panel in a real browser, against the demonstration.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use clap::Args;
use sha2::{Digest, Sha512};

use crate::apt::{self, Package};
use crate::process;

/// The browser and its driver.
const CHROMIUM: Package = Package {
    name: "Chromium with its driver",
    debian: &["chromium", "chromium-driver"],
    homebrew: "--cask chromium chromedriver",
    alpine: "chromium chromium-chromedriver",
    fedora: "chromium chromedriver",
};
const BROWSERS: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "chrome"];
const DRIVERS: [&str; 1] = ["chromedriver"];

/// What fetches the accessibility rules.
const NPM: Package = Package {
    name: "npm",
    debian: &["npm"],
    homebrew: "node",
    alpine: "npm",
    fedora: "npm",
};

/// The accessibility rules, which only tests need: a package of npm, by its name, version and
/// checksum.
const AXE: &str = "axe-core@4.14.1";
const AXE_FILE: &str = "axe-core-4.14.1.tgz";
const AXE_SHA512: &str =
    "FHfa+lmNjQZfJz1q8wKqIDwC6DExcHt/pkjNQb09a3NPjCKg2rhu5qb2S4r76ASyFNNtuFooJpZe37OgudVGtQ==";

/// What is handed to the check.
#[derive(Debug, Args)]
// Its own `--help` tells more.
#[command(disable_help_flag = true)]
pub(crate) struct Options {
    /// Options of the check itself; `--help` lists them.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<String>,
}

/// Plays the panel in a browser.
///
/// # Errors
///
/// Fails if there is no browser and none may be installed, if something does not build, or if
/// the panel does not do what it should.
pub(crate) fn run(options: &Options) -> Result<()> {
    let (browser, driver) = browser()?;
    let axe = axe()?;
    build()?;
    let mut check = Command::new(process::target().join("debug/roadstead-e2e"));
    check
        .args(&options.arguments)
        .arg("--browser")
        .arg(browser)
        .arg("--driver")
        .arg(driver)
        .arg("--axe")
        .arg(axe)
        .arg("--into")
        .arg(process::target().join("e2e"));
    process::run(&mut check)
}

fn browser() -> Result<(PathBuf, PathBuf)> {
    let find = || Some((apt::on_path(&BROWSERS)?, apt::on_path(&DRIVERS)?));
    if let Some(found) = find() {
        return Ok(found);
    }
    CHROMIUM.install("")?;
    find().context("apt-get installed Chromium, yet it is not on the PATH")
}

/// Returns the file with the accessibility rules.
fn axe() -> Result<PathBuf> {
    let folder = process::target().join("e2e-tools");
    let script = folder.join("package/axe.min.js");
    let archive = folder.join(AXE_FILE);
    if script.is_file() && verify(&archive).is_ok() {
        return Ok(script);
    }
    fs::create_dir_all(&folder)
        .with_context(|| format!("could not make the folder `{}`", folder.display()))?;
    let npm = apt::on_path(&["npm"]);
    if npm.is_none() {
        NPM.install("")?;
    }
    let mut pack = Command::new("npm");
    pack.args(["pack", AXE, "--silent", "--pack-destination"])
        .arg(&folder)
        .current_dir(&folder);
    process::read(&mut pack)?;
    verify(&archive)?;
    let mut unpack = Command::new("tar");
    unpack
        .arg("-xzf")
        .arg(&archive)
        .arg("-C")
        .arg(&folder)
        .arg("package/axe.min.js");
    process::read(&mut unpack)?;
    ensure!(script.is_file(), "`{AXE_FILE}` holds no `axe.min.js`");
    Ok(script)
}

fn verify(archive: &Path) -> Result<()> {
    let bytes =
        fs::read(archive).with_context(|| format!("could not read `{}`", archive.display()))?;
    let found = BASE64_STANDARD.encode(Sha512::digest(&bytes));
    ensure!(
        found == AXE_SHA512,
        "`{}` is not the package that was checked: its SHA-512 is {found}",
        archive.display()
    );
    Ok(())
}

fn build() -> Result<()> {
    let packages = ["--package", "roadstead", "--package", "roadstead-e2e"];
    process::run(process::cargo().arg("build").args(packages))
}

#[cfg(test)]
mod tests {
    use super::verify;

    #[test]
    fn another_package_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let archive = folder.path().join("axe.tgz");
        std::fs::write(&archive, "something else").unwrap();
        let refusal = verify(&archive).unwrap_err().to_string();
        assert!(refusal.contains("SHA-512"), "{refusal}");
    }
}
