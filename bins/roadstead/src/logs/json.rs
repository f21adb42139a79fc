//! Log lines as flat JSON: one object a line, the fields of the spans around it among its own.

use std::fmt;
use std::io::Write;

use serde_json::{Map, Number, Value};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;

/// The field in which a line of the `log` crate tells where it comes from.
const LOG_TARGET: &str = "log.target";

/// Writes events as flat JSON. Where two spans, or a span and the event, have a field of the
/// same name, the innermost wins: no name stands twice in a line.
pub(super) struct FlatJson<W> {
    writer: W,
}

impl<W> FlatJson<W> {
    pub(super) const fn new(writer: W) -> Self {
        Self { writer }
    }
}

impl<S, W> Layer<S> for FlatJson<W>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    W: for<'w> MakeWriter<'w> + 'static,
{
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        let mut fields = Fields::default();
        attributes.record(&mut fields);
        span.extensions_mut().insert(fields);
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        if let Some(fields) = span.extensions_mut().get_mut::<Fields>() {
            values.record(fields);
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let mut line = Fields::default();
        for span in context
            .event_scope(event)
            .into_iter()
            .flat_map(|it| it.from_root())
        {
            if let Some(fields) = span.extensions().get::<Fields>() {
                line.0.extend(fields.0.clone());
            }
        }
        event.record(&mut line);
        // Last, so that no field of these names can take their place.
        let meta = event.metadata();
        let now = jiff::Timestamp::now();
        line.0
            .insert("timestamp".to_owned(), format!("{now:.6}").into());
        line.0
            .insert("level".to_owned(), meta.level().as_str().into());
        // What comes from the `log` crate has its own target among its fields.
        let target = line.0.remove(LOG_TARGET);
        let target = target.unwrap_or_else(|| meta.target().into());
        line.0.insert("target".to_owned(), target);
        let mut text = Value::Object(line.0).to_string();
        text.push('\n');
        // In one piece, so that lines of two threads do not run into each other. Nobody can be
        // told that a line could not be written.
        let mut writer = self.writer.make_writer_for(meta);
        drop(writer.write_all(text.as_bytes()));
    }
}

/// Fields by name.
#[derive(Default)]
struct Fields(Map<String, Value>);

impl Fields {
    fn set(&mut self, field: &Field, value: impl Into<Value>) {
        // Where in its code a line of the `log` crate stands is nothing for a reader.
        if field.name().starts_with("log.") && field.name() != LOG_TARGET {
            return;
        }
        self.0.insert(field.name().to_owned(), value.into());
    }
}

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.set(field, format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.set(field, value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.set(field, value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.set(field, value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.set(field, value);
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        // JSON has no word for what is not a number.
        self.set(
            field,
            Number::from_f64(value).map_or(Value::Null, Value::Number),
        );
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::{Arc, Mutex};

    use tracing::{Instrument, info, info_span};
    use tracing_subscriber::layer::SubscriberExt;

    use super::*;

    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// Returns what is written of what a function logs.
    fn logged(log: impl FnOnce()) -> Vec<Value> {
        let lines = Lines::default();
        let writer = lines.clone();
        let layer = FlatJson::new(move || writer.clone());
        let subscriber = tracing_subscriber::registry().with(layer);
        tracing::subscriber::with_default(subscriber, log);
        let bytes = lines.0.lock().unwrap().clone();
        let text = String::from_utf8(bytes).unwrap();
        text.lines()
            .map(|it| serde_json::from_str(it).unwrap())
            .collect()
    }

    #[test]
    fn the_fields_of_a_line_and_of_all_spans_around_it_stand_side_by_side() {
        let lines = logged(|| {
            let _request =
                info_span!("request", request.id = "r-1", late = tracing::field::Empty).entered();
            let inner = info_span!("operation", operation.id = %7, none = None::<&str>).entered();
            info!(
                elapsed_ms = 1.5,
                vendor.status = Some(200_u16),
                ok = true,
                "it is `done`"
            );
            drop(inner);
        });
        let [line] = &lines[..] else {
            panic!("{lines:?}")
        };
        assert_eq!(line["request.id"], "r-1");
        assert_eq!(line["operation.id"], "7");
        assert_eq!(line["elapsed_ms"], 1.5);
        assert_eq!(line["vendor.status"], 200);
        assert_eq!(line["ok"], true);
        assert_eq!(line["message"], "it is `done`");
        assert_eq!(line["level"], "INFO");
        assert_eq!(line["target"], module_path!());
        assert!(
            line["timestamp"]
                .as_str()
                .unwrap()
                .parse::<jiff::Timestamp>()
                .is_ok()
        );
        assert!(
            line.get("none").is_none() && line.get("late").is_none(),
            "{line}"
        );
        assert!(
            line.as_object()
                .unwrap()
                .values()
                .all(|it| !it.is_object() && !it.is_array())
        );
    }

    #[test]
    fn what_is_recorded_later_is_there_and_the_innermost_wins() {
        let lines = logged(|| {
            let outer = info_span!("a", instance.id = "old", x = tracing::field::Empty).entered();
            outer.record("x", 1);
            outer.record("x", 2);
            info_span!("b", instance.id = "new").in_scope(|| info!(level = "forged", "one"));
            info!("two");
        });
        assert_eq!(
            (&lines[0]["instance.id"], &lines[0]["x"]),
            (&"new".into(), &2.into())
        );
        assert_eq!(lines[0]["level"], "INFO");
        assert_eq!(lines[1]["instance.id"], "old");
    }

    #[test]
    fn a_line_stays_one_line_whatever_stands_in_it() {
        let lines = logged(|| info!(odd = "a\nb\r\u{1b}[31m\"}\u{2028}", nan = f64::NAN, "x\ny"));
        assert_eq!(lines.len(), 1);
        assert_eq!(lines[0]["odd"], "a\nb\r\u{1b}[31m\"}\u{2028}");
        assert_eq!(lines[0]["nan"], Value::Null);
    }

    #[tokio::test]
    async fn a_task_that_was_given_the_span_logs_in_it() {
        let lines = Lines::default();
        let writer = lines.clone();
        let layer = FlatJson::new(move || writer.clone());
        let subscriber = tracing_subscriber::registry().with(layer);
        let _guard = tracing::subscriber::set_default(subscriber);
        let task = async { info!("inside") }.instrument(info_span!("request", request.id = "r-2"));
        task.await;
        let text = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
        assert!(text.contains("\"request.id\":\"r-2\""), "{text}");
    }
}
