//! The JSON of where two versions of a plugin differ.

use portcullis_core::definition::Affects;
use portcullis_core::plugin::{ManifestDifference, ManifestEntry};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::super::names;

/// Where a version differs from the active one.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = PluginDifference)]
pub(in crate::http) struct DifferenceObject {
    /// Whether somebody has to look at it before it serves.
    requires_approval: bool,
    /// One sentence.
    #[schema(example = "asks for 1 new route, changes 1 action; it can only: log")]
    summary: String,
    /// For a terminal, line by line.
    text: String,
    /// What is new first, then what is asked for no more, then the rest.
    #[schema(max_items = 1000)]
    entries: Vec<DifferenceEntryObject>,
    /// How many more there are.
    omitted: usize,
}

impl From<&ManifestDifference> for DifferenceObject {
    fn from(difference: &ManifestDifference) -> Self {
        let entries = difference.entries.iter();
        Self {
            requires_approval: difference.requires_approval(),
            summary: difference.summary().to_owned(),
            text: difference.to_text(),
            entries: entries.map(DifferenceEntryObject::from).collect(),
            omitted: difference.omitted,
        }
    }
}

/// One part that differs.
#[derive(Serialize, ToSchema)]
#[schema(as = PluginDifferenceEntry)]
struct DifferenceEntryObject {
    #[schema(value_type = names::PluginPart)]
    part: &'static str,
    /// The endpoint, the scope of the connection or the action it belongs to; left out
    /// where it belongs to the plugin as a whole.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = "api")]
    of: Option<String>,
    /// Within a definition: JSON Pointer into it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = "/params/properties/title/type")]
    path: Option<String>,
    /// Within a definition: whether the action is called differently.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = names::Affects)]
    affects: Option<&'static str>,
    #[schema(value_type = names::EntryChange)]
    change: &'static str,
    /// What it was, bounded; left out when it was not there.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Value)]
    before: Option<Value>,
    /// What it is, bounded; left out when it is not there any more.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Value)]
    after: Option<Value>,
    #[schema(value_type = names::PluginEffect)]
    effect: &'static str,
}

impl From<&ManifestEntry> for DifferenceEntryObject {
    fn from(entry: &ManifestEntry) -> Self {
        Self {
            part: entry.part.as_str(),
            of: entry.of.clone(),
            path: entry.path.clone(),
            affects: entry.affects.map(Affects::as_str),
            change: entry.change.as_str(),
            before: entry.before.clone(),
            after: entry.after.clone(),
            effect: entry.effect.as_str(),
        }
    }
}
