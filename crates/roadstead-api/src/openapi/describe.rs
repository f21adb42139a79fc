//! What the types of a handler say about its route.

use std::any::type_name;
use std::collections::{BTreeMap, BTreeSet};
use std::marker::PhantomData;

use actix_web::body::BoxBody;
use actix_web::{FromRequest, HttpRequest, HttpResponse, Responder, web};
use roadstead_core::Code;
use roadstead_service::Permission;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde_json::{Map, Value, json};

use crate::allowed::{Allowed, LoggedIn, Operator, Then, UnderKey};
use crate::body::{Body, Keyed, NoBody};
use crate::error::{ApiError, DoorCode, Refusal};
use crate::query::Query;

/// One route, as far as its handler's types tell.
#[derive(Debug)]
pub(crate) struct Description<'a> {
    /// Makes the schemas of what is taken in.
    pub(crate) taken: &'a mut SchemaGenerator,
    /// Makes the schemas of what is given out.
    pub(crate) given: &'a mut SchemaGenerator,
    /// Who may call it.
    pub(crate) caller: Option<Who>,
    pub(crate) parameters: Vec<Value>,
    pub(crate) body: Option<Schema>,
    pub(crate) refusals: BTreeMap<u16, BTreeSet<&'static str>>,
    /// The media type of a success, and the schema of its content.
    pub(crate) answer: Option<(&'static str, Schema)>,
}

/// Who may call a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Who {
    /// Everybody who is logged in.
    User,
    /// Who has this role in the organization, or a higher one.
    Role(&'static str),
    /// Who runs the installation.
    Operator,
}

impl Description<'_> {
    pub(crate) fn refuse(&mut self, it: impl Into<Refusal>) {
        let it = it.into();
        let codes = self.refusals.entry(it.status).or_default();
        codes.insert(it.code.as_str());
    }

    fn token(&mut self, who: Who) {
        self.caller = Some(who);
        self.refuse(DoorCode::Unauthenticated);
        self.works();
    }

    /// Whatever asks the database may find it away, or meet a fault of ours.
    fn works(&mut self) {
        self.refuse(DoorCode::Unavailable);
        self.refuse(DoorCode::InternalError);
    }
}

/// An argument of a handler, or all of them.
pub(crate) trait Describe {
    fn describe(to: &mut Description<'_>);
}

macro_rules! describe_tuples {
    ($(($($name:ident),+))+) => { $(
        impl<$($name: Describe),+> Describe for ($($name,)+) {
            fn describe(to: &mut Description<'_>) {
                $($name::describe(to);)+
            }
        }
    )+ };
}

describe_tuples!((A)(A, B)(A, B, C)(A, B, C, D)(A, B, C, D, E));

impl Describe for () {
    fn describe(_: &mut Description<'_>) {}
}

impl Describe for HttpRequest {
    fn describe(_: &mut Description<'_>) {}
}

impl<T> Describe for web::Data<T> {
    fn describe(to: &mut Description<'_>) {
        to.works();
    }
}

/// What the placeholders are is said beside the path.
impl<T> Describe for web::Path<T> {
    fn describe(_: &mut Description<'_>) {}
}

impl<A, B> Describe for Then<A, B>
where
    A: Describe + FromRequest<Error = ApiError> + UnderKey + 'static,
    B: Describe + FromRequest + Keyed + 'static,
{
    fn describe(to: &mut Description<'_>) {
        A::describe(to);
        B::describe(to);
    }
}

impl Describe for LoggedIn {
    fn describe(to: &mut Description<'_>) {
        to.token(Who::User);
    }
}

impl Describe for Operator {
    fn describe(to: &mut Description<'_>) {
        to.token(Who::Operator);
        to.refuse(DoorCode::Forbidden);
    }
}

impl<P: Permission> Describe for Allowed<P> {
    fn describe(to: &mut Description<'_>) {
        to.token(Who::Role(P::LEAST.as_str()));
        to.refuse(DoorCode::Forbidden);
        // What `X-Organization` says may be no id, or not one of the caller's.
        to.refuse(Code::ValidationError);
        to.refuse(DoorCode::NotFound);
        let organization = json!({ "$ref": "#/components/parameters/Organization" });
        to.parameters.push(organization);
    }
}

impl<T: JsonSchema> Describe for Body<T> {
    fn describe(to: &mut Description<'_>) {
        to.body = Some(to.taken.subschema_for::<T>());
        to.refuse(Code::ValidationError);
        to.refuse(DoorCode::PayloadTooLarge);
    }
}

impl Describe for NoBody {
    fn describe(to: &mut Description<'_>) {
        to.refuse(Code::ValidationError);
        to.refuse(DoorCode::PayloadTooLarge);
    }
}

impl<T: JsonSchema> Describe for Query<T> {
    fn describe(to: &mut Description<'_>) {
        to.refuse(Code::ValidationError);
        let schema = T::json_schema(to.taken).to_value();
        let properties = schema.get("properties").and_then(Value::as_object);
        let Some(properties) = properties else {
            unreachable!("`{}` is no struct with named fields", type_name::<T>())
        };
        let required = schema.get("required").and_then(Value::as_array);
        for (name, schema) in properties {
            let needed = required.is_some_and(|it| it.iter().any(|it| it == name.as_str()));
            to.parameters.push(parameter(name, needed, schema.clone()));
        }
    }
}

fn parameter(name: &str, required: bool, mut schema: Value) -> Value {
    not_null(&mut schema);
    let text = schema
        .as_object_mut()
        .and_then(|it| it.remove("description"))
        .unwrap_or_default();
    json!({
        "name": name,
        "in": "query",
        "required": required,
        "description": text,
        "schema": schema,
    })
}

/// A query cannot say null; an absent field is left out.
fn not_null(schema: &mut Value) {
    let Some(members) = schema.as_object_mut() else {
        return;
    };
    if let Some(Value::Array(types)) = members.get_mut("type") {
        types.retain(|it| it != "null");
        if let [only] = types.as_slice() {
            let only = only.clone();
            members.insert("type".to_owned(), only);
        }
    }
    if let Some(Value::Array(choices)) = members.remove("anyOf") {
        let kept = choices
            .into_iter()
            .filter(|it| it.get("type").is_none_or(|it| it != "null"));
        for choice in kept {
            members.extend(choice.as_object().cloned().unwrap_or_else(Map::new));
        }
    }
    if members.get("default").is_some_and(Value::is_null) {
        members.remove("default");
    }
}

/// What a handler returns.
pub(crate) trait Answers {
    fn answers(to: &mut Description<'_>);
}

impl<A: Answers> Answers for Result<A, ApiError> {
    fn answers(to: &mut Description<'_>) {
        A::answers(to);
    }
}

impl<T: JsonSchema> Answers for web::Json<T> {
    fn answers(to: &mut Description<'_>) {
        to.answer = Some(("application/json", to.given.subschema_for::<T>()));
    }
}

/// A complete answer whose content is the JSON of a `T`, however it was made.
#[derive(Debug)]
pub(crate) struct Given<T>(HttpResponse, PhantomData<T>);

impl<T> Given<T> {
    pub(crate) const fn new(response: HttpResponse) -> Self {
        Self(response, PhantomData)
    }
}

impl<T> Responder for Given<T> {
    type Body = BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        self.0
    }
}

impl<T: JsonSchema> Answers for Given<T> {
    fn answers(to: &mut Description<'_>) {
        web::Json::<T>::answers(to);
    }
}

/// A complete answer that is no JSON.
#[derive(Debug)]
pub(crate) struct Sent<M>(HttpResponse, PhantomData<M>);

/// What such an answer is.
pub(crate) trait Media {
    /// Its media type.
    const TYPE: &'static str;
    /// What its content is, as a sentence.
    const TEXT: &'static str;
}

impl<M> Sent<M> {
    pub(crate) const fn new(response: HttpResponse) -> Self {
        Self(response, PhantomData)
    }
}

impl<M> Responder for Sent<M> {
    type Body = BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        self.0
    }
}

impl<M: Media> Answers for Sent<M> {
    fn answers(to: &mut Description<'_>) {
        let schema = schemars::json_schema!({ "type": "string", "description": M::TEXT });
        to.answer = Some((M::TYPE, schema));
    }
}
