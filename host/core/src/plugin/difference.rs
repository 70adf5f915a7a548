//! Where a version differs from the one that serves, and whether somebody has to
//! look at it before it does.
//!
//! A version that asks for nothing new and says what the other said may take over
//! at once. What is new is anything that the other version was not allowed, and any
//! change of what people have reviewed or what agents are told; when in doubt it is
//! new.

mod actions;
mod asks;
mod shown;
mod summary;
#[cfg(test)]
mod tests;
mod words;

use serde_json::Value;

use super::PluginManifest;
use crate::action::names;
use crate::definition::{Affects, EntryChange};
use crate::truncate::truncate;

/// How many entries a difference has at most; the others are counted.
pub const MAX_MANIFEST_ENTRIES: usize = 1_000;

/// The bytes of a value that is shown, as JSON: as in differences of definitions.
const MAX_VALUE_BYTES: usize = 1_024;

names! {
    /// What part of a manifest differs.
    ManifestPart {
        /// The provider's id.
        Id = "id",
        /// Its name.
        Name = "name",
        /// Its description.
        Description = "description",
        /// Its icon.
        Icon = "icon",
        /// What agents are told, as a whole.
        Guide = "guide",
        /// A place it may call.
        Endpoint = "endpoint",
        /// Where that place is.
        BaseUrl = "base_url",
        /// A method under a path.
        Route = "route",
        /// Where a credential goes.
        Credential = "credential",
        /// A connection it needs.
        Connection = "connection",
        /// A way to make that connection.
        ConnectionType = "connection_type",
        /// What that connection may do.
        OAuthScope = "oauth_scope",
        /// Whether it works without that connection.
        Needed = "needed",
        /// The host's OAuth client for that connection.
        Preset = "preset",
        /// An interface of the contract.
        Import = "import",
        /// An interface of WASI.
        Wasi = "wasi",
        /// The memory it asks for.
        Memory = "memory",
        /// An action as a whole.
        Action = "action",
        /// A part of an action's definition.
        Definition = "definition",
        /// A line of what agents are told.
        GuideLine = "guide_line",
    }
}

impl ManifestPart {
    /// True for details of what another entry says as a whole.
    const fn is_detail(self) -> bool {
        matches!(self, Self::Definition | Self::GuideLine)
    }
}

names! {
    /// What an entry means for whoever decides.
    Effect {
        /// It asks for more, or changes what a person has reviewed.
        New = "new",
        /// It asks for less.
        Narrowing = "narrowing",
        /// It is neither.
        Neutral = "neutral",
    }
}

/// One part that differs.
#[derive(Debug, Clone, PartialEq)]
pub struct ManifestEntry {
    /// What differs.
    pub part: ManifestPart,
    /// The name of the endpoint, the scope of the connection, or the id of the
    /// action that it belongs to.
    pub of: Option<String>,
    /// Within a definition: JSON Pointer, such as `/params/properties/title/type`.
    pub path: Option<String>,
    /// Within a definition: whether the action is called differently.
    pub affects: Option<Affects>,
    /// What has become of it.
    pub change: EntryChange,
    /// What it was; `None` when it was added. At most 1 KiB of JSON.
    pub before: Option<Value>,
    /// What it is; `None` when it was removed. At most 1 KiB of JSON.
    pub after: Option<Value>,
    /// What it means.
    pub effect: Effect,
}

impl ManifestEntry {
    fn added(part: ManifestPart, of: Option<&str>, after: Value, effect: Effect) -> Self {
        Self::of(part, of, (None, Some(after)), EntryChange::Added, effect)
    }

    /// Something that is asked for no more.
    fn removed(part: ManifestPart, of: Option<&str>, before: Value, effect: Effect) -> Self {
        Self::of(part, of, (Some(before), None), EntryChange::Removed, effect)
    }

    fn changed(
        part: ManifestPart,
        of: Option<&str>,
        (before, after): (Value, Value),
        effect: Effect,
    ) -> Self {
        let values = (Some(before), Some(after));
        Self::of(part, of, values, EntryChange::Changed, effect)
    }

    fn of(
        part: ManifestPart,
        of: Option<&str>,
        (before, after): (Option<Value>, Option<Value>),
        change: EntryChange,
        effect: Effect,
    ) -> Self {
        let bounded = |value| truncate(value, MAX_VALUE_BYTES).value;
        Self {
            part,
            of: of.map(str::to_owned),
            path: None,
            affects: None,
            change,
            before: before.map(bounded),
            after: after.map(bounded),
            effect,
        }
    }
}

/// Where two versions of a plugin differ.
#[derive(Debug, Clone, PartialEq)]
pub struct ManifestDifference {
    /// The version of the one that was compared with.
    pub active_version: String,
    /// The version of the candidate.
    pub candidate_version: String,
    /// What is new first, then what is asked for no more, then the rest. Within
    /// each the provider, its endpoints, connections, imports and actions, an action
    /// before the parts of its definition.
    pub entries: Vec<ManifestEntry>,
    /// How many more there are.
    pub omitted: usize,
    requires_approval: bool,
    summary: String,
}

impl ManifestDifference {
    /// Compares what serves with what is to take over. Both are versions of one
    /// plugin.
    pub fn between(active: &PluginManifest, candidate: &PluginManifest) -> Self {
        let mut found = words::compare(active, candidate);
        found.extend(asks::compare(active, candidate));
        let actions = actions::compare(active, candidate);
        found.extend(actions.entries);
        found.sort_by_key(|entry| entry.effect);
        let total = found.len();
        let requires_approval = found.iter().any(|entry| entry.effect == Effect::New);
        let summary = summary::summary(&found, &actions.tally, &candidate.capabilities());
        let entries = shown_first(found);
        Self {
            active_version: active.descriptor.version.clone(),
            candidate_version: candidate.descriptor.version.clone(),
            omitted: total.saturating_sub(entries.len()) + actions.omitted,
            entries,
            requires_approval,
            summary,
        }
    }

    /// True when somebody has to look at the candidate before it serves: something
    /// is new. False when only its code, version number or icon differ, or it asks
    /// for less.
    pub const fn requires_approval(&self) -> bool {
        self.requires_approval
    }

    /// One sentence without a full stop: `asks for 1 new endpoint and 2 new routes,
    /// changes 3 actions (1 riskier); it can only: call https://… POST /graphql`.
    pub fn summary(&self) -> &str {
        &self.summary
    }

    /// The difference for a terminal, line by line. No line has a line break in it;
    /// what else could steer a terminal is left to whoever prints it.
    pub fn lines(&self) -> Vec<String> {
        shown::lines(self)
    }

    /// [`lines`](Self::lines) as one text.
    pub fn to_text(&self) -> String {
        self.lines().join("\n")
    }
}

/// As many entries as are shown, in their order. Where there are too many, details
/// are left out before what they are details of.
fn shown_first(found: Vec<ManifestEntry>) -> Vec<ManifestEntry> {
    let mut ranked: Vec<_> = found.into_iter().enumerate().collect();
    ranked.sort_by_key(|(_, entry)| entry.part.is_detail());
    ranked.truncate(MAX_MANIFEST_ENTRIES);
    ranked.sort_by_key(|(place, _)| *place);
    ranked.into_iter().map(|(_, entry)| entry).collect()
}
