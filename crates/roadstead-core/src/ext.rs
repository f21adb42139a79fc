//! Streams and waits for the users of a provider, written once for all of them.

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures::future::BoxFuture;
use futures::stream::{self, BoxStream, FuturesOrdered, StreamExt, TryStreamExt};
use jiff::Timestamp;

use crate::{
    At, Availability, Clock, CreateGuarantee, CreateInstance, Created, Error, ErrorKind, How,
    Instance, InstanceQuery, MiB, Next, OperationStatus, Outcome, Page, Plan, Provider, RegionId,
    RemoteId, RemoteOperation, Result, Retry, State, after,
};

/// How many pages are fetched side by side.
const WIDTH: usize = 5;

/// How many numbered pages are kept in mind at a time.
const PAGES_AHEAD: u32 = 1_000;

/// The least wait between two looks for a lost server.
const LOOK_AGAIN: Duration = Duration::from_secs(5);

/// How often [`ProviderExt::create_and_settle`] sends a creating request.
const CREATE_ATTEMPTS: u32 = 3;

/// What the users of a provider call. A blanket implementation, so that no
/// provider and no wrapper can make it differ.
#[async_trait]
pub trait ProviderExt: Provider {
    /// Streams the pages of a list in order: numbered pages several at once,
    /// cursors one by one. Ends after the first error.
    fn pages(self: Arc<Self>, query: InstanceQuery) -> BoxStream<'static, Result<Page<Instance>>>;

    /// Streams every server.
    fn instances(self: Arc<Self>, query: InstanceQuery) -> BoxStream<'static, Result<Instance>> {
        self.pages(query)
            .map_ok(|page| stream::iter(page.items.into_iter().map(Ok)))
            .try_flatten()
            .boxed()
    }

    /// Returns the cheapest available plan in a region with at least so many
    /// processors and so much memory; of equally cheap ones, the first.
    ///
    /// # Errors
    ///
    /// As [`Provider::get_plans`].
    async fn cheapest_plan(
        &self,
        region: &RegionId,
        vcpus: u32,
        memory: MiB,
    ) -> Result<Option<Plan>>;

    /// Waits until a server is in `state`, and returns it.
    ///
    /// # Errors
    ///
    /// As [`Provider::get_instance`]; `Timeout` after `patience`.
    async fn wait_for_state(
        &self,
        id: &RemoteId,
        state: State,
        patience: Duration,
        clock: &dyn Clock,
    ) -> Result<Instance>;

    /// Waits until the vendor's job has ended, and returns it.
    ///
    /// # Errors
    ///
    /// As [`Provider::get_operation`]; `Timeout` after `patience`.
    async fn wait_for_operation(
        &self,
        operation: RemoteOperation,
        patience: Duration,
        clock: &dyn Clock,
    ) -> Result<RemoteOperation>;

    /// Creates a server and finds out what became of it when the answer is lost, in memory.
    ///
    /// The same key gives the same server. Programs that must survive a crash keep the
    /// key in a database before the call, as the Roadstead service does.
    ///
    /// # Errors
    ///
    /// The vendor's refusal; `OutcomeUnknown` when even looking failed.
    async fn create_and_settle(
        &self,
        request: &CreateInstance,
        clock: &dyn Clock,
    ) -> Result<Created>;
}

#[async_trait]
impl<P: Provider + ?Sized> ProviderExt for P {
    fn pages(self: Arc<Self>, query: InstanceQuery) -> BoxStream<'static, Result<Page<Instance>>> {
        let walk = Walk::new(self, query);
        stream::try_unfold(walk, async |mut walk| {
            Ok(walk.step().await?.map(|page| (page, walk)))
        })
        .boxed()
    }

    async fn cheapest_plan(
        &self,
        region: &RegionId,
        vcpus: u32,
        memory: MiB,
    ) -> Result<Option<Plan>> {
        let plans = self.get_plans().await?;
        let price = |plan: &Plan| {
            let offering = plan.offering_in(region)?;
            let price = offering.price.as_ref()?;
            (offering.availability == Availability::Available).then_some(())?;
            Some(price.hourly.or(price.monthly)?.amount)
        };
        Ok(plans
            .iter()
            .filter(|it| it.vcpus >= vcpus && it.memory >= memory)
            .filter_map(|it| Some((price(it)?, it)))
            .min_by(|(left, _), (right, _)| left.cmp(right))
            .map(|(_, plan)| plan.clone()))
    }

    async fn wait_for_state(
        &self,
        id: &RemoteId,
        state: State,
        patience: Duration,
        clock: &dyn Clock,
    ) -> Result<Instance> {
        let deadline = after(clock.now(), patience);
        loop {
            let instance = self.get_instance(id).await?;
            if instance.status.state == state {
                return Ok(instance);
            }
            if clock.now() >= deadline {
                let kind = self.descriptor().kind.clone();
                return Err(Error::new(
                    kind,
                    "wait for the instance",
                    ErrorKind::Timeout,
                    format!(
                        "it is `{}`, not `{}`, after {} s",
                        instance.status.state.as_str(),
                        state.as_str(),
                        patience.as_secs()
                    ),
                ));
            }
            clock.sleep(Duration::from_secs(3)).await;
        }
    }

    async fn wait_for_operation(
        &self,
        mut operation: RemoteOperation,
        patience: Duration,
        clock: &dyn Clock,
    ) -> Result<RemoteOperation> {
        let deadline = after(clock.now(), patience);
        while let OperationStatus::Running { .. } = operation.status {
            if clock.now() >= deadline {
                let kind = self.descriptor().kind.clone();
                let message = format!("it still runs after {} s", patience.as_secs());
                return Err(Error::new(
                    kind,
                    "wait for its job",
                    ErrorKind::Timeout,
                    message,
                ));
            }
            clock.sleep(operation.poll_after).await;
            operation = self.get_operation(&operation.id).await?;
        }
        Ok(operation)
    }

    async fn create_and_settle(
        &self,
        request: &CreateInstance,
        clock: &dyn Clock,
    ) -> Result<Created> {
        let mut attempt = 0;
        loop {
            attempt += 1;
            let sent_at = clock.now();
            let lost = match self.create_instance(request).await {
                Err(error) if error.outcome == Outcome::Unknown => error,
                // A name that is taken may be taken by our own earlier request.
                Err(error) if error.kind == ErrorKind::Conflict => {
                    return match first(self.find_created(&request.key).await?) {
                        Some(instance) => Ok(adopted(instance)),
                        None => Err(error),
                    };
                }
                answered => return answered,
            };
            if let Some(instance) = settle(self, request, sent_at, clock).await? {
                return Ok(adopted(instance));
            }
            if attempt == CREATE_ATTEMPTS {
                let kind = self.descriptor().kind.clone();
                let message = "its answers were lost and no server appeared";
                return Err(Error::new(
                    kind,
                    "create the instance",
                    ErrorKind::OutcomeUnknown,
                    message,
                )
                .with_retry(Retry::AfterReconcile)
                .with_attempts(attempt)
                .with_source(lost));
            }
        }
    }
}

/// Looks for a server whose creating answer was lost, until it appears or its
/// absence is as sure as the vendor allows.
async fn settle<P: Provider + ?Sized>(
    provider: &P,
    request: &CreateInstance,
    sent_at: Timestamp,
    clock: &dyn Clock,
) -> Result<Option<Instance>> {
    let descriptor = provider.descriptor();
    let settled = match descriptor.create_guarantee {
        // The vendor itself recognizes the second request.
        CreateGuarantee::Token => return Ok(None),
        CreateGuarantee::UniqueName => sent_at,
        CreateGuarantee::LookupOnly => after(sent_at, descriptor.max_late_commit),
    };
    let mut empty_looks = 0;
    loop {
        if let Some(instance) = first(provider.find_created(&request.key).await?) {
            return Ok(Some(instance));
        }
        if clock.now() >= settled {
            empty_looks += 1;
            if empty_looks == 2 || descriptor.create_guarantee == CreateGuarantee::UniqueName {
                return Ok(None);
            }
        }
        clock.sleep(LOOK_AGAIN).await;
    }
}

fn adopted(instance: Instance) -> Created {
    Created {
        instance,
        how: How::Adopted,
        operation: None,
    }
}

fn first(instances: Vec<Instance>) -> Option<Instance> {
    instances
        .into_iter()
        .min_by(|left, right| left.id.cmp(&right.id))
}

/// A page being asked for, with where it is.
type Flight = BoxFuture<'static, Result<(At, Page<Instance>)>>;

/// A walk over the pages of a list.
struct Walk<P: ?Sized> {
    provider: Arc<P>,
    query: Arc<InstanceQuery>,
    /// Pages to ask for, in order.
    ahead: VecDeque<At>,
    /// Pages that have been or will be asked for. Every page says where the list goes on, and
    /// most say what others have said before.
    known: HashSet<At>,
    /// Pages being asked for, in order.
    flights: FuturesOrdered<Flight>,
}

impl<P: Provider + ?Sized> Walk<P> {
    fn new(provider: Arc<P>, query: InstanceQuery) -> Self {
        Self {
            provider,
            query: Arc::new(query),
            ahead: VecDeque::from([At::First]),
            // The first page is also the one with that number.
            known: HashSet::from([At::First, At::Number(1)]),
            flights: FuturesOrdered::new(),
        }
    }

    async fn step(&mut self) -> Result<Option<Page<Instance>>> {
        while self.flights.len() < WIDTH
            && let Some(at) = self.ahead.pop_front()
        {
            let (provider, query) = (Arc::clone(&self.provider), Arc::clone(&self.query));
            self.flights.push_back(Box::pin(async move {
                let page = provider.list_instances(&query, at.clone()).await?;
                Ok((at, page))
            }));
        }
        let Some((at, page)) = self.flights.next().await.transpose()? else {
            return Ok(None);
        };
        match &page.next {
            Next::End => {}
            Next::Cursor(token) => {
                let next = At::Cursor(token.clone());
                // What follows numbered pages was named before; a chain of cursors that comes
                // back to itself would never end, or leave the rest out.
                if matches!(at, At::Cursor(_)) && self.known.contains(&next) {
                    return Err(self.circle());
                }
                self.go_on(next);
            }
            Next::Numbered { next, last, then } => {
                // The pages in between say the same, so that a wild number costs nothing.
                let near = next.saturating_add(PAGES_AHEAD);
                for number in *next..=near.min(*last) {
                    self.go_on(At::Number(number));
                }
                if let Some(token) = then {
                    self.go_on(At::Cursor(token.clone()));
                }
            }
        }
        Ok(Some(page))
    }

    fn circle(&self) -> Error {
        let kind = self.provider.descriptor().kind.clone();
        let message = "its list leads back to a page that was read already";
        Error::new(kind, "list the instances", ErrorKind::Decode, message)
    }

    fn go_on(&mut self, at: At) {
        if self.known.insert(at.clone()) {
            self.ahead.push_back(at);
        }
    }
}

#[cfg(test)]
mod tests;
