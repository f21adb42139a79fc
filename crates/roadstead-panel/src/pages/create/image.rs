//! Third: what it starts from: an image, or an application upon one.

mod lists;
mod start;

use maud::{Markup, html};
use roadstead_core::{Feature, Image, MarketplaceApp};
use roadstead_service::{Catalogue, ManageInstances};

pub(super) use self::start::{Start, checked};
use super::chosen::Chosen;
use super::frame::{So, bar, beside, steps};
use super::place::{self, Place};
use super::{DETAILS, IMAGE, plan};
use crate::failure::{Answer, Failure};
use crate::form::{Filled, Mistakes, Values};
use crate::offer::Offer;
use crate::soon::{Soon, not_here};
use crate::ui::{Field, Page, Text, age, choice_groups, field, pager, tabs};
use crate::visitor::{Member, Visitor};

/// What kind of thing is chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tab {
    System,
    Apps,
    Scripts,
    Own,
}

impl Tab {
    const ALL: [Self; 4] = [Self::System, Self::Apps, Self::Scripts, Self::Own];

    const fn word(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Apps => "apps",
            Self::Scripts => "scripts",
            Self::Own => "own",
        }
    }

    const fn label(self) -> &'static str {
        match self {
            Self::System => "Operating systems",
            Self::Apps => "Marketplace",
            Self::Scripts => "Scripts",
            Self::Own => "Snapshots",
        }
    }

    fn of(query: &Values, chosen: &Chosen) -> Self {
        let asked = query.given("tab");
        let asked = asked.and_then(|word| Self::ALL.into_iter().find(|it| it.word() == word));
        asked.unwrap_or(if chosen.app.is_some() {
            Self::Apps
        } else if chosen.script.is_some() {
            Self::Scripts
        } else {
            Self::System
        })
    }

    /// Returns what is chosen under it.
    const fn field(self) -> &'static str {
        match self {
            Self::System | Self::Own => "image",
            Self::Apps => "app",
            Self::Scripts => "script",
        }
    }
}

pub(super) async fn show(member: Member<ManageInstances>) -> Answer {
    let query = member.query()?;
    let chosen = Chosen::read(&query);
    let place = match place::checked(&member, &chosen).await? {
        Ok(place) => place,
        Err(mistakes) => return place::page(&member, chosen, mistakes).await,
    };
    match plan::checked(&place, &chosen).await? {
        Ok(offer) => {
            page(
                &member,
                &place,
                offer.as_ref(),
                &chosen,
                &query,
                Mistakes::default(),
            )
            .await
        }
        Err(mistakes) => plan::page(&member, &place, &chosen, query, mistakes).await,
    }
}

pub(super) async fn page(
    visitor: &Visitor,
    place: &Place<'_>,
    offer: Option<&Offer>,
    chosen: &Chosen,
    query: &Values,
    mistakes: Mistakes,
) -> Answer {
    let tab = Tab::of(query, chosen);
    let (images, apps) = futures::join!(place.shop.images(), apps(place, tab, chosen));
    let shelf = Shelf {
        visitor,
        place,
        offer,
        chosen,
        query,
        tab,
        images: images?,
        apps: apps?,
    };
    let filled = chosen.filled(&[("q", query.text("q"))], mistakes);
    let age = shelf.images.here().map(|it| it.fetched.age);
    let page = Page::new(visitor, "Choose an image")
        .form(&filled)
        .above(place.shop.outage(age));
    let renewed = shelf.renewed();
    Ok(page.body(html! {
        (steps(3, chosen))
        (shelf.tabs())
        form method="get" action=(IMAGE)
            // The provider is asked for its scripts each time, so that no hit of a key may do it.
            data-live=[(tab != Tab::Scripts).then_some("results")] {
            (chosen.hidden(&["image", "app", "script"]))
            input type="hidden" name="tab" value=(tab.word());
            (search(&filled, tab))
            div id="results"
                data-refresh=[renewed.then_some("2")] data-src=[renewed.then_some(&visitor.path)] {
                (shelf.results(&filled))
            }
        }
    }))
}

/// Returns the applications under a tab; `None` where there are images under it.
async fn apps(
    place: &Place<'_>,
    tab: Tab,
    chosen: &Chosen,
) -> Result<Option<Soon<Vec<MarketplaceApp>>>, Failure> {
    let shop = &place.shop;
    match tab {
        Tab::System | Tab::Own => Ok(None),
        Tab::Apps => Ok(Some(shop.apps().await?.map(|it| it.fetched.value.to_vec()))),
        Tab::Scripts => {
            let mut own = shop.scripts(None).await?;
            // One that somebody else has published is in no list.
            if let (Soon::Here(own), Some(id)) = (&mut own, &chosen.script)
                && !own.iter().any(|it| *it.id == **id)
                && let Soon::Here(one) = shop.scripts(Some(id)).await?
            {
                own.extend(one);
            }
            Ok(Some(own))
        }
    }
}

fn search(filled: &Filled, tab: Tab) -> Markup {
    let text = Text {
        kind: "search",
        ..Text::default()
    };
    html! {
        div.filters role="search" aria-label="Filters" {
            @if tab == Tab::Scripts {
                (field::text(
                    filled,
                    Field::new("other", "Id of another script")
                        .hint("One that somebody has published.")
                        .optional(),
                    Text::default(),
                ))
            } @else {
                (field::text(filled, Field::new("q", "Name contains"), text))
                div.buttons { button type="submit" { "Apply filters" } }
            }
        }
    }
}

/// What there is to choose from.
struct Shelf<'a> {
    visitor: &'a Visitor,
    place: &'a Place<'a>,
    offer: Option<&'a Offer>,
    chosen: &'a Chosen,
    query: &'a Values,
    tab: Tab,
    images: Soon<Catalogue<Image>>,
    apps: Option<Soon<Vec<MarketplaceApp>>>,
}

impl Shelf<'_> {
    fn known(&self) -> &[Image] {
        self.images.here().map_or(&[], |it| &it.fetched.value)
    }

    /// Returns the application that was chosen.
    fn app(&self) -> Option<&MarketplaceApp> {
        let apps = self.apps.as_ref()?.here()?;
        let id = match self.tab {
            Tab::Scripts => self.chosen.script.as_deref(),
            _ => self.chosen.app.as_deref(),
        };
        apps.iter().find(|it| Some(&*it.id) == id)
    }

    fn is_offered(&self, tab: Tab) -> bool {
        let descriptor = self.place.shop.descriptor();
        tab == self.tab
            || match tab {
                Tab::System => true,
                Tab::Apps => descriptor.supports(Feature::Marketplace),
                Tab::Scripts => descriptor.supports(Feature::StackScripts),
                Tab::Own => self.known().iter().any(|it| !it.public),
            }
    }

    /// Returns whether the page looks again by itself.
    fn renewed(&self) -> bool {
        let apps = self.apps.as_ref().is_some_and(Soon::is_awaited);
        self.visitor.preferences.live && (apps || self.images.is_awaited())
    }

    fn tabs(&self) -> Markup {
        let address = |tab: Tab| {
            let query = self.chosen.values().with(&[("tab", tab.word())]);
            (format!("{IMAGE}{query}"), tab)
        };
        let links = Tab::ALL.into_iter().filter(|it| self.is_offered(*it));
        let links: Vec<_> = links.map(address).collect();
        let here = links.iter().find(|it| it.1 == self.tab);
        let here = here.map_or("", |it| &it.0);
        let pages: Vec<_> = links
            .iter()
            .map(|it| (it.0.as_str(), it.1.label()))
            .collect();
        tabs("What to start from", here, &pages)
    }

    fn results(&self, filled: &Filled) -> Markup {
        let name = self.place.shop.name();
        let list = self.list();
        let app = self.app();
        let image = self.chosen.image.as_ref();
        let image = self.known().iter().find(|it| Some(&it.id) == image);
        let so = So {
            account: Some(name),
            region: Some(self.place.label()),
            plan: self.offer.map(|it| it.name.as_str()),
            image: app.map_or_else(|| image.map(|it| &*it.label), |it| Some(&*it.label)),
            price: Some(self.offer.and_then(|it| it.price.as_ref())),
        };
        let part = html! {
            (not_here(self.visitor, name, "its images", &self.images))
            @if let Some(apps) = &self.apps {
                (not_here(self.visitor, name, "its applications", apps))
            }
            p.count role="status" { (list.count) }
            @if list.groups.is_empty() {
                p { "Nothing matches." }
            } @else {
                (choice_groups(filled, self.tab.field(), self.tab.label(), &list.groups))
                (pager(IMAGE, self.query, list.next.as_deref()))
            }
            @if let Some(app) = app.filter(|it| it.image.is_none()) { (self.upon(filled, app)) }
            p.small { (age("Images", self.images.here().map(|it| it.fetched.age))) }
            (bar(&so, DETAILS))
        };
        beside(&so, &part)
    }
}
