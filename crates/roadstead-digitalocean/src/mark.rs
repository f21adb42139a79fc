//! The mark on a droplet that stands: its two tags, each put on or taken off by itself, so that
//! no other tag can be lost.

use roadstead_core::{CreateKey, Error, ErrorKind, Outcome, Result};

use crate::client::Client;
use crate::error::kind;
use crate::{request, wire};

pub(crate) const MARK: &str = "mark the instance";

pub(crate) const UNMARK: &str = "unmark the instance";

/// Puts the tags on that the droplet does not carry.
pub(crate) async fn put_on(client: &Client, droplet: u64, key: &CreateKey) -> Result<()> {
    let mark = key.tags();
    request::check_tags(MARK, &mark)?;
    let carried = client.fetch_droplet(droplet).await?.tags;
    let carried = carried.unwrap_or_default();
    for tag in mark.iter().filter(|it| !is_among(&carried, it)) {
        let spelled = match client.fetch_create_tag(tag).await {
            Ok(spelled) if spelled.eq_ignore_ascii_case(tag) => spelled,
            Ok(_) => tag.as_str().into(),
            Err(error) if error.kind == ErrorKind::Conflict => tag.as_str().into(),
            Err(error) => return Err(error),
        };
        match client.fetch_tag(&spelled, droplet).await {
            // The tag was made a moment ago, so that it may be the droplet that is gone. Where it
            // is not, the vendor has not caught up with itself.
            Err(error) if error.kind == ErrorKind::NoSuchResource => {
                client.fetch_droplet(droplet).await?;
                let message = "the provider does not know the tag that it made";
                return Err(Error::new(kind(), MARK, ErrorKind::Server, message)
                    .with_outcome(Outcome::Rejected)
                    .with_source(error));
            }
            done => done?,
        }
    }
    Ok(())
}

/// Takes the tags off that the droplet carries. The tags themselves stay with the account: to
/// delete one takes it off every droplet, of which this token need not see all.
pub(crate) async fn take_off(client: &Client, droplet: u64, key: &CreateKey) -> Result<()> {
    let mark = key.tags();
    for tag in carried(client.fetch_droplet(droplet).await?, &mark) {
        match client.fetch_untag(&tag, droplet).await {
            // A tag that the account does not have is on no droplet.
            Err(error) if error.kind == ErrorKind::NoSuchResource => {
                let now = carried(client.fetch_droplet(droplet).await?, &mark);
                if is_among(&now, &tag) {
                    return Err(error);
                }
            }
            done => done?,
        }
    }
    Ok(())
}

/// Returns the tags of the mark that a droplet carries, as it spells them; all, where its tags
/// cannot be read.
fn carried(droplet: wire::Droplet, mark: &[String]) -> Vec<Box<str>> {
    match droplet.tags {
        Some(mut tags) => {
            tags.retain(|it| is_among(mark, it));
            tags
        }
        None => mark.iter().map(|it| it.as_str().into()).collect(),
    }
}

/// To DigitalOcean two tags that differ in case are one.
fn is_among(tags: &[impl AsRef<str>], tag: &str) -> bool {
    tags.iter().any(|it| it.as_ref().eq_ignore_ascii_case(tag))
}
