//! Our requests in DigitalOcean's words, checked before anything is sent.

use roadstead_core::{Action, CreateInstance, Error, Market, Result};
use uuid::Uuid;

use crate::descriptor::{NAME_MAX, NO_RESCUE};
use crate::error::{invalid, kind};
use crate::options;
use crate::user_data::user_data;
use crate::wire;

pub(crate) const CREATE: &str = "create the instance";

/// The longest tag.
const TAG_MAX: usize = 255;

/// Returns the creating request. `ssh_keys` are those of the request that DigitalOcean has.
///
/// # Errors
///
/// `Invalid` with the field that is wrong.
pub(crate) fn create(
    request: &CreateInstance,
    ssh_keys: Vec<wire::NumberOrText>,
) -> Result<wire::CreateDroplet> {
    check_name(CREATE, &request.key.name)?;
    for (field, text) in [
        ("plan", request.plan.as_str()),
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
            "DigitalOcean sells droplets on demand only",
        ));
    }
    let options = options::read(CREATE, request.options.as_ref(), request.backups)?;
    Ok(wire::CreateDroplet {
        name: request.key.name.clone(),
        region: request.region.0.clone(),
        size: request.plan.0.clone(),
        image: request.image.as_str().into(),
        ssh_keys,
        backups: request.backups,
        backup_policy: options.backup_policy,
        ipv6: request.ipv6,
        monitoring: options.monitoring,
        tags: tags(request)?,
        user_data: user_data(
            CREATE,
            request.root_password.as_ref(),
            request.user_data.as_ref(),
        )?,
        vpc_uuid: options.vpc_uuid.map(|it| it.to_string().into()),
        with_droplet_agent: options.with_droplet_agent,
    })
}

/// Returns the firewall that a request asks for.
///
/// # Errors
///
/// As [`create`].
pub(crate) fn firewall(request: &CreateInstance) -> Result<Option<Uuid>> {
    let options = options::read(CREATE, request.options.as_ref(), request.backups)?;
    Ok(options.firewall_id)
}

/// Puts a droplet to be behind a firewall, which takes droplets by their tags.
///
/// # Errors
///
/// `Invalid` for a firewall that goes by no tag.
pub(crate) fn put_behind(body: &mut wire::CreateDroplet, firewall: wire::Firewall) -> Result<()> {
    let Some(tag) = firewall.tags.unwrap_or_default().into_iter().next() else {
        let message = "the firewall goes by no tag; give it one at DigitalOcean first";
        return Err(invalid(CREATE, "options.firewall_id", message));
    };
    if !body.tags.iter().any(|it| it.eq_ignore_ascii_case(&tag)) {
        body.tags.push(tag);
    }
    Ok(())
}

/// Returns the mark and the member's own tags, each once.
fn tags(request: &CreateInstance) -> Result<Vec<Box<str>>> {
    let mut tags: Vec<Box<str>> = request.key.tags().map(Box::from).to_vec();
    for tag in &request.tags {
        // To DigitalOcean two tags that differ in case are one.
        if !tags.iter().any(|it| it.eq_ignore_ascii_case(tag)) {
            tags.push(tag.clone());
        }
    }
    check_tags(CREATE, &tags)?;
    Ok(tags)
}

/// Refuses what DigitalOcean takes for no tag.
pub(crate) fn check_tags(operation: &'static str, tags: &[impl AsRef<str>]) -> Result<()> {
    let fine = |it: &str| {
        (1..=TAG_MAX).contains(&it.len())
            && it
                .bytes()
                .all(|it| it.is_ascii_alphanumeric() || b":-_".contains(&it))
    };
    if tags.iter().all(|it| fine(it.as_ref())) {
        return Ok(());
    }
    let message = "a tag consists of 1 to 255 letters, digits, colons, hyphens and underscores";
    Err(invalid(operation, "tags", message))
}

fn check_name(operation: &'static str, name: &str) -> Result<()> {
    let letters = name
        .bytes()
        .all(|it| it.is_ascii_alphanumeric() || b".-".contains(&it));
    let ends = name.ends_with(|it: char| it.is_ascii_alphanumeric());
    if letters && ends && name.len() <= usize::from(NAME_MAX) {
        return Ok(());
    }
    let message = "a name consists of at most 255 letters, digits, dots and hyphens, and ends \
                   with a letter or digit";
    Err(invalid(operation, "name", message))
}

/// Returns an action with its verb phrase. A deletion is none.
///
/// # Errors
///
/// `Unsupported` for what DigitalOcean cannot do, `Invalid` for a wrong name.
pub(crate) fn action(action: &Action) -> Result<(&'static str, wire::DropletAction)> {
    Ok(match action {
        Action::Boot => ("boot the instance", wire::DropletAction::PowerOn),
        Action::Shutdown => ("shut down the instance", wire::DropletAction::Shutdown),
        Action::PowerOff => ("power off the instance", wire::DropletAction::PowerOff),
        Action::Reboot => ("reboot the instance", wire::DropletAction::Reboot),
        Action::HardReset => ("reset the instance", wire::DropletAction::PowerCycle),
        Action::Rename { name } => {
            check_name("rename the instance", name)?;
            (
                "rename the instance",
                wire::DropletAction::Rename { name: name.clone() },
            )
        }
        Action::Resize { plan, grow_disk } => {
            let resize = wire::DropletAction::Resize {
                size: plan.0.clone(),
                disk: *grow_disk,
            };
            ("resize the instance", resize)
        }
        Action::Rebuild {
            root_password: Some(_),
            ..
        } => {
            let why = "DigitalOcean takes no password when it rebuilds a droplet";
            return Err(unsupported("rebuild the instance", why).with_field("rootPassword"));
        }
        Action::Rebuild { ssh_keys, .. } if !ssh_keys.is_empty() => {
            let why = "DigitalOcean takes no SSH keys when it rebuilds a droplet: it keeps those \
                       that the droplet was created with";
            return Err(unsupported("rebuild the instance", why).with_field("ssh_keys"));
        }
        Action::Rebuild {
            user_data: Some(_), ..
        } => {
            let why = "DigitalOcean takes no user data when it rebuilds a droplet";
            return Err(unsupported("rebuild the instance", why).with_field("user_data"));
        }
        Action::Rebuild { image, .. } => {
            if image.as_str().trim().is_empty() {
                let message = "the image is missing";
                return Err(invalid("rebuild the instance", "image", message));
            }
            let rebuild = wire::DropletAction::Rebuild {
                image: image.as_str().into(),
            };
            ("rebuild the instance", rebuild)
        }
        Action::ResetPassword {
            root_password: None,
        } => (
            "reset the root password",
            wire::DropletAction::PasswordReset,
        ),
        Action::ResetPassword {
            root_password: Some(_),
        } => {
            let why = "DigitalOcean mails a password of its own making";
            return Err(unsupported("reset the root password", why).with_field("rootPassword"));
        }
        Action::Rescue => return Err(unsupported("start the rescue system", NO_RESCUE)),
        _ => {
            return Err(unsupported(
                "act on the instance",
                "this version does not know the action",
            ));
        }
    })
}

fn unsupported(operation: &'static str, why: &'static str) -> Error {
    Error::unsupported(kind(), operation, why)
}

#[cfg(test)]
mod tests {
    use roadstead_core::{CreateKey, ErrorKind, Secret};
    use serde_json::json;

    use super::*;

    fn request() -> CreateInstance {
        CreateInstance {
            key: CreateKey::new("d1", Uuid::nil(), "web"),
            plan: "s-1vcpu-1gb".into(),
            region: "nyc3".into(),
            image: "ubuntu-24-04-x64".into(),
            ssh_keys: Vec::new(),
            root_password: None,
            user_data: None,
            tags: vec!["Web".into(), "web".into()],
            backups: false,
            ipv6: true,
            private_network: false,
            market: None,
            options: None,
        }
    }

    #[test]
    fn the_mark_goes_into_the_name_and_into_the_tags() {
        let mut request = request();
        request.image = "63663980".into();
        request.options = Some(json!({ "monitoring": true }));
        let body = serde_json::to_value(create(&request, vec!["512189".into()]).unwrap()).unwrap();
        assert_eq!(
            body,
            json!({
                "name": "web-00000000000000000000000000",
                "region": "nyc3", "size": "s-1vcpu-1gb", "image": 63663980, "ssh_keys": [512189],
                "backups": false, "ipv6": true, "monitoring": true,
                "tags": ["rs:d:d1", "rs:i:00000000000000000000000000", "Web"],
            })
        );
    }

    #[test]
    fn a_firewall_takes_a_droplet_by_a_tag() {
        let tags_with = |tags: serde_json::Value| {
            let firewall = json!({ "id": "f", "name": "web", "tags": tags });
            let mut body = create(&request(), Vec::new()).unwrap();
            put_behind(&mut body, serde_json::from_value(firewall).unwrap())?;
            Ok(body
                .tags
                .iter()
                .map(ToString::to_string)
                .collect::<Vec<_>>())
        };
        let own = ["rs:d:d1", "rs:i:00000000000000000000000000", "Web"];
        let tags = tags_with(json!(["fw:a", "fw:b"])).unwrap();
        assert_eq!(tags, [own[0], own[1], own[2], "fw:a"]);
        assert_eq!(tags_with(json!(["web"])).unwrap(), own);
        for none in [json!([]), json!(null)] {
            let error: Error = tags_with(none).unwrap_err();
            assert_eq!(error.field.as_deref(), Some("options.firewall_id"));
        }
    }

    #[test]
    fn a_wrong_field_is_named() {
        let check = |change: fn(&mut CreateInstance), field: &str| {
            let mut request = request();
            change(&mut request);
            let error = create(&request, Vec::new()).map(drop).unwrap_err();
            assert_eq!(
                (error.kind, error.field.as_deref()),
                (ErrorKind::Invalid, Some(field))
            );
        };
        check(|it| it.key.name = "web_1".into(), "name");
        check(|it| it.key.name = "web-".into(), "name");
        check(|it| it.key.name = "".into(), "name");
        check(|it| it.key.name = "x".repeat(256).into(), "name");
        check(|it| it.tags = vec!["a b".into()], "tags");
        check(|it| it.plan = "".into(), "plan");
        check(|it| it.market = Some(Market::Spot), "market");
        check(|it| it.options = Some(json!({ "x": 1 })), "options.x");
        check(
            |it| it.options = Some(json!({"backup_policy": {"plan": "daily"}})),
            "options.backup_policy",
        );
        check(
            |it| it.root_password = Some(Secret::from("short")),
            "rootPassword",
        );
    }

    #[test]
    fn what_the_vendor_cannot_do_is_refused_with_the_reason() {
        let password = Some(Secret::from("correct horse"));
        for it in [
            Action::Rescue,
            Action::ResetPassword {
                root_password: password.clone(),
            },
            Action::Rebuild {
                image: "debian-12-x64".into(),
                root_password: password,
                ssh_keys: Vec::new(),
                user_data: None,
            },
            Action::Rebuild {
                image: "debian-12-x64".into(),
                root_password: None,
                ssh_keys: vec!["ssh-ed25519 AAAA".into()],
                user_data: None,
            },
            Action::Rebuild {
                image: "debian-12-x64".into(),
                root_password: None,
                ssh_keys: Vec::new(),
                user_data: Some(Secret::from("#cloud-config")),
            },
        ] {
            assert_eq!(action(&it).unwrap_err().kind, ErrorKind::Unsupported);
        }
    }
}
