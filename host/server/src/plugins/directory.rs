//! The watched directory: whoever may write into it may install plugins.
//!
//! A file whose digest was ever installed is left alone, whatever has become of that
//! version: what was rolled back, rejected or removed does not come back by itself at
//! the next look. A file that goes away takes nothing with it.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use portcullis_core::id::SourceId;
use portcullis_core::plugin::PluginDigest;
use portcullis_core::signature::{Signature, parse_list};
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use super::install::{Installed, NewPlugin, Origin, install, read_component, read_file};
use super::{PluginError, show};
use crate::audit::GATEWAY;
use crate::error::Error;
use crate::gateway::Gateway;
use crate::sources::FailedPlugin;

/// Bytes of a file of signatures: as many as there may be have a fraction of it.
const SIGNATURE_FILE_BYTES: usize = 16 << 10;

/// How often the directory is looked at.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// A directory and what was seen in it.
#[derive(Debug)]
pub struct Directory {
    path: PathBuf,
    files: BTreeMap<PathBuf, Seen>,
    /// Whether it was looked at before: at the start nobody is copying a file.
    is_known: bool,
}

#[derive(Debug, Default)]
struct Seen {
    stamp: Option<Stamp>,
    /// Whether this stamp has been dealt with.
    is_done: bool,
    /// The plugin that the file is.
    plugin: Option<SourceId>,
}

/// What tells that a file has changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stamp {
    size: u64,
    modified: Option<SystemTime>,
}

impl Directory {
    /// A directory that has not been looked at.
    ///
    /// # Errors
    ///
    /// When it cannot be read.
    pub fn new(path: &Path) -> std::io::Result<Self> {
        component_files(path)?;
        Ok(Self {
            path: path.to_owned(),
            files: BTreeMap::new(),
            is_known: false,
        })
    }

    /// Installs what is new in it, in the order of the files' names. What cannot be
    /// installed is reported, and tried again when the file changes.
    pub async fn scan(&mut self, gateway: &Arc<Gateway>) {
        let files = match component_files(&self.path) {
            Ok(files) => files,
            Err(error) => {
                tracing::error!(
                    directory = %self.path.display(),
                    error = %error,
                    "plugins.directory cannot be read; what serves serves on"
                );
                return;
            }
        };
        self.forget_missing(gateway, &files);
        for path in files {
            if self.is_due(&path) {
                self.take(gateway, path).await;
            }
        }
        self.is_known = true;
    }

    fn forget_missing(&mut self, gateway: &Gateway, files: &[PathBuf]) {
        self.files.retain(|path, _| {
            let is_there = files.contains(path);
            if !is_there {
                gateway.sources.clear_failed(&name(path));
                tracing::info!(
                    file = %path.display(),
                    "a file is gone; its plugin serves on until `portcullis plugin remove`"
                );
            }
            is_there
        });
    }

    /// Whether a file is new or has changed, and whoever writes it has ended.
    fn is_due(&mut self, path: &Path) -> bool {
        let stamp = std::fs::metadata(path).ok().map(|metadata| Stamp {
            size: metadata.len(),
            modified: metadata.modified().ok(),
        });
        let seen = self.files.entry(path.to_owned()).or_default();
        let has_settled = seen.stamp == stamp || !self.is_known;
        if seen.stamp != stamp {
            *seen = Seen {
                stamp,
                ..Seen::default()
            };
        }
        has_settled && !seen.is_done
    }

    async fn take(&mut self, gateway: &Arc<Gateway>, path: PathBuf) {
        let taken = self.plugins_of_others(&path);
        let outcome = install_file(gateway, &path, taken).await;
        let Some(seen) = self.files.get_mut(&path) else {
            return;
        };
        match outcome {
            Ok(plugin) => {
                gateway.sources.clear_failed(&name(&path));
                seen.plugin = Some(plugin);
                seen.is_done = true;
            }
            Err(Failure::Later(error)) => tracing::error!(
                file = %path.display(),
                error = &error as &dyn std::error::Error,
                "a file could not be installed at this moment; the next attempt follows"
            ),
            Err(Failure::NoPlugin(failed)) => {
                seen.is_done = true;
                gateway.sources.report(failed);
            }
        }
    }

    fn plugins_of_others(&self, path: &Path) -> BTreeSet<SourceId> {
        let others = self.files.iter().filter(|(other, _)| *other != path);
        others.filter_map(|(_, seen)| seen.plugin.clone()).collect()
    }
}

/// Why a file is not installed.
enum Failure {
    /// It is to be tried again.
    Later(Error),
    /// It is of no use as it is.
    NoPlugin(FailedPlugin),
}

/// Installs a file that is new; the plugin that it is.
async fn install_file(
    gateway: &Arc<Gateway>,
    path: &Path,
    taken: BTreeSet<SourceId>,
) -> Result<SourceId, Failure> {
    let name = name(path);
    let no_plugin = |digest, reason| {
        Failure::NoPlugin(FailedPlugin {
            name: name.clone(),
            digest,
            reason,
        })
    };
    let limit = gateway.sandbox.config().component_bytes;
    let bytes = read_component(path.to_owned(), limit)
        .await
        .map_err(|reason| no_plugin(None, format!("{}: {reason}", path.display())))?;
    let digest = PluginDigest::of(&bytes);
    let failure = |error| match error {
        Error::Plugin(error) => no_plugin(Some(digest), error.to_string()),
        error => Failure::Later(error),
    };
    if let Some(known) = show::find(gateway, digest).await.map_err(failure)? {
        if taken.contains(&known.plugin) {
            return Err(failure(PluginError::Taken(known.plugin).into()));
        }
        return Ok(known.plugin);
    }
    let signatures = signatures_beside(path)
        .await
        .map_err(|reason| no_plugin(Some(digest), reason))?;
    let new = NewPlugin {
        bytes,
        signatures,
        origin: Origin::Directory(format!("file {name}.wasm")),
        expected: None,
        taken,
    };
    let installed: Installed = install(gateway, GATEWAY, new).await.map_err(failure)?;
    Ok(installed.version().plugin.clone())
}

/// The signatures in the file beside a component that has its name and `.sig`.
async fn signatures_beside(path: &Path) -> Result<Vec<Signature>, String> {
    let mut name = path.as_os_str().to_owned();
    name.push(".sig");
    let beside = PathBuf::from(name);
    if !beside.exists() {
        return Ok(Vec::new());
    }
    let failed = |reason: String| format!("{}: {reason}", beside.display());
    let text = read_file(
        beside.clone(),
        SIGNATURE_FILE_BYTES,
        "a file of signatures has at most 16 KiB",
    )
    .await;
    let text = String::from_utf8_lossy(&text.map_err(failed)?).into_owned();
    parse_list([text.as_str()]).map_err(|error| failed(error.to_string()))
}

/// Looks at the watched directory every two seconds until `stop`.
pub async fn watch_until(gateway: Arc<Gateway>, stop: CancellationToken) {
    let mut watched = gateway.plugins.directory.lock().await;
    let Some(directory) = &mut *watched else {
        return;
    };
    let mut ticks = interval(LOOK_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = ticks.tick() => directory.scan(&gateway).await,
        }
    }
}

fn name(path: &Path) -> String {
    path.file_stem()
        .map(|stem| stem.to_string_lossy().into_owned())
        .unwrap_or_default()
}

fn component_files(directory: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut files: Vec<PathBuf> = std::fs::read_dir(directory)?
        .collect::<Result<Vec<_>, _>>()?
        .into_iter()
        .map(|entry| entry.path())
        .filter(|path| path.extension() == Some(OsStr::new("wasm")))
        .collect();
    files.sort();
    Ok(files)
}
