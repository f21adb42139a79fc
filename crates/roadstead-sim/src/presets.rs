//! Faults by name: one for each line of the fault matrix, for every vendor and kind of call.

mod catalogue;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::faults::{Effect, Fate, Fault, Twice, When};
use crate::vendor::{Kind, Vendor};

pub use self::catalogue::{Preset, presets};

/// Where a kind of call is made at a vendor.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Site {
    pub(crate) method: Option<&'static str>,
    pub(crate) path: &'static str,
    pub(crate) body_contains: Option<&'static str>,
    /// Where the answer names what was made or started, if it does.
    pub(crate) id: Option<&'static str>,
    /// Whether the answer has a body that is worth spoiling.
    pub(crate) has_body: bool,
}

/// A fault that is asked for by its name.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Named {
    /// The name, from [`presets`].
    pub preset: String,
    /// Which calls it spoils; what the preset is meant for if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub call: Option<Kind>,
    /// How many calls are spoiled; what the preset says if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<u64>,
    /// How many calls are let through first.
    #[serde(default)]
    pub skip: u64,
    /// Only calls about one server: by its id, or for `create` by its name or a part of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server: Option<String>,
    /// How long, in milliseconds, where the preset has a time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ms: Option<u64>,
    /// How many seconds a `Retry-After` names, or how far a clock is ahead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seconds: Option<i64>,
    /// How many bytes, where the preset has a size.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes: Option<u64>,
}

/// A fault, written out or asked for by name.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Script {
    /// By name.
    Named(Named),
    /// Written out.
    Fault(Box<Fault>),
}

impl Script {
    /// Reads a fault in either form, with the message that fits the one that was meant.
    ///
    /// # Errors
    ///
    /// A sentence that says what is wrong.
    pub fn read(value: &Value) -> Result<Self, String> {
        let read = if value.get("preset").is_some() {
            Named::deserialize(value).map(Self::Named)
        } else {
            Fault::deserialize(value).map(|it| Self::Fault(Box::new(it)))
        };
        read.map_err(|error| error.to_string())
    }
}

/// What a preset comes to.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    pub(crate) faults: Vec<Fault>,
    /// Closes the listener at once for so many milliseconds.
    pub(crate) refuse_ms: Option<u64>,
    /// Sets the vendor's clock wrong by so many milliseconds.
    pub(crate) skew_ms: Option<i64>,
}

/// Lasts until the faults are cleared.
const ALWAYS: u64 = u64::MAX;

/// Longer than a client waits for an answer.
const TOO_LONG_MS: u64 = 15_000;

const HTML: &str = "<html><head><title>Attention</title></head><body><h1>Something is in the \
    way</h1><p>Your request could not be passed on.</p></body></html>";

/// Writes a preset out for a vendor.
pub(crate) fn expand(named: &Named, vendor: &dyn Vendor) -> Result<Plan, String> {
    let name = named.preset.as_str();
    let preset = presets()
        .iter()
        .find(|it| it.name == name)
        .ok_or_else(|| format!("there is no preset `{name}`; see `/_sim/faults/catalogue`"))?;
    let asked = named.call.or_else(|| preset.calls.first().copied());
    let Some(kind) = asked else {
        return Err(format!(
            "`{name}` is no fault of the simulator: {}",
            preset.about
        ));
    };
    if !preset.calls.contains(&kind) {
        return Err(format!("`{name}` makes no sense for this kind of call"));
    }
    let site = vendor.site(kind);
    let maker = Maker {
        named,
        vendor,
        site,
    };
    let mut plan = maker.plan(name)?;
    if let Some(server) = &named.server {
        let by_path = site.path.contains("{id}");
        if !by_path && kind != Kind::Create {
            return Err(
                "`server` makes no sense for calls that are about no one server".to_owned(),
            );
        }
        for fault in &mut plan.faults {
            if by_path {
                fault.path = Some(site.path.replace("{id}", server));
            } else {
                fault.body_contains = Some(server.clone());
            }
        }
    }
    Ok(plan)
}

struct Maker<'a> {
    named: &'a Named,
    vendor: &'a dyn Vendor,
    site: Site,
}

impl Maker<'_> {
    fn plan(&self, name: &str) -> Result<Plan, String> {
        let (stem, when) = match name.rsplit_once('-') {
            Some((stem, "before")) => (stem, When::Before),
            Some((stem, "after")) => (stem, When::After),
            _ => (name, When::After),
        };
        if let Some(faults) = self.lists(name) {
            return Ok(Plan {
                faults,
                ..Plan::default()
            });
        }
        let fault = match stem {
            "refused" => {
                return Ok(Plan {
                    refuse_ms: Some(self.ms(2_000)),
                    ..Plan::default()
                });
            }
            "clock-ahead" => return Ok(self.clock(3600)),
            "clock-behind" => return Ok(self.clock(-3600)),
            "timeout" => self.one(
                when,
                Effect {
                    delay_ms: Some(self.ms(TOO_LONG_MS)),
                    drop: true,
                    ..Effect::default()
                },
            ),
            "reset" => self.one(
                when,
                Effect {
                    reset: true,
                    ..Effect::default()
                },
            ),
            "late-commit" => Fault {
                late_ms: self.ms(1_000),
                ..self.one(
                    When::Late,
                    Effect {
                        drop: true,
                        ..Effect::default()
                    },
                )
            },
            "redirect" => self.one(When::Before, self.redirect()),
            "accepted-then-gone" | "accepted-then-failed" => self.one(
                When::After,
                Effect {
                    fate: Some(Fate::Fails),
                    ..Effect::default()
                },
            ),
            "duplicate-first" => self.twice(Twice::First),
            "duplicate-second" => self.twice(Twice::Second),
            _ => match self.answer(stem) {
                Some(effect) => {
                    let when = if stem.starts_with("429") || is_refusal(stem) {
                        When::Before
                    } else {
                        when
                    };
                    self.one(when, effect)
                }
                None => return Err(format!("`{name}` is not written")),
            },
        };
        Ok(Plan {
            faults: vec![fault],
            ..Plan::default()
        })
    }

    /// Spoils the answer alone.
    fn answer(&self, stem: &str) -> Option<Effect> {
        let text = |status: Option<u16>, body: &str, kind: &str| Effect {
            status,
            body: Some(Value::from(body)),
            content_type: Some(kind.to_owned()),
            ..Effect::default()
        };
        Some(match stem {
            "500" | "502" | "503" | "504" | "408" | "401" | "403" => {
                let status = stem.parse().ok()?;
                Effect {
                    status: Some(status),
                    body: Some(self.vendor.error_body(status)),
                    ..Effect::default()
                }
            }
            "html-200" => text(Some(200), HTML, "text/html"),
            "html-400" => text(Some(400), HTML, "text/html"),
            "html-502" => text(Some(502), HTML, "text/html"),
            "429-seconds" => self.throttle(Some(self.named.seconds.unwrap_or(2))),
            "429-date" => Effect {
                retry_after_date_s: u32::try_from(self.named.seconds.unwrap_or(3)).ok(),
                ..self.throttle(None)
            },
            "429-absent" => self.throttle(None),
            "429-huge" => self.throttle(Some(self.named.seconds.unwrap_or(999_999_999_999))),
            "429-negative" => self.throttle(Some(self.named.seconds.unwrap_or(-5))),
            "truncated-json" => Effect {
                truncate: Some(1),
                ..self.with_a_body()
            },
            "half-json" => text(self.body_status(), "{\"id\": 48", "application/json"),
            "wrong-type" => match self.site.id {
                Some(pointer) => Effect {
                    json_set: BTreeMap::from([(pointer.to_owned(), json!(["none"]))]),
                    ..Effect::default()
                },
                None => text(self.body_status(), "[7]", "application/json"),
            },
            "missing-id" => Effect {
                json_remove: vec![self.site.id?.to_owned()],
                ..Effect::default()
            },
            "slow-body" => Effect {
                drip_ms: Some(self.ms(1_000)),
                ..self.with_a_body()
            },
            "huge-body" => Effect {
                pad_bytes: Some(self.named.bytes.unwrap_or(100 * 1024 * 1024)),
                ..self.with_a_body()
            },
            "gzip-bomb" => Effect {
                status: self.body_status(),
                gzip_bomb_bytes: Some(self.named.bytes.unwrap_or(10 * 1024 * 1024 * 1024)),
                ..Effect::default()
            },
            _ => return None,
        })
    }

    /// Makes lists lie, or leaves the marks of a new server out of them.
    fn lists(&self, name: &str) -> Option<Vec<Fault>> {
        let lie = |count, effect| {
            vec![Fault {
                count,
                ..self.one(When::Before, effect)
            }]
        };
        let ms = Some(self.ms(120_000));
        let always = self.named.count.unwrap_or(ALWAYS);
        let once = self.named.count.unwrap_or(1);
        let of_page = |page: &str, effect| Fault {
            count: always,
            query: BTreeMap::from([("page".to_owned(), page.to_owned())]),
            ..self.one(When::Before, effect)
        };
        let small = || Effect {
            page_size: Some(1),
            ..Effect::default()
        };
        Some(match name {
            "stale-list" => lie(
                always,
                Effect {
                    stale_ms: ms,
                    ..Effect::default()
                },
            ),
            "torn-page" => vec![
                of_page(
                    "2",
                    Effect {
                        torn: true,
                        ..small()
                    },
                ),
                Fault {
                    count: always,
                    ..self.one(When::Before, small())
                },
            ],
            "page-2-500" => {
                let broken = Effect {
                    status: Some(500),
                    body: Some(self.vendor.error_body(500)),
                    ..Effect::default()
                };
                let first = of_page("2", broken);
                vec![
                    first,
                    Fault {
                        count: always,
                        ..self.one(When::Before, small())
                    },
                ]
            }
            "unlisted" => lie(
                once,
                Effect {
                    unlisted_ms: ms,
                    ..Effect::default()
                },
            ),
            "late-tags" => lie(
                once,
                Effect {
                    tags_late_ms: ms,
                    ..Effect::default()
                },
            ),
            "no-tags" => lie(
                once,
                Effect {
                    untagged: true,
                    ..Effect::default()
                },
            ),
            // The first request is lost and comes to something while the second one is on its
            // way, which is then refused for the name that it has itself.
            "label-race" => vec![
                Fault {
                    late_ms: self.ms(1_000),
                    ..self.one(
                        When::Late,
                        Effect {
                            drop: true,
                            ..Effect::default()
                        },
                    )
                },
                self.one(
                    When::Before,
                    Effect {
                        delay_ms: Some(self.ms(1_000).saturating_mul(2)),
                        ..Effect::default()
                    },
                ),
            ],
            "token-revoked" => lie(
                always,
                Effect {
                    status: Some(401),
                    body: Some(self.vendor.error_body(401)),
                    ..Effect::default()
                },
            ),
            "token-forbidden" => lie(
                always,
                Effect {
                    status: Some(403),
                    body: Some(self.vendor.error_body(403)),
                    ..Effect::default()
                },
            ),
            "narrowed-scope" => lie(
                always,
                Effect {
                    hides_servers: true,
                    ..Effect::default()
                },
            ),
            "foreign-token" => lie(
                always,
                Effect {
                    account: Some("other".to_owned()),
                    ..Effect::default()
                },
            ),
            _ => return None,
        })
    }

    fn one(&self, when: When, effect: Effect) -> Fault {
        Fault {
            method: self.site.method.map(str::to_owned),
            path: Some(self.site.path.to_owned()),
            body_contains: self.site.body_contains.map(str::to_owned),
            when,
            effect,
            count: self.named.count.unwrap_or(1),
            skip: self.named.skip,
            ..Fault::default()
        }
    }

    fn twice(&self, which: Twice) -> Fault {
        self.one(
            When::After,
            Effect {
                twice: Some(which),
                ..Effect::default()
            },
        )
    }

    fn clock(&self, seconds: i64) -> Plan {
        let seconds = self.named.seconds.unwrap_or(seconds);
        Plan {
            skew_ms: Some(seconds.saturating_mul(1000)),
            ..Plan::default()
        }
    }

    fn throttle(&self, seconds: Option<i64>) -> Effect {
        let headers = seconds.map(|it| ("retry-after".to_owned(), it.to_string()));
        Effect {
            status: Some(429),
            body: Some(self.vendor.error_body(429)),
            headers: headers.into_iter().collect(),
            ..Effect::default()
        }
    }

    fn redirect(&self) -> Effect {
        let to = ("location".to_owned(), "{elsewhere}/stolen".to_owned());
        Effect {
            status: Some(308),
            headers: BTreeMap::from([to]),
            ..Effect::default()
        }
    }

    /// Lets an answer that has no body have one.
    fn with_a_body(&self) -> Effect {
        let body = json!({ "note": "an answer that is longer than it need be" });
        Effect {
            status: self.body_status(),
            body: (!self.site.has_body).then_some(body),
            ..Effect::default()
        }
    }

    /// Returns the status with which an answer may have a body that usually has none.
    fn body_status(&self) -> Option<u16> {
        (!self.site.has_body).then_some(200)
    }

    fn ms(&self, usual: u64) -> u64 {
        self.named.ms.unwrap_or(usual)
    }
}

/// Returns whether a vendor that answers so has not executed the call.
fn is_refusal(stem: &str) -> bool {
    matches!(stem, "401" | "403")
}
