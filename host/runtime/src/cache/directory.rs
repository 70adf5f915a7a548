//! Whose the directory must be, and what is in it.

use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// What is kept ends so; anything else in the directory is left alone.
pub(super) const ENDING: &str = ".compiled";

/// What is still being written, or was when its writer died.
pub(super) const UNFINISHED: &str = ".unfinished";

/// For everybody but the owner.
const OTHERS: u32 = 0o077;

/// One file that is kept.
#[derive(Debug)]
pub(super) struct KeptFile {
    pub(super) path: PathBuf,
    pub(super) name: String,
    pub(super) bytes: u64,
    pub(super) used_at: SystemTime,
}

/// Makes the directory, for nobody but us.
pub(super) fn make(directory: &Path) -> io::Result<()> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(directory)
}

/// Refuses a directory into which somebody else could write, or from which
/// somebody else could learn which plugins there are.
pub(super) fn check(directory: &Path) -> io::Result<()> {
    // Not through a link, whose target may change between two looks.
    let metadata = fs::symlink_metadata(directory)?;
    let refuse = |why: String| Err(io::Error::new(io::ErrorKind::PermissionDenied, why));
    if !metadata.is_dir() {
        return refuse("it is no directory; links are not followed".to_owned());
    }
    let (owner, us) = (metadata.uid(), rustix::process::geteuid().as_raw());
    if owner != us {
        return refuse(format!(
            "it belongs to user {owner}, and the gateway runs as user {us}; `chown` it"
        ));
    }
    let mode = metadata.mode() & 0o777;
    if mode & OTHERS != 0 {
        return refuse(format!("its mode is {mode:03o}; `chmod 700` it"));
    }
    Ok(())
}

/// The files that are kept, in the order of their names.
pub(super) fn files(directory: &Path) -> io::Result<Vec<KeptFile>> {
    ending_with(directory, ENDING)
}

/// The files of one kind, in the order of their names.
pub(super) fn ending_with(directory: &Path, ending: &str) -> io::Result<Vec<KeptFile>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        let Ok(name) = entry.file_name().into_string() else {
            continue;
        };
        if !name.ends_with(ending) {
            continue;
        }
        // Another gateway may remove it meanwhile.
        let Ok(metadata) = entry.metadata() else {
            continue;
        };
        files.push(KeptFile {
            path: entry.path(),
            name,
            bytes: metadata.len(),
            used_at: metadata.modified().unwrap_or(SystemTime::UNIX_EPOCH),
        });
    }
    files.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(files)
}
