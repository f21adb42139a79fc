//! Plans on sale: for members to choose from, and for operators to put there.

use actix_web::web;
use roadstead_core::{Arch, Code, MiB, ProviderId, SalePlanId};
use roadstead_service::{
    Accounts, Error, ImportFilter, ImportPlans, OwnMarkups, PageRequest, Platform, ReadInstances,
    SalePlan, SalePlanChange, SalePlanFilter, SalePlanOrder, SellPlan,
};
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer};

use super::vps::fifty;
use crate::allowed::{Allowed, Operator, Then};
use crate::body::{Body, NoBody};
use crate::error::{ApiError, DoorCode};
use crate::money::{BasePriceBody, MarkupBody};
use crate::openapi::Tag;
use crate::openapi::words::{self, Id, Success};
use crate::query::Query;
use crate::route::Route;
use crate::view::{
    self, AdminSalePlanAnswer, AdminSalePlansAnswer, Done, ImportAnswer, SalePlansAnswer,
};

pub(super) fn routes() -> Vec<Route> {
    let of_plan = |route: Route, id, summary| {
        route
            .named(Tag::Plans, id, summary)
            .of("The plan's id.")
            .refuses([DoorCode::NotFound])
    };
    vec![
        Route::get("/api/vps/plans", on_sale)
            .named(Tag::Catalogue, "listPlansOnSale", "List the plans on sale")
            .about(
                "What you can buy by `plan_id` in `POST /api/vps`, with what it costs the \
                 operator, what is added, and what it costs you. It comes from our own books and \
                 is there while a provider is not. The filters are combined.",
            ),
        Route::get("/api/admin/plans", list).named(
            Tag::Plans,
            "listAllPlans",
            "List all plans, on sale or not",
        ),
        Route::post("/api/admin/plans", sell)
            .named(Tag::Plans, "createPlan", "Put a plan on sale")
            .about(
                "What its servers have, and where it is offered, is what the provider's catalogue \
                 says; each plan of an account can be put on sale once. Without `base_price` the \
                 provider's own price is the base. A region that the provider prices apart has \
                 that price as its base in any case.",
            )
            .asks_provider()
            .refuses([Code::ProviderNotFound])
            .refuses([DoorCode::Conflict]),
        Route::post("/api/admin/plans/import", import)
            .named(
                Tag::Plans,
                "importPlans",
                "Put all plans of an account on sale",
            )
            .about(
                "Asks the provider, and takes all of what it says or nothing. Plans that are on \
                 sale already get the provider's present prices, hardware and regions, and keep \
                 what you changed: names, base prices, what is not active, regions, images, the \
                 order, and markups of their own. What the provider no longer sells is `retired`, \
                 which takes it off sale, until an import finds it again.",
            )
            .asks_provider()
            .refuses([Code::ProviderNotFound, Code::ProviderInactive]),
        of_plan(
            Route::get("/api/admin/plans/{id}", get),
            "getPlan",
            "Show a plan",
        ),
        of_plan(
            Route::put("/api/admin/plans/{id}", change),
            "changePlan",
            "Change a plan",
        )
        .about(
            "What is not given stays. Servers that were sold under it keep their price. A plan \
             that the provider no longer sells cannot be made active.",
        )
        .asks_provider()
        .refuses([DoorCode::Conflict]),
        of_plan(
            Route::delete("/api/admin/plans/{id}", delete),
            "deletePlan",
            "Delete a plan",
        )
        .about(
            "Once it has no servers; before that it is a `CONFLICT`, and can be taken off sale \
             with `active`.",
        )
        .refuses([DoorCode::Conflict]),
    ]
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct SaleQuery {
    /// Only plans at this account.
    #[schemars(with = "Option<Id>")]
    provider_id: Option<ProviderId>,
    /// Only plans at this provider.
    #[schemars(example = &"acme")]
    provider_type: Option<String>,
    /// Only plans that are sold in this region of the provider.
    #[schemars(example = &"nyc3")]
    region: Option<String>,
    /// Only plans with so many virtual processors.
    #[schemars(example = 2)]
    vcpus: Option<u32>,
    /// Only plans with as many virtual processors, or more.
    #[schemars(example = 1)]
    min_vcpus: Option<u32>,
    /// Only plans with so much memory.
    #[schemars(example = 2048)]
    memory_mib: Option<u64>,
    /// Only plans with as much memory, or more.
    #[schemars(example = 1024)]
    min_memory_mib: Option<u64>,
    /// `position` (the operator's order), or by what an hour costs
    /// you, in `region` where that is given: `price` (the cheapest first) or `-price` (the
    /// dearest first). Unknown prices come last.
    #[serde(default = "by_position")]
    #[schemars(schema_with = "words::plan_order")]
    sort: String,
    /// How many at most.
    #[serde(default = "fifty")]
    #[schemars(range(min = 1, max = 200))]
    limit: u32,
    /// `next_cursor` of the page before, with the same `sort`.
    #[schemars(example = &"AAZAr8zzQAABk6HgXH57Op1SbxwuiksQq3tVnYkCwR0x")]
    cursor: Option<String>,
}

async fn on_sale(
    Then(caller, query): Then<Allowed<ReadInstances>, Query<SaleQuery>>,
    platform: web::Data<Platform>,
) -> Result<web::Json<SalePlansAnswer>, ApiError> {
    let it = query.0;
    let order = order(&it.sort)?;
    let page = PageRequest {
        cursor: it.cursor,
        limit: it.limit,
    };
    let filter = SalePlanFilter {
        provider: it.provider_id,
        kind: it.provider_type.map(Into::into),
        region: it.region.map(Into::into),
        vcpus: it.vcpus,
        min_vcpus: it.min_vcpus,
        memory: it.memory_mib.map(MiB),
        min_memory: it.min_memory_mib.map(MiB),
        ..SalePlanFilter::default()
    };
    let found = platform
        .plans_on_sale(&caller.0, filter, order, &page)
        .await?;
    Ok(web::Json(SalePlansAnswer {
        success: Success,
        plans: found.items.iter().map(view::SalePlan::from).collect(),
        next_cursor: found.next,
    }))
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ListQuery {
    /// Only plans at this account.
    #[schemars(with = "Option<Id>")]
    provider_id: Option<ProviderId>,
    /// Only plans at this provider.
    #[schemars(example = &"acme")]
    provider_type: Option<String>,
    /// Only plans that are active, or that are not.
    active: Option<bool>,
    /// As in `GET /api/vps/plans`.
    #[serde(default = "by_position")]
    #[schemars(schema_with = "words::plan_order")]
    sort: String,
    /// How many at most.
    #[serde(default = "fifty")]
    #[schemars(range(min = 1, max = 200))]
    limit: u32,
    /// `next_cursor` of the page before, with the same `sort`.
    #[schemars(example = &"AAZAr8zzQAABk6HgXH57Op1SbxwuiksQq3tVnYkCwR0x")]
    cursor: Option<String>,
}

async fn list(
    Then(operator, query): Then<Operator, Query<ListQuery>>,
    platform: web::Data<Platform>,
) -> Result<web::Json<AdminSalePlansAnswer>, ApiError> {
    let it = query.0;
    let order = order(&it.sort)?;
    let page = PageRequest {
        cursor: it.cursor,
        limit: it.limit,
    };
    let filter = SalePlanFilter {
        provider: it.provider_id,
        kind: it.provider_type.map(Into::into),
        active: it.active,
        accounts: Accounts::All,
        ..SalePlanFilter::default()
    };
    let found = platform
        .sale_plans(&operator.0, &filter, order, &page)
        .await?;
    Ok(web::Json(AdminSalePlansAnswer {
        success: Success,
        plans: found.items.iter().map(view::AdminSalePlan::from).collect(),
        next_cursor: found.next,
    }))
}

/// A plan to be put on sale.
#[derive(Deserialize, JsonSchema)]
#[schemars(rename = "CreatePlan")]
#[serde(deny_unknown_fields)]
struct SellBody {
    /// The account that sells it to us.
    #[schemars(with = "Id")]
    provider_id: ProviderId,
    /// The provider's id of the plan.
    #[serde(rename = "type")]
    #[schemars(example = &"s-1vcpu-1gb")]
    plan: String,
    /// Your name for it; the provider's where it is not given.
    #[schemars(example = &"Small")]
    name: Option<String>,
    /// A base price of your own; the provider's where it is not given.
    base_price: Option<BasePriceBody>,
    /// What is added; nothing where it is not given.
    markup: Option<MarkupBody>,
    /// The regions that it may be used in; none is all.
    #[serde(default)]
    #[schemars(example = ["nyc3"])]
    regions: Vec<String>,
    /// The images that it may be used with; none is all.
    #[serde(default)]
    #[schemars(example = ["ubuntu-22-04-x64"])]
    images: Vec<String>,
    /// Whether it is sold at once; it is where it is not given.
    #[schemars(example = true)]
    active: Option<bool>,
    /// Its place in the order, from 0; the last where it is not given.
    #[schemars(range(min = 0, max = 1_000_000_000), example = 7)]
    position: Option<i64>,
}

async fn sell(
    Then(operator, body): Then<Operator, Body<SellBody>>,
    platform: web::Data<Platform>,
) -> Result<web::Json<AdminSalePlanAnswer>, ApiError> {
    let it = body.value;
    let request = SellPlan {
        provider: it.provider_id,
        plan: it.plan,
        name: it.name,
        base: it.base_price.map(BasePriceBody::read).transpose()?,
        markup: it.markup.unwrap_or(MarkupBody::NONE).read()?,
        regions: it.regions,
        images: it.images,
        active: it.active.unwrap_or(true),
        position: it.position,
    };
    Ok(answer(&platform.sell_plan(&operator.0, request).await?))
}

async fn get(
    operator: Operator,
    id: web::Path<String>,
    platform: web::Data<Platform>,
) -> Result<web::Json<AdminSalePlanAnswer>, ApiError> {
    let plan = platform.sale_plan(&operator.0, plan_id(&id)?).await?;
    Ok(answer(&plan))
}

/// What to change about a plan. What is not given stays.
#[derive(Deserialize, JsonSchema)]
#[schemars(rename = "ChangePlan")]
#[serde(deny_unknown_fields)]
struct ChangeBody {
    /// Your name for it.
    #[schemars(example = &"Small")]
    name: Option<String>,
    /// A base price of your own, or `null` for the provider's.
    #[serde(default, deserialize_with = "given")]
    #[schemars(with = "Option<BasePriceBody>")]
    base_price: Option<Option<BasePriceBody>>,
    /// What is added. A change makes it the plan's own, which imports leave.
    markup: Option<MarkupBody>,
    /// The regions that it may be used in, all of them; none is all.
    #[schemars(example = ["nyc3"])]
    regions: Option<Vec<String>>,
    /// The images that it may be used with, all of them; none is all.
    #[schemars(example = ["ubuntu-22-04-x64"])]
    images: Option<Vec<String>>,
    /// Whether it is sold.
    active: Option<bool>,
    /// Its place in the order, from 0.
    #[schemars(range(min = 0, max = 1_000_000_000), example = 7)]
    position: Option<i64>,
}

/// Tells `null` from what is not there.
fn given<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    from: D,
) -> Result<Option<Option<T>>, D::Error> {
    Option::deserialize(from).map(Some)
}

async fn change(
    Then(operator, body): Then<Operator, Body<ChangeBody>>,
    id: web::Path<String>,
    platform: web::Data<Platform>,
) -> Result<web::Json<AdminSalePlanAnswer>, ApiError> {
    let id = plan_id(&id)?;
    let it = body.value;
    let base = it
        .base_price
        .map(|it| it.map(BasePriceBody::read).transpose());
    let change = SalePlanChange {
        name: it.name,
        base: base.transpose()?,
        markup: it.markup.map(MarkupBody::read).transpose()?,
        regions: it.regions,
        images: it.images,
        active: it.active,
        position: it.position,
    };
    let changed = platform.change_sale_plan(&operator.0, id, change).await?;
    Ok(answer(&changed))
}

async fn delete(
    Then(operator, _): Then<Operator, NoBody>,
    id: web::Path<String>,
    platform: web::Data<Platform>,
) -> Result<web::Json<Done>, ApiError> {
    platform
        .delete_sale_plan(&operator.0, plan_id(&id)?)
        .await?;
    Ok(web::Json(Done { success: Success }))
}

/// The plans of an account to be put on sale.
#[derive(Deserialize, JsonSchema)]
#[schemars(rename = "ImportPlans")]
#[serde(deny_unknown_fields)]
struct ImportBody {
    /// The account.
    #[schemars(with = "Id")]
    provider_id: ProviderId,
    /// What is added to the price of each plan that has no markup of its own; nothing where it is
    /// not given.
    markup: Option<MarkupBody>,
    /// Whether plans that have a markup of their own get this one instead.
    #[serde(default)]
    replace_markups: bool,
    /// Only plans that are sold in one of these regions, and new ones may be used in these alone;
    /// none is all.
    #[serde(default)]
    #[schemars(example = ["nyc3"])]
    regions: Vec<String>,
    /// Which plans; all of them where it is not given.
    filter: Option<FilterBody>,
}

/// Which plans an import takes. What is not given excludes none.
#[derive(Default, Deserialize, JsonSchema)]
#[schemars(rename = "ImportFilter")]
#[serde(deny_unknown_fields)]
struct FilterBody {
    /// Only these, by the provider's ids.
    #[serde(default)]
    #[schemars(example = ["s-1vcpu-1gb"])]
    types: Vec<String>,
    /// Only those of these families, as the provider spells them.
    #[serde(default)]
    #[schemars(example = ["basic"])]
    classes: Vec<String>,
    /// Only those with this processor architecture.
    #[schemars(with = "Option<words::Arch>")]
    arch: Option<Arch>,
    /// Only those with as many virtual processors, or more.
    #[schemars(example = 1)]
    min_vcpus: Option<u32>,
    /// Only those with as many virtual processors, or fewer.
    #[schemars(example = 8)]
    max_vcpus: Option<u32>,
    /// Only those with as much memory, or more.
    #[schemars(example = 1024)]
    min_memory_mib: Option<u64>,
    /// Only those with as much memory, or less.
    #[schemars(example = 16384)]
    max_memory_mib: Option<u64>,
}

async fn import(
    Then(operator, body): Then<Operator, Body<ImportBody>>,
    platform: web::Data<Platform>,
) -> Result<web::Json<ImportAnswer>, ApiError> {
    let it = body.value;
    let filter = it.filter.unwrap_or_default();
    let request = ImportPlans {
        provider: it.provider_id,
        markup: it.markup.unwrap_or(MarkupBody::NONE).read()?,
        own_markups: if it.replace_markups {
            OwnMarkups::Replace
        } else {
            OwnMarkups::Keep
        },
        regions: it.regions,
        filter: ImportFilter {
            plans: filter.types,
            classes: filter.classes,
            arch: filter.arch,
            min_vcpus: filter.min_vcpus,
            max_vcpus: filter.max_vcpus,
            min_memory: filter.min_memory_mib.map(MiB),
            max_memory: filter.max_memory_mib.map(MiB),
        },
    };
    let report = platform.import_plans(&operator.0, request).await?;
    Ok(web::Json(ImportAnswer {
        success: Success,
        import: report.into(),
    }))
}

fn answer(plan: &SalePlan) -> web::Json<AdminSalePlanAnswer> {
    web::Json(AdminSalePlanAnswer {
        success: Success,
        plan: plan.into(),
    })
}

/// What is no id cannot be any plan's.
fn plan_id(text: &str) -> Result<SalePlanId, ApiError> {
    Ok(text
        .parse()
        .map_err(|_text| Error::NotFound("plan on sale"))?)
}

fn order(word: &str) -> Result<SalePlanOrder, ApiError> {
    SalePlanOrder::from_word(word).ok_or_else(|| {
        let words = SalePlanOrder::ALL.map(SalePlanOrder::as_str).join(", ");
        ApiError::validation("sort".to_owned(), format!("must be one of {words}"))
    })
}

fn by_position() -> String {
    SalePlanOrder::default().as_str().to_owned()
}
