//! Plans on sale, for operators: what is sold, and for how much.

mod import;
mod list;
mod markup;
mod plan;

use roadstead_core::{Markup, SalePlanId};
use roadstead_service::{Error, SalePlan};

use crate::failure::Failure;
use crate::route::{Route, Who};
use crate::ui::money::words;
use crate::visitor::Operator;

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::page("/plans", Who::Operator, list::show),
        Route::action("/plans/sale", Who::Operator, plan::sell),
        Route::page("/plans/import", Who::Operator, import::show),
        Route::action("/plans/import", Who::Operator, import::import),
        Route::page("/plans/imported", Who::Operator, import::imported),
        Route::page("/plans/{id}", Who::Operator, plan::show),
        Route::action("/plans/{id}", Who::Operator, plan::change),
        Route::page("/plans/{id}/delete", Who::Operator, plan::show_delete),
        Route::action("/plans/{id}/delete", Who::Operator, plan::delete),
    ]
}

/// Finds the plan that an address names. What is no id cannot be any plan's.
async fn find(operator: &Operator, id: &str) -> Result<SalePlan, Failure> {
    let id: SalePlanId = id
        .parse()
        .map_err(|_text| Error::NotFound("plan on sale"))?;
    Ok(operator.platform.sale_plan(&operator.grant, id).await?)
}

/// Says what is added to a price.
fn added(markup: &Markup) -> String {
    match markup {
        Markup::None => "nothing".to_owned(),
        Markup::Percent(percent) => format!("{percent} %"),
        Markup::Fixed { hourly, monthly } => {
            format!("{} per month, {} per hour", words(monthly), words(hourly))
        }
    }
}

/// Says whether a plan is sold.
const fn state(plan: &SalePlan) -> (&'static str, &'static str) {
    match (plan.retired, plan.active) {
        (true, _) => ("quiet", "No longer offered"),
        (false, true) => ("ok", "On sale"),
        (false, false) => ("quiet", "Not on sale"),
    }
}
