//! What there is, and where two versions differ.

use portcullis_core::id::SourceId;
use portcullis_core::plugin::{ManifestDifference, PluginDigest, PluginManifest, PluginState};
use portcullis_runtime::provenance::{self, Provenance};
use portcullis_storage::{HintKind, PluginVersion};

use super::PluginError;
use crate::error::Error;
use crate::gateway::Gateway;
use crate::sources::Sources;

/// Versions of a plugin that are shown.
const SHOWN_VERSIONS: u32 = 50;

/// A plugin with its versions, those changed last first.
#[derive(Debug)]
pub struct PluginHistory {
    /// The plugin.
    pub id: SourceId,
    /// At most 50.
    pub versions: Vec<PluginVersion>,
    /// What the active version says it is made of, or without one the staged version;
    /// nothing where neither is there.
    pub provenance: Provenance,
}

/// Two versions of a plugin, and where they differ.
#[derive(Debug)]
pub struct Comparison {
    /// What serves; `None` when nothing does.
    pub active: Option<PluginVersion>,
    /// What it is compared with.
    pub candidate: PluginVersion,
    /// Where the candidate differs; from nothing, when nothing serves.
    pub difference: ManifestDifference,
}

/// Every version that is not retired: by plugin, the active one first.
pub async fn list(gateway: &Gateway) -> Result<Vec<PluginVersion>, Error> {
    let mut work = gateway.storage.read().await?;
    Ok(work.plugins().list().await?)
}

/// The versions of one plugin.
pub async fn history(gateway: &Gateway, id: &SourceId) -> Result<PluginHistory, Error> {
    let mut work = gateway.storage.read().await?;
    let versions = work.plugins().versions(id, SHOWN_VERSIONS).await?;
    if versions.is_empty() {
        return Err(Error::NotFound("plugin"));
    }
    let in_state = |state| versions.iter().find(|version| version.state == state);
    let shown = in_state(PluginState::Active).or_else(|| in_state(PluginState::Staged));
    let component = match shown {
        Some(version) => work.plugins().component(version.digest).await?,
        None => None,
    };
    Ok(PluginHistory {
        id: id.clone(),
        provenance: provenance(component.as_deref()),
        versions,
    })
}

/// What a component says it is made of. Who cannot be read says nothing: it decides
/// nothing either.
fn provenance(component: Option<&[u8]>) -> Provenance {
    let read = component.map(provenance::read);
    read.and_then(Result::ok).unwrap_or_default()
}

/// Where a version differs from the one that serves: this one, or the staged one.
///
/// # Errors
///
/// [`Error::NotFound`] when there is no such plugin or version, or none is staged.
pub async fn compare(
    gateway: &Gateway,
    id: &SourceId,
    digest: Option<PluginDigest>,
) -> Result<Comparison, Error> {
    let mut work = gateway.storage.read().await?;
    let candidate = match digest {
        Some(digest) => work.plugins().find(digest).await?,
        None => work.plugins().latest(id, PluginState::Staged).await?,
    };
    let candidate = candidate.filter(|version| version.plugin == *id);
    let Some(candidate) = candidate else {
        let missing = if work.plugins().versions(id, 1).await?.is_empty() {
            "plugin"
        } else if digest.is_some() {
            "version of the plugin"
        } else {
            "staged version; name the digest of one to compare it with what serves"
        };
        return Err(Error::NotFound(missing));
    };
    let active = work.plugins().latest(id, PluginState::Active).await?;
    drop(work);
    let after = manifest(&candidate, &gateway.sources);
    let difference = match &active {
        Some(active) => ManifestDifference::between(&manifest(active, &gateway.sources), &after),
        None => ManifestDifference::between(&PluginManifest::nothing(id), &after),
    };
    Ok(Comparison {
        active,
        candidate,
        difference,
    })
}

/// The version with this digest, if it was ever installed.
pub(super) async fn find(
    gateway: &Gateway,
    digest: PluginDigest,
) -> Result<Option<PluginVersion>, Error> {
    let mut work = gateway.storage.read().await?;
    Ok(work.plugins().find(digest).await?)
}

/// The version with this digest, as it stands.
pub(super) async fn version(
    gateway: &Gateway,
    digest: PluginDigest,
) -> Result<PluginVersion, Error> {
    let version = find(gateway, digest).await?;
    version.ok_or(Error::NotFound("plugin version"))
}

/// What a version says about itself. Where the row cannot be read, what serves is
/// asked; where that is another one, it said nothing, so whatever it is compared with
/// is new.
pub(super) fn manifest(version: &PluginVersion, sources: &Sources) -> PluginManifest {
    if let Ok(manifest) = PluginManifest::from_json(&version.manifest) {
        return manifest;
    }
    let serving = sources.plugin(&version.plugin);
    let serving = serving.filter(|plugin| plugin.digest() == version.digest);
    serving.map_or_else(
        || PluginManifest::nothing(&version.plugin),
        |plugin| plugin.manifest(),
    )
}

/// Says that a version waits for the operator.
pub(super) async fn announce_staged(
    gateway: &Gateway,
    version: &PluginVersion,
    difference: &ManifestDifference,
) {
    tracing::warn!(
        sourceId = %version.plugin,
        version = version.version,
        digest = %version.digest,
        "a version of a plugin waits for `portcullis plugin approve {} {}`: {}",
        version.plugin,
        version.digest,
        difference.summary()
    );
    // The others compile it meanwhile, so that they serve it at once when it may.
    gateway
        .hint(HintKind::Plugins, version.plugin.as_str())
        .await;
}

impl From<PluginError> for Error {
    fn from(error: PluginError) -> Self {
        Self::Plugin(error)
    }
}
