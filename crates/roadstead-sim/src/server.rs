//! The HTTP server around a vendor: start, connections, sending, stop.

use std::any::Any;
use std::io;
use std::net::{Shutdown, SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use actix_web::body::{BoxBody, MessageBody, SizedStream};
use actix_web::dev::{Extensions, ServerHandle};
use actix_web::http::{KeepAlive, StatusCode, header};
use actix_web::rt::{self, net::TcpStream};
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use bytes::Bytes;
use futures::stream;
use socket2::{SockRef, Socket};
use url::form_urlencoded;

use crate::clock::Instant;
use crate::config::SimulatorConfig;
use crate::control;
use crate::handle::Handle;
use crate::limits::Limit;
use crate::play::{Sending, play};
use crate::stage::Stage;
use crate::vendor::{Answer, Call, Vendor};

/// A simulator that is listening. Dropping it stops it without waiting.
#[derive(Debug)]
pub struct Running {
    handle: Handle,
    server: ServerHandle,
    thread: Option<thread::JoinHandle<()>>,
}

impl Running {
    /// Returns the base address without a version path, such as
    /// `http://127.0.0.1:4010`.
    #[must_use]
    pub fn endpoint(&self) -> String {
        self.handle.endpoint()
    }

    /// Returns the address that it listens on.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.handle.address()
    }

    /// Returns the way in without HTTP: journal, state, faults, tokens, time.
    #[must_use]
    pub const fn handle(&self) -> &Handle {
        &self.handle
    }

    /// Stops listening, cuts what is open and waits for the end.
    pub async fn stop(mut self) {
        self.server.stop(false).await;
        if let Some(thread) = self.thread.take() {
            // A panic of the thread has been printed by itself.
            drop(thread.join());
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // The command is sent at once; the future only waits for the end.
        drop(self.server.stop(false));
    }
}

/// Serves a vendor on a thread and runtime of its own, so that it can be
/// started from any runtime and from none.
pub(crate) fn start<V: Vendor>(
    address: SocketAddr,
    config: SimulatorConfig,
    limits: &[(&'static str, Limit)],
    make: impl FnOnce(Arc<Stage>) -> V,
) -> io::Result<Running> {
    config.check()?;
    let listener = TcpListener::bind(address)?;
    let address = listener.local_addr()?;
    let stage = Arc::new(Stage::new(config));
    stage.limits.open(limits, &stage.config.limits)?;
    let vendor: Arc<dyn Vendor> = Arc::new(make(Arc::clone(&stage)));
    let handle = Handle::new(stage, vendor, address);
    let door = web::Data::new(handle.clone());

    let (tell, told) = mpsc::channel();
    let thread = thread::Builder::new()
        .name("roadstead-sim".to_owned())
        .spawn(move || {
            rt::System::new().block_on(async move {
                let server = HttpServer::new(move || {
                    App::new()
                        .app_data(door.clone())
                        .default_service(web::to(serve))
                })
                .workers(1)
                .disable_signals()
                // Longer than clients keep idle connections: otherwise one may be
                // closed just as a test sends its next call on it.
                .keep_alive(KeepAlive::Timeout(Duration::from_secs(600)))
                .on_connect(keep_socket)
                .listen(listener)
                .map(HttpServer::run);
                match server {
                    Ok(server) => {
                        drop(tell.send(Ok(server.handle())));
                        // Its error was the end of the accept loop; there is
                        // nobody left to be told.
                        drop(server.await);
                    }
                    Err(error) => drop(tell.send(Err(error))),
                }
            });
        })?;
    let server = told.recv().map_err(io::Error::other)??;
    Ok(Running {
        handle,
        server,
        thread: Some(thread),
    })
}

/// A second handle on a connection's socket, to close it without an answer.
struct Line(Socket);

fn keep_socket(connection: &dyn Any, data: &mut Extensions) {
    if let Some(stream) = connection.downcast_ref::<TcpStream>()
        && let Ok(socket) = SockRef::from(stream).try_clone()
    {
        data.insert(Line(socket));
    }
}

async fn serve(
    request: HttpRequest,
    payload: web::Payload,
    door: web::Data<Handle>,
) -> HttpResponse {
    let (stage, vendor) = door.parts();
    let (body, fits) = match payload.to_bytes_limited(stage.config.max_body_bytes).await {
        Ok(Ok(body)) => (body, true),
        Ok(Err(error)) => return HttpResponse::from_error(error),
        Err(_) => (Bytes::new(), false),
    };
    let call = read(&request, body);
    if call.path == "/_sim" || call.path.starts_with("/_sim/") {
        let answer = control::answer(&door, &call);
        return send(&request, Sending::Whole(answer), stage.clock.now());
    }
    // On its own, so that a client that hangs up does not undo the call.
    let playing = rt::spawn(play(Arc::clone(stage), Arc::clone(vendor), call, fits));
    let sending = playing.await.unwrap_or(Sending::Nothing);
    send(&request, sending, stage.clock.now())
}

fn read(request: &HttpRequest, body: Bytes) -> Call {
    let raw_query = request.query_string().to_owned();
    let headers = request
        .headers()
        .iter()
        .map(|(name, value)| {
            (
                name.as_str().to_owned(),
                String::from_utf8_lossy(value.as_bytes()).into_owned(),
            )
        })
        .collect();
    let path = decoded(request.path());
    let path = match path.trim_end_matches('/') {
        "" => "/".to_owned(),
        trimmed => trimmed.to_owned(),
    };
    Call {
        method: request.method().as_str().to_owned(),
        path,
        query: form_urlencoded::parse(raw_query.as_bytes())
            .into_owned()
            .collect(),
        raw_query,
        headers,
        body,
        fate: None,
    }
}

/// Decodes percent signs. In a path, unlike in a form, a plus is a plus.
fn decoded(path: &str) -> String {
    let form = path
        .replace('+', "%2B")
        .replace('&', "%26")
        .replace('=', "%3D");
    form_urlencoded::parse(form.as_bytes())
        .map(|(name, _)| name.into_owned())
        .collect()
}

fn send(request: &HttpRequest, sending: Sending, now: Instant) -> HttpResponse {
    match sending {
        Sending::Whole(answer) => {
            let body = answer.body.clone().boxed();
            respond(&answer, body, now)
        }
        Sending::Cut(answer, bytes) => {
            let whole = u64::try_from(answer.body.len()).unwrap_or(u64::MAX);
            let kept = answer.body.slice(..bytes.min(answer.body.len()));
            let body = SizedStream::new(whole, cut_after(kept)).boxed();
            respond(&answer, body, now)
        }
        Sending::Drip(answer, gap) => {
            let whole = u64::try_from(answer.body.len()).unwrap_or(u64::MAX);
            let body = SizedStream::new(whole, drip(answer.body.clone(), gap)).boxed();
            respond(&answer, body, now)
        }
        Sending::Nothing => {
            if let Some(Line(socket)) = request.conn_data::<Line>() {
                // The answer below then fails to be written. If the client was
                // first to close, there is nothing to shut.
                drop(socket.shutdown(Shutdown::Both));
            }
            HttpResponse::InternalServerError().finish()
        }
    }
}

fn respond(answer: &Answer, body: BoxBody, now: Instant) -> HttpResponse {
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = HttpResponse::build(status);
    // By the same clock as everything else that the vendor says of time.
    response.insert_header((header::DATE, now.http_text()));
    for (name, value) in &answer.headers {
        response.insert_header((name.as_str(), value.as_str()));
    }
    if !answer.content_type.is_empty() {
        response.content_type(answer.content_type.as_str());
    }
    response.body(body)
}

/// Yields the bytes and then fails, which closes the connection.
fn cut_after(kept: Bytes) -> impl stream::Stream<Item = io::Result<Bytes>> {
    stream::unfold(Some(kept), |kept| async move {
        match kept {
            Some(bytes) if !bytes.is_empty() => Some((Ok(bytes), Some(Bytes::new()))),
            Some(_) => {
                // Without this pause the bytes before the failure are not sent.
                rt::time::sleep(Duration::from_millis(20)).await;
                Some((Err(io::ErrorKind::ConnectionAborted.into()), None))
            }
            None => None,
        }
    })
}

/// Yields one byte at a time.
fn drip(body: Bytes, gap: Duration) -> impl stream::Stream<Item = io::Result<Bytes>> {
    stream::unfold(body, move |mut rest| async move {
        if rest.is_empty() {
            return None;
        }
        rt::time::sleep(gap).await;
        let byte = rest.split_to(1);
        Some((Ok(byte), rest))
    })
}
