//! What the gateway compiles plugins with: processes of its own program, and a
//! directory of what they made before.

use std::ffi::OsString;
use std::process::ExitCode;

use portcullis_runtime::compile_worker::{self, COMMAND};
use portcullis_runtime::{Cache, CacheKey, Compiler};

use crate::config::{Config, ConfigError};
use crate::vault::Vault;

/// The compiler of a gateway with this configuration.
pub fn compiler(config: &Config) -> Result<Compiler, ConfigError> {
    let vault = Vault::new(&config.master_keys()?);
    let cache = cache(config, &vault);
    Ok(Compiler::new(config.plugins.compiling(), cache))
}

/// Where compiled plugins are kept; `None` when they are not.
///
/// What was written under a previous master key is compiled again.
pub fn cache(config: &Config, vault: &Vault) -> Option<Cache> {
    let plugins = &config.plugins;
    let directory = plugins.cache_directory.clone();
    let is_kept = !directory.as_os_str().is_empty();
    let key = || CacheKey::new(vault.cache_key());
    is_kept.then(|| Cache::new(directory, plugins.cache_bytes, key()))
}

/// Compiles instead of being a gateway, when that is what the arguments of this
/// process ask for; the first is the program's name.
///
/// Every program that opens a gateway calls this before anything else, since it is
/// what its compiler starts.
pub fn work(arguments: impl IntoIterator<Item = OsString>) -> Option<ExitCode> {
    let mut arguments = arguments.into_iter().skip(1);
    let is_asked = arguments.next().is_some_and(|first| first == COMMAND);
    is_asked.then(|| compile_worker::run(arguments))
}
