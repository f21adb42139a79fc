//! Every page, by what it is about.

mod activity;
mod attention;
mod compare;
mod create;
mod login;
mod missing;
mod plans;
mod preferences;
mod providers;
mod quarantine;
mod search;
mod servers;
mod setup;
pub(crate) mod ssh_keys;
mod status;
#[cfg(debug_assertions)]
mod styleguide;

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, ResponseError};
use maud::{Markup, html};
use roadstead_api::{ApiError, request};

use crate::failure::{Answer, Failure};
use crate::route::Route;
use crate::ui::{Page, copyable, sentence};
use crate::visitor::Visitor;

/// Returns every route. What is mounted, what the navigation leads to and what the tests visit are
/// made from this list.
pub(crate) fn all() -> Vec<Route> {
    let mut routes: Vec<_> = [
        servers::routes(),
        ssh_keys::routes(),
        activity::routes(),
        compare::routes(),
        create::routes(),
        status::routes(),
        providers::routes(),
        plans::routes(),
        attention::routes(),
        quarantine::routes(),
        missing::routes(),
        search::routes(),
        login::routes(),
        setup::routes(),
        preferences::routes(),
        #[cfg(debug_assertions)]
        styleguide::routes(),
    ]
    .into_iter()
    .flatten()
    .collect();
    routes.sort_by_cached_key(Route::precedence);
    routes
}

/// Answers what nobody else does.
pub(crate) async fn nothing_here() -> Answer {
    Err(Failure::no_page())
}

/// Makes the page about what went wrong.
pub(crate) fn failed(visitor: &Visitor, error: &ApiError) -> HttpResponse {
    let status = error.status_code();
    let title = match status {
        StatusCode::NOT_FOUND => "Not found",
        StatusCode::FORBIDDEN => "Not allowed",
        it if it.is_client_error() => "This did not work",
        _ => "Something went wrong",
    };
    Page::new(visitor, title)
        .status(status)
        .body(explained(visitor, error))
}

fn explained(visitor: &Visitor, error: &ApiError) -> Markup {
    html! {
        p.lead { (sentence(error.message())) }
        dl.facts.narrow {
            div { dt { "Code" } dd { code { (error.code().as_str()) } } }
            @if let Some(provider) = error.provider() {
                div { dt { "Provider" } dd { (provider) } }
            }
            div {
                dt { "Request" }
                dd { (copyable("request-id", "request id", &request::current_id())) }
            }
        }
        div.buttons {
            @if error.is_transient() {
                a.button.primary href=(visitor.path) { "Try again" }
                @if let Some(seconds) = error.retry_after() {
                    span.small { "This may help in " (seconds) " s." }
                }
            }
            a.button href="/" { "Go to your servers" }
        }
    }
}
