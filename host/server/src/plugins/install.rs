//! From bytes to a version that serves or waits.

use std::collections::BTreeSet;
use std::io::Read as _;
use std::path::PathBuf;
use std::sync::Arc;

use portcullis_core::audit::AuditKind;
use portcullis_core::id::SourceId;
use portcullis_core::plugin::{ManifestDifference, PluginDigest, PluginManifest, PluginState};
use portcullis_core::signature::Signature;
use portcullis_core::time::Timestamp;
use portcullis_runtime::Plugin;
use portcullis_storage::{BoxUnitOfWork, PluginVersion, StateChange};
use serde_json::json;

use super::record::{Recorded, shown};
use super::switching::{Switch, publish};
use super::{PluginError, show, signing};
use crate::error::Error;
use crate::gateway::Gateway;

/// A component that is to become a version.
#[derive(Debug)]
pub struct NewPlugin {
    /// The component.
    pub bytes: Vec<u8>,
    /// How it got here.
    pub origin: Origin,
    /// The plugin that it has to be, if the caller knows.
    pub expected: Option<SourceId>,
    /// Signatures that came beside it.
    pub signatures: Vec<Signature>,
    /// Plugins that it must not be, since something else provides them.
    pub taken: BTreeSet<SourceId>,
}

/// How a component got to the gateway.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// Somebody sent it; where from, in their words.
    Upload(String),
    /// The watched directory holds it, in a file of this name.
    Directory(String),
}

impl Origin {
    fn as_str(&self) -> &str {
        match self {
            Self::Upload(text) | Self::Directory(text) => text,
        }
    }
}

/// What has become of a component.
#[derive(Debug)]
pub enum Installed {
    /// It serves from now on.
    Activated(PluginVersion),
    /// It waits for the operator, because of this difference.
    Staged(PluginVersion, ManifestDifference),
    /// It was active or staged before.
    Known(PluginVersion),
}

impl Installed {
    /// The version.
    pub const fn version(&self) -> &PluginVersion {
        match self {
            Self::Activated(version) | Self::Staged(version, _) | Self::Known(version) => version,
        }
    }
}

/// Installs a component, as `by`.
///
/// # Errors
///
/// [`Error::Plugin`] when it is none, or not the one that it should be; whatever the
/// error, what served before serves on.
pub async fn install(gateway: &Arc<Gateway>, by: &str, new: NewPlugin) -> Result<Installed, Error> {
    let digest = PluginDigest::of(&new.bytes);
    if let Some(version) = find_current(gateway, digest).await? {
        check_id(&version.plugin, &new)?;
        return Ok(Installed::Known(version));
    }
    let signed_by = signing::check(gateway, &new).await?;
    let _turn = gateway.plugins.installs.acquire().await;
    let plugin = gateway.plugins.loader.load(new.bytes.clone()).await?;
    check_id(&plugin.descriptor().id, &new)?;
    let candidate = Candidate {
        gateway,
        by,
        manifest: plugin.manifest(),
        version: version(gateway, by, &plugin, &new, signed_by)?,
        bytes: &new.bytes,
    };
    candidate.install(plugin).await
}

/// The version with this digest, if it serves or waits.
async fn find_current(
    gateway: &Gateway,
    digest: PluginDigest,
) -> Result<Option<PluginVersion>, Error> {
    let known = show::find(gateway, digest).await?;
    Ok(known.filter(is_current))
}

fn is_current(version: &PluginVersion) -> bool {
    matches!(version.state, PluginState::Active | PluginState::Staged)
}

fn check_id(found: &SourceId, new: &NewPlugin) -> Result<(), Error> {
    if new.taken.contains(found) {
        return Err(PluginError::Taken(found.clone()).into());
    }
    match &new.expected {
        Some(expected) if expected != found => Err(PluginError::OtherPlugin {
            found: found.clone(),
            expected: expected.clone(),
        }
        .into()),
        _ => Ok(()),
    }
}

/// The row of a version that is installed now.
fn version(
    gateway: &Gateway,
    by: &str,
    plugin: &Plugin,
    new: &NewPlugin,
    signed_by: Vec<String>,
) -> Result<PluginVersion, Error> {
    let now = gateway.clock.now();
    let manifest = plugin.manifest().to_json();
    let manifest = manifest.map_err(PluginError::Manifest)?;
    Ok(PluginVersion {
        plugin: plugin.descriptor().id.clone(),
        digest: plugin.digest(),
        version: plugin.descriptor().version.clone(),
        state: PluginState::Staged,
        size: new.bytes.len() as u64,
        origin: new.origin.as_str().to_owned(),
        signed_by,
        installed_by: by.to_owned(),
        installed_at: now,
        activated_at: None,
        replaced: None,
        reason: None,
        changed_by: by.to_owned(),
        changed_at: now,
        manifest,
    })
}

/// A component that has been loaded, on its way into the rows.
struct Candidate<'a> {
    gateway: &'a Arc<Gateway>,
    by: &'a str,
    manifest: PluginManifest,
    version: PluginVersion,
    bytes: &'a [u8],
}

/// What the rows say when it is there.
enum Outcome {
    Known(PluginVersion),
    Staged(ManifestDifference),
    Activated { generation: u64 },
}

impl Candidate<'_> {
    async fn install(self, plugin: Plugin) -> Result<Installed, Error> {
        let mut work = self.gateway.storage.write().await?;
        let outcome = self.write(&mut work).await?;
        work.save().await?;
        match outcome {
            Outcome::Known(version) => Ok(Installed::Known(version)),
            Outcome::Staged(difference) => {
                show::announce_staged(self.gateway, &self.version, &difference).await;
                Ok(Installed::Staged(
                    show::version(self.gateway, self.version.digest).await?,
                    difference,
                ))
            }
            Outcome::Activated { generation } => {
                publish(self.gateway, plugin, generation).await;
                Ok(Installed::Activated(
                    show::version(self.gateway, self.version.digest).await?,
                ))
            }
        }
    }

    async fn write(&self, work: &mut BoxUnitOfWork) -> Result<Outcome, Error> {
        let (id, now) = (&self.version.plugin, self.version.installed_at);
        work.plugins().add(id, now).await?;
        work.plugins().lock(id).await?;
        let known = work.plugins().find(self.version.digest).await?;
        if let Some(known) = known.clone().filter(is_current) {
            return Ok(Outcome::Known(known));
        }
        let active = work.plugins().latest(id, PluginState::Active).await?;
        let superseded = self.supersede(work).await?;
        self.put(work, known.as_ref(), active.as_ref()).await?;
        let difference = self.difference(active.as_ref());
        match difference {
            Some(difference) if difference.requires_approval() => {
                self.record_staged(work, active.as_ref(), superseded.as_ref(), &difference)
                    .await?;
                Ok(Outcome::Staged(difference))
            }
            _ => {
                let generation = self.activate(work, active.as_ref()).await?;
                Ok(Outcome::Activated { generation })
            }
        }
    }

    /// Where it differs from what serves; `None` when nothing does.
    fn difference(&self, active: Option<&PluginVersion>) -> Option<ManifestDifference> {
        let active = active?;
        let before = show::manifest(active, &self.gateway.sources);
        Some(ManifestDifference::between(&before, &self.manifest))
    }

    /// Whatever waited until now does so no longer: the operator decides about one.
    async fn supersede(&self, work: &mut BoxUnitOfWork) -> Result<Option<PluginVersion>, Error> {
        let id = &self.version.plugin;
        let staged = work.plugins().latest(id, PluginState::Staged).await?;
        if let Some(staged) = &staged {
            let reason = format!("superseded by {}", self.version.digest);
            let change = self.change(PluginState::Staged, PluginState::Retired, Some(&reason));
            work.plugins().change(staged.digest, change).await?;
        }
        Ok(staged)
    }

    /// Makes it the staged version, whether its digest was known or not.
    async fn put(
        &self,
        work: &mut BoxUnitOfWork,
        known: Option<&PluginVersion>,
        active: Option<&PluginVersion>,
    ) -> Result<(), Error> {
        let mut plugins = work.plugins();
        if let Some(known) = known {
            if known.plugin != self.version.plugin {
                return Err(self.inconsistent(&known.plugin));
            }
            plugins.reinstall(&self.version).await?;
            let change = self.change(known.state, PluginState::Staged, None);
            plugins.change(self.version.digest, change).await?;
        } else {
            plugins.add_version(&self.version).await?;
        }
        let compared = active.map(|active| active.digest);
        plugins.set_replaced(self.version.digest, compared).await?;
        Ok(plugins
            .put_component(self.version.digest, self.bytes)
            .await?)
    }

    /// The same bytes said that they are another plugin.
    fn inconsistent(&self, before: &SourceId) -> Error {
        PluginError::OtherPlugin {
            found: self.version.plugin.clone(),
            expected: before.clone(),
        }
        .into()
    }

    fn change<'c>(
        &'c self,
        from: PluginState,
        to: PluginState,
        reason: Option<&'c str>,
    ) -> StateChange<'c> {
        StateChange {
            from,
            to,
            reason,
            by: self.by,
            at: self.version.changed_at,
        }
    }

    async fn activate(
        &self,
        work: &mut BoxUnitOfWork,
        active: Option<&PluginVersion>,
    ) -> Result<u64, Error> {
        let reason = if active.is_some() {
            "installed; it asks for nothing new and changes no action"
        } else {
            "installed as the first version"
        };
        let switch = Switch {
            plugin: &self.version.plugin,
            before: active,
            before_becomes: PluginState::Retired,
            before_reason: "replaced",
            after: self.version.digest,
            after_was: PluginState::Staged,
            reason,
            by: self.by,
            at: self.version.changed_at,
        };
        let generation = switch.write(work).await?;
        let generation = generation.ok_or_else(lost)?;
        let details = json!({
            "before": shown(active),
            "after": shown(Some(&self.version)),
            "origin": self.version.origin,
            "signedBy": self.version.signed_by,
            "reason": reason,
        });
        self.recorded(AuditKind::PluginActivated)
            .write(self.gateway, work, details)
            .await?;
        Ok(generation)
    }

    async fn record_staged(
        &self,
        work: &mut BoxUnitOfWork,
        active: Option<&PluginVersion>,
        superseded: Option<&PluginVersion>,
        difference: &ManifestDifference,
    ) -> Result<(), Error> {
        let details = json!({
            "before": shown(active),
            "after": shown(Some(&self.version)),
            "superseded": shown(superseded),
            "origin": self.version.origin,
            "signedBy": self.version.signed_by,
            "summary": difference.summary(),
        });
        self.recorded(AuditKind::PluginStaged)
            .write(self.gateway, work, details)
            .await
    }

    fn recorded(&self, kind: AuditKind) -> Recorded<'_> {
        Recorded {
            kind,
            plugin: &self.version.plugin,
            by: self.by,
            at: self.moment(),
        }
    }

    const fn moment(&self) -> Timestamp {
        self.version.changed_at
    }
}

/// A row that is locked was not what it was read as.
pub(super) fn lost() -> Error {
    Error::Internal("a version of a plugin changed under its lock".to_owned())
}

/// Reads a component of at most `limit` bytes, without trusting that it is a file.
pub(crate) async fn read_component(path: PathBuf, limit: usize) -> Result<Vec<u8>, String> {
    read_file(path, limit, "sandbox.component_bytes").await
}

/// Reads a file of at most `limit` bytes, which this key says.
pub(super) async fn read_file(
    path: PathBuf,
    limit: usize,
    key: &'static str,
) -> Result<Vec<u8>, String> {
    let reading = tokio::task::spawn_blocking(move || {
        let metadata = std::fs::metadata(&path).map_err(|error| error.to_string())?;
        if !metadata.is_file() {
            return Err("is not a file".to_owned());
        }
        let mut bytes = Vec::new();
        std::fs::File::open(&path)
            .and_then(|file| file.take(limit as u64 + 1).read_to_end(&mut bytes))
            .map_err(|error| error.to_string())?;
        if bytes.len() > limit {
            return Err(format!("has more than {limit} bytes ({key})"));
        }
        Ok(bytes)
    });
    reading.await.unwrap_or_else(|panic| Err(panic.to_string()))
}
