//! Our requests in Linode's words, checked before anything is sent.

use std::num::NonZeroU64;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use roadstead_core::{Action, CreateInstance, Error, Market, Result, Secret};
use serde_json::Value;
use uuid::Uuid;

use crate::descriptor::{NAME_MAX, NAME_MIN, NO_HARD_RESET, NO_POWER_OFF, USER_DATA_MAX};
use crate::error::{invalid, kind};
use crate::job::Verb;
use crate::options;
use crate::wire;

pub(crate) const CREATE: &str = Verb::Create.operation();

pub(crate) const SCHEDULE: &str = "set the backup schedule";

/// Interfaces that belong to the boot configuration. Whatever the account makes by default,
/// this is the form in which we send them.
const CONFIG_INTERFACES: &str = "legacy_config";

/// Returns the creating request, without the keys of the request.
///
/// # Errors
///
/// `Invalid` with the field that is wrong.
pub(crate) fn create(request: &CreateInstance) -> Result<wire::CreateLinode> {
    check_name(CREATE, &request.key.name)?;
    for (field, text) in [
        ("type", request.plan.as_str()),
        ("region", request.region.as_str()),
        ("image", request.image.as_str()),
    ] {
        if text.trim().is_empty() {
            return Err(invalid(CREATE, field, format!("the {field} is missing")));
        }
    }
    if request.market.is_some_and(|it| it != Market::OnDemand) {
        return Err(invalid(
            CREATE,
            "market",
            "Linode sells servers on demand only",
        ));
    }
    let options = options::read(
        CREATE,
        request.options.as_ref(),
        &request.image,
        request.backups,
    )?;
    let root_pass = match &request.root_password {
        Some(password) => Some(checked(CREATE, password)?),
        None if request.ssh_keys.is_empty() && options.authorized_users.is_empty() => {
            Some(unknown_password())
        }
        None => None,
    };
    Ok(wire::CreateLinode {
        label: request.key.name.clone(),
        region: request.region.0.clone(),
        plan: request.plan.0.clone(),
        image: request.image.0.clone(),
        root_pass,
        authorized_keys: Vec::new(),
        authorized_users: options.authorized_users,
        tags: tags(request)?,
        backups_enabled: request.backups,
        private_ip: request.private_network,
        booted: true,
        metadata: metadata(CREATE, request.user_data.as_ref())?,
        stackscript_id: options.stackscript_id,
        stackscript_data: options
            .stackscript_data
            .into_iter()
            .filter_map(|(name, answer)| Some((name, told(answer)?)))
            .collect(),
        firewall_id: options.firewall_id,
        interface_generation: options.vpc_subnet_id.map(|_| CONFIG_INTERFACES),
        interfaces: options.vpc_subnet_id.map(interfaces).unwrap_or_default(),
        placement_group: options
            .placement_group_id
            .map(|id| wire::PlacementGroup { id }),
        swap_size: options.swap_size,
        disk_encryption: options.disk_encryption,
    })
}

/// Returns a change of when backups are made, if the request asks for one.
///
/// # Errors
///
/// As [`create`].
pub(crate) fn backup_change(request: &CreateInstance) -> Result<Option<wire::BackupChange>> {
    let options = options::read(
        SCHEDULE,
        request.options.as_ref(),
        &request.image,
        request.backups,
    )?;
    Ok(options.backup_schedule.map(|it| wire::BackupChange {
        backups: wire::Backups {
            schedule: wire::Schedule {
                day: it.day,
                window: format!("W{}", it.hour),
            },
        },
    }))
}

/// The public interface comes first, and is the way out.
fn interfaces(subnet_id: NonZeroU64) -> Vec<wire::Interface> {
    vec![wire::Interface::Public, wire::Interface::Vpc { subnet_id }]
}

/// Linode takes several answers to a field as one text.
fn told(answer: Value) -> Option<Value> {
    match answer {
        Value::Null => None,
        Value::Array(texts) => {
            let texts: Vec<&str> = texts.iter().filter_map(Value::as_str).collect();
            Some(Value::String(texts.join(",")))
        }
        other => Some(other),
    }
}

/// Returns a strong password that nobody learns.
///
/// Linode refuses an image with neither a password nor a key, although such a server is of
/// use: user data may bring its own way in, and the password can be reset later.
fn unknown_password() -> Secret<String> {
    let (first, second) = (Uuid::new_v4(), Uuid::new_v4());
    let mut random = Vec::with_capacity(32);
    random.extend_from_slice(first.as_bytes());
    random.extend_from_slice(second.as_bytes());
    // Letters of each kind, whatever the dice say.
    Secret::new(format!("Rs7-{}", STANDARD.encode(random)))
}

/// Returns the password, if Linode can take it. How strong it must be, only Linode knows.
fn checked(operation: &'static str, password: &Secret<String>) -> Result<Secret<String>> {
    let text = password.expose();
    let length = text.chars().count();
    if (7..=128).contains(&length) && !text.chars().any(char::is_control) {
        return Ok(password.clone());
    }
    let message = "the password must have 7 to 128 characters and no control characters";
    Err(invalid(operation, "rootPassword", message))
}

fn metadata(
    operation: &'static str,
    text: Option<&Secret<String>>,
) -> Result<Option<wire::Metadata>> {
    let Some(text) = text.filter(|it| !it.expose().is_empty()) else {
        return Ok(None);
    };
    let max = usize::try_from(USER_DATA_MAX).unwrap_or(usize::MAX);
    if text.expose().len() > max {
        let message = "the user data exceeds 65,535 bytes";
        return Err(invalid(operation, "user_data", message));
    }
    Ok(Some(wire::Metadata {
        user_data: Secret::new(STANDARD.encode(text.expose())),
    }))
}

/// Returns the mark and the member's own tags, each once.
fn tags(request: &CreateInstance) -> Result<Vec<Box<str>>> {
    let mut tags: Vec<Box<str>> = request.key.tags().map(Box::from).to_vec();
    for tag in &request.tags {
        // To Linode two tags that differ in case may be one.
        if !tags.iter().any(|it| it.eq_ignore_ascii_case(tag)) {
            tags.push(tag.clone());
        }
    }
    check_tags(CREATE, &tags)?;
    Ok(tags)
}

/// Refuses what Linode takes for no tag.
pub(crate) fn check_tags(operation: &'static str, tags: &[impl AsRef<str>]) -> Result<()> {
    let fine = |it: &str| {
        (3..=50).contains(&it.chars().count()) && !it.chars().any(|it| it.is_control() || it == ',')
    };
    if tags.iter().all(|it| fine(it.as_ref())) {
        return Ok(());
    }
    let message = "a tag has 3 to 50 characters, without commas";
    Err(invalid(operation, "tags", message))
}

/// Linode's rule is a little wider than the descriptor's: separators may follow each other
/// if they differ.
fn check_name(operation: &'static str, name: &str) -> Result<()> {
    let letters = name
        .bytes()
        .all(|it| it.is_ascii_alphanumeric() || b"-_.".contains(&it));
    let length = (usize::from(NAME_MIN)..=usize::from(NAME_MAX)).contains(&name.len());
    let begins = name.starts_with(|it: char| it.is_ascii_alphabetic());
    let ends = name.ends_with(|it: char| it.is_ascii_alphanumeric());
    let doubled = ["--", "__", ".."].iter().any(|it| name.contains(it));
    if letters && length && begins && ends && !doubled {
        return Ok(());
    }
    let message = "a label has 3 to 64 letters, digits and single hyphens, underscores or dots, \
                   begins with a letter and ends with a letter or digit";
    Err(invalid(operation, "label", message))
}

/// Returns what to ask of Linode, with the parameters. The disks of a rescue are left to the
/// caller, and a deletion has no body.
///
/// # Errors
///
/// `Unsupported` for what Linode cannot do, `Invalid` for a wrong label or password.
pub(crate) fn action(action: &Action) -> Result<(Verb, Option<wire::ActionBody>)> {
    Ok(match action {
        Action::Boot => (Verb::Boot, None),
        Action::Shutdown => (Verb::Shutdown, None),
        Action::Reboot => (Verb::Reboot, None),
        Action::Delete => (Verb::Delete, None),
        Action::Rescue => (Verb::Rescue, None),
        Action::Rename { name } => {
            check_name(Verb::Rename.operation(), name)?;
            let label = name.clone();
            (Verb::Rename, Some(wire::ActionBody::Rename { label }))
        }
        Action::Resize { plan, grow_disk } => {
            let resize = wire::ActionBody::Resize {
                plan: plan.0.clone(),
                allow_auto_disk_resize: *grow_disk,
                migration_type: "cold",
            };
            (Verb::Resize, Some(resize))
        }
        Action::Rebuild {
            image,
            root_password,
            ssh_keys,
            user_data,
        } => {
            let operation = Verb::Rebuild.operation();
            if image.as_str().trim().is_empty() {
                return Err(invalid(operation, "image", "the image is missing"));
            }
            let root_pass = match root_password {
                None if !ssh_keys.is_empty() => unknown_password(),
                password => required(Verb::Rebuild, password.as_ref())?,
            };
            let rebuild = wire::ActionBody::Rebuild {
                image: image.0.clone(),
                root_pass,
                authorized_keys: authorized_keys(operation, ssh_keys)?,
                metadata: metadata(operation, user_data.as_ref())?,
            };
            (Verb::Rebuild, Some(rebuild))
        }
        Action::ResetPassword { root_password } => {
            let root_pass = required(Verb::Password, root_password.as_ref())?;
            (
                Verb::Password,
                Some(wire::ActionBody::Password { root_pass }),
            )
        }
        Action::PowerOff => return Err(unsupported("power off the instance", NO_POWER_OFF)),
        Action::HardReset => return Err(unsupported("reset the instance", NO_HARD_RESET)),
        _ => {
            return Err(unsupported(
                "act on the instance",
                "this version does not know the action",
            ));
        }
    })
}

/// A rebuild takes public keys only in full: one that the account has would have to be fetched
/// first.
fn authorized_keys(operation: &'static str, keys: &[Box<str>]) -> Result<Vec<Box<str>>> {
    let is_full = |it: &str| {
        let mut words = it.split_ascii_whitespace();
        let kind = words.next().unwrap_or_default();
        let known = ["ssh-", "ecdsa-", "sk-"];
        known.iter().any(|it| kind.starts_with(it)) && words.next().is_some()
    };
    if keys.iter().all(|it| is_full(it)) && !keys.iter().any(|it| it.chars().any(char::is_control))
    {
        return Ok(keys.to_vec());
    }
    let message = "Linode takes keys in OpenSSH form for this, not their ids";
    Err(invalid(operation, "ssh_keys", message))
}

/// Linode sets the password it is given and makes up none.
fn required(verb: Verb, password: Option<&Secret<String>>) -> Result<Secret<String>> {
    let operation = verb.operation();
    match password {
        Some(password) => checked(operation, password),
        None => Err(invalid(
            operation,
            "rootPassword",
            "Linode needs a new root password for this",
        )),
    }
}

fn unsupported(operation: &'static str, why: &'static str) -> Error {
    Error::unsupported(kind(), operation, why)
}

#[cfg(test)]
mod tests {
    use roadstead_core::{CreateKey, ErrorKind};
    use serde_json::json;

    use super::*;

    fn request() -> CreateInstance {
        CreateInstance {
            key: CreateKey::new("d1", Uuid::nil(), "web"),
            plan: "g6-nanode-1".into(),
            region: "us-east".into(),
            image: "linode/ubuntu24.04".into(),
            ssh_keys: Vec::new(),
            root_password: Some(Secret::from("correct-Horse-7")),
            user_data: None,
            tags: vec!["Web".into(), "web".into()],
            backups: false,
            ipv6: true,
            private_network: false,
            market: None,
            options: None,
        }
    }

    fn json_of(request: &CreateInstance) -> Value {
        serde_json::to_value(create(request).unwrap()).unwrap()
    }

    #[test]
    fn the_mark_goes_into_the_label_and_into_the_tags() {
        assert_eq!(
            json_of(&request()),
            json!({
                "label": "web-00000000000000000000000000",
                "region": "us-east", "type": "g6-nanode-1", "image": "linode/ubuntu24.04",
                "root_pass": "correct-Horse-7", "booted": true,
                "backups_enabled": false, "private_ip": false,
                "tags": ["rs:d:d1", "rs:i:00000000000000000000000000", "Web"],
            })
        );
    }

    #[test]
    fn options_and_user_data_are_sent_in_the_vendors_form() {
        let mut request = request();
        request.user_data = Some(Secret::from("#cloud-config\n"));
        request.private_network = true;
        request.options = Some(json!({
            "stackscript_id": 5, "stackscript_data": { "a": "b", "c": ["d", "e"], "f": null },
            "placement_group_id": 528, "disk_encryption": "enabled", "firewall_id": 9,
            "swap_size": 1024, "vpc_subnet_id": 456
        }));
        let body = json_of(&request);
        assert_eq!(
            body["metadata"],
            json!({ "user_data": "I2Nsb3VkLWNvbmZpZwo=" })
        );
        assert_eq!(body["placement_group"], json!({ "id": 528 }));
        assert_eq!(body["stackscript_data"], json!({ "a": "b", "c": "d,e" }));
        assert_eq!(body["interface_generation"], "legacy_config");
        assert_eq!(
            body["interfaces"],
            json!([{ "purpose": "public" }, { "purpose": "vpc", "subnet_id": 456 }])
        );
        assert_eq!(
            (&body["firewall_id"], &body["swap_size"]),
            (&json!(9), &json!(1024))
        );
        assert_eq!(body["disk_encryption"], "enabled");
        assert_eq!(body["private_ip"], true);
    }

    #[test]
    fn a_backup_schedule_is_a_change_of_its_own() {
        let mut request = request();
        assert!(backup_change(&request).unwrap().is_none());
        request.backups = true;
        request.options = Some(json!({ "backup_schedule": { "day": "Friday", "hour": 10 } }));
        assert_eq!(
            serde_json::to_value(backup_change(&request).unwrap()).unwrap(),
            json!({ "backups": { "schedule": { "day": "Friday", "window": "W10" } } })
        );
        assert!(json_of(&request).get("backups").is_none());
    }

    #[test]
    fn a_server_without_any_way_in_gets_a_password_that_is_never_the_same() {
        let mut request = request();
        request.root_password = None;
        let of = |it: &CreateInstance| json_of(it)["root_pass"].as_str().map(str::to_owned);
        let (first, second) = (of(&request).unwrap(), of(&request).unwrap());
        assert!(
            first != second && first.len() > 40 && first.len() <= 128,
            "{first}"
        );
        request.ssh_keys = vec!["ssh-ed25519 AAAA".into()];
        assert_eq!(of(&request), None);
        request.ssh_keys.clear();
        request.options = Some(json!({ "authorized_users": ["me"] }));
        assert_eq!(of(&request), None);
    }

    #[test]
    fn a_wrong_field_is_named() {
        let check = |change: fn(&mut CreateInstance), field: &str| {
            let mut request = request();
            change(&mut request);
            let error = create(&request).map(drop).unwrap_err();
            assert_eq!(
                (error.kind, error.field.as_deref()),
                (ErrorKind::Invalid, Some(field))
            );
        };
        for name in [
            "we", "1web", "web-", "we--b", "we__b", "we..b", "we b", "wéb",
        ] {
            let mut request = request();
            request.key.name = name.into();
            let error = create(&request).map(drop).unwrap_err();
            assert_eq!(error.field.as_deref(), Some("label"), "{name}");
        }
        check(|it| it.key.name = "x".repeat(65).into(), "label");
        check(|it| it.tags = vec!["ab".into()], "tags");
        check(|it| it.tags = vec!["a,b".into()], "tags");
        check(|it| it.plan = "".into(), "type");
        check(|it| it.market = Some(Market::Spot), "market");
        check(|it| it.options = Some(json!({ "x": 1 })), "options.x");
        check(
            |it| it.root_password = Some(Secret::from("short")),
            "rootPassword",
        );
        check(
            |it| it.user_data = Some(Secret::new("x".repeat(65_536))),
            "user_data",
        );
    }

    #[test]
    fn what_the_vendor_cannot_do_is_refused_with_the_reason() {
        for it in [Action::PowerOff, Action::HardReset] {
            assert_eq!(
                action(&it).map(drop).unwrap_err().kind,
                ErrorKind::Unsupported
            );
        }
    }

    #[test]
    fn linode_makes_up_no_password() {
        for it in [
            Action::ResetPassword {
                root_password: None,
            },
            Action::Rebuild {
                image: "linode/debian12".into(),
                root_password: None,
                ssh_keys: Vec::new(),
                user_data: None,
            },
        ] {
            let error = action(&it).map(drop).unwrap_err();
            assert_eq!(error.field.as_deref(), Some("rootPassword"), "{it:?}");
        }
    }

    #[test]
    fn separators_may_follow_each_other_if_they_differ() {
        let rule = crate::descriptor().limits.name;
        assert_eq!((rule.min, rule.max, rule.unique), (3, 64, true));
        check_name("x", "a-b_c.d9").unwrap();
        check_name("x", "a-_b").unwrap();
    }
}
