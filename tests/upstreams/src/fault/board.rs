//! Which fault is active and for how long.

use tokio::sync::watch;

use super::{ActiveFault, Fault};

/// The active fault of one fake.
#[derive(Debug, Default)]
pub(crate) struct FaultBoard {
    state: watch::Sender<State>,
}

#[derive(Debug, Default)]
struct State {
    active: Option<ActiveFault>,
    /// Grows whenever a fault is set or reset. Requests that hang wait for it to move.
    epoch: u64,
}

/// A fault that one request drew from the board.
#[derive(Debug)]
pub(crate) struct DrawnFault {
    pub(crate) fault: Fault,
    epoch: u64,
}

impl FaultBoard {
    /// Replaces the active fault; `None` resets.
    pub(crate) fn set(&self, active: Option<ActiveFault>) {
        self.state.send_modify(|state| {
            state.active = active;
            state.epoch += 1;
        });
    }

    pub(crate) fn active(&self) -> Option<ActiveFault> {
        self.state.borrow().active.clone()
    }

    /// The fault for the next request, counted down.
    pub(crate) fn draw(&self) -> Option<DrawnFault> {
        let mut drawn = None;
        self.state.send_if_modified(|state| {
            drawn = state.draw();
            // Counting down wakes nobody: who hangs, hangs until the next `set`.
            false
        });
        drawn
    }

    /// Waits until the board was set or reset after `drawn` was drawn.
    pub(crate) async fn replaced(&self, drawn: &DrawnFault) {
        let moved = |state: &State| state.epoch != drawn.epoch;
        let waited = self.state.subscribe().wait_for(moved).await.map(drop);
        waited.expect("the sender lives in `self`");
    }
}

impl State {
    fn draw(&mut self) -> Option<DrawnFault> {
        let active = self.active.as_mut()?;
        let drawn = DrawnFault {
            fault: active.fault.clone(),
            epoch: self.epoch,
        };
        if let Some(count) = &mut active.count {
            *count -= 1;
            if *count == 0 {
                self.active = None;
            }
        }
        Some(drawn)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn board(count: Option<u64>) -> FaultBoard {
        let board = FaultBoard::default();
        board.set(Some(ActiveFault {
            fault: Fault::Garbage,
            count,
        }));
        board
    }

    #[test]
    fn a_counted_fault_ends_by_itself() {
        let board = board(Some(2));
        assert!(board.draw().is_some());
        assert_eq!(board.active().and_then(|active| active.count), Some(1));
        assert!(board.draw().is_some());
        assert!(board.draw().is_none());
        assert_eq!(board.active(), None);
    }

    #[test]
    fn an_uncounted_fault_stays_until_reset() {
        let board = board(None);
        for _ in 0..100 {
            assert!(board.draw().is_some());
        }
        board.set(None);
        assert!(board.draw().is_none());
    }
}
