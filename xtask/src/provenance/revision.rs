//! Which sources a plugin was built from.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::process;

/// Outside of a checkout nobody knows.
const UNKNOWN: &str = "unknown";

/// What follows a revision that is not all.
const CHANGED: &str = "+changes";

/// The last commit that changed one of these paths, and whether they were changed
/// since. A commit that changes nothing of a plugin does not make another one of
/// it.
pub(super) fn of(root: &Path, paths: &[PathBuf]) -> String {
    let log = ["log", "--max-count=1", "--format=%H"];
    let Some(commit) = git(root, &log, paths).filter(|commit| is_commit(commit)) else {
        return UNKNOWN.to_owned();
    };
    let status = ["status", "--porcelain", "--untracked-files=normal"];
    match git(root, &status, paths) {
        Some(changes) if changes.is_empty() => commit,
        _ => commit + CHANGED,
    }
}

/// What git prints about these paths; `None` where it knows nothing of them.
fn git(root: &Path, arguments: &[&str], paths: &[PathBuf]) -> Option<String> {
    let mut git = Command::new("git");
    git.current_dir(root).args(arguments).arg("--").args(paths);
    process::probe(&mut git).map(|text| text.trim().to_owned())
}

fn is_commit(text: &str) -> bool {
    text.len() >= 40 && text.chars().all(|c| c.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn run(root: &Path, arguments: &[&str]) {
        let mut git = Command::new("git");
        git.current_dir(root)
            .args(["-c", "user.name=Ada", "-c", "user.email=ada@example.com"])
            .args(["-c", "commit.gpgsign=false"])
            .args(arguments);
        process::run_quietly(&mut git).unwrap();
    }

    #[test]
    fn a_revision_is_the_last_that_changed_something_here() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        let (plugin, notes) = (root.join("plugin"), root.join("notes"));
        let of = || of(root, std::slice::from_ref(&plugin));
        assert_eq!(of(), UNKNOWN);

        run(root, &["init", "--quiet"]);
        assert_eq!(of(), UNKNOWN);

        fs::write(&plugin, "one").unwrap();
        run(root, &["add", "."]);
        run(root, &["commit", "--quiet", "--message", "one"]);
        let first = of();
        assert!(is_commit(&first), "{first}");

        fs::write(&notes, "others").unwrap();
        run(root, &["add", "."]);
        run(root, &["commit", "--quiet", "--message", "notes"]);
        assert_eq!(of(), first);

        fs::write(&plugin, "two").unwrap();
        assert_eq!(of(), format!("{first}{CHANGED}"));
        run(root, &["commit", "--quiet", "--all", "--message", "two"]);
        let second = of();
        assert!(is_commit(&second) && second != first, "{second}");
    }
}
