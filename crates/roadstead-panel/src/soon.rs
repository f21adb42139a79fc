//! Providers are waited for no longer than a moment: a page shows what is there by then.

use std::sync::Arc;
use std::time::Duration;

use actix_web::rt::time::timeout;
use maud::{Markup, html};
use roadstead_api::ApiError;
use roadstead_service::Error;

use crate::failure::Failure;
use crate::ui::{Tone, notice, sentence};
use crate::visitor::Visitor;

/// The longest that a page waits for providers.
const MOMENT: Duration = Duration::from_millis(300);

/// What there is after a moment.
#[derive(Debug)]
pub(crate) enum Soon<T> {
    /// What was asked for.
    Here(T),
    /// Nothing yet: the provider is being asked.
    Later,
    /// Nothing: the provider failed.
    Failed(Arc<ApiError>),
}

/// Waits a moment for what a provider is asked.
///
/// # Errors
///
/// What is no fault of the provider's.
pub(crate) async fn soon<T>(
    asked: impl Future<Output = Result<T, Error>>,
) -> Result<Soon<T>, Failure> {
    match timeout(MOMENT, asked).await {
        Err(_elapsed) => Ok(Soon::Later),
        Ok(Ok(found)) => Ok(Soon::Here(found)),
        Ok(Err(
            error @ (Error::Provider(_)
            | Error::ProviderInactive
            | Error::ProviderRefused(_)
            | Error::Invalid(_)),
        )) => Ok(Soon::Failed(Arc::new(error.into()))),
        Ok(Err(other)) => Err(other.into()),
    }
}

impl<T> Soon<T> {
    /// Returns it, if it is here.
    pub(crate) const fn here(&self) -> Option<&T> {
        match self {
            Self::Here(found) => Some(found),
            Self::Later | Self::Failed(_) => None,
        }
    }

    /// Makes something else of it, if it is here.
    pub(crate) fn map<U>(self, change: impl FnOnce(T) -> U) -> Soon<U> {
        match self {
            Self::Here(found) => Soon::Here(change(found)),
            Self::Later => Soon::Later,
            Self::Failed(error) => Soon::Failed(error),
        }
    }

    /// Returns whether the page should look again by itself.
    pub(crate) const fn is_awaited(&self) -> bool {
        matches!(self, Self::Later)
    }
}

/// Says why something is not here. A page that shows this renews itself where
/// [`Soon::is_awaited`]; the link is for who has no script.
pub(crate) fn not_here<T>(visitor: &Visitor, who: &str, what: &str, it: &Soon<T>) -> Markup {
    let again = || html! { p { a href=(visitor.path) { "Look again" } } };
    match it {
        Soon::Here(_) => html! {},
        Soon::Later => notice(
            Tone::Info,
            &format!("Asking {who} for {what}…"),
            html! { p { "This takes a few seconds at most." } (again()) },
        ),
        Soon::Failed(error) => notice(
            Tone::Warn,
            &format!("{who} did not give {what}"),
            html! {
                p { (sentence(error.message())) " " code { (error.code().as_str()) } }
                @if error.is_transient() { (again()) }
            },
        ),
    }
}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};

    use super::*;

    #[actix_web::test]
    async fn what_takes_longer_is_not_waited_for() {
        assert!(
            soon(pending::<Result<(), Error>>())
                .await
                .unwrap()
                .is_awaited()
        );
        let here = soon(ready(Ok(7))).await.unwrap();
        assert_eq!(here.here(), Some(&7));
        let failed = soon(ready(Err::<(), _>(Error::ProviderInactive))).await;
        assert!(matches!(failed, Ok(Soon::Failed(_))));
    }

    #[actix_web::test]
    async fn only_the_provider_may_fail() {
        let nobody = soon(ready(Err::<(), _>(Error::Unauthenticated))).await;
        assert!(matches!(nobody, Err(Failure::LogIn)));
    }
}
