//! Text that means harm, and pages of other origins.

use anyhow::{Context, Result, ensure};
use reqwest::Method;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use crate::driver::Scripts;
use crate::session::Session;
use crate::stage::Stage;

/// Text that runs, leaves its element or ends its attribute where it is not escaped.
pub(crate) const CORPUS: [&str; 6] = [
    "<script>window.harm=1</script>",
    "\"><img src=x onerror=window.harm=1>",
    "'><svg onload=window.harm=1>",
    "</title><script>window.harm=1</script>",
    "javascript:window.harm=1",
    "{{constructor.constructor('window.harm=1')()}}",
];

/// Shows servers whose label, notes and tags mean harm, and sends the same in every query.
pub(crate) async fn scripts(stage: &Stage) -> Result<()> {
    stage
        .play("hostile text", Scripts::On, |session| {
            Box::pin(show(session))
        })
        .await
}

async fn show(session: &mut Session<'_>) -> Result<()> {
    let demo = &session.stage.demo;
    let server = demo.create("DigitalOcean", "harmless").await?;
    session.log_in(&demo.member).await?;
    for text in CORPUS {
        // A label may hold nothing of this; notes and tags may.
        let body = json!({ "notes": text, "tags": [] });
        let path = format!("/api/vps/{server}");
        demo.api(&demo.member, Method::PATCH, &path, Some(&body))
            .await?;
        let encoded = encode(text);
        for path in [
            format!("/servers/{server}"),
            format!("/servers/{server}/settings"),
            format!("/?label={encoded}&tag={encoded}&sort={encoded}&cursor={encoded}"),
            format!("/search?q={encoded}"),
            format!("/create/plan?name={encoded}&provider={encoded}&region={encoded}"),
            format!("/compare?name={encoded}&pin={encoded}"),
            format!("/login?next={encoded}"),
            format!("/{encoded}"),
        ] {
            session.open(&path).await?;
            unharmed(session, &path).await?;
        }
        session.open(&format!("/servers/{server}/settings")).await?;
        let shown = session
            .script(
                "return [...document.querySelectorAll('textarea')].map(it => it.value).join('|')",
            )
            .await?;
        ensure!(
            shown.as_str().is_some_and(|it| it.contains(text)),
            "the notes are not shown as they were written: {shown}"
        );
    }
    Ok(())
}

async fn unharmed(session: &Session<'_>, path: &str) -> Result<()> {
    let harm = session.script("return window.harm ?? null").await?;
    ensure!(harm.is_null(), "text of somebody ran at {path}");
    let complaints = session.complaints().await?;
    ensure!(
        complaints.is_empty(),
        "{path}: the browser had to stop something: {}",
        complaints.join("; ")
    );
    Ok(())
}

/// Sends a form from a page of another origin: another port is one, and the session's cookie
/// goes along with it, as it is the same site.
pub(crate) async fn other_origin(stage: &Stage) -> Result<()> {
    let server = stage.demo.create("Linode", "not-yours-to-stop").await?;
    let target = format!("{}/servers/{server}/delete", stage.demo.address);
    let page = format!(
        "<!doctype html><title>elsewhere</title><h1>Elsewhere</h1>\
         <form method=post action=\"{target}\">\
         <input name=label value=not-yours-to-stop><input name=confirm value=not-yours-to-stop>\
         <button>Win a prize</button></form>"
    );
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let elsewhere = format!("http://{}/", listener.local_addr()?);
    let serving = tokio::spawn(serve(listener, page));
    let outcome = stage
        .play("another origin", Scripts::On, |session| {
            Box::pin(async move {
                session.log_in(&session.stage.demo.member).await?;
                session.browser.goto(&elsewhere).await?;
                session.press("Win a prize").await?;
                session.wait_for_heading("Not allowed").await
            })
        })
        .await;
    serving.abort();
    outcome?;
    let path = format!("/api/vps/{server}");
    let now = stage
        .demo
        .api(&stage.demo.member, Method::GET, &path, None)
        .await?;
    let status = now
        .pointer("/instance/status")
        .and_then(serde_json::Value::as_str)
        .context("the server is gone")?;
    ensure!(status != "deleting", "another origin has deleted a server");
    Ok(())
}

/// Serves one page to whoever asks.
async fn serve(listener: TcpListener, page: String) {
    while let Ok((mut stream, _)) = listener.accept().await {
        let mut asked = [0_u8; 4096];
        let answer = format!(
            "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {}\r\n\
             Connection: close\r\n\r\n{page}",
            page.len()
        );
        // A browser that goes away leaves nothing to do.
        if stream.read(&mut asked).await.is_ok() {
            let _ = stream.write_all(answer.as_bytes()).await;
        }
    }
}

fn encode(text: &str) -> String {
    text.bytes()
        .map(|it| {
            if it.is_ascii_alphanumeric() {
                char::from(it).to_string()
            } else {
                format!("%{it:02X}")
            }
        })
        .collect()
}
