//! Single requests, and what is read from their answers.

use std::sync::LazyLock;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::world::{PATIENCE, block_on};

/// Returns a text in an answer.
///
/// # Errors
///
/// Fails if there is none.
pub(crate) fn word(answer: &Value, pointer: &str) -> Result<String> {
    answer
        .pointer(pointer)
        .and_then(Value::as_str)
        .map(str::to_owned)
        .with_context(|| format!("no `{pointer}` in {answer}"))
}

/// Sends one request and reads the JSON answer.
///
/// # Errors
///
/// Fails with the answer, if it is a refusal.
pub(crate) fn ask(url: &str, token: Option<&str>, body: Option<&Value>) -> Result<Value> {
    let bytes = bytes(url, token, body)?;
    if bytes.is_empty() {
        return Ok(Value::Null);
    }
    Ok(serde_json::from_slice(&bytes)?)
}

/// Sends one request and returns the body of the answer.
///
/// # Errors
///
/// Fails with the answer, if it is a refusal.
pub(crate) fn bytes(url: &str, token: Option<&str>, body: Option<&Value>) -> Result<Vec<u8>> {
    let request = async {
        let mut request = match body {
            Some(body) => client()?.post(url).json(body),
            None => client()?.get(url),
        };
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        let response = request.send().await?;
        let status = response.status();
        let bytes = response.bytes().await?;
        if !status.is_success() {
            bail!("{url}: {status}: {}", String::from_utf8_lossy(&bytes));
        }
        Ok(bytes.to_vec())
    };
    block_on(request)
}

fn client() -> Result<&'static reqwest::Client> {
    static CLIENT: LazyLock<reqwest::Result<reqwest::Client>> = LazyLock::new(|| {
        reqwest::Client::builder()
            .no_proxy()
            .timeout(PATIENCE)
            .build()
    });
    match &*CLIENT {
        Ok(client) => Ok(client),
        Err(error) => bail!("no client: {error}"),
    }
}
