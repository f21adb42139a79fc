//! The names of the fault matrix, and what each stands for.

use serde::Serialize;

use crate::vendor::Kind;

/// A fault that has a name.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Preset {
    /// The name.
    pub name: &'static str,
    /// What happens.
    pub about: &'static str,
    /// The calls that it is meant for; the first is the usual one. None if it lies in how the
    /// client is set up, where no simulator can bring it about.
    pub calls: &'static [Kind],
}

const CHANGES: &[Kind] = &[
    Kind::Create,
    Kind::Delete,
    Kind::Resize,
    Kind::Get,
    Kind::List,
];
const WORK: &[Kind] = &[Kind::Create, Kind::Delete, Kind::Resize];
const CREATE: &[Kind] = &[Kind::Create];
const LIST: &[Kind] = &[Kind::List];
const EVERY: &[Kind] = &[
    Kind::Any,
    Kind::Create,
    Kind::Delete,
    Kind::Resize,
    Kind::Get,
    Kind::List,
    Kind::Account,
];

const fn preset(name: &'static str, calls: &'static [Kind], about: &'static str) -> Preset {
    Preset { name, about, calls }
}

/// Returns every fault that has a name, in the order of the matrix.
#[must_use]
pub const fn presets() -> &'static [Preset] {
    PRESETS
}

const PRESETS: &[Preset] = &[
    preset(
        "refused",
        EVERY,
        "the listener is closed at once for `ms` (2000): whoever comes is refused",
    ),
    preset(
        "tls",
        &[],
        "point the client's endpoint at https:// on the simulator's plain port",
    ),
    preset(
        "dns",
        &[],
        "point the client's endpoint at a name that does not exist",
    ),
    preset(
        "timeout-before",
        CHANGES,
        "no answer for `ms` (15000, real), and no effect",
    ),
    preset(
        "timeout-after",
        CHANGES,
        "no answer for `ms` (15000, real), after the effect",
    ),
    preset(
        "late-commit",
        WORK,
        "the connection ends at once, the effect comes `ms` (1000) later",
    ),
    preset(
        "reset-before",
        CHANGES,
        "the connection is reset, without effect",
    ),
    preset(
        "reset-after",
        CHANGES,
        "the connection is reset after the effect",
    ),
    preset(
        "500-before",
        CHANGES,
        "500 in the vendor's form, without effect",
    ),
    preset(
        "500-after",
        CHANGES,
        "500 in the vendor's form after the effect",
    ),
    preset("502-before", CHANGES, "502 without effect"),
    preset("502-after", CHANGES, "502 after the effect"),
    preset("503-before", CHANGES, "503 without effect"),
    preset("503-after", CHANGES, "503 after the effect"),
    preset("504-before", CHANGES, "504 without effect"),
    preset("504-after", CHANGES, "504 after the effect"),
    preset("408-before", CHANGES, "408 without effect"),
    preset("408-after", CHANGES, "408 after the effect"),
    preset(
        "truncated-json",
        CHANGES,
        "the connection ends after the first byte of the body",
    ),
    preset("half-json", CHANGES, "a whole body that is half a document"),
    preset(
        "html-200-before",
        CHANGES,
        "a proxy's page with 200, without effect",
    ),
    preset(
        "html-200-after",
        CHANGES,
        "a proxy's page with 200 after the effect",
    ),
    preset(
        "html-400-before",
        CHANGES,
        "a proxy's page with 400, without effect",
    ),
    preset(
        "html-400-after",
        CHANGES,
        "a proxy's page with 400 after the effect",
    ),
    preset(
        "html-502-before",
        CHANGES,
        "a proxy's page with 502, without effect",
    ),
    preset(
        "html-502-after",
        CHANGES,
        "a proxy's page with 502 after the effect",
    ),
    preset(
        "wrong-type",
        WORK,
        "the id is a list; where there is no id the answer is one",
    ),
    preset(
        "missing-id",
        WORK,
        "the answer lacks the id; refused where it never has one",
    ),
    preset(
        "slow-body",
        CHANGES,
        "one byte of the body every `ms` (1000)",
    ),
    preset(
        "huge-body",
        CHANGES,
        "`bytes` (100 MiB) of spaces after the body",
    ),
    preset(
        "gzip-bomb",
        CHANGES,
        "a small body that unpacks to `bytes` (10 GiB)",
    ),
    preset(
        "duplicate-first",
        WORK,
        "executed twice, the first answer sent",
    ),
    preset(
        "duplicate-second",
        WORK,
        "executed twice, the second answer sent",
    ),
    preset(
        "429-seconds",
        CHANGES,
        "throttled, Retry-After in `seconds` (2)",
    ),
    preset(
        "429-date",
        CHANGES,
        "throttled, Retry-After as a date in `seconds` (3)",
    ),
    preset("429-absent", CHANGES, "throttled without Retry-After"),
    preset("429-huge", CHANGES, "throttled, Retry-After of ages"),
    preset("429-negative", CHANGES, "throttled, Retry-After below zero"),
    preset(
        "stale-list",
        LIST,
        "lists show what was `ms` (120000) ago, until cleared",
    ),
    preset(
        "torn-page",
        LIST,
        "pages of one; something comes in before the second, until cleared",
    ),
    preset(
        "page-2-500",
        LIST,
        "pages of one, of which the second is 500, until cleared",
    ),
    preset(
        "unlisted",
        CREATE,
        "the new server is missing from lists for `ms` (120000)",
    ),
    preset(
        "late-tags",
        CREATE,
        "the new server gets its tags `ms` (120000) later",
    ),
    preset(
        "no-tags",
        CREATE,
        "the new server gets no tags: only its name is a mark",
    ),
    preset(
        "label-race",
        CREATE,
        "lost, and executed after `ms` (1000) while the next one waits",
    ),
    preset(
        "accepted-then-gone",
        CREATE,
        "accepted, then the server vanishes",
    ),
    preset(
        "accepted-then-failed",
        &[Kind::Resize, Kind::Delete],
        "accepted, then the work fails",
    ),
    preset("401", EVERY, "`count` (1) calls are refused with 401"),
    preset("403", EVERY, "`count` (1) calls are refused with 403"),
    preset("token-revoked", EVERY, "everything is 401, until cleared"),
    preset("token-forbidden", EVERY, "everything is 403, until cleared"),
    preset(
        "narrowed-scope",
        EVERY,
        "lists go empty and each server is 403, until cleared",
    ),
    preset(
        "foreign-token",
        EVERY,
        "the token is another account's, until cleared",
    ),
    preset(
        "clock-ahead",
        EVERY,
        "the vendor's clock is `seconds` (3600) ahead, until cleared",
    ),
    preset(
        "clock-behind",
        EVERY,
        "the vendor's clock is `seconds` (-3600) behind, until cleared",
    ),
    preset(
        "redirect",
        EVERY,
        "308 to the second listener, which writes down who comes",
    ),
];
