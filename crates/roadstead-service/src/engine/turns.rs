//! One turn of each of the engine's tasks, as a future that a test can drop at any await.

use std::sync::Arc;

use uuid::Uuid;

use super::{WIDTH, carry, poller};
use crate::{Platform, feed};

impl Platform {
    /// Claims what is due and carries it as far as it goes now. Returns how much that was.
    ///
    /// # Errors
    ///
    /// [`crate::Error::Unavailable`] when the database is away.
    pub async fn turn_of_worker(self: &Arc<Self>) -> crate::Result<usize> {
        let width = u32::try_from(WIDTH).unwrap_or(u32::MAX);
        let lease = self.clockwork.lease;
        let claims = self.repository.claim(Uuid::now_v7(), lease, width).await?;
        let count = claims.len();
        let carried = claims.into_iter().map(|it| carry(Arc::clone(self), it));
        futures::future::join_all(carried).await;
        Ok(count)
    }

    /// Reads every account once, and does what is done beside that.
    pub async fn turn_of_poller(self: &Arc<Self>) {
        poller::round(self).await;
    }

    /// Gives events their places and reads what is new.
    ///
    /// # Errors
    ///
    /// [`crate::Error::Unavailable`] when the database is away.
    pub async fn turn_of_publisher(&self) -> crate::Result<()> {
        feed::turn(self).await
    }
}
