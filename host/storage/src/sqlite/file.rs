//! The database file: its name, its mode, and the lock that keeps it ours.

use std::{
    fs::{DirBuilder, File, Metadata, OpenOptions, TryLockError},
    io,
    os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};

use crate::Error;

/// A database file that no other gateway has open.
///
/// SQLite itself would let several processes share the file. A gateway must not:
/// at its start it declares whatever is executing interrupted, which is true only
/// when nobody else executes.
pub(super) struct DatabaseFile {
    path: PathBuf,
    lock: File,
    identity: Identity,
}

/// Device and number: what a file keeps when its name changes.
type Identity = (u64, u64);

impl DatabaseFile {
    /// Makes the file if it is missing, and locks it. A few system calls, made
    /// once, so they do not go to another thread.
    pub(super) fn open(url_or_path: &str) -> Result<Self, Error> {
        let path = path_from(url_or_path)?;
        if let Some(directory) = path.parent().filter(|path| !path.as_os_str().is_empty()) {
            create_directory(directory).map_err(file_error("create the directory", directory))?;
        }
        let identity = identify(&path).map_err(file_error("open the database file", &path))?;
        // One file has one lock, also when it is reached through a link.
        let path = path
            .canonicalize()
            .map_err(file_error("resolve the path of", &path))?;
        let lock = lock(&path)?;
        Ok(Self {
            path,
            lock,
            identity,
        })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Fails when the path no longer leads to the file that was opened.
    ///
    /// SQLite keeps writing into a file that was removed or replaced, and all of
    /// it would be lost at the next start.
    pub(super) fn check_in_place(&self) -> io::Result<()> {
        if regular_file(&self.path.metadata()?)? == self.identity {
            return Ok(());
        }
        let what = "another file has taken the database's place; stop the gateway first";
        Err(io::Error::other(what))
    }

    /// Lets another gateway open the file.
    pub(super) fn unlock(&self) {
        if let Err(error) = self.lock.unlock() {
            tracing::warn!(%error, path = %self.path.display(), "database lock not released");
        }
    }
}

/// Whether there is such a file.
pub(super) fn exists(url_or_path: &str) -> Result<bool, Error> {
    let path = path_from(url_or_path)?;
    path.try_exists()
        .map_err(file_error("look for the database file", &path))
}

/// The path of a file that is there, which is neither made nor locked.
pub(super) fn find(url_or_path: &str) -> Result<PathBuf, Error> {
    let path = path_from(url_or_path)?;
    path.metadata()
        .and_then(|metadata| regular_file(&metadata))
        .map_err(file_error("open the database file", &path))?;
    Ok(path)
}

/// Reads `sqlite:path`, `sqlite://path` or a plain path, taken literally.
fn path_from(location: &str) -> Result<PathBuf, Error> {
    let refuse = |reason| {
        Err(Error::Location {
            location: location.to_owned(),
            reason,
        })
    };
    let path = match location.strip_prefix("sqlite:") {
        Some(rest) => rest.strip_prefix("//").unwrap_or(rest),
        None if location.contains("://") => return refuse("it must be a path or `sqlite:path`"),
        None => location,
    };
    match path {
        "" => refuse("the path is empty"),
        ":memory:" => refuse("a gateway's database must outlive it; name a file"),
        _ if path.ends_with('/') => refuse("the path is a directory"),
        _ if path.contains(['?', '\0']) => refuse("the path takes no parameters"),
        _ => Ok(PathBuf::from(path)),
    }
}

fn create_directory(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// Opens a file that only its owner may read, if it was not there before. SQLite
/// gives its log and shared memory the mode of the database.
fn create_private(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(path)
}

/// Makes the file if it is missing. Looks before it opens, since opening a pipe
/// waits for somebody at its other end.
fn identify(path: &Path) -> io::Result<Identity> {
    if let Ok(metadata) = path.metadata() {
        regular_file(&metadata)?;
    }
    regular_file(&create_private(path)?.metadata()?)
}

/// A device or a pipe would take what is written and keep none of it.
fn regular_file(metadata: &Metadata) -> io::Result<Identity> {
    if metadata.is_dir() {
        Err(io::ErrorKind::IsADirectory.into())
    } else if metadata.is_file() {
        Ok((metadata.dev(), metadata.ino()))
    } else {
        Err(io::Error::other("it is not a regular file; name one"))
    }
}

fn lock(database: &Path) -> Result<File, Error> {
    let mut name = database.as_os_str().to_owned();
    name.push(".lock");
    let path = PathBuf::from(name);
    let file = create_private(&path).map_err(file_error("open the lock file", &path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(Error::InUse {
            path: database.to_owned(),
        }),
        Err(TryLockError::Error(error)) => Err(file_error("lock", &path)(error)),
    }
}

fn file_error(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Error {
    let path = path.to_owned();
    move |source| Error::File {
        action,
        path,
        source,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_location_is_a_path_or_a_sqlite_url() {
        for (location, path) in [
            ("data/p.db", "data/p.db"),
            ("sqlite:data/p.db", "data/p.db"),
            ("sqlite://data/p.db", "data/p.db"),
            ("sqlite:///var/lib/p.db", "/var/lib/p.db"),
        ] {
            assert_eq!(path_from(location).unwrap(), Path::new(path), "{location}");
        }
        for location in [
            "",
            "sqlite:",
            "sqlite::memory:",
            ":memory:",
            "postgres://localhost/p",
            "sqlite:p.db?mode=ro",
            "data/",
        ] {
            assert!(path_from(location).is_err(), "{location}");
        }
    }

    #[test]
    fn looking_for_a_file_does_not_make_it() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("p.db");
        let url = format!("sqlite:{}", path.display());
        assert!(!exists(&url).unwrap());
        assert!(!path.exists());
        let _file = DatabaseFile::open(&url).unwrap();
        assert!(exists(&url).unwrap());
        assert!(exists("postgres://localhost/p").is_err());
    }

    #[test]
    fn only_the_owner_can_read_what_is_created() {
        use std::os::unix::fs::PermissionsExt as _;
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("new/deep/p.db");
        let _file = DatabaseFile::open(path.to_str().unwrap()).unwrap();
        let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&path), 0o600);
        assert_eq!(mode(&path.with_extension("db.lock")), 0o600);
        assert_eq!(mode(path.parent().unwrap()), 0o700);
    }

    #[test]
    fn a_link_does_not_get_around_the_lock() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("p.db");
        let link = directory.path().join("link.db");
        let _file = DatabaseFile::open(path.to_str().unwrap()).unwrap();
        std::os::unix::fs::symlink(&path, &link).unwrap();
        assert!(matches!(
            DatabaseFile::open(link.to_str().unwrap()),
            Err(Error::InUse { .. })
        ));
    }
}
