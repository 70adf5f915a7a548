//! Searches what the tests leave behind for the credentials they planted, and says
//! what their own processes have searched and found.
//!
//! Tests search what they see themselves, and fail by name; what they find where no
//! test can fail, in another process or after its end, they write down in a folder.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};
use portcullis_test_canary::{Ledger, STEM, Search, Total};

use crate::{postgres::Cluster, report, workspace};

/// The variable that tells tests the folder.
pub(crate) use portcullis_test_canary::FOLDER;

/// Whose text of it must have.
const WHERE_IT_IS_DEFINED: &str = "tests/canary/src/lib.rs";

/// What of the target folder tests load or leave: components, and what was compiled.
const ARTIFACTS: [&str; 4] = ["plugins", "guests", "languages", "tmp"];

/// The search of one run.
pub(crate) struct Leaks {
    folder: PathBuf,
}

impl Leaks {
    /// Begins one, in a folder of its own.
    pub(crate) fn watch() -> anyhow::Result<Self> {
        let name = format!("canaries/{}", std::process::id());
        let folder = workspace::target().join(name);
        if folder.exists() {
            fs::remove_dir_all(&folder)?;
        }
        fs::create_dir_all(&folder)?;
        Ok(Self { folder })
    }

    /// Where tests write down what they search and find.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Searches the rest after the tests have ended, and fails when anything was found
    /// by anybody. After the whole suite it also fails when nothing was searched of a
    /// kind: then the search is broken and not the gateway well.
    pub(crate) fn search(
        self,
        cluster: Option<&Cluster>,
        is_whole_suite: bool,
    ) -> anyhow::Result<()> {
        let search = Search::new(STEM, Ledger::within(&self.folder)?);
        if let Some(cluster) = cluster {
            cluster.stop()?;
            search.look_at_folder(cluster.folder(), &[]);
        }
        for artifacts in ARTIFACTS {
            search.look_at_folder(&workspace::target().join(artifacts), &[]);
        }
        // Expected answers, fixtures, corpora, and whatever else is kept.
        search.look_at_folder(workspace::root(), &not_kept(workspace::root()));
        drop(search);
        let total = Total::read(&self.folder).context("what the tests have searched")?;
        judge(&total, is_whole_suite)?;
        Ok(fs::remove_dir_all(&self.folder)?)
    }
}

/// What is below the root and not a part of the repository, or defines what is searched.
fn not_kept(root: &Path) -> [PathBuf; 3] {
    ["target", ".git", WHERE_IT_IS_DEFINED].map(|path| root.join(path))
}

fn judge(total: &Total, is_whole_suite: bool) -> anyhow::Result<()> {
    report::note(&format!("searched for credentials: {total}"));
    let found = total.found.join("\n  ");
    ensure!(total.found.is_empty(), "credentials were found:\n  {found}");
    let unsearched = total.unsearched().join(", ");
    ensure!(
        !is_whole_suite || unsearched.is_empty(),
        "nothing was searched of these: {unsearched}"
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use portcullis_test_canary::Place;

    use super::*;

    fn total(looks: &[Place], text: &str) -> Total {
        let folder = tempfile::tempdir().unwrap();
        let search = Search::new("decoy+9/1", Ledger::within(folder.path()).unwrap());
        for place in looks {
            search.look(*place, "a test", text.as_bytes());
        }
        search.take_found();
        Total::read(folder.path()).unwrap()
    }

    #[test]
    fn a_run_fails_for_what_is_found() {
        let found = total(&Place::ALL, "it is decoy%2B9/1");
        let error = judge(&found, false).unwrap_err().to_string();
        assert!(
            error.contains("a credential, escaped, is in a test"),
            "{error}"
        );
        assert!(!error.contains("decoy"), "{error}");
        judge(&total(&Place::ALL, "it is not there"), true).unwrap();
    }

    #[test]
    fn the_whole_suite_fails_for_what_is_not_searched() {
        let files = total(&[Place::File, Place::Answer], "it is not there");
        let error = judge(&files, true).unwrap_err().to_string();
        assert!(
            error.contains("log lines") && !error.contains("files"),
            "{error}"
        );
        judge(&files, false).unwrap();
    }

    #[test]
    fn everything_that_is_kept_can_be_searched() {
        for path in not_kept(workspace::root()).iter().skip(2) {
            assert!(path.is_file(), "{}", path.display());
        }
    }
}
