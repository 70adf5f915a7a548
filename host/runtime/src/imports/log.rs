//! `portcullis:provider/log`.

use crate::bindings::imports::log::{self, Level};
use crate::state::CallState;
use crate::text::clean_text;

impl log::Host for CallState {
    fn write(&mut self, level: Level, message: String) -> wasmtime::Result<()> {
        let Some(capabilities) = &self.capabilities else {
            return Ok(());
        };
        if self.log_lines >= self.limits.log_lines {
            self.log_lines_dropped = self.log_lines_dropped.saturating_add(1);
            return Ok(());
        }
        self.log_lines += 1;
        let message = clean_text(
            &one_line(message),
            &capabilities.redactor,
            self.limits.log_line_bytes,
        );
        emit(level, self.source.as_str(), &message);
        Ok(())
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

fn emit(level: Level, source_id: &str, message: &str) {
    match level {
        Level::Debug => {
            tracing::debug!(target: "portcullis::plugin", sourceId = source_id, "{message}");
        }
        Level::Info => {
            tracing::info!(target: "portcullis::plugin", sourceId = source_id, "{message}");
        }
        Level::Warn => {
            tracing::warn!(target: "portcullis::plugin", sourceId = source_id, "{message}");
        }
        Level::Error => {
            tracing::error!(target: "portcullis::plugin", sourceId = source_id, "{message}");
        }
    }
}
