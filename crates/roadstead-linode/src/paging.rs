//! Linode's lists: pages, filters, and rows of which one may be odd.

use std::fmt::Write as _;

use roadstead_core::Result;
use roadstead_http::Response;
use roadstead_http::header::{HeaderName, HeaderValue};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use tracing::warn;

use crate::wire;

/// The largest page that Linode gives.
pub(crate) const PAGE_MAX: u16 = 500;

/// The smallest page that Linode gives.
const PAGE_MIN: u16 = 25;

/// More pages than any account has; beyond it the vendor's paging is broken.
pub(crate) const PAGES_MAX: u32 = 10_000;

/// The header that says which rows a list holds, and in which order.
pub(crate) const FILTER: HeaderName = HeaderName::from_static("x-filter");

/// A page of rows, each decoded by itself.
pub(crate) struct Rows<T> {
    pub(crate) rows: Vec<T>,
    /// How many rows made no sense.
    odd: usize,
    /// How many rows there are in all.
    pub(crate) total: Option<u64>,
    /// The next page and the last one; `None` on the last page.
    pub(crate) next: Option<(u32, u32)>,
}

impl<T> Rows<T> {
    pub(crate) fn empty() -> Self {
        Self {
            rows: Vec::new(),
            odd: 0,
            total: None,
            next: None,
        }
    }

    /// Returns whether all rows are there that the vendor counts.
    pub(crate) fn is_whole(&self) -> bool {
        let count = u64::try_from(self.rows.len()).unwrap_or(u64::MAX);
        self.odd == 0 && self.total.is_none_or(|it| it <= count)
    }

    /// Returns whether every row could be told from the others.
    pub(crate) fn is_legible(&self) -> bool {
        self.odd == 0
    }

    pub(crate) fn append(&mut self, more: Self) {
        self.rows.extend(more.rows);
        self.odd += more.odd;
        self.next = more.next;
    }
}

/// Where a page of ours lies in the vendor's pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Window {
    pub(crate) page: u32,
    size: u16,
    pub(crate) vendors_page: u32,
    pub(crate) vendors_size: u16,
    skip: usize,
}

impl Window {
    pub(crate) fn new(page: u32, size: u16) -> Self {
        let (page, size) = (page.max(1), size.clamp(1, PAGE_MAX));
        // So many of our pages fill one of the vendor's.
        let parts = PAGE_MIN.div_ceil(size);
        let before = page.saturating_sub(1);
        let skipped = before % u32::from(parts);
        Self {
            page,
            size,
            vendors_page: before / u32::from(parts) + 1,
            vendors_size: size.saturating_mul(parts),
            skip: usize::try_from(skipped)
                .unwrap_or_default()
                .saturating_mul(usize::from(size)),
        }
    }

    fn cut<R>(&self, rows: Vec<R>) -> impl Iterator<Item = R> + use<R> {
        rows.into_iter()
            .skip(self.skip)
            .take(usize::from(self.size))
    }

    /// Returns the next page and the last one.
    fn next<R>(&self, listing: &wire::Listing<R>) -> Option<(u32, u32)> {
        let parts = u64::from(self.vendors_size / self.size.max(1));
        let stated = u64::from(listing.pages.unwrap_or(0)).saturating_mul(parts);
        let pages = match listing.results {
            Some(total) => {
                let counted = total.div_ceil(u64::from(self.size));
                // Where our pages are the vendor's, it may make them smaller than it was asked to.
                if parts == 1 {
                    counted.max(stated)
                } else {
                    counted
                }
            }
            None => stated,
        };
        // The total may be wrong: it must not make us ask for pages without end.
        let pages = u32::try_from(pages).unwrap_or(u32::MAX).min(PAGES_MAX);
        (pages > self.page && !listing.data.is_empty())
            .then(|| (self.page.saturating_add(1), pages))
    }
}

/// Reads a page in one pass; only when that fails, row by row, so that one odd row never
/// fails a list.
pub(crate) fn read_rows<T: DeserializeOwned>(
    operation: &'static str,
    response: &Response,
    window: Window,
    salvage: fn(&RawValue) -> Option<T>,
) -> Result<Rows<T>> {
    if let Ok(listing) = response.json::<wire::Listing<T>>() {
        return Ok(Rows {
            odd: 0,
            total: listing.results,
            next: window.next(&listing),
            rows: window.cut(listing.data).collect(),
        });
    }
    let listing: wire::Listing<&RawValue> = response.json()?;
    let (total, next) = (listing.results, window.next(&listing));
    let mut odd = 0_usize;
    let rows = window
        .cut(listing.data)
        .filter_map(|it| {
            let row = serde_json::from_str(it.get()).ok().or_else(|| salvage(it));
            odd += usize::from(row.is_none());
            row
        })
        .collect();
    if odd > 0 {
        warn!(
            provider.kind = "linode",
            rows.odd = odd,
            "left out {odd} rows while trying to {operation}"
        );
    }
    Ok(Rows {
        rows,
        odd,
        total,
        next,
    })
}

/// Writes a filter so that it can stand in a header.
pub(crate) fn x_filter(filter: &impl Serialize) -> HeaderValue {
    let json = serde_json::to_string(filter).unwrap_or_default();
    let mut ascii = String::with_capacity(json.len());
    for letter in json.chars() {
        if matches!(letter, ' '..='~') {
            ascii.push(letter);
        } else {
            for unit in letter.encode_utf16(&mut [0; 2]) {
                // Writing to a `String` cannot fail.
                let _ = write!(ascii, "\\u{unit:04x}");
            }
        }
    }
    // Only visible ASCII is left. Without a filter more would be listed, which the reader of
    // the list leaves out.
    HeaderValue::from_str(&ascii).unwrap_or_else(|_| HeaderValue::from_static("{}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn next(window: Window, json: &str) -> Option<(u32, u32)> {
        let listing: wire::Listing<u32> = serde_json::from_str(json).unwrap();
        window.next(&listing)
    }

    #[test]
    fn small_pages_are_even_parts_of_the_vendors() {
        let all: Vec<u32> = (0..100).collect();
        for size in [1, 2, 3, 7, 24, 25, 26, 500] {
            let mut found = Vec::new();
            for page in 1..=100 {
                let window = Window::new(page, size);
                assert!((25..=500).contains(&window.vendors_size), "{window:?}");
                let vendors = usize::from(window.vendors_size);
                let start = (usize::try_from(window.vendors_page).unwrap() - 1) * vendors;
                let rows = all.iter().skip(start).take(vendors).copied().collect();
                found.extend(window.cut(rows));
            }
            assert_eq!(found, all, "{size}");
        }
    }

    #[test]
    fn the_total_gives_the_pages() {
        let window = Window::new(1, 2);
        assert_eq!(
            next(window, r#"{"data":[1,2],"page":1,"pages":1,"results":5}"#),
            Some((2, 3))
        );
        assert_eq!(
            next(Window::new(3, 2), r#"{"data":[5],"pages":1,"results":5}"#),
            None
        );
        assert_eq!(
            next(Window::new(1, 500), r#"{"data":[1],"pages":3}"#),
            Some((2, 3))
        );
        assert_eq!(next(window, r#"{"data":[],"results":9}"#), None);
        // Smaller pages than were asked for are no end of the list.
        assert_eq!(
            next(Window::new(1, 500), r#"{"data":[1],"pages":3,"results":3}"#),
            Some((2, 3))
        );
    }

    #[test]
    fn an_absurd_total_does_not_make_endless_pages() {
        let json = r#"{"data":[1],"results":18446744073709551615}"#;
        assert_eq!(next(Window::new(1, 500), json), Some((2, PAGES_MAX)));
    }

    #[test]
    fn a_page_without_its_rows_is_no_empty_page() {
        assert!(serde_json::from_str::<wire::Listing<u32>>(r#"{"results":0}"#).is_err());
    }

    #[test]
    fn a_filter_can_stand_in_a_header_whatever_it_holds() {
        let filter = wire::InstanceFilter::new(Some("ü\u{1f980}\"\n\u{7f}"), None);
        let header = x_filter(&filter);
        let back: serde_json::Value = serde_json::from_str(header.to_str().unwrap()).unwrap();
        assert_eq!(back["label"], "ü\u{1f980}\"\n\u{7f}");
        assert_eq!(back["+order_by"], "id");
    }
}
