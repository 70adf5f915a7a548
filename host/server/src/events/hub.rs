//! Who listens, and what waits for each of them.
//!
//! Telling never waits: a listener has a queue of its own, and one whose queue is
//! full is let go. Whoever was let go knows that something is missing and lists
//! what there is; a queue that grew, or a gap nobody knows of, would be worse.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use portcullis_core::id::SessionId;
use portcullis_core::time::Timestamp;
use tokio::sync::Notify;
use tokio::sync::mpsc::{self, error::TrySendError};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tokio_util::task::task_tracker::TaskTrackerToken;

use super::Event;
use crate::error::Error;

/// Events that wait for one listener. A session's whole minute, with room for the
/// decisions about it; more waits only for somebody who does not read.
const QUEUE: usize = 256;

/// Listeners of one session: people with several windows, not whoever has a token
/// and would like all the places there are.
const PER_SESSION: usize = 64;

/// Everybody who listens at this gateway.
#[derive(Debug, Clone)]
pub struct Events(Arc<Hub>);

#[derive(Debug)]
struct Hub {
    listeners: Mutex<Listeners>,
    /// How many there may be.
    places: usize,
    arrivals: Notify,
    let_go: AtomicU64,
    ending: CancellationToken,
    open: TaskTracker,
}

#[derive(Debug, Default)]
struct Listeners {
    by_session: HashMap<SessionId, Vec<Listener>>,
    count: usize,
    next_id: u64,
}

#[derive(Debug)]
struct Listener {
    id: u64,
    /// Earlier events are not for it.
    since: Timestamp,
    queue: mpsc::Sender<Arc<Event>>,
    let_go: CancellationToken,
}

/// A place among the listeners, until it is dropped.
#[derive(Debug)]
pub struct Subscription {
    events: Events,
    session: SessionId,
    id: u64,
    queue: mpsc::Receiver<Arc<Event>>,
    let_go: CancellationToken,
    _open: TaskTrackerToken,
}

/// What a listener hears next.
#[derive(Debug, Clone, PartialEq)]
pub enum Heard {
    /// Something happened.
    Event(Arc<Event>),
    /// Too much waited; what comes from now on is for others.
    LetGo,
    /// The gateway ends, and has told everything.
    End,
}

impl Events {
    /// With places for so many listeners.
    pub fn new(places: usize) -> Self {
        let open = TaskTracker::new();
        Self(Arc::new(Hub {
            listeners: Mutex::default(),
            places,
            arrivals: Notify::new(),
            let_go: AtomicU64::new(0),
            ending: CancellationToken::new(),
            open,
        }))
    }

    /// Listens to a session's events from `since` on.
    pub fn subscribe(&self, session: SessionId, since: Timestamp) -> Result<Subscription, Error> {
        let (sender, receiver) = mpsc::channel(QUEUE);
        let let_go = CancellationToken::new();
        let listener = |id| Listener {
            id,
            since,
            queue: sender,
            let_go: let_go.clone(),
        };
        let id = self.listeners().add(session, self.0.places, listener)?;
        self.0.arrivals.notify_one();
        Ok(Subscription {
            events: self.clone(),
            session,
            id,
            queue: receiver,
            let_go,
            _open: self.0.open.token(),
        })
    }

    /// Returns once somebody listens. For one task, the pump.
    pub(super) async fn somebody_listens(&self) {
        while self.count() == 0 {
            self.0.arrivals.notified().await;
        }
    }

    /// How many listen.
    pub fn count(&self) -> usize {
        self.listeners().count
    }

    /// How many were let go since the start.
    pub fn let_go(&self) -> u64 {
        self.0.let_go.load(Ordering::Relaxed)
    }

    /// The sessions that somebody listens to.
    pub(super) fn sessions(&self) -> Vec<SessionId> {
        self.listeners().by_session.keys().copied().collect()
    }

    /// From when on somebody listens.
    pub(super) fn since(&self) -> Option<Timestamp> {
        let listeners = self.listeners();
        let all = listeners.by_session.values().flatten();
        all.map(|listener| listener.since).min()
    }

    /// Tells everybody who listens to the session.
    pub(super) fn tell(&self, event: Event) {
        let let_go = self.listeners().tell(&Arc::new(event));
        if let_go > 0 {
            self.0.let_go.fetch_add(let_go, Ordering::Relaxed);
            tracing::debug!(let_go, "listeners that do not read were let go");
        }
    }

    /// Tells everybody that nothing follows. Who waits in [`Events::ended`]
    /// waits for those who listen at this moment.
    pub fn end(&self) {
        self.0.ending.cancel();
        self.0.open.close();
    }

    /// Returns when, after [`Events::end`], nobody listens any more.
    pub async fn ended(&self) {
        self.0.open.wait().await;
    }

    fn listeners(&self) -> MutexGuard<'_, Listeners> {
        let listeners = self.0.listeners.lock();
        listeners.unwrap_or_else(PoisonError::into_inner)
    }
}

impl Listeners {
    fn add(
        &mut self,
        session: SessionId,
        places: usize,
        listener: impl FnOnce(u64) -> Listener,
    ) -> Result<u64, Error> {
        if self.count >= places {
            return Err(Error::TooManyStreams("the gateway"));
        }
        let of_session = self.by_session.entry(session).or_default();
        if of_session.len() >= PER_SESSION {
            return Err(Error::TooManyStreams("the session"));
        }
        let id = self.next_id;
        of_session.push(listener(id));
        self.next_id += 1;
        self.count += 1;
        Ok(id)
    }

    fn remove(&mut self, session: SessionId, id: u64) {
        self.retain(session, |listener| listener.id != id);
    }

    /// How many were let go.
    fn tell(&mut self, event: &Arc<Event>) -> u64 {
        let mut let_go = 0;
        self.retain(event.invocation.session_id, |listener| {
            let stays = listener.take(event);
            let_go += u64::from(!stays);
            stays
        });
        let_go
    }

    fn retain(&mut self, session: SessionId, stays: impl FnMut(&Listener) -> bool) {
        let Some(listeners) = self.by_session.get_mut(&session) else {
            return;
        };
        let before = listeners.len();
        listeners.retain(stays);
        self.count -= before - listeners.len();
        if listeners.is_empty() {
            self.by_session.remove(&session);
        }
    }
}

impl Listener {
    /// False when there is no room, which ends it.
    fn take(&self, event: &Arc<Event>) -> bool {
        if event.at < self.since {
            return true;
        }
        match self.queue.try_send(Arc::clone(event)) {
            Err(TrySendError::Full(_)) => {
                self.let_go.cancel();
                false
            }
            // One that has just gone removes itself.
            Ok(()) | Err(TrySendError::Closed(_)) => true,
        }
    }
}

impl Subscription {
    /// What comes next. Safe to be cancelled.
    pub async fn next(&mut self) -> Heard {
        tokio::select! {
            biased;
            () = self.let_go.cancelled() => Heard::LetGo,
            event = self.queue.recv() => event.map_or(Heard::LetGo, Heard::Event),
            () = self.events.0.ending.cancelled() => Heard::End,
        }
    }

    /// Returns once this listener was let go.
    pub async fn is_let_go(&self) {
        self.let_go.cancelled().await;
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        self.events.listeners().remove(self.session, self.id);
    }
}
