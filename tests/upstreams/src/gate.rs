//! Holding requests back: received and recorded, and not carried out until a test says so.

use tokio::sync::watch;

/// Keeps a fake from carrying out requests for as long as it lives; see
/// [`FakeUpstream::hold`](crate::FakeUpstream::hold).
#[derive(Debug)]
#[must_use = "a gate that is dropped at once holds nothing back"]
pub struct Gate {
    closed: watch::Sender<usize>,
}

/// The side of the gates that requests see. Several gates may be closed at once; requests pass when
/// none is.
#[derive(Debug, Default)]
pub(crate) struct Gates {
    closed: watch::Sender<usize>,
}

impl Gate {
    /// Lets the held requests, and those that follow, go on. Dropping the gate does the same.
    pub fn release(self) {
        drop(self);
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        self.closed.send_modify(|closed| *closed -= 1);
    }
}

impl Gates {
    pub(crate) fn close(&self) -> Gate {
        self.closed.send_modify(|closed| *closed += 1);
        Gate {
            closed: self.closed.clone(),
        }
    }

    /// Waits until no gate is closed.
    pub(crate) async fn opened(&self) {
        let waited = self
            .closed
            .subscribe()
            .wait_for(|closed| *closed == 0)
            .await
            .map(drop);
        waited.expect("the sender lives in `self`");
    }
}
