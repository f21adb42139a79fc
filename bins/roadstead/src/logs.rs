//! Logs to standard error: for people on a terminal, as JSON elsewhere.

mod json;

use std::io;

use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, fmt};

use crate::settings::on_a_terminal;

/// What is logged unless somebody says otherwise: not how actix starts and stops its threads.
pub(crate) const DEFAULT: &str = "info,actix_server=warn,actix_http=warn";

/// Starts logging. A second start, as in tests, changes nothing.
pub(crate) fn start(filter: &str) {
    let filter = EnvFilter::try_new(filter).unwrap_or_else(|_| EnvFilter::new(DEFAULT));
    let logs = tracing_subscriber::registry().with(filter);
    let started = if on_a_terminal() {
        logs.with(fmt::layer().with_writer(io::stderr)).try_init()
    } else {
        logs.with(json::FlatJson::new(io::stderr)).try_init()
    };
    drop(started);
}
