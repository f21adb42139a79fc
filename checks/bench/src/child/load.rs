//! Requests over connections that stay open, as many as can be answered.
//!
//! An ordinary HTTP client takes as much processor time as the handlers that are measured, on
//! the same two cores; this one writes the same bytes again and reads as far as
//! `Content-Length` says.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use clap::Args;
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::report::quantile;

/// What is sent.
#[derive(Debug, Clone, Args)]
pub(crate) struct Options {
    #[arg(long)]
    pub(crate) address: SocketAddr,
    #[arg(long)]
    pub(crate) path: String,
    #[arg(long)]
    pub(crate) token: String,
    /// Makes it a POST.
    #[arg(long)]
    pub(crate) body: Option<String>,
    #[arg(long, default_value_t = 8)]
    pub(crate) connections: u32,
    /// How long to send, in milliseconds.
    #[arg(long, default_value_t = 1_000)]
    pub(crate) millis: u64,
    /// Sends so many requests in all, instead of for a time.
    #[arg(long)]
    pub(crate) requests: Option<u32>,
    /// Headers, each as `Name: value`.
    #[arg(long)]
    pub(crate) header: Vec<String>,
}

/// What came of it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Load {
    /// Answers with 200.
    pub(crate) answers: u32,
    /// Answers with anything else.
    pub(crate) refusals: u32,
    pub(crate) seconds: f64,
    pub(crate) p50_micros: u32,
    pub(crate) p99_micros: u32,
    /// The length of the last body.
    pub(crate) bytes: usize,
}

impl Load {
    /// Returns answers per second.
    pub(crate) fn rate(&self) -> f64 {
        f64::from(self.answers) / self.seconds.max(1e-9)
    }
}

/// Sends the requests and prints what came of it.
///
/// # Errors
///
/// Fails if a connection breaks or an answer cannot be read.
pub(crate) fn run(options: &Options) -> Result<()> {
    // One thread: the other core is the server's.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let load = runtime.block_on(send(options))?;
    println!("{}", serde_json::to_string(&load)?);
    Ok(())
}

async fn send(options: &Options) -> Result<Load> {
    let request = request(options);
    let connections = futures::future::try_join_all(
        (0..options.connections).map(|_| Connection::open(options.address)),
    )
    .await?;
    let started = Instant::now();
    let end = started + Duration::from_millis(options.millis);
    let share = options
        .requests
        .map(|it| it.div_ceil(options.connections.max(1)));
    let runs = connections
        .into_iter()
        .map(|it| it.repeat(&request, end, share));
    let runs = futures::future::try_join_all(runs).await?;
    let seconds = started.elapsed().as_secs_f64();
    let mut micros: Vec<u32> = runs
        .iter()
        .flat_map(|it| it.micros.iter().copied())
        .collect();
    micros.sort_unstable();
    let refusals: u32 = runs.iter().map(|it| it.refusals).sum();
    let total = u32::try_from(micros.len())?;
    Ok(Load {
        answers: total.saturating_sub(refusals),
        refusals,
        seconds,
        p50_micros: quantile(&micros, 50),
        p99_micros: quantile(&micros, 99),
        bytes: runs.iter().map(|it| it.bytes).max().unwrap_or_default(),
    })
}

fn request(options: &Options) -> Vec<u8> {
    let method = if options.body.is_some() {
        "POST"
    } else {
        "GET"
    };
    let mut text = format!(
        "{method} {} HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {}\r\n",
        options.path, options.address, options.token
    );
    for header in &options.header {
        text.push_str(header);
        text.push_str("\r\n");
    }
    if let Some(body) = &options.body {
        text.push_str(&format!(
            "Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        ));
    } else {
        text.push_str("\r\n");
    }
    text.into_bytes()
}

struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

#[derive(Default)]
struct Run {
    micros: Vec<u32>,
    refusals: u32,
    bytes: usize,
}

impl Connection {
    async fn open(address: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(address)
            .await
            .with_context(|| format!("nothing listens at {address}"))?;
        stream.set_nodelay(true)?;
        Ok(Self {
            stream,
            buffer: Vec::with_capacity(256 * 1024),
        })
    }

    async fn repeat(mut self, request: &[u8], end: Instant, share: Option<u32>) -> Result<Run> {
        let mut run = Run::default();
        let mut sent = 0_u32;
        loop {
            let over = share.map_or_else(|| Instant::now() >= end, |it| sent >= it);
            if over {
                return Ok(run);
            }
            sent = sent.saturating_add(1);
            let asked = Instant::now();
            self.stream.write_all(request).await?;
            let (status, bytes) = self.answer().await?;
            run.micros
                .push(u32::try_from(asked.elapsed().as_micros()).unwrap_or(u32::MAX));
            run.bytes = bytes;
            if status != 200 {
                run.refusals = run.refusals.saturating_add(1);
            }
        }
    }

    /// Reads one answer; returns its status and the length of its body.
    async fn answer(&mut self) -> Result<(u16, usize)> {
        self.buffer.clear();
        let (head, status, length) = loop {
            self.read().await?;
            if let Some(end) = find(&self.buffer, b"\r\n\r\n") {
                let head = self.buffer.get(..end).unwrap_or_default();
                let (status, length) = parse(head)?;
                break (end.saturating_add(4), status, length);
            }
        };
        let whole = head.saturating_add(length);
        while self.buffer.len() < whole {
            self.read().await?;
        }
        Ok((status, length))
    }

    async fn read(&mut self) -> Result<()> {
        if self.stream.read_buf(&mut self.buffer).await? == 0 {
            bail!("the server closed the connection");
        }
        Ok(())
    }
}

fn find(text: &[u8], part: &[u8]) -> Option<usize> {
    text.windows(part.len()).position(|it| it == part)
}

fn parse(head: &[u8]) -> Result<(u16, usize)> {
    let head = std::str::from_utf8(head)?;
    let mut lines = head.split("\r\n");
    let status = lines
        .next()
        .and_then(|it| it.split(' ').nth(1))
        .and_then(|it| it.parse().ok())
        .context("no status line")?;
    let length = lines
        .filter_map(|it| it.split_once(':'))
        .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
        .and_then(|(_, value)| value.trim().parse().ok());
    match length {
        Some(length) => Ok((status, length)),
        None if status == 304 || status == 204 => Ok((status, 0)),
        None => bail!("an answer without `Content-Length`: {head}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_is_read_whatever_the_case_of_its_names() {
        let head = b"HTTP/1.1 200 OK\r\nContent-LENGTH: 12\r\nX: y";
        assert_eq!(parse(head).unwrap(), (200, 12));
        assert!(parse(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked").is_err());
    }
}
