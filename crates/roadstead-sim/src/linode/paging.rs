//! Pages: `page` and `page_size`, after the filter of the `X-Filter` header.

use serde_json::{Value, json};

use crate::paging::cut;
use crate::vendor::{Answer, Call};

use super::Reply;
use super::filter;
use super::refusal::Refusal;

const DEFAULT: usize = 100;

/// Answers with one page of the items that the caller's filter lets through.
/// Only the fields named may be filtered by.
pub(crate) fn page(call: &Call, items: Vec<Value>, filterable: &[&str]) -> Reply {
    let items = filter::apply(call, items, filterable)?;
    let size = number(call, "page_size")?.unwrap_or(DEFAULT);
    if !(25..=500).contains(&size) {
        // Seen.
        return Err(Refusal::field("page_size", "Must be 25-500"));
    }
    let size = size.min(call.effect.page_size.unwrap_or(size).max(1));
    let current = number(call, "page")?.unwrap_or(1);
    let torn = call.effect.torn;
    let results = items.len().saturating_add(usize::from(torn));
    let (shown, pages) = cut(&items, current, size, torn);
    if current == 0 || current > pages {
        return Err(Refusal::not_found());
    }
    let data: Vec<&Value> = shown.collect();
    let body = json!({ "data": data, "page": current, "pages": pages, "results": results });
    Ok(Answer::json(200, &body))
}

fn number(call: &Call, name: &str) -> Result<Option<usize>, Refusal> {
    match call.query(name).map(str::parse) {
        None => Ok(None),
        Some(Ok(number)) => Ok(Some(number)),
        Some(Err(_)) => Err(Refusal::field(name, "Must be an integer")),
    }
}
