//! The calls that put our mark on a server that somebody else made, or take it off one of ours.

use roadstead_core::{CreateKey, Error, ErrorKind, Instance, Lane, Outcome, RemoteId};
use roadstead_repository::OperationKind;

use super::Hand;
use crate::engine::decide::{Observed, Tags};
use crate::engine::sweeper::Mark;

impl Hand<'_> {
    /// Changes our tags, after looking at the server and proving whose account it is in.
    pub(super) async fn send_tags(&self) -> Result<Observed, crate::Error> {
        let Some(remote) = &self.claim.instance.remote else {
            return Ok(Observed::Absent);
        };
        let kind = self.claim.operation.kind;
        let instance = match self.look_before(remote).await {
            Observed::Held(instance, tags) if !tags.are_wanted_by(kind) => instance,
            otherwise => return Ok(otherwise),
        };
        self.begin_attempt(None).await?;
        let provider = self.provider().in_lane(Lane::Mutate);
        let (key, mark) = (self.key(), self.mark_of(&instance));
        let tagging = async {
            if kind == OperationKind::Release {
                return provider.unmark_instance(remote, &key).await;
            }
            // Whose it was by its tags it is no more. Its name stays as it is.
            for id in mark.tagged.into_iter().filter(|it| *it != key.id) {
                let former = CreateKey { id, ..key.clone() };
                provider.unmark_instance(remote, &former).await?;
            }
            provider.mark_instance(remote, &key).await
        };
        Ok(match self.within_margin("change the tags", tagging).await {
            Ok(()) => Observed::Tagged,
            Err(error) if error.kind == ErrorKind::NoSuchInstance => Observed::Absent,
            Err(error) => Observed::Failed(error),
        })
    }

    /// Looks at the server while enough of the lease is left to send something afterwards.
    async fn look_before(&self, remote: &RemoteId) -> Observed {
        let provider = self.provider().in_lane(Lane::Mutate);
        let clockwork = &self.platform.clockwork;
        let patience = clockwork.lease.saturating_sub(clockwork.send_margin) * 3 / 4;
        let looking = async {
            match self.read(&*provider, remote).await {
                Observed::Seen(instance) => self.weigh(instance).await,
                otherwise => otherwise,
            }
        };
        tokio::time::timeout(patience, looking)
            .await
            .unwrap_or_else(|_elapsed| {
                let kind = self.account.record.kind.clone();
                let message = "it did not answer in time";
                let error = Error::new(kind, "look at the instance", ErrorKind::Timeout, message);
                Observed::Blind(error.with_outcome(Outcome::NotExecuted))
            })
    }

    /// Says what a server is, once it is proved whose account it is in: with somebody else's token
    /// the id may be somebody else's server.
    pub(super) async fn weigh(&self, instance: Box<Instance>) -> Observed {
        if let Err(error) = self.prove_account().await {
            return Observed::Blind(error);
        }
        let mark = self.mark_of(&instance);
        if !self.is_same_server(&instance) {
            return Observed::Unfit(
                "the provider has another server under this id: it was made at another time",
            );
        }
        if self.claim.operation.kind == OperationKind::Import && mark.others {
            return Observed::Unfit(
                "the server carries the mark of another installation; release it there first",
            );
        }
        let is_named = mark.tagged.contains(&self.claim.instance.id.0);
        let tags = match (mark.ours, is_named, mark.tagged.len()) {
            (true, true, 1) => Tags::Both,
            (false, false, _) => Tags::Neither,
            _ => Tags::Some,
        };
        Observed::Held(instance, tags)
    }

    /// Returns whether a server may be destroyed as ours: it shows our mark, by either tag or by
    /// its name, and no other server's tag; and one that was imported is the very one that was.
    pub(super) fn is_ours(&self, instance: &Instance) -> bool {
        let (mark, key) = (self.mark_of(instance), self.key());
        let is_tagged = if mark.tagged.is_empty() {
            mark.ours
        } else {
            mark.tagged.contains(&key.id)
        };
        (is_tagged || key.marks(instance)) && self.is_same_server(instance)
    }

    fn is_same_server(&self, instance: &Instance) -> bool {
        let known = self.import.as_ref().and_then(|it| it.remote_created_at);
        known.is_none_or(|it| instance.created == Some(it))
    }

    fn mark_of(&self, instance: &Instance) -> Mark {
        Mark::of(instance, &self.platform.deployment)
    }
}
