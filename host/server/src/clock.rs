//! The one source of time.

use std::time::{Duration, SystemTime};

use portcullis_core::time::Timestamp;
use portcullis_storage::{Error, Storage};

/// How far a gateway's clock may be off its database's before it is not ready:
/// gateways that share a database compare times with each other.
pub const MAX_SKEW: Duration = Duration::from_secs(5);

/// Tells the time. Everything that records, compares or shows a time takes it
/// from here, so that tests can move it by hand.
pub trait Clock: Send + Sync + 'static {
    /// Now, in whole microseconds.
    fn now(&self) -> Timestamp;
}

/// The machine's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the clock")]
    fn now(&self) -> Timestamp {
        let since_epoch = SystemTime::now()
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap_or_default();
        Timestamp::from_micros(i64::try_from(since_epoch.as_micros()).unwrap_or(i64::MAX))
    }
}

/// How far `clock` is off the clock of the database, at least; nothing for a
/// database without a clock of its own.
pub async fn skew(clock: &dyn Clock, storage: &dyn Storage) -> Result<Duration, Error> {
    let asked = clock.now();
    let Some(theirs) = storage.time().await? else {
        return Ok(Duration::ZERO);
    };
    // The database looked at its clock somewhere between these two.
    let ours = theirs.clamp(asked, clock.now().max(asked));
    Ok(theirs.since(ours).max(ours.since(theirs)))
}
