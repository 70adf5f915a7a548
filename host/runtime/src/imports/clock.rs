//! `portcullis:provider/clock`.

use crate::bindings::imports::clock;
use crate::state::CallState;

impl clock::Host for CallState {
    fn now(&mut self) -> wasmtime::Result<u64> {
        let Some(capabilities) = &self.capabilities else {
            return Err(wasmtime::Error::msg(
                "the clock is refused while a plugin describes itself",
            ));
        };
        let micros = (capabilities.clock)().as_micros();
        Ok(u64::try_from(micros).unwrap_or(0))
    }
}
