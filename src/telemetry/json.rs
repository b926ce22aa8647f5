//! One log event as one JSON object on one line.
//!
//! `tracing-subscriber` has a JSON form of its own, with other keys (`timestamp`, `fields.message`) and the facts one level deeper;
//! the keys here are those that our dashboards and documents name.

use std::fmt;

use serde_json::{Map, Value};
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::fmt::format::{JsonFields, Writer};
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormattedFields};
use tracing_subscriber::registry::LookupSpan;

/// The format. Span fields have to be kept by [`JsonFields`].
pub(super) struct OneLine;

impl<S> FormatEvent<S, JsonFields> for OneLine
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, JsonFields>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let mut facts = Facts::default();
        // From the outermost span inwards, the event last: what is nearer wins.
        for span in context.event_scope().into_iter().flat_map(|scope| scope.from_root()) {
            let extensions = span.extensions();
            let fields = extensions.get::<FormattedFields<JsonFields>>();
            if let Some(Ok(Value::Object(fields))) = fields.map(|fields| serde_json::from_str(&fields.fields)) {
                facts.fields.extend(fields);
            }
        }
        event.record(&mut facts);

        let now = tandem_actors::clock::utc().to_rfc3339_opts(chrono::SecondsFormat::Millis, true);
        let head = [
            ("ts", now),
            ("level", event.metadata().level().as_str().to_ascii_lowercase()),
            ("msg", facts.message),
            ("target", event.metadata().target().to_owned()),
        ];
        writer.write_char('{')?;
        for (index, (key, value)) in head.into_iter().enumerate() {
            write!(writer, "{}{}:{}", if index == 0 { "" } else { "," }, Value::from(key), Value::from(value))?;
        }
        for (key, value) in facts.fields {
            write!(writer, ",{}:{value}", Value::from(key))?;
        }
        writer.write_str("}\n")
    }
}

/// The facts of an event.
#[derive(Default)]
struct Facts {
    message: String,
    fields: Map<String, Value>,
}

impl Facts {
    fn put(&mut self, field: &Field, value: Value) {
        match field.name() {
            "message" => self.message = value.as_str().map_or_else(|| value.to_string(), str::to_owned),
            // The head's own keys stay what they are.
            name @ ("ts" | "level" | "msg" | "target") => drop(self.fields.insert(format!("field_{name}"), value)),
            name => drop(self.fields.insert(name.to_owned(), value)),
        }
    }
}

impl Visit for Facts {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.put(field, Value::from(format!("{value:?}")));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.put(field, Value::from(value));
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.put(field, Value::from(value));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.put(field, Value::from(value));
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.put(field, Value::from(value));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.put(field, Value::from(value));
    }

    fn record_error(&mut self, field: &Field, value: &(dyn std::error::Error + 'static)) {
        self.put(field, Value::from(value.to_string()));
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::io::Write;
    use std::sync::{Arc, Mutex};

    use tracing_subscriber::layer::SubscriberExt;

    use super::*;

    #[derive(Clone, Default)]
    struct Page(Arc<Mutex<Vec<u8>>>);

    impl Write for Page {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn an_event_is_one_line_with_its_span_and_no_line_break_of_a_guest() {
        let page = Page::default();
        let writer = page.clone();
        let layer = tracing_subscriber::fmt::layer().with_writer(move || writer.clone());
        let log = tracing_subscriber::registry().with(layer.fmt_fields(JsonFields::new()).event_format(OneLine));
        tracing::subscriber::with_default(log, || {
            let span = tracing::info_span!("call", call_id = %"0190-a", carrier = "twilio");
            let _inside = span.enter();
            tracing::warn!(carrier = "exotel", frames = 3_u64, detail = "a\n{\"level\":\"forged\"}", "unknown event");
        });
        let text = String::from_utf8(page.0.lock().unwrap().clone()).unwrap();
        assert_eq!(text.lines().count(), 1);
        assert!(text.starts_with("{\"ts\":\"20"), "{text}");
        let line: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(line["level"], "warn");
        assert_eq!(line["msg"], "unknown event");
        assert_eq!(line["call_id"], "0190-a");
        assert_eq!(line["carrier"], "exotel");
        assert_eq!(line["frames"], 3);
        assert!(line["target"].as_str().unwrap().starts_with("tandem::telemetry"));
    }
}
