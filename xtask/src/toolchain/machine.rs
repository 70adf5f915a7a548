//! What the machine has and what can be done to it.

use std::{fs, path::Path, process::Command, time::Duration};

use super::{TARGET, debian};
use crate::{environment, process, report, workspace};

/// Long enough for a slow line (the library is about 30 MB), short enough that
/// somebody behind a firewall does not give up before we do.
const RUSTUP_LIMIT: Duration = Duration::from_secs(90);

/// A place to compile on.
pub(super) trait Machine {
    /// Whether the compiler in use has the target's library.
    fn has_target(&self) -> bool;
    /// Has rustup download it.
    fn add_target(&self) -> anyhow::Result<()>;
    /// Whether Debian's compiler is there, with the library's sources, and new enough.
    fn has_debian_compiler(&self) -> bool;
    /// Has apt install it.
    fn install_debian_compiler(&self) -> anyhow::Result<()>;
}

/// The machine we run on.
pub(super) struct ThisMachine;

impl Machine for ThisMachine {
    fn has_target(&self) -> bool {
        let mut rustc = Command::new(environment::rustc());
        rustc.current_dir(workspace::root());
        rustc.args(["--print", "target-libdir", "--target", TARGET]);
        process::probe(&mut rustc).is_some_and(|folder| is_filled(Path::new(folder.trim())))
    }

    fn add_target(&self) -> anyhow::Result<()> {
        report::note(&format!("adding {TARGET} with rustup…"));
        let mut rustup = Command::new("rustup");
        rustup
            .current_dir(workspace::root())
            .args(["target", "add", TARGET]);
        process::run_within(&mut rustup, RUSTUP_LIMIT)
            .inspect_err(|error| report::note(&format!("that did not work: {error:#}")))
    }

    fn has_debian_compiler(&self) -> bool {
        debian::is_ready()
    }

    fn install_debian_compiler(&self) -> anyhow::Result<()> {
        report::note("installing Debian's compiler with apt…");
        debian::install()
    }
}

/// rustc names the folder whether or not it is there.
fn is_filled(folder: &Path) -> bool {
    fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_or_empty_folder_is_no_library() {
        let folder = tempfile::tempdir().unwrap();
        assert!(!is_filled(&folder.path().join("missing")));
        assert!(!is_filled(folder.path()));
        fs::write(folder.path().join("libstd.rlib"), "").unwrap();
        assert!(is_filled(folder.path()));
    }
}
