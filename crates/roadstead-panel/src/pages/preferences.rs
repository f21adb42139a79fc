//! What somebody likes: kept in the browser, so that it needs no login.

use jiff::tz;
use maud::html;

use crate::cookie::{Kept, Theme, zone};
use crate::done::Done;
use crate::failure::Answer;
use crate::form::{Filled, Form, Mistakes, Sent};
use crate::route::{Route, Who};
use crate::ui::Page;
use crate::ui::{Field, field};
use crate::visitor::{Anyone, User, Visitor};

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::page("/preferences", Who::Anyone, show),
        Route::action("/preferences", Who::Anyone, keep),
        Route::action("/organization", Who::User, choose),
    ]
}

async fn show(visitor: Anyone) -> Answer {
    let preferences = &visitor.preferences;
    let zone = preferences.zone.iana_name().unwrap_or("UTC");
    let mut values = vec![("theme", preferences.theme.as_str()), ("zone", zone)];
    if preferences.live {
        values.push(("live", "on"));
    }
    page(&visitor, &Filled::with(values))
}

async fn keep(Sent(visitor, form): Sent<Anyone>) -> Answer {
    let Form { values, .. } = form;
    let mut mistakes = Mistakes::default();
    if Theme::from_word(values.text("theme")).is_none() {
        mistakes.add("theme", "choose one of these");
    }
    if zone(values.text("zone")).is_none() {
        mistakes.add("zone", "this machine knows no such time zone");
    }
    if !mistakes.is_empty() {
        return page(&visitor, &Filled::again(values, mistakes));
    }
    let live = if values.checked("live") { "on" } else { "off" };
    for (kept, value) in [
        (Kept::Theme, values.text("theme")),
        (Kept::Zone, values.text("zone")),
        (Kept::Live, live),
    ] {
        visitor.keep(kept.make(visitor.transport, value.to_owned()));
    }
    visitor.done(Done::PreferencesKept, "/preferences")
}

fn page(visitor: &Visitor, filled: &Filled) -> Answer {
    let themes = Theme::ALL.map(|it| {
        let label = match it {
            Theme::Auto => "As my browser says",
            Theme::Light => "Light",
            Theme::Dark => "Dark",
        };
        (it.as_str(), label)
    });
    let zones = zones();
    Ok(Page::new(visitor, "Preferences").form(filled).body(html! {
        form.stack method="post" action="/preferences" {
            (field::key())
            (field::select(filled, Field::new("theme", "Appearance"), themes))
            (field::select(
                filled,
                Field::new("zone", "Time zone"),
                zones.iter().map(|it| (it.as_str(), it.as_str())),
            ))
            (field::checkbox(
                filled,
                Field::new("live", "Live updates")
                    .hint("Pages renew what changes, such as the progress of a new server."),
            ))
            div.buttons { button.primary type="submit" { "Keep" } }
        }
        p.small { "These are kept in this browser." }
    }))
}

/// The zones that this machine knows, without the second names that some are kept under.
fn zones() -> Vec<String> {
    let known = tz::db().available().map(|it| it.to_string());
    let mut zones: Vec<_> = known
        .filter(|it| it.contains('/') && !it.starts_with("posix/") && !it.starts_with("right/"))
        .collect();
    zones.sort_unstable();
    zones.insert(0, "UTC".to_owned());
    zones
}

async fn choose(Sent(user, form): Sent<User>) -> Answer {
    let chosen = form.values.text("organization");
    let memberships = &user.caller.session.memberships;
    let membership = memberships
        .iter()
        .find(|it| it.organization.id.to_string() == chosen)
        .ok_or(roadstead_service::Error::NotFound("organization"))?;
    let id = membership.organization.id.to_string();
    user.keep(Kept::Organization.make(user.transport, id));
    user.done(Done::OrganizationChosen, "/")
}
