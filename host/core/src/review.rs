//! What was reviewed, held against what is served now.

use std::collections::{BTreeMap, HashMap};

use crate::canonical::JsonDigest;
use crate::definition::{DefinitionChange, DefinitionDigests, DefinitionDocument};
use crate::id::ActionId;

/// An action at one moment: when it was reviewed, or now.
#[derive(Debug, Clone, PartialEq)]
pub struct Snapshot {
    /// What identified its definition.
    pub digests: DefinitionDigests,
    /// The definition; `None` when it was not kept.
    pub document: Option<DefinitionDocument>,
}

/// The actions of a source at one moment.
pub type Snapshots = BTreeMap<ActionId, Snapshot>;

/// What has become of an action since it was reviewed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReviewStatus {
    /// It is as it was reviewed.
    Unchanged,
    /// It reads differently, and is called the same way.
    TextChanged,
    /// It is called differently.
    Changed,
    /// Nobody has reviewed it.
    New,
    /// Nobody has reviewed it, and one that is gone was called the same way.
    Renamed {
        /// The one that is gone.
        from: ActionId,
    },
    /// It is gone.
    Removed,
    /// It was not listed, but neither was everything.
    Unknown,
}

impl ReviewStatus {
    /// Every name.
    pub const NAMES: [&str; 7] = [
        "unchanged",
        "text_changed",
        "changed",
        "new",
        "renamed",
        "removed",
        "unknown",
    ];

    /// The name in JSON.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Unchanged => "unchanged",
            Self::TextChanged => "text_changed",
            Self::Changed => "changed",
            Self::New => "new",
            Self::Renamed { .. } => "renamed",
            Self::Removed => "removed",
            Self::Unknown => "unknown",
        }
    }
}

/// Tells for every action, reviewed or listed, what has become of it.
///
/// When the listing is not `complete`, what it lacks is unknown: nothing counts as
/// removed, and so nothing as renamed. An action that was renamed is new by its new
/// id, and removed by its old one. Each that is gone is the former name of one at
/// most, rather of one that also reads the same.
pub fn compare(
    reviewed: &Snapshots,
    listed: &Snapshots,
    complete: bool,
) -> BTreeMap<ActionId, ReviewStatus> {
    let mut statuses = BTreeMap::new();
    for (id, now) in listed {
        statuses.insert(id.clone(), status(reviewed.get(id), now));
    }
    for id in reviewed.keys().filter(|id| !listed.contains_key(*id)) {
        let status = if complete {
            ReviewStatus::Removed
        } else {
            ReviewStatus::Unknown
        };
        statuses.insert(id.clone(), status);
    }
    if complete {
        statuses.extend(renamed(reviewed, listed));
    }
    statuses
}

fn status(reviewed: Option<&Snapshot>, now: &Snapshot) -> ReviewStatus {
    let seen = reviewed.map(|reviewed| reviewed.digests);
    match DefinitionChange::between(seen, now.digests) {
        DefinitionChange::None => ReviewStatus::Unchanged,
        DefinitionChange::Text => ReviewStatus::TextChanged,
        DefinitionChange::Interface => ReviewStatus::Changed,
        DefinitionChange::Unseen => ReviewStatus::New,
    }
}

/// Actions by what identifies them apart from their ids.
type Nameless<'a> = HashMap<&'a ActionId, DefinitionDigests>;

fn nameless<'a>(of: &'a Snapshots, but: &Snapshots) -> Nameless<'a> {
    of.iter()
        .filter(|(id, _)| !but.contains_key(*id))
        .filter_map(|(id, it)| Some((id, it.document.as_ref()?.digests_without_id())))
        .collect()
}

/// The new actions that are removed ones under other names.
fn renamed(reviewed: &Snapshots, listed: &Snapshots) -> Vec<(ActionId, ReviewStatus)> {
    let mut gone = nameless(reviewed, listed);
    let mut new = if gone.is_empty() {
        Nameless::new()
    } else {
        nameless(listed, reviewed)
    };
    let mut pairs = Vec::new();
    for same in [contract, interface] {
        for (id, from) in paired(&new, &gone, same) {
            new.remove(id);
            gone.remove(from);
            pairs.push((id.clone(), ReviewStatus::Renamed { from: from.clone() }));
        }
    }
    pairs
}

const fn contract(digests: DefinitionDigests) -> JsonDigest {
    digests.contract
}

const fn interface(digests: DefinitionDigests) -> JsonDigest {
    digests.interface
}

/// Pairs those with the same digest, in the order of their ids.
fn paired<'a>(
    new: &Nameless<'a>,
    gone: &Nameless<'a>,
    digest: fn(DefinitionDigests) -> JsonDigest,
) -> Vec<(&'a ActionId, &'a ActionId)> {
    let by_digest = |of: &Nameless<'a>| {
        let mut ids: BTreeMap<JsonDigest, Vec<&'a ActionId>> = BTreeMap::new();
        for (id, digests) in of {
            ids.entry(digest(*digests)).or_default().push(id);
        }
        for ids in ids.values_mut() {
            ids.sort();
        }
        ids
    };
    let gone = by_digest(gone);
    let pairs = by_digest(new).into_iter().flat_map(|(digest, new)| {
        let old = gone.get(&digest).cloned().unwrap_or_default();
        new.into_iter().zip(old)
    });
    pairs.collect()
}

#[cfg(test)]
mod tests;
