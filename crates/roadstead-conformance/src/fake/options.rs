//! The options of the vendor in memory, its one application and its one network.

use std::sync::Arc;

use async_trait::async_trait;
use roadstead_core::{
    AfterCreate, AppField, Choice, ChoiceList, Choices, CreateInstance, Error, ErrorKind,
    FieldKind, Marketplace, MarketplaceApp, Outcome, RemoteId, Result, read_options,
};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::convert::kind;
use super::provider::Fake;
use super::{Flaw, vendor};
use crate::harness::CallClass;

const CREATE: &str = "create the instance";

/// The options of a create.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct FakeOptions {
    app: Option<String>,
    answers: Map<String, Value>,
    motto: Option<String>,
    network: Option<String>,
}

/// Returns the schema of the options.
pub(super) fn schema(flaw: Option<Flaw>) -> Value {
    let mut schema = json!({
        "type": "object",
        "additionalProperties": false,
        "properties": {
            "app": {
                "title": "Application", "description": "What to start.", "type": "string"
            },
            "answers": {
                "title": "Answers", "description": "What it asks for.", "type": "object"
            },
            "motto": {
                "title": "Motto", "description": "Carved into the door.", "type": "string"
            },
            "network": {
                "title": "Network", "description": "Which to join.", "type": "string",
                "x-roadstead-choices": ChoiceList::Networks.as_str()
            }
        }
    });
    if flaw == Some(Flaw::LeavesOptionsUndescribed) {
        schema["properties"]["motto"]["description"] = json!("");
    }
    schema
}

/// Returns the one application.
fn blog() -> MarketplaceApp {
    let field = |name: &str, kind: FieldKind, required: bool| AppField {
        name: name.into(),
        label: name.into(),
        kind,
        required,
        default: None,
        example: None,
        section: None,
    };
    let choices = vec!["red".into(), "blue".into()];
    MarketplaceApp {
        options: Map::from_iter([("app".to_owned(), json!("blog"))]),
        answers_in: Some("answers".into()),
        fields: vec![
            field("title", FieldKind::Text, true),
            field("color", FieldKind::One { choices }, false),
        ],
        ..MarketplaceApp::new("blog", "Blog")
    }
}

impl Fake {
    fn options(&self, request: &CreateInstance) -> Result<FakeOptions> {
        let schema = &self.descriptor.options_schema;
        read_options(&kind(), CREATE, schema, request.options.as_ref())
    }

    /// Checks the options of a create.
    pub(super) fn check_options(&self, request: &CreateInstance) -> Result<()> {
        if self.has(Flaw::IgnoresOptions) {
            return Ok(());
        }
        let options = self.options(request)?;
        match options.app.as_deref() {
            None => Ok(()),
            Some("blog") if self.has(Flaw::SkipsAnswers) => Ok(()),
            Some("blog") => blog().check(&kind(), CREATE, &request.image, &options.answers),
            Some(_) => {
                let message = "there is no such application";
                let error = Error::new(kind(), CREATE, ErrorKind::Invalid, message);
                Err(error
                    .with_field("options.app")
                    .with_outcome(Outcome::NotExecuted))
            }
        }
    }
}

#[async_trait]
impl Marketplace for Fake {
    async fn apps(&self) -> Result<Arc<[MarketplaceApp]>> {
        drop(self.read("list the marketplace apps")?);
        Ok(Arc::new([blog()]))
    }
}

#[async_trait]
impl Choices for Fake {
    async fn choices(&self, of: ChoiceList) -> Result<Arc<[Choice]>> {
        let operation = "list the choices";
        if let Some(why) = self.descriptor.refusal(of.feature())
            && !self.has(Flaw::OffersWhatItHasNot)
        {
            return Err(Error::unsupported(kind(), operation, why));
        }
        drop(self.read(operation)?);
        Ok(Arc::new([Choice {
            value: json!("quay"),
            label: "The quay".into(),
            region: None,
            summary: None,
        }]))
    }
}

/// A motto is carved when the server stands.
#[async_trait]
impl AfterCreate for Fake {
    fn plan(&self, request: &CreateInstance) -> Option<Value> {
        Some(json!({ "motto": self.options(request).ok()?.motto? }))
    }

    async fn finish(&self, id: &RemoteId, plan: &Value) -> Result<()> {
        let operation = "carve the motto";
        let Some(motto) = plan["motto"].as_str() else {
            return Err(self.error(operation, ErrorKind::Invalid, "that is no plan"));
        };
        let mut books = self.reach(operation)?;
        if let Some(fault) = books.draw(CallClass::Action) {
            let class = CallClass::Action;
            return Err(super::convert::failure(&fault, class, operation, None));
        }
        let Some(server) = books.find(id) else {
            return Err(self.error(operation, ErrorKind::NoSuchInstance, "there is none"));
        };
        if self.has(Flaw::FinishesOnce) && server.options.get("motto").is_some() {
            return Err(self.error(operation, ErrorKind::Invalid, "it is carved already"));
        }
        vendor::carve(server, motto);
        Ok(())
    }
}
