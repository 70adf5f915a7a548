//! Which actions come, go and change. Any change of an action is new: organizations
//! have decided about what they saw.

use serde_json::{Value, json};

use super::{Effect, ManifestEntry, ManifestPart};
use crate::action::ActionDefinition;
use crate::definition::{DefinitionDocument, difference};
use crate::id::ActionId;
use crate::plugin::PluginManifest;
use crate::review::{ReviewStatus, Snapshot, Snapshots, compare as compare_snapshots};

/// Actions that differ, and how many of each kind.
#[derive(Default)]
pub(super) struct Actions {
    pub(super) entries: Vec<ManifestEntry>,
    /// Parts of definitions that are not among the entries.
    pub(super) omitted: usize,
    pub(super) tally: Tally,
}

/// How many actions differ, and how.
#[derive(Default)]
pub(super) struct Tally {
    /// Those that are renamed among them.
    pub(super) added: usize,
    /// Those that are renamed among them.
    pub(super) removed: usize,
    pub(super) renamed: usize,
    pub(super) changed: usize,
    /// Of those that changed.
    pub(super) riskier: usize,
}

pub(super) fn compare(active: &PluginManifest, candidate: &PluginManifest) -> Actions {
    let mut actions = Actions::default();
    let (before, after) = (snapshots(active), snapshots(candidate));
    for (id, status) in compare_snapshots(&before, &after, true) {
        match (find(active, &id), find(candidate, &id)) {
            (None, Some(after)) => actions.added(after, &status),
            (Some(before), None) => actions.removed(before),
            (Some(before), Some(after)) if status != ReviewStatus::Unchanged => {
                actions.changed(before, after);
            }
            _ => {}
        }
    }
    actions
}

fn snapshots(manifest: &PluginManifest) -> Snapshots {
    let snapshot = |action: &ActionDefinition| {
        let document = DefinitionDocument::of(action);
        let snapshot = Snapshot {
            digests: document.digests(),
            document: Some(document),
        };
        (action.id.clone(), snapshot)
    };
    manifest.actions.iter().map(snapshot).collect()
}

fn find<'a>(manifest: &'a PluginManifest, id: &ActionId) -> Option<&'a ActionDefinition> {
    manifest.actions.iter().find(|action| action.id == *id)
}

impl Actions {
    fn added(&mut self, action: &ActionDefinition, status: &ReviewStatus) {
        self.tally.added += 1;
        let mut whole = whole(action);
        if let ReviewStatus::Renamed { from } = status {
            self.tally.renamed += 1;
            if let Value::Object(members) = &mut whole {
                members.insert("renamedFrom".to_owned(), from.as_str().into());
            }
        }
        self.push(action, |of| {
            ManifestEntry::added(ManifestPart::Action, of, whole, Effect::New)
        });
    }

    fn removed(&mut self, action: &ActionDefinition) {
        self.tally.removed += 1;
        self.push(action, |of| {
            ManifestEntry::removed(ManifestPart::Action, of, whole(action), Effect::New)
        });
    }

    fn changed(&mut self, before: &ActionDefinition, after: &ActionDefinition) {
        self.tally.changed += 1;
        self.tally.riskier += usize::from(after.risk > before.risk);
        self.push(after, |of| {
            let values = (whole(before), whole(after));
            ManifestEntry::changed(ManifestPart::Action, of, values, Effect::New)
        });
        let [old, new] = [before, after].map(DefinitionDocument::of);
        let parts = difference(&old, &new);
        self.omitted += parts.omitted;
        for part in parts.entries {
            self.entries.push(ManifestEntry {
                part: ManifestPart::Definition,
                of: Some(after.id.to_string()),
                path: Some(part.path),
                affects: Some(part.affects),
                change: part.change,
                before: part.before,
                after: part.after,
                effect: Effect::New,
            });
        }
    }

    fn push(
        &mut self,
        action: &ActionDefinition,
        entry: impl FnOnce(Option<&str>) -> ManifestEntry,
    ) {
        self.entries.push(entry(Some(action.id.as_str())));
    }
}

fn whole(action: &ActionDefinition) -> Value {
    json!({ "title": action.title, "riskLevel": action.risk.as_str() })
}
