//! Words and shapes that come from rooms which know no schemas, as the document shows them.

#![expect(
    dead_code,
    reason = "these types are never made: they are read by the macro that derives their schemas"
)]

use std::collections::BTreeMap;
use std::net::IpAddr;

use roadstead_core::{Feature, State};
use roadstead_service::{
    CallClass, CatalogueKind, CircuitState, Decision, Doubt, Lifecycle, MissingDecision,
    OperationKind, OperationState, QuarantineState, Role, SalePlanOrder, ServerOrder, SweepOutcome,
};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Serialize, Serializer};
use uuid::Uuid;

use crate::error::error_table;

/// `true`, which every answer to a request that went well begins with.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Success;

impl Serialize for Success {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bool(true)
    }
}

impl JsonSchema for Success {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Success".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "boolean", "const": true, "description": "Always `true`." })
    }
}

/// Returns who may call a route that needs a role, as a sentence.
pub(crate) fn who(role: &str) -> &'static str {
    match role {
        "viewer" => "Needs the role viewer in the organization, or a higher one.",
        "member" => "Needs the role member in the organization, or a higher one.",
        "admin" => "Needs the role admin in the organization, or owner.",
        _ => "Needs the role owner in the organization.",
    }
}

fn one_of(words: impl IntoIterator<Item = &'static str>) -> Schema {
    let words: Vec<_> = words.into_iter().collect();
    json_schema!({ "type": "string", "enum": words })
}

pub(crate) fn error_code(_: &mut SchemaGenerator) -> Schema {
    one_of(error_table().iter().map(|it| it.0.as_str()))
}

/// The words that a server can show: what it is doing, or how its life has come to an end.
pub(crate) fn statuses() -> impl Iterator<Item = &'static str> {
    let lives = [Lifecycle::Failed, Lifecycle::Missing, Lifecycle::Attention];
    let states = State::ALL.into_iter().map(State::as_str);
    states.chain(lives.map(Lifecycle::as_str))
}

pub(crate) fn status(_: &mut SchemaGenerator) -> Schema {
    let mut schema = one_of(statuses());
    schema.insert("examples".to_owned(), serde_json::json!(["running"]));
    schema
}

/// What a server is doing, where nothing is said of its life.
pub(crate) fn power(_: &mut SchemaGenerator) -> Schema {
    let mut schema = one_of(State::ALL.map(State::as_str));
    schema.insert("examples".to_owned(), serde_json::json!(["running"]));
    schema
}

pub(crate) fn server_order(_: &mut SchemaGenerator) -> Schema {
    one_of(ServerOrder::ALL.map(ServerOrder::as_str))
}

pub(crate) fn operation_kind(_: &mut SchemaGenerator) -> Schema {
    one_of(OperationKind::ALL.map(OperationKind::as_str))
}

pub(crate) fn operation_state(_: &mut SchemaGenerator) -> Schema {
    one_of(OperationState::ALL.map(OperationState::as_str))
}

pub(crate) fn features(_: &mut SchemaGenerator) -> Schema {
    let words = json_schema!({ "type": "string", "enum": Feature::ALL });
    json_schema!({ "type": "array", "items": words })
}

pub(crate) fn role(_: &mut SchemaGenerator) -> Schema {
    one_of(Role::ALL.map(Role::as_str))
}

pub(crate) fn verification(_: &mut SchemaGenerator) -> Schema {
    one_of(["verified", "unverified", "refused"])
}

pub(crate) fn sweep_outcome(_: &mut SchemaGenerator) -> Schema {
    let mut words: Vec<_> = SweepOutcome::ALL
        .iter()
        .map(|it| Some(it.as_str()))
        .collect();
    words.push(None);
    json_schema!({ "type": ["string", "null"], "enum": words })
}

pub(crate) fn doubt(_: &mut SchemaGenerator) -> Schema {
    one_of(Doubt::ALL.map(Doubt::as_str))
}

/// The states of an operation that is not over.
pub(crate) fn open_states() -> impl Iterator<Item = &'static str> {
    let open = OperationState::ALL.into_iter().filter(|it| !it.is_final());
    open.map(OperationState::as_str)
}

pub(crate) fn open_state(_: &mut SchemaGenerator) -> Schema {
    one_of(open_states())
}

pub(crate) fn quarantine_state(_: &mut SchemaGenerator) -> Schema {
    one_of(QuarantineState::ALL.map(QuarantineState::as_str))
}

pub(crate) fn quarantine_decision(_: &mut SchemaGenerator) -> Schema {
    one_of(["adopt", "release", "delete"])
}

pub(crate) fn missing_decision(_: &mut SchemaGenerator) -> Schema {
    one_of(MissingDecision::ALL.map(MissingDecision::as_str))
}

pub(crate) fn decision(_: &mut SchemaGenerator) -> Schema {
    one_of(Decision::ALL.map(Decision::as_str))
}

pub(crate) fn call_class(_: &mut SchemaGenerator) -> Schema {
    one_of(CallClass::ALL.map(CallClass::as_str))
}

pub(crate) fn circuit_state(_: &mut SchemaGenerator) -> Schema {
    one_of(CircuitState::ALL.map(CircuitState::as_str))
}

pub(crate) fn catalogue_kind(_: &mut SchemaGenerator) -> Schema {
    one_of(CatalogueKind::ALL.map(CatalogueKind::as_str))
}

pub(crate) fn price_source(_: &mut SchemaGenerator) -> Schema {
    one_of(["provider_api", "catalogue", "operator"])
}

pub(crate) fn plan_order(_: &mut SchemaGenerator) -> Schema {
    one_of(SalePlanOrder::ALL.map(SalePlanOrder::as_str))
}

/// An exact amount.
#[derive(JsonSchema)]
pub(crate) struct Money {
    /// The amount in whole units of the currency (dollars, not cents), as a decimal text.
    #[schemars(regex(pattern = r"^-?[0-9]+(\.[0-9]+)?$"), example = &"0.00744")]
    amount: String,
    /// The currency's ISO 4217 code.
    #[schemars(with = "Currency")]
    currency: Currency,
}

/// A currency by its ISO 4217 code.
#[derive(JsonSchema)]
#[schemars(inline)]
pub(crate) enum Currency {
    /// United States dollar.
    #[schemars(rename = "USD")]
    Usd,
    /// Euro.
    #[schemars(rename = "EUR")]
    Eur,
}

/// A processor architecture.
#[derive(JsonSchema)]
#[schemars(rename_all = "snake_case")]
pub(crate) enum Arch {
    /// 64-bit x86.
    X86_64,
    /// 64-bit ARM.
    Aarch64,
}

/// How a server is paid for.
#[derive(JsonSchema)]
#[schemars(rename_all = "snake_case")]
pub(crate) enum Market {
    /// By use, kept until deleted.
    OnDemand,
    /// Cheaper, and taken away when the provider needs it.
    Spot,
}

/// Whether something can be had now.
#[derive(JsonSchema)]
#[schemars(rename_all = "snake_case")]
pub(crate) enum Availability {
    /// It can be ordered.
    Available,
    /// It is out of stock for now.
    SoldOut,
    /// It is no longer sold.
    Retired,
    /// The provider does not say.
    Unknown,
}

/// An address of a server.
#[derive(JsonSchema)]
pub(crate) struct Address {
    /// The address, IPv4 or IPv6.
    #[schemars(example = &"192.0.2.17")]
    ip: IpAddr,
    /// Who can reach it.
    scope: Scope,
}

/// Who can reach an address.
#[derive(JsonSchema)]
#[schemars(rename_all = "snake_case")]
pub(crate) enum Scope {
    /// Everyone.
    Public,
    /// The provider's private network.
    Private,
}

/// What a provider can do, and why the rest cannot be had.
#[derive(JsonSchema)]
pub(crate) struct Descriptor {
    /// The provider's short name, as it stands in paths.
    #[schemars(example = &"acme")]
    kind: String,
    /// Its name for people.
    #[schemars(example = &"Acme Cloud")]
    name: String,
    /// Whether servers can be had there at all, or why not.
    available: Support,
    /// Each feature by its name, with whether it can be had. They say what the provider's crate
    /// can do, whether or not this API has a route for it.
    features: BTreeMap<String, Support>,
    /// The provider's numbers.
    limits: Limits,
    /// How a root password reaches a server.
    root_password: RootPassword,
    /// What it asks of a change of plan.
    resize: ResizeRule,
    /// What it takes for a rebuild.
    rebuild: RebuildRule,
    /// What a stopped server costs.
    billed_when_stopped: Billed,
    /// How safe it is to send a creating request twice.
    create_guarantee: CreateGuarantee,
    /// How long a new server may be missing from the provider's lists.
    #[schemars(example = 60)]
    visibility_lag_seconds: u64,
    /// How long after a lost answer a server may still come into being.
    #[schemars(example = 120)]
    max_late_commit_seconds: u64,
    /// The JSON Schema of `options` in `POST /api/vps` at this provider.
    #[schemars(with = "BTreeMap<String, serde_json::Value>")]
    options_schema: serde_json::Value,
}

/// What a provider asks of a change of plan.
#[derive(JsonSchema)]
pub(crate) struct ResizeRule {
    /// Whether the server must be stopped.
    needs_stopped: bool,
    /// Whether a plan with a smaller disk than the server's may be asked for, because only the
    /// provider knows what fits; it refuses what does not.
    shrinks_disk: bool,
}

/// What a provider takes beside the image when it rebuilds a server.
#[derive(JsonSchema)]
pub(crate) struct RebuildRule {
    /// Whether it takes a root password.
    root_password: bool,
    /// Whether it takes SSH keys.
    ssh_keys: bool,
    /// Whether it takes user data.
    user_data: bool,
}

/// Whether a feature can be had.
#[derive(JsonSchema)]
#[schemars(tag = "supported", rename_all = "snake_case")]
pub(crate) enum Support {
    /// It can.
    Yes,
    /// It cannot.
    No {
        /// Why, as a sentence for people.
        #[schemars(example = &"the provider has no such thing")]
        why: String,
    },
}

/// A provider's numbers.
#[derive(JsonSchema)]
pub(crate) struct Limits {
    /// What names it accepts for servers.
    name: NameRule,
    /// The largest user data, in bytes before any encoding.
    #[schemars(example = 65536)]
    user_data_bytes: u32,
    /// How many tags a server can carry.
    #[schemars(example = 50)]
    tags: u16,
    /// The largest page of its own lists.
    #[schemars(example = 200)]
    page_max: u16,
}

/// What names a provider accepts for servers.
#[derive(JsonSchema)]
pub(crate) struct NameRule {
    /// An anchored regular expression.
    #[schemars(example = &"^[a-z0-9-]+$")]
    pattern: String,
    /// The shortest name.
    #[schemars(example = 1)]
    min: u16,
    /// The longest name.
    #[schemars(example = 63)]
    max: u16,
    /// Whether two servers of one account cannot share a name.
    unique: bool,
    /// The rule as a sentence for people.
    #[schemars(example = &"1 to 63 small letters, digits and hyphens")]
    sentence: String,
}

/// How a root password reaches a server.
#[derive(JsonSchema)]
#[schemars(tag = "way", rename_all = "snake_case")]
pub(crate) enum RootPassword {
    /// In the creating request.
    Native,
    /// As a hash, through cloud-init; the image must run it.
    CloudInit,
    /// Not at all.
    No {
        /// Why, as a sentence for people.
        #[schemars(example = &"the provider takes keys only")]
        why: String,
    },
}

/// What a server costs in a state.
#[derive(JsonSchema)]
#[schemars(rename_all = "snake_case")]
pub(crate) enum Billed {
    /// The plan's price.
    Full,
    /// Only its disks and reserved addresses.
    StorageOnly,
    /// Nothing.
    No,
    /// The provider does not say.
    Unknown,
}

/// How safe it is to send a creating request twice.
#[derive(JsonSchema)]
#[schemars(rename_all = "snake_case")]
pub(crate) enum CreateGuarantee {
    /// The provider recognizes our token and answers with the first server.
    Token,
    /// The provider refuses a second server of the same name.
    UniqueName,
    /// Only looking tells.
    LookupOnly,
}

/// An id of ours.
pub(crate) type Id = Uuid;
