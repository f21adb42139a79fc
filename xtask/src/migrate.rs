//! `cargo xtask migrate`: makes a migration's files, and runs `roadstead migrate`.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use clap::Subcommand;

use crate::process;

/// The folders under `migrations/`, which hold the same names.
pub(crate) const DATABASES: [&str; 2] = ["postgres", "sqlite"];

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Makes up.sql and down.sql for both databases and prints their paths.
    New {
        /// What it does, in lower_snake_case: `add_instance_notes`.
        name: String,
    },
    /// Applies pending migrations: `roadstead migrate up`.
    Up(Arguments),
    /// Reverts migrations: `roadstead migrate down`.
    Down(Arguments),
    /// Lists migrations and what is pending: `roadstead migrate status`.
    Status(Arguments),
}

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// What to hand to `roadstead migrate`.
    #[arg(
        trailing_var_arg = true,
        allow_hyphen_values = true,
        value_name = "ARGUMENTS"
    )]
    arguments: Vec<String>,
}

/// Runs one of the migration commands.
///
/// # Errors
///
/// Fails if a name or a place is already taken, or if the server's own command fails.
pub(crate) fn run(command: Command) -> Result<()> {
    match command {
        Command::New { name } => {
            let stamp = jiff::Timestamp::now()
                .strftime("%Y-%m-%d-%H%M%S")
                .to_string();
            for path in create(&process::root().join("migrations"), &stamp, &name)? {
                println!("{}", path.display());
            }
            Ok(())
        }
        Command::Up(it) => forward("up", &it.arguments),
        Command::Down(it) => forward("down", &it.arguments),
        Command::Status(it) => forward("status", &it.arguments),
    }
}

fn forward(verb: &str, arguments: &[String]) -> Result<()> {
    let mut command = process::cargo();
    command.args([
        "run",
        "--quiet",
        "--package",
        "roadstead",
        "--",
        "migrate",
        verb,
    ]);
    process::run(command.args(arguments))
}

fn create(migrations: &Path, stamp: &str, name: &str) -> Result<Vec<PathBuf>> {
    check_name(name)?;
    let folder = format!("{stamp}_{name}");
    for database in DATABASES {
        for existing in names_in(&migrations.join(database))? {
            if existing.split_once('_').is_some_and(|(_, it)| it == name) {
                bail!("there is already a migration `{existing}`; choose another name");
            }
            if existing.as_str() > folder.as_str() {
                bail!("`{existing}` is dated later than now; the new one would run before it");
            }
        }
    }
    let mut made = Vec::new();
    for database in DATABASES {
        let folder = migrations.join(database).join(&folder);
        fs::create_dir_all(&folder)
            .with_context(|| format!("could not make `{}`", folder.display()))?;
        for file in ["up.sql", "down.sql"] {
            let path = folder.join(file);
            fs::write(&path, "").with_context(|| format!("could not make `{}`", path.display()))?;
            made.push(path);
        }
    }
    Ok(made)
}

fn check_name(name: &str) -> Result<()> {
    let allowed = |it: char| it.is_ascii_lowercase() || it.is_ascii_digit() || it == '_';
    if !name.starts_with(|it: char| it.is_ascii_lowercase()) || !name.chars().all(allowed) {
        bail!("`{name}` is no name for a migration: write lower_snake_case, like `add_notes`");
    }
    Ok(())
}

fn names_in(folder: &Path) -> Result<Vec<String>> {
    if !folder.exists() {
        return Ok(Vec::new());
    }
    let mut names = Vec::new();
    for entry in fs::read_dir(folder)? {
        names.push(entry?.file_name().to_string_lossy().into_owned());
    }
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::{check_name, create};

    #[test]
    fn a_new_migration_stands_in_both_folders() {
        let root = tempfile::tempdir().unwrap();
        let made = create(root.path(), "2026-11-03-120000", "add_notes").unwrap();
        assert_eq!(made.len(), 4);
        assert!(
            root.path()
                .join("sqlite/2026-11-03-120000_add_notes/down.sql")
                .exists()
        );
        assert!(
            root.path()
                .join("postgres/2026-11-03-120000_add_notes/up.sql")
                .exists()
        );
    }

    #[test]
    fn a_taken_name_and_an_earlier_time_are_refused() {
        let root = tempfile::tempdir().unwrap();
        create(root.path(), "2026-11-03-120000", "add_notes").unwrap();
        let taken = create(root.path(), "2026-11-04-120000", "add_notes").unwrap_err();
        assert!(taken.to_string().contains("already"), "{taken}");
        let early = create(root.path(), "2026-11-02-120000", "add_tags").unwrap_err();
        assert!(early.to_string().contains("later than now"), "{early}");
    }

    #[test]
    fn only_snake_case_is_a_name() {
        assert!(check_name("add_notes_2").is_ok());
        for name in ["", "Add", "add-notes", "../up", "2_add"] {
            assert!(check_name(name).is_err(), "{name}");
        }
    }
}
