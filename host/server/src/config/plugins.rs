//! Section `[plugins]`: where plugins come from, how they are compiled, and how
//! versions take over from each other.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use portcullis_runtime::CompileSettings;
use serde::{Deserialize, Serialize};

use super::{ConfigError, KeyTexts, PluginLimits, RequireSigned, RollbackConfig, invalid};

/// The program of this process, also when its file was replaced or removed
/// meanwhile, as upgrades do.
const OWN_PROGRAM: &str = "/proc/self/exe";

/// Less does not hold the compiler itself.
const MIN_MEMORY_BYTES: u64 = 128 << 20;

const MAX_MEMORY_BYTES: u64 = 64 << 30;

/// Nobody waits longer for a plugin, whether to begin or to end.
const MAX_SECONDS: u64 = 3_600;

const MAX_CACHE_BYTES: u64 = 1 << 40;

/// Section `[plugins]`.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct PluginsConfig {
    /// Every `*.wasm` in it is installed; empty: none is watched.
    pub directory: PathBuf,
    /// For the calls of a version that serves no longer.
    pub drain_seconds: u64,
    /// Which of them must be signed.
    pub require_signed: RequireSigned,
    /// By whom; see [`Config::trusted_keys`](super::Config::trusted_keys).
    pub trusted_keys: KeyTexts,
    /// The program that compiles; empty: this one.
    pub compile_worker: PathBuf,
    /// Address space of a process that compiles.
    pub compile_memory_bytes: u64,
    /// Its CPU time.
    pub compile_cpu_seconds: u64,
    /// Its wall-clock time.
    pub compile_seconds: u64,
    /// What became of components; empty: it is not kept.
    pub cache_directory: PathBuf,
    /// Of all files together.
    pub cache_bytes: u64,
    /// What single plugins are granted, by their ids.
    pub limits: BTreeMap<String, PluginLimits>,
    /// When a version is taken back whose calls trap.
    pub rollback: RollbackConfig,
}

impl PluginsConfig {
    /// How plugins are compiled: one at a time, so that a directory full of them
    /// leaves the other cores to calls.
    pub fn compiling(&self) -> CompileSettings {
        CompileSettings {
            program: self.program(),
            memory_bytes: self.compile_memory_bytes,
            cpu_seconds: self.compile_cpu_seconds,
            timeout: Duration::from_secs(self.compile_seconds),
            at_a_time: 1,
        }
    }

    /// Absolute, since the process starts in the root directory.
    fn program(&self) -> PathBuf {
        if self.compile_worker.as_os_str().is_empty() {
            return own_program();
        }
        std::path::absolute(&self.compile_worker).unwrap_or_else(|_| self.compile_worker.clone())
    }

    /// How long the calls of a version that serves no longer may take.
    pub const fn drain(&self) -> Duration {
        Duration::from_secs(self.drain_seconds)
    }

    pub(super) fn validate(&self) -> Result<(), ConfigError> {
        for (key, value, min, max) in [
            ("plugins.drain_seconds", self.drain_seconds, 0, MAX_SECONDS),
            (
                "plugins.compile_memory_bytes",
                self.compile_memory_bytes,
                MIN_MEMORY_BYTES,
                MAX_MEMORY_BYTES,
            ),
            (
                "plugins.compile_cpu_seconds",
                self.compile_cpu_seconds,
                1,
                MAX_SECONDS,
            ),
            (
                "plugins.compile_seconds",
                self.compile_seconds,
                1,
                MAX_SECONDS,
            ),
            ("plugins.cache_bytes", self.cache_bytes, 1, MAX_CACHE_BYTES),
        ] {
            if !(min..=max).contains(&value) {
                return Err(invalid(key, format!("must be between {min} and {max}")));
            }
        }
        self.rollback.validate()
    }
}

fn own_program() -> PathBuf {
    if Path::new(OWN_PROGRAM).exists() {
        return OWN_PROGRAM.into();
    }
    // Where there is no such file system. What cannot be found is told when it
    // cannot be started.
    std::env::current_exe().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::super::tests::{error_of, with_secrets};
    use super::*;
    use crate::config::Config;

    #[test]
    fn limits_that_nothing_fits_in_are_refused() {
        for (key, value) in [
            ("plugins.drain_seconds", "3601"),
            ("plugins.compile_memory_bytes", "1000000"),
            ("plugins.compile_cpu_seconds", "0"),
            ("plugins.compile_seconds", "3601"),
            ("plugins.cache_bytes", "0"),
        ] {
            let error = error_of(&with_secrets(&[(key, value)]));
            assert!(error.starts_with(&format!("{key}: must be")), "{error}");
        }
    }

    #[test]
    fn the_program_is_this_one_or_an_absolute_path() {
        let program = |set: &str| {
            let overrides = with_secrets(&[("plugins.compile_worker", set)]);
            let config = Config::load(None, &overrides).unwrap();
            config.plugins.compiling().program
        };
        assert!(program("").is_absolute());
        assert_eq!(program("/opt/worker"), Path::new("/opt/worker"));
        assert!(program("bin/worker").is_absolute());
        assert!(program("bin/worker").ends_with("bin/worker"));
    }
}
