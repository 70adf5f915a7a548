//! Debian's compiler from apt, for machines that cannot reach rustup's server.
//!
//! The `-web` packages follow the compiler that browsers need, so they are new
//! even in an old release. They come without a library for wasm and with its
//! sources; `-Z build-std`, which a stable cargo allows when it is told to act
//! as its own bootstrap, compiles those along with the guest.

use std::{
    env::{consts::ARCH, join_paths},
    ffi::{OsStr, OsString},
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::{apt::Apt, environment, process};

/// Compiler, cargo, the library's sources, and LLVM's tools for wasm.
pub(super) const PACKAGES: [&str; 4] = ["rustc-web", "cargo-web", "rust-web-src", "rust-web-llvm"];

/// The `rust-version` of the workspace.
pub(super) const REQUIREMENT: &str =
    concat!("rustc ", env!("CARGO_PKG_RUST_VERSION"), " is needed");

const RUSTC: &str = "/usr/bin/rustc";
const CARGO: &str = "/usr/bin/cargo";

/// A link to a program of LLVM's version, `lld-22` say, whose package has the
/// same name and which no other package asks for.
const LINKER: &str = "/usr/bin/rust-lld";

/// Whether everything is installed and new enough for this workspace.
pub(super) fn is_ready() -> bool {
    let mut status = Command::new("dpkg-query");
    status
        .args(["--show", "--showformat", "${db:Status-Status}\n"])
        .args(PACKAGES);
    let installed = process::probe(&mut status)
        .is_some_and(|states| states.lines().all(|state| state == "installed"));
    installed
        && Path::new(LINKER).exists()
        && version().is_some_and(|version| is_new_enough(&version))
}

/// Installs the packages, which takes the rights of root.
pub(super) fn install() -> anyhow::Result<()> {
    let apt = Apt::update()?;
    apt.install(PACKAGES)?;
    let linker = missing_link_target(Path::new(LINKER));
    linker.map_or(Ok(()), |package| apt.install([package]))
}

/// The name of what a link points to, when nothing is there.
fn missing_link_target(link: &Path) -> Option<OsString> {
    let target = fs::read_link(link).ok().filter(|_| !link.exists())?;
    target.file_name().map(OsStr::to_owned)
}

/// A cargo that uses Debian's compiler and knows nothing of another one.
pub(super) fn cargo() -> Command {
    let mut command = Command::new(CARGO);
    for name in environment::names()
        .iter()
        .filter(|name| belongs_to_another_compiler(name))
    {
        command.env_remove(name);
    }
    command
        .env("RUSTC", RUSTC)
        .env("RUSTC_BOOTSTRAP", "1")
        .env_remove("CARGO");
    // A folder with a colon in its name cannot come from PATH, so joining works.
    if let Ok(path) = join_paths(search_path()) {
        command.env("PATH", path);
    }
    command
}

/// Debian's programs first: cargo looks for rustc, and rustc for its linker.
fn search_path() -> impl Iterator<Item = PathBuf> {
    let linker = format!("/usr/lib/rustlib/{ARCH}-unknown-linux-gnu/bin");
    [PathBuf::from("/usr/bin"), PathBuf::from(linker)]
        .into_iter()
        .chain(environment::search_path())
}

/// Variables that the cargo and rustup around us set, or that choose a compiler.
///
/// `CARGO_HOME` and the settings for registries and networks stay: whoever set
/// them means every cargo.
fn belongs_to_another_compiler(name: &str) -> bool {
    let is_shared = ["CARGO_HOME", "CARGO_HTTP_", "CARGO_NET_", "CARGO_REGISTR"]
        .iter()
        .any(|prefix| name.starts_with(prefix));
    let is_foreign = [
        "CARGO_",
        "RUSTC",
        "RUSTDOC",
        "RUSTFLAGS",
        "RUSTUP_",
        "RUST_RECURSION_COUNT",
    ]
    .iter()
    .any(|prefix| name.starts_with(prefix));
    (is_foreign && !is_shared) || name == "LD_LIBRARY_PATH"
}

/// Something like `rustc 1.96.0 (… ) (built from a source tarball)`.
fn version() -> Option<String> {
    process::probe(
        Command::new(RUSTC)
            .env_remove("LD_LIBRARY_PATH")
            .arg("--version"),
    )
}

fn is_new_enough(version: &str) -> bool {
    let number = version.split_whitespace().nth(1).and_then(major_and_minor);
    number.is_some() && number >= major_and_minor(env!("CARGO_PKG_RUST_VERSION"))
}

fn major_and_minor(version: &str) -> Option<(u32, u32)> {
    let mut numbers = version.split('.').map(str::parse);
    Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_as_numbers() {
        let (major, minor) = major_and_minor(env!("CARGO_PKG_RUST_VERSION")).unwrap();
        let at = |minor: u32| format!("rustc {major}.{minor}.0 (built from a source tarball)\n");
        assert!(is_new_enough(&at(minor)));
        assert!(is_new_enough(&at(minor + 100)));
        assert!(!is_new_enough(&at(minor - 1)));
        assert!(!is_new_enough(&at(9)));
        assert!(!is_new_enough("rustc"));
        assert!(!is_new_enough("command not found"));
    }

    #[test]
    fn what_the_outer_cargo_sets_is_not_passed_on() {
        for name in [
            "CARGO_MANIFEST_DIR",
            "CARGO_PKG_NAME",
            "CARGO_TARGET_DIR",
            "CARGO_ENCODED_RUSTFLAGS",
            "RUSTC",
            "RUSTC_WRAPPER",
            "RUSTDOCFLAGS",
            "RUSTFLAGS",
            "RUSTUP_TOOLCHAIN",
            "LD_LIBRARY_PATH",
        ] {
            assert!(belongs_to_another_compiler(name), "{name}");
        }
    }

    #[test]
    fn settings_of_every_cargo_are_passed_on() {
        for name in [
            "CARGO_HOME",
            "CARGO_HTTP_PROXY",
            "CARGO_NET_OFFLINE",
            "CARGO_REGISTRIES_X_TOKEN",
            "CARGO_REGISTRY_TOKEN",
            "PATH",
            "HOME",
            "HTTPS_PROXY",
            "RUST_BACKTRACE",
        ] {
            assert!(!belongs_to_another_compiler(name), "{name}");
        }
    }

    #[test]
    fn only_a_link_that_leads_nowhere_lacks_its_target() {
        let folder = tempfile::tempdir().unwrap();
        let link = folder.path().join("rust-lld");
        assert_eq!(missing_link_target(&link), None);
        std::os::unix::fs::symlink("lld-22", &link).unwrap();
        assert_eq!(missing_link_target(&link), Some("lld-22".into()));
        fs::write(folder.path().join("lld-22"), "").unwrap();
        assert_eq!(missing_link_target(&link), None);
    }

    #[test]
    fn debians_programs_are_found_first() {
        assert_eq!(search_path().next(), Some(PathBuf::from("/usr/bin")));
    }
}
