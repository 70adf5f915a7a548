//! Never ends.

use std::hint::black_box;

use crate::bindings::exports::portcullis::provider::actions::Context;
use crate::bindings::portcullis::provider::http;
use crate::bindings::portcullis::provider::log::{self, Level};
use crate::bindings::portcullis::provider::types::Error;
use crate::outbound::Request;
use crate::params;

/// Computes for ever.
pub(crate) fn spin(_context: &Context, _params: &str) -> Result<String, Error> {
    let mut rounds = 0_u64;
    loop {
        rounds = black_box(rounds.wrapping_add(1));
    }
}

/// Calls the host for ever, waiting each time or not.
pub(crate) fn spin_with_host_calls(_context: &Context, json: &str) -> Result<String, Error> {
    let request = params::<Request>(json)?.into_wit()?;
    loop {
        log::write(Level::Debug, "again");
        black_box(http::send(&request).is_ok());
    }
}
