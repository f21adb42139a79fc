//! Public keys at the vendors: placed for a create that needs them, removed when nobody does.

use std::time::Duration;

use futures::stream::{self, StreamExt, TryStreamExt};
use roadstead_core::{
    CreateInstance, CreateKey, Error, ErrorKind, KeyForm, Lane, Outcome, Provider, ProviderId,
    Result as CallResult, SshKeys,
};
use roadstead_repository::{Claim, NewPlacement, Placement};
use tracing::{info, warn};
use uuid::Uuid;

use super::perform::is_same;
use crate::Platform;
use crate::instances::frozen::OwnKey;
use crate::registry::Account;
use crate::ssh_keys::public_key::PublicKey;

/// How many keys of one create are placed side by side.
const WIDTH: usize = 4;

/// How many keys of one account are removed in a round.
const A_ROUND: u32 = 50;

/// A key that stands at the vendor for a create.
pub(super) struct Placed {
    /// What is on record about it, with the id that the create names.
    pub(super) placement: Placement,
    /// Whether the vendor itself has just said so.
    pub(super) fresh: bool,
}

/// Why keys could not be placed.
pub(super) enum Failure {
    /// Ours.
    Own(crate::Error),
    /// The vendor's. Nothing of the create was sent.
    Vendor(Error),
}

/// Brings the public keys of a create to a vendor that takes keys by its ids, and names them by
/// these in the request. What is placed is on record at once, so that a create which is given up
/// half-way goes on from there.
pub(super) async fn place(
    platform: &Platform,
    claim: &Claim,
    provider: &dyn Provider,
    own: &[OwnKey],
    request: &mut CreateInstance,
) -> Result<Vec<Placed>, Failure> {
    let Some(vendor) = provider.extensions().ssh_keys else {
        return Ok(Vec::new());
    };
    match vendor.form() {
        KeyForm::Full => return Ok(Vec::new()),
        KeyForm::Placed => {}
    }
    let patience = patience(platform);
    let place_all = stream::iter(request.ssh_keys.clone())
        .map(async |text| {
            // What is no public key is an id of the vendor's already.
            let Ok(public) = PublicKey::parse(&text) else {
                return Ok((text, None));
            };
            let (id, placed) = place_one(platform, claim, vendor, own, &public).await?;
            Ok((id, Some(placed)))
        })
        .buffered(WIDTH)
        .try_collect::<Vec<_>>();
    let placed = tokio::time::timeout(patience, place_all)
        .await
        .unwrap_or_else(|_elapsed| {
            // What must be left of the lease to send the create is not used up by its keys.
            Err(Failure::Vendor(
                Error::new(
                    provider.descriptor().kind.clone(),
                    "register the SSH keys",
                    ErrorKind::Timeout,
                    "not all of them are there yet",
                )
                .with_outcome(Outcome::NotExecuted),
            ))
        })?;
    let (ids, placed): (Vec<_>, Vec<_>) = placed.into_iter().unzip();
    request.ssh_keys = ids;
    Ok(placed.into_iter().flatten().collect())
}

/// Returns how long keys may take, so that enough of the lease is left for the create.
fn patience(platform: &Platform) -> Duration {
    let clockwork = &platform.clockwork;
    clockwork.lease.saturating_sub(clockwork.send_margin) * 3 / 4
}

async fn place_one(
    platform: &Platform,
    claim: &Claim,
    vendor: &dyn SshKeys,
    own: &[OwnKey],
    public: &PublicKey,
) -> Result<(Box<str>, Placed), Failure> {
    let repository = &platform.repository;
    let name = own
        .iter()
        .find(|it| it.fingerprint == public.fingerprint)
        .map_or("key", |it| &it.name);
    let new = NewPlacement {
        fingerprint: public.fingerprint.clone(),
        public_key: public.line(),
        remote_name: mark(&platform.deployment, name),
    };
    let mut placement = repository
        .hold_placement(claim, new)
        .await
        .map_err(|it| Failure::Own(it.into()))?;
    if let Some(id) = &placement.remote_id {
        let id = id.as_str().into();
        let fresh = false;
        return Ok((id, Placed { placement, fresh }));
    }
    // From the commit before this on the vendor may have the key; a crash after it is made good
    // by asking again.
    let kept = vendor
        .ensure(&placement.public_key, &placement.remote_name)
        .await
        .map_err(|error| Failure::Vendor(of_create(error)))?;
    repository
        .record_placement(&placement, &kept.id)
        .await
        .map_err(|it| Failure::Own(it.into()))?;
    placement.remote_id = Some(kept.id.to_string());
    let fresh = true;
    Ok((kept.id, Placed { placement, fresh }))
}

/// Returns a name that no other key at any vendor has.
fn mark(deployment: &str, name: &str) -> String {
    let mark = CreateKey::new(deployment, Uuid::now_v7(), name);
    mark.name.into()
}

/// Says what a failure to place a key means for the create that needs it: no request for a
/// server has left.
fn of_create(error: Error) -> Error {
    let error = error.with_outcome(Outcome::NotExecuted);
    if error.field.is_some() || error.kind == ErrorKind::Invalid {
        error.with_field("ssh_keys")
    } else {
        error
    }
}

/// Returns whether a refusal may mean keys that somebody has removed at the vendor. What the
/// vendor has just named itself it cannot have meant.
pub(super) fn may_be_stale(refusal: &Error, placed: &[Placed]) -> bool {
    refusal.outcome == Outcome::Rejected
        && refusal.field.as_deref() == Some("ssh_keys")
        && placed.iter().any(|it| !it.fresh)
}

/// Forgets the ids that were taken from the record, so that the vendor is asked anew.
pub(super) async fn forget(platform: &Platform, placed: &[Placed]) -> Result<(), crate::Error> {
    for stale in placed.iter().filter(|it| !it.fresh) {
        platform
            .repository
            .forget_placement(&stale.placement)
            .await?;
    }
    Ok(())
}

/// Removes the keys at an account that nobody wants there any more.
pub(super) async fn remove_unwanted(platform: &Platform, account: &Account) {
    let clockwork = &platform.clockwork;
    let claimed = platform
        .repository
        .claim_unwanted_placements(
            account.record.id,
            clockwork.settle_window,
            clockwork.poll_idle,
            A_ROUND,
        )
        .await;
    let claimed = match claimed {
        Ok(claimed) => claimed,
        Err(error) => {
            warn!(error = %error, "could not read the SSH keys that nobody needs");
            return;
        }
    };
    for placement in claimed {
        let removed = remove(platform, account, &placement).await;
        let settled = match platform.watch_token(account, removed).await {
            Ok(settled) => settled,
            Err(error) => {
                note(account.record.id, &placement, &error);
                // The others would most likely meet the same; their turn comes again.
                return;
            }
        };
        if settled && let Err(error) = platform.repository.finish_removal(&placement).await {
            note(account.record.id, &placement, &error.into());
        }
    }
}

fn note(provider: ProviderId, placement: &Placement, error: &crate::Error) {
    warn!(provider.id = %provider, ssh_key.fingerprint = placement.fingerprint, error = %error,
        "could not remove an SSH key at the provider; it is tried again");
}

/// Removes a key at its vendor, unless somebody else put it there. Returns whether that is
/// settled.
async fn remove(platform: &Platform, account: &Account, placement: &Placement) -> CallResult<bool> {
    let provider = account.provider.in_lane(Lane::Background);
    let Some(vendor) = provider.extensions().ssh_keys else {
        return Ok(true);
    };
    let fingerprint = &placement.fingerprint;
    let kept = vendor
        .find(&placement.public_key, &placement.remote_name)
        .await?;
    match kept {
        Some(kept) if *kept.name == *placement.remote_name => {
            vendor.delete(&kept.id).await?;
            info!(provider.id = %account.record.id, ssh_key.fingerprint = fingerprint,
                "removed an SSH key at the provider");
            Ok(true)
        }
        Some(_) => {
            info!(provider.id = %account.record.id, ssh_key.fingerprint = fingerprint,
                "left an SSH key at the provider that was there before");
            Ok(true)
        }
        // With somebody else's token everything is absent.
        None => is_same(platform, account).await,
    }
}
