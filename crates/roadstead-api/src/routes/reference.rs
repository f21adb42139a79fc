//! The reference of this API.

use std::collections::BTreeMap;

use actix_web::HttpRequest;
use serde_json::Value;

use crate::openapi::{self, Given, Tag};
use crate::route::Route;

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::get("/api/openapi.json", document)
            .named(Tag::Service, "getOpenApi", "The OpenAPI document")
            .about("This reference for programs: OpenAPI 3.1."),
    ]
}

async fn document(request: HttpRequest) -> Given<BTreeMap<String, Value>> {
    Given::new(openapi::prebuilt().answer(&request))
}
