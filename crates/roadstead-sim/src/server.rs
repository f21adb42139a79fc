//! The HTTP server around a vendor: start, connections, sending, stop.

use std::any::Any;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use actix_web::dev::{Extensions, Server};
use actix_web::http::KeepAlive;
use actix_web::rt::{self, System, net::TcpStream};
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use bytes::Bytes;
use futures::channel::oneshot;
use socket2::SockRef;
use url::form_urlencoded;

use crate::config::SimulatorConfig;
use crate::control;
use crate::faults::Effect;
use crate::handle::Handle;
use crate::limits::Limit;
use crate::play::{Sending, play};
use crate::sending::{Line, send};
use crate::stage::Stage;
use crate::vendor::{Call, Vendor};

/// A simulator that is listening. Dropping it stops it without waiting.
#[derive(Debug)]
pub struct Running {
    handle: Handle,
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
        let (stage, _) = self.handle.parts();
        stage.gate.stop();
        if let Some(thread) = self.thread.take() {
            let (tell, told) = oneshot::channel();
            let join = thread::Builder::new().spawn(move || {
                // A panic of the thread has been printed by itself.
                drop(thread.join());
                let _ = tell.send(());
            });
            if join.is_ok() {
                let _ = told.await;
            }
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let (stage, _) = self.handle.parts();
        stage.gate.stop();
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
    let elsewhere = TcpListener::bind((address.ip(), 0))?;
    let stage = Arc::new(Stage::new(config));
    stage.elsewhere.open(elsewhere.local_addr()?);
    stage.limits.open(limits, &stage.config.limits)?;
    let vendor: Arc<dyn Vendor> = Arc::new(make(Arc::clone(&stage)));
    let handle = Handle::new(stage, vendor, address);
    let door = web::Data::new(handle.clone());

    let (tell, told) = mpsc::channel();
    let thread = thread::Builder::new()
        .name("roadstead-sim".to_owned())
        .spawn(move || {
            rt::System::new().block_on(serve_until_stopped([listener, elsewhere], door, tell));
        })?;
    told.recv().map_err(io::Error::other)??;
    Ok(Running {
        handle,
        thread: Some(thread),
    })
}

/// Serves, and serves again after each time for which the gate is closed.
async fn serve_until_stopped(
    mut listeners: [TcpListener; 2],
    door: web::Data<Handle>,
    tell: mpsc::Sender<io::Result<()>>,
) {
    let (stage, _) = door.parts();
    loop {
        let addresses = listeners.each_ref().map(TcpListener::local_addr);
        let server = match server(listeners, &door) {
            Ok(server) => server,
            Err(error) => return drop(tell.send(Err(error))),
        };
        if !stage.gate.opened(server.handle()) {
            return;
        }
        drop(tell.send(Ok(())));
        // Its error was the end of the accept loop; there is nobody left to be told.
        drop(server.await);
        let Some(closed_for) = stage.gate.closed_for() else {
            return;
        };
        let opens = std::time::Instant::now() + closed_for;
        listeners = loop {
            rt::time::sleep(SLICE).await;
            if stage.gate.is_stopped() {
                return;
            }
            if std::time::Instant::now() < opens {
                continue;
            }
            // Another program may have the port for the moment.
            if let [Ok(first), Ok(second)] = &addresses
                && let (Ok(first), Ok(second)) =
                    (TcpListener::bind(first), TcpListener::bind(second))
            {
                break [first, second];
            }
        };
    }
}

/// How long a closed gate looks away.
const SLICE: Duration = Duration::from_millis(5);

fn server(listeners: [TcpListener; 2], door: &web::Data<Handle>) -> io::Result<Server> {
    let door = door.clone();
    let mut server = HttpServer::new(move || {
        App::new()
            .app_data(door.clone())
            .default_service(web::to(serve))
    })
    .workers(1)
    .disable_signals()
    // Longer than clients keep idle connections: otherwise one may be
    // closed just as a test sends its next call on it.
    .keep_alive(KeepAlive::Timeout(Duration::from_secs(600)))
    .on_connect(keep_socket);
    for listener in listeners {
        server = server.listen(listener)?;
    }
    Ok(server.run())
}

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
    if stage.elsewhere.is_at(request.app_config().local_addr()) {
        stage.elsewhere.write_down(&call);
        return HttpResponse::Ok().json(serde_json::json!({}));
    }
    if call.path == "/_sim" || call.path.starts_with("/_sim/") {
        let answer = control::answer(&door, &call);
        return send(&request, Sending::Whole(answer), stage.clock.now());
    }
    // On its own, so that a client that hangs up does not undo the call; and not in this
    // thread, which ends when the gate is closed.
    let (tell, told) = oneshot::channel();
    let (own_stage, vendor) = (Arc::clone(stage), Arc::clone(vendor));
    System::current().arbiter().spawn(async move {
        drop(tell.send(play(own_stage, vendor, call, fits).await));
    });
    let sending = told.await.unwrap_or(Sending::Nothing);
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
        effect: Effect::default(),
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
