//! Who looks at a page, proved before its handler runs.

use std::cell::RefCell;
use std::ops::Deref;
use std::rc::Rc;

use actix_web::cookie::Cookie;
use actix_web::http::header::LOCATION;
use actix_web::{FromRequest, HttpMessage, HttpRequest, HttpResponse, dev, web};
use jiff::Timestamp;
use roadstead_api::request;
use roadstead_service::{
    Caller, Error, Grant, IdempotencyKey, Membership, OperatorGrant, Permission, Platform, Role,
};

use crate::Transport;
use crate::cookie::{Kept, Preferences};
use crate::done::Done;
use crate::failure::{Answer, Failure};
use crate::form::{Mistakes, Values};

/// The field for the password of a login that is no longer fresh.
pub(crate) const PASSWORD: &str = "password";

/// Whoever looks at a page, and how they like it.
#[derive(Debug)]
pub(crate) struct Visitor {
    /// The use cases.
    pub(crate) platform: web::Data<Platform>,
    /// How browsers reach the panel.
    pub(crate) transport: Transport,
    /// What they like.
    pub(crate) preferences: Preferences,
    /// Path and query of the page.
    pub(crate) path: String,
    /// When it was asked for.
    pub(crate) now: Timestamp,
    /// Who it is, if they are logged in.
    pub(crate) caller: Option<Caller>,
    /// What they have just done.
    pub(crate) done: Option<Done>,
    /// What the answer tells the browser to keep.
    cookies: RefCell<Vec<Cookie<'static>>>,
}

impl Visitor {
    /// Finds out who asks.
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`] when the database is away.
    pub(crate) async fn of(request: &HttpRequest) -> Result<Self, Error> {
        let mut visitor = Self::stranger(request);
        let token = Kept::Session.read(request, visitor.transport);
        if let Some(token) = token {
            match visitor.platform.caller(&token, request::current_id()).await {
                Ok(caller) => visitor.caller = Some(caller),
                Err(Error::Unauthenticated) => visitor.forget(Kept::Session),
                Err(other) => return Err(other),
            }
        }
        Ok(visitor)
    }

    /// Takes whoever asks for somebody unknown.
    #[expect(clippy::expect_used, reason = "`configure` mounts both with the pages")]
    pub(crate) fn stranger(request: &HttpRequest) -> Self {
        let platform = request.app_data::<web::Data<Platform>>();
        let platform = platform.expect("the platform is mounted").clone();
        let transport = request.app_data::<web::Data<Transport>>();
        let transport = ***transport.expect("the transport is mounted");
        let done = Kept::Done.read(request, transport);
        let path = request.uri().path_and_query();
        Self {
            now: platform.now(),
            platform,
            transport,
            preferences: Preferences::read(request, transport),
            path: path.map_or("/", |it| it.as_str()).to_owned(),
            caller: None,
            done: done.and_then(|it| Done::from_word(&it)),
            cookies: RefCell::default(),
        }
    }

    /// Returns the organization that is looked at, with what they may do there: the one that was
    /// chosen, if they belong to it, else their first.
    pub(crate) fn membership(&self) -> Option<&Membership> {
        let memberships = &self.caller.as_ref()?.session.memberships;
        let chosen = self.preferences.organization;
        let chosen = memberships
            .iter()
            .find(|it| Some(it.organization.id) == chosen);
        chosen.or_else(|| memberships.first())
    }

    /// Returns whether they run this installation.
    pub(crate) fn is_operator(&self) -> bool {
        let caller = self.caller.as_ref();
        caller.is_some_and(|it| it.user().operator)
    }

    /// Returns whether they may change what the organization has, for what is offered to them;
    /// what they may do is decided by the grant.
    pub(crate) fn may_change(&self) -> bool {
        self.membership().is_some_and(|it| it.role >= Role::Member)
    }

    /// Returns where they are, without the part behind the question mark.
    pub(crate) fn place(&self) -> &str {
        self.path.split('?').next().unwrap_or_default()
    }

    /// Returns the fields behind the question mark.
    ///
    /// # Errors
    ///
    /// A text holds U+0000.
    pub(crate) fn query(&self) -> Result<Values, Failure> {
        let query = self.path.split_once('?').map_or("", |it| it.1);
        Values::parse(query.as_bytes())
    }

    /// Has the browser keep something.
    pub(crate) fn keep(&self, cookie: Cookie<'static>) {
        self.cookies.borrow_mut().push(cookie);
    }

    /// Has the browser forget something.
    pub(crate) fn forget(&self, kept: Kept) {
        self.keep(kept.forget(self.transport));
    }

    /// Returns what the browser is told to keep.
    pub(crate) fn take_cookies(&self) -> Vec<Cookie<'static>> {
        self.cookies.take()
    }

    /// Sends them on to a page.
    pub(crate) fn go(&self, to: &str) -> HttpResponse {
        HttpResponse::SeeOther()
            .insert_header((LOCATION, to))
            .finish()
    }

    /// Sends them on to a page, which says what was done.
    pub(crate) fn done(&self, done: Done, to: &str) -> Answer {
        self.keep(Kept::Done.make(self.transport, done.as_str().to_owned()));
        Ok(self.go(to))
    }

    /// Returns whether the password was given a short time ago.
    pub(crate) fn is_fresh(&self) -> bool {
        let caller = self.caller.as_ref();
        caller.is_some_and(|it| self.platform.is_fresh(it))
    }

    /// Makes sure that whoever does what cannot be undone is who has logged in: a login that is
    /// no longer fresh needs the password once more, in the field of [`crate::ui::fresh`]. Says
    /// what is wrong, which is nothing where all is well.
    pub(crate) async fn prove_fresh(&self, values: &Values) -> Result<Mistakes, Failure> {
        let Some(caller) = &self.caller else {
            return Err(Failure::LogIn);
        };
        if self.platform.is_fresh(caller) {
            return Ok(Mistakes::default());
        }
        if values.text(PASSWORD).is_empty() {
            return Ok(Mistakes::one(PASSWORD, "Enter your password once more."));
        }
        let again = self.platform.log_in_again(caller, values.secret(PASSWORD));
        match again.await {
            Ok(login) => {
                self.keep(Kept::session(self.transport, &login.token));
                Ok(Mistakes::default())
            }
            Err(Error::WrongPassword) => Ok(Mistakes::one(PASSWORD, "This is not your password.")),
            Err(other) => Mistakes::of(other),
        }
    }

    fn logged_in(&self) -> Result<Caller, Failure> {
        self.caller.clone().ok_or(Failure::LogIn)
    }
}

/// Returns whoever asks, whom the door has found out.
pub(crate) fn visitor(request: &HttpRequest) -> Result<Rc<Visitor>, Failure> {
    let extensions = request.extensions();
    let visitor = extensions.get::<Rc<Visitor>>();
    visitor.map(Rc::clone).ok_or_else(Failure::no_page)
}

/// Somebody who may open a page.
pub(crate) trait Admitted: Sized + 'static {
    /// Lets them in, or not.
    ///
    /// # Errors
    ///
    /// They have to log in first, or may not.
    fn admit(visitor: &Rc<Visitor>) -> Result<Self, Failure>;

    /// Says under which key their form came.
    fn under_key(self, key: Option<IdempotencyKey>) -> Self;
}

/// Anybody.
#[derive(Debug)]
pub(crate) struct Anyone(Rc<Visitor>);

/// Somebody who is logged in.
#[derive(Debug)]
pub(crate) struct User {
    visitor: Rc<Visitor>,
    /// Who.
    pub(crate) caller: Caller,
}

/// Somebody who may do `P` in the organization that they look at.
#[derive(Debug)]
pub(crate) struct Member<P> {
    visitor: Rc<Visitor>,
    /// The proof.
    pub(crate) grant: Grant<P>,
}

/// Somebody who runs this installation.
#[derive(Debug)]
pub(crate) struct Operator {
    visitor: Rc<Visitor>,
    /// The proof.
    pub(crate) grant: OperatorGrant,
}

impl<P> Member<P> {
    /// Proves that they may do something else, too.
    ///
    /// # Errors
    ///
    /// They may not.
    pub(crate) fn may<Q: Permission>(&self) -> Result<Grant<Q>, Failure> {
        grant(&self.visitor)
    }
}

impl Operator {
    /// Proves it once more, for a page that does several things under keys of their own.
    ///
    /// # Errors
    ///
    /// They do not any more.
    pub(crate) fn again(&self) -> Result<OperatorGrant, Failure> {
        Ok(self.visitor.logged_in()?.operator()?)
    }
}

fn grant<P: Permission>(visitor: &Visitor) -> Result<Grant<P>, Failure> {
    let caller = visitor.logged_in()?;
    let organization = visitor.membership().map(|it| it.organization.id);
    Ok(caller.grant(organization)?)
}

impl Admitted for Anyone {
    fn admit(visitor: &Rc<Visitor>) -> Result<Self, Failure> {
        Ok(Self(Rc::clone(visitor)))
    }

    fn under_key(self, _key: Option<IdempotencyKey>) -> Self {
        self
    }
}

impl Admitted for User {
    fn admit(visitor: &Rc<Visitor>) -> Result<Self, Failure> {
        Ok(Self {
            caller: visitor.logged_in()?,
            visitor: Rc::clone(visitor),
        })
    }

    fn under_key(mut self, key: Option<IdempotencyKey>) -> Self {
        self.caller.key = key;
        self
    }
}

impl<P: Permission> Admitted for Member<P> {
    fn admit(visitor: &Rc<Visitor>) -> Result<Self, Failure> {
        Ok(Self {
            grant: grant(visitor)?,
            visitor: Rc::clone(visitor),
        })
    }

    fn under_key(mut self, key: Option<IdempotencyKey>) -> Self {
        self.grant = self.grant.under_key(key);
        self
    }
}

impl Admitted for Operator {
    fn admit(visitor: &Rc<Visitor>) -> Result<Self, Failure> {
        Ok(Self {
            grant: visitor.logged_in()?.operator()?,
            visitor: Rc::clone(visitor),
        })
    }

    fn under_key(mut self, key: Option<IdempotencyKey>) -> Self {
        self.grant = self.grant.under_key(key);
        self
    }
}

macro_rules! extracted {
    ($([$($generic:tt)*] $who:ty: $visitor:tt;)*) => {$(
        impl<$($generic)*> FromRequest for $who {
            type Error = Failure;
            type Future = std::future::Ready<Result<Self, Failure>>;

            fn from_request(request: &HttpRequest, _: &mut dev::Payload) -> Self::Future {
                std::future::ready(visitor(request).and_then(|it| Self::admit(&it)))
            }
        }

        impl<$($generic)*> Deref for $who {
            type Target = Visitor;

            fn deref(&self) -> &Visitor {
                &self.$visitor
            }
        }
    )*};
}

extracted! {
    [] Anyone: 0;
    [] User: visitor;
    [P: Permission] Member<P>: visitor;
    [] Operator: visitor;
}
