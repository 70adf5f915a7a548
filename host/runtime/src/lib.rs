//! The sandbox: components, their limits, and their outbound HTTP.
//!
//! | file | what lives there |
//! | --- | --- |
//! | [`config`] | every limit, with unit and reason |
//! | `engine`, `lane` | wasmtime's engine, and a second one with larger places |
//! | `bindings` | the only `bindgen!`, with a hand-picked list of its types |
//! | [`inspect`] | what a component asks for, read from its bytes before it is compiled |
//! | `sections`, [`signature`], [`provenance`] | what others wrote into a component: who signed it, what it is made of |
//! | [`compile`], [`compile_worker`] | components become machine code, in a process of their own |
//! | [`cache`] | what became of components is kept, under a code that shows changes |
//! | `loader`, `describe` | components become a [`Plugin`]: compiled, linked, described, validated |
//! | `state`, `limits`, `meter`, `stopwatch` | what a call may use, and how much of it it has used |
//! | `placing`, `shortage` | how much memory a plugin was granted, and the lane in which it runs |
//! | `places`, `shares` | how many calls run at a time, of whom |
//! | `threads` | the guests' own threads, and apart from them those for guests that compute |
//! | `calls` | those of one version, and how they end when another takes over |
//! | `imports` | one file for each imported interface |
//! | `wasi` | WASI with nothing behind it, for components that import it |
//! | `guest_log`, `text` | a guest's words, made fit for people |
//! | `invoke` | one call: a fresh store and instance, and its [`Outcome`] |
//! | [`egress`] | outbound HTTP: the only way from a guest to the world |
//!
//! This is the only crate that names wasmtime. It knows nothing of sessions,
//! modes or storage: whether a call may happen is decided before it gets here.

mod bindings;
pub mod cache;
mod calls;
pub mod compile;
pub mod compile_worker;
pub mod config;
mod describe;
pub mod egress;
mod engine;
mod error;
mod guest_log;
mod imports;
pub mod inspect;
mod invoke;
mod lane;
mod limits;
mod loader;
mod meter;
mod outcome;
mod places;
mod placing;
pub mod provenance;
mod sections;
mod shares;
mod shortage;
pub mod signature;
mod state;
mod stopwatch;
mod text;
mod threads;
mod wasi;

#[doc(hidden)]
pub use text::clean_text;

pub use cache::{Cache, CacheKey, CacheReport};
pub use compile::{CompileSettings, Compiled, Compiler};
pub use config::{LargeSlots, Limits, OwnLimits, SandboxConfig};
pub use engine::{Allocator, Sandbox};
pub use error::{LoadError, SandboxError};
pub use invoke::{Call, CallReport, Outbound, Usage};
pub use loader::{Plugin, PluginAction, WeakPlugin};
pub use outcome::{GuestError, Outcome};
pub use places::SandboxLoad;
pub use shortage::{MemoryNeed, MemoryShortage};
