//! Being woken when there are events: within the process, and from other ones.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use diesel_async::SimpleAsyncConnection;
use futures::StreamExt;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::db::{Database, Place, Repository, Server};
use crate::error::Result;

/// How long to wait before the first try to listen again, and before any.
const SHORTEST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// Who has something to tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wake {
    /// This process; [`Repository::publish_events`] comes first.
    Here,
    /// Maybe another one.
    Elsewhere,
}

/// Wakes a reader of events. A wake says that there may be some, never which: what happened is
/// in the table, and a lost wake delays it at most.
#[derive(Debug)]
pub struct EventWatch {
    here: watch::Receiver<u64>,
    elsewhere: Option<watch::Receiver<u64>>,
    listener: Option<JoinHandle<()>>,
}

impl Drop for EventWatch {
    fn drop(&mut self) {
        if let Some(listener) = &self.listener {
            listener.abort();
        }
    }
}

impl EventWatch {
    /// Waits until there may be events. Wakes that come together count once.
    pub async fn woken(&mut self) -> Wake {
        let elsewhere = async {
            if let Some(elsewhere) = &mut self.elsewhere
                && elsewhere.changed().await.is_ok()
            {
                return;
            }
            std::future::pending().await
        };
        tokio::select! {
            biased;
            Ok(()) = self.here.changed() => Wake::Here,
            () = elsewhere => Wake::Elsewhere,
        }
    }
}

impl Repository {
    /// Tells the readers of this process that a transaction with events was committed.
    pub(crate) fn told(&self) {
        self.db.told.send_modify(|it| *it = it.wrapping_add(1));
    }

    /// Starts to listen for events, of this process and, on PostgreSQL, of all others, on a
    /// connection of its own that is made anew whenever it is lost.
    #[must_use]
    pub fn watch_events(&self) -> EventWatch {
        let here = self.db.told.subscribe();
        let (elsewhere, listener) = match &self.db.place {
            Place::File(_) => (None, None),
            Place::Server(_) => {
                let (tell, told) = watch::channel(0);
                let listener = tokio::spawn(listen(Arc::clone(&self.db), tell));
                (Some(told), Some(listener))
            }
        };
        EventWatch {
            here,
            elsewhere,
            listener,
        }
    }
}

async fn listen(db: Arc<Database>, tell: watch::Sender<u64>) {
    let Place::Server(server) = &db.place else {
        return;
    };
    let mut pause = SHORTEST_PAUSE;
    loop {
        let heard = hear(server, &tell).await;
        match heard {
            Ok(true) => {
                tracing::warn!("lost the connection that listens for events; listening again");
                pause = SHORTEST_PAUSE;
            }
            Ok(false) => {}
            Err(error) => tracing::warn!(error = %error, "could not listen for events"),
        }
        tokio::time::sleep(pause).await;
        pause = pause.saturating_mul(2).min(LONGEST_PAUSE);
    }
}

/// Listens until the connection is lost. Returns whether it had begun to.
async fn hear(server: &Server, tell: &watch::Sender<u64>) -> Result<bool> {
    let wake = || tell.send_modify(|it| *it = it.wrapping_add(1));
    let mut connection = server.connection().await?;
    connection.batch_execute("LISTEN roadstead_events").await?;
    // What was said while nobody listened.
    wake();
    let mut notifications = pin!(connection.notifications_stream());
    while let Some(Ok(_)) = notifications.next().await {
        wake();
    }
    Ok(true)
}
