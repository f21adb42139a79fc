//! The `roadstead` command: reads the arguments, runs one command, says in one sentence why
//! it failed.

mod command;
mod demo;
mod key;
mod logs;
mod migrate;
mod serve;
mod settings;
mod simulate;
mod smoke;
mod user;
mod wiring;

use std::process::ExitCode;

use clap::Parser;

use crate::command::{Command, Roadstead};
use crate::settings::Settings;

fn main() -> ExitCode {
    let roadstead = Roadstead::parse();
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
    let settings = || Settings::read(roadstead.config.as_deref());
    let command = roadstead
        .command
        .unwrap_or(Command::Serve { migrate: false });
    // What ends by itself is ended by a signal as usual.
    if let Command::Serve { .. } | Command::Demo(_) | Command::Simulate(_) = command {
        serve::heed_signals()?;
    }
    match command {
        Command::Serve { migrate } => serve::run(settings()?, migrate).await?,
        Command::Demo(options) => return demo::run(options).await,
        Command::Simulate(options) => simulate::run(options).await?,
        Command::Migrate { action } => migrate::run(settings()?, action).await?,
        Command::User { action } => user::run(settings()?, action).await?,
    }
    Ok(ExitCode::SUCCESS)
}

fn fail(error: &anyhow::Error) -> ExitCode {
    // One sentence with its causes; never a backtrace.
    eprintln!("roadstead: {error:#}");
    ExitCode::FAILURE
}
