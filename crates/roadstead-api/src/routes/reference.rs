//! The reference of this API, for programs and for people.

use std::collections::BTreeMap;

use actix_web::HttpRequest;
use serde_json::Value;

use crate::openapi::{self, Given, Media, Sent, Tag};
use crate::route::Route;

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::get("/api/openapi.json", document)
            .named(Tag::Service, "getOpenApi", "This reference as OpenAPI")
            .about("For programs: the document, in OpenAPI 3.1. It has an `ETag`."),
        Route::get("/docs", page)
            .named(Tag::Service, "getReference", "This reference as a page")
            .about("For people, in a browser; it needs no script and no other host."),
        Route::get("/docs/style.css", style)
            .named(
                Tag::Service,
                "getReferenceStyle",
                "The style sheet of the page",
            )
            .about("How this page looks."),
    ]
}

async fn document(request: HttpRequest) -> Given<BTreeMap<String, Value>> {
    Given::new(openapi::document().answer(&request))
}

struct Page;

impl Media for Page {
    const TYPE: &'static str = "text/html";
    const TEXT: &'static str = "The page.";
}

async fn page(request: HttpRequest) -> Sent<Page> {
    Sent::new(openapi::page().answer(&request))
}

struct Style;

impl Media for Style {
    const TYPE: &'static str = "text/css";
    const TEXT: &'static str = "The style sheet.";
}

async fn style(request: HttpRequest) -> Sent<Style> {
    Sent::new(openapi::style().answer(&request))
}
