//! What is to be killed, where, how often and when.

use std::fmt;

use crate::random::Random;

/// A run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scenario {
    /// The database, and how many gateways share it.
    pub place: Place,
    /// What is killed.
    pub victim: Victim,
    /// How often.
    pub kills: u64,
    /// Makes all choices. How threads and processes take turns is chance all the
    /// same, so a seed repeats a run in kind and not to the letter.
    pub seed: u64,
}

/// Where gateways keep their rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// A file of one gateway.
    Sqlite,
    /// A server that so many gateways share.
    Postgres {
        /// At least one.
        gateways: usize,
    },
}

/// What is killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Victim {
    /// One of the gateways.
    Gateway,
    /// The database's server, which is then one of the run's own.
    Server,
    /// Now this, now that.
    Either,
}

impl fmt::Display for Scenario {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kills, seed, .. } = self;
        let victim = match self.victim {
            Victim::Gateway => "a gateway",
            Victim::Server => "the database's server",
            Victim::Either => "a gateway or the database's server",
        };
        let place = match self.place {
            Place::Sqlite => "SQLite".to_owned(),
            Place::Postgres { gateways } => format!("Postgres, {gateways} gateway(s)"),
        };
        write!(f, "{place}: {victim} is killed {kills} times (seed {seed})")
    }
}

/// When it is killed: always by how far things have come, never by the time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Moment {
    /// After so many more requests to the upstream.
    Requests(u64),
    /// After so many more answers to clients.
    Answers(u64),
    /// While the upstream has got so many requests and answers none.
    Held(u64),
    /// After so many calls have taken too long, since the upstream answers none.
    Hanging(u64),
    /// Like `Answers`, and once more as soon as it takes connections again.
    Starting(u64),
}

impl Moment {
    /// The next one: each kind has its turn, so that few kills meet all of them.
    pub(crate) fn choose(kill: u64, random: &mut Random) -> Self {
        match kill % 5 {
            0 => Self::Requests(1 + random.below(60)),
            1 => Self::Held(1 + random.below(3)),
            2 => Self::Answers(1 + random.below(60)),
            3 => Self::Hanging(1 + random.below(2)),
            _ => Self::Starting(1 + random.below(30)),
        }
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Requests(count) => write!(f, "after {count} requests to the upstream"),
            Self::Answers(count) => write!(f, "after {count} answers"),
            Self::Held(count) => write!(f, "with {count} or more requests at the upstream"),
            Self::Hanging(count) => write!(f, "after the upstream let {count} calls time out"),
            Self::Starting(count) => write!(f, "after {count} answers, and again at its start"),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::mem::{Discriminant, discriminant};

    use super::*;

    #[test]
    fn five_kills_meet_every_kind_of_moment() {
        let mut random = Random::new(1);
        let kinds: Vec<Discriminant<Moment>> = (0..5)
            .map(|kill| discriminant(&Moment::choose(kill, &mut random)))
            .collect();
        for (at, kind) in kinds.iter().enumerate() {
            assert!(!kinds[..at].contains(kind));
        }
    }
}
