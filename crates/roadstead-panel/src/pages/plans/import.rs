//! The plans of an account are put on sale, or brought up to date.

use maud::{Markup, html};
use roadstead_core::{Arch, MiB, Support};
use roadstead_service::{ImportFilter, ImportPlans, Imported, OwnMarkups, Registered};

use super::markup;
use crate::failure::Answer;
use crate::form::{Filled, Form, Mistakes, Sent, Values};
use crate::ui::{Field, Page, Text, field};
use crate::visitor::Operator;

/// What was counted, by the names that it has in the address of the report.
const COUNTS: [(&str, &str); 5] = [
    ("added", "New on sale"),
    ("updated", "Brought up to date"),
    ("unchanged", "Unchanged"),
    (
        "retired",
        "No longer sold by the provider, and taken off sale",
    ),
    ("skipped", "Left out, because they cannot be sold"),
];

pub(super) async fn show(operator: Operator) -> Answer {
    let query = operator.query()?;
    let asked = query.text("provider");
    page(
        &operator,
        &Filled::with([("provider", asked), ("markup", "none")]),
    )
    .await
}

pub(super) async fn import(Sent(operator, form): Sent<Operator>) -> Answer {
    let Form { values, .. } = form;
    let request = match request(&values) {
        Ok(request) => request,
        Err(mistakes) => return page(&operator, &Filled::again(values, mistakes)).await,
    };
    let provider = request.provider;
    match operator
        .platform
        .import_plans(&operator.grant, request)
        .await
    {
        Ok(done) => Ok(operator.go(&report(&done, &provider.to_string()))),
        Err(error) => {
            let mut mistakes = Mistakes::of(error)?;
            for mistake in &mut mistakes.fields {
                // As the form calls it.
                if let Some(name) = mistake.field.strip_prefix("filter.") {
                    mistake.field = name.to_owned().into();
                }
            }
            page(&operator, &Filled::again(values, mistakes)).await
        }
    }
}

fn request(values: &Values) -> Result<ImportPlans, Mistakes> {
    let mut mistakes = Mistakes::default();
    let provider = values.given("provider").and_then(|it| it.parse().ok());
    if provider.is_none() {
        mistakes.add("provider", "Choose an account.");
    }
    let markup = match markup::read(values) {
        Ok(markup) => Some(markup),
        Err(wrong) => {
            mistakes.join(wrong);
            None
        }
    };
    let mut number = |name: &'static str| match values.given(name).map(str::parse::<u32>) {
        None => None,
        Some(Ok(number)) => Some(number),
        Some(Err(_)) => {
            mistakes.add(name, "Enter a whole number.");
            None
        }
    };
    let memory = |gib: Option<u32>| gib.map(|it| MiB::from_gib(it.into()));
    let filter = ImportFilter {
        plans: list(values.text("types")),
        classes: list(values.text("classes")),
        arch: match values.text("arch") {
            "x86_64" => Some(Arch::X86_64),
            "aarch64" => Some(Arch::Aarch64),
            _ => None,
        },
        min_vcpus: number("min_vcpus"),
        max_vcpus: number("max_vcpus"),
        min_memory: memory(number("min_memory")),
        max_memory: memory(number("max_memory")),
    };
    let (Some(provider), Some(markup), true) = (provider, markup, mistakes.is_empty()) else {
        return Err(mistakes);
    };
    Ok(ImportPlans {
        provider,
        markup,
        own_markups: if values.checked("replace_markups") {
            OwnMarkups::Replace
        } else {
            OwnMarkups::Keep
        },
        regions: list(values.text("regions")),
        filter,
    })
}

/// Reads what is listed with commas, spaces or line breaks.
fn list(text: &str) -> Vec<String> {
    let words = text.split(|it: char| it == ',' || it.is_whitespace());
    let words = words.filter(|it| !it.is_empty());
    words.map(str::to_owned).collect()
}

async fn page(operator: &Operator, filled: &Filled) -> Answer {
    let accounts = operator.platform.providers(&operator.grant).await?;
    let usable = |it: &&Registered| it.record.active && it.descriptor.available == Support::Yes;
    let accounts: Vec<_> = accounts.iter().filter(usable).collect();
    let ids: Vec<_> = accounts.iter().map(|it| it.record.id.to_string()).collect();
    let names = accounts.iter().map(|it| it.record.name.as_str());
    let options = ids.iter().map(String::as_str).zip(names);
    let place = Page::new(operator, "Import plans")
        .crumb("/plans", "Plans on sale")
        .form(filled);
    Ok(place.body(html! {
        p.lead {
            "The provider is asked for its plans. New ones are put on sale, those on sale get its \
             present prices, and what it no longer sells is taken off. All of that is done, or nothing."
        }
        form.stack method="post" action="/plans/import" {
            (field::key())
            (field::select(
                filled,
                Field::new("provider", "Account"),
                std::iter::once(("", "Choose one")).chain(options),
            ))
            (markup::fields(filled))
            (field::checkbox(
                filled,
                Field::new("replace_markups", "For plans with a markup of their own, too")
                    .hint("Else those keep theirs. Names, base prices, regions and the order stay in any case."),
            ))
            (some(filled))
            div.buttons {
                button.primary type="submit" { "Import" }
                a.button href="/plans" { "Not now" }
            }
        }
    }))
}

/// Asks for a part of the plans.
fn some(filled: &Filled) -> Markup {
    const NAMES: [&str; 8] = [
        "regions",
        "types",
        "classes",
        "arch",
        "min_vcpus",
        "max_vcpus",
        "min_memory",
        "max_memory",
    ];
    let used = NAMES.iter().any(|it| filled.values.given(it).is_some());
    let ids = "Separated by commas or spaces.";
    let number = Text {
        kind: "number",
        ..Text::default()
    };
    html! {
        details open[used] {
            summary { "Only some plans" }
            div.stack {
                (field::text(
                    filled,
                    Field::new("regions", "Regions").optional().hint(
                        "The provider’s ids, separated by commas or spaces. New plans may then be \
                         used in these alone.",
                    ),
                    Text::default(),
                ))
                (field::text(filled, Field::new("types", "Plans").optional().hint(ids), Text::default()))
                (field::text(filled, Field::new("classes", "Families").optional().hint(ids), Text::default()))
                (field::select(
                    filled,
                    Field::new("arch", "Processors"),
                    [("", "Any"), ("x86_64", "x86-64"), ("aarch64", "ARM")],
                ))
                (field::text(filled, Field::new("min_vcpus", "vCPU at least").optional(), number))
                (field::text(filled, Field::new("max_vcpus", "vCPU at most").optional(), number))
                (field::text(filled, Field::new("min_memory", "GiB of memory at least").optional(), number))
                (field::text(filled, Field::new("max_memory", "GiB of memory at most").optional(), number))
            }
        }
    }
}

fn report(done: &Imported, provider: &str) -> String {
    let Imported {
        added,
        updated,
        unchanged,
        retired,
        skipped,
    } = done;
    format!(
        "/plans/imported?provider={provider}&added={added}&updated={updated}\
         &unchanged={unchanged}&retired={retired}&skipped={skipped}"
    )
}

/// Tells what an import has come to.
pub(super) async fn imported(operator: Operator) -> Answer {
    let query = operator.query()?;
    let provider = query.given("provider").and_then(|it| it.parse().ok());
    let account = match provider {
        Some(id) => Some(
            operator
                .platform
                .provider(&operator.grant, id)
                .await?
                .record,
        ),
        None => None,
    };
    let list = account.as_ref().map_or_else(
        || "/plans".to_owned(),
        |it| format!("/plans?provider={}", it.id),
    );
    Ok(Page::new(&operator, "Plans imported")
        .crumb("/plans", "Plans on sale")
        .body(html! {
            @if let Some(account) = &account { p.lead { "From " (account.name) "." } }
            dl.facts.narrow {
                @for (name, what) in COUNTS {
                    // Numbers alone: an address can be made by anybody.
                    @if let Some(count) = query.given(name).and_then(|it| it.parse::<u64>().ok()) {
                        div { dt { (what) } dd { (count) } }
                    }
                }
            }
            div.buttons {
                a.button.primary href=(list) { "Look at the plans" }
                a.button href="/plans/import" { "Import more" }
            }
        }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_read_however_it_is_separated() {
        assert_eq!(list(" nyc3,ams3  fra1\n,"), ["nyc3", "ams3", "fra1"]);
        assert_eq!(list(" , "), [""; 0]);
    }
}
