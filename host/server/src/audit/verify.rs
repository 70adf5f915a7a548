//! Whether the record is whole and as gateways wrote it.
//!
//! Everything is read in one transaction and in pages, beside gateways that go on
//! writing. What is wrong is named as closely as possible: each place is compared
//! with the code that the place before it has, so that one that was changed does not
//! make all after it suspicious. What is outside of the database, an [`Anchor`] that
//! somebody noted, is what an older state of it, put back as a whole, is found by.

mod anchor;
mod finding;
mod walk;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use portcullis_core::audit::AuditChain;
use portcullis_core::time::Timestamp;
use portcullis_storage::{
    AuditCheckpoint, BoxUnitOfWork, Error, QueuedEvent, Storage, StoredEvent,
};

use super::AuditKey;
use walk::{Walk, is_beginning};

pub use anchor::{Anchor, NoAnchor};
pub use finding::{Fault, Finding, Findings};

/// Rows that are read at once.
const PAGE: u32 = 500;

/// How long an event may wait for its place. A gateway at work gives it one within
/// a second.
const PATIENCE: Duration = Duration::from_mins(1);

/// What was verified, and what was found.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Verification {
    /// Every chain there is or should be: the gateway's own, then those of
    /// organizations by id.
    pub chains: Vec<VerifiedChain>,
    /// Events that wait for their places.
    pub waiting: u64,
    /// When the first of them happened, of those that a gateway wrote.
    pub oldest_waiting: Option<Timestamp>,
    /// What is wrong.
    pub findings: Findings,
}

/// A chain that was verified.
#[derive(Debug, PartialEq, Eq)]
pub struct VerifiedChain {
    /// Its name in rows.
    pub chain: String,
    /// How many places it has.
    pub places: u64,
    /// Its last place, to be noted and kept elsewhere; `None` when it is empty or
    /// something is wrong with it.
    pub head: Option<Anchor>,
}

impl Verification {
    /// Whether nothing is wrong.
    pub fn is_sound(&self) -> bool {
        self.findings.total == 0
    }

    /// How many places all chains have.
    pub fn places(&self) -> u64 {
        self.chains.iter().map(|chain| chain.places).sum()
    }

    /// Whether events wait for so long that no gateway can be at work.
    pub fn waits_too_long(&self, now: Timestamp) -> bool {
        let oldest = self.oldest_waiting;
        oldest.is_some_and(|oldest| now.since(oldest) > PATIENCE)
    }
}

/// Verifies the whole record; `on_progress` is told after every page how many places
/// were verified.
pub async fn verify(
    storage: &dyn Storage,
    key: &AuditKey,
    anchors: &[Anchor],
    on_progress: impl FnMut(u64) + Send,
) -> Result<Verification, Error> {
    let verifier = Verifier {
        work: storage.read().await?,
        key,
        anchors,
        begun: BTreeSet::new(),
        verified: Verification::default(),
        on_progress,
    };
    verifier.verify().await
}

struct Verifier<'a, P> {
    work: BoxUnitOfWork,
    key: &'a AuditKey,
    anchors: &'a [Anchor],
    /// Chains whose first event waits for its place.
    begun: BTreeSet<String>,
    verified: Verification,
    on_progress: P,
}

impl<P: FnMut(u64) + Send> Verifier<'_, P> {
    async fn verify(mut self) -> Result<Verification, Error> {
        self.check_queue().await?;
        let checkpoints = self.work.audit().checkpoints().await?;
        let checkpoints: BTreeMap<_, _> = checkpoints
            .into_iter()
            .map(|checkpoint| (checkpoint.chain.clone(), checkpoint))
            .collect();
        for chain in self.names().await? {
            let checkpoint = checkpoints.get(&chain);
            self.check_chain(chain, checkpoint).await?;
        }
        self.check_strays().await?;
        self.work.cancel().await?;
        Ok(self.verified)
    }

    /// Chains that exist, that should exist, or that somebody has noted.
    async fn names(&mut self) -> Result<BTreeSet<String>, Error> {
        let mut names: BTreeSet<_> = self.work.audit().chains().await?.into_iter().collect();
        names.insert(AuditChain::Gateway.as_str().to_owned());
        names.extend(self.anchors.iter().map(|anchor| anchor.chain.clone()));
        Ok(names)
    }

    async fn check_chain(
        &mut self,
        chain: String,
        checkpoint: Option<&AuditCheckpoint>,
    ) -> Result<(), Error> {
        let findings = &mut self.verified.findings;
        let found_before = findings.total;
        let before = self
            .verified
            .chains
            .iter()
            .map(|chain| chain.places)
            .sum::<u64>();
        let mut walk = Walk::new(self.key, &chain, self.anchors);
        loop {
            let after = walk.position();
            let page = self.work.audit().linked(&chain, after, PAGE).await?;
            let is_last = page.len() < PAGE as usize;
            for met in page {
                walk.meet(met, findings);
            }
            (self.on_progress)(before + walk.places);
            if is_last {
                break;
            }
        }
        let places = walk.places;
        let is_begun = walk.has_beginning || self.begun.contains(&chain);
        let is_empty = places == 0 && checkpoint.is_none();
        let unbegun = walk.of_chain(if is_empty {
            Fault::NoRecord
        } else {
            Fault::BeginningMissing
        });
        let head = walk.end(checkpoint, findings);
        // Where something else is wrong, the beginning may be part of that.
        if !is_begun && findings.total == found_before {
            findings.add(unbegun);
        }
        let is_sound = findings.total == found_before;
        self.verified.chains.push(VerifiedChain {
            chain,
            places,
            head: head.filter(|_| is_sound),
        });
        Ok(())
    }

    async fn check_queue(&mut self) -> Result<(), Error> {
        let mut after = String::new();
        loop {
            let page = self.work.audit().queued(&after, PAGE).await?;
            let Some(last) = page.last() else {
                return Ok(());
            };
            after.clone_from(&last.event_id);
            for queued in page {
                self.check_queued(queued);
            }
        }
    }

    fn check_queued(&mut self, queued: QueuedEvent) {
        let fault = self.fault_of_queued(&queued);
        self.verified.waiting += 1;
        let QueuedEvent {
            event_id,
            chain,
            position,
            event,
        } = queued;
        if let Some(fault) = fault {
            self.verified.findings.add(Finding {
                chain,
                places: position.map(|position| (position, position)),
                event_id: Some(event_id),
                fault,
            });
        } else if let Some(event) = event {
            self.wait(&event);
        }
    }

    fn fault_of_queued(&self, queued: &QueuedEvent) -> Option<Fault> {
        let Some(event) = &queued.event else {
            return Some(Fault::WaitingMissing);
        };
        if !self.key.is_genuine(event) {
            return Some(Fault::WaitingForged);
        }
        if event.chain != queued.chain {
            return Some(Fault::WaitingForeign);
        }
        queued.position.map(|_| Fault::WaitingTwice)
    }

    /// Notes an event that waits as it should.
    fn wait(&mut self, event: &StoredEvent) {
        if is_beginning(event) {
            self.begun.insert(event.chain.clone());
        }
        let at = Timestamp::from_micros(event.at);
        let oldest = self.verified.oldest_waiting.get_or_insert(at);
        *oldest = at.min(*oldest);
    }

    async fn check_strays(&mut self) -> Result<(), Error> {
        let mut after = String::new();
        loop {
            let page = self.work.audit().strays(&after, PAGE).await?;
            let Some(last) = page.last() else {
                return Ok(());
            };
            after.clone_from(&last.id);
            for stray in page {
                let fault = if self.key.is_genuine(&stray) {
                    Fault::PlaceRemoved
                } else {
                    Fault::EventInserted
                };
                self.verified.findings.add(Finding {
                    chain: stray.chain,
                    places: None,
                    event_id: Some(stray.id),
                    fault,
                });
            }
        }
    }
}
