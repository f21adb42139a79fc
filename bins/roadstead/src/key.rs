//! The master key's file.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Write};
use std::path::Path;

use anyhow::{Context, bail};
use roadstead_repository::Keyring;

use crate::settings::DatabaseUrl;

/// Reads the master key. With a fresh embedded database it is made, readable by its owner alone.
pub(crate) fn load(file: &Path, database: &DatabaseUrl) -> anyhow::Result<Keyring> {
    match std::fs::read_to_string(file) {
        Ok(text) => Keyring::parse(&text)
            .with_context(|| format!("the master key in `{}` cannot be used", file.display())),
        Err(error) if error.kind() == ErrorKind::NotFound => match database.sqlite_file() {
            Some(data) if !data.exists() => make(file),
            Some(data) => bail!(
                "the master key file `{}` is missing, and the database `{}` was sealed with it; \
                 put the file back, or set ROADSTEAD_MASTER_KEY_FILE to where it is",
                file.display(),
                data.display()
            ),
            None => bail!(
                "the master key file `{}` does not exist; make one with \
                 `(umask 077; echo \"v1:$(head -c 32 /dev/urandom | base64 -w 0)\" > {})` \
                 and keep a copy apart from the database's backups",
                file.display(),
                file.display()
            ),
        },
        Err(error) => Err(error)
            .with_context(|| format!("could not read the master key `{}`", file.display())),
    }
}

fn make(file: &Path) -> anyhow::Result<Keyring> {
    let keys = Keyring::generate().context("could not make a master key")?;
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let write = || {
        let mut written = options.open(file)?;
        written.write_all(keys.to_text().expose().as_bytes())?;
        written.sync_all()
    };
    write().with_context(|| format!("could not write the master key to `{}`", file.display()))?;
    tracing::info!(file.path = %file.display(), "made a master key; keep a copy of it apart");
    Ok(keys)
}
