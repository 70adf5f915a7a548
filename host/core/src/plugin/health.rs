//! When a version is so ill that the one before it has to come back.
//!
//! Traps are a guest's own, and an agent may know how to provoke them. So no session
//! counts for more than half of what a judgement takes, and the traps have to come
//! from several: one agent cannot take a version away from everybody.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::time::Duration;

use crate::id::SessionId;
use crate::time::Timestamp;

/// How many outcomes are remembered: about 200 KB.
const MAX_OUTCOMES: usize = 4_096;

/// When a version is rolled back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TrapRule {
    /// How many calls have to have ended within the window: 2 to 4,096, and what is
    /// outside counts as the nearest of these.
    pub min_calls: usize,
    /// How many of a hundred calls may trap; 100: as many as like.
    pub max_trapped_percent: usize,
    /// From how many sessions the traps have to come; fewer than 2 count as 2.
    pub min_sessions: usize,
    /// How far back outcomes count.
    pub window: Duration,
}

impl Default for TrapRule {
    /// More than half of at least 20 calls within 10 minutes, in two sessions.
    fn default() -> Self {
        Self {
            min_calls: 20,
            max_trapped_percent: 50,
            min_sessions: 2,
            window: Duration::from_mins(10),
        }
    }
}

/// What is to become of a version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Judgement {
    /// It goes on serving.
    Keep,
    /// The version before it is to come back, because of this.
    RollBack {
        /// How many calls counted.
        calls: usize,
        /// How many of them trapped.
        trapped: usize,
        /// In how many sessions those were.
        sessions: usize,
    },
}

/// Remembers how the latest calls of one version ended, and judges it.
#[derive(Debug)]
pub struct TrapWatch {
    rule: TrapRule,
    next: u64,
    outcomes: BTreeMap<u64, Outcome>,
    sessions: HashMap<SessionId, Latest>,
    trapped: usize,
    trapping_sessions: usize,
}

#[derive(Debug)]
struct Outcome {
    session: SessionId,
    at: Timestamp,
    trapped: bool,
}

/// A session's outcomes, oldest first; never empty.
#[derive(Debug, Default)]
struct Latest {
    numbers: VecDeque<u64>,
    trapped: usize,
}

impl TrapWatch {
    /// Watches a version that nobody has called yet.
    pub fn new(rule: TrapRule) -> Self {
        Self {
            rule: TrapRule {
                min_calls: rule.min_calls.clamp(2, MAX_OUTCOMES),
                min_sessions: rule.min_sessions.max(2),
                ..rule
            },
            next: 0,
            outcomes: BTreeMap::new(),
            sessions: HashMap::new(),
            trapped: 0,
            trapping_sessions: 0,
        }
    }

    /// Notes how a call ended, and judges. Whoever is told to roll back stops
    /// watching.
    pub fn record(&mut self, session: SessionId, ended_by_trap: bool, now: Timestamp) -> Judgement {
        self.forget_old(now);
        self.remember(Outcome {
            session,
            at: now,
            trapped: ended_by_trap,
        });
        self.forget_surplus(session);
        self.judge()
    }

    fn judge(&self) -> Judgement {
        let (calls, trapped) = (self.outcomes.len(), self.trapped);
        let is_ill = calls >= self.rule.min_calls
            && self.trapping_sessions >= self.rule.min_sessions
            && trapped * 100 > calls * self.rule.max_trapped_percent;
        if !is_ill {
            return Judgement::Keep;
        }
        Judgement::RollBack {
            calls,
            trapped,
            sessions: self.trapping_sessions,
        }
    }

    fn remember(&mut self, outcome: Outcome) {
        let latest = self.sessions.entry(outcome.session).or_default();
        latest.numbers.push_back(self.next);
        if outcome.trapped {
            self.trapping_sessions += usize::from(latest.trapped == 0);
            latest.trapped += 1;
            self.trapped += 1;
        }
        self.outcomes.insert(self.next, outcome);
        self.next += 1;
    }

    fn forget_old(&mut self, now: Timestamp) {
        while let Some((number, oldest)) = self.outcomes.first_key_value() {
            if now.since(oldest.at) < self.rule.window {
                break;
            }
            self.forget(*number);
        }
    }

    /// A session counts with its latest, and the oldest of all make room.
    fn forget_surplus(&mut self, session: SessionId) {
        let latest = self.sessions.get(&session);
        let surplus = latest.filter(|it| it.numbers.len() > self.rule.min_calls / 2);
        if let Some(number) = surplus.and_then(|it| it.numbers.front().copied()) {
            self.forget(number);
        }
        if self.outcomes.len() > MAX_OUTCOMES
            && let Some((number, _)) = self.outcomes.first_key_value()
        {
            self.forget(*number);
        }
    }

    /// Forgets an outcome, the oldest of its session.
    fn forget(&mut self, number: u64) {
        let Some(outcome) = self.outcomes.remove(&number) else {
            return;
        };
        if let Some(latest) = self.sessions.get_mut(&outcome.session) {
            latest.numbers.pop_front();
            if outcome.trapped {
                latest.trapped -= 1;
                self.trapped -= 1;
                self.trapping_sessions -= usize::from(latest.trapped == 0);
            }
            if latest.numbers.is_empty() {
                self.sessions.remove(&outcome.session);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;

    const RULE: TrapRule = TrapRule {
        min_calls: 10,
        max_trapped_percent: 50,
        min_sessions: 2,
        window: Duration::from_mins(10),
    };

    fn session(number: u128) -> SessionId {
        SessionId::new(Uuid::from_u128(number))
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_micros(seconds * 1_000_000)
    }

    /// Feeds outcomes of sessions, one a second; tells the last judgement.
    fn fed(watch: &mut TrapWatch, outcomes: &[(u128, bool)]) -> Judgement {
        let mut judgement = Judgement::Keep;
        for (second, (number, trapped)) in (0..).zip(outcomes) {
            judgement = watch.record(session(*number), *trapped, at(second));
        }
        judgement
    }

    #[track_caller]
    fn check(outcomes: &[(u128, bool)], expected: Judgement) {
        assert_eq!(fed(&mut TrapWatch::new(RULE), outcomes), expected);
    }

    #[test]
    fn traps_in_several_sessions_bring_the_former_version_back() {
        let outcomes = [[(1, true), (2, true)]; 5].concat();
        check(&outcomes[..9], Judgement::Keep);
        let roll_back = Judgement::RollBack {
            calls: 10,
            trapped: 10,
            sessions: 2,
        };
        check(&outcomes, roll_back);
    }

    #[test]
    fn half_of_the_calls_may_trap() {
        let mut outcomes = [[(1, true), (2, false)]; 4].concat();
        outcomes.extend([(2, true), (3, false)]);
        check(&outcomes, Judgement::Keep);
        outcomes.push((3, true));
        let roll_back = Judgement::RollBack {
            calls: 11,
            trapped: 6,
            sessions: 3,
        };
        check(&outcomes, roll_back);
    }

    #[test]
    fn one_session_cannot_make_all_the_traps() {
        let mut outcomes = vec![(1, true); 100];
        outcomes.extend([(2, false); 4]);
        check(&outcomes, Judgement::Keep);
        // The other session's own trap is needed, and makes the tenth call.
        outcomes.push((2, true));
        let roll_back = Judgement::RollBack {
            calls: 10,
            trapped: 6,
            sessions: 2,
        };
        check(&outcomes, roll_back);
    }

    #[test]
    fn what_is_older_than_the_window_is_forgotten() {
        let mut watch = TrapWatch::new(RULE);
        assert_eq!(
            fed(&mut watch, &[[(1, true), (2, true)]; 4].concat()),
            Judgement::Keep
        );
        let later = RULE.window + Duration::from_secs(7);
        let later = at(0).saturating_add(later);
        for number in [1, 2, 3] {
            assert_eq!(watch.record(session(number), true, later), Judgement::Keep);
        }
        assert_eq!(watch.outcomes.len(), 3);
    }

    #[test]
    fn memory_is_bounded() {
        let mut watch = TrapWatch::new(RULE);
        for number in 0..20_000 {
            watch.record(session(number), number % 3 == 0, at(0));
        }
        assert_eq!(watch.outcomes.len(), MAX_OUTCOMES);
        assert_eq!(watch.sessions.len(), MAX_OUTCOMES);
    }

    /// Few sessions, some seconds apart.
    fn histories() -> impl Strategy<Value = Vec<(u128, bool, i64)>> {
        vec((1_u128..5, any::<bool>(), 0_i64..200), 0..80)
    }

    proptest! {
        #[test]
        fn no_session_brings_a_version_down_alone(
            own in vec(any::<bool>(), 0..100),
            others in vec(2_u128..6, 0..100),
            min_calls in 0_usize..40,
            max_trapped_percent in 0_usize..100,
            min_sessions in 0_usize..4,
        ) {
            let rule = TrapRule { min_calls, max_trapped_percent, min_sessions, ..RULE };
            let mut watch = TrapWatch::new(rule);
            let mut others = others.into_iter();
            for trapped in own {
                prop_assert_eq!(watch.record(session(1), trapped, at(0)), Judgement::Keep);
                if let Some(other) = others.next() {
                    prop_assert_eq!(watch.record(session(other), false, at(0)), Judgement::Keep);
                }
            }
        }

        #[test]
        fn counts_are_those_of_what_is_remembered(history in histories()) {
            let mut watch = TrapWatch::new(RULE);
            let mut now = 0;
            for (number, trapped, later) in history {
                now += later;
                watch.record(session(number), trapped, at(now));
                let outcomes = || watch.outcomes.values();
                prop_assert_eq!(watch.trapped, outcomes().filter(|it| it.trapped).count());
                let trapping = watch.sessions.values().filter(|it| it.trapped > 0).count();
                prop_assert_eq!(watch.trapping_sessions, trapping);
                let numbers: usize = watch.sessions.values().map(|it| it.numbers.len()).sum();
                prop_assert_eq!(numbers, watch.outcomes.len());
                prop_assert!(watch.sessions.values().all(|it| it.numbers.len() <= 5));
                prop_assert!(outcomes().all(|it| at(now).since(it.at) < RULE.window));
            }
        }
    }
}
