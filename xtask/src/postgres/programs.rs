//! Where the server's programs are, and as whom they run.

use std::{
    ffi::{OsStr, OsString},
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::Context as _;

use crate::{
    apt::{self, Apt},
    environment, process, report,
};

/// Debian's package, of whatever version it has.
const PACKAGE: &str = "postgresql";

/// Debian keeps versions side by side, and out of the search path.
const DEBIAN: &str = "/usr/lib/postgresql";

/// The user that Debian's package makes, and other packages as well.
const SERVER_USER: &str = "postgres";

/// The programs of one version.
#[derive(Debug)]
pub(super) struct Programs {
    folder: PathBuf,
    /// What comes before a program to run it as somebody else than root.
    prefix: Vec<OsString>,
}

impl Programs {
    /// Finds them, or has apt install them.
    pub(super) fn find_or_install() -> anyhow::Result<Self> {
        let folder = match find() {
            Some(folder) => folder,
            None => install()?,
        };
        Ok(Self {
            folder,
            prefix: prefix()?,
        })
    }

    /// A program of the server.
    pub(super) fn command(&self, program: &str) -> Command {
        self.as_server(self.folder.join(program).as_os_str())
    }

    /// Any program, run by the user who runs the server.
    pub(super) fn as_server(&self, program: &OsStr) -> Command {
        let mut words = self.prefix.iter().map(OsString::as_os_str).chain([program]);
        let mut command = Command::new(words.next().unwrap_or(program));
        // The folder we are in may be closed to that user.
        command.args(words).current_dir("/");
        command
    }

    /// Programs that all are this one.
    #[cfg(test)]
    pub(super) fn without_server(program: &str) -> Self {
        Self {
            folder: PathBuf::new(),
            prefix: vec![program.into()],
        }
    }
}

fn find() -> Option<PathBuf> {
    let mut folders = environment::search_path();
    folders.extend(debian_folders(Path::new(DEBIAN)));
    folders.extend(["/usr/local/bin", "/usr/local/pgsql/bin"].map(PathBuf::from));
    folders.into_iter().find(|folder| {
        ["initdb", "pg_ctl", "postgres"]
            .iter()
            .all(|program| folder.join(program).is_file())
    })
}

/// `<version>/bin` of every version, newest first.
fn debian_folders(root: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(root).into_iter().flatten().flatten();
    let mut versions: Vec<u32> = entries
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .collect();
    versions.sort_unstable_by(|one, other| other.cmp(one));
    versions
        .into_iter()
        .map(|version| root.join(version.to_string()).join("bin"))
        .collect()
}

fn install() -> anyhow::Result<PathBuf> {
    report::note("installing Postgres with apt…");
    Apt::update()
        .and_then(|apt| apt.install([PACKAGE]))
        .context(
            "there is no Postgres, and it cannot be installed\n\
             hint: install the server (initdb, pg_ctl) and put it on the PATH, \
             or set PORTCULLIS_TEST_POSTGRES to the URL of one that tests may write to",
        )?;
    find().context("Postgres was installed, and is not where it should be")
}

/// The server refuses to run as root.
fn prefix() -> anyhow::Result<Vec<OsString>> {
    if !apt::is_root() {
        return Ok(Vec::new());
    }
    process::probe(Command::new("id").arg(SERVER_USER)).with_context(|| {
        format!("Postgres does not run as root, and there is no user `{SERVER_USER}` to run it")
    })?;
    Ok(["runuser", "-u", SERVER_USER, "--"]
        .map(OsString::from)
        .into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_version_comes_first() {
        let root = tempfile::tempdir().unwrap();
        for version in ["9", "15", "17", "common"] {
            fs::create_dir(root.path().join(version)).unwrap();
        }
        let expected = ["17", "15", "9"].map(|version| root.path().join(version).join("bin"));
        assert_eq!(debian_folders(root.path()), expected);
        assert!(debian_folders(&root.path().join("missing")).is_empty());
    }

    #[test]
    fn a_program_runs_as_the_servers_user() {
        let words = |programs: &Programs| {
            let command = programs.command("pg_ctl");
            let words = std::iter::once(command.get_program()).chain(command.get_args());
            words
                .map(|word| word.to_str().unwrap().to_owned())
                .collect::<Vec<_>>()
        };
        let mut programs = Programs {
            folder: PathBuf::from("/pg/bin"),
            prefix: Vec::new(),
        };
        assert_eq!(words(&programs), ["/pg/bin/pg_ctl"]);
        programs.prefix = vec!["runuser".into(), "--".into()];
        assert_eq!(words(&programs), ["runuser", "--", "/pg/bin/pg_ctl"]);
    }
}
