//! The JSON of definitions that are compared: in reviews, and where a mode is
//! explained.

use portcullis_core::definition::{
    Affects, DefinitionDigests, DefinitionStamp, Difference, Entry, EntryChange,
};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::names;

/// A definition as it is now.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = CurrentDefinition)]
pub(super) struct StampObject {
    /// Changes with everything that is shown of the definition.
    #[schema(value_type = names::DefinitionDigest)]
    digest: String,
    /// Changes with how the action is called.
    #[schema(value_type = names::DefinitionDigest)]
    interface_digest: String,
    #[schema(value_type = names::RiskLevel)]
    risk_level: &'static str,
}

impl From<DefinitionStamp> for StampObject {
    fn from(stamp: DefinitionStamp) -> Self {
        Self {
            digest: stamp.digests.contract.to_string(),
            interface_digest: stamp.digests.interface.to_string(),
            risk_level: stamp.risk.as_str(),
        }
    }
}

/// What identifies a definition.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = DefinitionDigests)]
pub(super) struct DigestsObject {
    /// Changes with everything that is shown of the definition.
    #[schema(value_type = names::DefinitionDigest)]
    digest: String,
    /// Changes with how the action is called.
    #[schema(value_type = names::DefinitionDigest)]
    interface_digest: String,
}

impl From<DefinitionDigests> for DigestsObject {
    fn from(digests: DefinitionDigests) -> Self {
        Self {
            digest: digests.contract.to_string(),
            interface_digest: digests.interface.to_string(),
        }
    }
}

/// One part of a definition that differs.
#[derive(Serialize, ToSchema)]
#[schema(as = DefinitionDifference)]
pub(super) struct EntryObject {
    /// JSON Pointer into the definition, whose parts are `id`, `title`,
    /// `description`, `risk`, `credential`, `params`, `result` and `examples`.
    #[schema(example = "/params/properties/title/type")]
    path: String,
    #[schema(value_type = names::EntryChange)]
    change: &'static str,
    /// What it was, bounded as results are; left out when it was not there.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Value)]
    before: Option<Value>,
    /// What it is, bounded as results are; left out when it is not there any more.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Value)]
    after: Option<Value>,
    #[schema(value_type = names::Affects)]
    affects: &'static str,
}

impl From<Entry> for EntryObject {
    fn from(entry: Entry) -> Self {
        Self {
            path: entry.path,
            change: EntryChange::as_str(entry.change),
            before: entry.before,
            after: entry.after,
            affects: Affects::as_str(entry.affects),
        }
    }
}

/// The entries of a difference.
pub(super) fn entries(difference: Difference) -> Vec<EntryObject> {
    difference.entries.into_iter().map(Into::into).collect()
}
