//! Linode behind the trait: call, convert, return.

use std::any::Any;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use futures::future::{try_join, try_join3};
use roadstead_core::{
    Account, Action, At, CreateInstance, CreateKey, Created, Descriptor, Error, ErrorKind,
    Extensions, How, Image, Instance, InstanceQuery, Lane, Next, OperationLog, OperationStatus,
    Page, Plan, Provider, RateBucket, Region, RemoteId, RemoteOperation, RemoteOperationId, Result,
    Since, read_log,
};

use crate::client::Client;
use crate::descriptor::descriptor;
use crate::error::{invalid, kind};
use crate::extensions::{check_keys, check_script, keys_for_create};
use crate::job::{Job, Verb};
use crate::log::Log;
use crate::mark::{MARK, UNMARK};
use crate::paging::PAGE_MAX;
use crate::{convert, mark, request, wire};

/// The devices of the rescue system, in order; `sdh` is the system's own.
const DEVICES: [&str; 7] = ["sda", "sdb", "sdc", "sdd", "sde", "sdf", "sdg"];

const GET_OPERATION: &str = "get the operation";

/// One Linode account.
#[derive(Clone)]
pub struct Linode {
    pub(crate) client: Client,
    descriptor: Arc<Descriptor>,
}

impl Linode {
    pub(crate) fn new(client: Client) -> Self {
        Self {
            client,
            descriptor: Arc::new(descriptor()),
        }
    }

    /// Returns the disks of a Linode as the devices that its rescue system shows.
    async fn devices(&self, linode: u64) -> Result<wire::ActionBody> {
        let disks = self
            .client
            .fetch_disks(Verb::Rescue.operation(), linode)
            .await?;
        let disks = disks.into_iter().map(|it| wire::Device { disk_id: it.id });
        Ok(wire::ActionBody::Rescue {
            devices: DEVICES.into_iter().zip(disks).collect(),
        })
    }

    async fn delete(&self, linode: u64) -> Result<RemoteOperation> {
        match self.client.fetch_delete(linode).await {
            Ok(accepted) => Ok(Job::new(Verb::Delete, linode, accepted).running()),
            Err(error) if error.kind == ErrorKind::NoSuchInstance => {
                Ok(Job::new(Verb::Delete, linode, self.client.now()).orphaned())
            }
            Err(error) => Err(error),
        }
    }

    /// Returns how far a job is of which no event tells: it runs as long as its Linode exists.
    async fn by_existence(&self, job: &Job) -> Result<RemoteOperation> {
        match self.client.fetch_instance(job.linode).await {
            Ok(_) => Ok(job.running()),
            Err(error) if error.kind == ErrorKind::NoSuchInstance => Ok(job.orphaned()),
            Err(error) => Err(error),
        }
    }
}

#[async_trait]
impl Provider for Linode {
    fn descriptor(&self) -> &Descriptor {
        &self.descriptor
    }

    async fn validate_credentials(&self) -> Result<Account> {
        let (account, scopes) = self.client.fetch_account().await?;
        Ok(convert::account(account, scopes.as_deref()))
    }

    fn check_create(&self, request: &CreateInstance) -> Result<()> {
        request::create(request)?;
        check_keys(&request.ssh_keys)
    }

    async fn create_instance(&self, request: &CreateInstance) -> Result<Created> {
        // Everything that can be wrong is found before a key is fetched.
        check_keys(&request.ssh_keys)?;
        let mut body = request::create(request)?;
        if let Some(script) = body.stackscript_id {
            let answers = &body.stackscript_data;
            check_script(&self.client, script.get(), &request.image, answers).await?;
        }
        body.authorized_keys = keys_for_create(&self.client, &request.ssh_keys).await?;
        let (linode, accepted) = self.client.fetch_create(&body).await?;
        let job = Job::new(Verb::Create, linode.id, accepted);
        Ok(Created {
            instance: convert::instance(linode),
            how: How::Created,
            operation: Some(job.running()),
        })
    }

    async fn find_created(&self, key: &CreateKey) -> Result<Vec<Instance>> {
        let tag = key.instance_tag();
        let by_label = wire::InstanceFilter::new(Some(&key.name), None);
        let by_tag = wire::InstanceFilter::new(None, Some(&tag));
        let (labelled, tagged) = try_join(
            self.client.fetch_all_instances(&by_label),
            self.client.fetch_all_instances(&by_tag),
        )
        .await?;
        let mut found = BTreeMap::new();
        for list in [labelled, tagged] {
            // A row that is missing or cannot be read may be the one that is looked for.
            let odd = |it: &wire::Instance| it.label.is_none() || it.tags.is_none();
            if !list.is_whole() || list.rows.iter().any(odd) {
                let message = "a row of the provider's list could not be read";
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
        let id = linode_id("get the instance", id.as_str())?;
        Ok(convert::instance(self.client.fetch_instance(id).await?))
    }

    async fn mark_instance(&self, id: &RemoteId, key: &CreateKey) -> Result<()> {
        let id = linode_id(MARK, id.as_str())?;
        mark::put_on(&self.client, id, key).await
    }

    async fn unmark_instance(&self, id: &RemoteId, key: &CreateKey) -> Result<()> {
        let id = linode_id(UNMARK, id.as_str())?;
        mark::take_off(&self.client, id, key).await
    }

    async fn list_instances(&self, query: &InstanceQuery, at: At) -> Result<Page<Instance>> {
        let size = query.page_size.unwrap_or(PAGE_MAX).clamp(1, PAGE_MAX);
        let page = match at {
            At::First => 1,
            At::Number(page) => page.max(1),
            At::Cursor(_) => {
                let message = "the cursor does not come from this list";
                return Err(invalid("list the instances", "cursor", message));
            }
        };
        let filter = wire::InstanceFilter::new(query.name.as_deref(), query.tag.as_deref());
        let rows = self.client.fetch_instances(&filter, page, size).await?;
        let items = rows
            .rows
            .into_iter()
            .filter(|it| asked_for(it, query))
            .map(convert::instance)
            .collect();
        Ok(Page {
            items,
            total: rows.total,
            next: rows.next.map_or(Next::End, |(next, last)| Next::Numbered {
                next,
                last,
                then: None,
            }),
        })
    }

    fn check_action(&self, action: &Action) -> Result<()> {
        request::action(action).map(drop)
    }

    async fn perform_action(&self, id: &RemoteId, action: &Action) -> Result<RemoteOperation> {
        let (verb, body) = request::action(action)?;
        let id = linode_id(verb.operation(), id.as_str())?;
        let body = match (verb, body) {
            (Verb::Delete, _) => return self.delete(id).await,
            (Verb::Rename, Some(body)) => {
                let accepted = self.client.fetch_rename(id, &body).await?;
                return Ok(Job::new(verb, id, accepted).at(OperationStatus::Succeeded));
            }
            (Verb::Rescue, None) => Some(self.devices(id).await?),
            (_, body) => body,
        };
        let accepted = self.client.fetch_act(verb, id, body.as_ref()).await?;
        Ok(Job::new(verb, id, accepted).running())
    }

    async fn get_operation(&self, id: &RemoteOperationId) -> Result<RemoteOperation> {
        let Some(job) = Job::parse(id) else {
            let message = "the id does not come from this provider";
            return Err(invalid(GET_OPERATION, "id", message));
        };
        match job.verb {
            // The answer to a rename is its end.
            Verb::Rename => return Ok(job.at(OperationStatus::Succeeded)),
            Verb::Delete => return self.by_existence(&job).await,
            Verb::Create
            | Verb::Boot
            | Verb::Shutdown
            | Verb::Reboot
            | Verb::Resize
            | Verb::Rebuild
            | Verb::Rescue
            | Verb::Password => {}
        }
        let events = self.client.fetch_events(job.linode).await?;
        match job.by_events(&events) {
            Some(told) => Ok(told),
            None => self.by_existence(&job).await,
        }
    }

    async fn recent_operations(&self, id: &RemoteId, since: &Since) -> Result<OperationLog> {
        let log = Log {
            client: &self.client,
            linode: linode_id("read the log of the instance", id.as_str())?,
        };
        read_log(&log, since).await
    }

    async fn get_plans(&self) -> Result<Arc<[Plan]>> {
        let (types, regions, availability) = try_join3(
            self.client.fetch_types(),
            self.client.fetch_regions("list the plans"),
            self.client.fetch_availability(),
        )
        .await?;
        let as_of = self.client.now();
        Ok(convert::plans(types, &regions, availability, as_of).into())
    }

    async fn get_images(&self) -> Result<Arc<[Image]>> {
        let images = self.client.fetch_images().await?;
        Ok(images.into_iter().filter_map(convert::image).collect())
    }

    async fn get_regions(&self) -> Result<Arc<[Region]>> {
        let regions = self.client.fetch_regions("list the regions").await?;
        Ok(regions.into_iter().map(convert::region).collect())
    }

    fn extensions(&self) -> Extensions<'_> {
        let mut extensions = Extensions::default();
        extensions.ssh_keys = Some(self);
        extensions.marketplace = Some(self);
        extensions.stack_scripts = Some(self);
        extensions.choices = Some(self);
        extensions.after_create = Some(self);
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

/// Returns whether a Linode is one that the query asks for, should the vendor's filter be
/// wider. What cannot be read of a Linode is no reason to leave it out.
fn asked_for(linode: &wire::Instance, query: &InstanceQuery) -> bool {
    let name = match (&query.name, &linode.label) {
        (Some(wanted), Some(label)) => wanted == label,
        _ => true,
    };
    let tag = match (&query.tag, &linode.tags) {
        (Some(wanted), Some(tags)) => tags.iter().any(|it| it.eq_ignore_ascii_case(wanted)),
        _ => true,
    };
    name && tag
}

pub(crate) fn linode_id(operation: &'static str, id: &str) -> Result<u64> {
    id.parse().map_err(|source: std::num::ParseIntError| {
        invalid(operation, "id", "the id does not come from this provider").with_source(source)
    })
}

impl fmt::Debug for Linode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Linode")
            .field("client", &self.client)
            .finish_non_exhaustive()
    }
}
