//! What agents may use, kept between their requests.
//!
//! An agent asks again and again, and what it may use hardly ever changes. A copy
//! saves reading it before each admission; it decides nothing, since admission
//! compares it with the rows under the session's lock. It only says which connection
//! will probably be used, so that the slow part can be done beforehand.
//!
//! A copy goes when a hint says that it may have changed and when hints may have
//! been missed, and is not used after a few seconds in any case. It belongs to one
//! session, and with it to one user of one organization for good.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use portcullis_core::id::SessionId;
use portcullis_core::time::Timestamp;
use portcullis_storage::{HintKind, Noted, Storage};
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::TryRecvError;

use super::Agent;
use crate::aging::Aging;

/// How old a copy may become without a hint, which may have been lost.
const MAX_AGE: Duration = Duration::from_secs(5);

/// Copies that are kept. More sessions than that are not busy within seconds.
const MAX_KEPT: usize = 4_096;

/// Copies of what agents may use.
pub struct AgentCache(Mutex<Copies>);

struct Copies {
    hints: Receiver<Noted>,
    by_session: Aging<SessionId, Arc<Agent>>,
}

impl AgentCache {
    /// An empty one, for the rows of a database.
    pub fn new(storage: &dyn Storage) -> Self {
        Self::listening(storage.hints())
    }

    fn listening(hints: Receiver<Noted>) -> Self {
        Self(Mutex::new(Copies {
            hints,
            by_session: Aging::new(MAX_AGE, MAX_KEPT),
        }))
    }

    /// The copy of a session's, if it is still good.
    pub(super) fn find(&self, session: SessionId, now: Timestamp) -> Option<Arc<Agent>> {
        let mut copies = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        copies.listen();
        copies.by_session.get(&session, now).cloned()
    }

    /// Forgets what is too old to be used; to be called now and then.
    pub(crate) fn tidy(&self, now: Timestamp) {
        let mut copies = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        copies.by_session.tidy(now);
    }

    /// Keeps what was read, beginning at `read_at`.
    pub(super) fn keep(&self, agent: &Arc<Agent>, read_at: Timestamp) {
        let mut copies = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        copies
            .by_session
            .insert(agent.session.id, Arc::clone(agent), read_at);
    }
}

impl Copies {
    /// Drops what hints speak of.
    fn listen(&mut self) {
        loop {
            match self.hints.try_recv() {
                Ok(Noted::Changed(hint)) => self.drop_changed(hint.kind, &hint.id),
                Ok(Noted::MissedSome) | Err(TryRecvError::Lagged(_)) => self.by_session.clear(),
                Err(TryRecvError::Empty | TryRecvError::Closed) => return,
            }
        }
    }

    fn drop_changed(&mut self, kind: HintKind, id: &str) {
        match kind {
            HintKind::Sessions => {
                if let Ok(session) = id.parse() {
                    self.by_session.remove(&session);
                }
            }
            HintKind::Connections => self
                .by_session
                .retain(|agent| agent.session.organization_id.as_str() != id),
            HintKind::Modes
            | HintKind::Reviews
            | HintKind::EgressGrants
            | HintKind::Invocations
            | HintKind::Plugins => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use portcullis_storage::{Hint, Session};
    use tokio::sync::broadcast::{Sender, channel};
    use uuid::Uuid;

    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_micros(seconds * 1_000_000)
    }

    fn agent(number: u128, organization: &str) -> Arc<Agent> {
        Arc::new(Agent {
            session: Session {
                id: SessionId::new(Uuid::from_u128(number)),
                organization_id: organization.parse().unwrap(),
                user_id: None,
                automation_id: None,
                title: None,
                connection_ids: Vec::new(),
                created_at: at(0),
                closed_at: None,
            },
            connections: Vec::new(),
        })
    }

    /// A cache with a session of each of two organizations, read in second 10.
    fn cache() -> (AgentCache, [SessionId; 2], Sender<Noted>) {
        let (sender, receiver) = channel(4);
        let cache = AgentCache::listening(receiver);
        let agents = [agent(1, "acme"), agent(2, "globex")];
        for agent in &agents {
            cache.keep(agent, at(10));
        }
        (cache, agents.map(|agent| agent.session.id), sender)
    }

    fn kept(cache: &AgentCache, sessions: [SessionId; 2], now: Timestamp) -> [bool; 2] {
        sessions.map(|session| cache.find(session, now).is_some())
    }

    #[test]
    fn a_copy_is_good_for_a_few_seconds() {
        let (cache, sessions, _sender) = cache();
        for (seconds, good) in [(9, false), (10, true), (14, true), (15, false)] {
            let found = kept(&cache, sessions, at(seconds));
            assert_eq!(found, [good, good], "{seconds}");
        }
    }

    #[test]
    fn a_hint_drops_what_it_speaks_of_and_nothing_else() {
        let session = Uuid::from_u128(1).to_string();
        for (kind, id, expected) in [
            (HintKind::Connections, "acme", [false, true]),
            (HintKind::Connections, "initech", [true, true]),
            (HintKind::Sessions, session.as_str(), [false, true]),
            (HintKind::Sessions, "no id", [true, true]),
            (HintKind::Modes, "acme", [true, true]),
        ] {
            let (cache, sessions, sender) = cache();
            let id = id.to_owned();
            sender.send(Noted::Changed(Hint { kind, id })).unwrap();
            assert_eq!(kept(&cache, sessions, at(11)), expected, "{kind:?}");
        }
    }

    #[test]
    fn missed_hints_drop_everything() {
        let (cache, sessions, sender) = cache();
        sender.send(Noted::MissedSome).unwrap();
        assert_eq!(kept(&cache, sessions, at(11)), [false, false]);
        for agent in [agent(1, "acme"), agent(2, "globex")] {
            cache.keep(&agent, at(11));
        }
        for _ in 0..10 {
            let id = "initech".to_owned();
            let kind = HintKind::Connections;
            sender.send(Noted::Changed(Hint { kind, id })).unwrap();
        }
        assert_eq!(kept(&cache, sessions, at(11)), [false, false]);
    }

    #[test]
    fn what_is_kept_is_bounded() {
        let (cache, sessions, _sender) = cache();
        for number in 3..=MAX_KEPT as u128 {
            cache.keep(&agent(number, "acme"), at(12));
        }
        // The two oldest are no longer good when the next one needs their place.
        cache.keep(&agent(0, "acme"), at(15));
        assert_eq!(kept(&cache, sessions, at(15)), [false, false]);
        assert_eq!(
            cache.0.lock().unwrap().by_session.keys().len(),
            MAX_KEPT - 1
        );
        for number in 0..=MAX_KEPT as u128 {
            cache.keep(&agent(number, "acme"), at(16));
        }
        assert!(cache.0.lock().unwrap().by_session.keys().len() <= MAX_KEPT);
    }
}
