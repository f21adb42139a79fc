//! DigitalOcean behind the trait: call, convert, return.

use std::any::Any;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use futures::future::{try_join, try_join3};
use roadstead_core::{
    Account, Action, At, CreateInstance, CreateKey, Created, Descriptor, Error, ErrorKind,
    Extensions, How, Image, Instance, InstanceQuery, Lane, Next, OperationLog, OperationStatus,
    Page, PageToken, Plan, Provider, RateBucket, Region, RemoteId, RemoteOperation,
    RemoteOperationId, Result, Since, read_log,
};

use crate::client::{Client, Droplets, Images, PAGE_MAX};
use crate::descriptor::descriptor;
use crate::error::{invalid, kind};
use crate::extensions::{check_keys, firewall_for_create, keys_for_create};
use crate::log::Log;
use crate::mark::{MARK, UNMARK};
use crate::request::CREATE;
use crate::{convert, mark, request, wire};

/// What stands before the page number in a cursor into the list of GPU droplets.
const GPUS: &str = "gpus:";

const LIST: &str = "list the instances";

/// One DigitalOcean account.
#[derive(Clone)]
pub struct DigitalOcean {
    pub(crate) client: Client,
    descriptor: Arc<Descriptor>,
}

impl DigitalOcean {
    pub(crate) fn new(client: Client) -> Self {
        Self {
            client,
            descriptor: Arc::new(descriptor()),
        }
    }
}

#[async_trait]
impl Provider for DigitalOcean {
    fn descriptor(&self) -> &Descriptor {
        &self.descriptor
    }

    async fn validate_credentials(&self) -> Result<Account> {
        Ok(convert::account(self.client.fetch_account().await?.account))
    }

    fn check_create(&self, request: &CreateInstance) -> Result<()> {
        request::create(request, Vec::new())?;
        check_keys(CREATE, &request.ssh_keys)
    }

    async fn create_instance(&self, request: &CreateInstance) -> Result<Created> {
        // Everything that can be wrong is found before a key is registered.
        check_keys(CREATE, &request.ssh_keys)?;
        let mut body = request::create(request, Vec::new())?;
        if let Some(firewall) = request::firewall(request)? {
            let firewall = firewall_for_create(&self.client, firewall).await?;
            request::put_behind(&mut body, firewall)?;
        }
        body.ssh_keys =
            keys_for_create(&self.client, CREATE, &request.ssh_keys, &request.key.name).await?;
        let wire::Created { droplet, links } = self.client.fetch_create(&body).await?;
        let operation = convert::creation(droplet.id, links);
        Ok(Created {
            instance: convert::instance(droplet),
            how: How::Created,
            operation,
        })
    }

    async fn find_created(&self, key: &CreateKey) -> Result<Vec<Instance>> {
        let tag = key.instance_tag();
        let (tagged, named, gpus) = try_join3(
            self.client.fetch_all_droplets(Droplets::Tagged(&tag)),
            self.client.fetch_all_droplets(Droplets::Named(&key.name)),
            self.client.fetch_all_droplets(Droplets::Gpus),
        )
        .await?;
        let mut found = BTreeMap::new();
        for list in [tagged, named, gpus] {
            // A row that is missing or cannot be read may be the one that is looked for.
            let odd = |it: &wire::Droplet| it.name.is_none() || it.tags.is_none();
            if !list.is_whole() || list.rows.iter().any(odd) {
                let message = "a row of the provider's list is missing or could not be read";
                return Err(Error::new(
                    kind(),
                    "find the instance",
                    ErrorKind::Decode,
                    message,
                ));
            }
            found.extend(list.rows.into_iter().map(|it| (it.id, it)));
        }
        Ok(found
            .into_values()
            .map(convert::instance)
            .filter(|it| key.marks(it))
            .collect())
    }

    async fn get_instance(&self, id: &RemoteId) -> Result<Instance> {
        let id = droplet_id("get the instance", id.as_str())?;
        Ok(convert::instance(self.client.fetch_droplet(id).await?))
    }

    async fn mark_instance(&self, id: &RemoteId, key: &CreateKey) -> Result<()> {
        let id = droplet_id(MARK, id.as_str())?;
        mark::put_on(&self.client, id, key).await
    }

    async fn unmark_instance(&self, id: &RemoteId, key: &CreateKey) -> Result<()> {
        let id = droplet_id(UNMARK, id.as_str())?;
        mark::take_off(&self.client, id, key).await
    }

    async fn list_instances(&self, query: &InstanceQuery, at: At) -> Result<Page<Instance>> {
        let per_page = query.page_size.unwrap_or(PAGE_MAX).clamp(1, PAGE_MAX);
        let (which, page) = match &at {
            At::First => (first_list(query), 1),
            At::Number(page) => (first_list(query), (*page).max(1)),
            At::Cursor(token) => (Droplets::Gpus, gpu_page(token)?),
        };
        let rows = self.client.fetch_droplets(which, page, per_page).await?;
        let in_gpus = matches!(which, Droplets::Gpus);
        let next = match (rows.next, in_gpus) {
            // The plain list leaves GPU droplets out; they follow.
            (Some((next, last)), false) => Next::Numbered {
                next,
                last,
                then: Some(gpus_from(1)),
            },
            (None, false) => Next::Cursor(gpus_from(1)),
            (Some((next, _)), true) => Next::Cursor(gpus_from(next)),
            (None, true) => Next::End,
        };
        let items = rows
            .rows
            .into_iter()
            .filter(|it| asked_for(it, query) && (in_gpus || it.gpu_info.is_none()))
            .map(convert::instance)
            .collect();
        // The vendor counts the two lists apart.
        Ok(Page {
            items,
            total: None,
            next,
        })
    }

    fn check_action(&self, action: &Action) -> Result<()> {
        match action {
            Action::Delete => Ok(()),
            action => request::action(action).map(drop),
        }
    }

    async fn perform_action(&self, id: &RemoteId, action: &Action) -> Result<RemoteOperation> {
        if let Action::Delete = action {
            let id = droplet_id("delete the instance", id.as_str())?;
            return match self.client.fetch_delete(id).await {
                Ok(()) => Ok(convert::deletion(
                    id,
                    OperationStatus::Running { percent: None },
                )),
                Err(error) if error.kind == ErrorKind::NoSuchInstance => {
                    Ok(convert::deletion(id, OperationStatus::Succeeded))
                }
                Err(error) => Err(error),
            };
        }
        let (operation, body) = request::action(action)?;
        let id = droplet_id(operation, id.as_str())?;
        Ok(convert::operation(
            self.client.fetch_act(operation, id, &body).await?,
        ))
    }

    async fn get_operation(&self, id: &RemoteOperationId) -> Result<RemoteOperation> {
        const OPERATION: &str = "get the operation";
        let Some(deleted) = convert::deleted(id) else {
            let id = droplet_id(OPERATION, id.as_str())?;
            return Ok(convert::operation(self.client.fetch_action(id).await?));
        };
        let id = droplet_id(OPERATION, deleted)?;
        match self.client.fetch_droplet(id).await {
            Ok(_) => Ok(convert::deletion(
                id,
                OperationStatus::Running { percent: None },
            )),
            Err(error) if error.kind == ErrorKind::NoSuchInstance => {
                Ok(convert::deletion(id, OperationStatus::Succeeded))
            }
            Err(error) => Err(error),
        }
    }

    async fn recent_operations(&self, id: &RemoteId, since: &Since) -> Result<OperationLog> {
        let log = Log {
            client: &self.client,
            droplet: droplet_id("read the log of the instance", id.as_str())?,
        };
        read_log(&log, since).await
    }

    async fn get_plans(&self) -> Result<Arc<[Plan]>> {
        let sizes = self.client.fetch_sizes().await?;
        let as_of = self.client.now();
        Ok(sizes
            .into_iter()
            .map(|it| convert::plan(it, as_of))
            .collect())
    }

    async fn get_images(&self) -> Result<Arc<[Image]>> {
        let (public, private) = try_join(
            self.client.fetch_images(Images::Distributions),
            self.client.fetch_images(Images::Private),
        )
        .await?;
        Ok(public
            .into_iter()
            .chain(private)
            .filter_map(convert::image)
            .collect())
    }

    async fn get_regions(&self) -> Result<Arc<[Region]>> {
        Ok(self
            .client
            .fetch_regions()
            .await?
            .into_iter()
            .map(convert::region)
            .collect())
    }

    fn extensions(&self) -> Extensions<'_> {
        let mut extensions = Extensions::default();
        extensions.ssh_keys = Some(self);
        extensions.marketplace = Some(self);
        extensions.choices = Some(self);
        extensions
    }

    fn in_lane(&self, lane: Lane) -> Arc<dyn Provider> {
        Arc::new(Self {
            client: self.client.in_lane(lane),
            descriptor: Arc::clone(&self.descriptor),
        })
    }

    fn budget(&self) -> Vec<RateBucket> {
        self.client.http().budget()
    }

    /// Returns the [`roadstead_http::Client`] of the account.
    fn native(&self) -> &(dyn Any + Send + Sync) {
        self.client.http()
    }
}

/// Returns the list that comes before the list of GPU droplets.
fn first_list(query: &InstanceQuery) -> Droplets<'_> {
    match (&query.tag, &query.name) {
        (Some(tag), _) => Droplets::Tagged(tag),
        (None, Some(name)) => Droplets::Named(name),
        (None, None) => Droplets::Plain,
    }
}

/// Returns whether a droplet is one that the query asks for. The vendor's own filters do not
/// work on GPU droplets, and compare names without regard to case. What cannot be read of a
/// droplet is no reason to leave it out.
fn asked_for(droplet: &wire::Droplet, query: &InstanceQuery) -> bool {
    let name = match (&query.name, &droplet.name) {
        (Some(wanted), Some(name)) => wanted == name,
        _ => true,
    };
    let tag = match (&query.tag, &droplet.tags) {
        (Some(wanted), Some(tags)) => tags.iter().any(|it| it.eq_ignore_ascii_case(wanted)),
        _ => true,
    };
    name && tag
}

fn gpus_from(page: u32) -> PageToken {
    PageToken::from(format!("{GPUS}{page}"))
}

fn gpu_page(token: &PageToken) -> Result<u32> {
    let page = token
        .as_str()
        .strip_prefix(GPUS)
        .and_then(|it| it.parse().ok());
    page.filter(|it| *it > 0)
        .ok_or_else(|| invalid(LIST, "cursor", "the cursor does not come from this list"))
}

fn droplet_id(operation: &'static str, id: &str) -> Result<u64> {
    id.parse().map_err(|source: std::num::ParseIntError| {
        invalid(operation, "id", "the id does not come from this provider").with_source(source)
    })
}

impl fmt::Debug for DigitalOcean {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DigitalOcean")
            .field("client", &self.client)
            .finish_non_exhaustive()
    }
}
