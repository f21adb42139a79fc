//! Ready-made applications, what they ask for, and whether they were told.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::options::{refusal, shown};
use crate::{ImageId, ProviderKind, Result};

/// A ready-made application, or a script that sets one up, that a server can be started from.
///
/// To start it, a create gives [`Self::image`] as its image, or one of [`Self::images`], adds
/// [`Self::options`] to its options, and answers [`Self::fields`] in the option
/// [`Self::answers_in`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MarketplaceApp {
    /// The vendor's id.
    pub id: Box<str>,
    /// A name for people.
    pub label: Box<str>,
    /// What it is, in the words of who made it.
    pub summary: Option<Box<str>>,
    /// Who made it, where the vendor says.
    pub publisher: Option<Box<str>>,
    /// What to give as the image; `None` where the app works upon an image of choice.
    pub image: Option<ImageId>,
    /// The images that it works upon; `None` where it works upon any.
    pub images: Option<Vec<ImageId>>,
    /// What the options of a create must hold for it to start.
    pub options: Map<String, Value>,
    /// The option, an object by the names of fields, that takes the answers.
    pub answers_in: Option<Box<str>>,
    /// What it asks for.
    pub fields: Vec<AppField>,
}

/// Something that an application asks for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AppField {
    /// The name of the answer.
    pub name: Box<str>,
    /// The question, for people.
    pub label: Box<str>,
    /// What it asks for.
    #[serde(flatten)]
    pub kind: FieldKind,
    /// Whether there must be an answer.
    pub required: bool,
    /// What counts where there is no answer.
    pub default: Option<Box<str>>,
    /// An answer to show as an example.
    pub example: Option<Box<str>>,
    /// The heading that it stands under.
    pub section: Option<Box<str>>,
}

/// What a field asks for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
#[non_exhaustive]
pub enum FieldKind {
    /// Any text.
    Text,
    /// A text that nobody else may see.
    Secret,
    /// One of some texts.
    One {
        /// The texts.
        choices: Vec<Box<str>>,
    },
    /// Any number of some texts, as a list or joined by commas.
    Many {
        /// The texts.
        choices: Vec<Box<str>>,
    },
}

impl FieldKind {
    /// Returns the word for it, as it stands in JSON.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Secret => "secret",
            Self::One { .. } => "one",
            Self::Many { .. } => "many",
        }
    }

    /// Returns the texts to choose from; none where any text will do.
    #[must_use]
    pub fn choices(&self) -> &[Box<str>] {
        match self {
            Self::Text | Self::Secret => &[],
            Self::One { choices } | Self::Many { choices } => choices,
        }
    }
}

impl MarketplaceApp {
    /// Makes an application that asks for nothing.
    #[must_use]
    pub fn new(id: impl Into<Box<str>>, label: impl Into<Box<str>>) -> Self {
        Self {
            id: id.into(),
            label: label.into(),
            summary: None,
            publisher: None,
            image: None,
            images: None,
            options: Map::new(),
            answers_in: None,
            fields: Vec::new(),
        }
    }

    /// Checks whether a create can start the application upon an image with these answers.
    ///
    /// # Errors
    ///
    /// `Invalid` on the field `image`, or on `options.<answers_in>.<name>` for the first field
    /// that is missing, unknown or wrong. An answer is never repeated: it may be a secret.
    pub fn check(
        &self,
        kind: &ProviderKind,
        operation: &'static str,
        image: &ImageId,
        answers: &Map<String, Value>,
    ) -> Result<()> {
        let wrong_image = match (&self.image, &self.images) {
            (Some(own), _) => own != image,
            (None, Some(images)) => !images.contains(image),
            (None, None) => false,
        };
        if wrong_image {
            let message = format!("`{}` does not work upon this image", self.label);
            return Err(refusal(kind, operation, "image", message));
        }
        let refuse = |name: &str, what: String| {
            let option = self.answers_in.as_deref().unwrap_or_default();
            let field = format!("options.{option}.{}", shown(name));
            Err(refusal(kind, operation, &field, what))
        };
        for name in answers.keys() {
            if !self.fields.iter().any(|it| *it.name == **name) {
                let what = format!("`{}` does not ask for `{}`", self.label, shown(name));
                return refuse(name, what);
            }
        }
        for field in &self.fields {
            if let Err(what) = field.check(answers.get(&*field.name)) {
                return refuse(&field.name, format!("`{}` {what}", shown(&field.name)));
            }
        }
        Ok(())
    }
}

impl AppField {
    /// Says what is wrong with an answer.
    fn check(&self, answer: Option<&Value>) -> std::result::Result<(), &'static str> {
        let texts = match (answer, &self.kind) {
            (None | Some(Value::Null), _) => Vec::new(),
            (Some(Value::String(text)), FieldKind::Many { .. }) => parts(text).collect(),
            (Some(Value::String(text)), _) if text.is_empty() => Vec::new(),
            (Some(Value::String(text)), _) => vec![&**text],
            (Some(Value::Array(texts)), FieldKind::Many { .. }) => {
                let texts: Option<Vec<&str>> = texts.iter().map(Value::as_str).collect();
                texts.ok_or("must be a list of texts")?
            }
            (Some(_), FieldKind::Many { .. }) => return Err("must be a list of texts"),
            (Some(_), _) => return Err("must be a text"),
        };
        if texts.is_empty() && self.required {
            return Err("is required");
        }
        match &self.kind {
            FieldKind::Text | FieldKind::Secret => Ok(()),
            FieldKind::One { choices } | FieldKind::Many { choices } => {
                let known = |text: &&str| choices.iter().any(|it| **it == **text);
                if texts.iter().all(known) {
                    Ok(())
                } else {
                    Err("is not among the choices")
                }
            }
        }
    }
}

/// Returns the texts that commas join.
fn parts(text: &str) -> impl Iterator<Item = &str> {
    text.split(',').filter(|it| !it.is_empty())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{ErrorKind, Outcome};

    fn field(name: &str, kind: FieldKind, required: bool) -> AppField {
        AppField {
            name: name.into(),
            label: name.into(),
            kind,
            required,
            default: None,
            example: None,
            section: None,
        }
    }

    fn app() -> MarketplaceApp {
        let choices = || vec!["Yes".into(), "No".into()];
        MarketplaceApp {
            images: Some(vec!["linux".into()]),
            answers_in: Some("answers".into()),
            fields: vec![
                field("mail", FieldKind::Text, true),
                field("password", FieldKind::Secret, false),
                field("ssh", FieldKind::One { choices: choices() }, false),
                field("parts", FieldKind::Many { choices: choices() }, false),
            ],
            ..MarketplaceApp::new("7", "Blog")
        }
    }

    #[test]
    fn a_kind_has_the_word_that_json_has_for_it() {
        for it in app().fields {
            let json = serde_json::to_value(&it.kind).unwrap();
            assert_eq!(json["type"], it.kind.as_str());
            let choices = it.kind.choices();
            assert_eq!(choices.is_empty(), json.get("choices").is_none());
        }
    }

    fn check(image: &str, answers: Value) -> Result<()> {
        let Value::Object(answers) = answers else {
            panic!("answers are an object")
        };
        app().check(
            &"fake".into(),
            "create the instance",
            &image.into(),
            &answers,
        )
    }

    #[test]
    fn what_is_complete_and_among_the_choices_passes() {
        for answers in [
            json!({ "mail": "a@b.example" }),
            json!({ "mail": "x", "password": "hunter2", "ssh": "No", "parts": ["Yes", "No"] }),
            json!({ "mail": "x", "ssh": "", "parts": "Yes,No" }),
            json!({ "mail": "x", "ssh": null, "parts": [] }),
        ] {
            check("linux", answers.clone()).unwrap_or_else(|it| panic!("{answers}: {it}"));
        }
    }

    #[test]
    fn the_wrong_field_is_named_and_its_value_is_not_repeated() {
        for (answers, name) in [
            (json!({}), "mail"),
            (json!({ "mail": "" }), "mail"),
            (json!({ "mail": null }), "mail"),
            (json!({ "mail": ["hunter2"] }), "mail"),
            (json!({ "mail": "x", "password": 7 }), "password"),
            (json!({ "mail": "x", "ssh": "hunter2" }), "ssh"),
            (json!({ "mail": "x", "ssh": "yes" }), "ssh"),
            (json!({ "mail": "x", "parts": ["Yes", 1] }), "parts"),
            (json!({ "mail": "x", "parts": "Yes,hunter2" }), "parts"),
            (json!({ "mail": "x", "parts": { "Yes": true } }), "parts"),
            (json!({ "mail": "x", "color\n": "hunter2" }), "color"),
        ] {
            let error = check("linux", answers.clone()).unwrap_err();
            let expected = format!("options.answers.{name}");
            assert_eq!(error.field.as_deref(), Some(&*expected), "{answers}");
            assert_eq!(
                (error.kind, error.outcome),
                (ErrorKind::Invalid, Outcome::NotExecuted)
            );
            assert!(
                !format!("{error} {error:?}").contains("hunter2"),
                "{error:?}"
            );
        }
    }

    #[test]
    fn an_image_that_it_does_not_work_upon_is_refused() {
        let error = check("other", json!({ "mail": "x" })).unwrap_err();
        assert_eq!(error.field.as_deref(), Some("image"));
        let any = MarketplaceApp::new("8", "Anything");
        any.check(&"fake".into(), "x", &"other".into(), &Map::new())
            .unwrap();
        let own = MarketplaceApp {
            image: Some("blog-1".into()),
            ..any
        };
        let error = own.check(&"fake".into(), "x", &"linux".into(), &Map::new());
        assert_eq!(error.unwrap_err().field.as_deref(), Some("image"));
    }

    #[test]
    fn a_field_says_in_json_what_it_asks_for() {
        let json = serde_json::to_value(&app().fields[2]).unwrap();
        assert_eq!(
            json,
            json!({
                "name": "ssh", "label": "ssh", "type": "one", "choices": ["Yes", "No"],
                "required": false, "default": null, "example": null, "section": null,
            })
        );
        let back: AppField = serde_json::from_value(json).unwrap();
        assert_eq!(back, app().fields[2]);
    }
}
