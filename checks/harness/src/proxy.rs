//! What stands between the program and a provider, and kills the program in the middle of a
//! request: half of it written, all of it written, or answered and not heard.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Context, Result};
use parking_lot::Mutex;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::server::Killer;

/// The largest head of a request that is read.
const HEAD_MAX: usize = 64 * 1024;

/// Where in an exchange the program dies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CutAt {
    /// Half of the request's body is with the provider; the rest never comes.
    HalfRequest,
    /// All of it is with the provider, who may work on it only now.
    WholeRequest,
    /// The provider has answered; the program has not read a byte of it.
    Answer,
}

/// Which exchange is cut, and where.
#[derive(Debug, Clone)]
pub struct Cut {
    /// Where in it.
    pub at: CutAt,
    /// The method of the request.
    pub method: String,
    /// What its path begins with.
    pub path: String,
    /// A text that its body holds.
    pub body: String,
}

/// A proxy before one provider.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    shared: Arc<Shared>,
    cut: watch::Receiver<bool>,
    task: JoinHandle<()>,
}

#[derive(Debug)]
struct Shared {
    upstream: String,
    plan: Mutex<Option<(Cut, Killer)>>,
    done: watch::Sender<bool>,
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Proxy {
    /// Starts a proxy before `http://127.0.0.1:PORT`.
    ///
    /// # Errors
    ///
    /// Fails if it cannot listen.
    pub async fn start(upstream: &str) -> Result<Self> {
        let upstream = upstream.strip_prefix("http://").context("no plain HTTP")?;
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let (done, cut) = watch::channel(false);
        let shared = Arc::new(Shared {
            upstream: upstream.to_owned(),
            plan: Mutex::new(None),
            done,
        });
        let task = tokio::spawn({
            let shared = Arc::clone(&shared);
            async move {
                while let Ok((client, _)) = listener.accept().await {
                    let shared = Arc::clone(&shared);
                    tokio::spawn(async move {
                        // Either side may hang up at any time.
                        drop(exchange(client, &shared).await);
                    });
                }
            }
        });
        Ok(Self {
            address,
            shared,
            cut,
            task,
        })
    }

    /// Returns where it listens, as `http://127.0.0.1:PORT`.
    #[must_use]
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Cuts the next exchange of this kind, and kills the program there.
    pub fn plan(&self, cut: Cut, killer: Killer) {
        *self.shared.plan.lock() = Some((cut, killer));
    }

    /// Waits until it has cut.
    ///
    /// # Errors
    ///
    /// Fails if no such request comes in time.
    pub async fn cut(&self, within: Duration) -> Result<()> {
        let mut cut = self.cut.clone();
        let cut = cut.wait_for(|it| *it);
        tokio::time::timeout(within, cut)
            .await
            .context("no request came that was to be cut")??;
        Ok(())
    }
}

/// Carries one connection: request after request in one direction, whatever comes in the other.
async fn exchange(client: TcpStream, shared: &Arc<Shared>) -> Result<()> {
    let server = TcpStream::connect(&shared.upstream).await?;
    for stream in [&client, &server] {
        stream.set_nodelay(true)?;
    }
    let (mut from_client, to_client) = client.into_split();
    let (from_server, mut to_server) = server.into_split();
    let held = Arc::new(Held::default());
    let back = tokio::spawn(back(
        from_server,
        to_client,
        Arc::clone(&held),
        Arc::clone(shared),
    ));
    while let Some(request) = Request::read(&mut from_client).await? {
        let Some((at, mut killer)) = shared.take(&request) else {
            to_server.write_all(&request.bytes).await?;
            continue;
        };
        match at {
            CutAt::HalfRequest => {
                let body = request.bytes.len().saturating_sub(request.body);
                let kept = request.body.saturating_add(body / 2);
                let half = request.bytes.get(..kept).unwrap_or_default();
                to_server.write_all(half).await?;
                to_server.flush().await?;
                killer.kill().await;
            }
            CutAt::WholeRequest => {
                held.only_hold();
                to_server.write_all(&request.bytes).await?;
                to_server.flush().await?;
                killer.kill().await;
            }
            CutAt::Answer => {
                held.kill_at_answer(killer);
                to_server.write_all(&request.bytes).await?;
                // The provider answers; then the program is killed, and hangs up.
                drop(back.await);
                return Ok(());
            }
        }
        shared.done.send_replace(true);
        // The provider sees the connection end only now, as it would have from the machine.
        return Ok(());
    }
    Ok(())
}

#[derive(Debug, Default)]
struct Held {
    is_held: AtomicBool,
    killer: Mutex<Option<Killer>>,
}

impl Held {
    fn only_hold(&self) {
        self.is_held.store(true, Ordering::SeqCst);
    }

    fn kill_at_answer(&self, killer: Killer) {
        *self.killer.lock() = Some(killer);
        self.is_held.store(true, Ordering::SeqCst);
    }
}

async fn back(
    mut from_server: OwnedReadHalf,
    mut to_client: OwnedWriteHalf,
    held: Arc<Held>,
    shared: Arc<Shared>,
) {
    let mut buffer = vec![0; 16 * 1024];
    while let Ok(count @ 1..) = from_server.read(&mut buffer).await {
        if held.is_held.load(Ordering::SeqCst) {
            let killer = held.killer.lock().take();
            if let Some(mut killer) = killer {
                killer.kill().await;
                shared.done.send_replace(true);
            }
            return;
        }
        let read = buffer.get(..count).unwrap_or_default();
        if to_client.write_all(read).await.is_err() {
            return;
        }
    }
}

impl Shared {
    fn take(&self, request: &Request) -> Option<(CutAt, Killer)> {
        let mut plan = self.plan.lock();
        if !plan.as_ref().is_some_and(|(cut, _)| request.is(cut)) {
            return None;
        }
        plan.take().map(|(cut, killer)| (cut.at, killer))
    }
}

/// A whole request.
struct Request {
    bytes: Vec<u8>,
    /// Where the body begins.
    body: usize,
}

impl Request {
    async fn read(stream: &mut OwnedReadHalf) -> Result<Option<Self>> {
        let mut bytes = Vec::new();
        let mut buffer = vec![0; 16 * 1024];
        loop {
            if let Some(body) = end_of_head(&bytes) {
                let whole = body.saturating_add(content_length(&bytes, body));
                if bytes.len() >= whole {
                    return Ok(Some(Self { bytes, body }));
                }
            } else {
                anyhow::ensure!(bytes.len() < HEAD_MAX, "the head of a request has no end");
            }
            let count = stream.read(&mut buffer).await?;
            if count == 0 {
                return Ok(None);
            }
            bytes.extend_from_slice(buffer.get(..count).unwrap_or_default());
        }
    }

    fn is(&self, cut: &Cut) -> bool {
        let text = String::from_utf8_lossy(&self.bytes);
        let body = self.bytes.get(self.body..).unwrap_or_default();
        text.starts_with(&format!("{} {}", cut.method, cut.path))
            && String::from_utf8_lossy(body).contains(&cut.body)
    }
}

fn end_of_head(bytes: &[u8]) -> Option<usize> {
    let end = bytes.windows(4).position(|it| it == b"\r\n\r\n")?;
    Some(end.saturating_add(4))
}

fn content_length(bytes: &[u8], body: usize) -> usize {
    let head = String::from_utf8_lossy(bytes.get(..body).unwrap_or_default());
    let length = head.lines().find_map(|it| {
        let (name, value) = it.split_once(':')?;
        name.eq_ignore_ascii_case("content-length")
            .then(|| value.trim().parse().ok())?
    });
    length.unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_read_by_its_length_and_known_by_its_beginning() {
        let bytes = b"POST /v2/droplets HTTP/1.1\r\nContent-Length: 4\r\n\r\nbody".to_vec();
        let body = end_of_head(&bytes).unwrap();
        assert_eq!(content_length(&bytes, body), 4);
        let request = Request { bytes, body };
        let cut = |method: &str, path: &str, body: &str| Cut {
            at: CutAt::Answer,
            method: method.to_owned(),
            path: path.to_owned(),
            body: body.to_owned(),
        };
        assert!(request.is(&cut("POST", "/v2/droplets", "")));
        assert!(request.is(&cut("POST", "/v2/", "od")));
        assert!(!request.is(&cut("GET", "/v2/droplets", "")));
        assert!(!request.is(&cut("POST", "/v2/droplets", "other")));
        assert_eq!(end_of_head(b"GET / HTTP/1.1\r\n"), None);
    }
}
