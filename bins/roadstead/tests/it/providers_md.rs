//! `docs/providers.md` says what the descriptors say.

use std::fmt::Write;
use std::path::Path;

use roadstead_core::{
    Billed, CreateGuarantee, Descriptor, Feature, ProviderKind, RootPassword, Support,
};

/// Set to 1, the page is written instead of compared.
const BLESS: &str = "ROADSTEAD_TEST_BLESS";

#[test]
fn the_page_of_providers_is_generated_from_the_descriptors() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/providers.md");
    let wanted = page(&[
        roadstead_digitalocean::descriptor(),
        roadstead_linode::descriptor(),
        roadstead_aws::descriptor(),
        roadstead_gcp::descriptor(),
    ]);
    if is_blessed() {
        std::fs::write(&file, wanted).unwrap();
        return;
    }
    let found = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(
        found == wanted,
        "docs/providers.md is out of date; run \
         `{BLESS}=1 cargo test -p roadstead --test it providers_md`"
    );
}

#[expect(
    clippy::disallowed_methods,
    reason = "a test has nobody above it that could read the environment"
)]
fn is_blessed() -> bool {
    std::env::var(BLESS).is_ok_and(|it| it == "1")
}

fn page(providers: &[Descriptor]) -> String {
    let mut page = String::from(
        "<!-- @generated from the providers' descriptors; a test compares the two. -->\n\n\
         # What each provider can do\n\n\
         The same is in the `descriptor` of `GET /api/vps/providers`, for programs. A feature says \
         what the provider's crate can do; [api.md](api.md) says which of it is a route yet.\n\n",
    );
    let (ready, waiting): (Vec<_>, Vec<_>) = providers
        .iter()
        .partition(|it| it.available == Support::Yes);
    head(&mut page, "Feature", &ready);
    for feature in Feature::ALL {
        row(
            &mut page,
            &format!("`{}`", word(&feature)),
            &ready,
            |it| match it.features.get(&feature) {
                Some(Support::Yes) => "yes".to_owned(),
                Some(Support::No { .. }) | None => "no".to_owned(),
            },
        );
    }
    reasons(&mut page, &ready);
    facts(&mut page, &ready);
    options(&mut page, &ready);
    page.push_str("\n## Not available yet\n\n");
    for it in waiting {
        if let Support::No { why } = &it.available {
            writeln!(page, "- **{}**: {why}.", it.name).unwrap();
        }
    }
    page
}

fn reasons(page: &mut String, providers: &[&Descriptor]) {
    page.push_str("\n## Why not\n\n");
    for it in providers {
        for feature in Feature::ALL {
            if let Some(why) = it.refusal(feature) {
                writeln!(page, "- **{}, `{}`**: {why}.", it.name, word(&feature)).unwrap();
            }
        }
    }
}

fn facts(page: &mut String, providers: &[&Descriptor]) {
    page.push_str("\n## Limits and ways\n\n");
    head(page, "", providers);
    row(page, "names", providers, |it| {
        it.limits.name.sentence.to_string()
    });
    row(page, "two servers of one name", providers, |it| {
        if it.limits.name.unique {
            "refused"
        } else {
            "allowed"
        }
        .to_owned()
    });
    row(page, "user data, bytes", providers, |it| {
        it.limits.user_data_bytes.to_string()
    });
    row(page, "tags on a server", providers, |it| {
        it.limits.tags.to_string()
    });
    row(page, "servers on a page of its list", providers, |it| {
        it.limits.page_max.to_string()
    });
    row(page, "root password", providers, |it| {
        match &it.root_password {
            RootPassword::Native => "set by the provider".to_owned(),
            RootPassword::CloudInit => "as a hash, through cloud-init".to_owned(),
            RootPassword::No { why } => format!("no: {why}"),
        }
    });
    row(page, "a stopped server costs", providers, |it| {
        match it.billed_when_stopped {
            Billed::Full => "its full price",
            Billed::StorageOnly => "its storage",
            Billed::No => "nothing",
            _ => "what the provider does not say",
        }
        .to_owned()
    });
    row(page, "a create asked for twice", providers, |it| {
        match it.create_guarantee {
            CreateGuarantee::Token => "is recognized by its token",
            CreateGuarantee::UniqueName => "is refused by its name",
            CreateGuarantee::LookupOnly => "would make two: Roadstead looks first",
        }
        .to_owned()
    });
    row(
        page,
        "a new server may be missing from lists for",
        providers,
        |it| format!("{} s", it.visibility_lag.as_secs()),
    );
}

fn options(page: &mut String, providers: &[&Descriptor]) {
    page.push_str("\n## Options of a create\n\nIn `options` of `POST /api/vps`.\n");
    for it in providers {
        let ProviderKind(kind) = &it.kind;
        write!(page, "\n### {} (`{kind}`)\n\n", it.name).unwrap();
        page.push_str("| Option | Type | Meaning |\n| --- | --- | --- |\n");
        let schema = it.options_schema["properties"].as_object().unwrap();
        for (name, property) in schema {
            // What the choices are says more than their type.
            let kind = property["enum"].as_array().map_or_else(
                || property["type"].as_str().unwrap().to_owned(),
                |choices| {
                    choices
                        .iter()
                        .map(|it| format!("`{it}`"))
                        .collect::<Vec<_>>()
                        .join(", ")
                },
            );
            let text = property["description"].as_str().unwrap();
            writeln!(page, "| `{name}` | {kind} | {text} |").unwrap();
        }
    }
}

fn head(page: &mut String, first: &str, providers: &[&Descriptor]) {
    let names: Vec<_> = providers.iter().map(|it| it.name.as_ref()).collect();
    writeln!(page, "| {first} | {} |", names.join(" | ")).unwrap();
    writeln!(page, "| --- |{}", " --- |".repeat(names.len())).unwrap();
}

fn row(
    page: &mut String,
    name: &str,
    providers: &[&Descriptor],
    cell: impl Fn(&Descriptor) -> String,
) {
    let cells: Vec<_> = providers.iter().map(|it| cell(it)).collect();
    writeln!(page, "| {name} | {} |", cells.join(" | ")).unwrap();
}

/// Returns a feature as it stands in JSON.
fn word(feature: &Feature) -> String {
    let value = serde_json::to_value(feature).unwrap();
    value.as_str().unwrap().to_owned()
}
