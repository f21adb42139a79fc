//! `docs/errors.md` says what the table in the code says.

use std::fmt::Write;
use std::path::Path;

use roadstead_api::{ErrorCode, error_table};

use crate::blessed::{BLESS, is_blessed};

#[test]
fn the_page_of_error_codes_is_generated_from_the_code() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/errors.md");
    let wanted = page();
    if is_blessed() {
        std::fs::write(&file, wanted).unwrap();
        return;
    }
    let found = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(
        found == wanted,
        "docs/errors.md is out of date; run \
         `{BLESS}=1 cargo test -p roadstead-api --test it errors_md`"
    );
}

fn page() -> String {
    let mut page = String::from(
        "<!-- @generated from crates/roadstead-api/src/error.rs; a test compares the two. -->\n\n\
         # Error codes\n\n\
         An error is `{\"success\": false, \"error\": \"…\", \"code\": \"…\", \"request_id\": \"…\"}`. \
         `error` is a sentence for people and may change; `code` is for programs and stays.\n\n\
         - `field` names the wrong field; `errors` lists all of them as `{\"field\", \"error\"}`.\n\
         - `provider` names the provider where it is about one. Its own words are in the log, under \
         `request_id`, and never in the answer.\n\
         - `retry_after` says in seconds when to try again, as the header `Retry-After` does.\n",
    );
    let about: fn(&ErrorCode) -> bool = |it| matches!(it, ErrorCode::Provider(_));
    section(&mut page, "About requests, servers and providers", about);
    section(&mut page, "About this service", |it| {
        matches!(it, ErrorCode::Door(_))
    });
    page.push_str(
        "\nTwo statuses differ from the table: an `API_ERROR` because the provider did not answer \
         in time is a 504, and a `CONFLICT` because an `Idempotency-Key` came with another request \
         is a 422.\n",
    );
    page
}

fn section(page: &mut String, title: &str, belongs: fn(&ErrorCode) -> bool) {
    write!(
        page,
        "\n## {title}\n\n| Code | HTTP status | Meaning |\n| --- | --- | --- |\n"
    )
    .unwrap();
    for (code, status, meaning) in error_table().iter().filter(|it| belongs(&it.0)) {
        writeln!(page, "| `{}` | {status} | {meaning} |", code.as_str()).unwrap();
    }
}
