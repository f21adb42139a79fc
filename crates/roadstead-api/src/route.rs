//! A route: where it is mounted, who answers it, and how it reads in the reference.

use actix_web::http::Method;
use actix_web::web::ServiceConfig;
use actix_web::{FromRequest, Handler, Responder, web};
use roadstead_core::Code;
use serde_json::{Value, json};

use crate::error::{DoorCode, ErrorCode, Refusal};
use crate::openapi::{Answers, Describe, Description, Tag};

/// A route. What it takes and gives is read from its handler's types; the rest is said here.
pub(crate) struct Route {
    pub(crate) method: Method,
    pub(crate) path: &'static str,
    pub(crate) tag: Tag,
    pub(crate) id: &'static str,
    pub(crate) summary: &'static str,
    pub(crate) text: &'static str,
    pub(crate) placeholders: Vec<Placeholder>,
    pub(crate) refusals: Vec<Refusal>,
    /// Whether `Idempotency-Key` counts here.
    pub(crate) idempotent: bool,
    pub(crate) describe: fn(&mut Description<'_>),
    handler: Box<dyn Fn() -> actix_web::Route>,
}

/// A `{name}` in a path.
pub(crate) struct Placeholder {
    pub(crate) name: &'static str,
    pub(crate) text: &'static str,
    pub(crate) schema: Value,
    pub(crate) example: &'static str,
}

impl Route {
    pub(crate) fn get<F, A>(path: &'static str, handler: F) -> Self
    where
        F: Handler<A>,
        A: FromRequest + Describe + 'static,
        F::Output: Responder + Answers + 'static,
    {
        Self::new(Method::GET, path, handler)
    }

    pub(crate) fn post<F, A>(path: &'static str, handler: F) -> Self
    where
        F: Handler<A>,
        A: FromRequest + Describe + 'static,
        F::Output: Responder + Answers + 'static,
    {
        Self::new(Method::POST, path, handler)
    }

    pub(crate) fn put<F, A>(path: &'static str, handler: F) -> Self
    where
        F: Handler<A>,
        A: FromRequest + Describe + 'static,
        F::Output: Responder + Answers + 'static,
    {
        Self::new(Method::PUT, path, handler)
    }

    pub(crate) fn patch<F, A>(path: &'static str, handler: F) -> Self
    where
        F: Handler<A>,
        A: FromRequest + Describe + 'static,
        F::Output: Responder + Answers + 'static,
    {
        Self::new(Method::PATCH, path, handler)
    }

    pub(crate) fn delete<F, A>(path: &'static str, handler: F) -> Self
    where
        F: Handler<A>,
        A: FromRequest + Describe + 'static,
        F::Output: Responder + Answers + 'static,
    {
        Self::new(Method::DELETE, path, handler)
    }

    fn new<F, A>(method: Method, path: &'static str, handler: F) -> Self
    where
        F: Handler<A>,
        A: FromRequest + Describe + 'static,
        F::Output: Responder + Answers + 'static,
    {
        let verb = method.clone();
        // A login is another each time; everything else that changes something is done once.
        let idempotent = method != Method::GET && !path.starts_with("/api/auth/");
        let route = Self {
            method,
            path,
            tag: Tag::Service,
            id: "",
            summary: "",
            text: "",
            placeholders: Vec::new(),
            refusals: Vec::new(),
            idempotent,
            describe: |to| {
                A::describe(to);
                F::Output::answers(to);
            },
            handler: Box::new(move || web::method(verb.clone()).to(handler.clone())),
        };
        if idempotent {
            route
                .refuses([Refusal::key_reused()])
                .refuses([DoorCode::Conflict])
        } else {
            route
        }
    }

    /// Names it: the group it stands in, its name for generated clients, and one line for people.
    pub(crate) fn named(mut self, tag: Tag, id: &'static str, summary: &'static str) -> Self {
        self.tag = tag;
        self.id = id;
        self.summary = summary;
        self
    }

    /// Explains it, in CommonMark.
    pub(crate) fn about(mut self, text: &'static str) -> Self {
        self.text = text;
        self
    }

    /// Says whose id `{id}` is.
    pub(crate) fn of(self, text: &'static str) -> Self {
        let schema = json!({ "type": "string", "format": "uuid" });
        self.placeholder("id", text, schema, "0193a1f0-5c7e-7b3a-9d52-6f1c2e8a4b10")
    }

    /// Says that `{provider_type}` is in the path.
    pub(crate) fn of_provider_type(self) -> Self {
        let text = "The provider's short name; `GET /api/vps/providers` shows those that are open \
                    to you.";
        self.placeholder("provider_type", text, json!({ "type": "string" }), "acme")
            .refuses([Code::ProviderNotFound])
    }

    /// Describes a placeholder of the path.
    pub(crate) fn placeholder(
        mut self,
        name: &'static str,
        text: &'static str,
        schema: Value,
        example: &'static str,
    ) -> Self {
        self.placeholders.push(Placeholder {
            name,
            text,
            schema,
            example,
        });
        self
    }

    /// Lists what it may be refused for, beyond what the handler's types say.
    pub(crate) fn refuses<C: Into<Refusal>>(mut self, codes: impl IntoIterator<Item = C>) -> Self {
        self.refusals.extend(codes.into_iter().map(Into::into));
        self
    }

    /// Says that it may have to ask the provider before it can answer.
    pub(crate) fn asks_provider(self) -> Self {
        self.refuses(
            [
                Code::MissingCredentials,
                Code::InvalidCredentials,
                Code::ValidationError,
                Code::InvalidAction,
                Code::InsufficientResources,
                Code::RateLimitExceeded,
                Code::ApiError,
                Code::UnknownError,
            ]
            .map(Refusal::from)
            .into_iter()
            .chain([Refusal::timeout()]),
        )
    }

    /// Mounts it.
    pub(crate) fn mount(&self, config: &mut ServiceConfig) {
        config.route(self.path, (self.handler)());
    }

    /// Orders routes so that a fixed path comes before one with a placeholder in the same place.
    pub(crate) fn precedence(&self) -> Vec<bool> {
        self.path.split('/').map(|it| it.starts_with('{')).collect()
    }
}

impl From<Code> for Refusal {
    fn from(code: Code) -> Self {
        Self::of(ErrorCode::Provider(code))
    }
}

impl From<DoorCode> for Refusal {
    fn from(code: DoorCode) -> Self {
        Self::of(ErrorCode::Door(code))
    }
}
