//! Visits to the pages about oneself and the installation.

use super::Visit;
use crate::people::{Commuter, Member, Operator};

pub(super) fn visits() -> Vec<Visit> {
    vec![
        Visit::page("/login", None),
        Visit::page("/login", None).at("/login?next=/preferences"),
        Visit::page("/login", Member).answers(303),
        Visit::mistaken(
            "/login",
            None,
            &[("email", "nobody@test.example"), ("next", "/x")],
        ),
        Visit::mistaken("/logout", None, &[]).answers(303),
        Visit::page("/setup", None).answers(303),
        Visit::mistaken("/setup", None, &[("code", "x")]).answers(303),
        Visit::page("/setup/provider", Operator),
        Visit::mistaken(
            "/setup/provider",
            Operator,
            &[("type", "nobody"), ("name", "x"), ("token", "y")],
        ),
        Visit::page("/activity", Member),
        Visit::page("/activity", Operator),
        Visit::page("/activity/installation", Operator),
        Visit::page("/preferences", None),
        Visit::page("/preferences", Commuter),
        Visit::mistaken(
            "/preferences",
            Member,
            &[("theme", "pink"), ("zone", "Mars/Olympus")],
        ),
        Visit::mistaken("/organization", Commuter, &[("organization", "x")]).answers(404),
        Visit::page("/styleguide", None),
        Visit::page("/styleguide", Member),
        Visit::page("/styleguide/errors", None).answers(422),
        Visit::page("/styleguide/broken", Member).answers(503),
    ]
}
