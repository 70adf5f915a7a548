//! The log of all gateways of this process, searched for credentials as it is
//! written, and kept to be searched for more.

use std::io;
use std::sync::{LazyLock, Mutex, Once, PoisonError};

use portcullis_test_canary::{Place, Stream, canaries, watch_panics};
use serde_json::Value;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;

/// More than an operator would ever turn on.
const FILTER: &str = "debug,portcullis=trace,portcullis_storage=trace,portcullis_runtime=trace,\
    reqwest=trace,hyper_util=trace";

static LINES: Mutex<Vec<u8>> = Mutex::new(Vec::new());

/// The search for credentials in it.
static SEARCHED: LazyLock<Mutex<Stream>> =
    LazyLock::new(|| Mutex::new(Stream::new(Place::Log, "the log")));

/// Everything logged so far, by every test: one JSON object a line.
pub fn captured_log() -> String {
    let lines = LINES.lock().unwrap_or_else(PoisonError::into_inner);
    String::from_utf8_lossy(&lines).into_owned()
}

/// The lines that carry this text, parsed.
pub fn captured_lines_with(text: &str) -> Vec<Value> {
    captured_log()
        .lines()
        .filter(|line| line.contains(text))
        .map(|line| serde_json::from_str(line).expect("a line of JSON"))
        .collect()
}

static STARTED: Once = Once::new();

/// Captures nothing: for tests whose process has a subscriber of its own.
pub fn capture_no_log() {
    STARTED.call_once(|| {});
}

/// Starts capturing, once for each process, and watching panics.
pub(crate) fn capture() {
    watch_panics();
    STARTED.call_once(|| {
        let subscriber = tracing_subscriber::fmt()
            .json()
            .flatten_event(true)
            .with_current_span(true)
            .with_env_filter(EnvFilter::new(FILTER))
            .with_writer(Writer)
            .finish();
        tracing::subscriber::set_global_default(subscriber).expect("the first subscriber");
    });
}

struct Writer;

impl<'a> MakeWriter<'a> for Writer {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        Self
    }
}

impl io::Write for Writer {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let mut lines = LINES.lock().unwrap_or_else(PoisonError::into_inner);
        lines.extend_from_slice(line);
        let mut searched = SEARCHED.lock().unwrap_or_else(PoisonError::into_inner);
        searched.look(canaries(), line);
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
