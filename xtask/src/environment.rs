//! The only place that reads arguments and environment variables.

#![expect(
    clippy::disallowed_methods,
    reason = "cargo and the caller tell us what to do through the environment"
)]

use std::{ffi::OsString, path::PathBuf, process::Command};

/// Forces a way to compile guests: `rustup` or `debian`. Unset: the first that works.
pub(crate) const WASM_TOOLCHAIN: &str = "PORTCULLIS_WASM_TOOLCHAIN";

/// The URL of a Postgres that tests may write to. Unset: one is started for them.
pub(crate) const TEST_POSTGRES: &str = "PORTCULLIS_TEST_POSTGRES";

/// Set where nobody watches, and what was skipped would go unnoticed.
pub(crate) const CI: &str = "CI";

/// The command line without the program's name; what is not UTF-8 is replaced.
pub(crate) fn arguments() -> Vec<String> {
    let text = |argument: OsString| argument.to_string_lossy().into_owned();
    std::env::args_os().skip(1).map(text).collect()
}

/// The value of a variable, if it is set to something.
pub(crate) fn text(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// The names of all variables, but for those that are not UTF-8.
pub(crate) fn names() -> Vec<String> {
    std::env::vars_os()
        .filter_map(|(name, _)| name.into_string().ok())
        .collect()
}

/// Where files go that nobody keeps.
pub(crate) fn temporary_folder() -> PathBuf {
    std::env::temp_dir()
}

/// The folders in which programs are searched, in order.
pub(crate) fn search_path() -> Vec<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).collect()
}

/// The cargo that started us, so that nested calls use the same one.
pub(crate) fn cargo() -> PathBuf {
    std::env::var_os("CARGO").map_or_else(|| PathBuf::from("cargo"), PathBuf::from)
}

/// A command of that cargo, without the variables in which it describes xtask
/// itself: build scripts watch some of them, and would run again each time cargo
/// is called now through xtask and now directly.
pub(crate) fn cargo_command() -> Command {
    let mut command = Command::new(cargo());
    for name in names() {
        let describes_xtask = [
            "CARGO_PKG_",
            "CARGO_MANIFEST_",
            "CARGO_BIN_",
            "CARGO_CRATE_",
        ]
        .iter()
        .any(|start| name.starts_with(start));
        if describes_xtask {
            command.env_remove(&name);
        }
    }
    command
}

/// The compiler that this cargo uses.
pub(crate) fn rustc() -> PathBuf {
    std::env::var_os("RUSTC").map_or_else(|| PathBuf::from("rustc"), PathBuf::from)
}

/// Where cargo keeps registries and their sources.
pub(crate) fn cargo_home() -> Option<PathBuf> {
    let default = || std::env::home_dir().map(|home| home.join(".cargo"));
    std::env::var_os("CARGO_HOME")
        .map(PathBuf::from)
        .or_else(default)
}
