//! `POST /v2/droplets`: what is refused, and the droplet that comes of the rest.

use std::time::Duration;

use serde_json::{Value, json};

use crate::faults::{Ending, Fate};
use crate::vendor::Answer;

use super::actions;
use super::catalogue::regions::{REGIONS, Region};
use super::catalogue::sizes::Size;
use super::droplet::{Change, Droplet, Order};
use super::refusal::{
    BAD_IMAGE, BAD_NAME, BAD_REGION, BAD_SIZE, OVER_LIMIT, REGION_UNAVAILABLE, Refusal,
    SIZE_NOT_HERE, SIZE_UNAVAILABLE,
};
use super::{Desk, Reply, droplets, images, joins, object, tags};

const USER_DATA_LIMIT: usize = 64 * 1024;
const NAME_LIMIT: usize = 255;
const BATCH_LIMIT: usize = 10;

/// Answers `POST /v2/droplets`. The same name twice makes two droplets.
pub(crate) fn create(mut desk: Desk<'_>) -> Reply {
    let body = object(desk.call)?;
    let names = names(&body)?;
    let mut order = order(&desk, &body)?;
    let limit = desk.stage.config.server_limit;
    if desk.account.living().count().saturating_add(names.len()) > limit {
        return Err(Refusal::unprocessable(OVER_LIMIT));
    }

    order.tags = order
        .tags
        .iter()
        .map(|tag| desk.account.ensure_tag(tag))
        .collect();
    let mut views = Vec::new();
    let mut links = Vec::new();
    let mut first = None;
    for name in &names {
        let id = desk.ids.droplet();
        let action = make(&mut desk, id, name, order.clone());
        first = first.or(Some(id));
        views.extend(desk.account.droplet(id).map(Droplet::view));
        links.push(json!({
            "id": action,
            "rel": "create",
            "href": format!("https://api.digitalocean.com/v2/actions/{action}"),
        }));
    }
    let links = json!({ "actions": links });
    let answer = if body.get("names").is_some() {
        json!({ "droplets": views, "links": links })
    } else {
        json!({ "droplet": views.pop(), "links": links })
    };
    Ok(Answer::json(202, &answer)
        .committed()
        .about(first.unwrap_or_default()))
}

/// Makes one droplet and returns the number of its action.
fn make(desk: &mut Desk<'_>, id: u64, name: &str, order: Order) -> u64 {
    let address = desk.ids.address();
    let mut droplet = Droplet::new(id, address, name, order, desk.now);
    let wait = desk
        .stage
        .draw
        .wait(&format!("droplet/{id}/create"), 30_000, 60_000);
    let ends = droplets::end(desk, wait);
    let effect = &desk.call.effect;
    let lag = effect
        .unlisted_ms
        .map_or(desk.stage.config.list_lag, Duration::from_millis);
    droplet.listed = droplets::end(desk, lag);
    if effect.untagged {
        droplet.tags.clear();
    }
    if let Some(late) = effect.tags_late_ms {
        let tags = std::mem::take(&mut droplet.tags);
        let at = droplets::end(desk, Duration::from_millis(late));
        droplet.plan(at, Change::Tag(tags));
    }
    droplet.busy_until = ends;
    match desk.call.fate {
        None => droplet.plan(ends, Change::TurnOn),
        Some(Fate::Fails) => droplet.plan(ends, Change::Vanish),
        Some(Fate::Ignored) => {}
    }
    desk.account.droplets.insert(id, droplet);
    actions::record(desk, id, "create", ends, Ending::of(desk.call.fate))
}

fn names(body: &Value) -> Result<Vec<String>, Refusal> {
    let names = match (body.get("names"), body.get("name")) {
        (Some(Value::Array(names)), _) => names.iter().map(name).collect::<Result<Vec<_>, _>>()?,
        (Some(_), _) => return Err(Refusal::unprocessable("names must be a list.")),
        (None, given) => vec![name(given.unwrap_or(&Value::Null))?],
    };
    if names.is_empty() || names.len() > BATCH_LIMIT {
        return Err(Refusal::unprocessable(
            "Between 1 and 10 names may be given.",
        ));
    }
    Ok(names)
}

fn name(given: &Value) -> Result<String, Refusal> {
    let name = given.as_str().unwrap_or_default();
    check_name(name)?;
    Ok(name.to_owned())
}

/// Refuses what cannot be a host name.
pub(crate) fn check_name(name: &str) -> Result<(), Refusal> {
    if name.is_empty() {
        return Err(Refusal::unprocessable("Name can't be blank"));
    }
    if name.len() > NAME_LIMIT {
        return Err(Refusal::unprocessable(
            "Name is too long (maximum is 255 characters)",
        ));
    }
    let allowed = name
        .bytes()
        .all(|it| it.is_ascii_alphanumeric() || it == b'.' || it == b'-');
    if allowed && name.ends_with(|it: char| it.is_ascii_alphanumeric()) {
        Ok(())
    } else {
        Err(Refusal::unprocessable(BAD_NAME))
    }
}

fn order(desk: &Desk<'_>, body: &Value) -> Result<Order, Refusal> {
    let region = region(body)?;
    let size = body["size"].as_str().and_then(Size::find);
    let size = size.ok_or_else(|| Refusal::unprocessable(BAD_SIZE))?;
    if !size.available {
        return Err(Refusal::unprocessable(SIZE_UNAVAILABLE));
    }
    let region = region.or_else(|| {
        REGIONS
            .iter()
            .find(|it| it.available && size.is_sold_in(it.slug))
    });
    let region = region.ok_or_else(|| Refusal::unprocessable(BAD_REGION))?;
    if !size.is_sold_in(region.slug) {
        return Err(Refusal::unprocessable(SIZE_NOT_HERE));
    }
    let image = images::usable(desk, body.get("image"));
    let image = image.ok_or_else(|| Refusal::unprocessable(BAD_IMAGE))?;
    check_image(&image, size, region)?;
    let flag = |name: &str, absent: bool| body[name].as_bool().unwrap_or(absent);
    Ok(Order {
        size,
        region,
        image,
        ssh_keys: ssh_keys(desk, &body["ssh_keys"])?,
        user_data: user_data(&body["user_data"])?,
        tags: tag_names(&body["tags"])?,
        backups: flag("backups", false),
        ipv6: flag("ipv6", false),
        monitoring: flag("monitoring", false),
        public_networking: flag("public_networking", true),
        vpc_uuid: joins::vpc(desk, &body["vpc_uuid"], region)?,
        backup_policy: joins::backup_policy(&body["backup_policy"], flag("backups", false))?,
        agent: body["with_droplet_agent"].as_bool(),
    })
}

/// Returns the region, or none if the vendor may choose. A beginning such as
/// `nyc` means any region of that place.
fn region(body: &Value) -> Result<Option<&'static Region>, Refusal> {
    let wanted = match &body["region"] {
        Value::Null => return Ok(None),
        Value::String(slug) if !slug.is_empty() => slug,
        _ => return Err(Refusal::unprocessable(BAD_REGION)),
    };
    let place = |it: &&Region| {
        it.available && it.slug.trim_end_matches(|it: char| it.is_ascii_digit()) == wanted
    };
    let region = Region::find(wanted).or_else(|| REGIONS.iter().find(place));
    match region {
        None => Err(Refusal::unprocessable(BAD_REGION)),
        Some(region) if !region.available => Err(Refusal::unprocessable(REGION_UNAVAILABLE)),
        Some(region) => Ok(Some(region)),
    }
}

/// Refuses an image that is not in the region or larger than the disk.
pub(crate) fn check_image(image: &Value, size: &Size, region: &Region) -> Result<(), Refusal> {
    let here = image["regions"]
        .as_array()
        .is_some_and(|it| it.iter().any(|it| it == region.slug));
    if !here {
        return Err(Refusal::unprocessable(
            "Image is not available in this region.",
        ));
    }
    if image["min_disk_size"].as_u64().unwrap_or(0) > size.disk_gib {
        let message = "The image you specified requires a larger disk than the size provides.";
        return Err(Refusal::unprocessable(message));
    }
    Ok(())
}

fn ssh_keys(desk: &Desk<'_>, given: &Value) -> Result<Vec<u64>, Refusal> {
    let given = match given {
        Value::Null => return Ok(Vec::new()),
        Value::Array(keys) => keys,
        _ => return Err(Refusal::unprocessable("ssh_keys must be a list.")),
    };
    let mut found = Vec::new();
    let mut unknown = Vec::new();
    for key in given {
        let wanted = key.as_str().map_or_else(|| key.to_string(), str::to_owned);
        match desk.account.keys.values().find(|it| it.is_named(&wanted)) {
            Some(key) => found.push(key.id),
            None => unknown.push(wanted),
        }
    }
    if unknown.is_empty() {
        return Ok(found);
    }
    // Seen, in the plural for one key, too.
    let unknown = unknown.join(", ");
    let message = format!("{unknown} are invalid key identifiers for Droplet creation.");
    Err(Refusal::unprocessable(message))
}

fn user_data(given: &Value) -> Result<Option<String>, Refusal> {
    match given {
        Value::Null => Ok(None),
        Value::String(text) if text.len() <= USER_DATA_LIMIT => Ok(Some(text.clone())),
        Value::String(_) => Err(Refusal::unprocessable("User data may not exceed 64 KiB.")),
        _ => Err(Refusal::unprocessable("User data must be a string.")),
    }
}

fn tag_names(given: &Value) -> Result<Vec<String>, Refusal> {
    let given = match given {
        Value::Null => return Ok(Vec::new()),
        Value::Array(tags) => tags,
        _ => return Err(Refusal::unprocessable("tags must be a list.")),
    };
    given.iter().map(tags::checked).collect()
}
