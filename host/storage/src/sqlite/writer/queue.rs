//! Who waits for a turn, in the order they came.

use tokio::sync::mpsc;

use super::{Request, Waiter};

/// Who waits for a turn.
pub(super) struct Queue {
    requests: mpsc::UnboundedReceiver<Request>,
    /// Taken out to see whether anybody waits.
    seen: Option<Waiter>,
}

impl Queue {
    pub(super) const fn new(requests: mpsc::UnboundedReceiver<Request>) -> Self {
        let seen = None;
        Self { requests, seen }
    }

    /// Waits for somebody who wants a turn; `None` at the end.
    pub(super) async fn next(&mut self) -> Option<Waiter> {
        loop {
            if self.is_waiting() {
                return self.seen.take();
            }
            let request = self.requests.recv().await?;
            self.seen = self.receive(request);
        }
    }

    /// Whether somebody waits who has not given up.
    pub(super) fn is_waiting(&mut self) -> bool {
        let has_given_up = |waiter: &Waiter| waiter.turn.is_closed();
        while self.seen.as_ref().is_none_or(has_given_up) {
            let Ok(request) = self.requests.try_recv() else {
                self.seen = None;
                return false;
            };
            self.seen = self.receive(request);
        }
        true
    }

    /// Whoever [`Queue::is_waiting`] has seen, or would see.
    pub(super) fn take_waiting(&mut self) -> Option<Waiter> {
        if self.seen.is_none() {
            self.is_waiting();
        }
        self.seen.take()
    }

    fn receive(&mut self, request: Request) -> Option<Waiter> {
        match request {
            Request::Turn(waiter) => Some(waiter),
            Request::Close => {
                self.requests.close();
                None
            }
        }
    }
}
