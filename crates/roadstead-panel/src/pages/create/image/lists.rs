//! The images and applications that there are, with the reason where one does not go with what
//! was chosen before.

use std::collections::BTreeMap;

use maud::{Markup, html};
use roadstead_core::{Image, MarketplaceApp};

use super::start::{refusal, works_upon};
use super::{Shelf, Tab};
use crate::form::Filled;
use crate::ui::{Choice, Field, Group, cut, field};

/// A part of a list.
pub(super) struct List {
    pub(super) groups: Vec<Group>,
    /// How much there is, for people.
    pub(super) count: String,
    /// Where the next page begins.
    pub(super) next: Option<String>,
}

impl Shelf<'_> {
    pub(super) fn list(&self) -> List {
        match self.tab {
            Tab::System => self.listed(|it| it.public),
            Tab::Own => self.listed(|it| !it.public),
            Tab::Apps | Tab::Scripts => self.listed_apps(),
        }
    }

    /// Returns whether one of these texts contains what is looked for.
    fn is_sought(&self, texts: &[&str]) -> bool {
        let sought = self.query.text("q").trim().to_lowercase();
        let mut texts = texts.iter();
        texts.any(|it| it.to_lowercase().contains(&sought))
    }

    fn listed(&self, belongs: impl Fn(&Image) -> bool) -> List {
        let all: Vec<_> = self.known().iter().filter(|it| belongs(it)).collect();
        let sought = |it: &&Image| self.is_sought(&[&it.label, &it.family, it.id.as_str()]);
        let mut found: Vec<_> = all.iter().copied().filter(sought).collect();
        found.sort_by_key(|it| {
            (
                it.deprecated,
                &it.family,
                std::cmp::Reverse(&it.version),
                &it.label,
            )
        });
        let count = counted(found.len(), all.len(), "image");
        let (mut shown, next) = cut(found, self.query);
        let is_chosen = |it: &&Image| Some(&it.id) == self.chosen.image.as_ref();
        if !shown.iter().any(is_chosen) {
            // What was chosen stays in sight whatever is filtered.
            let chosen = all.into_iter().find(is_chosen);
            shown.splice(0..0, chosen);
        }
        let mut families: BTreeMap<(bool, &str), Vec<Choice>> = BTreeMap::new();
        for image in shown {
            let family = families
                .entry((image.deprecated, &*image.family))
                .or_default();
            family.push(self.choice(image));
        }
        let groups = families
            .into_iter()
            .map(|((deprecated, family), choices)| Group {
                title: title(family, deprecated),
                choices,
            });
        List {
            groups: groups.collect(),
            count,
            next,
        }
    }

    fn choice(&self, image: &Image) -> Choice {
        Choice {
            value: image.id.as_str().to_owned(),
            title: image.label.to_string(),
            note: html! {
                (image.id)
                @if let Some(end) = image.end_of_life {
                    ", supported until " (end.strftime("%-d %b %Y").to_string())
                }
                @if image.cloud_init == Some(false) { ", without cloud-init" }
            },
            refusal: refusal(self.place, self.offer, image),
        }
    }

    fn listed_apps(&self) -> List {
        let apps = self.apps.as_ref().and_then(|it| it.here());
        let all: Vec<_> = apps.into_iter().flatten().collect();
        let sought = |it: &&MarketplaceApp| {
            let texts = [&*it.label, it.summary.as_deref().unwrap_or_default()];
            self.is_sought(&texts)
        };
        let mut found: Vec<_> = all.iter().copied().filter(sought).collect();
        found.sort_by_key(|it| it.label.to_lowercase());
        let noun = if self.tab == Tab::Scripts {
            "script"
        } else {
            "application"
        };
        let count = counted(found.len(), all.len(), noun);
        let (mut shown, next) = cut(found, self.query);
        let chosen = self.app();
        if let Some(chosen) = chosen.filter(|it| !shown.iter().any(|shown| shown.id == it.id)) {
            shown.insert(0, chosen);
        }
        let choices: Vec<_> = shown.into_iter().map(|it| self.app_choice(it)).collect();
        let group = Group {
            title: String::new(),
            choices,
        };
        List {
            groups: Some(group)
                .filter(|it| !it.choices.is_empty())
                .into_iter()
                .collect(),
            count,
            next,
        }
    }

    fn app_choice(&self, app: &MarketplaceApp) -> Choice {
        let asks: Vec<_> = app.fields.iter().map(|it| &*it.label).collect();
        let image = app.image.as_ref();
        let image = self.known().iter().find(|it| Some(&it.id) == image);
        let refused = image.and_then(|it| refusal(self.place, self.offer, it));
        let unusable =
            app.image.is_none() && !self.known().is_empty() && self.fitting(app).next().is_none();
        Choice {
            value: app.id.to_string(),
            title: app.label.to_string(),
            note: html! {
                @if let Some(publisher) = &app.publisher { "by " (publisher) ". " }
                @if let Some(summary) = &app.summary { (summary) " " }
                @if !asks.is_empty() { "Asks for: " (asks.join("; ")) "." }
            },
            refusal: refused.or_else(|| {
                unusable.then(|| "none of the images that it works upon can be had".to_owned())
            }),
        }
    }

    /// Returns the images that an application works upon, and that go with the rest.
    fn fitting<'a>(&'a self, app: &'a MarketplaceApp) -> impl Iterator<Item = &'a Image> {
        self.known()
            .iter()
            .filter(|it| works_upon(app, &it.id) && refusal(self.place, self.offer, it).is_none())
    }

    /// Asks for the image that an application works upon.
    pub(super) fn upon(&self, filled: &Filled, app: &MarketplaceApp) -> Markup {
        let mut images: Vec<_> = self.fitting(app).collect();
        images.sort_by_key(|it| (it.deprecated, &it.family, std::cmp::Reverse(&it.version)));
        let label = format!("Image for {}", app.label);
        let none = std::iter::once(("", "Choose one"));
        field::select(
            filled,
            Field::new("image", &label),
            none.chain(images.into_iter().map(|it| (it.id.as_str(), &*it.label))),
        )
    }
}

fn counted(found: usize, all: usize, noun: &str) -> String {
    let s = if all == 1 { "" } else { "s" };
    format!("{found} of {all} {noun}{s}")
}

/// Returns the heading for a family of images.
fn title(family: &str, deprecated: bool) -> String {
    let mut letters = family.chars();
    let first = letters.next().map(|it| it.to_uppercase());
    let family: String = first.into_iter().flatten().chain(letters).collect();
    if deprecated {
        format!("{family}, not advised any more")
    } else {
        family
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn families_are_headings() {
        assert_eq!(title("ubuntu", false), "Ubuntu");
        assert_eq!(title("", false), "");
        assert_eq!(title("centos", true), "Centos, not advised any more");
        assert_eq!(counted(1, 12, "image"), "1 of 12 images");
        assert_eq!(counted(1, 1, "script"), "1 of 1 script");
    }
}
