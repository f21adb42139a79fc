//! One list of pages: what is mounted and what the tests visit are made from it.

use actix_web::http::Method;
use actix_web::{FromRequest, Handler, Responder, web};

/// Who may open a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Who {
    /// Anybody, also without a log-in.
    Anyone,
    /// Whoever is logged in, whether or not they belong to an organization.
    User,
    /// Whoever may look at the organization's servers.
    Viewer,
    /// Whoever may change the organization's servers.
    Member,
    /// Whoever runs this installation.
    Operator,
}

/// What a route answers with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A whole page.
    Page,
    /// A part of a page, which renews itself.
    Fragment,
    /// A file to keep.
    File,
    /// What a form is sent to: it goes on to a page, or answers with the form's own page and what
    /// is wrong.
    Action,
}

/// A route, as it is listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Entry {
    /// What it answers with; actions take `POST`, everything else `GET`.
    pub kind: Kind,
    /// Where it is mounted.
    pub path: &'static str,
    /// Who may.
    pub who: Who,
}

/// A route.
pub(crate) struct Route {
    pub(crate) entry: Entry,
    handler: Box<dyn Fn() -> actix_web::Route>,
}

impl Route {
    pub(crate) fn page<F, A>(path: &'static str, who: Who, handler: F) -> Self
    where
        F: Handler<A>,
        A: FromRequest + 'static,
        F::Output: Responder + 'static,
    {
        Self::new(Kind::Page, path, who, handler)
    }

    pub(crate) fn fragment<F, A>(path: &'static str, who: Who, handler: F) -> Self
    where
        F: Handler<A>,
        A: FromRequest + 'static,
        F::Output: Responder + 'static,
    {
        Self::new(Kind::Fragment, path, who, handler)
    }

    pub(crate) fn file<F, A>(path: &'static str, who: Who, handler: F) -> Self
    where
        F: Handler<A>,
        A: FromRequest + 'static,
        F::Output: Responder + 'static,
    {
        Self::new(Kind::File, path, who, handler)
    }

    pub(crate) fn action<F, A>(path: &'static str, who: Who, handler: F) -> Self
    where
        F: Handler<A>,
        A: FromRequest + 'static,
        F::Output: Responder + 'static,
    {
        Self::new(Kind::Action, path, who, handler)
    }

    fn new<F, A>(kind: Kind, path: &'static str, who: Who, handler: F) -> Self
    where
        F: Handler<A>,
        A: FromRequest + 'static,
        F::Output: Responder + 'static,
    {
        let method = match kind {
            Kind::Action => Method::POST,
            Kind::Page | Kind::Fragment | Kind::File => Method::GET,
        };
        Self {
            entry: Entry { kind, path, who },
            handler: Box::new(move || web::method(method.clone()).to(handler.clone())),
        }
    }

    /// Returns what answers it.
    pub(crate) fn handler(&self) -> actix_web::Route {
        (self.handler)()
    }

    /// Orders routes so that a fixed path comes before one with a placeholder in the same place.
    pub(crate) fn precedence(&self) -> Vec<bool> {
        let parts = self.entry.path.split('/');
        parts.map(|it| it.starts_with('{')).collect()
    }
}
