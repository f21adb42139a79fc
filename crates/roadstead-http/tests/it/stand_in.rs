//! A server on a loopback port that answers each request from a script.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use roadstead_core::{Clock, Error, ErrorKind, Secret};
use roadstead_http::{Bearer, Client, HttpConfig, RateHeaders, Refusal, TokioClock, Url};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// The token of every client here.
pub(crate) const TOKEN: &str = "canary-token-0123456789";

/// How a request is answered.
#[derive(Clone, Debug)]
pub(crate) enum Answer {
    /// With these bytes, after which the connection is closed.
    Bytes(Vec<u8>),
    /// Not at all: the connection is closed.
    Close,
    /// Not at all: the connection stays open.
    Silence,
}

/// Makes a whole answer with a right length.
pub(crate) fn answer(status: u16, headers: &str, body: &str) -> Answer {
    let length = body.len();
    Answer::Bytes(
        format!("HTTP/1.1 {status} X\r\nconnection: close\r\ncontent-length: {length}\r\n{headers}\r\n{body}")
            .into_bytes(),
    )
}

/// A JSON answer.
pub(crate) fn json(status: u16, body: &str) -> Answer {
    answer(status, "content-type: application/json\r\n", body)
}

/// The server. The last answer of the script is repeated.
#[derive(Debug)]
pub(crate) struct StandIn {
    pub(crate) endpoint: String,
    requests: Arc<Mutex<Vec<String>>>,
}

impl StandIn {
    pub(crate) async fn start(script: Vec<Answer>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0")
            .await
            .expect("a loopback port");
        let endpoint = format!("http://{}", listener.local_addr().expect("an address"));
        let requests = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&requests);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (seen, script) = (Arc::clone(&seen), script.clone());
                tokio::spawn(serve(stream, seen, script));
            }
        });
        Self { endpoint, requests }
    }

    /// Returns the requests so far, each with its head and body.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.requests.lock().expect("no panic").clone()
    }

    /// Makes a client with short times.
    pub(crate) fn client(&self) -> Client {
        self.client_with(Arc::new(TokioClock), |_| ())
    }

    pub(crate) fn client_with(
        &self,
        clock: Arc<dyn Clock>,
        change: impl FnOnce(&mut HttpConfig),
    ) -> Client {
        client_of(&self.endpoint, clock, change)
    }
}

/// Makes a client of any address.
pub(crate) fn client_of(
    endpoint: &str,
    clock: Arc<dyn Clock>,
    change: impl FnOnce(&mut HttpConfig),
) -> Client {
    let token = Bearer::new(Secret::from(TOKEN), "fake".into()).expect("a good token");
    let mut config = HttpConfig::new(Url::parse(endpoint).expect("a URL"), Arc::new(token));
    config.attempt_timeout = Duration::from_millis(500);
    config.deadline = Duration::from_secs(10);
    config.pause_min = Duration::from_millis(1);
    config.pause_max = Duration::from_millis(5);
    config.rate_headers = Some(RateHeaders {
        limit: "x-limit",
        remaining: "x-left",
        reset: "x-reset",
    });
    change(&mut config);
    Client::new(config, "fake".into(), clock).expect("a good address")
}

async fn serve(mut stream: TcpStream, seen: Arc<Mutex<Vec<String>>>, script: Vec<Answer>) {
    let Some(request) = read(&mut stream).await else {
        return;
    };
    let turn = {
        let mut seen = seen.lock().expect("no panic");
        seen.push(request);
        seen.len() - 1
    };
    match script.get(turn).or(script.last()) {
        Some(Answer::Bytes(bytes)) => {
            // The client may have gone; then there is nobody to write to.
            drop(stream.write_all(bytes).await);
            drop(stream.shutdown().await);
        }
        Some(Answer::Silence) => {
            // Ends when the client gives up.
            drop(stream.read(&mut [0; 1]).await);
        }
        Some(Answer::Close) | None => {}
    }
}

/// Reads a head and as much body as it announces.
async fn read(stream: &mut TcpStream) -> Option<String> {
    let mut bytes = Vec::new();
    loop {
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head
                .lines()
                .filter_map(|it| it.split_once(": "))
                .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
                .map_or(0, |(_, value)| value.parse::<usize>().unwrap_or(0));
            if body.len() >= length {
                return Some(text);
            }
        }
    }
}

/// Knows no refusal.
pub(crate) fn nothing(_: &Refusal) -> Option<Error> {
    None
}

/// Reads every JSON refusal as a wrong field.
pub(crate) fn vendor(refusal: &Refusal) -> Option<Error> {
    let body: serde_json::Value = refusal.json()?;
    let code = body.get("code")?.as_str()?.into();
    Some(
        Error::new(
            "fake".into(),
            "create the thing",
            ErrorKind::Invalid,
            "the provider refuses it",
        )
        .with_vendor(None, Some(code), None),
    )
}
