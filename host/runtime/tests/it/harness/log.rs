//! What guests log, seen through the gateway's own log.

use std::fmt::Debug;
use std::sync::{LazyLock, Mutex};

use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt as _};
use tracing_subscriber::registry::Registry;

/// One line of a guest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LogLine {
    pub(crate) level: Level,
    pub(crate) source: String,
    pub(crate) message: String,
}

/// Lines of all tests: guests log on threads of their own, so nothing smaller
/// than the process can be listened to.
static LINES: LazyLock<Mutex<Vec<LogLine>>> = LazyLock::new(|| {
    let subscriber = Registry::default().with(Listener);
    tracing::subscriber::set_global_default(subscriber).unwrap();
    Mutex::default()
});

/// Runs something and answers the lines with this mark that were logged
/// meanwhile. Each test needs a mark of its own.
pub(crate) async fn lines_with(mark: &str, logging: impl Future<Output = ()>) -> Vec<LogLine> {
    LazyLock::force(&LINES);
    logging.await;
    let lines = LINES.lock().unwrap();
    let marked = lines.iter().filter(|line| line.message.contains(mark));
    marked.cloned().collect()
}

struct Listener;

impl<S: Subscriber> Layer<S> for Listener {
    fn on_event(&self, event: &Event<'_>, _context: Context<'_, S>) {
        if event.metadata().target() != "portcullis::plugin" {
            return;
        }
        let mut line = LogLine {
            level: *event.metadata().level(),
            source: String::new(),
            message: String::new(),
        };
        event.record(&mut line);
        LINES.lock().unwrap().push(line);
    }
}

impl Visit for LogLine {
    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "sourceId" {
            value.clone_into(&mut self.source);
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        if field.name() == "message" {
            self.message = format!("{value:?}");
        }
    }
}
