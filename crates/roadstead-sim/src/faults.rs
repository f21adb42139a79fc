//! Scripted faults: which calls go wrong, how, and how often.

use std::collections::BTreeMap;

use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::vendor::Call;

/// A rule that spoils the next calls it matches.
///
/// Every condition that is set must hold. The first rule that matches and
/// still has calls left is applied; a rule that is skipping lets the next one
/// have the call.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// The HTTP method; any if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// The whole path: `{anything}` stands for one segment, and a final `*`
    /// for any rest (`/v2/droplets`, `/v2/droplets/{id}/actions`,
    /// `/v2/droplets*`); any path if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// A text that the query must contain, such as `page=2`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub query_contains: Option<String>,
    /// A text that the body must contain, such as `"resize"`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body_contains: Option<String>,
    /// On which side of the call's effect the fault lies.
    #[serde(default)]
    pub when: When,
    /// With [`When::Late`]: after how many milliseconds the call has its
    /// effect. Divided by the time scale.
    #[serde(default)]
    pub late_ms: u64,
    /// What happens to the answer.
    pub effect: Effect,
    /// How many matching calls are spoiled.
    #[serde(default = "once")]
    pub count: u64,
    /// How many matching calls are let through first.
    #[serde(default)]
    pub skip: u64,
}

/// On which side of a call's effect a fault lies.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum When {
    /// The call has no effect. Only a delay alone lets it go on, afterwards.
    #[default]
    Before,
    /// The call has its effect; only its answer is spoiled.
    After,
    /// The answer is spoiled now; the call has its effect later.
    Late,
}

/// What a fault does. Members combine: a delay comes first, `drop` wins over
/// an answer, `status` and `body` replace it, the rest spoils how it is sent.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Effect {
    /// Waits, in real milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delay_ms: Option<u64>,
    /// Replaces the status.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// Replaces the body: a text is sent as it is, anything else as JSON.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<Value>,
    /// Replaces the content type.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content_type: Option<String>,
    /// Sets headers, replacing those of the same name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, String>,
    /// Closes the connection without an answer.
    #[serde(default)]
    pub drop: bool,
    /// Sends this many bytes of the body, then closes the connection.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub truncate: Option<usize>,
    /// Sends the body byte by byte, so many milliseconds apart.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub drip_ms: Option<u64>,
    /// Puts so many spaces after the body.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pad_bytes: Option<u64>,
    /// Decides how the work ends that the call starts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fate: Option<Fate>,
}

/// How work ends that a vendor had accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Fate {
    /// It fails: a created server vanishes, any other action changes nothing.
    Fails,
    /// It is reported as done and changes nothing, as a guest that ignores a
    /// shutdown.
    Ignored,
}

/// How work ends that a vendor has accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    Completed,
    Errored,
}

impl Ending {
    /// Returns how work ends for which a fault has decided.
    pub(crate) const fn of(fate: Option<Fate>) -> Self {
        match fate {
            None | Some(Fate::Ignored) => Self::Completed,
            Some(Fate::Fails) => Self::Errored,
        }
    }
}

/// A rule with what has become of it.
#[derive(Debug, Clone, Serialize)]
pub struct FaultStatus {
    /// The number it was given.
    pub id: u64,
    /// How many calls it will still spoil.
    pub left: u64,
    /// How many matching calls it will still let through first.
    pub to_skip: u64,
    /// The rule as it was added.
    pub fault: Fault,
}

/// The rules of one simulator, oldest first.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    last: u64,
    rules: Vec<FaultStatus>,
}

/// A fault that a call has drawn.
#[derive(Debug, Clone)]
pub(crate) struct Drawn {
    pub(crate) id: u64,
    pub(crate) fault: Fault,
}

impl Faults {
    /// Adds a rule and returns its number, or says what is wrong with it.
    pub(crate) fn add(&self, fault: Fault) -> Result<u64, String> {
        check(&fault)?;
        let mut inner = self.inner.lock();
        inner.last = inner.last.saturating_add(1);
        let id = inner.last;
        inner.rules.push(FaultStatus {
            id,
            left: fault.count,
            to_skip: fault.skip,
            fault,
        });
        Ok(id)
    }

    /// Returns all rules, the spent ones included.
    pub(crate) fn all(&self) -> Vec<FaultStatus> {
        self.inner.lock().rules.clone()
    }

    /// Removes all rules.
    pub(crate) fn clear(&self) {
        self.inner.lock().rules.clear();
    }

    /// Uses up one turn of the first rule that wants this call.
    pub(crate) fn draw(&self, call: &Call) -> Option<Drawn> {
        let mut inner = self.inner.lock();
        for rule in inner.rules.iter_mut().filter(|it| it.left > 0) {
            if !matches(&rule.fault, call) {
                continue;
            }
            if rule.to_skip > 0 {
                rule.to_skip -= 1;
                continue;
            }
            rule.left -= 1;
            return Some(Drawn {
                id: rule.id,
                fault: rule.fault.clone(),
            });
        }
        None
    }
}

impl Effect {
    /// Returns whether nothing but a delay or a fate is asked for, so that the
    /// call is answered as usual.
    pub(crate) fn keeps_the_answer(&self) -> bool {
        !self.drop
            && self.status.is_none()
            && self.body.is_none()
            && self.content_type.is_none()
            && self.headers.is_empty()
            && self.truncate.is_none()
            && self.drip_ms.is_none()
            && self.pad_bytes.is_none()
    }
}

const fn once() -> u64 {
    1
}

fn check(fault: &Fault) -> Result<(), String> {
    let effect = &fault.effect;
    if effect.keeps_the_answer() && effect.delay_ms.is_none() && effect.fate.is_none() {
        return Err("`effect` does nothing".to_owned());
    }
    if effect.status.is_some_and(|it| !(200..=599).contains(&it)) {
        return Err("`effect.status` must be from 200 to 599".to_owned());
    }
    if let Some(path) = &fault.path
        && !path.starts_with('/')
        && !path.starts_with('*')
    {
        return Err("`path` must begin with `/`".to_owned());
    }
    Ok(())
}

fn matches(fault: &Fault, call: &Call) -> bool {
    let method = fault
        .method
        .as_ref()
        .is_none_or(|it| it.eq_ignore_ascii_case(&call.method));
    let path = fault
        .path
        .as_ref()
        .is_none_or(|it| path_matches(it, &call.path));
    let query = fault
        .query_contains
        .as_ref()
        .is_none_or(|it| call.raw_query.contains(it));
    let body = fault
        .body_contains
        .as_ref()
        .is_none_or(|it| String::from_utf8_lossy(&call.body).contains(it));
    method && path && query && body
}

fn path_matches(pattern: &str, path: &str) -> bool {
    if let Some(start) = pattern.strip_suffix('*') {
        let segments = start.matches('/').count();
        let cut = path
            .match_indices('/')
            .nth(segments)
            .map_or(path.len(), |(at, _)| at);
        return match (
            start.rsplit_once('/'),
            path.get(..cut).and_then(|it| it.rsplit_once('/')),
        ) {
            (Some((head, tail)), Some((path_head, path_tail))) => {
                segments_match(head, path_head) && path_tail.starts_with(tail)
            }
            _ => start.is_empty(),
        };
    }
    segments_match(pattern.trim_end_matches('/'), path.trim_end_matches('/'))
}

fn segments_match(pattern: &str, path: &str) -> bool {
    let mut wanted = pattern.split('/');
    let mut given = path.split('/');
    loop {
        match (wanted.next(), given.next()) {
            (None, None) => return true,
            (Some(want), Some(have)) => {
                let any = want.starts_with('{') && want.ends_with('}') && !have.is_empty();
                if !any && want != have {
                    return false;
                }
            }
            (Some(_), None) | (None, Some(_)) => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_matches_whole_by_template_or_by_its_beginning() {
        assert!(path_matches("/v2/droplets", "/v2/droplets"));
        assert!(!path_matches("/v2/droplets", "/v2/droplets/7"));
        assert!(path_matches("/v2/droplets/{id}", "/v2/droplets/7"));
        assert!(!path_matches("/v2/droplets/{id}", "/v2/droplets/7/actions"));
        assert!(path_matches("/v2/droplets*", "/v2/droplets"));
        assert!(path_matches("/v2/droplets*", "/v2/droplets/7/actions"));
        assert!(path_matches(
            "/v2/droplets/{id}/*",
            "/v2/droplets/7/actions/9"
        ));
        assert!(!path_matches("/v2/droplets*", "/v2/sizes"));
        assert!(path_matches("*", "/anything/at/all"));
    }

    #[test]
    fn a_rule_that_does_nothing_is_refused() {
        let faults = Faults::default();
        assert!(faults.add(Fault::default()).is_err());
        let fault: Fault = serde_json::from_str(r#"{"effect":{"status":500},"count":2}"#).unwrap();
        assert_eq!(faults.add(fault), Ok(1));
        assert!(serde_json::from_str::<Fault>(r#"{"efect":{}}"#).is_err());
    }
}
