//! `portcullis:provider/log`.

use crate::bindings::imports::log::{self, Level};
use crate::describe::clean_text;
use crate::state::CallState;

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
        // Redacted before it is cut: a credential that straddles the cut would
        // otherwise leave its first half behind.
        let message = capabilities.redactor.redact_text(&message);
        emit(
            level,
            self.source.as_str(),
            &clean_text(&message, self.limits.log_line_bytes),
        );
        Ok(())
    }
}

fn emit(level: Level, source_id: &str, message: &str) {
    match level {
        Level::Debug => tracing::debug!(target: "portcullis::plugin", sourceId = source_id, "{message}"),
        Level::Info => tracing::info!(target: "portcullis::plugin", sourceId = source_id, "{message}"),
        Level::Warn => tracing::warn!(target: "portcullis::plugin", sourceId = source_id, "{message}"),
        Level::Error => tracing::error!(target: "portcullis::plugin", sourceId = source_id, "{message}"),
    }
}
