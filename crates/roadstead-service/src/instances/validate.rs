//! A creating request against the vendor's catalogue and descriptor: every wrong field at once.

use std::borrow::Cow;

use regex::Regex;
use roadstead_core::{
    Availability, CreateInstance, Descriptor, Feature, Image, Plan, Price, Provider, Region,
    RegionId, RootPassword, region_of,
};
use roadstead_repository::{InstancePatch, Specification};

use super::CreateServer;
use crate::error::{Error, FieldError, Result, public_field};
use crate::registry::Account;

/// The most tags of the member's own.
const MOST_TAGS: usize = 20;

/// The longest remarks.
const LONGEST_NOTES: usize = 10_000;

/// What a good request comes to.
pub(super) struct Checked {
    pub(super) specification: Specification,
    pub(super) price: Option<Price>,
}

/// Checks a request, and adds what is wrong to what was found already.
///
/// # Errors
///
/// [`Error::Invalid`] with every wrong field; [`Error::Provider`] when the catalogue cannot be read.
pub(super) async fn check(
    account: &Account,
    request: &CreateServer,
    asked: &CreateInstance,
    already: Vec<FieldError>,
) -> Result<Checked> {
    let mut faults = Faults(already);
    let descriptor = account.provider.descriptor();
    faults.label(descriptor, &request.label);
    faults.tags(&request.tags);
    faults.features(descriptor, request);

    let (plans, images, regions) = futures::try_join!(
        account.provider.get_plans(),
        account.provider.get_images(),
        account.provider.get_regions(),
    )?;
    let plan = plans.iter().find(|it| it.id.as_str() == request.plan);
    let image = images.iter().find(|it| it.id.as_str() == request.image);
    let region = region_of(&regions, &RegionId::from(request.region.as_str()));
    if plan.is_none() {
        faults.add(
            "type",
            format!("there is no plan `{}` at {}", request.plan, descriptor.name),
        );
    }
    if image.is_none() {
        faults.add(
            "image",
            format!(
                "there is no image `{}` at {}",
                request.image, descriptor.name
            ),
        );
    }
    match region {
        None => {
            let message = format!(
                "there is no region `{}` at {}",
                request.region, descriptor.name
            );
            faults.add("region", message);
        }
        Some(region) if !region.available => {
            faults.add(
                "region",
                format!("region `{}` takes no new servers now", region.id),
            );
        }
        Some(_) => {}
    }
    faults.combination(plan, image, region);
    faults.password(descriptor, request, image);
    faults.provider(&*account.provider, asked);
    match (plan, region, faults.0.is_empty()) {
        (Some(plan), Some(region), true) => Ok(Checked {
            specification: Specification {
                plan: plan.id.clone(),
                region: region.id.clone(),
                image: request.image.as_str().into(),
                vcpus: plan.vcpus,
                memory: plan.memory,
                disk: plan.disk,
            },
            price: plan.offering_in(&region.id).and_then(|it| it.price.clone()),
        }),
        _ => Err(Error::Invalid(faults.0)),
    }
}

/// Checks a change of label, tags or notes.
///
/// # Errors
///
/// [`Error::Invalid`] with every wrong field.
pub(super) fn check_patch(descriptor: &Descriptor, patch: &InstancePatch) -> Result<()> {
    let mut faults = Faults::default();
    if let Some(label) = &patch.label {
        faults.label(descriptor, label);
    }
    if let Some(tags) = &patch.tags {
        faults.tags(tags);
    }
    if patch
        .notes
        .as_ref()
        .is_some_and(|it| it.chars().count() > LONGEST_NOTES)
    {
        faults.add(
            "notes",
            format!("notes have at most {LONGEST_NOTES} characters"),
        );
    }
    if faults.0.is_empty() {
        Ok(())
    } else {
        Err(Error::Invalid(faults.0))
    }
}

#[derive(Default)]
struct Faults(Vec<FieldError>);

impl Faults {
    fn add(&mut self, field: &'static str, error: impl Into<String>) {
        self.0.push(FieldError {
            field: Cow::Borrowed(field),
            error: error.into(),
        });
    }

    fn label(&mut self, descriptor: &Descriptor, label: &str) {
        let rule = &descriptor.limits.name;
        let length = label.chars().count();
        let in_range = (usize::from(rule.min)..=usize::from(rule.max)).contains(&length);
        let fits = in_range && Regex::new(&rule.pattern).is_ok_and(|it| it.is_match(label));
        if !fits {
            let message = format!(
                "{} does not accept this label: {}",
                descriptor.name, rule.sentence
            );
            self.add("label", message);
        }
    }

    fn tags(&mut self, tags: &[String]) {
        let fits = |tag: &String| {
            (3..=50).contains(&tag.len())
                && tag
                    .bytes()
                    .all(|it| it.is_ascii_alphanumeric() || b"-_:".contains(&it))
        };
        if tags.len() > MOST_TAGS {
            self.add("tags", format!("at most {MOST_TAGS} tags"));
        } else if let Some(bad) = tags.iter().find(|it| !fits(it)) {
            let rule = "a tag has 3 to 50 letters, digits, `-`, `_` or `:`";
            self.add(
                "tags",
                format!("`{}` is no tag: {rule}", bad.escape_debug()),
            );
        } else if tags
            .iter()
            .any(|it| it.to_ascii_lowercase().starts_with("rs:"))
        {
            // The mark by which servers are found again.
            self.add("tags", "tags that begin with `rs:` are reserved");
        }
    }

    fn features(&mut self, descriptor: &Descriptor, request: &CreateServer) {
        let asked = [
            ("backups", Feature::Backups, request.backups),
            ("ipv6", Feature::Ipv6, request.ipv6),
            (
                "private_network",
                Feature::PrivateNetwork,
                request.private_network,
            ),
            ("user_data", Feature::UserData, request.user_data.is_some()),
            ("ssh_keys", Feature::SshKeys, !request.ssh_keys.is_empty()),
        ];
        for (field, feature, asked) in asked {
            if let Some(why) = descriptor.refusal(feature).filter(|_| asked) {
                self.add(field, why.into_owned());
            }
        }
        let longest = usize::try_from(descriptor.limits.user_data_bytes).unwrap_or(usize::MAX);
        if request
            .user_data
            .as_ref()
            .is_some_and(|it| it.expose().len() > longest)
        {
            self.add(
                "user_data",
                format!("user data has at most {longest} bytes"),
            );
        }
    }

    /// Adds what the provider's own crate finds wrong without asking anybody.
    fn provider(&mut self, provider: &dyn Provider, asked: &CreateInstance) {
        let Err(error) = provider.check_create(asked) else {
            return;
        };
        let field = error.field.as_deref().map_or("body", public_field);
        // Without the keys that are wrong there may be no way into the server left; that is what
        // the faults of the keys say already.
        if field == "rootPassword" && self.0.iter().any(|it| it.field == "ssh_keys") {
            return;
        }
        // Said already, in words that name the catalogue.
        if self.0.iter().all(|it| it.field != field) {
            self.0.push(FieldError {
                field: field.to_owned().into(),
                error: error.message.to_string(),
            });
        }
    }

    fn combination(&mut self, plan: Option<&Plan>, image: Option<&Image>, region: Option<&Region>) {
        if let (Some(plan), Some(region)) = (plan, region) {
            match plan.offering_in(&region.id).map(|it| it.availability) {
                Some(Availability::Available | Availability::Unknown) => {}
                Some(_) => {
                    self.add(
                        "type",
                        format!("plan `{}` is sold out in `{}`", plan.id, region.id),
                    );
                }
                None => {
                    let message = format!("plan `{}` is not sold in `{}`", plan.id, region.id);
                    self.add("region", message);
                }
            }
        }
        if let (Some(image), Some(region)) = (image, region)
            && image
                .regions
                .as_ref()
                .is_some_and(|it| !it.contains(&region.id))
        {
            self.add(
                "image",
                format!("image `{}` is not in `{}`", image.id, region.id),
            );
        }
        if let (Some(plan), Some(image)) = (plan, image) {
            if let (Some(disk), Some(least)) = (plan.disk, image.min_disk)
                && disk < least
            {
                self.add(
                    "image",
                    format!(
                        "image `{}` needs {} GiB of disk, and plan `{}` has {}",
                        image.id,
                        least.whole_gib(),
                        plan.id,
                        disk.whole_gib()
                    ),
                );
            }
            if plan.arch != image.arch {
                let message = format!(
                    "image `{}` does not run on plan `{}`'s processors",
                    image.id, plan.id
                );
                self.add("image", message);
            }
        }
    }

    fn password(&mut self, descriptor: &Descriptor, request: &CreateServer, image: Option<&Image>) {
        let Some(password) = &request.root_password else {
            return;
        };
        match &descriptor.root_password {
            RootPassword::Native => {}
            RootPassword::CloudInit => {
                if image.is_some_and(|it| it.cloud_init == Some(false)) {
                    self.add(
                        "rootPassword",
                        "this image does not run cloud-init, which sets the password; use an SSH key",
                    );
                }
            }
            RootPassword::No { why } => self.add("rootPassword", why.clone().into_owned()),
        }
        let password = password.expose();
        if !(8..=128).contains(&password.chars().count()) || password.chars().any(char::is_control)
        {
            self.add(
                "rootPassword",
                "a root password has 8 to 128 characters on one line",
            );
        }
    }
}
