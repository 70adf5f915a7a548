//! Turns at large bodies.
//!
//! As fast as some upstreams send, dozens of large bodies at a time would keep the
//! threads of everybody's requests at nothing else. So whoever is at one takes turns
//! at each piece of it, one at a time in the whole process, and lets others go on
//! first. Nobody keeps a turn while it waits for its upstream.

use tokio::sync::{Semaphore, SemaphorePermit};

/// What is smaller needs no turn. Usual bodies are.
const QUICK_BYTES: usize = 256 << 10;

static TURNS: Semaphore = Semaphore::const_new(1);

/// A turn at a body of so many bytes; whoever has it works on one piece, then drops it.
pub(super) async fn turn_at(bytes: usize) -> Option<SemaphorePermit<'static>> {
    if bytes <= QUICK_BYTES {
        return None;
    }
    // It is never closed.
    let turn = TURNS.acquire().await.ok();
    tokio::task::yield_now().await;
    turn
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;
    use futures_util::future::poll_immediate;

    use super::*;

    /// One test, since there is one turn.
    #[tokio::test]
    async fn large_bodies_take_turns_and_small_ones_do_not() {
        assert!(turn_at(QUICK_BYTES).now_or_never().unwrap().is_none());
        let first = turn_at(QUICK_BYTES + 1).await;
        let mut second = std::pin::pin!(turn_at(QUICK_BYTES + 1));
        assert!(poll_immediate(second.as_mut()).await.is_none());
        assert!(turn_at(QUICK_BYTES).now_or_never().unwrap().is_none());
        drop(first);
        assert!(second.await.is_some());
    }
}
