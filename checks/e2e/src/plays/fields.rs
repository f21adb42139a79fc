//! What is refused stands beside the field that it is about, and what was typed stays.

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::driver::Scripts;
use crate::session::Session;
use crate::stage::Stage;

/// What is wrong with a create at a vendor, and the field it belongs to.
const WRONG: [(&str, &str, &str); 4] = [
    ("DigitalOcean", "Label", "no/such?name"),
    ("DigitalOcean", "Root password", "short"),
    ("Linode", "Label", "no/such?name"),
    ("Linode", "Root password", "short"),
];

/// What a field says of itself.
const SAID: &str = r"
    const summary = [...document.querySelectorAll('h2')]
        .find(it => it.textContent.includes('There is a problem'));
    const wrong = [...document.querySelectorAll('[aria-invalid=true]')];
    return {
        title: document.title,
        summary: Boolean(summary),
        focused: Boolean(summary?.parentElement.contains(document.activeElement)),
        wrong: wrong.map(it => ({
            label: [...(it.labels ?? [])].map(label => label.textContent).join(' ').trim(),
            said: (it.getAttribute('aria-describedby') ?? '').split(/\s+/)
                .map(id => document.getElementById(id)?.textContent ?? '').join(' ').trim(),
        })),
    };
";

/// Sends what each vendor refuses.
pub(crate) async fn refused(stage: &Stage) -> Result<()> {
    stage
        .play("fields", Scripts::On, |session| Box::pin(play(session)))
        .await
}

async fn play(session: &mut Session<'_>) -> Result<()> {
    session.log_in(&session.stage.demo.member).await?;
    for (vendor, field, text) in WRONG {
        let details = session.stage.demo.details(vendor).await?;
        session.open(&details).await?;
        session.fill("Label", "kept-as-typed").await?;
        session.fill("Root password", crate::demo::PASSWORD).await?;
        session.fill(field, text).await?;
        session.press("Create \u{b7}").await?;
        session.wait_for_heading("There is a problem").await?;
        let said = session.script(SAID).await?;
        beside(&said, field).with_context(|| format!("{vendor}, {field}: {said}"))?;
        if field != "Label" {
            let label = session.field("Label").await?.value().await?;
            ensure!(
                label.as_deref() == Some("kept-as-typed"),
                "{vendor}: the label is {label:?} now"
            );
        }
    }
    Ok(())
}

fn beside(said: &Value, field: &str) -> Result<()> {
    let is = |name: &str| said.get(name).and_then(Value::as_bool).unwrap_or(false);
    let title = said
        .get("title")
        .and_then(Value::as_str)
        .unwrap_or_default();
    ensure!(title.starts_with("Error: "), "the title does not say so");
    ensure!(is("summary"), "there is no summary");
    ensure!(is("focused"), "the summary has not the focus");
    let wrong = said.get("wrong").and_then(Value::as_array);
    let text = |it: &Value, name: &str| {
        let text = it.get(name).and_then(Value::as_str);
        text.unwrap_or_default().to_owned()
    };
    let it = wrong
        .into_iter()
        .flatten()
        .find(|it| text(it, "label").starts_with(field));
    let it = it.context("the field is not marked as wrong")?;
    ensure!(
        !text(it, "said").is_empty(),
        "the field does not say what is wrong"
    );
    Ok(())
}
