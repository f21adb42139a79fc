//! The style sheet and the script: embedded, and kept by browsers as long as they are the same.

use std::sync::LazyLock;

use actix_web::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use actix_web::web::{self, Bytes, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};

use crate::failure::Failure;

/// The style sheet.
pub const STYLE: &[u8] = include_bytes!("../assets/panel.css");

/// The script, an ES module.
pub const SCRIPT: &[u8] = include_bytes!("../assets/panel.js");

/// Where the style sheet is found.
pub(crate) static STYLE_URL: LazyLock<String> = LazyLock::new(|| url(STYLE, "panel.css"));

/// Where the script is found.
pub(crate) static SCRIPT_URL: LazyLock<String> = LazyLock::new(|| url(SCRIPT, "panel.js"));

/// Another content is found elsewhere, so that no browser keeps an old one.
fn url(content: &[u8], name: &str) -> String {
    format!("/assets/{:016x}/{name}", fnv1a(content))
}

const fn fnv1a(content: &[u8]) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    let mut rest = content;
    while let [first, tail @ ..] = rest {
        // `u64::from` is not const.
        #[expect(clippy::as_conversions, reason = "a byte fits")]
        let byte = *first as u64;
        hash = (hash ^ byte).wrapping_mul(0x0100_0000_01b3);
        rest = tail;
    }
    hash
}

pub(crate) fn mount(config: &mut ServiceConfig) {
    config.route("/assets/{hash}/{name}", web::get().to(asset));
}

async fn asset(request: HttpRequest) -> Result<HttpResponse, Failure> {
    let path = request.path();
    let (kind, content) = if path == *STYLE_URL {
        ("text/css; charset=utf-8", STYLE)
    } else if path == *SCRIPT_URL {
        ("text/javascript; charset=utf-8", SCRIPT)
    } else {
        return Err(Failure::no_page());
    };
    Ok(HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, kind))
        .insert_header((CACHE_CONTROL, "public, max-age=31536000, immutable"))
        .body(Bytes::from_static(content)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_is_fnv_1a() {
        assert_eq!(fnv1a(b""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(fnv1a(b"foobar"), 0x8594_4171_f739_67e8);
    }

    #[test]
    fn another_content_has_another_address() {
        assert_ne!(url(b"a", "x"), url(b"b", "x"));
        assert!(STYLE_URL.ends_with("/panel.css") && SCRIPT_URL.ends_with("/panel.js"));
    }
}
