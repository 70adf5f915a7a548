//! Writing a file, and making room for it.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::directory::{self, UNFINISHED};
use super::{CacheKey, entry};
use crate::compile::Compiled;

/// Nobody writes for so long: the writer has died.
const ABANDONED_AFTER: Duration = Duration::from_hours(1);

/// What became of something to keep.
#[derive(Debug, Default)]
pub(super) struct Kept {
    /// Not when it is larger than everything may be together.
    pub(super) is_kept: bool,
    /// Files that were removed to make room.
    pub(super) evicted: u64,
}

/// Keeps what a component became.
///
/// Whoever looks for it meanwhile finds all of it or nothing, also after a crash.
pub(super) fn keep(
    directory: &Path,
    max_bytes: u64,
    key: &CacheKey,
    compiled: &Compiled,
) -> io::Result<Kept> {
    let head = entry::head(key, compiled)?;
    let code = entry::code(key, &head, compiled.artifact());
    let parts = [head.as_slice(), compiled.artifact(), &code];
    let bytes: usize = parts.iter().map(|part| part.len()).sum();
    let Some(room) = max_bytes.checked_sub(bytes as u64) else {
        return Ok(Kept::default());
    };
    let evicted = shrink_to(directory, room)?;
    let name = entry::file_name(compiled.digest(), compiled.engine_key());
    write(directory, &name, &parts)?;
    remove_abandoned(directory, &name)?;
    Ok(Kept {
        is_kept: true,
        evicted,
    })
}

/// Removes what was not used for longest until the rest is small enough.
fn shrink_to(directory: &Path, room: u64) -> io::Result<u64> {
    let mut files = directory::files(directory)?;
    files.sort_by_key(|file| file.used_at);
    let mut total: u64 = files.iter().map(|file| file.bytes).sum();
    let mut evicted = 0;
    for file in files {
        if total <= room {
            break;
        }
        unless_gone(fs::remove_file(&file.path))?;
        total = total.saturating_sub(file.bytes);
        evicted += 1;
    }
    Ok(evicted)
}

/// Removes what writers left behind that died, judged by the file that was written
/// just now: one clock for both.
fn remove_abandoned(directory: &Path, written: &str) -> io::Result<()> {
    let now = fs::metadata(directory.join(written))?.modified()?;
    for file in directory::ending_with(directory, UNFINISHED)? {
        let age = now.duration_since(file.used_at);
        if age.is_ok_and(|age| age > ABANDONED_AFTER) {
            unless_gone(fs::remove_file(&file.path))?;
        }
    }
    Ok(())
}

fn write(directory: &Path, name: &str, parts: &[&[u8]]) -> io::Result<()> {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let (process, count) = (std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
    let unfinished = directory.join(format!("{name}.{process}-{count}{UNFINISHED}"));
    let written = write_all(&unfinished, parts)
        .and_then(|()| fs::rename(&unfinished, directory.join(name)))
        .and_then(|()| File::open(directory)?.sync_all());
    if written.is_err() {
        // The first error is the one to tell.
        let _ = fs::remove_file(&unfinished);
    }
    written
}

fn write_all(path: &Path, parts: &[&[u8]]) -> io::Result<()> {
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o400)
        .open(path)?;
    for part in parts {
        file.write_all(part)?;
    }
    file.sync_all()
}

/// Another gateway may have removed it first.
fn unless_gone(removed: io::Result<()>) -> io::Result<()> {
    match removed {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}
