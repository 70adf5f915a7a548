//! Where files that were tampered with or cut wait to be looked at.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::directory;

/// Below the directory of the cache.
pub(super) const NAME: &str = "quarantine";

/// Enough to see what happened. More would let whoever tampers fill the disk.
const MAX_FILES: usize = 4;

/// Moves a file there, and removes the oldest where there are too many.
///
/// When it cannot be moved it is removed: it must not be found again.
pub(super) fn move_there(path: &Path) -> io::Result<()> {
    let moved = within(path).and_then(|quarantine| {
        let name = path.file_name().unwrap_or_default();
        fs::rename(path, quarantine.join(name))?;
        keep_newest(&quarantine)
    });
    if moved.is_err() {
        let _ = fs::remove_file(path);
    }
    moved
}

fn within(path: &Path) -> io::Result<PathBuf> {
    let quarantine = path.with_file_name(NAME);
    directory::make(&quarantine)?;
    directory::check(&quarantine)?;
    Ok(quarantine)
}

fn keep_newest(quarantine: &Path) -> io::Result<()> {
    let mut files = directory::files(quarantine)?;
    files.sort_by_key(|file| file.used_at);
    let surplus = files.len().saturating_sub(MAX_FILES);
    for file in files.iter().take(surplus) {
        fs::remove_file(&file.path)?;
    }
    Ok(())
}
