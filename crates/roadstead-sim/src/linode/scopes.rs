//! Which OAuth scopes a call needs and a token has, as answers state them.

use crate::tokens::Scopes;

/// Returns what a token may do, in the vendor's words.
pub(crate) const fn held(scopes: Option<Scopes>) -> &'static str {
    match scopes {
        Some(Scopes::Full) => "*",
        Some(Scopes::Read) => {
            "account:read_only events:read_only firewall:read_only images:read_only \
             linodes:read_only placement:read_only stackscripts:read_only vpc:read_only"
        }
        // Measured: this is how a scope failure is told from a bad token.
        Some(Scopes::Revoked) | None => "unknown",
    }
}

/// Returns what a call needs, in the vendor's words.
pub(crate) fn needed(method: &str, path: &[&str]) -> &'static str {
    let reads = method == "GET";
    match path {
        ["account", "events", ..] => "events:read_only",
        ["account", ..] => "account:read_only",
        ["profile"] => "*",
        ["profile", ..] if reads => "account:read_only",
        ["profile", ..] => "account:read_write",
        ["linode", "instances", ..] | ["tags", ..] if reads => "linodes:read_only",
        ["linode", "instances", ..] | ["tags", ..] => "linodes:read_write",
        ["linode", "stackscripts", ..] => "stackscripts:read_only",
        ["networking", "firewalls", ..] => "firewall:read_only",
        ["placement", ..] => "placement:read_only",
        ["vpcs", ..] => "vpc:read_only",
        _ => "*",
    }
}
