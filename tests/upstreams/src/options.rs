//! How a fake is set up.

use std::fmt;

use crate::TimeSource;

/// What a test or the demo decides about a fake.
#[derive(Clone)]
pub struct FakeOptions {
    /// The token it accepts, in the forms of its vendor. Nothing is accepted when empty.
    pub token: String,
    /// The port on the loopback address; 0 picks a free one.
    pub port: u16,
    /// Times of what is created and changed.
    pub time: TimeSource,
    /// What the resets of quotas are counted from. Clients compare them with their own clock.
    pub clock: TimeSource,
}

impl FakeOptions {
    /// A free port, the default times, and the machine's clock.
    pub fn new(token: impl Into<String>) -> Self {
        Self {
            token: token.into(),
            port: 0,
            time: TimeSource::default(),
            clock: TimeSource::machine(),
        }
    }
}

impl fmt::Debug for FakeOptions {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("FakeOptions")
            .field("port", &self.port)
            .finish_non_exhaustive()
    }
}
