//! Pages: `page` and `per_page`, with absolute links as the vendor makes them.

use serde_json::{Map, Value, json};
use url::form_urlencoded;

use crate::paging::cut;
use crate::vendor::{Answer, Call};

const DEFAULT: usize = 20;
const MAXIMUM: usize = 200;

/// Answers with one page of `items` under `key`.
pub(crate) fn page<T>(call: &Call, key: &str, items: &[T], view: impl Fn(&T) -> Value) -> Answer {
    let number = |name| call.query(name).and_then(|it| it.parse::<usize>().ok());
    let size = number("per_page")
        .filter(|it| *it > 0)
        .unwrap_or(DEFAULT)
        .min(call.effect.page_size.unwrap_or(MAXIMUM).clamp(1, MAXIMUM));
    let current = number("page").unwrap_or(1).max(1);
    let torn = call.effect.torn;
    let (shown, last) = cut(items, current, size, torn);
    let shown: Vec<Value> = shown.map(view).collect();

    let mut pages = Map::new();
    let mut link = |name: &str, to: usize| {
        pages.insert(name.to_owned(), json!(address(call, to)));
    };
    if current > 1 {
        link("first", 1);
        link("prev", (current - 1).min(last));
    }
    if current < last {
        link("next", current + 1);
        link("last", last);
    }
    // The vendor says `{}` on some lists and `{"pages":{}}` on others.
    let links = if pages.is_empty() && key == "droplets" {
        json!({})
    } else {
        json!({ "pages": pages })
    };
    let total = items.len().saturating_add(usize::from(torn));
    Answer::json(
        200,
        &json!({ key: shown, "links": links, "meta": { "total": total } }),
    )
}

/// The vendor links to its own public name, wherever it was called.
fn address(call: &Call, page: usize) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.append_pair("page", &page.to_string());
    query.extend_pairs(call.query.iter().filter(|(name, _)| name != "page"));
    format!(
        "https://api.digitalocean.com{}?{}",
        call.path,
        query.finish()
    )
}
