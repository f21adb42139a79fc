//! Linode's HTTP calls, one method each.

use std::fmt;

use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimeParser;
use roadstead_core::{ErrorKind, Lane, Result};
use roadstead_http::header::DATE;
use roadstead_http::{Client as HttpClient, Request, Response};
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use tracing::warn;

use crate::error::{Call, Subject, refused};
use crate::job::Verb;
use crate::paging::{FILTER, PAGE_MAX, PAGES_MAX, Rows, Window, read_rows, x_filter};
use crate::request::SCHEDULE;
use crate::wire;

/// What stands in the labels of Linode's own applications.
const APP: &str = "One-Click";

/// Linode's API.
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

    /// Fetches the account, and the token's scopes, where the vendor tells them.
    pub(crate) async fn fetch_account(&self) -> Result<(wire::Account, Option<Box<str>>)> {
        let call = resource("validate the credentials", "account:read_only");
        let response = self
            .send(&call, Request::get(call.operation, "/v4/account"))
            .await?;
        let scopes = response.header("x-oauth-scopes").map(Into::into);
        Ok((response.json()?, scopes))
    }

    /// Creates a Linode, and returns the time of the answer.
    pub(crate) async fn fetch_create(
        &self,
        body: &wire::CreateLinode,
    ) -> Result<(wire::Instance, Timestamp)> {
        let call = resource("create the instance", "linodes:read_write");
        let request = Request::post(call.operation, "/v4/linode/instances")
            .with_json(body)
            .hiding(&["root_pass", "user_data", "stackscript_data"]);
        let response = self.send(&call, request).await?;
        Ok((one_instance(&response)?, self.answered_at(&response)))
    }

    pub(crate) async fn fetch_instance(&self, id: u64) -> Result<wire::Instance> {
        let call = instance("get the instance", "linodes:read_only");
        let request =
            Request::get(call.operation, "/v4/linode/instances/{id}").with_segment(id.to_string());
        one_instance(&self.send(&call, request).await?)
    }

    /// Fetches a page of the Linodes. Pages smaller than Linode's smallest one are cut from
    /// larger ones, of which they are an even part.
    pub(crate) async fn fetch_instances(
        &self,
        filter: &wire::InstanceFilter<'_>,
        page: u32,
        size: u16,
    ) -> Result<Rows<wire::Instance>> {
        let call = resource("list the instances", "linodes:read_only");
        let request = Request::get(call.operation, "/v4/linode/instances")
            .with_header(FILTER, x_filter(filter));
        self.page(
            &call,
            request,
            Window::new(page, size),
            wire::Instance::salvage,
        )
        .await
    }

    /// Fetches every page of the Linodes.
    pub(crate) async fn fetch_all_instances(
        &self,
        filter: &wire::InstanceFilter<'_>,
    ) -> Result<Rows<wire::Instance>> {
        let mut all = self.fetch_instances(filter, 1, PAGE_MAX).await?;
        while let Some((page, _)) = all.next {
            let more = self.fetch_instances(filter, page, PAGE_MAX).await?;
            all.append(more);
        }
        Ok(all)
    }

    pub(crate) async fn fetch_delete(&self, id: u64) -> Result<Timestamp> {
        let call = instance(Verb::Delete.operation(), "linodes:read_write");
        let request = Request::delete(call.operation, "/v4/linode/instances/{id}")
            .with_segment(id.to_string());
        let response = self.send(&call, request).await?;
        Ok(self.answered_at(&response))
    }

    /// Changes the label, and returns the time of the answer.
    pub(crate) async fn fetch_rename(&self, id: u64, body: &wire::ActionBody) -> Result<Timestamp> {
        let call = instance(Verb::Rename.operation(), "linodes:read_write");
        let request = Request::put(call.operation, "/v4/linode/instances/{id}")
            .with_segment(id.to_string())
            .with_json(body);
        let response = self.send(&call, request).await?;
        Ok(self.answered_at(&response))
    }

    pub(crate) async fn fetch_set_backups(&self, id: u64, body: &wire::BackupChange) -> Result<()> {
        let call = instance(SCHEDULE, "linodes:read_write");
        let request = Request::put(call.operation, "/v4/linode/instances/{id}")
            .with_segment(id.to_string())
            .with_json(body);
        self.send(&call, request).await.map(drop)
    }

    /// Replaces the tags, and returns the Linode as it is then.
    pub(crate) async fn fetch_set_tags(
        &self,
        operation: &'static str,
        id: u64,
        body: &wire::TagChange,
    ) -> Result<wire::Instance> {
        let call = instance(operation, "linodes:read_write");
        let request = Request::put(operation, "/v4/linode/instances/{id}")
            .with_segment(id.to_string())
            .with_json(body);
        one_instance(&self.send(&call, request).await?)
    }

    /// Starts an action, and returns the time of the answer, which holds nothing else.
    pub(crate) async fn fetch_act(
        &self,
        verb: Verb,
        id: u64,
        body: Option<&wire::ActionBody>,
    ) -> Result<Timestamp> {
        let call = instance(verb.operation(), "linodes:read_write");
        // Where no body is declared, not even an empty one is welcome.
        let mut request = Request::post(call.operation, "/v4/linode/instances/{id}/{action}")
            .with_segment(id.to_string())
            .with_segment(verb.as_str());
        if let Some(body) = body {
            request = request.with_json(body).hiding(&["root_pass", "user_data"]);
        }
        let response = self.send(&call, request).await?;
        // A page of something in between is no acceptance.
        response.json::<serde_json::Map<String, serde_json::Value>>()?;
        Ok(self.answered_at(&response))
    }

    pub(crate) async fn fetch_disks(
        &self,
        operation: &'static str,
        id: u64,
    ) -> Result<Vec<wire::Disk>> {
        let call = instance(operation, "linodes:read_only");
        self.all(&call, || {
            Request::get(operation, "/v4/linode/instances/{id}/disks").with_segment(id.to_string())
        })
        .await
    }

    /// Fetches the newest events of a Linode.
    pub(crate) async fn fetch_events(&self, linode: u64) -> Result<Vec<wire::Event>> {
        let call = resource("get the operation", "events:read_only");
        let request = Request::get(call.operation, "/v4/account/events")
            .with_header(FILTER, x_filter(&wire::EventFilter::of(linode)));
        let page = self
            .page(&call, request, Window::new(1, 100), |_| None)
            .await?;
        Ok(page.rows)
    }

    /// Fetches a page of the events of a Linode, the newest first, and the time of the answer.
    pub(crate) async fn fetch_log(
        &self,
        linode: u64,
        page: u32,
    ) -> Result<(Rows<wire::Event>, Timestamp)> {
        let call = resource("read the log of the instance", "events:read_only");
        let window = Window::new(page, PAGE_MAX);
        let request = Request::get(call.operation, "/v4/account/events")
            .with_header(FILTER, x_filter(&wire::EventFilter::of(linode)))
            .with_query("page", window.vendors_page.to_string())
            .with_query("page_size", window.vendors_size.to_string());
        let response = self.send(&call, request).await?;
        if page > PAGES_MAX {
            return Err(response.odd(&"the list has no end"));
        }
        let rows = read_rows(call.operation, &response, window, wire::Event::salvage)?;
        Ok((rows, self.answered_at(&response)))
    }

    pub(crate) async fn fetch_types(&self) -> Result<Vec<wire::Type>> {
        let call = resource("list the plans", "linodes:read_only");
        self.all(&call, || Request::get(call.operation, "/v4/linode/types"))
            .await
    }

    pub(crate) async fn fetch_availability(&self) -> Result<Vec<wire::Availability>> {
        let call = resource("list the plans", "linodes:read_only");
        self.all(&call, || {
            Request::get(call.operation, "/v4/regions/availability")
        })
        .await
    }

    pub(crate) async fn fetch_regions(&self, operation: &'static str) -> Result<Vec<wire::Region>> {
        let call = resource(operation, "linodes:read_only");
        self.all(&call, || Request::get(operation, "/v4/regions"))
            .await
    }

    pub(crate) async fn fetch_images(&self) -> Result<Vec<wire::Image>> {
        let call = resource("list the images", "images:read_only");
        self.all(&call, || Request::get(call.operation, "/v4/images"))
            .await
    }

    /// Fetches the StackScripts that are labelled as applications. Anybody may label theirs
    /// so: whose they are is not among the documented filters, and must be looked at.
    pub(crate) async fn fetch_apps(&self) -> Result<Vec<wire::StackScript>> {
        let call = resource("list the applications", "stackscripts:read_only");
        let filter = x_filter(&wire::AppFilter::labelled(APP));
        self.all(&call, || {
            Request::get(call.operation, "/v4/linode/stackscripts")
                .with_header(FILTER, filter.clone())
        })
        .await
    }

    /// Fetches the account's own StackScripts. Whose they are must be looked at: a filter that
    /// the vendor does not heed lists all that anybody has published.
    pub(crate) async fn fetch_own_scripts(&self) -> Result<Vec<wire::StackScript>> {
        let call = resource("list the StackScripts", "stackscripts:read_only");
        let filter = x_filter(&wire::OwnScripts::FILTER);
        self.all(&call, || {
            Request::get(call.operation, "/v4/linode/stackscripts")
                .with_header(FILTER, filter.clone())
        })
        .await
    }

    pub(crate) async fn fetch_script(
        &self,
        operation: &'static str,
        id: u64,
    ) -> Result<wire::StackScript> {
        let call = resource(operation, "stackscripts:read_only");
        let request =
            Request::get(operation, "/v4/linode/stackscripts/{id}").with_segment(id.to_string());
        self.send(&call, request).await?.json()
    }

    pub(crate) async fn fetch_firewalls(&self) -> Result<Vec<wire::Firewall>> {
        let call = resource("list the firewalls", "firewall:read_only");
        self.all(&call, || {
            Request::get(call.operation, "/v4/networking/firewalls")
        })
        .await
    }

    pub(crate) async fn fetch_vpcs(&self) -> Result<Vec<wire::Vpc>> {
        let call = resource("list the VPCs", "vpc:read_only");
        self.all(&call, || Request::get(call.operation, "/v4/vpcs"))
            .await
    }

    pub(crate) async fn fetch_groups(&self) -> Result<Vec<wire::Group>> {
        let call = resource("list the placement groups", "placement:read_only");
        self.all(&call, || {
            Request::get(call.operation, "/v4/placement/groups")
        })
        .await
    }

    pub(crate) async fn fetch_keys(&self, operation: &'static str) -> Result<Vec<wire::Key>> {
        let call = resource(operation, "account:read_only");
        self.all(&call, || Request::get(operation, "/v4/profile/sshkeys"))
            .await
    }

    pub(crate) async fn fetch_key(&self, operation: &'static str, id: u64) -> Result<wire::Key> {
        let call = resource(operation, "account:read_only");
        let request =
            Request::get(operation, "/v4/profile/sshkeys/{id}").with_segment(id.to_string());
        self.send(&call, request).await?.json()
    }

    pub(crate) async fn fetch_create_key(&self, body: &wire::CreateKey<'_>) -> Result<wire::Key> {
        let call = resource("register the SSH key", "account:read_write");
        let request = Request::post(call.operation, "/v4/profile/sshkeys").with_json(body);
        self.send(&call, request).await?.json()
    }

    pub(crate) async fn fetch_delete_key(&self, id: u64) -> Result<()> {
        let call = resource("delete the SSH key", "account:read_write");
        let request = Request::delete(call.operation, "/v4/profile/sshkeys/{id}")
            .with_segment(id.to_string());
        self.send(&call, request).await.map(drop)
    }

    async fn send(&self, call: &Call, request: Request) -> Result<Response> {
        let response = self
            .0
            .send(&request, &|refusal| refused(refusal, call))
            .await?;
        // 202 is an acceptance and 299 a deprecation; both did what was asked.
        if matches!(response.status(), 202 | 299) {
            warn!(
                provider.kind = "linode",
                vendor.status = response.status(),
                "the provider warns of how we {}",
                call.operation
            );
        }
        Ok(response)
    }

    /// Returns the time of an answer by the vendor's own clock, which also stamps its events.
    fn answered_at(&self, response: &Response) -> Timestamp {
        response
            .header(DATE.as_str())
            .and_then(|it| DateTimeParser::new().parse_timestamp(it).ok())
            .unwrap_or_else(|| self.now())
    }

    async fn page<T: DeserializeOwned>(
        &self,
        call: &Call,
        request: Request,
        window: Window,
        salvage: fn(&RawValue) -> Option<T>,
    ) -> Result<Rows<T>> {
        let request = request
            .with_query("page", window.vendors_page.to_string())
            .with_query("page_size", window.vendors_size.to_string());
        let response = match self.send(call, request).await {
            Ok(it) => it,
            // A list that has become shorter meanwhile has no such page any more.
            Err(error) if window.page > 1 && error.kind == ErrorKind::NoSuchResource => {
                return Ok(Rows::empty());
            }
            Err(error) => return Err(error),
        };
        if window.page > PAGES_MAX {
            return Err(response.odd(&"the list has no end"));
        }
        read_rows(call.operation, &response, window, salvage)
    }

    /// Fetches every page of a list whose odd rows may be left out.
    async fn all<T: DeserializeOwned>(
        &self,
        call: &Call,
        request: impl Fn() -> Request + Send + Sync,
    ) -> Result<Vec<T>> {
        let window = |page| Window::new(page, PAGE_MAX);
        let mut all = self.page(call, request(), window(1), |_| None).await?;
        while let Some((page, _)) = all.next {
            let more = self.page(call, request(), window(page), |_| None).await?;
            all.append(more);
        }
        Ok(all.rows)
    }
}

/// Reads a Linode as far as it can be read: one that exists is shown.
fn one_instance(response: &Response) -> Result<wire::Instance> {
    match response.json::<wire::Instance>() {
        Ok(it) => Ok(it),
        Err(error) => {
            let body: &RawValue = response.json()?;
            wire::Instance::salvage(body).ok_or(error)
        }
    }
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
