//! Where a guest's lines go, whichever way it writes them: bounded, and made fit
//! for people.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use portcullis_core::id::SourceId;
use portcullis_core::redact::Redactor;

use crate::config::Limits;
use crate::text::clean_text;

/// How much a line matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LineLevel {
    Debug,
    Info,
    Warn,
    Error,
}

/// The lines of one call. Shared, because what a guest prints arrives from
/// streams that cannot reach the store.
#[derive(Debug)]
pub(crate) struct GuestLog {
    source: SourceId,
    redactor: Arc<Redactor>,
    max_lines: u32,
    line_bytes: usize,
    lines: AtomicU32,
    dropped: AtomicU32,
}

impl GuestLog {
    pub(crate) fn new(source: SourceId, redactor: Arc<Redactor>, limits: &Limits) -> Self {
        Self {
            source,
            redactor,
            max_lines: limits.log_lines,
            line_bytes: limits.log_line_bytes,
            lines: AtomicU32::new(0),
            dropped: AtomicU32::new(0),
        }
    }

    /// Writes a line, or counts it where there have been too many.
    pub(crate) fn write(&self, level: LineLevel, message: String) {
        // One guest is one thread at a time, so nothing comes in between.
        let lines = self.lines.load(Ordering::Relaxed);
        if lines >= self.max_lines {
            self.dropped.fetch_add(1, Ordering::Relaxed);
            return;
        }
        self.lines.store(lines + 1, Ordering::Relaxed);
        let message = clean_text(&one_line(message), &self.redactor, self.line_bytes);
        emit(level, self.source.as_str(), &message);
    }

    /// Lines beyond the limit.
    pub(crate) fn dropped(&self) -> u32 {
        self.dropped.load(Ordering::Relaxed)
    }
}

/// Line breaks become spaces: what follows one would look like a line of the
/// gateway's own.
fn one_line(message: String) -> String {
    if message.contains(['\n', '\t']) {
        message.replace(['\n', '\t'], " ")
    } else {
        message
    }
}

fn emit(level: LineLevel, source_id: &str, message: &str) {
    match level {
        LineLevel::Debug => {
            tracing::debug!(target: "portcullis::plugin", sourceId = source_id, "{message}");
        }
        LineLevel::Info => {
            tracing::info!(target: "portcullis::plugin", sourceId = source_id, "{message}");
        }
        LineLevel::Warn => {
            tracing::warn!(target: "portcullis::plugin", sourceId = source_id, "{message}");
        }
        LineLevel::Error => {
            tracing::error!(target: "portcullis::plugin", sourceId = source_id, "{message}");
        }
    }
}
