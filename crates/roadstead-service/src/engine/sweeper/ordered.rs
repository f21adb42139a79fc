//! Deletions of quarantined servers that an operator has decided.

use roadstead_core::Instance;
use roadstead_repository::OrderedDelete;
use tracing::{info, warn};

use super::judge::{Verdict, judge_one};
use super::pass::{Pass, Seen, Stop};

impl Pass<'_> {
    /// Deletes what an operator has decided to delete, as long as it is still what was decided
    /// about, and settles what is gone. They count against no cap: each was named by a person.
    pub(super) async fn carry_out(&mut self, seen: &Seen) -> Result<(), Stop> {
        let mut gone = Vec::new();
        for order in &seen.books.ordered {
            if self.is_stopping() {
                return Ok(());
            }
            let Some(fresh) = self.get(&order.remote).await? else {
                gone.push(order);
                continue;
            };
            if let Some(refusal) = self.refusal(seen, order, &fresh) {
                warn!(remote.id = %order.remote, "a server is not deleted: {refusal}");
                let refusal = Some(refusal.to_owned());
                self.end_order(order, refusal).await?;
                continue;
            }
            // With somebody else's token the id may be somebody else's server.
            self.prove_whose().await?;
            let margin = self.platform.clockwork.send_margin;
            let id = order.quarantined;
            let repository = &self.platform.repository;
            if !repository
                .begin_ordered_delete(self.claim, id, margin)
                .await?
            {
                continue;
            }
            self.look_again_soon();
            if self.ask_to_delete(&order.remote).await? {
                info!(remote.id = %order.remote, "deleted a server as an operator has decided");
            }
        }
        if gone.is_empty() {
            return Ok(());
        }
        self.prove_whose().await?;
        for order in gone {
            self.end_order(order, None).await?;
            info!(remote.id = %order.remote, "a server is gone that an operator had deleted");
        }
        Ok(())
    }

    /// Returns why a server is not the one that was decided about, as a clause.
    fn refusal(
        &self,
        seen: &Seen,
        order: &OrderedDelete,
        fresh: &Instance,
    ) -> Option<&'static str> {
        if *fresh.name != *order.name {
            return Some("it has another name by now");
        }
        if fresh.created != order.created {
            return Some("it is another server by now, made at another time");
        }
        match judge_one(fresh, &seen.listed, &seen.books, &self.rule()) {
            Verdict::Suspect { .. } | Verdict::Unwanted { .. } => None,
            Verdict::Foreign => Some("it carries our mark no more"),
            Verdict::Bound | Verdict::Returned(_) | Verdict::Released | Verdict::Leave => {
                Some("our books vouch for it by now")
            }
        }
    }

    async fn end_order(&self, order: &OrderedDelete, refusal: Option<String>) -> Result<(), Stop> {
        let repository = &self.platform.repository;
        Ok(repository
            .end_ordered_delete(self.claim, order.quarantined, refusal)
            .await?)
    }
}
