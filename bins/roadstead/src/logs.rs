//! Logs to standard error: for people on a terminal, as JSON elsewhere.

use tracing_subscriber::EnvFilter;

use crate::settings::on_a_terminal;

/// What is logged unless somebody says otherwise: not how actix starts and stops its threads.
pub(crate) const DEFAULT: &str = "info,actix_server=warn,actix_http=warn";

/// Starts logging. A second start, as in tests, changes nothing.
pub(crate) fn start(filter: &str) {
    let filter = EnvFilter::try_new(filter).unwrap_or_else(|_| EnvFilter::new(DEFAULT));
    let logs = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr);
    let started = if on_a_terminal() {
        logs.try_init()
    } else {
        logs.json().try_init()
    };
    drop(started);
}
