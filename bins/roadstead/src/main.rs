//! The `roadstead` command: reads the arguments, runs one command, says in one sentence why
//! it failed.

mod command;
mod crash;
mod demo;
mod failure;
mod key;
mod listen;
mod logs;
mod metrics;
mod migrate;
mod serve;
mod settings;
mod simulate;
mod smoke;
mod user;
mod wiring;

use std::process::ExitCode;

use crate::command::{Command, Roadstead, Source};
use crate::settings::Settings;

fn main() -> ExitCode {
    let roadstead = Roadstead::from_arguments();
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => return fail(&error.into()),
    };
    match runtime.block_on(run(roadstead)) {
        Ok(code) => code,
        Err(error) => fail(&error),
    }
}

async fn run(roadstead: Roadstead) -> anyhow::Result<ExitCode> {
    let outer = roadstead.config;
    let settings = |inner: Source| Settings::read(inner.config.or(outer).as_deref());
    let command = roadstead.command.unwrap_or(Command::Serve {
        migrate: false,
        source: Source::default(),
    });
    // What ends by itself is ended by a signal as usual.
    if let Command::Serve { .. } | Command::Demo(_) | Command::Simulate(_) = command {
        serve::heed_signals()?;
    }
    match command {
        Command::Serve { migrate, source } => serve::run(settings(source)?, migrate).await?,
        Command::Demo(options) => return demo::run(options).await,
        Command::Simulate(options) => simulate::run(options).await?,
        Command::Migrate { action, source } => migrate::run(settings(source)?, action).await?,
        Command::User { action, source } => user::run(settings(source)?, action).await?,
    }
    Ok(ExitCode::SUCCESS)
}

fn fail(error: &anyhow::Error) -> ExitCode {
    tracing::debug!(error = %format_args!("{error:#}"), "failed");
    eprintln!("roadstead: {}", failure::sentence(error));
    ExitCode::FAILURE
}
