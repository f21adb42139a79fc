//! What the vendor refuses in the fields of a server.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use crate::redact::hide;
use crate::ssh::key_bytes;

use super::catalogue::regions::Region;
use super::catalogue::types::Type;
use super::instance::System;
use super::refusal::{BAD_IMAGE, Complaints, LABEL_TAKEN, NO_WAY_IN, Refusal, WEAK_PASSWORD};
use super::{Desk, images, stackscripts};

const USER_DATA_LIMIT: usize = 65_535;
const SCRIPT_DATA_LIMIT: usize = 65_535;

/// Returns the label that a server shall have, if one is given. `own` is the
/// server that may have it already.
pub(crate) fn new_label(
    desk: &Desk<'_>,
    given: &Value,
    own: Option<u64>,
) -> Result<Option<String>, Refusal> {
    let refused = |reason: &str| Err(Refusal::field("label", reason));
    let label = match given {
        Value::Null => return Ok(None),
        Value::String(label) => label,
        _ => return refused("label must be a string"),
    };
    if !(3..=64).contains(&label.len()) {
        return refused("Length must be 3-64 characters");
    }
    let allowed = |it: u8| it.is_ascii_alphanumeric() || matches!(it, b'-' | b'_' | b'.');
    let twice = ["--", "__", ".."].iter().any(|it| label.contains(it));
    let begins = label.starts_with(|it: char| it.is_ascii_alphabetic());
    let ends = label.ends_with(|it: char| it.is_ascii_alphanumeric());
    if !label.bytes().all(allowed) || twice || !begins || !ends {
        return refused(
            "Must begin with a letter, end with a letter or number, and have only letters, \
             numbers, and single dashes, underscores, and periods between",
        );
    }
    let taken = |id: u64, it: &str| Some(id) != own && it == label;
    if desk.account.living().any(|it| taken(it.id, &it.label)) {
        return refused(LABEL_TAKEN);
    }
    Ok(Some(label.clone()))
}

/// Returns a tag, or why it is none.
pub(crate) fn tag(given: &Value) -> Result<String, &'static str> {
    match given.as_str() {
        Some(tag) if (3..=50).contains(&tag.chars().count()) => Ok(tag.to_owned()),
        Some(_) => Err("Length must be 3-50 characters"),
        None => Err("Must be a string"),
    }
}

/// Returns the tags of a list.
pub(crate) fn tags(given: &Value) -> Result<Vec<String>, Refusal> {
    let given = match given {
        Value::Null => return Ok(Vec::new()),
        Value::Array(tags) => tags,
        _ => return Err(Refusal::field("tags", "tags must be a list")),
    };
    let mut tags: Vec<String> = Vec::new();
    for given in given {
        let tag = tag(given).map_err(|reason| Refusal::field("tags", reason))?;
        if !tags.contains(&tag) {
            tags.push(tag);
        }
    }
    Ok(tags)
}

/// Refuses a password that is too short, too long or easily guessed.
pub(crate) fn root_pass(given: &Value) -> Result<(), Refusal> {
    let Some(password) = given.as_str() else {
        return Err(Refusal::field("root_pass", "root_pass must be a string"));
    };
    let length = password.chars().count();
    if !(7..=128).contains(&length) {
        let reason = "Length must be 7-128 characters";
        return Err(Refusal::field("root_pass", reason));
    }
    // The vendor's score is a secret; any rule that refuses the worst and lets
    // generated passwords through stands for it.
    let kinds = [
        password.contains(|it: char| it.is_lowercase()),
        password.contains(|it: char| it.is_uppercase()),
        password.contains(|it: char| it.is_numeric()),
        password.contains(|it: char| !it.is_alphanumeric()),
    ];
    let kinds = kinds.into_iter().filter(|it| *it).count();
    let mut different: Vec<char> = password.chars().collect();
    different.sort_unstable();
    different.dedup();
    let long_enough = match kinds {
        0 | 1 => length >= 20,
        2 => length >= 11,
        _ => length >= 8,
    };
    if long_enough && different.len() >= 6 {
        return Ok(());
    }
    Err(Refusal::field("root_pass", WEAK_PASSWORD))
}

/// Returns what a body says about the system to be installed, on a server of
/// this type and in this region.
pub(crate) fn system(
    desk: &Desk<'_>,
    body: &Value,
    kind: Option<&Type>,
    region: Option<&Region>,
    complaints: &mut Complaints,
) -> System {
    let image = complaints.hear(image(desk, &body["image"], kind)).flatten();
    let had_root_pass = match &body["root_pass"] {
        Value::Null => false,
        given => complaints.hear(root_pass(given)).is_some(),
    };
    let authorized_keys = complaints.hear(authorized_keys(&body["authorized_keys"]));
    let authorized_users = complaints.hear(authorized_users(desk, &body["authorized_users"]));
    let given = |name: &str| !matches!(&body[name], Value::Null) && body[name] != "";
    let way_in = given("root_pass")
        || [&authorized_keys, &authorized_users]
            .into_iter()
            .any(|it| it.as_ref().is_none_or(|it| !it.is_empty()));
    if given("image") && !way_in {
        complaints.hear::<()>(Err(Refusal::field("root_pass", NO_WAY_IN)));
    }
    let user_data = body.pointer("/metadata/user_data").unwrap_or(&Value::Null);
    let user_data = complaints.hear(user_data_for(user_data, region, image.as_ref()));
    let stackscript = complaints.hear(stackscript(desk, body, image.as_ref()));
    System {
        image: text(image.as_ref(), "id").map(str::to_owned),
        user_data: user_data.flatten(),
        had_root_pass,
        authorized_keys: authorized_keys.unwrap_or_default(),
        authorized_users: authorized_users.unwrap_or_default(),
        stackscript: stackscript.flatten(),
        stackscript_data: told(&body["stackscript_data"]),
        disk_encryption: disk_encryption(body, region),
    }
}

fn image(desk: &Desk<'_>, given: &Value, kind: Option<&Type>) -> Result<Option<Value>, Refusal> {
    let id = match given {
        Value::Null => return Ok(None),
        Value::String(id) => id,
        _ => return Err(Refusal::field("image", BAD_IMAGE)),
    };
    let image = images::usable(desk, id);
    let image = image.ok_or_else(|| Refusal::field("image", BAD_IMAGE))?;
    let needed = image.get("size").and_then(Value::as_u64).unwrap_or(0);
    if kind.is_some_and(|it| it.disk_mib < needed) {
        let reason = "The image is larger than the disk of this plan";
        return Err(Refusal::field("image", reason));
    }
    Ok(Some(image))
}

fn authorized_keys(given: &Value) -> Result<Vec<String>, Refusal> {
    let field = "authorized_keys";
    let keys = strings(field, given)?;
    match keys.iter().position(|it| key_bytes(it).is_none()) {
        None => Ok(keys),
        Some(place) => {
            let reason = format!("SSH Key {} is not valid", place.saturating_add(1));
            Err(Refusal::field(field, reason))
        }
    }
}

fn authorized_users(desk: &Desk<'_>, given: &Value) -> Result<Vec<String>, Refusal> {
    let field = "authorized_users";
    let users = strings(field, given)?;
    let own = desk.account.username();
    match users.iter().find(|it| **it != own) {
        None => Ok(users),
        Some(user) => Err(Refusal::field(field, format!("User {user} does not exist"))),
    }
}

fn strings(field: &str, given: &Value) -> Result<Vec<String>, Refusal> {
    let refused = || Refusal::field(field, format!("{field} must be a list of strings"));
    match given {
        Value::Null => Ok(Vec::new()),
        Value::Array(items) => items
            .iter()
            .map(|it| it.as_str().map(str::to_owned).ok_or_else(refused))
            .collect(),
        _ => Err(refused()),
    }
}

fn user_data_for(
    given: &Value,
    region: Option<&Region>,
    image: Option<&Value>,
) -> Result<Option<String>, Refusal> {
    let refused = |reason: &str| Err(Refusal::field("metadata.user_data", reason));
    let encoded = match given {
        Value::Null => return Ok(None),
        Value::String(encoded) => encoded,
        _ => return refused("Must be a string"),
    };
    let Ok(bytes) = STANDARD.decode(encoded) else {
        return refused("Must be base64-encoded");
    };
    if bytes.len() > USER_DATA_LIMIT {
        return refused("Must be at most 65535 bytes, decoded");
    }
    if region.is_some_and(|it| !it.can("Metadata")) {
        return refused("The Metadata service is not available in this region");
    }
    let cloud_init = |it: &Value| {
        let capabilities = it["capabilities"].as_array();
        capabilities.is_some_and(|it| it.iter().any(|it| it == "cloud-init"))
    };
    if image.is_some_and(|it| !cloud_init(it)) {
        return refused("This image is not compatible with cloud-init");
    }
    Ok(Some(String::from_utf8_lossy(&bytes).into_owned()))
}

/// Returns what a script was told, for tests.
fn told(data: &Value) -> Value {
    let mut data = data.clone();
    hide(&mut data, &["*password*"]);
    data
}

fn stackscript(
    desk: &Desk<'_>,
    body: &Value,
    image: Option<&Value>,
) -> Result<Option<u64>, Refusal> {
    let data = &body["stackscript_data"];
    let id = match &body["stackscript_id"] {
        Value::Null if data.is_null() => return Ok(None),
        Value::Null => {
            let reason = "stackscript_data needs a stackscript_id";
            return Err(Refusal::field("stackscript_data", reason));
        }
        id => id.as_u64(),
    };
    let refused = |reason: &str| Err(Refusal::field("stackscript_id", reason));
    let Some(script) = id.and_then(|id| stackscripts::find(desk, id)) else {
        return refused("stackscript_id is not valid");
    };
    let Some(image) = text(image, "id") else {
        return refused("A StackScript needs an image");
    };
    if !image.starts_with("linode/") {
        return refused("A StackScript cannot be used with a private image");
    }
    if !script.runs_on(image) {
        return refused("The StackScript does not support this image");
    }
    let refused = |reason: String| Err(Refusal::field("stackscript_data", reason));
    if !matches!(data, Value::Null | Value::Object(_)) {
        return refused("Must be an object".to_owned());
    }
    if data.to_string().len() > SCRIPT_DATA_LIMIT {
        return refused("Must be at most 65535 characters".to_owned());
    }
    if let Some((name, reason)) = script.complaint(data) {
        let field = format!("stackscript_data.{name}");
        return Err(Refusal::field(&field, reason));
    }
    Ok(Some(script.id))
}

fn text<'a>(object: Option<&'a Value>, name: &str) -> Option<&'a str> {
    object?.get(name)?.as_str()
}

fn disk_encryption(body: &Value, region: Option<&Region>) -> String {
    let usual = if region.is_some_and(|it| it.can("Disk Encryption")) {
        "enabled"
    } else {
        "disabled"
    };
    body["disk_encryption"].as_str().unwrap_or(usual).to_owned()
}
