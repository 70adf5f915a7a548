//! `portcullis:provider/clock`.

use crate::bindings::imports::clock;
use crate::outcome::Refused;
use crate::state::CallState;

impl clock::Host for CallState {
    fn now(&mut self) -> wasmtime::Result<u64> {
        let Some(capabilities) = &self.capabilities else {
            return Err(Refused("clock").into());
        };
        let micros = (capabilities.clock)().as_micros();
        Ok(u64::try_from(micros).unwrap_or(0))
    }
}
