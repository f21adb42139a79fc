//! The plans as a table for other programs.

use actix_web::HttpResponse;
use actix_web::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use roadstead_core::{Money, ProviderId};
use roadstead_service::{Error, ReadInstances};

use super::found;
use super::market::Market;
use crate::failure::{Answer, Failure};
use crate::offer::{Offer, Ware, arch_word};
use crate::pages::servers::csv::cell;
use crate::soon::Soon;
use crate::visitor::Member;

const HEAD: &str = "provider,provider_type,plan_id,type,name,class,arch,vcpus,memory_mib,\
    disk_gib,transfer_gb,monthly,hourly,currency,monthly_per_vcpu,monthly_per_gib,available\r\n";

/// Sends every plan that the filters leave. Where the plans of a provider are not here nothing is
/// sent, so that nobody takes a part for the whole; the filter for another provider helps.
pub(super) async fn download(member: Member<ReadInstances>) -> Answer {
    let query = member.query()?;
    let market = Market::open(&member).await?;
    match market.first_missing(query.given("account")) {
        Some(Soon::Failed(error)) => return Err(Failure::Failed(error.clone())),
        Some(_) => {
            let why = "a provider is still being asked for its plans";
            return Err(Error::TryLater(why).into());
        }
        None => {}
    }
    let lines: String = found(&query, &market)
        .iter()
        .map(|it| line(&market, it))
        .collect();
    Ok(HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, "text/csv; charset=utf-8"))
        .insert_header((CONTENT_DISPOSITION, "attachment; filename=\"plans.csv\""))
        .body(format!("{HEAD}{lines}")))
}

fn line(market: &Market, it: &Offer) -> String {
    let money = |it: Option<Money>| it.map(|it| it.amount.normalize().to_string());
    let number = |it: Option<u64>| it.map(|it| it.to_string());
    let kind = |id: ProviderId| {
        market
            .account(id)
            .map(|it| it.account.record.kind.to_string())
    };
    let sale = match &it.ware {
        Ware::Sale(id) => Some(id.to_string()),
        Ware::Plan(_) => None,
    };
    let cells = [
        Some(market.name(it.account).to_owned()),
        kind(it.account),
        sale,
        Some(it.plan.to_string()),
        Some(it.name.clone()),
        Some(it.class.clone()),
        Some(arch_word(it.arch).to_owned()),
        Some(it.vcpus.to_string()),
        Some(it.memory.0.to_string()),
        number(it.disk.map(|it| it.whole_gib())),
        number(it.transfer.map(|it| it.0)),
        money(it.monthly()),
        money(it.hourly()),
        it.currency().map(|it| it.as_str().to_owned()),
        money(it.per_vcpu()),
        money(it.per_gib()),
        Some(it.refusal.is_none().to_string()),
    ];
    let cells: Vec<_> = cells
        .iter()
        .map(|it| cell(it.as_deref().unwrap_or_default()))
        .collect();
    format!("{}\r\n", cells.join(","))
}
