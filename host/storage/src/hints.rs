//! Hints: one gateway tells the others that something changed.
//!
//! A hint carries a kind and an id and nothing else. It may be lost, come late or
//! come twice, so it decides nothing: whoever keeps a copy of rows re-reads them
//! on a hint, and now and then without one.

use tokio::sync::broadcast;

use crate::Error;

/// No id of ours is longer, and Postgres carries less than 8,000 bytes.
const MAX_ID_BYTES: usize = 1_024;

/// How many hints may wait for a slow reader, who afterwards re-reads everything.
const BACKLOG: usize = 1_024;

/// What changed.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Hint {
    /// The kind of thing.
    pub kind: HintKind,
    /// Whose thing or which one, as the kind says; at most 1,024 bytes.
    pub id: String,
}

/// The kinds of things that change and that gateways keep copies of, or show to
/// people who wait for them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum HintKind {
    /// Modes; the id is that of the organization or the automation whose they are.
    Modes,
    /// What was reviewed, and what other words mean; the id is the organization's.
    Reviews,
    /// Connections; the id is the organization's.
    Connections,
    /// Granted origins, all of them; the id says nothing.
    EgressGrants,
    /// A session, by its id.
    Sessions,
    /// An invocation, by its id.
    Invocations,
    /// What is to be served as a plugin, by its id.
    Plugins,
}

/// What listeners hear.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Noted {
    /// Something changed, maybe through this very gateway.
    Changed(Hint),
    /// Hints may have been missed: re-read everything.
    MissedSome,
}

impl HintKind {
    const ALL: [Self; 7] = [
        Self::Modes,
        Self::Reviews,
        Self::Connections,
        Self::EgressGrants,
        Self::Sessions,
        Self::Invocations,
        Self::Plugins,
    ];

    /// Its name between gateways, which may be of different versions.
    const fn as_str(self) -> &'static str {
        match self {
            Self::Modes => "modes",
            Self::Reviews => "reviews",
            Self::Connections => "connections",
            Self::EgressGrants => "egress_grants",
            Self::Sessions => "sessions",
            Self::Invocations => "invocations",
            Self::Plugins => "plugins",
        }
    }

    fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }
}

impl Hint {
    /// `kind:id`.
    fn to_payload(&self) -> Result<String, Error> {
        if is_id(&self.id) {
            return Ok(format!("{}:{}", self.kind.as_str(), self.id));
        }
        Err(Error::Database {
            operation: "hint",
            source: "the id is longer than 1,024 bytes, or holds NUL".into(),
        })
    }

    /// Reads what another gateway sent; none when it is newer and speaks of what
    /// this one does not know, or when it is no gateway.
    pub(crate) fn from_payload(payload: &str) -> Option<Self> {
        let (kind, id) = payload.split_once(':')?;
        is_id(id).then_some(Self {
            kind: HintKind::from_name(kind)?,
            id: id.to_owned(),
        })
    }
}

/// What is sent for these.
pub(crate) fn payloads(hints: &[Hint]) -> Result<Vec<String>, Error> {
    hints.iter().map(Hint::to_payload).collect()
}

fn is_id(id: &str) -> bool {
    id.len() <= MAX_ID_BYTES && !id.contains('\0')
}

/// Passes hints on to everybody in this process.
#[derive(Clone)]
pub(crate) struct Hub(broadcast::Sender<Noted>);

impl Hub {
    pub(crate) fn new() -> Self {
        Self(broadcast::Sender::new(BACKLOG))
    }

    pub(crate) fn tell(&self, noted: Noted) {
        // Nobody listens: then nobody needs to know.
        let _ = self.0.send(noted);
    }

    pub(crate) fn subscribe(&self) -> broadcast::Receiver<Noted> {
        self.0.subscribe()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hint_reads_back_as_it_was_sent() {
        for kind in HintKind::ALL {
            let hint = Hint {
                kind,
                id: "a:b".to_owned(),
            };
            let payload = hint.to_payload().unwrap();
            assert_eq!(Hint::from_payload(&payload), Some(hint), "{payload}");
        }
    }

    #[test]
    fn what_is_not_understood_is_ignored() {
        let long = format!("modes:{}", "a".repeat(MAX_ID_BYTES + 1));
        for payload in ["", "modes", "moods:acme", "Modes:acme", ":acme", &long] {
            assert_eq!(Hint::from_payload(payload), None, "{payload}");
        }
    }

    #[test]
    fn an_id_is_bounded() {
        for id in ["a".repeat(MAX_ID_BYTES + 1), "\0".to_owned()] {
            let kind = HintKind::Modes;
            assert!(Hint { kind, id }.to_payload().is_err());
        }
    }
}
