//! The reference page: the OpenAPI document for people, without a script.

mod prose;
mod shape;

use maud::{DOCTYPE, Markup, html};
use serde_json::{Map, Value};

use self::prose::prose;
use self::shape::{Role, fields, type_of};
use crate::error::error_table;

/// How the page looks; served apart, so that its policy can forbid styles within it.
pub(super) const STYLE: &str = include_str!("page/style.css");

/// Nothing but this style sheet: no script, no picture, no other host.
pub(super) const POLICY: &str = "default-src 'none'; style-src 'self'; base-uri 'none'; \
                                 form-action 'none'; frame-ancestors 'none'";

/// Returns the page of a document.
pub(super) fn page(document: &Value) -> String {
    let title = text(document, "/info/title");
    let version = text(document, "/info/version");
    let groups = groups(document);
    let schemas = members(document, "/components/schemas");
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) " API reference" }
                link rel="stylesheet" href="/docs/style.css";
            }
            body {
                a.skip href="#content" { "Skip to the content" }
                header {
                    p.brand { (title) }
                    p { "Version " (version) " · " a href="/api/openapi.json" { "openapi.json" } }
                }
                nav aria-label="Contents" { (contents(&groups)) }
                main id="content" {
                    h1 { "API reference" }
                    (prose(text(document, "/info/description")))
                    (first_steps())
                    @for group in &groups { (section(group, document)) }
                    (errors())
                    section aria-labelledby="shapes" {
                        h2 id="shapes" { "Shapes" }
                        @for (name, schema) in schemas { (shape(name, schema)) }
                    }
                }
                footer { p { "Made from the program that serves it." } }
            }
        }
    }
    .into_string()
}

/// A tag, and the operations that have it.
struct Group<'a> {
    name: &'a str,
    text: &'a str,
    operations: Vec<Operation<'a>>,
}

struct Operation<'a> {
    method: String,
    path: &'a str,
    it: &'a Value,
}

impl Operation<'_> {
    fn id(&self) -> &str {
        text(self.it, "/operationId")
    }
}

fn groups(document: &Value) -> Vec<Group<'_>> {
    let tags = document.get("tags").and_then(Value::as_array);
    tags.into_iter()
        .flatten()
        .map(|tag| Group {
            name: text(tag, "/name"),
            text: text(tag, "/description"),
            operations: operations(document, text(tag, "/name")),
        })
        .collect()
}

fn operations<'a>(document: &'a Value, tag: &str) -> Vec<Operation<'a>> {
    let mut found = Vec::new();
    for (path, methods) in members(document, "/paths") {
        for method in ["get", "post", "put", "patch", "delete"] {
            let it = methods.get(method).filter(|it| text(it, "/tags/0") == tag);
            found.extend(it.map(|it| Operation {
                method: method.to_uppercase(),
                path,
                it,
            }));
        }
    }
    found
}

fn contents(groups: &[Group<'_>]) -> Markup {
    html! {
        details open {
            summary { "Contents" }
            @for group in groups {
                p { a href={ "#" (anchor(group.name)) } { (group.name) } }
                ul {
                    @for operation in &group.operations {
                        li { a href={ "#" (operation.id()) } { (text(operation.it, "/summary")) } }
                    }
                }
            }
            p { a href="#errors" { "Errors" } }
            p { a href="#shapes" { "Shapes" } }
        }
    }
}

fn first_steps() -> Markup {
    html! {
        p { "The lines below are for a shell in which these are set:" }
        pre tabindex="0" { code {
            "ROADSTEAD=http://127.0.0.1:8080\n"
            "TOKEN=…   # from `login`\n"
        } }
    }
}

fn section(group: &Group<'_>, document: &Value) -> Markup {
    let id = anchor(group.name);
    html! {
        section aria-labelledby=(id) {
            h2 id=(id) { (group.name) }
            (prose(group.text))
            @for operation in &group.operations { (article(operation, document)) }
        }
    }
}

fn article(operation: &Operation<'_>, document: &Value) -> Markup {
    let body = operation
        .it
        .pointer("/requestBody/content/application~1json");
    let (kind, answer) = media(operation.it.pointer("/responses/200"));
    html! {
        article aria-labelledby=(operation.id()) {
            h3 id=(operation.id()) { (text(operation.it, "/summary")) }
            p.route { span class={ "method " (operation.method.to_lowercase()) } { (operation.method) } " " code { (breakable(operation.path)) } }
            (prose(text(operation.it, "/description")))
            (parameters(operation.it, document))
            @if let Some(body) = body {
                h4 { "Body" }
                @let schema = resolved(body.get("schema"), document);
                (fields(schema, Role::Request))
            }
            h4 { "Request" }
            pre tabindex="0" { code { (curl(operation, body)) } }
            h4 { "Answer" }
            @if let Some(answer) = answer {
                @if let Some(schema) = answer.get("schema") { p { (type_of(schema)) " as " code { (kind) } } }
                @if let Some(example) = answer.get("example") {
                    details { summary { "Example" } pre tabindex="0" { code { (pretty(example)) } } }
                }
            }
            (refusals(operation.it, document))
        }
    }
}

fn parameters(operation: &Value, document: &Value) -> Markup {
    let parameters = operation.get("parameters").and_then(Value::as_array);
    let parameters: Vec<_> = parameters
        .into_iter()
        .flatten()
        .map(|it| resolved(Some(it), document))
        .collect();
    html! {
        @for (place, title) in [("path", "In the path"), ("query", "In the query"), ("header", "In the headers")] {
            @let here: Vec<_> = parameters.iter().filter(|it| text(it, "/in") == place).collect();
            @if !here.is_empty() {
                h4 { (title) }
                dl.fields {
                    @for it in here {
                        dt {
                            code { (text(it, "/name")) } " "
                            span.type { (it.get("schema").map(type_of).unwrap_or_default()) }
                            @if it.get("required") == Some(&Value::Bool(true)) { " " span.needed { "required" } }
                        }
                        dd { (prose(text(it, "/description"))) (shape::bounds(it.get("schema"))) }
                    }
                }
            }
        }
    }
}

/// Returns the media type of a response with what the document says of it.
fn media(response: Option<&Value>) -> (&str, Option<&Value>) {
    let content = response
        .and_then(|it| it.get("content"))
        .and_then(Value::as_object);
    match content.and_then(|it| it.iter().next()) {
        Some((kind, media)) => (kind, Some(media)),
        None => ("", None),
    }
}

fn refusals(operation: &Value, document: &Value) -> Markup {
    let responses = members(operation, "/responses").filter(|it| it.0 != "200");
    html! {
        h4 { "Errors" }
        ul.codes {
            @for (status, response) in responses {
                @let response = resolved(Some(response), document);
                @let codes = response.pointer("/content/application~1json/schema/properties/code/enum");
                @for code in codes.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str) {
                    li { span.status { (status) } " " a href={ "#" (code) } { code { (code) } } }
                }
            }
        }
    }
}

/// Returns the request as a line for a shell.
fn curl(operation: &Operation<'_>, body: Option<&Value>) -> String {
    let mut path = operation.path.to_owned();
    let parameters = operation.it.get("parameters").and_then(Value::as_array);
    for it in parameters
        .into_iter()
        .flatten()
        .filter(|it| text(it, "/in") == "path")
    {
        path = path.replace(&format!("{{{}}}", text(it, "/name")), text(it, "/example"));
    }
    let mut line = "curl".to_owned();
    if operation.method != "GET" {
        line.push_str(&format!(" -X {}", operation.method));
    }
    line.push_str(&format!(" \"$ROADSTEAD{path}\""));
    if operation.it.get("security").is_none() {
        line.push_str(" \\\n  -H \"Authorization: Bearer $TOKEN\"");
    }
    if let Some(example) = body.and_then(|it| it.get("example")) {
        // A quote within quotes, as shells take it.
        let json = pretty(example).replace('\'', "'\\''");
        line.push_str(&format!(" \\\n  --json '{json}'"));
    }
    line
}

fn errors() -> Markup {
    html! {
        section aria-labelledby="errors" {
            h2 id="errors" { "Errors" }
            p { "Every error is an " a href="#shape-Error" { code { "Error" } } "; `code` says which:" }
            dl.fields {
                @for (code, status, meaning) in error_table() {
                    dt id=(code.as_str()) { code { (code.as_str()) } " " span.status { (status) } }
                    dd { (prose(meaning)) }
                }
            }
        }
    }
}

fn shape(name: &str, schema: &Value) -> Markup {
    let id = shape::anchor(name);
    html! {
        article aria-labelledby=(id) {
            h3 id=(id) { code { (name) } }
            (prose(text(schema, "/description")))
            (fields(schema, Role::Shape))
        }
    }
}

/// Follows a reference within the document, if it is one.
fn resolved<'a>(value: Option<&'a Value>, document: &'a Value) -> &'a Value {
    let value = value.unwrap_or(&Value::Null);
    match value.get("$ref").and_then(Value::as_str) {
        Some(target) => document
            .pointer(target.trim_start_matches('#'))
            .unwrap_or(&Value::Null),
        None => value,
    }
}

/// Returns the text at a place; none is an empty one.
fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value
        .pointer(pointer)
        .and_then(Value::as_str)
        .unwrap_or_default()
}

fn members<'a>(value: &'a Value, pointer: &str) -> impl Iterator<Item = (&'a String, &'a Value)> {
    let members = value.pointer(pointer).and_then(Value::as_object);
    members.into_iter().flat_map(Map::iter)
}

fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(value).unwrap_or_default()
}

fn anchor(name: &str) -> String {
    name.to_lowercase().replace(' ', "-")
}

/// Lets a path break where a narrow screen needs it.
fn breakable(path: &str) -> Markup {
    html! {
        @for part in path.split('/').filter(|it| !it.is_empty()) { wbr; "/" (part) }
    }
}
