//! Cases about a vendor's own options, its applications and the lists to choose from.

use std::collections::BTreeSet;

use roadstead_core::{
    AppField, ChoiceList, CreateInstance, ErrorKind, Feature, FieldKind, ImageId, MarketplaceApp,
    Outcome, Provider, State,
};
use serde_json::{Map, Value, json};

use super::key;
use crate::harness::{CallClass, Harness};
use crate::wait::until_state;

/// A create with every option that the schema knows makes a server that has them all, as the
/// vendor itself tells; what only a server that is there takes can be set twice.
pub async fn every_option_reaches_the_vendor(harness: &impl Harness) {
    let provider = harness.provider();
    let request = harness.rich_request(key("rich")).await;
    let wanted = request.options.clone().expect("a rich request has options");
    assert_eq!(
        names(&wanted),
        names(&provider.descriptor().options_schema["properties"]),
        "a rich request uses every option"
    );
    provider
        .check_create(&request)
        .expect("a rich request is sound");
    let created = provider
        .create_instance(&request)
        .await
        .expect("the server is created");
    let id = created.instance.id;
    until_state(harness, &*provider, &id, State::Running).await;
    if let Some(after) = provider.extensions().after_create {
        let plan = after.plan(&request).expect("not all is in the create");
        for _ in 0..2 {
            after.finish(&id, &plan).await.expect("it can be set");
        }
        let plain = harness.request(key("plain"));
        assert_eq!(after.plan(&plain), None, "a plain create is finished");
        let foreign = after.finish(&id, &json!({ "odd": 1 })).await;
        let error = foreign.expect_err("that is no plan");
        assert_eq!(error.kind, ErrorKind::Invalid, "{error:?}");
    }
    assert_eq!(harness.options_at_vendor(&request.key).await, wanted);
    assert_eq!(harness.servers_at_vendor(&request.key).await, 1);
}

/// An option of the wrong kind is named, and nothing is sent.
pub async fn a_wrong_option_is_named_and_nothing_is_sent(harness: &impl Harness) {
    let provider = harness.provider();
    let schema = &provider.descriptor().options_schema;
    let properties = schema["properties"].as_object().expect("options by name");
    let sent = harness.calls_seen(CallClass::Any).await;
    for (name, option) in properties {
        for value in wrong_values(option) {
            let mut request = harness.request(key("wrong"));
            request.options = Some(json!({ name: value }));
            let checked = provider.check_create(&request);
            let created = provider.create_instance(&request).await.map(drop);
            for error in [checked, created].map(|it| it.expect_err("the option is wrong")) {
                assert_eq!(error.kind, ErrorKind::Invalid, "{name}: {value}: {error:?}");
                assert_eq!(error.outcome, Outcome::NotExecuted, "{name}: {error:?}");
                let field = error.field.as_deref().unwrap_or_default();
                let option = format!("options.{name}");
                assert!(field.starts_with(&option), "{name}: {value}: {error:?}");
            }
        }
    }
    assert_eq!(harness.calls_seen(CallClass::Any).await, sent);
}

fn wrong_values(option: &Value) -> Vec<Value> {
    let mut wrong = match option["type"].as_str() {
        Some("string") => vec![json!(7), json!({})],
        Some("integer" | "number") => vec![json!("x"), json!(-7), json!([])],
        Some("boolean") => vec![json!("x"), json!(7)],
        Some("array") => vec![json!("x"), json!([{}])],
        _ => vec![json!(7), json!("x"), json!([])],
    };
    if option["enum"].is_array() || option["format"].is_string() {
        wrong.push(json!("no-such-word"));
    }
    if option["required"].is_array() {
        wrong.push(json!({}));
    }
    if option["properties"].is_object() {
        wrong.push(json!({ "no_such_member": true }));
    }
    wrong
}

/// An application that is not told what it needs, or is told what it does not know, is refused
/// with the field, and no server is asked for.
pub async fn an_app_that_is_not_told_all_is_refused(harness: &impl Harness) {
    let provider = harness.provider();
    let Some((app, request)) = an_asking_app(harness, &*provider).await else {
        return;
    };
    let option = app.answers_in.clone().expect("the answers have a place");
    let needed = app.fields.iter().find(|it| it.required).expect("it asks");
    let mut cases = vec![
        (without(&app, needed), needed.name.clone()),
        (
            with(&app, "no_such_field", json!("x")),
            "no_such_field".into(),
        ),
        (with(&app, &needed.name, json!(7)), needed.name.clone()),
    ];
    for field in &app.fields {
        if let FieldKind::One { .. } | FieldKind::Many { .. } = field.kind {
            let odd = with(&app, &field.name, json!("no-such-choice"));
            cases.push((odd, field.name.clone()));
        }
    }
    for (answers, name) in cases {
        let request = asking(&request, &app, answers);
        let error = provider
            .create_instance(&request)
            .await
            .expect_err("it was not told all");
        assert_eq!(error.kind, ErrorKind::Invalid, "{name}: {error:?}");
        assert_eq!(error.outcome, Outcome::NotExecuted, "{name}: {error:?}");
        let field = format!("options.{option}.{name}");
        assert_eq!(error.field.as_deref(), Some(&*field), "{error:?}");
    }
    assert_eq!(harness.calls_seen(CallClass::Create).await, 0);
}

/// An application starts when it is told what it needs, upon an image that it names.
pub async fn an_app_starts_with_its_answers(harness: &impl Harness) {
    let provider = harness.provider();
    let Some(marketplace) = provider.extensions().marketplace else {
        assert!(!provider.descriptor().supports(Feature::Marketplace));
        return;
    };
    let apps = marketplace.apps().await.expect("the apps are listed");
    check_apps(&apps);
    let asking_one = apps.iter().find(|it| !it.fields.is_empty());
    let app = asking_one.or(apps.first()).expect("there is an app");
    let request = base(harness, &*provider, app).await;
    let request = asking(&request, app, answers(app));
    provider
        .create_instance(&request)
        .await
        .expect("the app is told all");
    assert_eq!(harness.servers_at_vendor(&request.key).await, 1);
}

/// A list to choose from is there exactly where the descriptor says yes.
pub async fn lists_of_choices_agree_with_the_descriptor(harness: &impl Harness) {
    let provider = harness.provider();
    let descriptor = provider.descriptor();
    let lists = ChoiceList::ALL;
    let any = lists.iter().any(|it| descriptor.supports(it.feature()));
    let choices = provider.extensions().choices;
    assert_eq!(choices.is_some(), any);
    let Some(choices) = choices else { return };
    for list in lists {
        let seen = harness.calls_seen(CallClass::Any).await;
        let listed = choices.choices(list).await;
        let Some(why) = descriptor.refusal(list.feature()) else {
            let listed = listed.unwrap_or_else(|error| panic!("{list:?}: {error:?}"));
            let values: BTreeSet<String> = listed.iter().map(|it| it.value.to_string()).collect();
            assert_eq!(values.len(), listed.len(), "{list:?} has twins");
            assert!(listed.iter().all(|it| !it.label.is_empty()), "{list:?}");
            continue;
        };
        let error = listed.expect_err("there is no such list");
        assert_eq!(error.kind, ErrorKind::Unsupported, "{list:?}: {error:?}");
        assert_eq!(error.message, why, "{list:?}");
        assert_eq!(harness.calls_seen(CallClass::Any).await, seen, "{list:?}");
    }
}

/// Every script of the account is found by its id, and what nobody has is no script.
pub async fn scripts_are_found_by_their_ids(harness: &impl Harness) {
    let provider = harness.provider();
    let Some(scripts) = provider.extensions().stack_scripts else {
        assert!(!provider.descriptor().supports(Feature::StackScripts));
        return;
    };
    let own = scripts.own().await.expect("the scripts are listed");
    check_apps(&own);
    for script in own.iter() {
        let found = scripts.script(&script.id).await;
        assert_eq!(&found.expect("it is there"), script);
    }
    let absent = harness.absent_instance();
    let error = scripts
        .script(absent.as_str())
        .await
        .expect_err("nobody has it");
    assert_eq!(error.kind, ErrorKind::NoSuchResource, "{error:?}");
}

/// An application says all that is needed to start it.
fn check_apps(apps: &[MarketplaceApp]) {
    let ids: BTreeSet<&str> = apps.iter().map(|it| &*it.id).collect();
    assert_eq!(ids.len(), apps.len(), "two apps share an id");
    for app in apps {
        assert!(!app.label.trim().is_empty(), "{app:?}");
        assert!(app.image.is_none() || app.images.is_none(), "{app:?}");
        assert!(app.fields.is_empty() || app.answers_in.is_some(), "{app:?}");
        let names: BTreeSet<&str> = app.fields.iter().map(|it| &*it.name).collect();
        assert_eq!(names.len(), app.fields.len(), "{app:?}");
        for field in &app.fields {
            if let FieldKind::One { choices } | FieldKind::Many { choices } = &field.kind {
                assert!(!choices.is_empty(), "{app:?}");
            }
            let optional = !field.required || field.default.is_none();
            assert!(optional, "what has a default is not required: {app:?}");
        }
    }
}

/// Returns an application that needs to be told something, with a request for it.
async fn an_asking_app(
    harness: &impl Harness,
    provider: &dyn Provider,
) -> Option<(MarketplaceApp, CreateInstance)> {
    let apps = provider.extensions().marketplace?.apps().await;
    let apps = apps.expect("the apps are listed");
    let asks = |it: &&MarketplaceApp| it.fields.iter().any(|it| it.required);
    let app = apps.iter().find(asks)?.clone();
    let request = base(harness, provider, &app).await;
    Some((app, request))
}

/// Returns a request upon an image that the application works upon.
async fn base(
    harness: &impl Harness,
    provider: &dyn Provider,
    app: &MarketplaceApp,
) -> CreateInstance {
    let images = provider.get_images().await.expect("the images are listed");
    let is_there = |it: &&ImageId| images.iter().any(|image| image.id == **it);
    let listed = app.images.iter().flatten().find(is_there);
    let mut request = harness.request(key("app"));
    match (&app.image, &app.images, listed) {
        (Some(own), _, _) => request.image = own.clone(),
        (None, Some(_), Some(listed)) => request.image = listed.clone(),
        (None, Some(_), None) => panic!("`{}` works upon no image that there is", app.label),
        (None, None, _) => {}
    }
    request
}

fn asking(
    request: &CreateInstance,
    app: &MarketplaceApp,
    answers: Map<String, Value>,
) -> CreateInstance {
    let mut options = app.options.clone();
    if let Some(option) = &app.answers_in {
        options.insert(option.to_string(), Value::Object(answers));
    }
    let mut request = request.clone();
    request.options = (!options.is_empty()).then_some(Value::Object(options));
    request
}

/// Returns an answer to everything that the application needs.
fn answers(app: &MarketplaceApp) -> Map<String, Value> {
    let needed = app.fields.iter().filter(|it| it.required);
    needed.map(|it| (it.name.to_string(), answer(it))).collect()
}

fn answer(field: &AppField) -> Value {
    match (&field.kind, &field.example) {
        (FieldKind::One { choices }, _) => json!(choices[0]),
        (FieldKind::Many { choices }, _) => json!([choices[0]]),
        (_, Some(example)) => json!(example),
        (_, None) => json!("Str0ng-harbor-answer"),
    }
}

fn with(app: &MarketplaceApp, name: &str, value: Value) -> Map<String, Value> {
    let mut answers = answers(app);
    answers.insert(name.to_owned(), value);
    answers
}

fn without(app: &MarketplaceApp, field: &AppField) -> Map<String, Value> {
    let mut answers = answers(app);
    answers.remove(&*field.name);
    answers
}

fn names(object: &Value) -> BTreeSet<String> {
    let object = object.as_object().expect("an object");
    object.keys().cloned().collect()
}
