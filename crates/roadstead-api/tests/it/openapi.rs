//! The OpenAPI document: the committed one, what it must say of every route, and how it is served.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::{Value, json};

use crate::app::TestApp;
use crate::blessed::{BLESS, is_blessed};
use crate::schema::{DOCUMENT, Strictness, check, operations, resolve};

#[test]
fn the_committed_document_is_generated_from_the_code() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/openapi.json");
    let wanted = roadstead_api::openapi();
    if is_blessed() {
        std::fs::write(&file, wanted).unwrap();
        return;
    }
    let found = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(
        found == wanted,
        "docs/openapi.json is out of date; run \
         `{BLESS}=1 cargo test -p roadstead-api --test it openapi`"
    );
}

#[test]
fn nothing_is_mounted_but_what_the_list_of_routes_holds() {
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
    let mut mounts = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let text = std::fs::read_to_string(&path).unwrap();
            for way in [
                "#[get(",
                "#[post(",
                "#[put(",
                "#[patch(",
                "#[delete(",
                "#[route(",
                ".service(",
                ".route(",
                "web::resource",
                "web::scope",
            ] {
                if text.contains(way) {
                    mounts.push(format!("{} {way}", path.file_name().unwrap().display()));
                }
            }
        }
    }
    // `Route::mount`, which every route of the list goes through.
    assert_eq!(mounts, ["route.rs .route("]);
}

#[test]
fn every_operation_is_documented_completely() {
    let mut ids = BTreeSet::new();
    let tags = DOCUMENT["tags"].as_array().unwrap().iter();
    let tags: Vec<_> = tags.map(|it| &it["name"]).collect();
    for (method, path, operation) in operations() {
        let place = format!("{method} {path}");
        let id = operation["operationId"].as_str().unwrap();
        assert!(ids.insert(id), "{place}: `{id}` is taken");
        assert!(id.chars().all(char::is_alphabetic), "{place}");
        assert!(tags.contains(&&operation["tags"][0]), "{place}");
        for text in ["summary", "description"] {
            let text = operation[text].as_str().unwrap();
            assert!(text.starts_with(char::is_uppercase), "{place}: {text}");
        }
        let placeholders: BTreeSet<_> = path
            .split('/')
            .filter_map(|it| it.strip_prefix('{')?.strip_suffix('}'))
            .map(str::to_owned)
            .collect();
        let mut described = BTreeSet::new();
        for parameter in operation["parameters"].as_array().unwrap() {
            let parameter = resolve(parameter);
            let name = parameter["name"].as_str().unwrap();
            assert!(
                !parameter["description"].as_str().unwrap().is_empty(),
                "{place}: {name}"
            );
            assert!(parameter["schema"].is_object(), "{place}: {name}");
            if parameter["in"] == "path" {
                described.insert(name.to_owned());
            }
        }
        assert_eq!(placeholders, described, "{place}");
        let responses = operation["responses"].as_object().unwrap();
        for (status, response) in responses {
            let response = resolve(response);
            assert!(
                !response["description"].as_str().unwrap().is_empty(),
                "{place} {status}"
            );
            assert!(
                response["content"].is_object(),
                "{place} {status}: no content"
            );
        }
        let open = operation["x-role"] == "anyone";
        assert_eq!(
            operation.get("security"),
            open.then_some(&json!([])),
            "{place}"
        );
        assert!(open || responses.contains_key("401"), "{place}");
    }
}

#[test]
fn every_example_fits_its_schema_and_shows_every_field() {
    for (method, path, operation) in operations() {
        let body = operation.pointer("/requestBody/content/application~1json");
        let responses = operation["responses"].as_object().unwrap();
        let answers = responses
            .values()
            .filter_map(|it| resolve(it).pointer("/content/application~1json"));
        for media in body.into_iter().chain(answers) {
            let place = format!("{method} {path}: {media}");
            let errors = check(&media["schema"], &media["example"], Strictness::AsSaid);
            assert!(errors.is_empty(), "{errors}in {place}");
            assert!(!media["example"].is_null(), "{place}");
            // What a text looks like is said by an example, its words or its format.
            let shown = media["example"].to_string();
            assert!(
                !shown.contains("\"…\""),
                "a text without an example: {place}"
            );
        }
    }
}

#[test]
fn every_schema_explains_itself_and_requests_take_no_unknown_field() {
    let schemas = DOCUMENT["components"]["schemas"].as_object().unwrap();
    for (name, schema) in schemas {
        assert!(
            schema["description"].is_string(),
            "`{name}` has no description"
        );
        for (field, rules) in schema["properties"].as_object().into_iter().flatten() {
            let told = rules["description"].is_string() || rules.get("$ref").is_some();
            assert!(told, "`{name}.{field}` has no description");
        }
    }
    let bodies: Vec<_> = operations()
        .into_iter()
        .filter_map(|it| {
            it.2.pointer("/requestBody/content/application~1json/schema")
        })
        .collect();
    assert!(bodies.len() > 4);
    for body in bodies {
        let schema = resolve(body);
        assert_eq!(schema["additionalProperties"], json!(false), "{schema}");
    }
}

#[test]
fn every_error_code_is_explained_by_some_route_and_no_other_one_is_named() {
    let known = DOCUMENT["components"]["schemas"]["Error"]["properties"]["code"]["enum"].clone();
    let known: BTreeSet<_> = known
        .as_array()
        .unwrap()
        .iter()
        .cloned()
        .map(word)
        .collect();
    let mut named = BTreeSet::new();
    for (_, _, operation) in operations() {
        for response in operation["responses"].as_object().unwrap().values() {
            let codes = resolve(response)
                .pointer("/content/application~1json/schema/properties/code/enum")
                .and_then(Value::as_array);
            named.extend(codes.into_iter().flatten().cloned().map(word));
        }
    }
    assert_eq!(named, known);
}

fn word(value: Value) -> String {
    value.as_str().unwrap().to_owned()
}

#[tokio::test]
async fn the_document_is_served_to_anyone_and_only_once() {
    let app = TestApp::start_idle().await;
    let first = app.get("/api/openapi.json").await;
    assert_eq!(
        (first.status, &*first.text),
        (200, roadstead_api::openapi())
    );
    assert_eq!(first.header("content-type"), Some("application/json"));
    assert_eq!(first.header("cache-control"), Some("no-cache"));
    assert_eq!(first.at("/openapi"), "3.1.1");
    let etag = first.header("etag").unwrap();
    for known in [etag, &format!("\"other\", {etag}"), "*"] {
        let again = app
            .get("/api/openapi.json")
            .header("if-none-match", known)
            .await;
        assert_eq!((again.status, &*again.text), (304, ""), "{known}");
        assert_eq!(again.header("etag"), Some(etag));
    }
    let other = app
        .get("/api/openapi.json")
        .header("if-none-match", "\"other\"")
        .await;
    assert_eq!(other.status, 200);
}
