//! `portcullis:provider/log`.

use crate::bindings::imports::log::{self, Level};
use crate::guest_log::LineLevel;
use crate::state::CallState;

impl log::Host for CallState {
    fn write(&mut self, level: Level, message: String) -> wasmtime::Result<()> {
        if let Some(capabilities) = &self.capabilities {
            capabilities.log.write(line_level(level), message);
        }
        Ok(())
    }
}

fn line_level(level: Level) -> LineLevel {
    match level {
        Level::Debug => LineLevel::Debug,
        Level::Info => LineLevel::Info,
        Level::Warn => LineLevel::Warn,
        Level::Error => LineLevel::Error,
    }
}
