//! Running other programs: cargo above all, always from the repository's root.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

/// Returns the repository's root folder.
pub(crate) fn root() -> PathBuf {
    // Cargo says where it runs from; what was true at compile time may be another checkout's
    // folder, where several share one target folder.
    let here = std::env::var_os("CARGO_MANIFEST_DIR")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
    here.parent().unwrap_or(&here).to_path_buf()
}

/// Returns the folder into which cargo builds.
pub(crate) fn target() -> PathBuf {
    let given = std::env::var_os("CARGO_TARGET_DIR").filter(|it| !it.is_empty());
    root().join(given.map_or_else(|| PathBuf::from("target"), PathBuf::from))
}

/// Starts a cargo command line at the repository's root.
pub(crate) fn cargo() -> Command {
    let mut command = Command::new(cargo_program());
    command.current_dir(root());
    // `cargo run` told us about this package; a build script that watches these
    // variables would otherwise run again for every crate.
    for (name, _) in std::env::vars_os() {
        let package_only = name.to_str().is_some_and(|it| {
            it.starts_with("CARGO_PKG_")
                || it.starts_with("CARGO_MANIFEST_")
                || it == "CARGO_BIN_NAME"
        });
        if package_only {
            command.env_remove(name);
        }
    }
    command
}

/// Runs a command with our own standard streams.
///
/// # Errors
///
/// Fails if the program does not start or does not end with success.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let line = command_line(command);
    let status = command
        .status()
        .with_context(|| format!("could not start `{line}`"))?;
    if !status.success() {
        bail!("`{line}` failed ({status})");
    }
    Ok(())
}

/// Runs a command and returns what it wrote to standard output.
///
/// # Errors
///
/// Fails as [`run`] does, or if the output is not UTF-8.
pub(crate) fn read(command: &mut Command) -> Result<String> {
    let line = command_line(command);
    let output = command
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("could not start `{line}`"))?;
    if !output.status.success() {
        let words = String::from_utf8_lossy(&output.stderr);
        bail!("`{line}` failed ({}): {}", output.status, words.trim());
    }
    String::from_utf8(output.stdout).with_context(|| format!("`{line}` did not write UTF-8"))
}

/// Returns the command as one would type it.
pub(crate) fn command_line(command: &Command) -> String {
    let program = Path::new(command.get_program());
    // `cargo` is known to us by its full path, which nobody types.
    let program = program.file_name().unwrap_or(command.get_program());
    let mut words = vec![program.to_string_lossy().into_owned()];
    words.extend(
        command
            .get_args()
            .map(|it| it.to_string_lossy().into_owned()),
    );
    words.join(" ")
}

fn cargo_program() -> OsString {
    std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into())
}
