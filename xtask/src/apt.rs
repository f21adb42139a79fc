//! Programs that tests need and that are not there: installed where that may be done, else named
//! with the command that installs them.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Result, bail};

use crate::process;

/// A program of other people, and what it is called by whoever packages it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Package {
    /// Its name for people.
    pub(crate) name: &'static str,
    /// Debian's packages.
    pub(crate) debian: &'static [&'static str],
    /// Homebrew's name.
    pub(crate) homebrew: &'static str,
    /// Alpine's name.
    pub(crate) alpine: &'static str,
    /// Fedora's name.
    pub(crate) fedora: &'static str,
}

impl Package {
    /// Installs it with apt-get, as root on Debian and its children.
    ///
    /// # Errors
    ///
    /// Fails if it may not be installed from here, and says by which command it can; or if
    /// apt-get fails. `otherwise` says how to do without, where one can.
    pub(crate) fn install(&self, otherwise: &str) -> Result<()> {
        if !(is_debian() && is_root()?) {
            bail!(
                "{} is not installed; run `{}`{otherwise}",
                self.name,
                self.command()
            );
        }
        println!("{} is not installed: installing it with apt-get", self.name);
        let install = ["install", "-y", "--no-install-recommends"];
        for arguments in [&["update"][..], &[&install, self.debian].concat()] {
            let mut command = Command::new("apt-get");
            command
                .args(arguments)
                .env("DEBIAN_FRONTEND", "noninteractive");
            process::run(&mut command)?;
        }
        Ok(())
    }

    fn command(&self) -> String {
        if is_debian() {
            let packages = self.debian.join(" ");
            format!(
                "sudo apt-get update && sudo apt-get install -y --no-install-recommends {packages}"
            )
        } else if cfg!(target_os = "macos") {
            format!("brew install {}", self.homebrew)
        } else if Path::new("/etc/alpine-release").exists() {
            format!("sudo apk add {}", self.alpine)
        } else {
            format!("sudo dnf install -y {}", self.fedora)
        }
    }
}

/// Returns whether the superuser runs this.
///
/// # Errors
///
/// Fails if `id` does.
pub(crate) fn is_root() -> Result<bool> {
    Ok(process::read(Command::new("id").arg("-u"))?.trim() == "0")
}

/// Returns the first of these programs that is on the PATH.
pub(crate) fn on_path(names: &[&str]) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    names.iter().find_map(|name| {
        std::env::split_paths(&path)
            .map(|folder| folder.join(name))
            .find(|it| it.is_file())
    })
}

fn is_debian() -> bool {
    Path::new("/etc/debian_version").exists()
}
