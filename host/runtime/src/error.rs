//! Why the sandbox cannot be set up, and why a plugin cannot be loaded.

use crate::inspect::InspectError;
use crate::shortage::MemoryShortage;

/// The sandbox cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    /// The engine refused its configuration.
    #[error("the WebAssembly engine cannot be set up: {0}")]
    Engine(String),
    /// The linker refused one of our own imports.
    #[error("the host's imports cannot be linked: {0}")]
    Linker(String),
    /// The guests' threads cannot be started.
    #[error("the guests' threads cannot be started")]
    Threads(#[source] std::io::Error),
}

/// A plugin cannot be loaded. The message is for an operator.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The bytes are not a component we can host.
    #[error(transparent)]
    Inspect(#[from] InspectError),
    /// The component does not compile.
    #[error("the component does not compile: {0}")]
    Compile(String),
    /// Imports or exports have other types than the contract's.
    #[error("the component does not fit the contract: {0}")]
    Link(String),
    /// An export failed while the plugin was asked what it is.
    #[error("`{function}` failed: {reason}")]
    Describe {
        /// The export, such as `provider.describe`.
        function: &'static str,
        /// What happened.
        reason: String,
    },
    /// What the plugin says about itself breaks a rule.
    #[error("{path}: {rule}")]
    Invalid {
        /// Where, for example `actions[2].params-schema`.
        path: String,
        /// The rule, and what was found.
        rule: String,
    },
    /// The HTTP client for the plugin's requests cannot be made.
    #[error("the HTTP client cannot be set up: {0}")]
    Client(String),
    /// It needs more memory than it was granted.
    #[error("{0}")]
    Memory(MemoryShortage),
    /// The larger places cannot be set up.
    #[error(transparent)]
    Sandbox(#[from] SandboxError),
    /// No free place in time.
    #[error("the sandbox is busy; try again")]
    Busy,
}
