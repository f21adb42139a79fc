//! What is wrong with a request, rule by rule.

use std::borrow::Cow;

use regex::Regex;
use roadstead_core::{
    Availability, CreateInstance, Descriptor, Feature, Image, Market, MarketplaceApp, Plan,
    Provider, Region, RootPassword, Secret,
};

use super::{CREATE, MOST_TAGS, OUR_TAGS, asked_features, offering};
use crate::error::{Error, FieldError, public_field};
use crate::instances::CreateServer;

#[derive(Default)]
pub(in crate::instances) struct Faults(pub(in crate::instances) Vec<FieldError>);

impl Faults {
    pub(in crate::instances) fn add(&mut self, field: &'static str, error: impl Into<String>) {
        self.0.push(FieldError {
            field: Cow::Borrowed(field),
            error: error.into(),
        });
    }

    pub(super) fn label(&mut self, descriptor: &Descriptor, label: &str) {
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

    pub(super) fn tags(&mut self, descriptor: &Descriptor, tags: &[String]) {
        let most = usize::from(descriptor.limits.tags)
            .saturating_sub(OUR_TAGS)
            .min(MOST_TAGS);
        let fits = |tag: &String| {
            (3..=50).contains(&tag.len())
                && tag
                    .bytes()
                    .all(|it| it.is_ascii_alphanumeric() || b"-_:".contains(&it))
        };
        if tags.len() > most {
            self.add("tags", format!("at most {most} tags"));
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

    pub(super) fn features(&mut self, descriptor: &Descriptor, request: &CreateServer) {
        for (field, feature, asked) in asked_features(request) {
            if let Some(why) = descriptor.refusal(feature).filter(|_| asked) {
                self.add(field, why.into_owned());
            }
        }
    }

    /// What the vendor has, a region of it may lack. A region that tells nothing may have it all.
    pub(super) fn region_features(&mut self, region: Option<&Region>, request: &CreateServer) {
        let Some(region) = region.filter(|it| !it.features.is_empty()) else {
            return;
        };
        for (field, feature, asked) in asked_features(request) {
            // Keys are the account's.
            let of_region = feature != Feature::SshKeys;
            if asked && of_region && !region.features.contains(&feature) && self.is_fine(field) {
                self.add(field, format!("region `{}` does not offer this", region.id));
            }
        }
    }

    pub(in crate::instances) fn user_data(
        &mut self,
        descriptor: &Descriptor,
        user_data: Option<&Secret<String>>,
        image: Option<&Image>,
    ) {
        let Some(user_data) = user_data else {
            return;
        };
        let longest = usize::try_from(descriptor.limits.user_data_bytes).unwrap_or(usize::MAX);
        if user_data.expose().len() > longest {
            self.add(
                "user_data",
                format!("user data has at most {longest} bytes"),
            );
        }
        if image.is_some_and(|it| it.cloud_init == Some(false)) {
            self.add(
                "user_data",
                "this image does not run cloud-init, which reads user data",
            );
        }
    }

    /// Returns why a plan cannot be had in a region, if it cannot.
    pub(in crate::instances) fn unsold(
        plan: &Plan,
        region: &Region,
        market: Market,
    ) -> Option<String> {
        let mut faults = Self::default();
        faults.sale(Some(plan), Some(region), market);
        faults.0.pop().map(|it| it.error)
    }

    /// Refuses if anything is wrong.
    pub(in crate::instances) fn none(self) -> Result<(), Error> {
        if self.0.is_empty() {
            Ok(())
        } else {
            Err(Error::Invalid(self.0))
        }
    }

    pub(super) fn sale(&mut self, plan: Option<&Plan>, region: Option<&Region>, market: Market) {
        let (Some(plan), Some(region)) = (plan, region) else {
            return;
        };
        let (field, what) = match offering(plan, region, market).map(|it| it.availability) {
            Some(Availability::Available | Availability::Unknown) => return,
            Some(Availability::Retired) => ("type", "no longer sold"),
            Some(_) => ("type", "sold out"),
            None if plan.offerings.iter().any(|it| it.region == region.id) => match market {
                Market::Spot => ("market", "not sold as spot"),
                _ => ("market", "sold as spot only"),
            },
            None => ("region", "not sold"),
        };
        self.add(
            field,
            format!("plan `{}` is {what} in `{}`", plan.id, region.id),
        );
    }

    /// Adds what is wrong with the answers to what an application asks for.
    pub(super) fn app(
        &mut self,
        descriptor: &Descriptor,
        app: Option<&MarketplaceApp>,
        asked: &CreateInstance,
    ) {
        let Some(app) = app else {
            return;
        };
        let none = serde_json::Map::new();
        let answers = app
            .answers_in
            .as_deref()
            .and_then(|it| asked.options.as_ref()?.get(it)?.as_object())
            .unwrap_or(&none);
        if let Err(error) = app.check(&descriptor.kind, CREATE, &asked.image, answers) {
            self.refusal(&error);
        }
    }

    pub(super) fn is_fine(&self, field: &str) -> bool {
        self.0.iter().all(|it| it.field != field)
    }

    /// Adds a refusal of the provider's crate, unless its field is known to be wrong already, in
    /// words that name the catalogue.
    pub(in crate::instances) fn refusal(&mut self, error: &roadstead_core::Error) {
        let field = error.field.as_deref().map_or("body", public_field);
        if self.is_fine(field) {
            self.0.push(FieldError {
                field: field.to_owned().into(),
                error: error.message.to_string(),
            });
        }
    }

    /// Adds what the provider's own crate finds wrong without asking anybody.
    pub(super) fn provider(&mut self, provider: &dyn Provider, asked: &CreateInstance) {
        let Err(error) = provider.check_create(asked) else {
            return;
        };
        let field = error.field.as_deref().map_or("body", public_field);
        // Without the keys that are wrong there may be no way into the server left; that is what
        // the faults of the keys say already.
        if field == "rootPassword" && self.0.iter().any(|it| it.field == "ssh_keys") {
            return;
        }
        self.refusal(&error);
    }

    pub(super) fn combination(
        &mut self,
        plan: Option<&Plan>,
        image: Option<&Image>,
        region: Option<&Region>,
    ) {
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

    pub(super) fn password(
        &mut self,
        descriptor: &Descriptor,
        request: &CreateServer,
        image: Option<&Image>,
    ) {
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
        self.password_form(password);
    }

    pub(in crate::instances) fn password_form(&mut self, password: &Secret<String>) {
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
