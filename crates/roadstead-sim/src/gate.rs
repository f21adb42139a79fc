//! Whether the simulator listens: open, closed for a time, or stopped.

use std::time::Duration;

use actix_web::dev::ServerHandle;
use parking_lot::Mutex;

/// Closes and opens the listeners of a running simulator.
#[derive(Debug, Default)]
pub(crate) struct Gate {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    server: Option<ServerHandle>,
    closed_for: Option<Duration>,
    stopped: bool,
}

impl Gate {
    /// Takes the server that has begun to listen. False if it is to stop at once.
    pub(crate) fn opened(&self, server: ServerHandle) -> bool {
        let mut inner = self.inner.lock();
        if inner.stopped {
            return false;
        }
        inner.server = Some(server);
        true
    }

    /// Stops listening and cuts every connection, for a time.
    pub(crate) fn close(&self, closed_for: Duration) {
        let server = {
            let mut inner = self.inner.lock();
            if inner.stopped {
                return;
            }
            inner.closed_for = Some(closed_for);
            inner.server.take()
        };
        if let Some(server) = server {
            // The command is sent at once; the future only waits for the end.
            drop(server.stop(false));
        }
    }

    /// Stops listening for good.
    pub(crate) fn stop(&self) {
        let server = {
            let mut inner = self.inner.lock();
            inner.stopped = true;
            inner.server.take()
        };
        if let Some(server) = server {
            drop(server.stop(false));
        }
    }

    /// Returns for how long a server that has ended is to stay closed, or nothing if for good.
    pub(crate) fn closed_for(&self) -> Option<Duration> {
        let mut inner = self.inner.lock();
        let closed_for = inner.closed_for.take();
        closed_for.filter(|_| !inner.stopped)
    }

    pub(crate) fn is_stopped(&self) -> bool {
        self.inner.lock().stopped
    }
}
