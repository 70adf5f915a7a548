//! The registry of plugins: which versions there are, and which one serves.
//!
//! A component becomes a version by [`install`]: it is loaded, which nothing of it
//! survives, and compared with the version that serves. One that asks for nothing new
//! and changes nothing that people rely on serves at once; any other is staged until
//! the operator has seen the difference and says [`approve`] or [`reject`].
//! [`roll_back`] goes back, [`remove`] ends it.
//!
//! Every one of these is a transaction on the rows of one plugin, under its lock, in
//! which each state changes conditionally. The rows say what is to be served; each
//! gateway makes it so: the one that changed them at once, the others when they hear of
//! it (`converging`). A version is ready before the rows name it, so switching is one
//! assignment, and what could fail has failed before. Whoever has taken the version that
//! served before keeps it until their call is done (`draining`).
//!
//! | file | what lives there |
//! | --- | --- |
//! | `install` | from bytes to a version that serves or waits |
//! | `decide` | approving, rejecting, rolling back, removing |
//! | `switching` | the change of the active version, in rows and in this gateway |
//! | `loading` | a version by its digest, ready to serve |
//! | `signing` | whether somebody vouches for a component who is trusted |
//! | `show` | what there is, and where two versions differ |
//! | `converging` | serving what the rows say, at the start and ever after |
//! | `directory` | the watched directory |
//! | `draining` | the calls of a version that serves no longer |
//! | `health` | taking back a version whose calls trap |
//! | `record` | what the record keeps |

mod converging;
mod decide;
mod directory;
mod draining;
mod health;
mod install;
mod loading;
mod record;
mod show;
mod signing;
mod switching;

use std::sync::{Arc, Mutex};

use portcullis_core::id::SourceId;
use portcullis_core::plugin::{InvalidManifest, PluginDigest};
use portcullis_core::signature::Unsigned;
use portcullis_runtime::LoadError;
use portcullis_runtime::signature::SignatureError;
use tokio::sync::Semaphore;

use crate::error::Error;
use crate::gateway::Gateway;
use crate::sources::PluginLoader;

pub use converging::{converge, keep_until};
pub use decide::{Approve, Removal, RollBack, approve, reject, remove, roll_back};
pub use directory::{Directory, watch_until};
pub use health::observe;
pub(crate) use install::read_component;
pub use install::{Installed, NewPlugin, Origin, install};
pub use show::{Comparison, PluginHistory, compare, history, list};

/// What the registry of one gateway works with.
pub struct Plugins {
    /// Makes plugins of components.
    pub(crate) loader: PluginLoader,
    /// Installs at a time: each holds a component and what is compiled from it.
    installs: Semaphore,
    health: health::Health,
    tried: Mutex<converging::Tried>,
    /// The watched directory, if any.
    directory: tokio::sync::Mutex<Option<Directory>>,
}

impl Plugins {
    /// A registry that loads plugins like this.
    pub fn new(loader: PluginLoader, config: &crate::config::PluginsConfig) -> Self {
        Self {
            loader,
            installs: Semaphore::new(1),
            health: health::Health::new(config),
            tried: Mutex::default(),
            directory: tokio::sync::Mutex::default(),
        }
    }
}

/// Why the registry refuses.
#[derive(Debug, thiserror::Error)]
pub enum PluginError {
    /// The bytes are no plugin.
    #[error("{0}")]
    Invalid(#[source] LoadError),
    /// Somebody else may have changed it, or nobody can tell who signed it.
    #[error(transparent)]
    Signature(#[from] SignatureError),
    /// Nobody vouches for it who is trusted.
    #[error(transparent)]
    Unsigned(#[from] Unsigned),
    /// It says too much about itself.
    #[error("{0}")]
    Manifest(#[source] InvalidManifest),
    /// The component is another plugin than it should be.
    #[error("the component is the plugin `{found}`, not `{expected}`")]
    OtherPlugin {
        /// What it says.
        found: SourceId,
        /// What was asked for.
        expected: SourceId,
    },
    /// Another file of the watched directory is this plugin.
    #[error("another file provides `{0}` already; keep one of them in the directory")]
    Taken(SourceId),
    /// This version does not wait for the operator.
    #[error(
        "{digest} is not staged; `portcullis plugin show {plugin}` and GET /v1/plugins/{plugin} \
         tell what is"
    )]
    NotStaged {
        /// The plugin.
        plugin: SourceId,
        /// What was to be approved or rejected.
        digest: PluginDigest,
    },
    /// The difference that was seen is not the difference any more.
    #[error(
        "the active version of `{plugin}` is now {}, and not the one that the difference was \
         shown against; look at `portcullis plugin diff {plugin}` again",
        shown(*active)
    )]
    ActiveChanged {
        /// The plugin.
        plugin: SourceId,
        /// What serves now.
        active: Option<PluginDigest>,
    },
    /// There is nothing to go back to.
    #[error("`{plugin}` cannot be rolled back: {reason}")]
    NoEarlierVersion {
        /// The plugin.
        plugin: SourceId,
        /// Why, and what to do.
        reason: String,
    },
    /// A version that was loaded once cannot be loaded now.
    #[error("{digest} cannot be loaded: {reason}")]
    Unloadable {
        /// The version.
        digest: PluginDigest,
        /// Why.
        reason: String,
    },
    /// It is needed at this moment.
    #[error(
        "`{plugin}` is in use: {pending} of its invocations wait for a person and {executing} \
         run; decide about them and wait, or remove it with force, which lets those that run \
         end and those that wait be refused"
    )]
    InUse {
        /// The plugin.
        plugin: SourceId,
        /// That wait.
        pending: u64,
        /// That run.
        executing: u64,
    },
}

fn shown(digest: Option<PluginDigest>) -> String {
    digest.map_or_else(|| "none".to_owned(), |digest| digest.to_string())
}

impl From<LoadError> for Error {
    fn from(error: LoadError) -> Self {
        match error {
            LoadError::Busy => Self::Busy,
            error => Self::Plugin(PluginError::Invalid(error)),
        }
    }
}

/// Serves what the rows say, and installs what the watched directory holds; before
/// anything is served.
pub async fn start(gateway: &Arc<Gateway>, directory: Option<Directory>) -> Result<(), Error> {
    converge(gateway).await?;
    let mut watched = gateway.plugins.directory.lock().await;
    *watched = directory;
    if let Some(directory) = &mut *watched {
        directory.scan(gateway).await;
    }
    // Another gateway that starts at this moment may have been first with a file.
    converge(gateway).await
}
