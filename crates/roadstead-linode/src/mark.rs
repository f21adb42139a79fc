//! The mark on a Linode that stands: two of its tags, which can only be changed all together.
//!
//! Linode replaces the whole list and has no way to say what it is to replace. Whatever somebody
//! else changes of the tags between our reading them and Linode's taking ours is undone. Nothing
//! is done in between but to send the list, so that this is the time of two calls; and where the
//! tags are right already, nothing is sent at all.

use roadstead_core::{CreateKey, Error, ErrorKind, Outcome, Result};

use crate::client::Client;
use crate::error::kind;
use crate::{request, wire};

pub(crate) const MARK: &str = "mark the instance";

pub(crate) const UNMARK: &str = "unmark the instance";

/// Adds the tags that the Linode does not carry.
pub(crate) async fn put_on(client: &Client, linode: u64, key: &CreateKey) -> Result<()> {
    let mark = key.tags();
    request::check_tags(MARK, &mark)?;
    let mut tags = carried(client, MARK, linode).await?;
    let before = tags.len();
    for tag in &mark {
        if !is_among(&tags, tag) {
            tags.push(tag.as_str().into());
        }
    }
    if tags.len() == before {
        return Ok(());
    }
    let now = replace(client, MARK, linode, tags).await?;
    if mark.iter().all(|it| is_among(&now, it)) {
        return Ok(());
    }
    Err(passed_over(MARK))
}

/// Leaves the tags out that the Linode carries.
pub(crate) async fn take_off(client: &Client, linode: u64, key: &CreateKey) -> Result<()> {
    let mark = key.tags();
    let mut tags = carried(client, UNMARK, linode).await?;
    let before = tags.len();
    tags.retain(|it| !is_among(&mark, it));
    if tags.len() == before {
        return Ok(());
    }
    let now = replace(client, UNMARK, linode, tags).await?;
    if mark.iter().any(|it| is_among(&now, it)) {
        return Err(passed_over(UNMARK));
    }
    Ok(())
}

async fn carried(client: &Client, operation: &'static str, linode: u64) -> Result<Vec<Box<str>>> {
    // A list that cannot be read must not be replaced: nobody knows what would be lost.
    client.fetch_instance(linode).await?.tags.ok_or_else(|| {
        let message = "the tags of the server could not be read";
        Error::new(kind(), operation, ErrorKind::Decode, message).with_outcome(Outcome::NotExecuted)
    })
}

/// Returns the tags that the Linode has then.
async fn replace(
    client: &Client,
    operation: &'static str,
    linode: u64,
    tags: Vec<Box<str>>,
) -> Result<Vec<Box<str>>> {
    let body = wire::TagChange { tags };
    let now = client.fetch_set_tags(operation, linode, &body).await?;
    now.tags.ok_or_else(|| passed_over(operation))
}

/// A user without the permission may be answered well, and be passed over.
fn passed_over(operation: &'static str) -> Error {
    let message = "the provider has not taken the tags as they were sent";
    Error::new(kind(), operation, ErrorKind::Decode, message).with_outcome(Outcome::Unknown)
}

/// To Linode two tags that differ in case may be one.
fn is_among(tags: &[impl AsRef<str>], tag: &str) -> bool {
    tags.iter().any(|it| it.as_ref().eq_ignore_ascii_case(tag))
}
