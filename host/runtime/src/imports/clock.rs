//! `portcullis:provider/clock`.

use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use crate::bindings::imports::clock;
use crate::outcome::Refused;
use crate::state::{CallState, Capabilities};

/// What a wait must leave of a call, as `clock.wit` promises: whoever waits wants
/// to send one more request, and without time for it would lose the answer it
/// could have given instead.
const LEFT_AFTER_A_WAIT: Duration = Duration::from_secs(1);

impl clock::Host for CallState {
    fn now(&mut self) -> wasmtime::Result<u64> {
        let micros = (self.open_clock()?.clock)().as_micros();
        Ok(u64::try_from(micros).unwrap_or(0))
    }

    async fn wait(&mut self, milliseconds: u32) -> wasmtime::Result<bool> {
        let until = Instant::now() + Duration::from_millis(u64::from(milliseconds));
        if until + LEFT_AFTER_A_WAIT > self.open_clock()?.deadline {
            return Ok(false);
        }
        self.meter.pause();
        sleep_until(until).await;
        self.meter.resume();
        Ok(true)
    }
}

impl CallState {
    fn open_clock(&self) -> Result<&Capabilities, Refused> {
        self.capabilities.as_ref().ok_or(Refused("clock"))
    }
}
