//! Puts the document together.

use std::collections::{BTreeMap, BTreeSet};

use roadstead_core::Code;
use schemars::SchemaGenerator;
use schemars::generate::{Contract, SchemaSettings};
use serde_json::{Map, Value, json};

use super::describe::{Description, Who};
use super::example::example;
use super::{Tag, words};
use crate::error::{Shape, error_table};
use crate::route::Route;

/// What every client has to know first.
const INTRODUCTION: &str = include_str!("introduction.md");

const TOKEN: &str = "A token from `POST /api/auth/login`, as `Authorization: Bearer <token>`.";

const ORGANIZATION: &str = "The organization that the request is about. Without it, the first one \
                            that the user belongs to.";

const IDEMPOTENCY_KEY: &str = "A text of your own for this request. The same key with the same \
                               request gives the same answer, and nothing is done twice; with another \
                               request it is refused (422). It is kept for two days. A key belongs to the \
                               organization; where operators act for none, to the operator. A refused \
                               request does not use its key up.";

const REQUEST_ID: &str = "The id of this request in our log: its own `X-Request-Id` where that is \
                          a UUID, else a new one.";

/// Returns the document for these routes.
pub(super) fn document(routes: &[Route]) -> Value {
    let mut taken = generator(Contract::Deserialize);
    let mut given = generator(Contract::Serialize);
    given.subschema_for::<Shape<'static>>();
    let mut responses = BTreeMap::new();
    let mut operations = Vec::new();
    for route in routes {
        let operation = operation(route, &mut taken, &mut given, &mut responses);
        operations.push((route, operation));
    }
    let mut schemas = taken.take_definitions(true);
    schemas.extend(given.take_definitions(true));
    schemas.values_mut().for_each(join_lines);
    let mut paths = Map::new();
    for (route, mut operation) in operations {
        add_examples(&mut operation, &schemas);
        let methods = paths.entry(route.path).or_insert_with(|| json!({}));
        if let Some(methods) = methods.as_object_mut() {
            methods.insert(route.method.as_str().to_lowercase(), operation);
        }
    }
    let mut responses = json!(responses);
    for response in responses
        .as_object_mut()
        .into_iter()
        .flat_map(Map::values_mut)
    {
        add_error_example(response);
    }
    json!({
        "openapi": "3.1.1",
        "info": {
            "title": "Roadstead",
            "version": env!("CARGO_PKG_VERSION"),
            "summary": "One HTTP API over many providers' servers",
            "description": INTRODUCTION,
            "license": { "name": "MIT OR Apache-2.0", "identifier": env!("CARGO_PKG_LICENSE") },
        },
        "servers": [{ "url": "/", "description": "This installation" }],
        "security": [{ "token": [] }],
        "tags": Tag::ALL.map(|it| json!({ "name": it.name(), "description": it.text() })),
        "paths": paths,
        "components": {
            "schemas": schemas,
            "responses": responses,
            "parameters": {
                "Organization": {
                    "name": "X-Organization",
                    "in": "header",
                    "required": false,
                    "description": ORGANIZATION,
                    "schema": { "type": "string", "format": "uuid" },
                },
                "IdempotencyKey": {
                    "name": "Idempotency-Key",
                    "in": "header",
                    "required": false,
                    "description": IDEMPOTENCY_KEY,
                    "schema": { "type": "string", "minLength": 1, "maxLength": 255 },
                    "example": "order-4711",
                },
            },
            "headers": {
                "RequestId": {
                    "description": REQUEST_ID,
                    "schema": { "type": "string", "format": "uuid" },
                },
                "RetryAfter": {
                    "description": "In how many seconds to try again.",
                    "schema": { "type": "integer", "minimum": 1 },
                },
            },
            "securitySchemes": {
                "token": { "type": "http", "scheme": "bearer", "description": TOKEN },
            },
        },
    })
}

/// Makes one line of a description that was broken where the source is.
fn join_lines(schema: &mut Value) {
    match schema {
        Value::Object(members) => {
            for (name, value) in members {
                match value {
                    Value::String(text) if name == "description" => {
                        *text = text.split('\n').collect::<Vec<_>>().join(" ");
                    }
                    // What is shown is shown as it is.
                    _ if name == "examples" => {}
                    other => join_lines(other),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(join_lines),
        _ => {}
    }
}

fn generator(contract: Contract) -> SchemaGenerator {
    SchemaSettings::draft2020_12()
        .with(|it| {
            it.meta_schema = None;
            it.definitions_path = "/components/schemas".into();
            it.contract = contract;
        })
        .into_generator()
}

fn operation(
    route: &Route,
    taken: &mut SchemaGenerator,
    given: &mut SchemaGenerator,
    responses: &mut BTreeMap<&'static str, Value>,
) -> Value {
    let mut it = Description {
        taken,
        given,
        caller: None,
        parameters: Vec::new(),
        body: None,
        refusals: BTreeMap::new(),
        answer: None,
    };
    (route.describe)(&mut it);
    for refusal in &route.refusals {
        it.refuse(*refusal);
    }
    let mut parameters: Vec<_> = route
        .placeholders
        .iter()
        .map(|it| {
            json!({
                "name": it.name,
                "in": "path",
                "required": true,
                "description": it.text,
                "schema": it.schema,
                "example": it.example,
            })
        })
        .collect();
    parameters.append(&mut it.parameters);
    if route.idempotent {
        parameters.push(json!({ "$ref": "#/components/parameters/IdempotencyKey" }));
    }
    let mut answers = Map::new();
    answers.insert("200".to_owned(), success(it.answer.take()));
    for (status, codes) in &it.refusals {
        answers.insert(status.to_string(), refusal(*status, codes, responses));
    }
    let (role, who) = caller(it.caller);
    let text = [route.text, who].join("\n\n");
    let mut operation = json!({
        "tags": [route.tag.name()],
        "operationId": route.id,
        "summary": route.summary,
        "description": text.trim(),
        "x-role": role,
        "parameters": parameters,
        "responses": answers,
    });
    if let Some(members) = operation.as_object_mut() {
        if it.caller.is_none() {
            members.insert("security".to_owned(), json!([]));
        }
        if let Some(schema) = &it.body {
            let content = json!({ "application/json": { "schema": schema } });
            let body = json!({ "required": true, "content": content });
            members.insert("requestBody".to_owned(), body);
        }
    }
    operation
}

/// Returns who may call it, as a word and as a sentence.
fn caller(who: Option<Who>) -> (&'static str, &'static str) {
    match who {
        None => ("anyone", "Anyone may ask, without a token."),
        Some(Who::User) => ("user", "For everybody who is logged in."),
        Some(Who::Operator) => ("operator", "For operators."),
        Some(Who::Role(role)) => (role, words::who(role)),
    }
}

fn success(answer: Option<(&'static str, schemars::Schema)>) -> Value {
    let headers = json!({ "X-Request-Id": { "$ref": "#/components/headers/RequestId" } });
    match answer {
        Some((kind, schema)) => json!({
            "description": "It went well.",
            "headers": headers,
            "content": { kind: { "schema": schema } },
        }),
        None => json!({ "description": "It went well.", "headers": headers }),
    }
}

/// Describes the refusals with one status.
fn refusal(
    status: u16,
    codes: &BTreeSet<&'static str>,
    responses: &mut BTreeMap<&'static str, Value>,
) -> Value {
    let table = error_table();
    let found = |code: &str| table.iter().find(|it| it.0.as_str() == code);
    let meaning = |code: &str| found(code).map_or("", |it| it.2);
    let lines: Vec<_> = codes
        .iter()
        .map(|it| format!("`{it}`: {}", meaning(it)))
        .collect();
    let mut headers = json!({ "X-Request-Id": { "$ref": "#/components/headers/RequestId" } });
    if status == 429
        && let Some(members) = headers.as_object_mut()
    {
        let waits = json!({ "$ref": "#/components/headers/RetryAfter" });
        members.insert("Retry-After".to_owned(), waits);
    }
    let response = json!({
        "description": lines.join("\n\n"),
        "headers": headers,
        "content": { "application/json": { "schema": {
            "$ref": "#/components/schemas/Error",
            "properties": { "code": { "enum": codes } },
        } } },
    });
    // What stands alone under its own status is the same everywhere.
    match codes.iter().next() {
        Some(only) if codes.len() == 1 && found(only).is_some_and(|it| it.1 == status) => {
            responses.entry(*only).or_insert(response);
            json!({ "$ref": format!("#/components/responses/{only}") })
        }
        _ => response,
    }
}

/// Shows what is sent, what comes back, and how a refusal looks.
fn add_examples(operation: &mut Value, schemas: &Map<String, Value>) {
    let body = operation.pointer_mut("/requestBody/content/application~1json");
    if let Some(body) = body {
        show(body, schemas);
    }
    let answer = operation.pointer_mut("/responses/200/content/application~1json");
    if let Some(answer) = answer {
        show(answer, schemas);
    }
    let responses = operation
        .pointer_mut("/responses")
        .and_then(Value::as_object_mut);
    for (status, response) in responses.into_iter().flatten() {
        if status != "200" {
            add_error_example(response);
        }
    }
}

fn show(media: &mut Value, schemas: &Map<String, Value>) {
    let shown = media.get("schema").map(|it| example(it, schemas));
    if let (Some(shown), Some(members)) = (shown, media.as_object_mut()) {
        members.insert("example".to_owned(), shown);
    }
}

/// Shows an error with the first of its codes.
fn add_error_example(response: &mut Value) {
    let Some(media) = response.pointer_mut("/content/application~1json") else {
        return;
    };
    let code = media.pointer("/schema/properties/code/enum/0");
    let Some(code) = code.and_then(Value::as_str) else {
        return;
    };
    let request = "0193a1f0-5c7e-7b3a-9d52-6f1c2e8a4b11";
    let shown = if code == Code::ValidationError.as_str() {
        let words = "must be a whole number, 0 or more";
        json!({
            "success": false,
            "code": code,
            "error": words,
            "field": "wait",
            "errors": [{ "field": "wait", "error": words }],
            "request_id": request,
        })
    } else {
        let table = error_table();
        let words = table.iter().find(|it| it.0.as_str() == code);
        json!({
            "success": false,
            "code": code,
            "error": words.map_or("", |it| it.2),
            "request_id": request,
        })
    };
    if let Some(members) = media.as_object_mut() {
        members.insert("example".to_owned(), shown);
    }
}
