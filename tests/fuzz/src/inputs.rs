//! What targets are fed with: fresh bytes, and inputs of a corpus with changes.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;

/// The most bytes of a fresh input: enough for a hundred nodes of JSON.
const MAX_FRESH_BYTES: usize = 512;

/// The most changes of an input.
const MAX_CHANGES: usize = 8;

/// The most bytes that one change repeats or removes.
const MAX_CHANGED_BYTES: usize = 64;

/// Inputs for a target with this corpus.
pub(crate) fn inputs(corpus: Vec<Vec<u8>>) -> BoxedStrategy<Vec<u8>> {
    let fresh = vec(any::<u8>(), 0..MAX_FRESH_BYTES);
    if corpus.is_empty() {
        return fresh.boxed();
    }
    let changed = (any::<Index>(), vec(change(), 0..MAX_CHANGES));
    let changed = changed.prop_map(move |(seed, changes)| {
        let mut bytes = seed.get(&corpus).clone();
        for change in changes {
            change.apply(&mut bytes, &corpus);
        }
        bytes
    });
    prop_oneof![1 => fresh, 3 => changed].boxed()
}

/// One change of an input.
#[derive(Debug, Clone)]
enum Change {
    /// Another byte in the place of one.
    Replace(Index, u8),
    /// More bytes.
    Insert(Index, Vec<u8>),
    /// Fewer bytes.
    Remove(Index, usize),
    /// Some of the bytes twice.
    Repeat(Index, usize),
    /// Nothing from here on.
    End(Index),
    /// From here on another input, from some place on.
    Splice(Index, Index, Index),
}

fn change() -> impl Strategy<Value = Change> {
    let at = any::<Index>;
    let length = 1..MAX_CHANGED_BYTES;
    prop_oneof![
        4 => (at(), any::<u8>()).prop_map(|(at, byte)| Change::Replace(at, byte)),
        2 => (at(), vec(any::<u8>(), 1..8)).prop_map(|(at, bytes)| Change::Insert(at, bytes)),
        2 => (at(), length.clone()).prop_map(|(at, length)| Change::Remove(at, length)),
        1 => (at(), length).prop_map(|(at, length)| Change::Repeat(at, length)),
        1 => at().prop_map(Change::End),
        1 => (at(), at(), at())
            .prop_map(|(at, other, from)| Change::Splice(at, other, from)),
    ]
}

impl Change {
    fn apply(self, bytes: &mut Vec<u8>, corpus: &[Vec<u8>]) {
        let length = bytes.len();
        let place = |at: Index| at.index(length + 1);
        match self {
            Self::Replace(at, byte) => {
                if length > 0 {
                    bytes[at.index(length)] = byte;
                }
            }
            Self::Insert(at, more) => {
                let at = place(at);
                bytes.splice(at..at, more);
            }
            Self::Remove(at, removed) => {
                let at = place(at);
                bytes.drain(at..length.min(at + removed));
            }
            Self::Repeat(at, repeated) => {
                let at = place(at);
                let end = length.min(at + repeated);
                let again = bytes[at..end].to_vec();
                bytes.splice(end..end, again);
            }
            Self::End(at) => bytes.truncate(place(at)),
            Self::Splice(at, other, from) => {
                bytes.truncate(place(at));
                let other = other.get(corpus);
                bytes.extend_from_slice(&other[from.index(other.len() + 1)..]);
            }
        }
    }
}
