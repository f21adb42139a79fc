//! Scripted faults: which calls go wrong, how, and how often.

mod effect;

use std::collections::BTreeMap;

use parking_lot::Mutex;
use serde::{Deserialize, Serialize};

use crate::vendor::Call;

pub(crate) use self::effect::Ending;
pub use self::effect::{Effect, Fate, Twice};

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
    /// Parameters that the query must have, with these values.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub query: BTreeMap<String, String>,
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
    /// Adds rules, all or none, and returns their numbers, or says what is wrong with one.
    pub(crate) fn add_all(&self, faults: Vec<Fault>) -> Result<Vec<u64>, String> {
        faults.iter().try_for_each(check)?;
        let mut inner = self.inner.lock();
        let add = |fault: Fault| {
            inner.last = inner.last.saturating_add(1);
            let id = inner.last;
            inner.rules.push(FaultStatus {
                id,
                left: fault.count,
                to_skip: fault.skip,
                fault,
            });
            id
        };
        Ok(faults.into_iter().map(add).collect())
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

const fn once() -> u64 {
    1
}

fn check(fault: &Fault) -> Result<(), String> {
    let effect = &fault.effect;
    if effect.does_nothing() {
        return Err("`effect` does nothing".to_owned());
    }
    if effect.status.is_some_and(|it| !(200..=599).contains(&it)) {
        return Err("`effect.status` must be from 200 to 599".to_owned());
    }
    let pointers = effect.json_set.keys().chain(&effect.json_remove);
    if let Some(wrong) = pointers.into_iter().find(|it| !it.starts_with('/')) {
        return Err(format!(
            "`{wrong}` is no JSON pointer: it must begin with `/`"
        ));
    }
    if fault.when == When::Before && effect.twice.is_some() && !effect.keeps_the_answer() {
        return Err("`effect.twice` needs a call that has its effect".to_owned());
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
        .is_none_or(|it| call.raw_query.contains(it))
        && fault
            .query
            .iter()
            .all(|(name, value)| call.query(name) == Some(value));
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
        assert!(faults.add_all(vec![Fault::default()]).is_err());
        let fault: Fault = serde_json::from_str(r#"{"effect":{"status":500},"count":2}"#).unwrap();
        let both = vec![fault.clone(), Fault::default()];
        assert!(faults.add_all(both).is_err() && faults.all().is_empty());
        assert_eq!(faults.add_all(vec![fault]), Ok(vec![1]));
        assert!(serde_json::from_str::<Fault>(r#"{"efect":{}}"#).is_err());
    }
}
