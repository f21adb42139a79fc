//! The way through the panel. What has no page yet is not in it.

use std::collections::HashSet;
use std::sync::LazyLock;

use maud::{Markup, html};

use super::field;
use super::icon;
use crate::pages;
use crate::route::{Kind, Who};
use crate::visitor::Visitor;

/// Where one can go, its name, for whom, and which other pages lie there.
type Place = (&'static str, &'static str, Who, &'static [&'static str]);

const PLACES: [Place; 8] = [
    ("/", "Servers", Who::Viewer, &["/servers"]),
    ("/compare", "Compare", Who::Viewer, &[]),
    ("/ssh-keys", "SSH keys", Who::Viewer, &[]),
    ("/activity", "Activity", Who::Viewer, &[]),
    ("/status", "Status", Who::Viewer, &[]),
    ("/providers", "Providers", Who::Operator, &[]),
    ("/plans", "Plans", Who::Operator, &[]),
    (
        "/attention",
        "Attention",
        Who::Operator,
        &["/quarantine", "/missing"],
    ),
];

static PAGES: LazyLock<HashSet<&'static str>> = LazyLock::new(|| {
    let routes = pages::all();
    let pages = routes.iter().filter(|it| it.entry.kind == Kind::Page);
    pages.map(|it| it.entry.path).collect()
});

/// Returns whether there is a page at a path, so that it can be linked to.
pub(crate) fn has_page(path: &str) -> bool {
    PAGES.contains(path)
}

/// Shows the way through the panel.
pub(crate) fn nav(visitor: &Visitor) -> Markup {
    let here = visitor.place();
    let open = open_to(visitor);
    html! {
        @if visitor.caller.is_some() {
            nav.main aria-label="Main" {
                ul {
                    @for (path, label, _, more) in open {
                        @let current = is_under(here, path) || more.iter().any(|it| is_under(here, it));
                        li { a href=(path) aria-current=[current.then_some("page")] { (label) } }
                    }
                }
            }
        }
    }
}

/// Returns the pages that somebody can go to, with their names.
pub(crate) fn places(visitor: &Visitor) -> impl Iterator<Item = (&'static str, &'static str)> {
    let places = open_to(visitor).map(|(path, label, ..)| (*path, *label));
    let more = [
        ("/quarantine", "Quarantine"),
        ("/missing", "Missing servers"),
    ];
    let more = more.into_iter().filter(|_| visitor.is_operator());
    places.chain(more).chain([("/preferences", "Preferences")])
}

fn open_to(visitor: &Visitor) -> impl Iterator<Item = &'static Place> {
    PLACES.iter().filter(|(path, _, who, _)| {
        let may = match who {
            Who::Operator => visitor.is_operator(),
            _ => visitor.membership().is_some(),
        };
        may && has_page(path)
    })
}

fn is_under(here: &str, place: &str) -> bool {
    here == place
        || here
            .strip_prefix(place)
            .is_some_and(|it| place != "/" && it.starts_with('/'))
}

/// Shows the head of every page.
pub(crate) fn head(visitor: &Visitor) -> Markup {
    html! {
        header.top {
            a.brand href="/" { (icon::ship()) "Roadstead" }
            (nav(visitor))
            @if let Some(caller) = &visitor.caller {
                div.tools {
                    @if has_page("/search") {
                        a.button.small href="/search" data-palette { "Search" kbd { "Ctrl K" } }
                    }
                    @if has_page("/create") && visitor.may_change() {
                        a.button.small.primary href="/create" { "Create server" }
                    }
                    (account(visitor, &caller.user().email))
                }
            } @else {
                div.tools { a.button.small href="/preferences" { "Appearance" } }
            }
        }
    }
}

fn account(visitor: &Visitor, email: &str) -> Markup {
    let here = visitor.membership().map(|it| it.organization.id);
    let memberships = visitor
        .caller
        .iter()
        .flat_map(|it| it.session.memberships.iter());
    html! {
        details.menu {
            summary.button.small { "Account" }
            div.menu-body {
                p { span.small { "Logged in as" } br; strong { (email) } }
                @if visitor.caller.as_ref().is_some_and(|it| it.session.memberships.len() > 1) {
                    form method="post" action="/organization" {
                        (field::key())
                        fieldset {
                            legend { "Organization" }
                            @for it in memberships {
                                button.plain type="submit" name="organization"
                                    value=(it.organization.id)
                                    aria-pressed=(if Some(it.organization.id) == here { "true" } else { "false" }) {
                                    (it.organization.name)
                                }
                            }
                        }
                    }
                } @else if let Some(it) = visitor.membership() {
                    p { span.small { "Organization" } br; (it.organization.name) }
                }
                p { a href="/preferences" { "Preferences" } }
                form method="post" action="/logout" {
                    (field::key())
                    button.plain type="submit" { "Log out" }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_where_its_pages_are() {
        assert!(is_under("/", "/"));
        assert!(!is_under("/compare", "/"));
        assert!(is_under("/providers/1", "/providers"));
        assert!(!is_under("/providers-of-others", "/providers"));
    }

    #[test]
    fn there_is_a_page_where_there_is_a_route() {
        assert!(has_page("/") && has_page("/login"));
        assert!(!has_page("/logout") && !has_page("/nowhere"));
    }
}
