//! JSON bodies: bounded, strict, and with the wrong field named.

use std::pin::Pin;

use actix_web::http::header;
use actix_web::{FromRequest, HttpRequest, dev, web};
use futures::StreamExt;
use roadstead_service::{Error, IdempotencyKey, Platform};
use serde::de::{DeserializeOwned, IgnoredAny};

use crate::error::{ApiError, quoted};

/// The largest body. User data has at most 64 KiB.
const LARGEST: usize = 256 * 1024;

/// The longest `Idempotency-Key`.
const LONGEST_KEY: usize = 255;

/// PostgreSQL keeps no text with this character, and nobody means it.
pub(crate) const NUL: &str = "no text may hold the character U+0000";

/// A JSON body, with the key of the request.
pub(crate) struct Body<T> {
    /// What it says.
    pub(crate) value: T,
    key: Option<IdempotencyKey>,
}

/// No body, with the key of the request.
pub(crate) struct NoBody {
    key: Option<IdempotencyKey>,
}

/// What may have come under a key of the client's.
pub(crate) trait Keyed {
    /// Takes the key.
    fn take_key(&mut self) -> Option<IdempotencyKey>;
}

impl<T> Keyed for Body<T> {
    fn take_key(&mut self) -> Option<IdempotencyKey> {
        self.key.take()
    }
}

impl Keyed for NoBody {
    fn take_key(&mut self) -> Option<IdempotencyKey> {
        self.key.take()
    }
}

impl<T: DeserializeOwned + 'static> FromRequest for Body<T> {
    type Error = ApiError;
    type Future = Pin<Box<dyn Future<Output = Result<Self, ApiError>>>>;

    fn from_request(request: &HttpRequest, payload: &mut dev::Payload) -> Self::Future {
        let request = request.clone();
        let payload = payload.take();
        Box::pin(async move {
            require_json(&request)?;
            let bytes = read(payload).await?;
            let value = parse(&bytes)?;
            Ok(Self {
                value,
                key: key(&request, &bytes)?,
            })
        })
    }
}

impl FromRequest for NoBody {
    type Error = ApiError;
    type Future = Pin<Box<dyn Future<Output = Result<Self, ApiError>>>>;

    fn from_request(request: &HttpRequest, payload: &mut dev::Payload) -> Self::Future {
        let request = request.clone();
        let payload = payload.take();
        Box::pin(async move {
            let bytes = read(payload).await?;
            // An empty object says nothing either; anything else would go unheeded.
            if !bytes.is_empty() && bytes.trim_ascii() != b"{}" {
                let message = "this route takes no body";
                return Err(ApiError::validation("body".to_owned(), message));
            }
            Ok(Self {
                key: key(&request, b"")?,
            })
        })
    }
}

async fn read(mut payload: dev::Payload) -> Result<Vec<u8>, ApiError> {
    let mut bytes = Vec::new();
    while let Some(chunk) = payload.next().await {
        let chunk = chunk.map_err(|error| {
            ApiError::validation(
                "body".to_owned(),
                format!("the body could not be read: {error}"),
            )
        })?;
        if bytes.len() + chunk.len() > LARGEST {
            return Err(ApiError::too_large(LARGEST));
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

fn require_json(request: &HttpRequest) -> Result<(), ApiError> {
    let kind = request
        .headers()
        .get(header::CONTENT_TYPE)
        .and_then(|it| it.to_str().ok());
    let is_json = kind.is_some_and(|it| {
        let essence = it
            .split(';')
            .next()
            .unwrap_or_default()
            .trim()
            .to_ascii_lowercase();
        essence == "application/json" || essence.ends_with("+json")
    });
    if is_json {
        return Ok(());
    }
    let message = "send JSON, with the header `Content-Type: application/json`";
    Err(ApiError::validation("Content-Type".to_owned(), message))
}

fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, ApiError> {
    if holds_nul(bytes) {
        return Err(ApiError::validation("body".to_owned(), NUL));
    }
    match bytes.trim_ascii_start().first() {
        Some(b'{') => {}
        None => {
            let message = "the body is empty; send a JSON object";
            return Err(ApiError::validation("body".to_owned(), message));
        }
        // Serde would take a list of the fields' values, too.
        Some(_) => {
            return Err(match serde_json::from_slice::<IgnoredAny>(bytes) {
                Ok(_) => ApiError::validation("body".to_owned(), "must be a JSON object"),
                Err(error) => no_json(&error),
            });
        }
    }
    let mut json = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(&mut json).map_err(|error| {
        let path = error.path().to_string();
        let cause = error.into_inner();
        if cause.is_syntax() || cause.is_eof() {
            return no_json(&cause);
        }
        refusal(path, &cause.to_string())
    })?;
    json.end().map_err(|_trailing| {
        ApiError::validation("body".to_owned(), "something follows the JSON in the body")
    })?;
    Ok(value)
}

fn no_json(error: &serde_json::Error) -> ApiError {
    let place = format!("line {}, column {}", error.line(), error.column());
    let message = format!("the body is no JSON: it breaks off or goes wrong at {place}");
    ApiError::validation("body".to_owned(), message)
}

/// Makes the error for a value that does not fit, from the path to it and serde's words.
pub(crate) fn refusal(path: String, words: &str) -> ApiError {
    // Without serde_json's "at line 1 column 5": a field says more.
    let words = words.split(" at line ").next().unwrap_or_default();
    let named = ["unknown field", "missing field", "duplicate field"]
        .iter()
        .any(|it| words.starts_with(it));
    let field = match quoted(words).filter(|_| named) {
        Some(field) if path == "." || path == field => field.to_owned(),
        Some(field) if path.ends_with(field) => path,
        Some(field) => format!("{path}.{field}"),
        None if path == "." => "body".to_owned(),
        None => path,
    };
    ApiError::validation(field, plain(words))
}

/// Says what a value must be. Serde's own sentence quotes what was sent, which may be a
/// password in the wrong place, and names our types.
fn plain(words: &str) -> String {
    let misfit = ["invalid type: ", "invalid value: "]
        .iter()
        .find_map(|it| words.strip_prefix(it))
        .and_then(|it| it.rsplit_once(", expected "));
    let number = "must be a whole number, 0 or more";
    let rule = match (misfit, words) {
        (Some((_, "a string")), _) => "must be a text",
        (Some((_, "a boolean")), _) => "must be true or false",
        (Some((_, "a sequence")), _) => "must be a list",
        (Some((_, "u8" | "u16" | "u32" | "u64" | "usize")), _) => number,
        (Some((_, it)), _) if it == "a map" || it.starts_with("struct ") => "must be an object",
        (Some((_, it)), _) if it.contains("UUID") => "must be an id",
        (Some((_, it)), _) => return format!("must be {it}"),
        (None, it) if it.starts_with("UUID parsing failed") => "must be an id",
        (
            None,
            "invalid digit found in string"
            | "number too large to fit in target type"
            | "cannot parse integer from empty string",
        ) => number,
        (None, it) => it,
    };
    rule.to_owned()
}

/// Returns whether some text in a JSON body holds U+0000.
fn holds_nul(json: &[u8]) -> bool {
    let mut rest = json;
    while let Some(at) = rest.iter().position(|it| *it == b'\\') {
        let escape = rest.get(at..).unwrap_or_default();
        if escape.starts_with(b"\\u0000") {
            return true;
        }
        // A backslash and what it escapes, which may be another backslash.
        rest = escape.get(2..).unwrap_or_default();
    }
    false
}

/// Returns the key of a request, with what tells the request from another under the same key:
/// the call itself and its body, byte for byte.
fn key(request: &HttpRequest, body: &[u8]) -> Result<Option<IdempotencyKey>, ApiError> {
    let Some(key) = request.headers().get("idempotency-key") else {
        return Ok(None);
    };
    let key = key.to_str().unwrap_or_default().trim();
    if key.is_empty() || key.len() > LONGEST_KEY {
        let message = format!("`Idempotency-Key` must be 1 to {LONGEST_KEY} visible characters");
        return Err(ApiError::validation("Idempotency-Key".to_owned(), message));
    }
    let Some(platform) = request.app_data::<web::Data<Platform>>() else {
        return Err(Error::Unauthenticated.into());
    };
    let mut bytes = format!("{} {}\n", request.method(), request.uri()).into_bytes();
    bytes.extend_from_slice(body);
    Ok(Some(platform.request_key(key, &bytes)))
}

#[cfg(test)]
mod tests {
    use actix_web::ResponseError;
    use actix_web::body::to_bytes;
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Probe {
        #[expect(dead_code, reason = "only its reading is tested")]
        name: String,
        #[expect(dead_code, reason = "only its reading is tested")]
        #[serde(default)]
        tags: Vec<String>,
    }

    async fn field_of(body: &str) -> String {
        let error = parse::<Probe>(body.as_bytes()).unwrap_err();
        let bytes = to_bytes(error.error_response().into_body()).await.unwrap();
        let json: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
        json["field"].as_str().unwrap().to_owned()
    }

    #[actix_web::test]
    async fn the_wrong_field_is_named() {
        assert_eq!(field_of(r#"{"name": "a", "extra": 1}"#).await, "extra");
        assert_eq!(field_of(r#"{"name": 5}"#).await, "name");
        assert_eq!(
            field_of(r#"{"name": "a", "tags": ["x", 5]}"#).await,
            "tags[1]"
        );
        assert_eq!(field_of("{}").await, "name");
        assert_eq!(field_of(r#"{"name": "a", "name": "b"}"#).await, "name");
        for broken in ["", "{", "no", r#"{"name": "a"} x"#, "[]"] {
            assert_eq!(field_of(broken).await, "body", "{broken:?}");
        }
        assert_eq!(field_of(r#"{"name": "a\u0000"}"#).await, "body");
        let deep = "[".repeat(10_000);
        assert_eq!(field_of(&deep).await, "body");
    }

    #[test]
    fn only_the_escape_of_u_0000_is_nul() {
        for (json, holds) in [
            (r#""\u0000""#, true),
            (r#""\n\\\u0000""#, true),
            (r#""\\u0000""#, false),
            (r#""\u00001""#, true),
            (r#""\u0001""#, false),
            (r#""u0000""#, false),
            ("\\", false),
        ] {
            assert_eq!(holds_nul(json.as_bytes()), holds, "{json}");
        }
    }

    #[test]
    fn what_was_sent_is_not_repeated() {
        for (words, rule) in [
            (
                r#"invalid type: string "hunter2, expected", expected a boolean"#,
                "must be true or false",
            ),
            (
                "invalid type: integer `5`, expected a string",
                "must be a text",
            ),
            (
                "invalid value: integer `-1`, expected u64",
                "must be a whole number, 0 or more",
            ),
            (
                "invalid type: null, expected struct Probe",
                "must be an object",
            ),
            (
                "UUID parsing failed: invalid length: found 1",
                "must be an id",
            ),
            ("missing field `name`", "missing field `name`"),
        ] {
            assert_eq!(plain(words), rule);
        }
    }
}
