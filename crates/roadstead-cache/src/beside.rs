//! What is made from a kept value, and kept exactly as long.

use std::any::Any;
use std::fmt;
use std::sync::Arc;

use tokio::sync::OnceCell;

type Made = Arc<dyn Any + Send + Sync>;

/// A place beside a kept value for something made from it, such as its serialized form:
/// made at most once, and gone with the value.
#[derive(Clone, Default)]
pub struct Beside(Arc<OnceCell<Made>>);

impl Beside {
    /// Returns what was made from the value. The first who asks makes it, and the others
    /// wait for it. A place holds one type: who asks for another makes it each time.
    ///
    /// # Errors
    ///
    /// As `make`; then the next who asks makes it.
    pub async fn get_or_make<R, E, F>(&self, make: impl Fn() -> F) -> Result<Arc<R>, E>
    where
        R: Any + Send + Sync,
        F: Future<Output = Result<R, E>>,
    {
        let made = self.0.get_or_try_init(async || {
            let made: Made = Arc::new(make().await?);
            Ok(made)
        });
        match Arc::clone(made.await?).downcast() {
            Ok(made) => Ok(made),
            Err(_another) => Ok(Arc::new(make().await?)),
        }
    }
}

impl fmt::Debug for Beside {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Beside")
            .field("made", &self.0.initialized())
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use futures::future::join_all;

    use super::*;

    #[tokio::test]
    async fn it_is_made_once_for_all_who_ask_and_again_only_after_a_failure() {
        let (beside, made) = (Beside::default(), AtomicUsize::new(0));
        let fails = beside
            .get_or_make(async || Err::<String, _>("broken"))
            .await;
        assert_eq!(fails, Err("broken"));
        let ask = || {
            beside.get_or_make(async || {
                made.fetch_add(1, Ordering::SeqCst);
                tokio::task::yield_now().await;
                Ok::<_, Infallible>("text".to_owned())
            })
        };
        let all = join_all((0..100).map(|_| ask())).await;
        assert_eq!(made.load(Ordering::SeqCst), 1);
        let first = all[0].as_ref().unwrap();
        assert!(
            all.iter()
                .all(|it| Arc::ptr_eq(it.as_ref().unwrap(), first))
        );
    }

    #[tokio::test]
    async fn another_type_is_made_each_time_and_takes_nobodys_place() {
        let beside = Beside::default();
        let text = async || Ok::<_, Infallible>("text".to_owned());
        let number = async || Ok::<_, Infallible>(7_u8);
        beside.get_or_make(text).await.unwrap();
        assert_eq!(*beside.get_or_make(number).await.unwrap(), 7);
        assert_eq!(*beside.get_or_make(text).await.unwrap(), "text");
    }
}
