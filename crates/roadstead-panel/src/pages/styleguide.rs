//! Every component in every state, for whoever works on the panel. Builds for users have no such
//! page.

mod choices;

use std::time::Duration;

use jiff::Timestamp;
use maud::{Markup, html};
use roadstead_core::{LimitSource, Money, Price, PriceSource, RateBucket, Reserve, State};
use roadstead_service::{
    AccountHealth, CallClass, CatalogueKind, CircuitState, CircuitStatus, Error, LastCall,
    Lifecycle, Verification,
};

use crate::failure::{Answer, Failure};
use crate::form::{Filled, Mistakes, Values};
use crate::route::{Route, Who};
use crate::ui::{
    Card, Column, Confirm, Health, Page, Step, StepState, Summary, Tone, account, age, ago,
    bulk_bar, choice_cards, confirm, copyable, empty, filters, health_badge, money, notice, pager,
    price, status_badge, summary, table, tabs, time, timeline, wizard_steps,
};
use crate::ui::{Field, Text, field};
use crate::visitor::{Anyone, Visitor};

/// Where it lies.
const PATH: &str = "/styleguide";

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::page(PATH, Who::Anyone, show),
        Route::page("/styleguide/errors", Who::Anyone, errors),
        Route::page("/styleguide/broken", Who::Anyone, broken),
    ]
}

async fn show(visitor: Anyone) -> Answer {
    Ok(Page::new(&visitor, "Style guide")
        .crumb("/", "Servers")
        .actions(html! {
            a.button href="#buttons" { "A link" }
            a.button.danger-quiet href="#buttons" { "Delete…" }
        })
        .above(tabs(
            "Style guide",
            PATH,
            &[
                (PATH, "Components"),
                ("/styleguide/errors", "Errors"),
                ("/styleguide/broken", "A failure"),
            ],
        ))
        .body(html! {
            (signs(&visitor))
            (accounts(&visitor))
            (forms(&visitor))
            (lists())
            (choices::section(&visitor))
            (rows_of_pages())
        }))
}

fn signs(visitor: &Visitor) -> Markup {
    let states = State::ALL.map(State::as_str).into_iter();
    let lives = Lifecycle::ALL
        .map(|it| it.shown(State::Running))
        .into_iter();
    html! {
        section {
            h2 { "Notices" }
            @for tone in Tone::ALL {
                (notice(tone, "A title", html! { p { "What there is to say about it." } }))
            }
        }
        section {
            h2 { "Signs" }
            p { @for status in states.chain(lives) { (status_badge(status)) " " } }
            p { @for health in Health::ALL { (health_badge(health)) " " } }
            p { (age("Prices", Some(Duration::from_mins(38)))) ", " (age("Images", None)) }
            p { (time(visitor, Timestamp::UNIX_EPOCH)) ", " (ago(visitor, visitor.now)) }
            p { (copyable("copy-me", "address", "203.0.113.24")) }
        }
        section {
            h2 id="buttons" { "Buttons" }
            div.buttons {
                button type="button" { "Plain" }
                button.primary type="button" { "Primary" }
                button.danger type="button" { "Dangerous" }
                button type="button" disabled { "Not now" }
                button.small type="button" { "Small" }
            }
        }
        section {
            h2 { "Money" }
            p { (money(Some(&usd("20.74")))) ", " (money(None)) }
            p { (price(Some(&an_hour_and_a_month()))) }
            p { (price(None)) }
        }
    }
}

fn accounts(visitor: &Visitor) -> Markup {
    let now = visitor.now;
    let reason = || "it lacks a scope".to_owned();
    let words = [
        Verification::Verified { at: now },
        Verification::Unverified { reason: None },
        Verification::Unverified {
            reason: Some(reason()),
        },
        Verification::Refused {
            reason: reason(),
            at: now,
        },
    ];
    let call = |outcome, millis| LastCall {
        at: now,
        call: "list_instances",
        outcome,
        took: Duration::from_millis(millis),
    };
    let circuit = |class, state, until| CircuitStatus {
        class,
        state,
        failures: 5,
        until,
    };
    let circuits = [
        circuit(CallClass::Read, CircuitState::Open, Some(now)),
        circuit(CallClass::Background, CircuitState::HalfOpen, None),
    ];
    let health = AccountHealth {
        catalogues: CatalogueKind::ALL.map(|it| (it, None)).into(),
        ..AccountHealth::default()
    };
    html! {
        section {
            h2 { "Accounts" }
            ul { @for it in &words { li { (account::verification(visitor, it)) } } }
            ul {
                @for it in [call("ok", 184), call("no_such_instance", 1234), call("timeout", 9000)] {
                    li { (account::last_answer(visitor, Some(it))) }
                }
                li { (account::last_answer(visitor, None)) }
            }
            (account::circuits(visitor, &circuits))
            p { (account::circuits(visitor, &[])) }
            (account::catalogue_ages(&health))
            p { (account::calls_left(&[])) ", " (account::calls_left(&[bucket(Some(4211))])) }
            (account::calls(visitor, &[bucket(Some(4211)), bucket(None)]))
        }
    }
}

fn bucket(left: Option<u64>) -> RateBucket {
    RateBucket {
        name: "per_hour".into(),
        limit: left.map(|_| 5000),
        limit_by: LimitSource::Stated,
        window: Duration::from_hours(1),
        left,
        in_flight: 1,
        waiting: 2,
        reserve: Reserve::default(),
        resets_at: None,
        closed_until: None,
        as_of: None,
    }
}

fn forms(visitor: &Visitor) -> Markup {
    let filled = Filled::again(
        Values::of([("fine", "All is well"), ("wrong", "x"), ("kind", "b")]),
        Mistakes::one("wrong", "Enter 3 to 64 letters."),
    );
    let cards = [
        Card {
            value: "a",
            title: "Cannot be had",
            body: html! { "A place far away." },
            refusal: Some("it is sold out"),
        },
        Card {
            value: "b",
            title: "Chosen",
            body: html! { "A place nearby." },
            refusal: None,
        },
        Card {
            value: "c",
            title: "Another one",
            body: html! { "From " (money(Some(&usd("5")))) " per month." },
            refusal: None,
        },
    ];
    html! {
        section {
            h2 { "Fields" }
            form.stack method="post" action=(PATH) {
                (field::key())
                (field::text(&filled, Field::new("fine", "A line").hint("With a hint."), Text::default()))
                (field::text(&filled, Field::new("wrong", "A mistake"), Text::default()))
                (field::secret(&filled, Field::new("secret", "A secret"), "off"))
                (field::lines(&filled, Field::new("lines", "Lines").optional(), 3))
                (field::select(&filled, Field::new("one-of", "One of"), [("a", "A"), ("b", "B")]))
                (field::checkbox(&filled, Field::new("box", "A box").hint("Or not.")))
                (choice_cards(&filled, "kind", "Cards", &cards))
                div.buttons { button.primary type="submit" { "Send" } }
            }
        }
        section {
            h2 { "Before something is done" }
            (confirm(visitor, &Filled::default(), Confirm {
                action: PATH,
                button: "Delete server",
                consequences: vec![html! { "The disk is erased." }, html! { "Billing stops." }],
                typed: Some("web-1"),
                fields: html! {},
                back: PATH,
                keep: "Keep it",
            }))
            (confirm(visitor, &Filled::default(), Confirm {
                action: PATH,
                button: "Reboot",
                consequences: vec![html! { "It does not answer for a minute." }],
                typed: None,
                fields: html! {},
                back: PATH,
                keep: "Not now",
            }))
        }
    }
}

fn lists() -> Markup {
    let query = Values::of([("sort", "-label"), ("cursor", "x")]);
    let columns = [
        Column::new("Server").sorted_by("label"),
        Column::new("Region").sorted_by("region").class("secondary"),
        Column::new("Per month").class("number"),
    ];
    html! {
        section {
            h2 { "Lists" }
            (filters(PATH, html! {
                (field::text(&Filled::default(), Field::new("name", "Name contains"), Text::default()))
            }, &[("sort", "-label")]))
            div id="results" {
                form id="bulk" method="get" action=(PATH) {}
                (table("Servers", &columns, html! {
                    tr {
                        th scope="row" {
                            div.row-name {
                                input type="checkbox" form="bulk" name="server" value="1" aria-label="Choose web-1";
                                div { "web-1" ul.tags aria-label="Tags" { li { "web" } li { "blue" } } }
                            }
                        }
                        td.secondary { "nyc3" }
                        td.number { (money(Some(&usd("6")))) }
                    }
                }, PATH, &query, "label"))
                (bulk_bar("bulk", &[("reboot", "Reboot"), ("delete", "Delete")]))
                (pager(PATH, &query, Some("y")))
            }
            (empty("Nothing yet", html! { p { "There is nothing here." } }, Some((PATH, "Begin"))))
        }
    }
}

fn rows_of_pages() -> Markup {
    let step = |label, state, note: Option<&str>| Step {
        label,
        state,
        note: note.map(|it| html! { (it) }),
    };
    html! {
        section {
            h2 { "Step by step" }
            (wizard_steps(2, &[("Provider", Some(PATH)), ("Plan", Some(PATH)), ("Image", None)]))
            div.with-aside {
                (timeline(&[
                    step("Accepted", StepState::Done, None),
                    step("Sent", StepState::Failed, Some("It was refused.")),
                    step("Booting", StepState::Now, Some("40 %")),
                    step("Running", StepState::Later, None),
                ]))
                (summary(&Summary {
                    rows: &[("Region", Some("Frankfurt, DE")), ("Image", None)],
                    price: Some(&an_hour_and_a_month()),
                    priced: true,
                }))
            }
        }
    }
}

async fn errors(visitor: Anyone) -> Answer {
    let mut mistakes = Mistakes::of(Error::TooManyLogins)?;
    mistakes.add("label", "enter 3 to 64 letters");
    mistakes.add("elsewhere", "this field is not on the page");
    let filled = Filled::again(Values::of([("label", "x")]), mistakes);
    Ok(Page::new(&visitor, "Errors")
        .crumb(PATH, "Style guide")
        .form(&filled)
        .body(html! {
            form.stack method="get" action=(PATH) {
                (field::text(&filled, Field::new("label", "Label"), Text::default()))
                div.buttons { button.primary type="submit" { "Send" } }
            }
        }))
}

async fn broken(_visitor: Anyone) -> Answer {
    Err(Failure::from(Error::TryLater(
        "the style guide is meant to fail here",
    )))
}

fn usd(amount: &str) -> Money {
    Money::usd(amount.parse().unwrap_or_default())
}

fn an_hour_and_a_month() -> Price {
    Price {
        hourly: Some(usd("0.0284")),
        monthly: Some(usd("20.74")),
        monthly_is_cap: true,
        source: PriceSource::ProviderApi,
        as_of: Timestamp::UNIX_EPOCH,
    }
}
