//! Migrations on either database.

use std::io::Write;

use anyhow::bail;

use crate::command::MigrateAction;
use crate::settings::Settings;
use crate::{logs, wiring};

/// Applies, undoes or lists.
pub(crate) async fn run(settings: Settings, action: MigrateAction) -> anyhow::Result<()> {
    logs::start(&settings.log);
    if let MigrateAction::Down { .. } | MigrateAction::Status = action
        && let Some(file) = settings.database.sqlite_file()
        && !file.exists()
    {
        bail!(
            "there is no database `{}`; make it with `roadstead migrate up`, or correct \
             ROADSTEAD_DATABASE_URL",
            file.display()
        );
    }
    let repository = wiring::repository(&settings).await?;
    let mut out = std::io::stdout().lock();
    match action {
        MigrateAction::Up => {
            let applied = repository.migrate_up().await?;
            for name in &applied {
                writeln!(out, "applied {name}")?;
            }
            writeln!(out, "{} applied on {}", applied.len(), repository.backend())?;
        }
        MigrateAction::Down { steps } => {
            let undone = repository.migrate_down(steps).await?;
            for name in &undone {
                writeln!(out, "undid {name}")?;
            }
            writeln!(out, "{} undone on {}", undone.len(), repository.backend())?;
        }
        MigrateAction::Status => {
            for (name, applied) in repository.migration_status().await? {
                writeln!(
                    out,
                    "{} {name}",
                    if applied { "applied" } else { "pending" }
                )?;
            }
        }
    }
    Ok(())
}
