//! Packages from Debian's archive.

use std::{ffi::OsStr, path::Path, process::Command, time::Duration};

use anyhow::{Context as _, bail};

use crate::process;

/// Some 200 MB from a mirror.
const LIMIT: Duration = Duration::from_mins(10);

/// An apt that may install, with a current list of packages.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Apt(Privilege);

impl Apt {
    /// Gets the list of packages, which takes the rights of root.
    pub(crate) fn update() -> anyhow::Result<Self> {
        if !Path::new("/usr/bin/apt-get").exists() {
            bail!("there is no apt-get");
        }
        let privilege =
            Privilege::find().context("neither root nor a sudo that asks no password")?;
        process::run_within(privilege.apt_get().arg("update"), LIMIT)?;
        Ok(Self(privilege))
    }

    /// Installs packages and what they cannot do without.
    pub(crate) fn install(
        self,
        packages: impl IntoIterator<Item = impl AsRef<OsStr>>,
    ) -> anyhow::Result<()> {
        let mut install = self.0.apt_get();
        install
            .args(["install", "--yes", "--no-install-recommends"])
            .args(packages);
        process::run_within(&mut install, LIMIT)
    }
}

/// Whether we have the rights of root ourselves.
pub(crate) fn is_root() -> bool {
    let user = process::probe(Command::new("id").arg("-u"));
    user.is_some_and(|id| id.trim() == "0")
}

/// How to get the rights of root.
#[derive(Debug, Clone, Copy)]
enum Privilege {
    Root,
    Sudo,
}

impl Privilege {
    fn find() -> Option<Self> {
        if is_root() {
            return Some(Self::Root);
        }
        let sudo = process::probe(Command::new("sudo").args(["--non-interactive", "true"]));
        sudo.map(|_| Self::Sudo)
    }

    /// An `apt-get` that asks nothing and does not wait for ever.
    fn apt_get(self) -> Command {
        let mut command = match self {
            Self::Root => Command::new("env"),
            Self::Sudo => Command::new("sudo"),
        };
        if matches!(self, Self::Sudo) {
            command.args(["--non-interactive", "env"]);
        }
        command.args(["DEBIAN_FRONTEND=noninteractive", "apt-get"]);
        command.args([
            "-o",
            "DPkg::Lock::Timeout=120",
            "-o",
            "Acquire::http::Timeout=20",
        ]);
        command
    }
}
