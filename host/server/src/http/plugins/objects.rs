//! The JSON of versions of plugins.

use portcullis_core::plugin::{PluginManifest, sentence};
use portcullis_storage::PluginVersion;
use serde::Serialize;
use utoipa::ToSchema;

use super::super::names;
use crate::sources::FailedPlugin;

/// A version of a plugin.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = PluginVersion)]
pub(in crate::http) struct VersionObject {
    /// The provider's id.
    #[schema(example = "linear")]
    id: String,
    /// What the plugin says.
    #[schema(example = "1.4.0")]
    version: String,
    #[schema(value_type = names::PluginDigest)]
    digest: String,
    #[schema(value_type = names::PluginState)]
    state: &'static str,
    /// Everything it can do, proved from what it imports.
    capabilities: Vec<String>,
    /// The same in one sentence, which counts what is too much for one.
    #[schema(example = "It can only: call https://api.linear.app POST /graphql; log.")]
    sentence: String,
    /// Whether it imports WASI. There is nothing behind it: no files, no network, no
    /// environment.
    uses_wasi: bool,
    size_bytes: u64,
    /// Where it came from, in the words of whoever installed it.
    origin: String,
    /// The names of the trusted keys that signed it.
    signed_by: Vec<String>,
    /// `operator`, or `gateway` where the gateway found it in its directory.
    #[schema(example = "operator")]
    installed_by: String,
    #[schema(format = "date-time")]
    installed_at: String,
    /// When it became active last; null when it never was.
    #[schema(required, format = "date-time")]
    activated_at: Option<String>,
    /// The digest of the version that was active before it; while it is staged, of
    /// the one that it was compared with. Null when there was none.
    #[schema(required, value_type = Option<names::PluginDigest>)]
    replaced: Option<String>,
    /// Why it is in its state.
    #[schema(required)]
    reason: Option<String>,
    /// Who brought it into its state.
    #[schema(example = "operator")]
    changed_by: String,
    #[schema(format = "date-time")]
    changed_at: String,
}

impl From<&PluginVersion> for VersionObject {
    fn from(version: &PluginVersion) -> Self {
        // A row that cannot be read says nothing, which is shown as such.
        let manifest = PluginManifest::from_json(&version.manifest).ok();
        let told = manifest.as_ref().map(PluginManifest::capabilities);
        let capabilities = told.unwrap_or_default();
        Self {
            id: version.plugin.to_string(),
            version: version.version.clone(),
            digest: version.digest.to_string(),
            state: version.state.as_str(),
            sentence: manifest
                .as_ref()
                .map_or_else(|| UNKNOWN.to_owned(), |_| sentence(&capabilities)),
            uses_wasi: manifest.is_some_and(|manifest| !manifest.wasi.is_empty()),
            capabilities,
            size_bytes: version.size,
            origin: version.origin.clone(),
            signed_by: version.signed_by.clone(),
            installed_by: version.installed_by.clone(),
            installed_at: version.installed_at.to_string(),
            activated_at: version.activated_at.map(|at| at.to_string()),
            replaced: version.replaced.map(|digest| digest.to_string()),
            reason: version.reason.clone(),
            changed_by: version.changed_by.clone(),
            changed_at: version.changed_at.to_string(),
        }
    }
}

const UNKNOWN: &str = "What it can do was not kept in a form that this gateway reads.";

/// A version of a plugin, or a file of the gateway's directory that is none.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
#[schema(as = PluginListEntry)]
pub(in crate::http) enum EntryObject {
    /// A version.
    Version(Box<VersionObject>),
    /// A file.
    File(FileObject),
}

/// A file of the gateway's directory that could not be installed.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = FailedFile)]
pub(in crate::http) struct FileObject {
    /// The name of the file without `.wasm`.
    #[schema(example = "broken")]
    id: String,
    /// Null: nobody knows.
    #[schema(required)]
    version: Option<String>,
    /// Null when it could not be read.
    #[schema(required, value_type = Option<names::PluginDigest>)]
    digest: Option<String>,
    #[schema(value_type = names::PluginState)]
    state: &'static str,
    /// Nothing.
    capabilities: Vec<String>,
    /// Why it could not be installed.
    error: String,
}

impl From<&FailedPlugin> for FileObject {
    fn from(failed: &FailedPlugin) -> Self {
        Self {
            id: failed.name.clone(),
            version: None,
            digest: failed.digest.map(|digest| digest.to_string()),
            state: "failed",
            capabilities: Vec::new(),
            error: failed.reason.clone(),
        }
    }
}
