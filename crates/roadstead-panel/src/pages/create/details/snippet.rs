//! The same request for programs: for the API, and for the crates that it is made of. Secrets
//! are left out.

use std::fmt::Write;

use roadstead_core::Descriptor;
use roadstead_service::CreateServer;
use serde_json::{Map, Value, json};
use uuid::Uuid;

/// The same request in three forms.
pub(super) struct Snippets {
    pub(super) curl: String,
    pub(super) http: String,
    pub(super) rust: String,
}

/// Returns the same request in three forms. `plan` is the provider's id of the plan, and the
/// options hold no secret any more.
pub(super) fn of(
    host: &str,
    scheme: &str,
    descriptor: &Descriptor,
    plan: &str,
    request: &CreateServer,
) -> Snippets {
    let body = body(request);
    let key = Uuid::now_v7();
    Snippets {
        curl: curl(host, scheme, &key, &body),
        http: http(host, &key, &body),
        rust: rust(descriptor, plan, request),
    }
}

fn body(it: &CreateServer) -> String {
    let mut body = Map::new();
    let mut add = |name: &str, value: Value| {
        body.insert(name.to_owned(), value);
    };
    match it.sale {
        Some(id) => add("plan_id", json!(id)),
        None => {
            add("provider_id", json!(it.provider));
            add("type", json!(it.plan));
        }
    }
    add("label", json!(it.label));
    add("region", json!(it.region));
    add("image", json!(it.image));
    for (name, given, value) in [
        (
            "rootPassword",
            it.root_password.is_some(),
            json!("<root password>"),
        ),
        ("ssh_keys", !it.ssh_keys.is_empty(), json!(it.ssh_keys)),
        ("user_data", it.user_data.is_some(), json!("<user data>")),
        ("backups", it.backups, json!(true)),
        ("ipv6", it.ipv6, json!(true)),
        ("private_network", it.private_network, json!(true)),
        ("tags", !it.tags.is_empty(), json!(it.tags)),
        ("options", it.options.is_some(), json!(it.options)),
    ] {
        if given {
            add(name, value);
        }
    }
    // Texts and numbers always become JSON.
    serde_json::to_string_pretty(&body).unwrap_or_default()
}

fn curl(host: &str, scheme: &str, key: &Uuid, body: &str) -> String {
    let url = quoted(&format!("{scheme}://{host}/api/vps"));
    // Nothing in the body can be this line alone: a line break in a text is written `\n`.
    format!(
        "curl {url} \\\n  -H \"Authorization: Bearer $ROADSTEAD_TOKEN\" \\\n  \
         -H 'Content-Type: application/json' \\\n  -H 'Idempotency-Key: {key}' \\\n  \
         --data-binary @- <<'END'\n{body}\nEND\n"
    )
}

/// Quotes a text for a shell.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

fn http(host: &str, key: &Uuid, body: &str) -> String {
    format!(
        "POST /api/vps HTTP/1.1\nHost: {host}\nAuthorization: Bearer <token>\n\
         Content-Type: application/json\nIdempotency-Key: {key}\nContent-Length: {}\n\n{body}",
        body.len()
    )
}

/// The provider's crate and its builder are named after it, as all of them are.
fn rust(descriptor: &Descriptor, plan: &str, it: &CreateServer) -> String {
    let builder: String = descriptor.name.split_whitespace().collect();
    let texts = |texts: &[String]| -> String {
        let texts: Vec<_> = texts.iter().map(|it| format!("{it:?}.into()")).collect();
        format!("vec![{}]", texts.join(", "))
    };
    let secret = |given: bool, what: &str| {
        if given {
            format!("Some(Secret::from({what:?}))")
        } else {
            "None".to_owned()
        }
    };
    let options = match &it.options {
        None => "None".to_owned(),
        Some(options) => {
            let mut text = "Some(serde_json::json!(".to_owned();
            literal(&mut text, options, 3);
            text + "))"
        }
    };
    let needs_secret = it.root_password.is_some() || it.user_data.is_some();
    format!(
        "use roadstead_core::{{CreateInstance, CreateKey, Created, Provider, Result{secret_type}}};
use roadstead_{kind}::{builder}Builder;
use uuid::Uuid;

async fn create(token: &str) -> Result<Created> {{
    let provider = {builder}Builder::new(token).build()?;
    let request = CreateInstance {{
        key: CreateKey::new(\"my-deployment\", Uuid::now_v7(), {label:?}),
        plan: {plan:?}.into(),
        region: {region:?}.into(),
        image: {image:?}.into(),
        ssh_keys: {keys},
        root_password: {password},
        user_data: {user_data},
        tags: {tags},
        backups: {backups},
        ipv6: {ipv6},
        private_network: {private},
        market: None,
        options: {options},
    }};
    provider.create_instance(&request).await
}}
",
        secret_type = if needs_secret { ", Secret" } else { "" },
        kind = descriptor.kind,
        label = it.label,
        region = it.region,
        image = it.image,
        keys = texts(&it.ssh_keys),
        password = secret(it.root_password.is_some(), "<root password>"),
        user_data = secret(it.user_data.is_some(), "<user data>"),
        tags = texts(&it.tags),
        backups = it.backups,
        ipv6 = it.ipv6,
        private = it.private_network,
    )
}

/// Writes JSON as `json!` takes it: with the texts of Rust, whose escapes are others.
fn literal(to: &mut String, value: &Value, depth: usize) {
    let indent = |to: &mut String, depth: usize| {
        to.push('\n');
        to.push_str(&"    ".repeat(depth));
    };
    let written = match value {
        Value::String(text) => write!(to, "{text:?}"),
        Value::Array(items) => {
            to.push('[');
            for (number, item) in items.iter().enumerate() {
                if number > 0 {
                    to.push_str(", ");
                }
                literal(to, item, depth);
            }
            to.push(']');
            Ok(())
        }
        Value::Object(members) if members.is_empty() => to.write_str("{}"),
        Value::Object(members) => {
            to.push('{');
            for (name, value) in members {
                indent(to, depth);
                let _written = write!(to, "{name:?}: ");
                literal(to, value, depth.saturating_add(1));
                to.push(',');
            }
            indent(to, depth.saturating_sub(1));
            to.push('}');
            Ok(())
        }
        plain => write!(to, "{plain}"),
    };
    // Writing to a text cannot fail.
    debug_assert!(written.is_ok());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_cannot_end_what_it_stands_in() {
        assert_eq!(quoted("it's"), r"'it'\''s'");
        let mut text = String::new();
        literal(
            &mut text,
            &json!({ "a\"b": ["c\n\u{7}", 1, true, null, {}] }),
            1,
        );
        assert_eq!(
            text,
            "{\n    \"a\\\"b\": [\"c\\n\\u{7}\", 1, true, null, {}],\n}"
        );
    }

    #[test]
    fn the_heredoc_ends_where_the_body_does() {
        let body =
            serde_json::to_string_pretty(&json!({ "user_data": "x\nEND\nrm -rf /" })).unwrap();
        let shown = curl("a.example", "https", &Uuid::nil(), &body);
        assert_eq!(
            shown.lines().filter(|it| *it == "END").count(),
            1,
            "{shown}"
        );
        assert!(shown.ends_with("\nEND\n"));
    }
}
