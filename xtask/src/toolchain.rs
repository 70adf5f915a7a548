//! Compilers that can make guests.
//!
//! A guest needs the standard library for [`TARGET`], which a compiler may come
//! without. [`ensure`] finds a way, cheapest first: what is installed, then
//! rustup, then Debian's compiler, which builds the library from its sources
//! ([`debian`]). What a machine has and can do is behind [`Machine`], so that
//! the choice is tested without one.

mod debian;
mod machine;

use std::{ffi::OsString, path::PathBuf, process::Command};

use anyhow::{anyhow, bail};

use crate::{environment, workspace::Place};
use machine::{Machine, ThisMachine};

/// Bare WebAssembly: what a guest can do is what our world lets it import.
pub(crate) const TARGET: &str = "wasm32-unknown-unknown";

/// The profile in the workspace's `Cargo.toml` that makes small guests.
const PROFILE: &str = "guest";

/// A way to compile for [`TARGET`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Toolchain {
    /// The compiler in use, which has the target's library, usually from rustup.
    Rustup,
    /// Debian's compiler, which has the library's sources.
    DebianBuildStd,
}

/// Makes sure that guests can be compiled and says how.
pub(crate) fn ensure() -> anyhow::Result<Toolchain> {
    match environment::text(environment::WASM_TOOLCHAIN).as_deref() {
        None => choose(&ThisMachine),
        Some("rustup") => prepare_rustup(&ThisMachine).map(|()| Toolchain::Rustup),
        Some("debian") => prepare_debian(&ThisMachine).map(|()| Toolchain::DebianBuildStd),
        Some(other) => bail!(
            "{} is `{other}`\nhint: set it to rustup or debian, or unset it to take what works",
            environment::WASM_TOOLCHAIN
        ),
    }
}

/// What needs no download comes first: a machine that once had to fall back to
/// Debian's compiler should not wait for rustup every time.
fn choose(machine: &dyn Machine) -> anyhow::Result<Toolchain> {
    if machine.has_target() {
        return Ok(Toolchain::Rustup);
    }
    if machine.has_debian_compiler() {
        return Ok(Toolchain::DebianBuildStd);
    }
    let Err(rustup) = prepare_rustup(machine) else {
        return Ok(Toolchain::Rustup);
    };
    let Err(debian) = prepare_debian(machine) else {
        return Ok(Toolchain::DebianBuildStd);
    };
    Err(no_toolchain(&rustup, &debian))
}

fn no_toolchain(rustup: &anyhow::Error, debian: &anyhow::Error) -> anyhow::Error {
    anyhow!(
        "guests cannot be compiled here: the compiler in use has no library for {TARGET}
  rustup: {rustup:#}
  debian: {debian:#}
hint: install one of these and try again
  rustup target add {TARGET}
  apt-get install --no-install-recommends {}
    and the lld-… that /usr/bin/rust-lld points to (as root)",
        debian::PACKAGES.join(" ")
    )
}

fn prepare_rustup(machine: &dyn Machine) -> anyhow::Result<()> {
    if machine.has_target() {
        return Ok(());
    }
    machine.add_target()?;
    if !machine.has_target() {
        bail!("the target was added, but not to the compiler in use");
    }
    Ok(())
}

fn prepare_debian(machine: &dyn Machine) -> anyhow::Result<()> {
    if machine.has_debian_compiler() {
        return Ok(());
    }
    machine.install_debian_compiler()?;
    if !machine.has_debian_compiler() {
        bail!(
            "apt's compiler is too old or incomplete: {}",
            debian::REQUIREMENT
        );
    }
    Ok(())
}

impl Toolchain {
    /// `cargo build` of guests, but for the packages' names.
    pub(crate) fn cargo_build(self, place: &Place) -> Command {
        let mut command = match self {
            Self::Rustup => environment::cargo_command(),
            Self::DebianBuildStd => debian::cargo(),
        };
        command
            .current_dir(&place.root)
            .args(["build", "--lib", "--profile", PROFILE]);
        command
            .args(["--target", TARGET, "--target-dir"])
            .arg(self.target_dir(place));
        if self == Self::DebianBuildStd {
            command.args(["-Z", "build-std=std,panic_abort"]);
        }
        command
            .env_remove("RUSTFLAGS")
            .env("CARGO_ENCODED_RUSTFLAGS", rustflags(place));
        command
    }

    /// Where the modules are after a build.
    pub(crate) fn modules(self, place: &Place) -> PathBuf {
        self.target_dir(place).join(TARGET).join(PROFILE)
    }

    /// One folder for each compiler: two in one would rebuild each other's work.
    fn target_dir(self, place: &Place) -> PathBuf {
        match self {
            Self::Rustup => place.target.clone(),
            Self::DebianBuildStd => place.target.join("wasm-debian"),
        }
    }
}

/// Panic messages carry paths of sources. What is shipped should not tell how
/// the folders of the building machine are named, and be the same wherever it is
/// built. Of several names that fit a path the last one is used, so the target
/// folder, which usually lies within the root, comes last. Flags meant for the native
/// compiler (coverage, a CPU) are replaced by this, too: they break guests.
fn rustflags(place: &Place) -> OsString {
    let remap = |from: PathBuf, to: &str| {
        let mut flag = OsString::from("--remap-path-prefix=");
        flag.push(from);
        flag.push(format!("={to}"));
        flag
    };
    let home = environment::cargo_home().map(|home| remap(home, "cargo"));
    let root = remap(place.root.clone(), "portcullis");
    let target = remap(place.target.clone(), "target");
    home.into_iter()
        .chain([root, target])
        .collect::<Vec<_>>()
        .join(std::ffi::OsStr::new("\u{1f}"))
}

#[cfg(test)]
mod tests {
    use std::cell::{Cell, RefCell};

    use super::*;

    /// A machine where each step works or not, and that remembers what was tried.
    #[derive(Default)]
    struct FakeMachine {
        has_target: Cell<bool>,
        has_debian_compiler: Cell<bool>,
        rustup_works: bool,
        apt_works: bool,
        tried: RefCell<Vec<&'static str>>,
    }

    impl Machine for FakeMachine {
        fn has_target(&self) -> bool {
            self.has_target.get()
        }

        fn add_target(&self) -> anyhow::Result<()> {
            self.tried.borrow_mut().push("rustup");
            self.has_target.set(self.rustup_works);
            self.rustup_works
                .then_some(())
                .ok_or_else(|| anyhow!("no route to rustup's server"))
        }

        fn has_debian_compiler(&self) -> bool {
            self.has_debian_compiler.get()
        }

        fn install_debian_compiler(&self) -> anyhow::Result<()> {
            self.tried.borrow_mut().push("apt");
            self.has_debian_compiler.set(self.apt_works);
            self.apt_works
                .then_some(())
                .ok_or_else(|| anyhow!("apt is not installed"))
        }
    }

    fn check(machine: &FakeMachine, expected: Option<Toolchain>, tried: &[&str]) {
        assert_eq!(choose(machine).ok(), expected);
        assert_eq!(*machine.tried.borrow(), tried);
    }

    #[test]
    fn a_target_that_is_there_is_used() {
        let machine = FakeMachine {
            has_target: true.into(),
            has_debian_compiler: true.into(),
            ..FakeMachine::default()
        };
        check(&machine, Some(Toolchain::Rustup), &[]);
    }

    #[test]
    fn a_compiler_that_is_there_is_used_before_anything_is_downloaded() {
        let machine = FakeMachine {
            has_debian_compiler: true.into(),
            rustup_works: true,
            ..FakeMachine::default()
        };
        check(&machine, Some(Toolchain::DebianBuildStd), &[]);
    }

    #[test]
    fn rustup_is_tried_before_apt() {
        let machine = FakeMachine {
            rustup_works: true,
            apt_works: true,
            ..FakeMachine::default()
        };
        check(&machine, Some(Toolchain::Rustup), &["rustup"]);
    }

    #[test]
    fn apt_is_tried_when_rustup_fails() {
        let machine = FakeMachine {
            apt_works: true,
            ..FakeMachine::default()
        };
        check(
            &machine,
            Some(Toolchain::DebianBuildStd),
            &["rustup", "apt"],
        );
    }

    #[test]
    fn when_nothing_works_the_error_says_why_and_what_to_install() {
        let machine = FakeMachine::default();
        let error = choose(&machine).unwrap_err().to_string();
        for part in [
            "rustup: no route to rustup's server",
            "debian: apt is not installed",
            "rustup target add wasm32-unknown-unknown",
            "apt-get install --no-install-recommends rustc-web",
        ] {
            assert!(error.contains(part), "{part} is missing in {error}");
        }
    }

    #[test]
    fn a_target_added_to_another_compiler_is_noticed() {
        struct Deaf;
        impl Machine for Deaf {
            fn has_target(&self) -> bool {
                false
            }
            fn add_target(&self) -> anyhow::Result<()> {
                Ok(())
            }
            fn has_debian_compiler(&self) -> bool {
                false
            }
            fn install_debian_compiler(&self) -> anyhow::Result<()> {
                Ok(())
            }
        }
        let error = prepare_rustup(&Deaf).unwrap_err().to_string();
        assert!(error.contains("not to the compiler in use"), "{error}");
        let error = prepare_debian(&Deaf).unwrap_err().to_string();
        assert!(error.contains("too old or incomplete"), "{error}");
    }

    #[test]
    fn compilers_do_not_share_a_target_folder() {
        let here = Place::here();
        assert_ne!(
            Toolchain::Rustup.modules(&here),
            Toolchain::DebianBuildStd.modules(&here)
        );
    }

    #[test]
    fn native_flags_do_not_reach_guests() {
        for toolchain in [Toolchain::Rustup, Toolchain::DebianBuildStd] {
            let command = toolchain.cargo_build(&Place::here());
            let value = |name: &str| {
                command
                    .get_envs()
                    .find(|(key, _)| *key == name)
                    .map(|(_, value)| value.is_some())
            };
            assert_eq!(value("RUSTFLAGS"), Some(false));
            assert_eq!(value("CARGO_ENCODED_RUSTFLAGS"), Some(true));
        }
    }
}
