//! The client: sends, waits, repeats what may be repeated, and says what became of the rest.

use std::borrow::Cow;
use std::error::Error as _;
use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use jiff::Timestamp;
use reqwest::header::{CONTENT_TYPE, HeaderMap, RETRY_AFTER};
use reqwest::{Method, redirect};
use roadstead_core::{
    Clock, Error, ErrorKind, Lane, Outcome, ProviderKind, RateBucket, Result, Retry, after,
};
use tracing::debug;

use crate::budget::{Budget, Permit, Throttle};
use crate::pace::{Pauses, RetryQuota, part_of};
use crate::rate::{self, RateLimit, until};
use crate::{
    Classify, HttpConfig, Redactor, Refusal, Request, Response, RetryAfter, check_base_url,
};

/// Spreads those who were told the same time.
const SPREAD: Duration = Duration::from_millis(100);

/// How long a throttle holds when the vendor names no time.
const THROTTLE: Duration = Duration::from_secs(1);

/// A client of one vendor account. Clones share everything.
#[derive(Clone)]
pub struct Client {
    inner: Arc<Inner>,
    lane: Lane,
}

struct Inner {
    http: reqwest::Client,
    config: HttpConfig,
    provider: ProviderKind,
    clock: Arc<dyn Clock>,
    quota: RetryQuota,
    budget: Arc<Budget>,
}

impl Client {
    /// Makes a client. Sends nothing.
    ///
    /// # Errors
    ///
    /// `Invalid` on field `endpoint` for an address to which a token must not be sent.
    pub fn new(config: HttpConfig, provider: ProviderKind, clock: Arc<dyn Clock>) -> Result<Self> {
        check_base_url(&config.base_url, &provider)?;
        let http = reqwest::Client::builder()
            .user_agent(&*config.user_agent)
            .connect_timeout(config.connect_timeout)
            .pool_idle_timeout(Duration::from_secs(60))
            .tcp_keepalive(Duration::from_secs(30))
            .redirect(redirect::Policy::none())
            .referer(false)
            .no_proxy()
            .build()
            .map_err(|source| {
                let kind = ErrorKind::Transport;
                Error::new(
                    provider.clone(),
                    "set up its client",
                    kind,
                    "there is no working TLS",
                )
                .with_source(source)
            })?;
        let budget = config.budgets.of(&config, &clock);
        let inner = Arc::new(Inner {
            http,
            config,
            provider,
            clock,
            quota: RetryQuota::new(),
            budget,
        });
        Ok(Self {
            inner,
            lane: Lane::People,
        })
    }

    /// Returns the same client, for calls of another lane.
    #[must_use]
    pub fn in_lane(&self, lane: Lane) -> Self {
        Self {
            inner: Arc::clone(&self.inner),
            lane,
        }
    }

    /// Returns what is left of the calls that the vendor takes.
    #[must_use]
    pub fn budget(&self) -> Vec<RateBucket> {
        self.inner.budget.report()
    }

    /// Returns the clock by which this client waits.
    #[must_use]
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.inner.clock
    }

    /// Sends a request: a read up to a few times within the deadline, anything else once.
    ///
    /// `classify` reads the vendor's refusals; what it does not know is judged by status alone.
    /// A call waits for its turn in the account's budget; where that would take longer than the
    /// settings and the deadline allow, nothing is sent.
    ///
    /// # Errors
    ///
    /// What `classify` says; `Transport` when nothing left, `Timeout` when no answer came,
    /// `Decode` when the answer is too large, `Throttled`, `Server`, `BadToken` by status.
    pub async fn send(&self, request: &Request, classify: Classify<'_>) -> Result<Response> {
        let inner = &*self.inner;
        let deadline = after(inner.clock.now(), inner.config.deadline);
        let mut pauses = Pauses::new(inner.config.pause_min, inner.config.pause_max);
        let mut attempts = 0;
        inner.quota.earn();
        loop {
            let permit = inner.reserve(request, self.lane, deadline).await?;
            attempts += 1;
            let error = match inner.attempt(request, permit, deadline, classify).await {
                Ok(response) => {
                    return Ok(Response {
                        attempts,
                        ..response
                    });
                }
                Err(error) => error.with_attempts(attempts),
            };
            if !request.is_read() || !is_transient(error.kind) || attempts >= inner.config.attempts
            {
                return Err(error);
            }
            let now = inner.clock.now();
            let wait = match error.retry {
                Retry::At(then) => until(now, then).saturating_add(part_of(SPREAD)),
                Retry::Never | Retry::Backoff | Retry::AfterReconcile => pauses.draw(),
            };
            // Who cannot wait so long is told at once, with the time.
            if after(now, wait) >= deadline || !inner.quota.spend() {
                return Err(error);
            }
            inner.clock.sleep(wait).await;
        }
    }
}

impl Inner {
    /// Waits for the call's turn, or says when it will come.
    async fn reserve(&self, request: &Request, lane: Lane, deadline: Timestamp) -> Result<Permit> {
        let now = self.clock.now();
        let mut left = until(now, deadline);
        let lane = if request.is_read() {
            lane
        } else {
            // A change sent with too little time left would be cut off half-way, and nobody
            // would know what became of it.
            left = left.saturating_sub(self.config.attempt_timeout);
            Lane::Mutate
        };
        let patience = match lane {
            Lane::Background | Lane::People => self.config.read_wait,
            Lane::Mutate => self.config.change_wait,
        };
        let latest = after(now, left.min(patience));
        let call = (&request.method, request.template);
        let reserved = self.budget.reserve(call, lane, latest).await;
        reserved.map_err(|then| {
            let message = "the provider takes no more calls for now";
            self.error(request, ErrorKind::Throttled, message)
                .with_retry(Retry::At(then))
                .with_attempts(0)
        })
    }

    async fn attempt(
        &self,
        request: &Request,
        mut permit: Permit,
        deadline: Timestamp,
        classify: Classify<'_>,
    ) -> Result<Response> {
        let started = Instant::now();
        let answer = self.exchange(request, &mut permit, deadline).await;
        debug!(
            provider.kind = %self.provider,
            http.method = %request.method,
            http.route = request.template,
            vendor.status = answer.as_ref().ok().map(|it| it.status),
            vendor.request_id = answer
                .as_ref()
                .ok()
                .and_then(|it| self.request_id(request, &it.headers))
                .as_deref(),
            elapsed_ms = started.elapsed().as_secs_f64() * 1000.0,
            "called the provider"
        );
        let answer = answer?;
        let now = self.clock.now();
        let said = self
            .config
            .rate_headers
            .and_then(|it| it.read(&answer.headers, self.config.retry_after, now));
        if (200..300).contains(&answer.status) && !is_html(&answer.headers) {
            permit.answer(said.as_ref(), None, now);
            return Ok(Response {
                status: answer.status,
                request_id: self.request_id(request, &answer.headers),
                headers: answer.headers,
                body: answer.body,
                attempts: 1,
                method: request.method.clone(),
                operation: request.operation,
                provider: self.provider.clone(),
                redactor: self.redactor(request),
            });
        }
        let error = self.refused(request, &answer, said.as_ref(), now, classify);
        let throttle = match error.retry {
            Retry::At(until) if error.kind == ErrorKind::Throttled => Some(Throttle {
                until,
                is_named: answer.headers.contains_key(RETRY_AFTER),
            }),
            _ => None,
        };
        permit.answer(said.as_ref(), throttle, now);
        Err(error)
    }

    /// Returns the error for an answer that means failure.
    fn refused(
        &self,
        request: &Request,
        refusal: &Refusal,
        said: Option<&RateLimit>,
        now: Timestamp,
        classify: Classify<'_>,
    ) -> Error {
        let error = if (200..300).contains(&refusal.status) {
            self.error(request, ErrorKind::Server, "it answered with a web page")
        } else {
            classify(refusal)
                .unwrap_or_else(|| refusal.generic(self.provider.clone(), request.operation))
        };
        let redactor = self.redactor(request);
        let code = error.vendor_code.clone();
        let code = code.filter(|it| redactor.is_clean(it));
        let id = error.vendor_request_id.clone();
        let id = id
            .filter(|it| redactor.is_clean(it))
            .or_else(|| self.request_id(request, &refusal.headers));
        let words = redactor.words(&refusal.body);
        let error = error
            .with_vendor(Some(refusal.status), code, id)
            .with_source(words);
        if error.kind == ErrorKind::Throttled {
            let then = match error.retry {
                Retry::At(then) => then,
                Retry::Never | Retry::Backoff | Retry::AfterReconcile => {
                    rate::wait_until(&refusal.headers, said, now)
                        .unwrap_or_else(|| after(now, THROTTLE))
                }
            };
            return error.with_retry(Retry::At(then));
        }
        let error = careful(error, &request.method);
        // Only a read may simply be made again at the vendor's time.
        match rate::wait_until(&refusal.headers, None, now) {
            Some(then)
                if self.config.retry_after == RetryAfter::Always
                    && request.is_read()
                    && is_transient(error.kind) =>
            {
                error.with_retry(Retry::At(then))
            }
            _ => error,
        }
    }

    /// Sends the request once and reads the whole answer.
    async fn exchange(
        &self,
        request: &Request,
        permit: &mut Permit,
        deadline: Timestamp,
    ) -> Result<Refusal> {
        let unsent = |message: &'static str| {
            self.error(request, ErrorKind::Invalid, message)
                .with_outcome(Outcome::NotExecuted)
        };
        let url = request
            .url(&self.config.base_url)
            .ok_or_else(|| unsent("an identifier cannot stand in an address"))?;
        let left = until(self.clock.now(), deadline).max(Duration::from_millis(1));
        let mut builder = self
            .http
            .request(request.method.clone(), url)
            .timeout(self.config.attempt_timeout.min(left));
        for (name, value) in &request.headers {
            builder = builder.header(name, value);
        }
        if let Some(body) = &request.body {
            // The serializer's message may quote the body.
            let Ok(bytes) = &body.bytes else {
                return Err(unsent("the request is not JSON"));
            };
            builder = builder
                .header(CONTENT_TYPE, body.content_type)
                .body(bytes.clone());
        }
        let mut outgoing = builder.build().map_err(|source| {
            unsent("the request cannot be sent").with_source(source.without_url())
        })?;
        self.config.authorize.authorize(&mut outgoing).await?;
        permit.leave();
        let response = self.http.execute(outgoing).await.map_err(|source| {
            if source.is_connect() {
                permit.stay();
            }
            self.broken(request, source)
        })?;
        let status = response.status().as_u16();
        let headers = response.headers().clone();
        let body = self.read_body(request, response).await.map_err(|error| {
            error.with_vendor(Some(status), None, self.request_id(request, &headers))
        })?;
        Ok(Refusal {
            status,
            headers,
            body,
        })
    }

    async fn read_body(&self, request: &Request, mut response: reqwest::Response) -> Result<Bytes> {
        let max = self.config.max_body_bytes;
        let expected = response
            .content_length()
            .and_then(|it| usize::try_from(it).ok());
        let mut body = BytesMut::with_capacity(expected.unwrap_or(0).min(max).min(1024 * 1024));
        while let Some(chunk) = response
            .chunk()
            .await
            .map_err(|source| self.broken(request, source))?
        {
            if body.len().saturating_add(chunk.len()) > max {
                let message = format!("the answer is larger than {max} bytes");
                return Err(careful(
                    self.error(request, ErrorKind::Decode, message),
                    &request.method,
                ));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body.freeze())
    }

    /// Returns the error for an exchange that broke off.
    fn broken(&self, request: &Request, source: reqwest::Error) -> Error {
        let error = if source.is_connect() {
            let message = "no connection to the provider could be made";
            self.error(request, ErrorKind::Transport, message)
        } else if source.is_timeout() {
            self.error(
                request,
                ErrorKind::Timeout,
                "the provider did not answer in time",
            )
        } else if is_garbled(&source) {
            self.error(
                request,
                ErrorKind::Decode,
                "the answer could not be decompressed",
            )
        } else {
            let message = "the connection broke before the answer was complete";
            self.error(request, ErrorKind::Timeout, message)
        };
        // The address may hold what a member typed.
        careful(error, &request.method).with_source(source.without_url())
    }

    fn error(
        &self,
        request: &Request,
        kind: ErrorKind,
        message: impl Into<Cow<'static, str>>,
    ) -> Error {
        Error::new(self.provider.clone(), request.operation, kind, message)
    }

    fn request_id(&self, request: &Request, headers: &HeaderMap) -> Option<Box<str>> {
        rate::text(headers, self.config.request_id_header)
            .filter(|it| it.len() <= 128 && it.bytes().all(|it| it.is_ascii_graphic()))
            // What a vendor calls an id may be what it was sent.
            .filter(|it| self.redactor(request).is_clean(it))
            .map(Into::into)
    }

    fn redactor(&self, request: &Request) -> Redactor {
        let mut secrets = self.config.authorize.secrets();
        secrets.extend(request.secrets());
        Redactor::new(secrets)
    }
}

/// Returns whether the same read may succeed later without change.
fn is_transient(kind: ErrorKind) -> bool {
    kind == ErrorKind::Throttled
        || kind == ErrorKind::Server
        || kind == ErrorKind::Transport
        || kind == ErrorKind::Timeout
}

/// Sets what follows from the method: a read changes nothing, and a change whose outcome
/// is unknown must be looked up before anything is sent again. Deleting twice is harmless.
pub(crate) fn careful(error: Error, method: &Method) -> Error {
    if error.outcome != Outcome::Unknown {
        return error;
    }
    match *method {
        Method::GET | Method::HEAD => error.with_outcome(Outcome::NotExecuted),
        Method::DELETE => error.with_retry(Retry::Backoff),
        _ => error.with_retry(Retry::AfterReconcile),
    }
}

/// Returns whether the body came whole but cannot be decompressed. A body that broke off
/// looks the same to the client's own word for it.
fn is_garbled(error: &reqwest::Error) -> bool {
    let mut cause = error.source();
    while let Some(it) = cause {
        if it
            .downcast_ref::<io::Error>()
            .is_some_and(|it| it.kind() == io::ErrorKind::InvalidData)
        {
            return true;
        }
        cause = it.source();
    }
    false
}

fn is_html(headers: &HeaderMap) -> bool {
    rate::text(headers, CONTENT_TYPE.as_str()).is_some_and(|it| {
        it.trim_start()
            .to_ascii_lowercase()
            .starts_with("text/html")
    })
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("provider", &self.inner.provider.as_str())
            .field("base_url", &self.inner.config.base_url.as_str())
            .field("lane", &self.lane)
            .finish_non_exhaustive()
    }
}
