//! What is wrong with a record, in words.

use std::fmt;

use portcullis_core::audit::AuditChain;

/// Findings that are kept. Whoever has more has seen enough.
const KEPT: usize = 100;

/// Something that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The chain, as its rows name it.
    pub chain: String,
    /// The place it is about, or the first and the last of several.
    pub places: Option<(i64, i64)>,
    /// The event it is about.
    pub event_id: Option<String>,
    /// What is wrong.
    pub fault: Fault,
}

/// Everything that is wrong: the first hundred, and how many there are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Findings {
    /// Those that were found first.
    pub kept: Vec<Finding>,
    /// How many were found.
    pub total: u64,
}

impl Findings {
    pub(super) fn add(&mut self, finding: Finding) {
        self.total += 1;
        if self.kept.len() < KEPT {
            self.kept.push(finding);
        }
    }
}

macro_rules! faults {
    ($($(#[$doc:meta])+ $fault:ident = $code:literal: $sentence:literal,)+) => {
        /// What can be wrong.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Fault {
            $($(#[$doc])+ $fault,)+
        }

        impl Fault {
            /// The name for machines.
            pub const fn code(self) -> &'static str {
                match self {
                    $(Self::$fault => $code,)+
                }
            }

            /// One sentence for people.
            pub const fn sentence(self) -> &'static str {
                match self {
                    $(Self::$fault => $sentence,)+
                }
            }
        }
    };
}

faults! {
    /// There is an organization, and nothing was recorded of it.
    NoRecord = "no_record":
        "it has no record: what was recorded of it was removed",
    /// A record without its first event.
    BeginningMissing = "beginning_missing":
        "the event with which the record begins is missing: what came before was removed, and \
         the record begun anew",
    /// A chain of which nobody knows how long it was.
    CheckpointMissing = "checkpoint_missing":
        "the checkpoint is missing, so that nobody knows how long the chain was",
    /// A checkpoint that no gateway wrote.
    CheckpointForged = "checkpoint_forged":
        "the checkpoint is not as a gateway sealed it, so that nobody knows how long the chain was",
    /// A gap.
    PlacesMissing = "places_missing":
        "removed from the middle of the chain",
    /// The end of a chain was cut off.
    TailCut = "tail_cut":
        "cut off from the end of the chain",
    /// A chain is longer than its checkpoint says.
    BeyondCheckpoint = "beyond_checkpoint":
        "the checkpoint does not reach so far: it was replaced by an older one, or these places \
         were added by no gateway",
    /// The last place is not that of the checkpoint.
    HeadChanged = "head_changed":
        "the last place is not the one that the checkpoint names",
    /// A place without its event.
    EventMissing = "event_missing":
        "the event that has this place was removed",
    /// An event that is not as it was written.
    EventChanged = "event_changed":
        "the event is not as a gateway wrote it: it was changed or exchanged",
    /// An event of another chain.
    EventForeign = "event_foreign":
        "the event belongs to another chain and was moved here",
    /// A place whose code does not fit.
    PlaceChanged = "place_changed":
        "the place was changed, moved or added: its code fits neither its event nor the place \
         before it",
    /// A genuine event without a place.
    PlaceRemoved = "place_removed":
        "a gateway wrote the event, and it has no place any more: the place was removed",
    /// An event that no gateway wrote.
    EventInserted = "event_inserted":
        "no gateway wrote the event: it was inserted, or changed before it had a place",
    /// An event that waits, and that no gateway wrote.
    WaitingForged = "waiting_forged":
        "the event waits for a place, and no gateway wrote it: it was inserted or changed",
    /// An event that waits in a chain that is not its own.
    WaitingForeign = "waiting_foreign":
        "the event waits for a place in this chain, and belongs to another",
    /// An event that waits for a second place.
    WaitingTwice = "waiting_twice":
        "the event waits for a place, and has one: it was queued again",
    /// An event that waited for a place and is gone.
    WaitingMissing = "waiting_missing":
        "the event was removed before it had a place",
    /// A chain that does not reach its anchor.
    AnchorMissing = "anchor_missing":
        "the chain had this place when it was noted, and has not any more: an older state of the \
         database was put back, or the record begun anew",
    /// A chain that has another code where it was noted.
    AnchorDiffers = "anchor_differs":
        "the place has another code than when it was noted: an older state of the database was \
         put back, or the record begun anew, and the chain has grown since",
}

impl fmt::Display for Finding {
    /// `organization acme, place 7, event 1c9e…: the event is not …`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match AuditChain::from_text(&self.chain) {
            Some(chain) => write!(f, "{chain}")?,
            None => write!(f, "chain `{}`", self.chain.escape_debug())?,
        }
        match self.places {
            Some((first, last)) if first == last => write!(f, ", place {first}")?,
            Some((first, last)) => write!(f, ", places {first} to {last}")?,
            None => {}
        }
        if let Some(id) = &self.event_id {
            write!(f, ", event {}", id.escape_debug())?;
        }
        write!(f, ": {}", self.fault.sentence())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finding() -> Finding {
        Finding {
            chain: "acme".to_owned(),
            places: Some((3, 5)),
            event_id: None,
            fault: Fault::TailCut,
        }
    }

    #[test]
    fn a_finding_is_one_sentence() {
        assert_eq!(
            finding().to_string(),
            "organization acme, places 3 to 5: cut off from the end of the chain"
        );
        let other = Finding {
            chain: String::new(),
            places: Some((3, 3)),
            event_id: Some("\u{1b}7".to_owned()),
            fault: Fault::EventMissing,
        };
        assert_eq!(
            other.to_string(),
            "the gateway, place 3, event \\u{1b}7: the event that has this place was removed"
        );
    }

    #[test]
    fn all_are_counted_and_not_all_are_kept() {
        let mut findings = Findings::default();
        for _ in 0..=KEPT {
            findings.add(finding());
        }
        assert_eq!(findings.kept.len(), KEPT);
        assert_eq!(findings.total, KEPT as u64 + 1);
    }
}
