//! The accounts at the providers, for operators.

mod account;
mod add;
mod change;
mod delete;
pub(crate) mod import;
mod list;
mod seen;

use roadstead_core::ProviderId;
use roadstead_service::{Error, Registered};

use crate::failure::Failure;
use crate::route::{Route, Who};
use crate::visitor::Operator;

pub(super) use self::seen::Seen;

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::page("/providers", Who::Operator, list::show),
        Route::action("/providers/order", Who::Operator, list::order),
        Route::page("/providers/add", Who::Operator, add::show),
        Route::action("/providers/add", Who::Operator, add::add),
        Route::page("/providers/{id}", Who::Operator, account::show),
        Route::action("/providers/{id}/test", Who::Operator, account::test),
        Route::action("/providers/{id}/refresh", Who::Operator, account::refresh),
        Route::action("/providers/{id}/on", Who::Operator, account::switch_on),
        Route::page("/providers/{id}/off", Who::Operator, change::show_off),
        Route::action("/providers/{id}/off", Who::Operator, change::switch_off),
        Route::page("/providers/{id}/rename", Who::Operator, change::show_name),
        Route::action("/providers/{id}/rename", Who::Operator, change::rename),
        Route::page("/providers/{id}/token", Who::Operator, change::show_token),
        Route::action(
            "/providers/{id}/token",
            Who::Operator,
            change::replace_token,
        ),
        Route::page("/providers/{id}/import", Who::Operator, import::show),
        Route::page("/providers/{id}/import/server", Who::Operator, import::ask),
        Route::action(
            "/providers/{id}/import/server",
            Who::Operator,
            import::import,
        ),
        Route::page("/providers/{id}/delete", Who::Operator, delete::show),
        Route::action("/providers/{id}/delete", Who::Operator, delete::delete),
    ]
}

/// Finds the account that an address names. What is no id cannot be anybody's account.
async fn find(operator: &Operator, id: &str) -> Result<Registered, Failure> {
    let id: ProviderId = id.parse().map_err(|_text| Error::NoSuchProvider)?;
    Ok(operator.platform.provider(&operator.grant, id).await?)
}
