//! The page with the form, the review and the same request for programs.

use actix_web::HttpResponse;
use maud::{Markup, html};
use roadstead_core::{Feature, Price, RootPassword};
use roadstead_service::Accepted;
use serde_json::Value;

use super::{Desk, answers, options, snippet};
use crate::Transport;
use crate::form::Filled;
use crate::pages::create::frame::steps;
use crate::pages::create::{DETAILS, IMAGE, PLACE, PLAN, plan};
use crate::ui::money::words;
use crate::ui::nav::has_page;
use crate::ui::{Field, Page, Text, Tone, check_group, code_block, field, notice, price, sentence};

/// What stands for a name in examples where there is none yet.
const SOME_LABEL: &str = "my-server";

impl Desk<'_> {
    pub(super) fn page(&self, filled: &Filled, made: &[Accepted]) -> HttpResponse {
        let mut page = Page::new(self.member, "Details and review").form(filled);
        if !made.is_empty() {
            let labels: Vec<_> = made.iter().map(|it| it.instance.label.as_str()).collect();
            let title = format!("Being created: {}", labels.join(", "));
            page = page.above(notice(
                Tone::Ok,
                &title,
                html! {
                    p { "What is left is in the form. " a href="/" { "See all servers" } }
                },
            ));
        }
        page.above(self.place.shop.outage(None)).body(html! {
            (steps(4, &self.chosen))
            div.with-aside {
                div {
                    form.stack method="post" action=(self.chosen.at(DETAILS)) {
                        (field::key())
                        (self.name(filled))
                        (self.access(filled))
                        (self.application(filled))
                        (self.extras(filled))
                        (self.setup(filled))
                        (self.remarks(filled))
                        div.sticky {
                            p.bar-price { (price(self.price())) }
                            div.buttons {
                                button.primary type="submit" { (self.button()) }
                                button type="submit" name="preview" value="on" { "Update the request below" }
                            }
                        }
                    }
                    (self.same_request(filled))
                }
                (self.review(filled))
            }
        })
    }

    fn price(&self) -> Option<&Price> {
        self.offer.as_ref()?.price.as_ref()
    }

    fn button(&self) -> String {
        let price = self.price();
        let month = price.and_then(|it| it.monthly.as_ref());
        let hour = price.and_then(|it| it.hourly.as_ref());
        match (month, hour) {
            (Some(month), _) => format!("Create · {}/mo", words(month)),
            (None, Some(hour)) => format!("Create · {}/h", words(hour)),
            (None, None) => "Create · price not known".to_owned(),
        }
    }

    fn name(&self, filled: &Filled) -> Markup {
        let rule = &self.place.shop.descriptor().limits.name;
        let line = Text {
            longest: Some(rule.max.into()),
            ..Text::default()
        };
        let rule = sentence(&rule.sentence);
        html! {
            h2 { "Name" }
            (field::text(filled, Field::new("label", "Label").hint(&rule), line))
            (field::lines(
                filled,
                Field::new("more", "More servers like this")
                    .hint("One name per line. Each is a server of its own, at the same price.")
                    .optional(),
                2,
            ))
        }
    }

    fn access(&self, filled: &Filled) -> Markup {
        let texts: Vec<_> = self
            .keys
            .iter()
            .map(|it| (it.id.to_string(), it.name.as_str(), it.fingerprint.as_str()))
            .collect();
        let keys: Vec<_> = texts
            .iter()
            .map(|it| (it.0.as_str(), it.1, Some(it.2)))
            .collect();
        let way = match &self.place.shop.descriptor().root_password {
            RootPassword::Native => Ok("8 to 128 characters. The provider sets it."),
            RootPassword::CloudInit => {
                Ok("8 to 128 characters. Set by cloud-init at the first start.")
            }
            RootPassword::No { why } => Err(why.to_string()),
        };
        html! {
            h2 { "Access" }
            @match way {
                Ok(way) => (field::secret(
                    filled,
                    Field::new("rootPassword", "Root password").hint(way).optional(),
                    "new-password",
                )),
                Err(why) => (refused(filled, "rootPassword", "Root password", &why)),
            }
            @if let Some(why) = self.place.shop.descriptor().refusal(Feature::SshKeys) {
                (refused(filled, "ssh_keys", "SSH keys", &why))
            } @else {
                (check_group(filled, "ssh_keys", "SSH keys", None, &keys))
                @if keys.is_empty() {
                    p.small {
                        "Your organization has no keys yet. "
                        @if has_page("/ssh-keys") { a href="/ssh-keys" { "Add one" } " or paste it here." }
                    }
                }
                (field::lines(
                    filled,
                    Field::new("public_keys", "Other public keys")
                        .hint("In OpenSSH form, one per line.")
                        .optional(),
                    2,
                ))
            }
        }
    }

    fn application(&self, filled: &Filled) -> Markup {
        let app = self.start.app.as_ref().filter(|it| !it.fields.is_empty());
        html! {
            @if let Some(app) = app {
                h2 { (app.label) }
                (answers::fields(filled, app))
            }
        }
    }

    fn extras(&self, filled: &Filled) -> Markup {
        let schema = &self.place.shop.descriptor().options_schema;
        html! {
            h2 { "Extras" }
            @for (name, label, hint, feature) in EXTRAS {
                @match self.refusal(feature) {
                    None => (field::checkbox(filled, Field::new(name, label).hint(hint))),
                    Some(why) => (refused(filled, name, label, &why)),
                }
            }
            (options::fields(filled, schema, &self.lists, &self.place.region))
        }
    }

    fn setup(&self, filled: &Filled) -> Markup {
        let descriptor = self.place.shop.descriptor();
        let image = self.start.known.as_ref();
        let without = image.is_some_and(|it| it.cloud_init == Some(false));
        let without =
            without.then(|| "this image does not run cloud-init, which reads it".to_owned());
        let hint = format!(
            "Read by cloud-init at the first start; at most {} bytes.",
            descriptor.limits.user_data_bytes
        );
        html! {
            h2 { "Setup" }
            @match self.refusal(Feature::UserData).or(without) {
                Some(why) => (refused(filled, "user_data", "User data", &why)),
                None => (field::lines(
                    filled,
                    Field::new("user_data", "User data").hint(&hint).optional(),
                    5,
                )),
            }
        }
    }

    fn remarks(&self, filled: &Filled) -> Markup {
        html! {
            h2 { "For yourself" }
            (field::text(
                filled,
                Field::new("tags", "Tags").hint("Separated by spaces.").optional(),
                Text::default(),
            ))
            (field::lines(filled, Field::new("notes", "Notes").optional(), 2))
        }
    }

    /// Shows what was chosen, with what is wrong with it and the way to change it.
    fn review(&self, filled: &Filled) -> Markup {
        let plan = match (&self.offer, &self.chosen.ware) {
            (Some(offer), _) => offer.name.clone(),
            (None, ware) => ware.iter().map(ToString::to_string).collect(),
        };
        let (name, image) = (self.place.shop.name().to_owned(), self.start.label());
        html! {
            aside.summary aria-labelledby="summary-title" {
                h2 id="summary-title" { "Summary" }
                dl.facts {
                    @for (field, what, chosen, change) in [
                        ("provider_id", "Provider", &name, PLACE),
                        ("region", "Region", &self.place.label().to_owned(), PLACE),
                        ("type", "Plan", &plan, PLAN),
                        ("image", "Image", &image, IMAGE),
                    ] {
                        @let errors: Vec<_> = filled.mistakes.of_field(field).collect();
                        div id={ "field-" (field) } {
                            dt { (what) }
                            dd {
                                (chosen) " "
                                a href=(self.chosen.at(change)) {
                                    "Change" span.hidden-text { " " (what.to_lowercase()) }
                                }
                            }
                            @if !errors.is_empty() {
                                dd.error id={ "field-" (field) "-error" } { (errors.join(" ")) }
                            }
                        }
                    }
                }
                p { (price(self.price())) }
                p.small {
                    (plan::billing(&self.place))
                    " What a provider charges for extras is not in the price."
                }
            }
        }
    }

    fn same_request(&self, filled: &Filled) -> Markup {
        let label = filled.values.given("label").unwrap_or(SOME_LABEL);
        let mut request = self.request(&filled.values, label);
        if let (Some(app), Some(Value::Object(options))) = (&self.start.app, &mut request.options) {
            answers::hide(app, options);
        }
        let plan = self.offer.as_ref().map(|it| it.plan.as_str());
        let plan = plan.unwrap_or(&request.plan);
        let scheme = match self.member.transport {
            Transport::Https => "https",
            Transport::Loopback => "http",
        };
        let descriptor = self.place.shop.descriptor();
        let it = snippet::of(&self.host, scheme, descriptor, plan, &request);
        html! {
            details.same open[filled.values.checked("preview")] {
                summary { "Same request as curl, HTTP and Rust" }
                p.small { "Secrets are left out." }
                h2 { "curl" }
                (code_block("snippet-curl", "curl command", &it.curl))
                h2 { "HTTP" }
                (code_block("snippet-http", "HTTP request", &it.http))
                h2 { "Rust" }
                p.small { "At the provider itself, with this project’s own crates." }
                (code_block("snippet-rust", "Rust function", &it.rust))
            }
        }
    }
}

/// What can be asked for beyond a server.
const EXTRAS: [(&str, &str, &str, Feature); 3] = [
    (
        "backups",
        "Backups",
        "Made by the provider, which charges for them.",
        Feature::Backups,
    ),
    (
        "ipv6",
        "IPv6 address",
        "Beside the one of IPv4.",
        Feature::Ipv6,
    ),
    (
        "private_network",
        "Private network",
        "Joins the region’s own network.",
        Feature::PrivateNetwork,
    ),
];

/// Says why there is no field, and what is wrong if one was sent all the same.
fn refused(filled: &Filled, name: &str, label: &str, why: &str) -> Markup {
    let errors: Vec<_> = filled.mistakes.of_field(name).collect();
    html! {
        div.field id={ "field-" (name) } {
            p { strong { (label) } " " span.why { "Cannot be had: " (why) } }
            @if !errors.is_empty() {
                p.error id={ "field-" (name) "-error" } { (errors.join(" ")) }
            }
        }
    }
}
