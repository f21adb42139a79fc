//! People who can log in, from the command line.

use std::io::{IsTerminal, Read, Write};

use anyhow::Context;
use roadstead_core::Secret;
use roadstead_service::{NewUser, Platform, Role};

use crate::command::UserAction;
use crate::settings::Settings;
use crate::{logs, wiring};

/// Adds a user.
pub(crate) async fn run(settings: Settings, action: UserAction) -> anyhow::Result<()> {
    logs::start(&settings.log);
    let UserAction::Create {
        email,
        operator,
        organization,
    } = action;
    let repository = wiring::repository(&settings).await?;
    if repository.backend() == roadstead_repository::Backend::Sqlite {
        repository.migrate_up().await?;
    }
    let platform = wiring::platform_of(&settings, repository).await?;
    let (password, made) = match piped_password()? {
        Some(password) => (password, false),
        None => (Platform::fresh_password()?, true),
    };
    let new = NewUser {
        email,
        password: password.clone(),
        operator,
        organization: organization.map(|name| (name, Role::Owner)),
    };
    let user = platform.add_user(new).await?;
    let mut out = std::io::stdout().lock();
    writeln!(
        out,
        "added {}{}",
        user.email,
        if user.operator { " (operator)" } else { "" }
    )?;
    if made {
        writeln!(out, "password: {}", password.expose())?;
    }
    Ok(())
}

/// Reads what is piped in, without the line break that `echo` adds.
fn piped_password() -> anyhow::Result<Option<Secret<String>>> {
    let mut input = std::io::stdin();
    if input.is_terminal() {
        return Ok(None);
    }
    let mut text = String::new();
    input
        .read_to_string(&mut text)
        .context("could not read the password from standard input")?;
    let text = text.trim_end_matches(['\r', '\n']);
    Ok((!text.is_empty()).then(|| Secret::from(text)))
}
