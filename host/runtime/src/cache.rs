//! What became of components is kept, so that a restart compiles nothing.
//!
//! Machine code from a file is as good as a program: whoever can change it owns the
//! gateway. So the directory is ours alone, each file carries a code over all its
//! bytes (HMAC-SHA256 under a key that is not in the directory), and the code is
//! compared with the bytes after they were read into memory, where nobody changes
//! them any more.
//!
//! Nothing here fails: what cannot be used is compiled again, and reported.
//!
//! | file | what lives there |
//! | --- | --- |
//! | `directory` | whose it must be, and what is in it |
//! | `entry` | one file: its form, its code, its flaws |
//! | `keeper` | writing, and making room |
//! | `quarantine` | where what was tampered with waits to be looked at |
//! | `survey` | looking at all of it, and removing it: `portcullis cache` |
//! | `report` | what happened so far |

mod directory;
mod entry;
mod keeper;
mod quarantine;
mod report;
mod survey;

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use portcullis_core::plugin::PluginDigest;
use zeroize::Zeroizing;

pub use report::CacheReport;
pub use survey::{CachedFile, Cleared, Condition};

use crate::compile::{Compiled, EngineKey};
use entry::Flaw;
use report::Counters;

/// Makes and checks the codes under files. Keep it out of the directory.
#[derive(Clone)]
pub struct CacheKey(Zeroizing<[u8; 32]>);

impl CacheKey {
    /// A key of 32 bytes that nobody can guess.
    pub fn new(key: [u8; 32]) -> Self {
        Self(Zeroizing::new(key))
    }
}

impl fmt::Debug for CacheKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CacheKey")
    }
}

/// A directory of compiled components. Cheap to clone.
///
/// Its functions block: they read and write files of some megabytes.
#[derive(Debug, Clone)]
pub struct Cache {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    directory: PathBuf,
    max_bytes: u64,
    key: CacheKey,
    counters: Counters,
}

impl Cache {
    /// A cache in a directory, which is made when something is kept, with files of
    /// at most `max_bytes` in all.
    ///
    /// A directory that cannot be used is reported when it would be used.
    pub fn new(directory: PathBuf, max_bytes: u64, key: CacheKey) -> Self {
        Self {
            inner: Arc::new(Inner {
                directory,
                max_bytes,
                key,
                counters: Counters::default(),
            }),
        }
    }

    /// What happened since it was made.
    pub fn report(&self) -> CacheReport {
        self.inner.counters.report()
    }

    /// What became of a component for an engine.
    pub(crate) fn find(&self, component: PluginDigest, engine: EngineKey) -> Option<Compiled> {
        let directory = self.directory_to_read()?;
        let path = directory.join(entry::file_name(component, engine));
        let found = match entry::read(&path) {
            Ok(bytes) => self.open(&path, bytes, component, engine),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                self.note_foreign(directory, component);
                None
            }
            Err(error) => {
                self.give_up(&path, &error.to_string());
                None
            }
        };
        let counters = &self.inner.counters;
        counters.count(if found.is_some() {
            &counters.hits
        } else {
            &counters.misses
        });
        found
    }

    /// Keeps what a component became. Whatever prevents it is reported once.
    pub(crate) fn keep(&self, compiled: &Compiled) {
        let counters = &self.inner.counters;
        let Some(directory) = self.directory_to_write() else {
            return;
        };
        match keeper::keep(directory, self.inner.max_bytes, &self.inner.key, compiled) {
            Ok(kept) => {
                counters.add(&counters.kept, u64::from(kept.is_kept));
                counters.add(&counters.evicted, kept.evicted);
            }
            Err(error) => {
                counters.count(&counters.failures);
                counters.tell_once(|| {
                    tracing::warn!(
                        directory = %directory.display(),
                        %error,
                        "compiled plugins cannot be kept, and are compiled again at each start \
                         (plugins.cache_directory)"
                    );
                });
            }
        }
    }

    /// Bytes of a file, when they are what was written for this component and engine.
    fn open(
        &self,
        path: &Path,
        bytes: Vec<u8>,
        component: PluginDigest,
        engine: EngineKey,
    ) -> Option<Compiled> {
        let opened = entry::open(&self.inner.key, bytes).and_then(|compiled| {
            let is_it = compiled.digest() == component && compiled.engine_key() == engine;
            is_it.then_some(compiled).ok_or(Flaw::Foreign)
        });
        match opened {
            Ok(compiled) => {
                // What was used lately is removed last.
                let _ = entry::set_used(path, SystemTime::now());
                Some(compiled)
            }
            Err(flaw) => {
                self.discard(path, flaw);
                None
            }
        }
    }

    /// Takes away a file that cannot be used, and says so.
    fn discard(&self, path: &Path, flaw: Flaw) {
        let counters = &self.inner.counters;
        counters.count(match flaw {
            Flaw::Truncated => &counters.truncated,
            Flaw::Tampered => &counters.tampered,
            Flaw::Foreign | Flaw::OtherKey => &counters.foreign,
        });
        let is_suspicious = matches!(flaw, Flaw::Truncated | Flaw::Tampered);
        let removed = if is_suspicious {
            quarantine::move_there(path)
        } else {
            std::fs::remove_file(path)
        };
        tracing::warn!(
            file = %path.display(),
            is_quarantined = is_suspicious && removed.is_ok(),
            "a compiled plugin is not used, because {flaw}; it is compiled again"
        );
    }

    /// Tells that a component is compiled again although something of it is kept.
    fn note_foreign(&self, directory: &Path, component: PluginDigest) {
        let prefix = entry::name_prefix(component);
        let files = directory::files(directory).unwrap_or_default();
        if files.iter().any(|file| file.name.starts_with(&prefix)) {
            let counters = &self.inner.counters;
            counters.count(&counters.foreign);
            tracing::info!(
                digest = %component,
                "the plugin is compiled again: what is kept of it is for another engine or CPU"
            );
        }
    }

    fn give_up(&self, path: &Path, reason: &str) {
        let counters = &self.inner.counters;
        counters.count(&counters.failures);
        tracing::warn!(
            file = %path.display(),
            reason,
            "a compiled plugin cannot be read; it is compiled again"
        );
    }

    /// The directory, when it exists and is ours alone.
    fn directory_to_read(&self) -> Option<&Path> {
        let directory = self.inner.directory.as_path();
        match directory::check(directory) {
            Ok(()) => Some(directory),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => self.refuse(&error),
        }
    }

    /// The directory, made where there is none.
    fn directory_to_write(&self) -> Option<&Path> {
        let directory = self.inner.directory.as_path();
        match directory::make(directory).and_then(|()| directory::check(directory)) {
            Ok(()) => Some(directory),
            Err(error) => self.refuse(&error),
        }
    }

    fn refuse(&self, error: &io::Error) -> Option<&Path> {
        let counters = &self.inner.counters;
        counters.count(&counters.failures);
        counters.tell_once(|| {
            tracing::warn!(
                directory = %self.inner.directory.display(),
                %error,
                "the directory for compiled plugins is not used; they are compiled at each start \
                 (plugins.cache_directory)"
            );
        });
        None
    }
}
