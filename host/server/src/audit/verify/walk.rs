//! Along a chain, place by place.

use portcullis_core::audit::AuditKind;
use portcullis_storage::{AuditCheckpoint, LinkedEvent, StoredEvent};

use super::anchor::Anchor;
use super::finding::{Fault, Finding, Findings};
use crate::audit::AuditKey;

/// Whether a record begins with such an event.
pub(super) fn is_beginning(event: &StoredEvent) -> bool {
    [AuditKind::AuditBegun, AuditKind::OrganizationCreated]
        .iter()
        .any(|kind| kind.as_str() == event.kind)
}

/// What is known of a chain after some of its places.
pub(super) struct Walk<'a> {
    key: &'a AuditKey,
    chain: &'a str,
    /// Those of this chain that were not met.
    anchors: Vec<&'a Anchor>,
    /// The last place, if there was one.
    last: Option<Place>,
    /// How many there were.
    pub(super) places: u64,
    /// Whether the event was met with which the record begins.
    pub(super) has_beginning: bool,
}

struct Place {
    position: i64,
    mac: Vec<u8>,
    /// The codes to which the next place may be bound: the one that is stored, and
    /// the one that should be, so that a changed code does not put the blame on the
    /// places after it.
    codes: Vec<Vec<u8>>,
    /// Whether nothing was wrong with it.
    is_sound: bool,
}

impl<'a> Walk<'a> {
    pub(super) fn new(key: &'a AuditKey, chain: &'a str, anchors: &'a [Anchor]) -> Self {
        Self {
            key,
            chain,
            anchors: anchors
                .iter()
                .filter(|anchor| anchor.chain == chain)
                .collect(),
            last: None,
            places: 0,
            has_beginning: false,
        }
    }

    /// The last place there was; 0 before the first.
    pub(super) fn position(&self) -> i64 {
        self.last.as_ref().map_or(0, |last| last.position)
    }

    /// The next place.
    pub(super) fn meet(&mut self, met: LinkedEvent, findings: &mut Findings) {
        let position = met.link.position;
        let expected = self.position().saturating_add(1);
        if position > expected {
            self.find(findings, Fault::PlacesMissing, (expected, position - 1));
        }
        self.compare(&met, findings);
        let fault = self.fault_of(&met);
        if let Some(fault) = fault {
            findings.add(Finding {
                chain: self.chain.to_owned(),
                places: Some((position, position)),
                event_id: Some(met.link.event_id.clone()),
                fault,
            });
        }
        self.places += 1;
        self.has_beginning |= fault.is_none() && met.event.as_ref().is_some_and(is_beginning);
        self.last = Some(Place {
            position,
            codes: self.codes_after(&met),
            mac: met.link.mac,
            is_sound: fault.is_none(),
        });
    }

    /// What is wrong with the place itself or with its event: the first of it, since
    /// the rest follows.
    fn fault_of(&self, met: &LinkedEvent) -> Option<Fault> {
        let Some(event) = &met.event else {
            return Some(Fault::EventMissing);
        };
        if !self.key.is_genuine(event) {
            return Some(Fault::EventChanged);
        }
        if event.chain != self.chain {
            return Some(Fault::EventForeign);
        }
        let codes = self.codes_before(met.link.position);
        let fits = |before: &Vec<u8>| self.key.is_link(self.chain, &met.link, before, &event.mac);
        // After a gap there is nothing to compare with.
        (!codes.is_empty() && !codes.iter().any(fits)).then_some(Fault::PlaceChanged)
    }

    /// The codes to which a place may be bound; none when the one before is missing.
    fn codes_before(&self, position: i64) -> Vec<Vec<u8>> {
        match &self.last {
            None if position == 1 => vec![Vec::new()],
            Some(last) if last.position.checked_add(1) == Some(position) => last.codes.clone(),
            _ => Vec::new(),
        }
    }

    fn codes_after(&self, met: &LinkedEvent) -> Vec<Vec<u8>> {
        let mut codes = vec![met.link.mac.clone()];
        if let (Some(event), Some(before)) = (
            &met.event,
            self.codes_before(met.link.position).into_iter().next(),
        ) {
            let position = met.link.position;
            let right = self.key.link(self.chain, position, &before, &event.mac);
            if !codes.contains(&right) {
                codes.push(right);
            }
        }
        codes
    }

    /// Compares with what was noted of this place.
    fn compare(&mut self, met: &LinkedEvent, findings: &mut Findings) {
        let position = met.link.position;
        let (here, others) = (self.anchors.iter().copied())
            .partition::<Vec<_>, _>(|anchor| anchor.position == position);
        self.anchors = others;
        if here.iter().any(|anchor| anchor.mac != met.link.mac) {
            self.find(findings, Fault::AnchorDiffers, (position, position));
        }
    }

    /// The end of the chain: whether it is where the checkpoint says, and whether it
    /// reaches what was noted. Returns its head.
    pub(super) fn end(
        self,
        checkpoint: Option<&AuditCheckpoint>,
        findings: &mut Findings,
    ) -> Option<Anchor> {
        for anchor in &self.anchors {
            let places = (anchor.position, anchor.position);
            self.find(findings, Fault::AnchorMissing, places);
        }
        self.check_length(checkpoint, findings);
        self.last.map(|last| Anchor {
            chain: self.chain.to_owned(),
            position: last.position,
            mac: last.mac,
        })
    }

    fn check_length(&self, checkpoint: Option<&AuditCheckpoint>, findings: &mut Findings) {
        let Some(checkpoint) = checkpoint else {
            if self.last.is_some() {
                findings.add(self.of_chain(Fault::CheckpointMissing));
            }
            return;
        };
        if !self.key.is_sealed(checkpoint) {
            findings.add(self.of_chain(Fault::CheckpointForged));
            return;
        }
        let (end, signed) = (self.position(), checkpoint.position);
        if end < signed {
            self.find(findings, Fault::TailCut, (end + 1, signed));
        } else if end > signed {
            self.find(findings, Fault::BeyondCheckpoint, (signed + 1, end));
        } else if self
            .last
            .as_ref()
            .is_some_and(|last| last.is_sound && last.mac != checkpoint.mac)
        {
            self.find(findings, Fault::HeadChanged, (end, end));
        }
    }

    fn find(&self, findings: &mut Findings, fault: Fault, places: (i64, i64)) {
        findings.add(Finding {
            places: Some(places),
            ..self.of_chain(fault)
        });
    }

    /// A fault of the chain as a whole.
    pub(super) fn of_chain(&self, fault: Fault) -> Finding {
        Finding {
            chain: self.chain.to_owned(),
            places: None,
            event_id: None,
            fault,
        }
    }
}
