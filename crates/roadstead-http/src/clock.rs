//! The real clock.

use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use roadstead_core::Clock;

/// The system's time and tokio's timer.
#[derive(Clone, Copy, Debug, Default)]
pub struct TokioClock;

#[async_trait]
impl Clock for TokioClock {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    async fn sleep(&self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }
}
