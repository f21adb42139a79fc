//! Forms: what was sent, what is wrong with it, and the key under which it is done once.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;

use actix_web::http::header::CONTENT_TYPE;
use actix_web::{FromRequest, HttpRequest, dev};
use futures::StreamExt;
use roadstead_api::ApiError;
use roadstead_core::Secret;
use roadstead_service::{Error, FieldError, IdempotencyKey};
use url::form_urlencoded;
use uuid::Uuid;

use crate::failure::Failure;
use crate::visitor::{Admitted, visitor};

/// The largest form. User data has at most 64 KiB, and each of its bytes may become three.
const LARGEST: usize = 512 * 1024;

/// The field with the key.
pub(crate) const KEY: &str = "_key";

/// The values of a form, or of the part of an address behind the question mark. `Debug` names the
/// fields without their values, which may be passwords.
#[derive(Clone, Default)]
pub(crate) struct Values(Vec<(String, String)>);

impl fmt::Debug for Values {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.0.iter().map(|(name, _)| name);
        f.debug_list().entries(names).finish()
    }
}

impl Values {
    /// Reads them from their encoded form.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, Failure> {
        let pairs = form_urlencoded::parse(bytes);
        let values: Vec<_> = pairs
            .map(|(name, value)| (name.into_owned(), value.replace("\r\n", "\n")))
            .collect();
        match values.iter().find(|(_, value)| value.contains('\0')) {
            Some((name, _)) => {
                let why = "no text may hold the character U+0000";
                Err(Failure::senseless(name, why))
            }
            None => Ok(Self(values)),
        }
    }

    /// Takes values from somewhere else than a form.
    pub(crate) fn of<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let own = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
        Self(pairs.into_iter().map(own).collect())
    }

    /// Returns a field, empty when it was not sent.
    pub(crate) fn text(&self, name: &str) -> &str {
        self.find(name).unwrap_or_default()
    }

    /// Returns a field without the space around it, if there is anything in it.
    pub(crate) fn given(&self, name: &str) -> Option<&str> {
        self.find(name).map(str::trim).filter(|it| !it.is_empty())
    }

    /// Returns a secret field as it was sent.
    pub(crate) fn secret(&self, name: &str) -> Secret<String> {
        Secret::from(self.text(name))
    }

    /// Returns everything that was sent under a name: of checkboxes, those that were checked.
    pub(crate) fn all(&self, name: &str) -> Vec<&str> {
        let named = self.0.iter().filter(|it| it.0 == name);
        named.map(|it| it.1.as_str()).collect()
    }

    /// Returns whether a box was checked.
    pub(crate) fn checked(&self, name: &str) -> bool {
        self.find(name).is_some()
    }

    /// Puts a value in the place of whatever was sent under a name.
    pub(crate) fn set(&mut self, name: &str, value: &str) {
        self.0.retain(|it| it.0 != name);
        self.0.push((name.to_owned(), value.to_owned()));
    }

    /// Returns the part behind the question mark with these fields changed; an empty value takes
    /// a field out, and so does no value at all.
    pub(crate) fn with(&self, changes: &[(&str, &str)]) -> String {
        let changed = |name: &str| changes.iter().any(|it| it.0 == name);
        let kept = self.0.iter().filter(|(name, _)| !changed(name));
        let kept = kept.map(|(name, value)| (name.as_str(), value.as_str()));
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(
            kept.chain(changes.iter().copied())
                .filter(|(_, value)| !value.is_empty()),
        );
        let query = query.finish();
        if query.is_empty() {
            query
        } else {
            format!("?{query}")
        }
    }

    fn find(&self, name: &str) -> Option<&str> {
        let named = self.0.iter().find(|it| it.0 == name);
        named.map(|it| it.1.as_str())
    }
}

/// A form that was sent.
#[derive(Debug)]
pub(crate) struct Form {
    /// What it says.
    pub(crate) values: Values,
    key: Option<IdempotencyKey>,
}

impl Form {
    /// Returns the key of one of several things that the form asks for.
    pub(crate) fn key_of(&self, part: &impl fmt::Display) -> Option<IdempotencyKey> {
        let key = self.key.as_ref()?;
        Some(IdempotencyKey {
            key: format!("{}/{part}", key.key),
            hash: key.hash.clone(),
        })
    }
}

/// Who sends a form, and the form: it is read only once they have been let in. What is done for
/// them is done under the key of the form, so that sending it twice does it once.
pub(crate) struct Sent<W>(pub(crate) W, pub(crate) Form);

impl<W: Admitted> FromRequest for Sent<W> {
    type Error = Failure;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Failure>>>>;

    fn from_request(request: &HttpRequest, payload: &mut dev::Payload) -> Self::Future {
        let request = request.clone();
        let payload = payload.take();
        Box::pin(async move {
            let visitor = visitor(&request)?;
            let who = W::admit(&visitor)?;
            require_form(&request)?;
            let bytes = read(payload).await?;
            let values = Values::parse(&bytes)?;
            // Anything else than what our forms carry would not tell one sending from another.
            let key = values
                .find(KEY)
                .filter(|it| it.parse::<Uuid>().is_ok())
                .map(|key| {
                    let mut told_apart = format!("POST {}\n", request.uri()).into_bytes();
                    told_apart.extend_from_slice(&bytes);
                    visitor.platform.request_key(key, &told_apart)
                });
            let form = Form { values, key };
            Ok(Self(who.under_key(form.key.clone()), form))
        })
    }
}

fn require_form(request: &HttpRequest) -> Result<(), Failure> {
    let kind = request.headers().get(CONTENT_TYPE);
    let kind = kind.and_then(|it| it.to_str().ok()).unwrap_or_default();
    let essence = kind.split(';').next().unwrap_or_default().trim();
    if essence.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
        return Ok(());
    }
    let why = "this page takes a form as browsers send it";
    Err(Failure::senseless("Content-Type", why))
}

async fn read(mut payload: dev::Payload) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    while let Some(chunk) = payload.next().await {
        let chunk = chunk.map_err(|error| {
            Failure::senseless("form", format!("the form could not be read: {error}"))
        })?;
        if bytes.len() + chunk.len() > LARGEST {
            return Err(ApiError::too_large(LARGEST).into());
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

/// What is wrong with a form.
#[derive(Clone, Debug, Default)]
pub(crate) struct Mistakes {
    /// What is wrong, and where.
    pub(crate) fields: Vec<FieldError>,
    /// Why it failed as a whole, where no field is to blame.
    pub(crate) whole: Option<Arc<ApiError>>,
}

impl Mistakes {
    /// Takes what can be mended in the form; what cannot takes the place of the page.
    pub(crate) fn of(error: Error) -> Result<Self, Failure> {
        match error {
            Error::Unauthenticated
            | Error::Forbidden(_)
            | Error::NotFound(_)
            | Error::NoSuchInstance
            | Error::Unavailable(_)
            | Error::Internal(_) => Err(error.into()),
            other => {
                let error = ApiError::from(other);
                let fields = error.fields().to_vec();
                let whole = fields.is_empty().then(|| Arc::new(error));
                Ok(Self { fields, whole })
            }
        }
    }

    /// Adds a mistake of a field.
    pub(crate) fn add(&mut self, field: &'static str, error: impl Into<String>) {
        self.fields.push(FieldError {
            field: field.into(),
            error: error.into(),
        });
    }

    /// Says one mistake of a field.
    pub(crate) fn one(field: &'static str, error: impl Into<String>) -> Self {
        let mut mistakes = Self::default();
        mistakes.add(field, error);
        mistakes
    }

    /// Adds what somebody else has found.
    pub(crate) fn join(&mut self, other: Self) {
        self.fields.extend(other.fields);
        if self.whole.is_none() {
            self.whole = other.whole;
        }
    }

    /// Returns whether nothing is wrong.
    pub(crate) fn is_empty(&self) -> bool {
        self.fields.is_empty() && self.whole.is_none()
    }

    /// Returns what is wrong with a field. A mistake in an item of a list (`ssh_keys[2]`) or in a
    /// part (`options.size`) belongs to the whole field, unless the part has a field of its own.
    pub(crate) fn of_field<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let of_it = self
            .fields
            .iter()
            .filter(move |it| field_of(&it.field) == name);
        of_it.map(|it| it.error.as_str())
    }
}

/// Returns the name of the form's field that a mistake belongs to.
pub(crate) fn field_of(field: &str) -> &str {
    field.split('[').next().unwrap_or(field)
}

/// A form as it is shown: what stands in it, and what is wrong.
#[derive(Debug, Default)]
pub(crate) struct Filled {
    /// What stands in it.
    pub(crate) values: Values,
    /// What is wrong with it.
    pub(crate) mistakes: Mistakes,
}

impl Filled {
    /// A form that nobody has sent yet, with what it begins with.
    pub(crate) fn with<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        Self {
            values: Values::of(pairs),
            mistakes: Mistakes::default(),
        }
    }

    /// A form that was sent, and is shown again with what is wrong.
    pub(crate) const fn again(values: Values, mistakes: Mistakes) -> Self {
        Self { values, mistakes }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_read_as_browsers_send_them() {
        let values = Values::parse(b"label=a%2Bb+c&tag=x&tag=y&notes=1%0D%0A2&empty=+").unwrap();
        assert_eq!(values.text("label"), "a+b c");
        assert_eq!(values.all("tag"), ["x", "y"]);
        assert_eq!(values.text("notes"), "1\n2");
        assert_eq!(values.given("empty"), None);
        assert!(values.checked("empty") && !values.checked("none"));
        assert!(Values::parse(b"label=a%00b").is_err());
    }

    #[test]
    fn debug_shows_no_value() {
        let values = Values::parse(b"password=hunter2").unwrap();
        assert_eq!(format!("{values:?}"), r#"["password"]"#);
    }

    #[test]
    fn a_query_is_changed_in_some_fields() {
        let values = Values::parse(b"label=a%26b&sort=label&cursor=x").unwrap();
        let changed = values.with(&[("sort", "-label"), ("cursor", "")]);
        assert_eq!(changed, "?label=a%26b&sort=-label");
        assert_eq!(Values::default().with(&[("sort", "")]), "");
    }

    #[test]
    fn a_mistake_in_an_item_belongs_to_its_field() {
        let mut mistakes = Mistakes::one("ssh_keys[2]", "is no key");
        mistakes.add("label", "is too long");
        let of_field: Vec<_> = mistakes.of_field("ssh_keys").collect();
        assert_eq!(of_field, ["is no key"]);
        assert_eq!(mistakes.of_field("key").count(), 0);
    }

    #[test]
    fn only_what_can_be_mended_stays_in_the_form() {
        assert!(Mistakes::of(Error::NoSuchInstance).is_err());
        assert!(Mistakes::of(Error::Unauthenticated).is_err());
        let conflict = Mistakes::of(Error::Conflict("it is busy".to_owned())).unwrap();
        assert_eq!(conflict.whole.unwrap().message(), "it is busy");
        let invalid = Error::Invalid(vec![FieldError {
            field: "label".into(),
            error: "is too long".to_owned(),
        }]);
        let invalid = Mistakes::of(invalid).unwrap();
        assert!(invalid.whole.is_none());
        assert_eq!(invalid.fields.len(), 1);
    }
}
