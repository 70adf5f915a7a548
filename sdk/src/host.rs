//! The door to the host: the imports of the world, as a trait with two implementations.
//!
//! In a sandbox it is [`Sandbox`], which calls the real imports. In tests it is the script of
//! [`crate::testing`]. Everything else in the SDK speaks to the trait, so both take the same way.

use crate::bindings::portcullis::provider::log::Level;

/// Requests, responses and errors exactly as the contract has them.
pub(crate) mod wire {
    pub(crate) use crate::bindings::portcullis::provider::http::{Error, Request, Response};
}

/// What a provider can reach.
pub(crate) trait Host {
    /// `http.send`
    fn send(&self, request: &wire::Request) -> Result<wire::Response, wire::Error>;

    /// `http.send-all`
    fn send_all(&self, requests: &[wire::Request]) -> Vec<Result<wire::Response, wire::Error>>;

    /// `log.write`
    fn log(&self, level: Level, message: &str);

    /// `clock.now`, in microseconds since the epoch.
    fn now(&self) -> u64;

    /// `clock.wait`
    fn wait(&self, milliseconds: u32) -> bool;
}

/// The real host.
#[cfg(target_arch = "wasm32")]
pub(crate) struct Sandbox;

#[cfg(target_arch = "wasm32")]
impl Host for Sandbox {
    fn send(&self, request: &wire::Request) -> Result<wire::Response, wire::Error> {
        crate::bindings::portcullis::provider::http::send(request)
    }

    fn send_all(&self, requests: &[wire::Request]) -> Vec<Result<wire::Response, wire::Error>> {
        crate::bindings::portcullis::provider::http::send_all(requests)
    }

    fn log(&self, level: Level, message: &str) {
        crate::bindings::portcullis::provider::log::write(level, message);
    }

    fn now(&self) -> u64 {
        crate::bindings::portcullis::provider::clock::now()
    }

    fn wait(&self, milliseconds: u32) -> bool {
        crate::bindings::portcullis::provider::clock::wait(milliseconds)
    }
}
