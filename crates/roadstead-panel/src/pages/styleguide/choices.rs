//! Lists to choose from, and what stands where one is not here.

use std::sync::Arc;

use maud::{Markup, html};
use roadstead_core::{Arch, GbPerMonth, MiB, ProviderId};
use roadstead_service::Error;
use uuid::Uuid;

use super::{PATH, an_hour_and_a_month, usd};
use crate::form::{Filled, Mistakes, Values};
use crate::offer::{Offer, Ware};
use crate::soon::{Soon, not_here};
use crate::ui::{Bar, Choice, Group, bars, check_group, choice_groups, code_block, plan_table};
use crate::visitor::Visitor;

pub(super) fn section(visitor: &Visitor) -> Markup {
    let filled = Filled::again(
        Values::of([("region", "fra1"), ("keys", "1"), ("plan", "small")]),
        Mistakes::one("keys", "Key 1 is gone."),
    );
    let choice = |value: &str, title: &str, refusal: Option<&str>| Choice {
        value: value.to_owned(),
        title: title.to_owned(),
        note: html! { (value) ", from $5.00 per month" },
        refusal: refusal.map(str::to_owned),
    };
    let groups = [
        Group {
            title: "North America".to_owned(),
            choices: vec![
                choice("nyc3", "New York 3", None),
                choice(
                    "sfo1",
                    "San Francisco 1",
                    Some("it takes no new servers now"),
                ),
            ],
        },
        Group {
            title: "Europe".to_owned(),
            choices: vec![choice("fra1", "Frankfurt 1", None)],
        },
    ];
    let keys = [("1", "laptop", Some("SHA256:a")), ("2", "office", None)];
    let offers = [
        offer("small", None),
        offer("large", Some("it is sold out in `nyc3`")),
    ];
    let failed: Arc<_> = Arc::new(Error::TryLater("the provider is busy").into());
    html! {
        section {
            h2 { "Lists to choose from" }
            form.stack method="get" action=(PATH) {
                (choice_groups(&filled, "region", "Region", &groups))
                (check_group(&filled, "keys", "Keys", Some("Any number of them."), &keys))
            }
            form method="get" action=(PATH) {
                (plan_table(&filled, &offers, PATH, &Values::default()))
            }
        }
        section {
            h2 { "Amounts side by side" }
            (bars("Cheapest", &[bar("Blue", Some("20")), bar("Green", Some("5")), bar("Red", None)]))
        }
        section {
            h2 { "What is not here" }
            (not_here(visitor, "Blue", "its regions", &Soon::<()>::Later))
            (not_here(visitor, "Blue", "its regions", &Soon::<()>::Failed(failed)))
        }
        section {
            h2 { "Lines to copy" }
            (code_block("lines", "command", "curl \\\n  https://example.com"))
        }
    }
}

fn bar(label: &'static str, amount: Option<&str>) -> Bar<'static> {
    Bar {
        label,
        note: html! { "small" },
        amount: amount.map(usd),
    }
}

fn offer(name: &str, refusal: Option<&str>) -> Offer {
    Offer {
        account: ProviderId(Uuid::nil()),
        ware: Ware::read(name),
        name: name.to_owned(),
        plan: name.into(),
        class: "standard".to_owned(),
        arch: Arch::X86_64,
        vcpus: 2,
        dedicated: true,
        memory: MiB::from_gib(4),
        disk: Some(MiB::from_gib(80)),
        gpus: 1,
        transfer: Some(GbPerMonth(4000)),
        price: Some(an_hour_and_a_month()).filter(|_| refusal.is_none()),
        images: Vec::new(),
        refusal: refusal.map(str::to_owned),
    }
}
