//! DigitalOcean's HTTP calls, one method each.

use std::fmt;

use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimeParser;
use roadstead_core::{Error, ErrorKind, Lane, Result};
use roadstead_http::header::DATE;
use roadstead_http::{Client as HttpClient, Request, Response};
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use tracing::warn;
use uuid::Uuid;

use crate::error::{Call, Subject, kind, refused};
use crate::mark::{MARK, UNMARK};
use crate::wire;

/// The largest page that DigitalOcean gives.
pub(crate) const PAGE_MAX: u16 = 200;

/// More pages than any account has; beyond it the vendor's paging is broken.
const PAGES_MAX: u32 = 10_000;

/// Which droplets a list holds. DigitalOcean combines a tag with neither name nor type.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Droplets<'a> {
    /// Those without graphics processors.
    Plain,
    /// Those with graphics processors, which every other list leaves out.
    Gpus,
    /// Those with a tag.
    Tagged(&'a str),
    /// Those with a name, whatever its case.
    Named(&'a str),
}

/// A page of rows, each decoded by itself.
pub(crate) struct Rows<T> {
    pub(crate) rows: Vec<T>,
    /// How many rows made no sense.
    odd: usize,
    /// How many rows there are in all, as the vendor counts.
    total: Option<u64>,
    /// The next page and the last one; `None` on the last page.
    pub(crate) next: Option<(u32, u32)>,
}

/// Which images a list holds.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Images {
    /// Public distributions.
    Distributions,
    /// The account's own.
    Private,
}

/// DigitalOcean's API.
#[derive(Clone)]
pub(crate) struct Client(HttpClient);

impl Client {
    pub(crate) fn new(http: HttpClient) -> Self {
        Self(http)
    }

    pub(crate) fn http(&self) -> &HttpClient {
        &self.0
    }

    /// Returns the same client, for calls of another lane.
    pub(crate) fn in_lane(&self, lane: Lane) -> Self {
        Self(self.0.in_lane(lane))
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.0.clock().now()
    }

    pub(crate) async fn fetch_account(&self) -> Result<wire::OneAccount> {
        let call = resource("validate the credentials", "account:read");
        self.send(&call, Request::get(call.operation, "/v2/account"))
            .await?
            .json()
    }

    pub(crate) async fn fetch_create(&self, body: &wire::CreateDroplet) -> Result<wire::Created> {
        let call = resource("create the instance", "droplet:create");
        let request = Request::post(call.operation, "/v2/droplets")
            .with_json(body)
            .hiding(&["user_data"]);
        self.send(&call, request).await?.json()
    }

    pub(crate) async fn fetch_droplet(&self, id: u64) -> Result<wire::Droplet> {
        let call = instance("get the instance", "droplet:read");
        let request =
            Request::get(call.operation, "/v2/droplets/{id}").with_segment(id.to_string());
        let response = self.send(&call, request).await?;
        match response.json::<wire::OneDroplet>() {
            Ok(it) => Ok(it.droplet),
            // A server that exists is shown as far as it can be read.
            Err(error) => {
                let body: wire::RawDroplet<'_> = response.json()?;
                wire::Droplet::salvage(body.droplet).ok_or(error)
            }
        }
    }

    pub(crate) async fn fetch_droplets(
        &self,
        which: Droplets<'_>,
        page: u32,
        per_page: u16,
    ) -> Result<Rows<wire::Droplet>> {
        let call = resource("list the instances", "droplet:read");
        let request = Request::get(call.operation, "/v2/droplets");
        let request = match which {
            Droplets::Plain => request,
            Droplets::Gpus => request.with_query("type", "gpus"),
            Droplets::Tagged(tag) => request.with_query("tag_name", tag),
            Droplets::Named(name) => request.with_query("name", name),
        };
        let salvage = wire::Droplet::salvage;
        let rows = self.page(&call, request, page, per_page, salvage).await?;
        if rows.has_hole(page, per_page) {
            let message = "the provider's list lacks rows that it counts";
            return Err(Error::new(
                kind(),
                call.operation,
                ErrorKind::Decode,
                message,
            ));
        }
        Ok(rows)
    }

    /// Fetches every page of a list of droplets, each droplet once.
    pub(crate) async fn fetch_all_droplets(
        &self,
        which: Droplets<'_>,
    ) -> Result<Rows<wire::Droplet>> {
        let mut all = self.fetch_droplets(which, 1, PAGE_MAX).await?;
        while let Some((page, _)) = all.next {
            let more = self.fetch_droplets(which, page, PAGE_MAX).await?;
            all.append(more);
        }
        // A row that moved to the next page meanwhile would count for one that was not read.
        all.rows.sort_unstable_by_key(|it| it.id);
        all.rows.dedup_by_key(|it| it.id);
        Ok(all)
    }

    /// Makes a tag, and returns it as DigitalOcean spells it: as it was first spelled.
    pub(crate) async fn fetch_create_tag(&self, name: &str) -> Result<Box<str>> {
        let call = resource(MARK, "tag:create");
        let body = wire::CreateTag { name };
        let request = Request::post(call.operation, "/v2/tags").with_json(&body);
        let made = self.send(&call, request).await?.json::<wire::OneTag>()?;
        Ok(made.tag.name)
    }

    /// Puts a tag on a droplet. A 404 is for the tag or for the droplet.
    pub(crate) async fn fetch_tag(&self, tag: &str, droplet: u64) -> Result<()> {
        let call = resource(MARK, "tag:create");
        let request = Request::post(call.operation, "/v2/tags/{tag}/resources")
            .with_segment(tag)
            .with_json(&wire::Tagged::droplet(droplet));
        self.send(&call, request).await.map(drop)
    }

    /// Takes a tag off a droplet. A 404 is for the tag or for the droplet.
    pub(crate) async fn fetch_untag(&self, tag: &str, droplet: u64) -> Result<()> {
        let call = resource(UNMARK, "tag:delete");
        let request = Request::delete(call.operation, "/v2/tags/{tag}/resources")
            .with_segment(tag)
            .with_json(&wire::Tagged::droplet(droplet));
        self.send(&call, request).await.map(drop)
    }

    pub(crate) async fn fetch_delete(&self, id: u64) -> Result<()> {
        let call = instance("delete the instance", "droplet:delete");
        let request =
            Request::delete(call.operation, "/v2/droplets/{id}").with_segment(id.to_string());
        self.send(&call, request).await.map(drop)
    }

    pub(crate) async fn fetch_act(
        &self,
        operation: &'static str,
        id: u64,
        action: &wire::DropletAction,
    ) -> Result<wire::Action> {
        let call = instance(operation, "droplet:update");
        let request = Request::post(operation, "/v2/droplets/{id}/actions")
            .with_segment(id.to_string())
            .with_json(action);
        Ok(self
            .send(&call, request)
            .await?
            .json::<wire::OneAction>()?
            .action)
    }

    pub(crate) async fn fetch_action(&self, id: u64) -> Result<wire::Action> {
        let call = resource("get the operation", "actions:read");
        let request = Request::get(call.operation, "/v2/actions/{id}").with_segment(id.to_string());
        Ok(self
            .send(&call, request)
            .await?
            .json::<wire::OneAction>()?
            .action)
    }

    /// Fetches a page of what was done to a droplet, the newest first, and the time of the answer.
    pub(crate) async fn fetch_log(
        &self,
        id: u64,
        page: u32,
    ) -> Result<(Rows<wire::Action>, Timestamp)> {
        let call = instance("read the log of the instance", "droplet:read");
        let request = Request::get(call.operation, "/v2/droplets/{id}/actions")
            .with_segment(id.to_string())
            .with_query("page", page.to_string())
            .with_query("per_page", PAGE_MAX.to_string());
        let response = self.send(&call, request).await?;
        if page > PAGES_MAX {
            return Err(response.odd(&"the list has no end"));
        }
        let rows = read_rows(&call, &response, page, PAGE_MAX, wire::Action::salvage)?;
        if rows.has_hole(page, PAGE_MAX) {
            return Err(response.odd(&"the list lacks rows that it counts"));
        }
        Ok((rows, self.answered_at(&response)))
    }

    /// Returns the time of an answer by the vendor's own clock, which also stamps its log.
    fn answered_at(&self, response: &Response) -> Timestamp {
        response
            .header(DATE.as_str())
            .and_then(|it| DateTimeParser::new().parse_timestamp(it).ok())
            .unwrap_or_else(|| self.now())
    }

    pub(crate) async fn fetch_sizes(&self) -> Result<Vec<wire::Size>> {
        let call = resource("list the plans", "sizes:read");
        self.all(&call, || Request::get(call.operation, "/v2/sizes"))
            .await
    }

    pub(crate) async fn fetch_images(&self, which: Images) -> Result<Vec<wire::Image>> {
        let call = resource("list the images", "image:read");
        self.all(&call, || {
            let request = Request::get(call.operation, "/v2/images");
            match which {
                Images::Distributions => request.with_query("type", "distribution"),
                Images::Private => request.with_query("private", "true"),
            }
        })
        .await
    }

    pub(crate) async fn fetch_regions(&self) -> Result<Vec<wire::Region>> {
        let call = resource("list the regions", "regions:read");
        self.all(&call, || Request::get(call.operation, "/v2/regions"))
            .await
    }

    pub(crate) async fn fetch_one_clicks(&self) -> Result<Vec<wire::OneClick>> {
        let call = resource("list the applications", "1click:read");
        let request = Request::get(call.operation, "/v2/1-clicks").with_query("type", "droplet");
        let response = self.send(&call, request).await?;
        Ok(read_rows(&call, &response, 1, PAGE_MAX, |_| None)?.rows)
    }

    pub(crate) async fn fetch_firewalls(&self) -> Result<Vec<wire::Firewall>> {
        let call = resource("list the firewalls", "firewall:read");
        self.all(&call, || Request::get(call.operation, "/v2/firewalls"))
            .await
    }

    pub(crate) async fn fetch_firewall(
        &self,
        operation: &'static str,
        id: Uuid,
    ) -> Result<wire::Firewall> {
        let call = resource(operation, "firewall:read");
        let request = Request::get(operation, "/v2/firewalls/{id}").with_segment(id.to_string());
        Ok(self
            .send(&call, request)
            .await?
            .json::<wire::OneFirewall>()?
            .firewall)
    }

    pub(crate) async fn fetch_vpcs(&self) -> Result<Vec<wire::Vpc>> {
        let call = resource("list the VPCs", "vpc:read");
        self.all(&call, || Request::get(call.operation, "/v2/vpcs"))
            .await
    }

    /// Fetches a key by its id or its fingerprint.
    pub(crate) async fn fetch_key(&self, id: &str) -> Result<wire::Key> {
        let call = resource("get the SSH key", "ssh_key:read");
        let request = Request::get(call.operation, "/v2/account/keys/{id}").with_segment(id);
        Ok(self
            .send(&call, request)
            .await?
            .json::<wire::OneKey>()?
            .ssh_key)
    }

    pub(crate) async fn fetch_create_key(&self, body: &wire::CreateKey<'_>) -> Result<wire::Key> {
        let call = resource("register the SSH key", "ssh_key:create");
        let request = Request::post(call.operation, "/v2/account/keys").with_json(body);
        Ok(self
            .send(&call, request)
            .await?
            .json::<wire::OneKey>()?
            .ssh_key)
    }

    pub(crate) async fn fetch_delete_key(&self, id: &str) -> Result<()> {
        let call = resource("delete the SSH key", "ssh_key:delete");
        let request = Request::delete(call.operation, "/v2/account/keys/{id}").with_segment(id);
        self.send(&call, request).await.map(drop)
    }

    async fn send(&self, call: &Call, request: Request) -> Result<Response> {
        self.0
            .send(&request, &|refusal| refused(refusal, call))
            .await
    }

    async fn page<T: DeserializeOwned>(
        &self,
        call: &Call,
        request: Request,
        page: u32,
        per_page: u16,
        salvage: fn(&RawValue) -> Option<T>,
    ) -> Result<Rows<T>> {
        let request = request
            .with_query("page", page.to_string())
            .with_query("per_page", per_page.to_string());
        let response = self.send(call, request).await?;
        if page > PAGES_MAX {
            return Err(response.odd(&"the list has no end"));
        }
        read_rows(call, &response, page, per_page, salvage)
    }

    /// Fetches every page of a list whose odd rows may be left out.
    async fn all<T: DeserializeOwned>(
        &self,
        call: &Call,
        request: impl Fn() -> Request + Send + Sync,
    ) -> Result<Vec<T>> {
        let mut all = self.page(call, request(), 1, PAGE_MAX, |_| None).await?;
        while let Some((page, _)) = all.next {
            let more = self.page(call, request(), page, PAGE_MAX, |_| None).await?;
            all.append(more);
        }
        Ok(all.rows)
    }
}

impl<T> Rows<T> {
    /// Returns whether all rows are there that the vendor counts.
    pub(crate) fn is_whole(&self) -> bool {
        let count = u64::try_from(self.rows.len()).unwrap_or(u64::MAX);
        self.odd == 0 && self.total.is_none_or(|it| it <= count)
    }

    /// Returns whether every row could be told from the others.
    pub(crate) fn is_legible(&self) -> bool {
        self.odd == 0
    }

    /// Returns whether the page is empty though the vendor counts rows on it.
    fn has_hole(&self, page: u32, per_page: u16) -> bool {
        let before = u64::from(page.saturating_sub(1)) * u64::from(per_page);
        self.rows.is_empty() && self.odd == 0 && self.total.is_some_and(|it| it > before)
    }

    fn append(&mut self, more: Self) {
        self.rows.extend(more.rows);
        self.odd += more.odd;
        // What was counted once has to be read, also if another page counts less.
        self.total = self.total.max(more.total);
        self.next = more.next;
    }
}

/// Reads a page in one pass; only when that fails, row by row, so that one odd row never
/// fails a list.
fn read_rows<T: DeserializeOwned>(
    call: &Call,
    response: &Response,
    page: u32,
    per_page: u16,
    salvage: fn(&RawValue) -> Option<T>,
) -> Result<Rows<T>> {
    if let Ok(listing) = response.json::<wire::Listing<T>>() {
        return Ok(Rows {
            odd: 0,
            total: listing.total(),
            next: next_page(&listing, page, per_page),
            rows: listing.rows,
        });
    }
    let listing: wire::Listing<&RawValue> = response.json()?;
    let (total, next) = (listing.total(), next_page(&listing, page, per_page));
    let count = listing.rows.len();
    let rows: Vec<T> = listing
        .rows
        .into_iter()
        .filter_map(|it| serde_json::from_str(it.get()).ok().or_else(|| salvage(it)))
        .collect();
    let odd = count.saturating_sub(rows.len());
    if odd > 0 {
        warn!(
            provider.kind = "digitalocean",
            rows.odd = odd,
            "left out {odd} rows while trying to {}",
            call.operation
        );
    }
    Ok(Rows {
        rows,
        odd,
        total,
        next,
    })
}

fn next_page<T>(listing: &wire::Listing<T>, page: u32, per_page: u16) -> Option<(u32, u32)> {
    let linked = listing.links.as_ref().and_then(|it| it.pages.as_ref());
    let linked = linked.is_some_and(|it| it.next.is_some());
    let total = listing.total().unwrap_or(0);
    let pages = total.div_ceil(u64::from(per_page.max(1)));
    // The total may be wrong: it must not make us ask for pages without end.
    let pages = u32::try_from(pages).unwrap_or(u32::MAX).min(PAGES_MAX);
    let counted = pages > page && !listing.rows.is_empty();
    let next = page.saturating_add(1);
    (linked || counted).then(|| (next, pages.max(next)))
}

fn instance(operation: &'static str, scope: &'static str) -> Call {
    Call {
        operation,
        scope,
        subject: Subject::Instance,
    }
}

fn resource(operation: &'static str, scope: &'static str) -> Call {
    Call {
        operation,
        scope,
        subject: Subject::Resource,
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn next(page: u32, json: &str) -> Option<(u32, u32)> {
        let listing: wire::Listing<u32> = serde_json::from_str(json).unwrap();
        next_page(&listing, page, 2)
    }

    #[test]
    fn the_total_gives_the_pages_and_a_link_only_says_that_there_is_one() {
        assert_eq!(
            next(1, r#"{"droplets":[1,2],"meta":{"total":5}}"#),
            Some((2, 3))
        );
        assert_eq!(next(3, r#"{"droplets":[5],"meta":{"total":5}}"#), None);
        let linked = r#"{"sizes":[1],"links":{"pages":{"next":"https://elsewhere/?page=9"}}}"#;
        assert_eq!(next(1, linked), Some((2, 2)));
        assert_eq!(
            next(1, r#"{"images":[],"links":{},"meta":{"total":9}}"#),
            None
        );
        assert_eq!(next(1, r#"{"regions":[1]}"#), None);
    }

    #[test]
    fn an_absurd_total_does_not_make_endless_pages() {
        let json = r#"{"droplets":[1],"meta":{"total":18446744073709551615}}"#;
        assert_eq!(next(1, json), Some((2, PAGES_MAX)));
    }

    #[test]
    fn an_empty_page_has_a_hole_only_where_the_total_counts_rows() {
        let rows = |total, count| Rows {
            rows: vec![7; count],
            odd: 0,
            total,
            next: None,
        };
        for (page, total, count, hole) in [
            (1, Some(1), 0, true),
            (3, Some(5), 0, true),
            (1, Some(0), 0, false),
            (3, Some(4), 0, false),
            (9, Some(5), 0, false),
            (1, None, 0, false),
            (1, Some(5), 1, false),
        ] {
            let rows = rows(total, count);
            assert_eq!(rows.has_hole(page, 2), hole, "{page} {total:?} {count}");
        }
        assert!(rows(Some(2), 2).is_whole() && rows(None, 0).is_whole());
        assert!(!rows(Some(3), 2).is_whole());
        let mut shrunk = rows(Some(3), 1);
        shrunk.append(rows(Some(2), 1));
        assert!(!shrunk.is_whole());
    }

    #[test]
    fn a_page_without_its_rows_is_no_empty_page() {
        assert!(serde_json::from_str::<wire::Listing<u32>>(r#"{"meta":{"total":0}}"#).is_err());
    }
}
