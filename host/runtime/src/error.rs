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
    /// Compiling takes more memory than it may.
    #[error(
        "compiling the component takes more than {limit} bytes of memory; raise \
         plugins.compile_memory_bytes if you know where it comes from"
    )]
    CompileMemory {
        /// Bytes of address space.
        limit: u64,
    },
    /// Compiling takes more CPU time than it may.
    #[error(
        "compiling the component takes more than {seconds} s of CPU time; raise \
         plugins.compile_cpu_seconds if you know where it comes from"
    )]
    CompileCpu {
        /// CPU time.
        seconds: u64,
    },
    /// Compiling takes longer than it may.
    #[error(
        "compiling the component takes longer than {seconds} s; try again when the machine is \
         less busy, or raise plugins.compile_seconds"
    )]
    CompileTime {
        /// Wall-clock time.
        seconds: u64,
    },
    /// The process that compiles was killed.
    #[error(
        "the process that compiles died of signal {signal}; the log has what it said. \
         Signal 9 is how a system that runs out of memory ends processes, others are an error \
         of the compiler that this component triggers"
    )]
    CompilerDied {
        /// Its number, as in `kill -l`.
        signal: i32,
    },
    /// The process that compiles does not do so.
    #[error(
        "the component cannot be compiled, because the process for it fails: {0}; \
         plugins.compile_worker must be empty or name this very version of the gateway"
    )]
    CompilerUnusable(String),
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
